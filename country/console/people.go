package console

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/cardface"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/holder"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// desk is where the console looks at residents and acts for them: as the clerk at each counter, as the
// resident with the card, and as the firm's customer. It is there only where the data folder is.
type desk struct {
	*Console
	sample    people.Country
	authority *authority
	counters  map[jitsuin.MunicipalityCode]town.Client
	acting    *actors
}

// newDesk opens the ways to everybody; nothing is sent yet.
func newDesk(c *Console) (*desk, error) {
	facts, err := c.folder.Facts()
	if err != nil {
		return nil, err
	}
	d := &desk{Console: c, sample: facts.Sample(), counters: map[jitsuin.MunicipalityCode]town.Client{}}
	if d.authority, err = newAuthority(c.folder, c.Clock.Now); err != nil {
		return nil, err
	}
	for _, m := range d.sample.Municipalities {
		r, err := c.folder.Remote(country.Counter(m.Code), country.Town(m.Code))
		if err != nil {
			return nil, err
		}
		d.counters[m.Code] = town.Client{Remote: r}
	}
	d.acting = newActors(d)
	return d, nil
}

func (d *desk) today() jitsuin.Date { return jitsuin.DateOf(d.Clock.Now()) }

// townOf gives a municipality by its code; ok is false for an unknown one.
func (d *desk) townOf(code jitsuin.MunicipalityCode) (people.Municipality, bool) {
	m, _, ok := d.sample.MunicipalityOf(code)
	return m, ok
}

// sampleOf gives what the sample knows of a resident besides the register: readings, relation, persona.
func (d *desk) sampleOf(subject jitsuin.ID) people.Resident {
	for _, r := range d.sample.Residents {
		if r.ID == subject {
			return r
		}
	}
	return people.Resident{}
}

// everyTown asks each municipality at the same time. The first error wins.
func everyTown[T any](ctx context.Context, d *desk, ask func(context.Context, jitsuin.MunicipalityCode, town.Client) (T, error)) (map[jitsuin.MunicipalityCode]T, error) {
	var (
		mu    sync.Mutex
		first error
		all   = map[jitsuin.MunicipalityCode]T{}
		asked sync.WaitGroup
	)
	for code, c := range d.counters {
		asked.Go(func() {
			got, err := ask(ctx, code, c)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && first == nil {
				first = err
			}
			all[code] = got
		})
	}
	asked.Wait()
	return all, first
}

// mostResidents is how many the console lists of one municipality.
const mostResidents = 500

// register gives everybody of the country, in the order of the sample and then by name: who is on a register
// now, and of the rest the record of those who have left and are entered nowhere.
func (d *desk) register(ctx context.Context) ([]town.Resident, error) {
	found, err := everyTown(ctx, d, func(ctx context.Context, _ jitsuin.MunicipalityCode, c town.Client) ([]town.Resident, error) {
		return c.Search(ctx, town.Query{Left: true, Limit: mostResidents})
	})
	if err != nil {
		return nil, err
	}
	best := map[jitsuin.ID]town.Resident{}
	for _, m := range d.sample.Municipalities {
		for _, r := range found[m.Code] {
			if had, ok := best[r.Subject]; !ok || had.State != jitsuin.Present && r.State == jitsuin.Present || r.State == jitsuin.Dead {
				best[r.Subject] = r
			}
		}
	}
	order := map[jitsuin.ID]int{}
	for i, r := range d.sample.Residents {
		order[r.ID] = i + 1
	}
	all := make([]town.Resident, 0, len(best))
	for _, r := range best {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b town.Resident) int {
		x, y := order[a.Subject], order[b.Subject]
		switch {
		case x != 0 && y != 0:
			return x - y
		case x != 0:
			return -1
		case y != 0:
			return 1
		}
		return strings.Compare(a.Items.Name+string(a.Subject), b.Items.Name+string(b.Subject))
	})
	return all, nil
}

// casesAt is a case of a counter and where.
type caseAt struct {
	Town jitsuin.MunicipalityCode
	town.Application
}

// changeAt is a change and who recorded it where.
type changeAt struct {
	Town jitsuin.MunicipalityCode
	town.RecordedChange
}

// person is all that the console knows of a resident. It has neither of the two numbers.
type person struct {
	town.Resident
	Sample       people.Resident
	Cases        []caseAt          // the newest first
	Changes      []changeAt        // the newest first
	Certificates []*Drawn          // with their standing, the newest first
	Card         *heldCard         // nil where the resident has none in hand
	Face         *cardface.Printed // what is printed on it; nil where no municipality handed one over
}

// heldCard is the card in a resident's hands.
type heldCard struct {
	ID      jitsuin.ID
	Expires jitsuin.Date // no date where no municipality tells
	Tries   map[jitsuin.CertKind]int
	Has     map[jitsuin.CertKind]bool // carries a certificate of the kind
	Err     error                     // why it could not be asked
}

// atTown is what one municipality knows of a person.
type atTown struct {
	record  *town.Resident
	cases   []town.Application
	changes []town.RecordedChange
}

// askTown asks one municipality. What it has recorded of a person comes first: where that is nothing, and the
// sample has the person elsewhere, nothing else is known there.
func (d *desk) askTown(ctx context.Context, code jitsuin.MunicipalityCode, c town.Client, subject jitsuin.ID) (at atTown, err error) {
	at.changes, err = c.Changes(ctx, subject)
	if err != nil || len(at.changes) == 0 && d.sampleOf(subject).Municipality != code {
		return at, err
	}
	r, err := c.Resident(ctx, subject)
	if jitsuin.KindOf(err) == jitsuin.NotFound {
		return at, nil
	}
	if err != nil {
		return at, err
	}
	at.record = &r
	at.cases, err = c.ApplicationsOf(ctx, subject)
	return at, err
}

