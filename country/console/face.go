package console

import (
	"context"
	"encoding/base64"
	"html/template"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/country/cardface"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/web"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// facePages registers the pictures of cards, and the page that shows a number.
func (c *Console) facePages() {
	c.site.Handle(c.API, "GET /people/{subject}/card/front.svg", everybody, c.at((*desk).serveFront))
	c.site.Handle(c.API, "GET /people/{subject}/card/back.svg", everybody, c.at((*desk).serveBack))
	c.site.Handle(c.API, "POST /people/{subject}/number", everybody, c.at((*desk).showNumber))
}

// knownOf makes of what the towns said what a card's face is read from.
func knownOf(found map[jitsuin.MunicipalityCode]atTown) map[jitsuin.MunicipalityCode]cardface.Known {
	known := map[jitsuin.MunicipalityCode]cardface.Known{}
	for code, at := range found {
		known[code] = cardface.Known{Record: at.record, Cases: at.cases, Changes: at.changes}
	}
	return known
}

// printed gives the card of the person whom the path names; NotFound "card-none" where there is none.
func (d *desk) printed(r *http.Request) (*cardface.Printed, error) {
	subject, err := jitsuin.ParseID(r.PathValue("subject"))
	if err != nil {
		return nil, err
	}
	found, err := everyTown(r.Context(), d, func(ctx context.Context, code jitsuin.MunicipalityCode, c town.Client) (atTown, error) {
		return d.askTown(ctx, code, c, subject)
	})
	if err != nil {
		return nil, err
	}
	p, err := cardface.Of(d.sample, subject, knownOf(found))
	if err == nil && p == nil {
		err = jitsuin.Errorf(jitsuin.NotFound, "card-none", "this person has no card")
	}
	return p, err
}

func (d *desk) serveFront(w http.ResponseWriter, r *http.Request) error {
	p, err := d.printed(r)
	if err != nil {
		return err
	}
	s, err := p.Front()
	return serveSheet(w, s, err)
}

// serveBack serves the masked back: an address has no purpose, and so never shows a number.
func (d *desk) serveBack(w http.ResponseWriter, r *http.Request) error {
	p, err := d.printed(r)
	if err != nil {
		return err
	}
	s, err := p.Back(nil)
	return serveSheet(w, s, err)
}

func serveSheet(w http.ResponseWriter, s face.Sheet, err error) error {
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(s.SVG()) // a reader who is gone needs no picture
	return nil
}

// numberPage is the page that shows a number once.
type numberPage struct {
	*person
	Town   people.Municipality
	Record town.NumberShown
	Back   template.URL // the back as a data: address, so that no address leads to it
}

// showNumber asks the person's municipality for My Number, which records purpose and clerk first, and draws the back.
func (d *desk) showNumber(w http.ResponseWriter, r *http.Request) error {
	subject, err := jitsuin.ParseID(r.PathValue("subject"))
	if err != nil {
		return err
	}
	p, err := d.person(r.Context(), subject)
	if err != nil {
		return err
	}
	if p.Face == nil {
		return jitsuin.Errorf(jitsuin.NotFound, "card-none", "this person has no card")
	}
	page := &numberPage{person: p}
	page.Town, _ = d.townOf(p.Municipality)
	answer, err := d.counters[p.Municipality].ShowNumber(r.Context(), subject, town.NumberRequest{Clerk: clerk, Purpose: face.Purpose(r.PostFormValue("purpose"))})
	if err != nil {
		return err
	}
	page.Record = answer.Record
	disclosed, err := face.Disclose(answer.MyNumber, page.Town.Name, answer.Record.Purpose)
	if err != nil {
		return err
	}
	back, err := p.Face.Back(disclosed)
	if err != nil {
		return err
	}
	page.Back = template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(back.SVG()))
	d.site.Page(w, r, http.StatusOK, "number", page)
	return nil
}

// numbersShown lists who had the person's number shown, at the municipality where they are.
func (d *desk) numbersShown(ctx context.Context, p *person) ([]town.NumberShown, error) {
	if p.State != jitsuin.Present || p.Face == nil {
		return nil, nil
	}
	return d.counters[p.Municipality].NumbersShown(ctx, p.Subject)
}

// faceAlt says what stands on the front of a card, for those who cannot see it.
func faceAlt(l web.Lang, p *cardface.Printed) string {
	text := web.Text(l, "console.card.front.alt", "name", p.Items.Name, "address", p.Items.Address, "born", web.DateText(l, p.Items.BirthDate), "until", web.DateText(l, p.Expires))
	for i, n := range p.Notes {
		if i < face.NotesFit {
			text += " " + web.Text(l, "console.card.front.note", "date", web.DateText(l, n.On), "text", n.Text)
		}
	}
	return text
}
