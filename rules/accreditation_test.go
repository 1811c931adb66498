package rules

import (
	"testing"

	"github.com/jitsuin/jitsuin"
)

func TestAccreditationTerm(t *testing.T) {
	for after, want := range map[string]string{
		"2026-06-01": "2027-06-01", // the first day is not counted
		"2026-12-31": "2027-12-31",
		"2027-01-01": "2028-01-01",
		"2028-02-29": "2029-02-28", // counted from 1 March
		"2027-02-28": "2028-02-29", // likewise: the day before the next 1 March is the leap day
		"2028-02-28": "2029-02-28", // counted from the leap day, which has none that corresponds
		"2027-03-01": "2028-03-01",
		"2016-01-01": "2017-01-01",
	} {
		term, err := AccreditationTerm(d(t, after))
		if err != nil || term.Until != d(t, want) || term.From != d(t, after) || term.Because.ID != "accreditation-term" {
			t.Errorf("after %s: %+v, %v; want %s", after, term, err, want)
		}
		if last := d(t, want); !term.Covers(last) || term.Covers(last.AddDays(1)) {
			t.Errorf("after %s: the edge of %s", after, want)
		}
	}
	for _, after := range []jitsuin.Date{d(t, "2015-12-31"), {}} {
		if _, err := AccreditationTerm(after); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("after %v: %v", after, err)
		}
	}
}
