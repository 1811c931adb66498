package console

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	faultycard "github.com/jitsuin/jitsuin/card/fault"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// cardFault is what goes wrong with a person's card on purpose, and what can be chosen.
type cardFault struct {
	Set    faultycard.Name // faultycard.None for nothing
	Offers []faultycard.Name
}

// On tells whether something is set.
func (f cardFault) On() bool { return f.Set != faultycard.None }

// offeredFaults are the faults of the page. An expired certificate is not among them: J-LIS certifies no key twice,
// so that only the clock makes one.
var offeredFaults = []faultycard.Name{faultycard.WrongPIN, faultycard.SignPINBlocked, faultycard.AuthPINBlocked, faultycard.Removed, faultycard.TamperedFile, faultycard.WrongDigest, faultycard.Slow, faultycard.Clone}

func (c *Console) faultPages() {
	c.site.Handle(c.API, "POST /people/{subject}/fault", everybody, c.at((*desk).setFault))
}

func (d *desk) faults() (*host.Faults, error) {
	return d.folder.Faults(host.ClientOptions{Headers: httpapi.ActHeaders(country.Country)})
}

// faultOf asks what is set on a card; nil where this country's card host lets nobody set anything, or does not answer.
func (d *desk) faultOf(ctx context.Context, id jitsuin.ID) *cardFault {
	faults, err := d.faults()
	if err != nil {
		return nil
	}
	set, err := faults.Of(ctx, id)
	if err != nil {
		return nil
	}
	return &cardFault{Set: set.Name, Offers: offeredFaults}
}

// setFault puts the chosen fault on the card of a person, or ends the one that is set.
func (d *desk) setFault(w http.ResponseWriter, r *http.Request) error {
	subject, err := jitsuin.ParseID(r.PathValue("subject"))
	if err != nil {
		return err
	}
	p, err := d.person(r.Context(), subject)
	if err != nil {
		return err
	}
	if p.Card == nil {
		return jitsuin.Errorf(jitsuin.NotFound, "card-missing", "this person has no card in hand")
	}
	faults, err := d.faults()
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "body-form", "the form cannot be read")
	}
	if _, err := faults.Set(r.Context(), p.Card.ID, faultycard.Setting{Name: faultycard.Name(r.PostForm.Get("fault"))}); err != nil {
		return err
	}
	http.Redirect(w, r, "/people/"+string(subject)+"#fault", http.StatusSeeOther)
	return nil
}
