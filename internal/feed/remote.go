package feed

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
)

// SourceConfig names a feed to read. Source, Topic, BaseURL, HTTP and Keys are required.
type SourceConfig struct {
	Source  string       // the sender's instance, such as municipality:91201
	Topic   string       // one topic of it
	BaseURL string       // what /feeds/TOPIC is added to
	HTTP    *http.Client // carries the caller's authorization; must not limit whole requests below Wait
	Keys    Keys         // the sender's pinned keys, for snapshots
	// Wait is how long the sender may hold a request while there is nothing; 0 means 25 s.
	Wait time.Duration
	// Limit is how many events are asked for at a time; 0 means 1000.
	Limit int
	// MaxSnapshot is the size in bytes of the largest snapshot that is read; 0 means 16 GiB. It is
	// kept in a temporary file while it is verified.
	MaxSnapshot int64

	told func(head jitsuin.Position) // where the sender says that it stands; nil for nobody
}

func (c *SourceConfig) check() error {
	if c.Source == "" || c.BaseURL == "" || c.HTTP == nil || c.Keys == nil {
		return errors.New("a feed's reader needs a source, an address, an HTTP client and the sender's keys")
	}
	if c.Wait == 0 {
		c.Wait = 25 * time.Second
	}
	if c.Limit == 0 || c.Limit > MaxLimit {
		c.Limit = MaxLimit
	}
	if c.MaxSnapshot == 0 {
		c.MaxSnapshot = 16 << 30
	}
	return checkTopic(c.Topic)
}

const requestTimeout = 60 * time.Second // beyond the wait

func (c *SourceConfig) get(ctx context.Context, path string, query url.Values) (*http.Response, error) {
	address := strings.TrimSuffix(c.BaseURL, "/") + "/feeds/" + url.PathEscape(c.Topic) + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "feed-address", "the address of a feed: %w", err)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, unreachable(err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	resp.Body.Close()
	switch code := resp.Header.Get("Feed-Error"); code {
	case CodeEpochChanged:
		return nil, errNewEpoch
	case CodeBehind:
		return nil, jitsuin.Errorf(jitsuin.Conflict, CodeBehind, "the sender is behind what was read from it")
	case "":
		return nil, unreachable(fmt.Errorf("the answer has status %d", resp.StatusCode))
	default:
		return nil, jitsuin.Errorf(jitsuin.Unavailable, code, "the sender answers %s (status %d)", code, resp.StatusCode)
	}
}

func unreachable(err error) error {
	return jitsuin.Errorf(jitsuin.Unavailable, "feed-unreachable", "the sender cannot be read: %w", err)
}

// events reads what comes after from and verifies it. Beside an error it gives the events before
// the place where it happened; they are good.
func (c *SourceConfig) events(ctx context.Context, from cursor, wait time.Duration) (good []Event, err error) {
	ctx, cancel := context.WithTimeout(ctx, wait+requestTimeout)
	defer cancel()
	query := url.Values{"limit": {strconv.Itoa(c.Limit)}, "wait": {wait.String()}}
	if from.Position != (jitsuin.Position{}) {
		query.Set("after", from.String())
	}
	resp, err := c.get(ctx, "", query)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := c.checkHead(resp.Header.Get("Feed-Head"), from); err != nil {
		return nil, err
	}
	in := newLines(resp.Body)
	for at := from; len(good) < c.Limit; {
		line, err := in.next()
		if err == io.EOF {
			return good, nil
		}
		if err != nil {
			return good, err
		}
		e, err := parseEvent(line)
		if err != nil {
			return good, jitsuin.Errorf(jitsuin.Conflict, CodeMalformed, "after %s: %w", at.Position, err)
		}
		after, repeated, err := at.next(e)
		if err != nil {
			return good, err
		}
		if !repeated {
			good, at = append(good, e), after
		}
	}
	return good, nil
}

