package feed

import (
	"bytes"
	"crypto/ecdsa"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
)

// mangler changes answers on their way; nil leaves them alone.
type mangler struct {
	next   http.RoundTripper
	change func(path string, resp *http.Response, lines []string) []string
}

// RoundTrip passes the request on and changes the answer.
func (m *mangler) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(r)
	if err != nil || m.change == nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitAfter(string(text), "\n")
	changed := m.change(r.URL.Path, resp, lines[:len(lines)-1])
	resp.Body = io.NopCloser(bytes.NewBufferString(strings.Join(changed, "")))
	return resp, nil
}

// Each way in which a feed can be wrong stops the reader with its own alarm, after what was right
// has been applied; when the feed is right again, reading goes on from the cursor.
func TestAlarms(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(_ string, resp *http.Response, l []string) []string
		code    string
		applied int64
	}{
		"a line is missing":    {func(_ string, _ *http.Response, l []string) []string { return append(l[:1:1], l[2:]...) }, CodeGap, 1},
		"the first is missing": {func(_ string, _ *http.Response, l []string) []string { return l[1:] }, CodeGap, 0},
		"lines are swapped":    {func(_ string, _ *http.Response, l []string) []string { l[1], l[2] = l[2], l[1]; return l }, CodeGap, 1},
		"a body is changed": {func(_ string, _ *http.Response, l []string) []string {
			l[2] = strings.Replace(l[2], `"value":"`, `"value":"x`, 1)
			return l
		}, CodeMalformed, 2},
		"a line is no JSON": {func(_ string, _ *http.Response, l []string) []string { l[1] = "<html>\n"; return l }, CodeMalformed, 1},
		"a line has no end": {func(_ string, _ *http.Response, l []string) []string {
			return []string{l[0], strings.Repeat("x", maxLine+1)}
		}, CodeMalformed, 1},
		"the sender says it is behind": {func(_ string, resp *http.Response, l []string) []string {
			resp.Header.Set("Feed-Head", "1.3")
			return nil
		}, CodeBehind, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
			via := &mangler{next: s}
			r := newReader(t, openDB(t, "sqlite::memory:"), via)
			s.must("before", "1", "before", "2", "before", "3", "before", "4")
			r.mustPoll()
			s.must("a", "1", "b", "1", "c", "1", "d", "1")
			via.change = c.change
			err := r.f.Run(t.Context())
			wantAlarm(t, err, c.code)
			at := jitsuin.Position{Epoch: 1, N: uint64(4 + c.applied)}
			if h := r.f.Health(); h.Alarm == nil || h.Err() == nil || h.Cursor != at {
				t.Errorf("health %+v, want the cursor at %s", h, at)
			}
			if n := number(t, r.db, `SELECT COUNT(*) FROM effects WHERE n > 4`); n != c.applied {
				t.Errorf("%d events were applied, want %d", n, c.applied)
			}
			via.change = nil
			r.mustPoll()
			wantState(t, r, "before", "4", "a", "1", "b", "1", "c", "1", "d", "1")
			if r.f.Health().Err() != nil {
				t.Error(r.f.Health().Err())
			}
		})
	}
}

// A sender that has other events under the same numbers is found out, whether the reader stands
// before, at or after the place.
func TestRewrittenHistory(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	other := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	via := &mangler{next: s}
	r := newReader(t, openDB(t, "sqlite::memory:"), via)
	s.must("a", "1", "b", "1")
	other.must("a", "1", "b", "other", "c", "1")
	r.mustPoll()
	via.next = other
	wantAlarm(t, r.poll(), CodeChanged) // event 3 does not continue event 2
	via.change = func(_ string, resp *http.Response, _ []string) []string {
		return strings.SplitAfter(body(t, get(t, other, "/feeds/changes?after=1.1&limit=1")), "\n")
	}
	wantAlarm(t, r.poll(), CodeChanged) // event 2 again, another one
	wantState(t, r, "a", "1", "b", "1")
}

