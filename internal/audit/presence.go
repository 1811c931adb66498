package audit

import (
	"slices"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
)

// A running actor says so in its log: when it starts, once an hour, and when it ends. So it can be told of
// every hour whether the log would have a line of it had something happened. The hours are counted by the
// machine's clock; where civil time was moved, the line's offset says so.
const (
	ActStarted = "log-started"
	ActHour    = "log-hour"
	ActStopped = "log-stopped"

	// PresenceEvery is how often a running actor says that it runs.
	PresenceEvery = time.Hour
	// presenceLate is how late such a line may come before it counts as silence.
	presenceLate = 5 * time.Minute

	detailOffset = "offset_us" // how far civil time is ahead of wall time
	detailHead   = "head"      // the signed head of the log before this line
)

// Present is the line with which an actor says that it runs. run is an id drawn at its start, offset how far
// civil time is ahead, head the signed head of the log as it is now.
func Present(act, who, run string, offset time.Duration, head string) Line {
	return Line{Who: who, Act: act, Subject: run,
		Detail: map[string]string{detailOffset: strconv.FormatInt(offset.Microseconds(), 10), detailHead: head}}
}

// presence is such a line as it is read.
type presence struct {
	act, run string
	at       time.Time // civil
	offset   time.Duration
	position jitsuin.Position
}

func (p presence) wall() time.Time { return p.at.Add(-p.offset) }

// isPresence tells whether a line says that its actor runs.
func (l Line) isPresence() bool {
	return l.Act == ActStarted || l.Act == ActHour || l.Act == ActStopped
}

// Span is a stretch of civil time.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Gap is a stretch of civil time of which the log cannot say that nothing happened.
type Gap struct {
	Span
	// Stopped says that the actor had ended as it should and so did not run; else it fell silent, or its lines are gone.
	Stopped bool `json:"stopped"`
	// After is the last line with which the actor said that it runs, Before the next one; empty where there is none.
	After  jitsuin.Position `json:"after,omitzero"`
	Before jitsuin.Position `json:"before,omitzero"`
}

// coverage collects of which time a log has something to say.
type coverage struct {
	last  map[string]presence // of each run
	spans []Span              // by their beginnings, nearly
	words []presence          // where a run began or ended, or fell silent: they explain gaps
}

func newCoverage() *coverage { return &coverage{last: map[string]presence{}} }

func (c *coverage) add(p presence) {
	before, known := c.last[p.run]
	if known && p.wall().Sub(before.wall()) <= PresenceEvery+presenceLate {
		c.cover(Span{before.at, p.at})
	} else {
		if known {
			c.words = append(c.words, before)
		}
		c.words = append(c.words, p)
		c.cover(Span{p.at, p.at})
	}
	if p.act == ActStopped {
		c.words = append(c.words, p)
		delete(c.last, p.run)
		return
	}
	c.last[p.run] = p
}

// until says that the actor was there at an instant, for the runs that have not ended.
func (c *coverage) until(at time.Time, offset time.Duration) {
	for _, p := range c.last {
		if now := at.Add(-offset); !at.Before(p.at) && now.Sub(p.wall()) <= PresenceEvery+presenceLate {
			c.cover(Span{p.at, at})
		}
	}
}

func (c *coverage) cover(s Span) {
	if n := len(c.spans); n > 0 && !s.From.Before(c.spans[n-1].From) && !s.From.After(c.spans[n-1].To) {
		if s.To.After(c.spans[n-1].To) {
			c.spans[n-1].To = s.To
		}
		return
	}
	c.spans = append(c.spans, s)
}

// gaps gives what of a period is not covered.
func (c *coverage) gaps(period Span) []Gap {
	spans := slices.Clone(c.spans)
	slices.SortFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	var gaps []Gap
	at := period.From
	for _, s := range spans {
		if !s.From.Before(period.To) {
			break
		}
		if s.From.After(at) {
			gaps = append(gaps, c.gap(Span{at, s.From}))
		}
		if s.To.After(at) {
			at = s.To
		}
	}
	if at.Before(period.To) {
		gaps = append(gaps, c.gap(Span{at, period.To}))
	}
	return gaps
}

// gap explains a stretch by the lines around it.
func (c *coverage) gap(s Span) Gap {
	g := Gap{Span: s}
	words := slices.Clone(c.words)
	for _, p := range c.last {
		words = append(words, p)
	}
	var after, before presence
	for _, w := range words {
		if !w.at.After(s.From) && !w.at.Before(after.at) && w.position.Compare(after.position) >= 0 {
			after = w
		}
		if !w.at.Before(s.To) && (before.at.IsZero() || w.position.Compare(before.position) < 0) {
			before = w
		}
	}
	g.After, g.Before, g.Stopped = after.position, before.position, after.act == ActStopped
	return g
}
