package audit

import (
	"fmt"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
)

// What can be wrong with a log.
const (
	FaultChanged   = "changed"    // the line cannot be read, or does not have the hash that it states
	FaultMissing   = "missing"    // the lines from At to Until are not there
	FaultInserted  = "inserted"   // a line stands where another one should, or a second time
	FaultUnchained = "unchained"  // the line does not continue the one before
	FaultNoLine    = "no-line"    // it is no line of an operation log, or its words were erased
	FaultRewritten = "rewritten"  // what was signed says that another line stood at Until
	FaultCut       = "cut"        // the log ends, and was longer: up to Until
	FaultUnsigned  = "unsigned"   // the end of the log is not signed
	FaultSignature = "signature"  // a signature is not genuine
	FaultManifest  = "manifest"   // of a pack: its list of files is not genuine, or a file is not as listed
	FaultUnread    = "unreadable" // the log cannot be read at all
)

// Fault is the first bad entry of a log.
type Fault struct {
	Code string `json:"code"`
	// At is the first entry that is bad: what comes before is whole in itself. Until is the last one, where it is more than one.
	At    jitsuin.Position `json:"at"`
	Until jitsuin.Position `json:"until,omitzero"`
	// Sure is up to where something that was signed says the same as the log. Between there and At somebody who has
	// no key could have made the log anew.
	Sure jitsuin.Position `json:"sure,omitzero"`
	// File is where it stands, of a pack.
	File string `json:"file,omitempty"`
	What string `json:"what"`
}

// Error says it in one sentence.
func (f *Fault) Error() string {
	where := f.At.String()
	if !isZero(f.Until) {
		where += " to " + f.Until.String()
	}
	if f.File != "" {
		where = f.File + ", " + where
	}
	return fmt.Sprintf("%s (%s): %s", where, f.Code, f.What)
}

func isZero(p jitsuin.Position) bool { return p == jitsuin.Position{} }

// NewEpoch is a place where a log begins a new epoch: its database was put back from a copy.
type NewEpoch struct {
	After jitsuin.Position `json:"after"` // the last line that the copy had
	At    jitsuin.Position `json:"at"`    // the first line since
	// Lost is how many lines at least are lost between them, and LostUntil the last of them that is known of.
	Lost      uint64           `json:"lost"`
	LostUntil jitsuin.Position `json:"lost_until,omitzero"`
}

// Report is what came of checking a log.
type Report struct {
	Verifier string `json:"verifier"`
	Lines    uint64 `json:"lines"`
	First    Place  `json:"first"`
	Last     Place  `json:"last"`
	// Since and Latest are when the first and last line were recorded, civil time.
	Since  time.Time `json:"since,omitzero"`
	Latest time.Time `json:"latest,omitzero"`
	// Fault is the first bad entry; nil where the log is whole.
	Fault *Fault `json:"fault,omitempty"`
	// Witnessed and Signed are up to where a witness, and signed heads of the actor itself, say the same as the log.
	Witnessed jitsuin.Position `json:"witnessed,omitzero"`
	Signed    jitsuin.Position `json:"signed,omitzero"`
	// Statements are how many of a witness were looked at; StatementsMissing the numbers of which there is none.
	Statements        int         `json:"statements"`
	StatementsMissing []uint64    `json:"statements_missing,omitempty"`
	Findings          []Statement `json:"findings,omitempty"` // what the witness saw besides a log that grows
	Epochs            []NewEpoch  `json:"epochs,omitempty"`
	Gaps              []Gap       `json:"gaps,omitempty"`
	// Waiting are lines of the database that have no number yet.
	Waiting int `json:"waiting,omitempty"`
}

// Incomplete tells that something is missing although no entry is bad: lines that were lost by a restore, or
// time in which the actor fell silent.
func (r Report) Incomplete() bool {
	for _, e := range r.Epochs {
		if e.Lost > 0 {
			return true
		}
	}
	for _, g := range r.Gaps {
		if !g.Stopped {
			return true
		}
	}
	return len(r.StatementsMissing) > 0
}