// Half answers are no alarm: what came whole is applied, the rest is asked for again.
func TestCutAnswers(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	whole := body(t, get(t, func() *sender { s.must("a", "1", "b", "1", "a", "2", "c", "1"); return s }(), "/feeds/changes"))
	for at := 0; at <= len(whole); at += 7 {
		via := &mangler{next: s, change: func(_ string, _ *http.Response, l []string) []string {
			return []string{strings.Join(l, "")[:min(at, len(strings.Join(l, "")))]}
		}}
		r := newReader(t, openDB(t, "sqlite::memory:"), via)
		err := r.poll()
		complete := strings.Count(whole[:at], "\n")
		if cut := at > 0 && whole[at-1] != '\n'; cut != (jitsuin.KindOf(err) == jitsuin.Unavailable && err != nil) {
			t.Fatalf("cut at %d: %v", at, err)
		}
		if n := number(t, r.db, `SELECT COUNT(*) FROM effects`); n != int64(complete) {
			t.Fatalf("cut at %d: %d applied, want %d", at, n, complete)
		}
		via.change = nil
		r.mustPoll()
		wantState(t, r, "a", "2", "b", "1", "c", "1")
	}
}

// A snapshot that was tampered with, cut, or signed for something else changes nothing.
func TestSnapshotMustBeSigned(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	s.must("a", "1", "b", "1")
	r := newReader(t, openDB(t, "sqlite::memory:"), s)
	r.mustPoll()
	older := body(t, get(t, s, "/feeds/changes?limit=1"))
	if _, err := s.seq.NewEpoch(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	s.must("a", "2")
	other := body(t, get(t, s, "/feeds/other/snapshot"))
	head := body(t, get(t, s, "/feeds/changes/head"))
	for name, c := range map[string]struct {
		change func(l []string) []string
		code   string
	}{
		"changed":                {func(l []string) []string { l[0] = strings.Replace(l[0], `"2"`, `"3"`, 1); return l }, CodeSnapshot},
		"shorter":                {func(l []string) []string { return l[1:] }, CodeSnapshot},
		"twice":                  {func(l []string) []string { return append(l[:1:1], l...) }, CodeSnapshot},
		"another's":              {func(l []string) []string { return []string{other} }, CodeSnapshot},
		"only a head":            {func(l []string) []string { return append(l[:2:2], fmt.Sprintf("{\"snapshot\":%q}\n", head)) }, CodeSnapshot},
		"unsigned":               {func(l []string) []string { return l[:2] }, "feed-unreachable"},
		"an older event instead": {func(l []string) []string { l[0] = older; return l }, CodeSnapshot},
		"cut":                    {func(l []string) []string { l[2] = l[2][:50]; return l }, "feed-unreachable"},
	} {
		via := &mangler{next: s, change: func(path string, _ *http.Response, l []string) []string {
			if strings.HasSuffix(path, "/snapshot") {
				return c.change(l)
			}
			return l
		}}
		r.f.cfg.HTTP = &http.Client{Transport: via}
		err := r.poll()
		if jitsuin.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
		wantState(t, r, "a", "1", "b", "1")
	}
	r.f.cfg.HTTP = &http.Client{Transport: s}
	r.f.cfg.Keys = func(string) (*ecdsa.PublicKey, error) { return &mustKey(t).PublicKey, nil }
	wantAlarm(t, r.poll(), CodeSnapshot)
	wantState(t, r, "a", "1", "b", "1")
	r.f.cfg.Keys = pinned
	r.mustPoll()
	wantState(t, r, "a", "2", "b", "1")
	if n := number(t, r.db, `SELECT COALESCE(MAX(times), 0) FROM effects`); n != 1 {
		t.Error("an event that the snapshot repeats had its effect again")
	}
}

// Two processes of one actor read the same feed: each batch is applied by one of them.
func TestTwoFollowersOnOneDatabase(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	a := newReader(t, openDB(t, "sqlite::memory:"), s)
	b := newReader(t, a.db, s)
	s.must("a", "1", "b", "1")
	a.f.cfg.HTTP = &http.Client{Transport: &mangler{next: s, change: func(_ string, _ *http.Response, l []string) []string {
		b.mustPoll() // b is faster
		return l
	}}}
	if err := a.poll(); jitsuin.CodeOf(err) != "feed-moved" {
		t.Errorf("got %v", err)
	}
	a.f.cfg.HTTP = b.f.cfg.HTTP
	a.mustPoll()
	if n := number(t, a.db, `SELECT COUNT(*) FROM effects WHERE times = 1`); n != 2 {
		t.Errorf("%d of 2 events had their effect once", n)
	}
}
