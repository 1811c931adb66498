package rules

import (
	"errors"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"pgregory.net/rapid"
)

func TestMayHold(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   jitsuin.CertKind
		holder Holder
		on     string
		code   string
	}{
		{"the day before 15", jitsuin.SignCert, Holder{Birth: d(t, "2011-05-02")}, "2026-05-01", "under-age"},
		{"the 15th birthday", jitsuin.SignCert, Holder{Birth: d(t, "2011-05-01")}, "2026-05-01", ""},
		{"29 February, 28 February at 15", jitsuin.SignCert, Holder{Birth: d(t, "2012-02-29")}, "2027-02-28", "under-age"},
		{"29 February, 1 March at 15", jitsuin.SignCert, Holder{Birth: d(t, "2012-02-29")}, "2027-03-01", ""},
		{"a newborn may authenticate", jitsuin.AuthCert, Holder{Birth: d(t, "2026-05-01")}, "2026-05-01", ""},
		{"an adult ward may not sign", jitsuin.SignCert, Holder{Birth: d(t, "1950-05-01"), AdultWard: true}, "2026-05-01", "adult-ward"},
		{"an adult ward may authenticate", jitsuin.AuthCert, Holder{Birth: d(t, "1950-05-01"), AdultWard: true}, "2026-05-01", ""},
		{"a card used by face holds no signature certificate", jitsuin.SignCert, Holder{Birth: d(t, "1950-05-01"), Pinless: true}, "2026-05-01", "pinless-card"},
		{"nor lacks the other", jitsuin.AuthCert, Holder{Birth: d(t, "1950-05-01"), Pinless: true}, "2026-05-01", ""},
		{"not born yet", jitsuin.AuthCert, Holder{Birth: d(t, "2026-05-02")}, "2026-05-01", "birth-date"},
		{"no birth", jitsuin.AuthCert, Holder{}, "2026-05-01", "birth-date"},
		{"unknown kind", "seal", Holder{Birth: d(t, "1950-05-01")}, "2026-05-01", "certificate-kind"},
	} {
		if err := MayHold(c.kind, c.holder, d(t, c.on)); jitsuin.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
	}
	err := MayHold(jitsuin.SignCert, Holder{Birth: d(t, "2012-02-29")}, d(t, "2026-05-01"))
	if e, ok := errors.AsType[*jitsuin.Error](err); !ok || e.Kind != jitsuin.Denied || e.Hint != "it can be issued from 2027-03-01" {
		t.Errorf("the hint does not name the day: %+v", e)
	}
}

func TestRepresentativeAndPhoto(t *testing.T) {
	birth := d(t, "2011-05-01")
	for on, want := range map[string]bool{"2026-04-30": true, "2026-05-01": false} {
		if got := RepresentativeSetsPIN(Holder{Birth: birth}, d(t, on)); got != want {
			t.Errorf("on %s the representative sets the PIN: %v, want %v", on, got, want)
		}
	}
	if !RepresentativeSetsPIN(Holder{Birth: d(t, "1950-01-01"), AdultWard: true}, d(t, "2026-05-01")) {
		t.Error("for an adult ward the representative sets the PIN")
	}
	for _, c := range []struct {
		birth, applied string
		want           bool
	}{
		{"2024-11-01", "2024-12-01", true}, // the rule is not in force yet
		{"2024-11-01", "2024-12-02", false},
		{"2025-05-01", "2026-04-30", false},
		{"2025-05-01", "2026-05-01", true}, // first birthday
		{"2024-02-29", "2025-02-28", false},
		{"2024-02-29", "2025-03-01", true},
	} {
		if got := ShowsPhoto(d(t, c.birth), d(t, c.applied)); got != c.want {
			t.Errorf("born %s, applied %s: photo %v, want %v", c.birth, c.applied, got, c.want)
		}
	}
}

// ageDay and Age must tell the same story on every day.
func TestAgeDayIsTheFirstDayOfTheAge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		birth, age := anyDate(1900, 2040).Draw(t, "birth"), rapid.IntRange(1, 110).Draw(t, "age")
		first := ageDay(birth, age)
		if Age(birth, first) != age || Age(birth, first.AddDays(-1)) != age-1 {
			t.Fatalf("born %v is %d on %v and %d the day before", birth, Age(birth, first), first, Age(birth, first.AddDays(-1)))
		}
	})
}

func TestCheckPIN(t *testing.T) {
	for _, c := range []struct {
		kind PINKind
		pin  string
		ok   bool
	}{
		{SignPassword, "ABC123", true}, {SignPassword, "A1A1A1A1A1A1A1A1", true},
		{SignPassword, "AB123", false}, {SignPassword, "A1A1A1A1A1A1A1A1A", false}, // 5 and 17
		{SignPassword, "ABCDEF", false}, {SignPassword, "123456", false}, // both sorts are needed
		{SignPassword, "abc123", false}, {SignPassword, "ABC-123", false}, {SignPassword, "ＡＢＣ１２３", false}, {SignPassword, "", false},
		{AuthPIN, "1234", true}, {AuthPIN, "0000", true}, {AuthPIN, "123", false}, {AuthPIN, "12345", false}, {AuthPIN, "12A4", false},
		{TextPIN, "1234", true}, {ResidentPIN, "1234", true}, {ResidentPIN, "１２３４", false},
		{CheckA, "123456789018", true}, {CheckA, "12345678901", false},
		{CheckB, "55021720352285", true}, {CheckB, "5502172035228", false},
		{"puk", "1234", false},
	} {
		err := CheckPIN(c.kind, jitsuin.PIN(c.pin))
		if (err == nil) != c.ok || err != nil && jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s %q: %v, want ok %v", c.kind, c.pin, err, c.ok)
		}
		if e, ok := errors.AsType[*jitsuin.Error](err); ok && len(c.pin) > 2 && strings.Contains(e.Error()+e.Hint, c.pin) {
			t.Errorf("the error repeats what was typed: %v", e)
		}
	}
	tries := map[PINKind]int{SignPassword: 5, AuthPIN: 3, TextPIN: 3, ResidentPIN: 3, CheckA: 10, CheckB: 10}
	for kind, want := range tries {
		if r, err := PINOf(kind); err != nil || r.N != want || r.Kiosk != (kind == SignPassword || kind == AuthPIN) {
			t.Errorf("%s: %d tries, kiosk %v, %v; want %d", kind, r.N, r.Kiosk, err, want)
		}
	}
	if len(PINRules()) != len(tries) {
		t.Errorf("%d secrets, want %d", len(PINRules()), len(tries))
	}
}
