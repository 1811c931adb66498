package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/audit/pack"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/rules"
)

// PackOptions say what an audit pack is made of. All are needed.
type PackOptions struct {
	// Config is the platform's, resolved. Its key signs, its application's documents go in.
	Config Config
	// DB is the platform's database, which may be one that is only open for reading.
	DB *store.DB
	// Period is civil time, the end not included.
	Period audit.Span
	// Wall is the time of the machine's clock at which the pack is said to be made.
	Wall time.Time
}

// packing is a pack while it is made.
type packing struct {
	PackOptions
	*pack.Writer
	today   jitsuin.Date
	folders map[string]string // by criterion
	lines   map[string][]packedLine
}

// packedLine is a line of the operation log in one of the folders: EPOCH.N leads to it in the log itself.
type packedLine struct {
	At         string    `json:"at"`
	RecordedAt time.Time `json:"recorded_at"`
	audit.Line
}

// WritePack writes the audit pack of a period: one folder per accreditation criterion, with the evidence that the
// platform itself has and the operator's documents, and a list of what is missing. It gives that list.
func WritePack(ctx context.Context, w io.Writer, o PackOptions) (pack.Manifest, error) {
	self, directory, err := o.Config.Identify()
	if err != nil {
		return pack.Manifest{}, err
	}
	raw, err := os.ReadFile(o.Config.Directory)
	if err != nil {
		return pack.Manifest{}, err
	}
	offset, err := actor.StoredOffset(ctx, o.DB, o.Config.ClockOffset)
	if err != nil {
		return pack.Manifest{}, err
	}
	made := o.Wall.Add(offset).Truncate(time.Microsecond)
	if !o.Period.From.Before(made) {
		return pack.Manifest{}, jitsuin.Errorf(jitsuin.Invalid, "period-future", "the period has not begun yet: it is %s", made.Format(time.RFC3339)).At("from")
	}
	p := &packing{PackOptions: o, today: jitsuin.DateOf(made), folders: map[string]string{}, lines: map[string][]packedLine{}}
	m := pack.Manifest{Verifier: self.ID, Period: o.Period, MadeAt: made, OffsetMicros: offset.Microseconds()}
	for i, c := range rules.CriteriaOn(p.today) {
		p.folders[c.Key] = fmt.Sprintf("%02d-%s", i+1, c.Key)
		m.Criteria = append(m.Criteria, pack.Criterion{Key: c.Key, Folder: p.folders[c.Key], JA: c.Text.JA, EN: c.Text.EN})
	}
	m.Log = p.folders[rules.CriterionRecords]
	p.Writer = pack.NewWriter(w, m)
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return p.log(ctx, audit.DirectoryKeys(directory)) },
		p.intrusion, p.operators, p.audits, p.tenants, p.records, p.responsible, p.documents} {
		if err := step(ctx); err != nil {
			return p.Manifest, err
		}
	}
	err = p.Close(raw, func(typ string, payload []byte) (string, error) {
		return audit.SignPayload(typ, self.ID, self.Key, payload)
	})
	return p.Manifest, err
}

// log writes the slice of the operation log, the witness's statements on it, and what the log does not cover.
func (p *packing) log(ctx context.Context, keys audit.Keys) error {
	kept, err := p.statements(ctx)
	if err != nil {
		return err
	}
	slice := audit.Slice{Period: p.Period, Statements: kept}
	c := audit.NewCheck(audit.Expect{Verifier: p.Manifest.Verifier, Keys: keys, Statements: kept, Slice: true, Period: p.Period,
		Made: p.Manifest.MadeAt, Offset: time.Duration(p.Manifest.OffsetMicros) * time.Microsecond})
	var first, last *audit.Place
	err = p.Stream(p.Manifest.Log, pack.NameLog, "the lines of the period, as the feed gives them out", func(to io.Writer) error {
		return p.DB.View(ctx, func(tx *store.Tx) error {
			if first != nil {
				return errors.New("the log cannot be written twice")
			}
			return slice.Write(tx, func(line []byte) error {
				c.Line(line)
				e, _, err := feed.ParseLine(line)
				if err == nil {
					at := audit.PlaceOf(feed.Mark{Position: e.Position(), Hash: e.Hash})
					if last = &at; first == nil {
						first = &at
					}
					p.sort(e)
				}
				_, err = to.Write(append(line, '\n'))
				return err
			})
		})
	})
	if err != nil {
		return err
	}
	p.Manifest.First, p.Manifest.Last = first, last
	within := slice.Within(kept, keys)
	err = p.Stream(p.Manifest.Log, pack.NameStatements, "what the outside witness has stated on these lines", func(to io.Writer) error {
		for _, s := range within {
			if _, err := io.WriteString(to, s+"\n"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	report := c.End()
	p.Manifest.Gaps = append(p.Manifest.Gaps, report.Gaps...)
	if len(within) == 0 {
		p.Lack(rules.CriterionRecords, "statements of the outside witness", "none on these lines has come back to the platform yet")
	}
	if first == nil {
		p.Lack(rules.CriterionRecords, "the operation log", "there is no line of the period")
	}
	if report.Fault != nil {
		p.Lack(rules.CriterionRecords, "a whole operation log", report.Fault.Error())
	}
	return nil
}

// statements gives what the platform keeps of its witness.
func (p *packing) statements(ctx context.Context) (all []string, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error { all, err = Statements(tx); return err })
	return all, err
}

// Statements gives what the platform's database keeps of its witness's statements, in the order of their numbers.
func Statements(tx *store.Tx) ([]string, error) {
	return store.Collect(func(s store.Scanner) (jws string, err error) { return jws, s.Scan(&jws) })(
		tx.Query(`SELECT statement FROM witness_statements ORDER BY number, id`))
}

// sort puts a line of the period aside for the folders that show it.
func (p *packing) sort(e feed.Event) {
	var l audit.Line
	if e.RecordedAt.Before(p.Period.From) || !e.RecordedAt.Before(p.Period.To) || e.Decode(&l) != nil {
		return
	}
	packed := packedLine{At: e.Position().String(), RecordedAt: e.RecordedAt, Line: l}
	for _, criterion := range criteriaOf(l) {
		p.lines[criterion] = append(p.lines[criterion], packed)
	}
}

// addLines writes the lines that were put aside for a criterion.
func (p *packing) addLines(criterion, name, what string) error {
	return p.Stream(p.folders[criterion], name, what, func(to io.Writer) error {
		out := json.NewEncoder(to)
		out.SetEscapeHTML(false)
		for _, l := range p.lines[criterion] {
			if err := out.Encode(l); err != nil {
				return err
			}
		}
		return nil
	})
}
