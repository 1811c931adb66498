package trace

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// mostCopied is how many bytes of a body are held while its exchange is under way.
	mostCopied = 256 << 10
	// mostKept is how many bytes of one body are remembered.
	mostKept = 64 << 10
	mostAPDU = 400 // commands of one use of a card
)

// Note is an exchange that is under way. A nil Note takes everything and keeps nothing.
type Note struct {
	r *Recorder

	mu        sync.Mutex // the card host writes from another goroutine
	entry     Entry
	in, out   copied
	inType    string
	feedBytes int
	done      bool
}

// copied are the first bytes of a body and its whole size.
type copied struct {
	bytes.Buffer
	size int64
}

func (c *copied) add(p []byte) {
	c.size += int64(len(p))
	if room := mostCopied - c.Len(); room > 0 {
		c.Write(p[:min(len(p), room)])
	}
}

type noteKey struct{}

// Of gives the note of the request that is under way; nil where nothing is recorded.
func Of(ctx context.Context) *Note {
	n, _ := ctx.Value(noteKey{}).(*Note)
	return n
}

// Begin notes the beginning of an exchange; nil where r is nil. The request that it gives is to be
// served in the place of the one that came.
func (r *Recorder) Begin(req *http.Request, requestID string) (*Note, *http.Request) {
	if r == nil {
		return nil, req
	}
	n := r.Start(Entry{Method: req.Method, Path: RedactText(req.URL.Path), RequestID: requestID,
		Query: RedactQuery(req.URL.RawQuery), Browser: req.Header.Get("Sec-Fetch-Mode") != "" || strings.HasPrefix(req.UserAgent(), "Mozilla/")})
	n.inType = req.Header.Get("Content-Type")
	n.entry.Headers = keptHeaders(req.Header)
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &seenBody{req.Body, n}
	}
	return n, req.WithContext(context.WithValue(req.Context(), noteKey{}, n))
}

// Start notes the beginning of an exchange that is no HTTP request.
func (r *Recorder) Start(e Entry) *Note {
	if r == nil {
		return nil
	}
	e.Actor, e.At, e.Civil = r.actor, time.Now(), r.civil()
	return &Note{r: r, entry: e}
}

// keptHeaders are those that say something about the request and hold no secret.
func keptHeaders(h http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range []string{"Accept", "Accept-Language", "Content-Type", "Idempotency-Key", "User-Agent", "X-Request-Id", "Referer"} {
		if v := h.Get(name); v != "" {
			kept[name] = RedactText(v)
		}
	}
	for _, name := range []string{"Authorization", "Cookie"} {
		if h.Get(name) != "" {
			kept[name] = Mask
		}
	}
	if _, err := url.Parse(kept["Referer"]); err != nil || strings.Contains(kept["Referer"], "?") {
		kept["Referer"], _, _ = strings.Cut(kept["Referer"], "?")
	}
	return kept
}

type seenBody struct {
	io.ReadCloser
	note *Note
}

func (b *seenBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.note.mu.Lock()
	b.note.in.add(p[:n])
	b.note.mu.Unlock()
	return n, err
}

// Wrote notes a piece of the answer.
func (n *Note) Wrote(p []byte, contentType string) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if topic, ok := strings.CutPrefix(n.entry.Path, "/feeds/"); ok && !strings.Contains(topic, "/") && strings.HasPrefix(contentType, "application/x-ndjson") {
		n.out.size += int64(len(p))
		n.events(topic, p)
		return
	}
	n.out.add(p)
}

// events notes the events of a feed; a feed writes whole lines.
func (n *Note) events(topic string, lines []byte) {
	for line := range bytes.Lines(lines) {
		var e struct {
			Epoch   uint32          `json:"epoch"`
			N       uint64          `json:"n"`
			Type    string          `json:"type"`
			Subject string          `json:"subject"`
			Body    json.RawMessage `json:"body"`
		}
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		v := Event{Topic: topic, Position: fmt.Sprintf("%d.%d", e.Epoch, e.N), Type: e.Type, Subject: RedactText(e.Subject)}
		if n.feedBytes += len(e.Body); n.feedBytes <= mostCopied && len(e.Body) > 0 {
			v.Body, _, _ = RedactJSON(e.Body)
		}
		n.entry.Events = append(n.entry.Events, v)
	}
}

// Asks says who asks, where that is not known from an access token.
func (n *Note) Asks(caller string) {
	if n == nil {
		return
	}
	n.mu.Lock()
	n.entry.Caller = caller
	n.mu.Unlock()
}

// Holds says which card the exchange is about, and who has it.
func (n *Note) Holds(card, custodian string, lent bool) {
	if n == nil {
		return
	}
	n.mu.Lock()
	n.entry.Card = &Card{ID: card, Custodian: custodian, Lent: lent}
	n.mu.Unlock()
}

// APDU notes a command to the card that Holds named.
func (n *Note) APDU(a APDU) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if c := n.entry.Card; c != nil {
		if c.Count++; c.Count <= mostAPDU {
			c.Commands = append(c.Commands, a)
		}
	}
}

// End says how the exchange ended and gives its number; 0 for a nil Note. caller is who asked, as the
// access token proved it.
func (n *Note) End(route, caller, answerType string, status int, took time.Duration) Entry {
	if n == nil {
		return Entry{}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.done {
		return n.entry
	}
	n.done = true
	n.entry.Route, n.entry.Status, n.entry.Took = route, status, took.Microseconds()
	if caller != "" {
		n.entry.Caller = caller
	}
	if n.inType != "" || n.in.size > 0 {
		n.entry.Request = bodyOf(n.inType, &n.in)
	}
	if n.out.size > 0 {
		n.entry.Answer = bodyOf(answerType, &n.out)
	}
	n.in, n.out = copied{}, copied{}
	n.entry.Seq = n.r.add(n.entry)
	return n.entry
}

// bodyOf is what of a body is remembered.
func bodyOf(contentType string, c *copied) *Body {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = "application/octet-stream"
	}
	b := &Body{Type: kind, Size: c.size, Cut: c.size > int64(c.Len())}
	raw := c.Bytes()
	switch {
	case kind == "text/html", kind == "text/css", kind == "text/javascript", strings.HasPrefix(kind, "image/svg"):
		b.Cut = true // a page is looked at where it is
	case kind == "application/json", strings.HasSuffix(kind, "+json"):
		b.keepJSON(raw)
	case kind == "application/x-www-form-urlencoded":
		v, err := url.ParseQuery(string(raw))
		if err != nil || b.Cut {
			b.Cut = true
			break
		}
		form, cut := RedactForm(v)
		b.JSON, _ = json.Marshal(form)
		b.Cut = cut
	case strings.HasPrefix(kind, "text/"), kind == "application/jose", kind == "application/x-ndjson":
		b.keepText(raw)
	case b.Cut, len(raw) > mostKept:
		b.Cut = true
	default:
		b.Bytes = bytes.Clone(raw)
	}
	return b
}

// keepJSON keeps redacted JSON. What is too long to be read whole is not kept: what could not be
// understood could not be redacted.
func (b *Body) keepJSON(raw []byte) {
	if b.Cut {
		return
	}
	out, cut, ok := RedactJSON(raw)
	switch {
	case !ok, len(out) > mostKept:
		b.Cut = true
	default:
		b.JSON, b.Cut = out, cut
	}
}

func (b *Body) keepText(raw []byte) {
	if len(raw) > mostKept {
		raw, b.Cut = raw[:mostKept], true
	}
	b.Text = RedactText(strings.ToValidUTF8(string(raw), "?"))
}