// checkHead compares the sender's own word on where it stands with the cursor.
func (c *SourceConfig) checkHead(text string, from cursor) error {
	head, err := jitsuin.ParsePosition(text)
	if err != nil || text == "" {
		return unreachable(errors.New("the answer has no Feed-Head"))
	}
	if c.told != nil {
		c.told(head)
	}
	switch {
	case head.Epoch > from.Epoch && from.Epoch != 0:
		return errNewEpoch
	case head.Compare(from.Position) < 0:
		return jitsuin.Errorf(jitsuin.Conflict, CodeBehind, "the sender stands at %s, %s was read from it before", head, from.Position)
	}
	return nil
}

// lines reads lines of limited length. A last line without an end was cut on its way.
type lines struct {
	in   *bufio.Reader
	long []byte // the line, where it does not fit the buffer
}

func newLines(r io.Reader) *lines { return &lines{in: bufio.NewReaderSize(r, 16<<10)} }

// next gives a line, which stays valid until the next call.
func (l *lines) next() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = append(l.long[:0], line...)
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = l.in.ReadSlice('\n')
			if l.long = append(l.long, line...); len(l.long) > maxLine {
				return nil, jitsuin.Errorf(jitsuin.Conflict, CodeMalformed, "a line is longer than %d bytes", maxLine)
			}
		}
		line = l.long
	}
	switch {
	case err == nil:
		return line, nil
	case err == io.EOF && len(line) == 0:
		return nil, io.EOF
	}
	return nil, unreachable(fmt.Errorf("the answer was cut: %w", err))
}

// spooled is a verified snapshot in a temporary file.
type spooled struct {
	head signedHead
	file *os.File
}

func (s *spooled) close() error {
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}

// events gives the snapshot's events in chunks.
func (s *spooled) events(chunk int, do func([]Event) error) error {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the snapshot again: %w", err)
	}
	in := newLines(s.file)
	events := make([]Event, 0, chunk)
	for left := s.head.Count; left > 0; left-- {
		line, err := in.next()
		if err != nil {
			return fmt.Errorf("read the snapshot again: %w", err)
		}
		e, err := parseEvent(line)
		if err != nil {
			return invalidSnapshot(err)
		}
		if events = append(events, e); len(events) == chunk || left == 1 {
			if err := do(events); err != nil {
				return err
			}
			events = events[:0]
		}
	}
	return nil
}

func invalidSnapshot(err error) error {
	return jitsuin.Errorf(jitsuin.Conflict, CodeSnapshot, "the snapshot: %w", err)
}

// snapshot reads the snapshot into a file and verifies its last line over the others.
func (c *SourceConfig) snapshot(ctx context.Context) (*spooled, error) {
	resp, err := c.get(ctx, "/snapshot", nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	file, err := os.CreateTemp("", "jitsuin-snapshot-")
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "feed-spool", "keep the snapshot: %w", err)
	}
	s := &spooled{file: file}
	if s.head, err = c.spool(resp.Body, file); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (c *SourceConfig) spool(body io.Reader, file io.Writer) (head signedHead, err error) {
	in, out, digest := newLines(io.LimitReader(body, c.MaxSnapshot)), bufio.NewWriter(file), sha256.New()
	for count := uint64(0); ; count++ {
		line, err := in.next()
		if err == io.EOF {
			return head, unreachable(errors.New("the snapshot was cut"))
		}
		if err != nil {
			return head, err
		}
		var last trailer
		if bytes.HasPrefix(line, []byte(`{"snapshot":`)) && json.Unmarshal(line, &last) == nil {
			head, err = verifyHead(last.Snapshot, "snapshot", c.Topic, c.Keys)
			if err != nil {
				return head, invalidSnapshot(err)
			}
			if head.Digest == nil || *head.Digest != Hash(digest.Sum(nil)) || head.Count != count {
				return head, invalidSnapshot(errors.New("the signature is for other lines"))
			}
			return head, out.Flush()
		}
		digest.Write(line)
		if _, err := out.Write(line); err != nil {
			return head, jitsuin.Errorf(jitsuin.Unavailable, "feed-spool", "keep the snapshot: %w", err)
		}
	}
}
