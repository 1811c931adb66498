package feed

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Tail reads a topic for somebody who watches over its chain and keeps no state of subjects: it verifies
// what it reads as a Follower does, and leaves it to its caller to remember the place and what a new epoch means.
type Tail struct{ cfg SourceConfig }

// NewTail makes a Tail.
func NewTail(cfg SourceConfig) (*Tail, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return &Tail{cfg}, nil
}

// IsNewEpoch tells of an error of Next that the sender is in a later epoch than the place asked for.
func IsNewEpoch(err error) bool { return errors.Is(err, errNewEpoch) }

// IsBroken tells of an error of Next that trying again does not mend: the sender no longer has what it
// gave out before, or gives out what does not continue it.
func IsBroken(err error) bool {
	switch jitsuin.CodeOf(err) {
	case CodeGap, CodeChanged, CodeMalformed, CodeBehind:
		return true
	}
	return false
}

// Next gives the events after a place and waits for the first at most wait. Beside an error it gives those
// that are good. A place N = 0 with a zero hash is the start of its epoch, of which it is not known what it continues:
// the first event's Prev tells.
func (t *Tail) Next(ctx context.Context, after Mark, wait time.Duration) (good []Event, err error) {
	from := cursor(after)
	if after.N > 0 || after.Epoch == 0 || !after.Hash.IsZero() {
		return t.cfg.events(ctx, from, wait)
	}
	ctx, cancel := context.WithTimeout(ctx, wait+requestTimeout)
	defer cancel()
	resp, err := t.cfg.get(ctx, "", url.Values{"limit": {"1"}, "wait": {wait.String()}, "after": {after.Position.String()}})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := t.cfg.checkHead(resp.Header.Get("Feed-Head"), from); err != nil {
		return nil, err
	}
	line, err := newLines(resp.Body).next()
	if err == io.EOF {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e, err := parseEvent(line)
	if err == nil && (e.Epoch != after.Epoch || e.N != 1) {
		err = errors.New("the first event of epoch " + strconv.FormatUint(uint64(after.Epoch), 10) + " is " + e.Position().String())
	}
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Conflict, CodeMalformed, "at the start of an epoch: %w", err)
	}
	return []Event{e}, nil
}

// Past gives, after a place of an earlier epoch, the events that the sender has of the epochs before the present one,
// as far as each is good and continues the one before. There are none where the sender has lost the place itself, or does not give out what is past.
func (t *Tail) Past(ctx context.Context, after Mark, present uint32) (good []Event, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	resp, err := t.cfg.get(ctx, "", url.Values{"past": {"true"}, "after": {after.Position.String()}})
	if IsNewEpoch(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	in := newLines(resp.Body)
	for at := after.Hash; len(good) < MaxLimit; {
		line, err := in.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return good, err
		}
		e, err := parseEvent(line)
		if err != nil || e.Epoch >= present || e.Prev != at {
			break
		}
		good, at = append(good, e), e.Hash
	}
	return good, nil
}

// Head asks for the signed head. It gives the place, and the signature as it came, which proves what the sender said.
func (t *Tail) Head(ctx context.Context) (at Mark, compact string, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	resp, err := t.cfg.get(ctx, "/head", nil)
	if err != nil {
		return at, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
	if err != nil {
		return at, "", unreachable(err)
	}
	at, _, err = VerifyHead(string(raw), t.cfg.Topic, t.cfg.Keys)
	return at, string(raw), err
}
