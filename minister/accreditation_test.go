package minister

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/minister/api"
)

func day(y int, m time.Month, d int) jitsuin.Date { return jitsuin.Date{Year: y, Month: m, Day: d} }

func TestDecisions(t *testing.T) {
	t.Parallel()
	today := day(2026, 6, 1)
	standing := api.Accreditation{ID: "1", Verifier: "platform:1", Name: "PF", Ground: "17-1-6", GrantedOn: day(2025, 9, 1), Until: day(2026, 9, 1), State: api.InForce}
	with := func(change func(*api.Accreditation)) api.Accreditation { a := standing; change(&a); return a }
	suspended := with(func(a *api.Accreditation) { a.State = api.Suspended })
	byLaw := with(func(a *api.Accreditation) { a.Ground, a.Until = "17-1-1", jitsuin.Date{} })
	for _, c := range []struct {
		name  string
		last  api.Accreditation
		state string
		want  api.Accreditation // ID, State and Until are compared
		code  string
	}{
		{"a first accreditation lasts a year", api.Accreditation{}, api.InForce, api.Accreditation{ID: "new", State: api.InForce, Until: day(2027, 6, 1)}, ""},
		{"nothing to suspend", api.Accreditation{}, api.Suspended, api.Accreditation{}, "not-accredited"},
		{"a suspension keeps the end", standing, api.Suspended, api.Accreditation{ID: "1", State: api.Suspended, Until: day(2026, 9, 1)}, ""},
		{"a lifted suspension does not prolong", suspended, api.InForce, api.Accreditation{ID: "1", State: api.InForce, Until: day(2026, 9, 1)}, ""},
		{"suspended twice", suspended, api.Suspended, api.Accreditation{}, "already-suspended"},
		{"withdrawn while suspended", suspended, api.Withdrawn, api.Accreditation{ID: "1", State: api.Withdrawn, Until: day(2026, 9, 1)}, ""},
		{"a renewal adds a year to the end", standing, api.InForce, api.Accreditation{ID: "1", State: api.InForce, Until: day(2027, 9, 1)}, ""},
		{"renewed once ahead only", with(func(a *api.Accreditation) { a.Until = day(2027, 9, 1) }), api.InForce, api.Accreditation{}, "already-in-force"},
		{"given today", with(func(a *api.Accreditation) { a.GrantedOn, a.Until = today, day(2027, 6, 1) }), api.InForce, api.Accreditation{}, "already-in-force"},
		{"a body named by law needs no renewal", byLaw, api.InForce, api.Accreditation{}, "other-ground"},
		{"after withdrawal a new one", with(func(a *api.Accreditation) { a.State = api.Withdrawn }), api.InForce, api.Accreditation{ID: "new", State: api.InForce, Until: day(2027, 6, 1)}, ""},
		{"on its last day it still stands", with(func(a *api.Accreditation) { a.Until = today }), api.InForce, api.Accreditation{ID: "1", State: api.InForce, Until: day(2027, 6, 1)}, ""},
		{"after its last day a new one", with(func(a *api.Accreditation) { a.Until = day(2026, 5, 31) }), api.InForce, api.Accreditation{ID: "new", State: api.InForce, Until: day(2027, 6, 1)}, ""},
		{"what is over cannot be suspended", with(func(a *api.Accreditation) { a.Until = day(2026, 5, 31) }), api.Suspended, api.Accreditation{}, "not-accredited"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decide(c.last, api.Decision{Verifier: "platform:1", Name: "PF", Ground: "17-1-6", State: c.state, Reason: "理由"}, today, "new")
			if jitsuin.CodeOf(err) != c.code {
				t.Fatalf("code %q, want %q: %v", jitsuin.CodeOf(err), c.code, err)
			}
			if got.ID != c.want.ID || got.State != c.want.State || got.Until != c.want.Until {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestDecisionsThatSayTooLittle(t *testing.T) {
	t.Parallel()
	good := api.Decision{Verifier: "platform:1", Name: "PF", Ground: "17-1-6", State: api.InForce}
	for field, spoil := range map[string]func(*api.Decision){
		"verifier": func(d *api.Decision) { d.Verifier = "the platform" },
		"name":     func(d *api.Decision) { d.Name = "  " },
		"reason":   func(d *api.Decision) { d.State = api.Suspended },
	} {
		d := good
		spoil(&d)
		_, err := decide(api.Accreditation{}, d, day(2026, 6, 1), "new")
		e, ok := err.(*jitsuin.Error)
		if !ok || e.Kind != jitsuin.Invalid || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestBodiesNamedByLawHaveNoEnd(t *testing.T) {
	t.Parallel()
	a, err := decide(api.Accreditation{}, api.Decision{Verifier: "verifier:country", Name: "Country", Ground: "17-1-1", State: api.InForce}, day(2026, 6, 1), "new")
	if err != nil || !a.Until.IsZero() || !a.InForceOn(day(2099, 1, 1)) {
		t.Errorf("%+v, %v", a, err)
	}
}

// A term is granted, renewed and renewed again over a leap day without a gap or a day lost.
func TestRenewalsOverALeapDay(t *testing.T) {
	t.Parallel()
	d := api.Decision{Verifier: "platform:1", Name: "PF", Ground: "17-1-6", State: api.InForce}
	a := api.Accreditation{}
	for _, c := range []struct{ today, until jitsuin.Date }{
		{day(2026, 3, 1), day(2027, 3, 1)},
		{day(2027, 2, 1), day(2028, 3, 1)},
		{day(2028, 2, 29), day(2029, 3, 1)},
	} {
		next, err := decide(a, d, c.today, "1")
		if err != nil || next.Until != c.until || next.ID != "1" {
			t.Fatalf("on %s until %s, want %s: %v", c.today, next.Until, c.until, err)
		}
		a = next
	}
	onTheDay, err := decide(api.Accreditation{}, d, day(2028, 2, 29), "1")
	if err != nil || onTheDay.Until != day(2029, 2, 28) {
		t.Fatalf("granted on the leap day until %s: %v", onTheDay.Until, err)
	}
	if _, err := decide(onTheDay, d, day(2028, 2, 29), "1"); jitsuin.CodeOf(err) != "already-in-force" {
		t.Errorf("renewed on the day it was granted: %v", err)
	}
	if again, err := decide(onTheDay, d, day(2029, 2, 28), "1"); err != nil || again.Until != day(2030, 2, 28) {
		t.Errorf("renewed on its last day until %s: %v", again.Until, err)
	}
}
