package rules

import (
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
)

func TestKindReading(t *testing.T) {
	for _, c := range []struct {
		kind             jitsuin.CertKind
		presumed         bool
		presumption      string
		basis, mayNot    string // ids that must be among them
		conditions, must int
	}{
		{jitsuin.SignCert, true, "presumption", "basis-signature", "may-not-other-purpose may-not-pass-on-status may-not-use-serial-as-id may-not-embed-status", 4, 2},
		{jitsuin.AuthCert, false, "no-presumption", "basis-authentication", "may-not-pass-on-status may-not-use-serial-as-id may-not-embed-status", 0, 2},
		{"", false, "presumption-open", "basis-other", "", 1, 0},
	} {
		r, err := KindReading(c.kind, d(t, "2026-11-23"))
		if err != nil || !r.Fits || r.Presumed != c.presumed || r.Presumption.ID != c.presumption || !strings.Contains(ids(r.Basis), c.basis) ||
			!strings.HasPrefix(ids(r.MayNot), c.mayNot) || len(r.Conditions) != c.conditions || len(r.Must) != c.must || len(r.Keep) != 0 {
			t.Errorf("kind %q: %v, %+v", c.kind, err, r)
		}
	}
	for kind, on := range map[jitsuin.CertKind]string{"seal": "2026-11-23", jitsuin.SignCert: "2015-12-31", "": "2001-03-31"} {
		if r, err := KindReading(kind, d(t, on)); jitsuin.KindOf(err) != jitsuin.Invalid || r.Basis != nil {
			t.Errorf("kind %q on %s: %v", kind, on, err)
		}
	}
}

// What is presumed stands with its conditions, and nobody is told conditions of what is not presumed.
func TestThePresumptionStandsWithItsConditions(t *testing.T) {
	for _, p := range Purposes() {
		for _, kind := range jitsuin.CertKinds {
			r, err := LegalReading(kind, p, d(t, "2026-11-23"))
			if err != nil || (len(r.Conditions) > 0) != r.Presumed {
				t.Errorf("%s for %s: presumed %v on %d conditions, %v", kind, p, r.Presumed, len(r.Conditions), err)
			}
		}
	}
}

func TestWhoseTimeTheContractBegins(t *testing.T) {
	for _, k := range Keepings() {
		want := k.Record == RecordConfirmation || k.Record == RecordContract || k.Record == RecordMobile
		if k.CountsFromContract() != want {
			t.Errorf("%s counts from the contract's end: %v", k.Record, !want)
		}
	}
}