// person gathers what is known of a resident; NotFound "resident-unknown" where no register has them.
// Whether their certificates are alive is asked now.
func (d *desk) person(ctx context.Context, subject jitsuin.ID) (*person, error) {
	found, err := everyTown(ctx, d, func(ctx context.Context, code jitsuin.MunicipalityCode, c town.Client) (atTown, error) {
		return d.askTown(ctx, code, c, subject)
	})
	if err != nil {
		return nil, err
	}
	p := &person{Sample: d.sampleOf(subject)}
	for code, at := range found {
		for _, c := range at.cases {
			p.Cases = append(p.Cases, caseAt{code, c})
		}
		for _, c := range at.changes {
			p.Changes = append(p.Changes, changeAt{code, c})
		}
	}
	slices.SortFunc(p.Cases, func(a, b caseAt) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	slices.SortFunc(p.Changes, func(a, b changeAt) int { return b.RecordedAt.Compare(a.RecordedAt) })
	known := d.latest(p, found)
	if known == nil {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "resident-unknown", "no register of this country has this person")
	}
	p.Resident = *known
	if p.Face, err = cardface.Of(d.sample, subject, knownOf(found)); err != nil {
		return nil, err
	}
	if err := d.certificatesOf(ctx, p); err != nil {
		return nil, err
	}
	p.Card = d.cardOf(ctx, p)
	return p, nil
}

// latest chooses the record that counts: of the municipality where the person is, or else where something
// was last recorded of them.
func (d *desk) latest(p *person, found map[jitsuin.MunicipalityCode]atTown) (known *town.Resident) {
	var towns []jitsuin.MunicipalityCode // where something was recorded last comes first
	for _, c := range p.Changes {
		towns = append(towns, c.Town)
	}
	for _, m := range d.sample.Municipalities {
		towns = append(towns, m.Code)
	}
	for _, code := range towns {
		switch r := found[code].record; {
		case r == nil:
		case r.State == jitsuin.Present:
			return r
		case known == nil:
			known = r
		}
	}
	return known
}

// certificatesOf draws every certificate that was issued to a person and asks what each is worth now.
func (d *desk) certificatesOf(ctx context.Context, p *person) error {
	for _, c := range p.Cases {
		for _, told := range c.Certificates {
			drawn, err := Draw(told.Certificate)
			if err != nil {
				return err
			}
			if drawn.Status, err = d.authority.standing(ctx, told.Kind, told.Certificate, &told); err != nil {
				return err
			}
			drawn.Link = "/certificates/" + drawn.ID
			p.Certificates = append(p.Certificates, drawn)
		}
	}
	slices.SortStableFunc(p.Certificates, func(a, b *Drawn) int {
		if c := strings.Compare(b.Kind, a.Kind); c != 0 { // sign before auth
			return c
		}
		return b.NotBefore.Compare(a.NotBefore)
	})
	return nil
}

// living gives the certificate of a kind that is alive, nil for none.
func (p *person) living(kind jitsuin.CertKind) *Drawn {
	for _, c := range p.Certificates {
		if c.Kind == string(kind) && c.Status.Alive() {
			return c
		}
	}
	return nil
}

// newest gives the certificate of a kind that was issued last, nil for none.
func (p *person) newest(kind jitsuin.CertKind) *Drawn {
	for _, c := range p.Certificates {
		if c.Kind == string(kind) {
			return c
		}
	}
	return nil
}

// openCase gives the case that is not closed, nil for none.
func (p *person) openCase() *caseAt {
	for i, c := range p.Cases {
		if c.State != town.Done && c.State != town.Refused {
			return &p.Cases[i]
		}
	}
	return nil
}

// cardID gives the card that was handed over last, "" for none.
func (p *person) cardID() jitsuin.ID {
	if p.Resident.Card != "" {
		return p.Resident.Card
	}
	for _, c := range p.Cases {
		if c.State == town.Done && c.Card != "" {
			return c.Card
		}
	}
	return ""
}

// cardOf asks the card in a person's hands about itself, as its holder does. It costs no try.
func (d *desk) cardOf(ctx context.Context, p *person) *heldCard {
	id := p.cardID()
	if id == "" {
		return nil
	}
	h := &heldCard{ID: id, Tries: map[jitsuin.CertKind]int{}, Has: map[jitsuin.CertKind]bool{}}
	for _, c := range p.Cases {
		if c.Card == id && !c.CardExpires.IsZero() {
			h.Expires = c.CardExpires
		}
	}
	h.Err = d.withCard(ctx, id, func(c *holder.Card) error {
		s, err := c.Status(ctx)
		for _, k := range s.Keys {
			h.Tries[k.Kind], h.Has[k.Kind] = k.TriesLeft, k.Certificate
		}
		return err
	})
	return h
}

// withCard opens a card as its holder does: through its socket, which is there only after the hand-over.
func (d *desk) withCard(ctx context.Context, id jitsuin.ID, use func(*holder.Card) error) error {
	c, err := holder.CardsIn(string(d.folder)).Open(ctx, string(id))
	if err != nil {
		return err
	}
	defer c.Close()
	return use(c)
}
