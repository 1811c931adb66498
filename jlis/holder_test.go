package jlis

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
)

// What the municipality certifies of the holder decides here once more.
func TestAWardGetsNoSignatureCertificate(t *testing.T) {
	t.Parallel()
	d := newDesk(t, newWorld(t, storetest.SQLite().Fresh(t)))
	subject := d.resident(hanako)
	card := d.held(subject)
	app := d.reissue(subject, hanako, card, both)
	app.Holder.AdultWard = true
	if got := d.apply(app); got.State != appRefused || d.refused()[0].Code != refusedEntitled {
		t.Fatalf("with a signature certificate: %s, %+v", got.State, d.refused())
	}
	app = d.reissue(subject, hanako, card, map[jitsuin.CertKind]int{jitsuin.AuthCert: 1})
	app.Holder.AdultWard = true
	if got := d.apply(app); got.State != appDelivered {
		t.Errorf("an authentication certificate: %s, %+v", got.State, d.refused())
	}
	if living := d.living(subject); len(living) != 1 || living[jitsuin.AuthCert].Serial.String() == "" {
		t.Errorf("in force: %v", living)
	}
}

func TestACardEndsWithALimitedStay(t *testing.T) {
	t.Parallel()
	today := jitsuin.DateOf(time.Now())
	soon := today.AddDays(100)
	full := rules.BirthdayAfter(hanako.BirthDate, today, 10)
	for name, c := range map[string]struct {
		holder  api.Holder
		card    jitsuin.Date // zero: refused
		refusal string
	}{
		"a national":                  {api.Holder{}, full, ""},
		"a permanent resident":        {api.Holder{Stay: rules.Permanent}, full, ""},
		"a limited stay":              {api.Holder{Stay: rules.MidToLongTerm, StayUntil: soon}, soon, ""},
		"a stay that ends today":      {api.Holder{Stay: rules.Transitional, StayUntil: today}, today, ""},
		"a stay beyond the card's":    {api.Holder{Stay: rules.MidToLongTerm, StayUntil: full.AddDays(1)}, full, ""},
		"a stay that ended yesterday": {api.Holder{Stay: rules.MidToLongTerm, StayUntil: today.AddDays(-1)}, jitsuin.Date{}, refusedTerm},
		"a limited stay without end":  {api.Holder{Stay: rules.MidToLongTerm}, jitsuin.Date{}, refusedTerm},
		"an unknown stay":             {api.Holder{Stay: "tourist"}, jitsuin.Date{}, refusedTerm},
	} {
		q := question{today: today, applied: today, known: true, place: true,
			app:    api.Application{Type: api.NewCard, Municipality: asagiri, Items: hanako, Kinds: jitsuin.CertKinds[:], Holder: c.holder},
			person: person{Municipality: asagiri, State: jitsuin.Present, Items: hanako}}
		terms, why := q.examine()
		if why != nil {
			if why.code != c.refusal {
				t.Errorf("%s: %+v", name, why)
			}
			continue
		}
		if c.refusal != "" || terms.cardUntil != c.card {
			t.Errorf("%s: the card until %v, want %v %q", name, terms.cardUntil, c.card, c.refusal)
		}
		for kind, term := range terms.certs {
			if term.Until.After(c.card) {
				t.Errorf("%s: the %s certificate until %v, beyond the card", name, kind, term.Until)
			}
		}
	}
}