// Expect is what is known of a log besides the log itself.
type Expect struct {
	Verifier string // the instance whose log it is
	Keys     Keys   // of the verifier and its witnesses
	// Statements are a witness's, compact JWS, in any order.
	Statements []string
	// Reached are places that were given out: the log must have them, or have begun a new epoch since.
	Reached []feed.Mark
	// Slice says that the log may begin in the middle.
	Slice bool
	// Period is the civil time of which gaps are looked for; where it is zero, from the first line that says
	// that the actor runs to the last. Made is when a slice was made, with the offset of civil time at that instant.
	Period Span
	Made   time.Time
	Offset time.Duration
}

// remembered is how many lines back a signed head in a line may point and still be compared.
const remembered = 8192

// Check reads a log line by line. It stops at the first bad entry.
type Check struct {
	expect     Expect
	report     Report
	statements map[jitsuin.Position][]Statement
	last       feed.Mark
	begun      bool
	ring       map[jitsuin.Position]feed.Hash
	order      []jitsuin.Position // of ring, the oldest first
	cover      *coverage
	firstWord  time.Time
	lastWord   time.Time
}

// NewCheck begins to check a log.
func NewCheck(e Expect) *Check {
	c := &Check{expect: e, report: Report{Verifier: e.Verifier}, statements: map[jitsuin.Position][]Statement{},
		ring: map[jitsuin.Position]feed.Hash{}, cover: newCoverage()}
	c.readStatements()
	return c
}

// Line takes the next line, without its line end. It gives false once an entry was bad.
func (c *Check) Line(line []byte) bool {
	if c.report.Fault != nil {
		return false
	}
	e, exact, err := feed.ParseLine(line)
	switch {
	case err != nil:
		return c.bad(FaultChanged, c.next(), "it is not what was recorded: %v", err)
	case !exact:
		return c.bad(FaultChanged, c.next(), "the line is written otherwise than a log writes it")
	case !c.place(e):
		return false
	}
	return c.take(e)
}

// next is where the next line should stand.
func (c *Check) next() jitsuin.Position {
	if !c.begun {
		return jitsuin.Position{Epoch: 1, N: 1}
	}
	return jitsuin.Position{Epoch: c.last.Epoch, N: c.last.N + 1}
}

func (c *Check) bad(code string, at jitsuin.Position, format string, args ...any) bool {
	if c.report.Fault == nil {
		c.report.Fault = &Fault{Code: code, At: at, What: fmt.Sprintf(format, args...), Sure: c.report.Witnessed}
		if c.report.Signed.Compare(c.report.Witnessed) > 0 {
			c.report.Fault.Sure = c.report.Signed
		}
	}
	return false
}

// place looks whether e belongs here.
func (c *Check) place(e feed.Event) bool {
	at := e.Position()
	if !c.begun {
		return c.placeFirst(e)
	}
	want := c.next()
	switch {
	case e.Epoch == c.last.Epoch && e.N > want.N:
		c.bad(FaultMissing, want, "after %s comes %s", c.last.Position, at)
		c.report.Fault.Until = jitsuin.Position{Epoch: at.Epoch, N: at.N - 1}
		return false
	case at.Compare(c.last.Position) <= 0:
		return c.bad(FaultInserted, want, "line %s stands after %s", at, c.last.Position)
	case e.Epoch > c.last.Epoch && e.N != 1:
		c.bad(FaultMissing, jitsuin.Position{Epoch: e.Epoch, N: 1}, "epoch %d begins with %s", e.Epoch, at)
		c.report.Fault.Until = jitsuin.Position{Epoch: at.Epoch, N: at.N - 1}
		return false
	case e.Prev != c.last.Hash:
		return c.bad(FaultUnchained, at, "line %s does not continue line %s", at, c.last.Position)
	case e.Epoch > c.last.Epoch:
		c.report.Epochs = append(c.report.Epochs, NewEpoch{After: c.last.Position, At: at})
		return c.compare(jitsuin.Position{Epoch: e.Epoch}, e.Prev)
	}
	return true
}

func (c *Check) placeFirst(e feed.Event) bool {
	at := e.Position()
	switch {
	case at.N == 0 || at.Epoch == 0:
		return c.bad(FaultChanged, c.next(), "a line has the position %s", at)
	case !c.expect.Slice && at.N != 1:
		c.bad(FaultMissing, jitsuin.Position{Epoch: at.Epoch, N: 1}, "the log begins with line %s", at)
		c.report.Fault.Until = jitsuin.Position{Epoch: at.Epoch, N: at.N - 1}
		return false
	case !c.expect.Slice && !e.Prev.IsZero():
		return c.bad(FaultMissing, at, "line %s continues a line that is not there", at)
	}
	before := jitsuin.Position{Epoch: at.Epoch, N: at.N - 1}
	c.begun, c.last = true, feed.Mark{Position: before, Hash: e.Prev}
	c.remember(c.last)
	c.report.First = PlaceOf(feed.Mark{Position: at, Hash: e.Hash})
	c.report.Since = e.RecordedAt
	if at.N == 1 {
		return true
	}
	return c.compare(before, e.Prev)
}

