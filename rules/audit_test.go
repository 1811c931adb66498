package rules

import (
	"testing"

	"github.com/jitsuin/jitsuin"
)

func TestAuditYears(t *testing.T) {
	for _, c := range []struct {
		granted, until string
		want           [][3]string // from, until, due
	}{
		{"2026-06-01", "2027-06-01", [][3]string{{"2026-06-01", "2027-06-01", "2027-04-01"}}},
		{"2026-06-01", "2028-06-01", [][3]string{{"2026-06-01", "2027-06-01", "2027-04-01"}, {"2027-06-02", "2028-06-01", "2028-04-01"}}},
		{"2028-02-29", "2029-02-28", [][3]string{{"2028-02-29", "2029-02-28", "2028-12-28"}}}, // granted on the leap day
		{"2027-02-28", "2028-02-29", [][3]string{{"2027-02-28", "2028-02-29", "2027-12-29"}}}, // ends on it
		{"2027-04-30", "2028-04-30", [][3]string{{"2027-04-30", "2028-04-30", "2028-02-29"}}}, // a report due on it: 30 February is its last day
		{"2026-04-30", "2027-04-30", [][3]string{{"2026-04-30", "2027-04-30", "2027-02-28"}}},
		{"2026-06-01", "2026-06-01", nil},
	} {
		years, err := AuditYears(d(t, c.granted), d(t, c.until))
		if err != nil || len(years) != len(c.want) {
			t.Errorf("%s to %s: %d years, %v", c.granted, c.until, len(years), err)
			continue
		}
		for i, y := range years {
			w := c.want[i]
			if y.N != i+1 || y.From != d(t, w[0]) || y.Until != d(t, w[1]) || y.Due != d(t, w[2]) {
				t.Errorf("%s to %s: year %d is %+v, want %v", c.granted, c.until, i+1, y, w)
			}
			if y.Late(y.Due) || !y.Late(y.Due.AddDays(1)) {
				t.Errorf("%s: late on the wrong day", y.Due)
			}
		}
	}
	if _, err := AuditYears(d(t, "2015-12-31"), d(t, "2016-12-31")); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("before there were such verifiers: %v", err)
	}
}

// The years that are audited are the terms, renewal by renewal, also over leap days.
func TestAuditYearsFollowTheTerms(t *testing.T) {
	for granted := d(t, "2027-02-25"); granted.Before(d(t, "2028-03-05")); granted = granted.AddDays(1) {
		until := granted
		for range 6 {
			term, err := AccreditationTerm(until)
			if err != nil {
				t.Fatal(err)
			}
			until = term.Until
		}
		years, err := AuditYears(granted, until)
		if err != nil || len(years) != 6 || years[5].Until != until {
			t.Fatalf("granted %s, until %s: %+v %v", granted, until, years, err)
		}
	}
}

func TestCriteria(t *testing.T) {
	seen, slides := map[string]bool{}, map[Measure]int{}
	for _, c := range Criteria() {
		if seen[c.Key] || c.ID != "criterion-"+c.Key || len(c.Evidence) == 0 || c.Source.Note == "" {
			t.Errorf("%+v", c)
		}
		seen[c.Key] = true
		if !c.Shape {
			slides[c.Measure]++
		}
		if (c.Source.Confidence == OurReading) != c.Shape {
			t.Errorf("%s: how sure it is does not say where it comes from", c.Key)
		}
		for _, e := range c.Evidence {
			if e.JA == "" || e.EN == "" {
				t.Errorf("%s: a sort of evidence lacks a language", c.Key)
			}
		}
	}
	// The slides: three system measures; procedures with duties and audit, secrecy, the responsible person.
	if slides[SystemMeasure] != 3 || slides[OrganisationMeasure] != 4 {
		t.Errorf("of the slides: %v", slides)
	}
	if n := len(CriteriaOn(d(t, "2015-12-31"))); n != 0 {
		t.Errorf("%d criteria before there were such verifiers", n)
	}
	if _, err := CriterionOf(CriterionRecords, d(t, "2016-01-01")); err != nil {
		t.Error(err)
	}
	if _, err := CriterionOf("luck", d(t, "2026-01-01")); jitsuin.CodeOf(err) != "criterion-unknown" {
		t.Errorf("no criterion: %v", err)
	}
}
