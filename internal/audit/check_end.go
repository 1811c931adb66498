package audit

import (
	"cmp"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
)

// maxMissing is how many numbers of missing statements are named.
const maxMissing = 100

// readStatements checks the statements themselves: each signed, on this log, each continuing the one before.
func (c *Check) readStatements() {
	byWitness := map[string][]Statement{}
	seen := map[string]bool{}
	for _, compact := range c.expect.Statements {
		if seen[compact] {
			continue
		}
		seen[compact] = true
		s, err := ReadStatement(compact, c.expect.Keys)
		if err == nil && s.Verifier != c.expect.Verifier {
			err = jitsuin.Errorf(jitsuin.Conflict, "statement", "a statement on the log of %s, not of %s", s.Verifier, c.expect.Verifier)
		}
		if err != nil {
			c.bad(FaultSignature, jitsuin.Position{}, "%v", err)
			return
		}
		c.report.Statements++
		byWitness[s.Witness] = append(byWitness[s.Witness], s)
		at := s.Seen.Position()
		c.statements[at] = append(c.statements[at], s)
	}
	for _, all := range byWitness {
		slices.SortFunc(all, func(a, b Statement) int { return cmp.Compare(a.Number, b.Number) })
		for i, s := range all {
			if s.Finding != "" {
				c.report.Findings = append(c.report.Findings, s)
			}
			if i == 0 {
				continue
			}
			for n := all[i-1].Number + 1; n < s.Number && len(c.report.StatementsMissing) < maxMissing; n++ {
				c.report.StatementsMissing = append(c.report.StatementsMissing, n)
			}
		}
	}
}

// End takes the end of the log, looks whether it was longer, and gives the report.
func (c *Check) End() Report {
	if c.report.Fault == nil {
		c.reached()
	}
	if c.report.Fault == nil {
		c.explainEpochs()
	}
	period := c.expect.Period
	if period == (Span{}) {
		period = Span{c.firstWord, c.lastWord}
	}
	if !c.expect.Made.IsZero() {
		c.cover.until(c.expect.Made, c.expect.Offset)
		if c.expect.Made.Before(period.To) {
			period.To = c.expect.Made
		}
	}
	if !period.From.IsZero() || !period.To.IsZero() {
		c.report.Gaps = c.cover.gaps(period)
	}
	return c.report
}

// reached looks at the places that are known to have been given out and were not come by.
func (c *Check) reached() {
	type claim struct {
		feed.Mark
		who string
	}
	var claims []claim
	for _, m := range c.expect.Reached {
		claims = append(claims, claim{m, "it was given out before"})
	}
	if !c.expect.Slice {
		for _, all := range c.statements {
			for _, s := range all {
				claims = append(claims, claim{s.Seen.Mark(), "the witness " + s.Witness + " saw it"})
			}
		}
	}
	slices.SortFunc(claims, func(a, b claim) int { return a.Compare(b.Position) })
	epoch := c.last.Epoch
	for _, m := range c.expect.Reached { // a new epoch that has no line yet
		if m.N == 0 && m.Epoch > epoch && c.begun && m.Hash == c.last.Hash {
			epoch = m.Epoch
			c.report.Epochs = append(c.report.Epochs, NewEpoch{After: c.last.Position, At: m.Position})
			break
		}
	}
	for _, m := range claims {
		switch {
		case m.Epoch < epoch && m.Compare(c.last.Position) > 0, m.Epoch < c.last.Epoch: // a new epoch explains it
		case m.Compare(c.last.Position) > 0 && m.N > 0:
			c.bad(FaultCut, c.next(), "the log ends with line %s, but was longer: %s", c.last.Position, m.who)
			c.report.Fault.Until = farthest(c, m.Position)
			return
		case m.N > 0:
			if hash, there := c.ring[m.Position]; there && !m.Hash.IsZero() && hash != m.Hash {
				c.rewritten(c.report.Witnessed, m.Position, "another line was given out there before")
				return
			}
		}
	}
}

// farthest gives the last place beyond the log's end that anything knows of.
func farthest(c *Check, at jitsuin.Position) jitsuin.Position {
	for p := range c.statements {
		if p.Compare(at) > 0 && !c.expect.Slice {
			at = p
		}
	}
	for _, m := range c.expect.Reached {
		if m.Compare(at) > 0 && m.N > 0 {
			at = m.Position
		}
	}
	return at
}

// explainEpochs says of each new epoch how much was lost between the copy and the loss, as far as anybody knows.
func (c *Check) explainEpochs() {
	for i := range c.report.Epochs {
		e := &c.report.Epochs[i]
		until := e.After
		for p := range c.statements {
			if p.Epoch == e.After.Epoch && p.Compare(until) > 0 {
				until = p
			}
		}
		for _, m := range c.expect.Reached {
			if m.Epoch == e.After.Epoch && m.Compare(until) > 0 {
				until = m.Position
			}
		}
		if until != e.After {
			e.Lost, e.LostUntil = until.N-e.After.N, until
		}
	}
}

// PeriodOf gives a period of civil days, both included.
func PeriodOf(from, to jitsuin.Date) Span {
	return Span{from.Start(), to.AddDays(1).Start()}
}

// Hours gives the beginnings of the hours that a stretch of time touches.
func (s Span) Hours() (all []time.Time) {
	for h := s.From.Truncate(time.Hour); h.Before(s.To); h = h.Add(time.Hour) {
		all = append(all, h)
	}
	return all
}