// take reads a line that stands where it should.
func (c *Check) take(e feed.Event) bool {
	var l Line
	at := e.Position()
	switch {
	case e.IsErased():
		return c.bad(FaultNoLine, at, "the words of the line are gone; lines of an operation log are never erased")
	case e.Type != TypeLine:
		return c.bad(FaultNoLine, at, "a line of the type %q", e.Type)
	}
	if err := e.Decode(&l); err != nil || l.Who == "" || l.Act == "" || l.Subject == "" {
		return c.bad(FaultNoLine, at, "the line does not say who did what to what")
	}
	if l.isPresence() && !c.present(e, l) {
		return false
	}
	c.last = feed.Mark{Position: at, Hash: e.Hash}
	c.remember(c.last)
	c.report.Lines++
	c.report.Last, c.report.Latest = PlaceOf(c.last), e.RecordedAt
	return c.compare(at, e.Hash)
}

func (c *Check) remember(m feed.Mark) {
	c.ring[m.Position] = m.Hash
	if c.order = append(c.order, m.Position); len(c.order) > 2*remembered {
		for _, p := range c.order[:remembered] {
			delete(c.ring, p)
		}
		c.order = append(c.order[:0:0], c.order[remembered:]...)
	}
}

// compare holds a line to what witnesses say of its place.
func (c *Check) compare(at jitsuin.Position, hash feed.Hash) bool {
	for _, s := range c.statements[at] {
		if s.Seen.Hash != hash {
			return c.rewritten(c.report.Witnessed, at, "the witness %s saw another line there (statement %d)", s.Witness, s.Number)
		}
		if at.N > 0 {
			c.report.Witnessed = at
		}
	}
	return true
}

// rewritten says that something signed knows another line at a place: between what the same confirmed last and there,
// lines are others.
func (c *Check) rewritten(confirmed, at jitsuin.Position, format string, args ...any) bool {
	first := jitsuin.Position{Epoch: at.Epoch, N: 1}
	if confirmed.Epoch == at.Epoch {
		first.N = min(confirmed.N+1, at.N)
	}
	if first.Epoch == c.report.First.Epoch {
		first.N = max(first.N, c.report.First.N)
	}
	c.bad(FaultRewritten, first, format, args...)
	if first != at {
		c.report.Fault.Until = at
	}
	return false
}

// present reads a line that says that the actor runs, and the signed head in it.
func (c *Check) present(e feed.Event, l Line) bool {
	at := e.Position()
	micros, err := strconv.ParseInt(l.Detail[detailOffset], 10, 64)
	if err != nil {
		return c.bad(FaultNoLine, at, "a line that says that the actor runs names no offset of civil time")
	}
	p := presence{l.Act, l.Subject, e.RecordedAt, time.Duration(micros) * time.Microsecond, at}
	head, _, err := feed.VerifyHead(l.Detail[detailHead], Topic, c.expect.Keys.of(c.expect.Verifier))
	if err != nil {
		return c.bad(FaultSignature, at, "the signed head in the line: %v", err)
	}
	before, known := c.cover.last[p.run]
	switch hash, there := c.ring[head.Position]; {
	case head.Compare(at) >= 0:
		return c.rewritten(c.report.Signed, at, "the line bears a signed head of %s, which comes later: lines before it are gone", head.Position)
	case there && head.N > 0 && hash != head.Hash:
		return c.rewritten(c.report.Signed, head.Position, "the actor signed another line at %s", head.Position)
	case l.Act == ActHour && known && head.Compare(before.position) < 0:
		return c.rewritten(c.report.Signed, at, "the line bears a signed head of %s, from before the last line of its kind", head.Position)
	case there && head.N > 0:
		c.report.Signed = head.Position
	}
	c.cover.add(p)
	if c.firstWord.IsZero() {
		c.firstWord = p.at
	}
	c.lastWord = p.at
	return true
}
