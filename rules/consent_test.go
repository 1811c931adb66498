package rules

import (
	"testing"

	"github.com/jitsuin/jitsuin"
)

func TestConsentTerm(t *testing.T) {
	for given, last := range map[string]string{
		"2023-05-16": "2033-05-16", "2026-04-01": "2036-04-01", "2026-12-31": "2036-12-31",
		"2028-02-28": "2038-02-28", // the first day counted is a 29 February
		"2028-02-29": "2038-02-28",
		"2027-02-28": "2037-02-28",
		"2026-02-28": "2036-02-29", // the first day counted is 1 March, so the last is the day before it
	} {
		term, err := ConsentTerm(d(t, given))
		if err != nil || term.Until != d(t, last) {
			t.Errorf("given on %s: until %v (%v), want %s", given, term.Until, err, last)
		}
	}
	if _, err := ConsentTerm(d(t, "2023-05-15")); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("the day before there was a supply: %v", err)
	}
}

func TestConsentReminder(t *testing.T) {
	for _, c := range []struct{ given, after, want string }{
		{"2026-04-01", "2026-04-01", "2027-04-01"},
		{"2026-04-01", "2027-03-31", "2027-04-01"},
		{"2026-04-01", "2027-04-01", "2028-04-01"},
		{"2028-02-29", "2028-02-29", "2029-02-28"},
		{"2028-02-29", "2031-02-28", "2032-02-29"},
		{"2026-04-01", "2034-04-01", "2035-04-01"}, // the ninth; the tenth would be the last day itself
	} {
		if got := ConsentReminder(d(t, c.given), d(t, c.after)); got != d(t, c.want) {
			t.Errorf("given %s, after %s: %v, want %s", c.given, c.after, got, c.want)
		}
	}
	for _, c := range [][2]string{{"2026-04-01", "2035-04-01"}, {"2023-05-15", "2023-05-15"}} {
		if got := ConsentReminder(d(t, c[0]), d(t, c[1])); !got.IsZero() {
			t.Errorf("given %s, after %s: %v, want none", c[0], c[1], got)
		}
	}
}

func TestConsentItems(t *testing.T) {
	seen, mandatory := map[string]bool{}, 0
	for _, i := range ConsentItems() {
		if seen[i.Key] {
			t.Errorf("%s stands twice", i.Key)
		}
		seen[i.Key] = true
		if i.Mandatory {
			mandatory++
		}
	}
	if len(seen) != 15 || mandatory != 11 {
		t.Errorf("%d items, %d of them mandatory; the guideline has 15 and 11", len(seen), mandatory)
	}
}

func TestTheLedgerOfConsentsIsKeptFromTheirEnd(t *testing.T) {
	k, err := KeepingOf(RecordConsentLedger, d(t, "2026-04-01"))
	if err != nil || k.Until(d(t, "2036-04-01")) != d(t, "2046-04-01") || k.Until(d(t, "2028-02-29")) != d(t, "2038-02-28") {
		t.Errorf("%v %v %v", k.Until(d(t, "2036-04-01")), k.Until(d(t, "2028-02-29")), err)
	}
	if _, err := KeepingOf(RecordConsentLedger, d(t, "2023-05-15")); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("before there was such a supply: %v", err)
	}
}
