package rules

import (
	"testing"

	"github.com/jitsuin/jitsuin"
)

func TestACertificateOnATelephoneEndsWithTheCards(t *testing.T) {
	for _, c := range []struct {
		model             PhoneModel
		issued, cardUntil string
		until, code       string
	}{
		{Android, "2026-04-01", "2030-02-17", "2030-02-17", ""},
		{Android, "2030-02-17", "2030-02-17", "2030-02-17", ""}, // its last day
		{Android, "2030-02-18", "2030-02-17", "", "card-certificate-over"},
		{Android, "2023-05-10", "2026-02-17", "", "phone-model"},
		{Android, "2023-05-11", "2026-02-17", "2026-02-17", ""},
		{IPhone, "2025-06-23", "2026-02-17", "", "phone-model"},
		{IPhone, "2025-06-24", "2026-02-17", "2026-02-17", ""},
		{"fridge", "2026-04-01", "2030-02-17", "", "phone-model"},
		{"", "2026-04-01", "2030-02-17", "", "phone-model"},
	} {
		term, err := PhoneTerm(c.model, d(t, c.issued), d(t, c.cardUntil))
		if jitsuin.CodeOf(err) != c.code && (err != nil || c.code != "") {
			t.Errorf("%s on %s: %v", c.model, c.issued, err)
			continue
		}
		if c.code == "" && (term.Until != d(t, c.until) || term.From != d(t, c.issued) || term.Because.ID != "phone-term") {
			t.Errorf("%s on %s: %+v", c.model, c.issued, term)
		}
	}
	if _, err := PhoneTerm(Android, d(t, "2026-04-01"), jitsuin.Date{}); jitsuin.KindOf(err) != jitsuin.Expired {
		t.Errorf("without a certificate on the card: %v", err)
	}
}

func TestPINlessUseIsForSpecifiedVerifiersAlone(t *testing.T) {
	for _, c := range []struct {
		specified bool
		on        string
		may       bool
	}{{true, "2024-05-26", false}, {true, "2024-05-27", true}, {false, "2024-05-27", false}, {false, "2030-01-01", false}} {
		if err := PINlessUse(c.specified, d(t, c.on)); (err == nil) != c.may || err != nil && jitsuin.CodeOf(err) != "pinless-not-entitled" {
			t.Errorf("specified %v on %s: %v", c.specified, c.on, err)
		}
	}
}

// A person has an age from the day before the birthday's end on: at the beginning of the birthday in this program's calendar.
func TestAGuardianActsUntilTheFifteenthBirthday(t *testing.T) {
	for _, c := range []struct {
		birth, on string
		acts      bool
	}{
		{"2011-04-02", "2026-04-01", true}, {"2011-04-02", "2026-04-02", false}, {"2011-04-02", "2026-04-03", false},
		{"2012-02-29", "2027-02-28", true}, {"2012-02-29", "2027-03-01", false},
	} {
		if got := GuardianActs(d(t, c.birth), d(t, c.on)); got != c.acts {
			t.Errorf("born %s, on %s: %v", c.birth, c.on, got)
		}
		may := MayHold(jitsuin.SignCert, Holder{Birth: d(t, c.birth)}, d(t, c.on)) == nil
		if may == c.acts {
			t.Errorf("born %s, on %s: guardian %v, a signature certificate of their own %v", c.birth, c.on, c.acts, may)
		}
	}
}
