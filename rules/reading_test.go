package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
)

func ids(rules []Rule) string {
	var names []string
	for _, r := range rules {
		names = append(names, r.ID)
	}
	return strings.Join(names, " ")
}

func TestLegalReading(t *testing.T) {
	const sign, auth = jitsuin.SignCert, jitsuin.AuthCert
	for _, c := range []struct {
		kind     jitsuin.CertKind
		purpose  Purpose
		on       string
		fits     bool
		presumed bool
		article  string // somewhere in the citations of the basis
		keep     []Record
		must     string
	}{
		{sign, PurposeAccount, "2025-06-23", true, true, "6条1項1号ワ", []Record{RecordConfirmation, RecordTransaction}, "must-confirmation-record"},
		{sign, PurposeAccount, "2025-06-24", true, true, "6条1項1号カ", []Record{RecordConfirmation, RecordTransaction}, "must-confirmation-record"},
		{sign, PurposeAccount, "2027-04-01", true, true, "6条1項1号ヌ", []Record{RecordConfirmation, RecordTransaction}, "must-confirmation-record"},
		{auth, PurposeAccount, "2026-04-01", false, false, "電子署名法2条", nil, "must-check-authentication"},
		{sign, PurposeMobile, "2026-04-01", true, true, "3条1項1号ト", []Record{RecordMobile}, "must-mobile-record"},
		{sign, PurposeMobileRental, "2026-04-01", true, true, "3条1項1号ト", []Record{RecordMobile}, "must-rental-record"},
		{sign, PurposeAntique, "2026-04-01", true, true, "15条3項11号", []Record{RecordAntique}, "must-antique-items"},
		{sign, PurposeContract, "2026-04-01", true, true, "公的個人認証法", []Record{RecordContract}, "must-check-both"},
		{sign, PurposeApplication, "2026-04-01", true, true, "公的個人認証法", nil, "must-check-both"},
		{sign, PurposeMyNumber, "2026-04-01", true, true, "公的個人認証法", nil, "must-separate-my-number"},
		{sign, PurposeLatestItems, "2023-05-16", true, true, "公的個人認証法", []Record{RecordConsent}, "must-consent"},
		{auth, PurposeLogin, "2026-04-01", true, false, "36条", nil, "must-check-authentication"},
		{sign, PurposeLogin, "2026-04-01", false, true, "19条2項", nil, "must-check-both"},
		{auth, PurposeStillValid, "2026-04-01", true, false, "36条", nil, "must-be-verifier"},
	} {
		r, err := LegalReading(c.kind, c.purpose, d(t, c.on))
		if err != nil {
			t.Errorf("%s for %s on %s: %v", c.kind, c.purpose, c.on, err)
			continue
		}
		var articles string
		for _, b := range r.Basis {
			articles += b.Source.Citation().JA + "\n"
		}
		var keep []Record
		for _, k := range r.Keep {
			keep = append(keep, k.Record)
		}
		if r.Fits != c.fits || r.Presumed != c.presumed || !strings.Contains(articles, c.article) || !slices.Equal(keep, c.keep) || !strings.Contains(ids(r.Must), c.must) {
			t.Errorf("%s for %s on %s: fits %v, presumed %v, keeps %v, must %q, rests on\n%s", c.kind, c.purpose, c.on, r.Fits, r.Presumed, keep, ids(r.Must), articles)
		}
	}
}

func TestLegalReadingLimits(t *testing.T) {
	for _, kind := range jitsuin.CertKinds {
		for _, p := range Purposes() {
			r, err := LegalReading(kind, p, d(t, "2026-11-23"))
			if err != nil {
				t.Errorf("%s for %s: %v", kind, p, err)
				continue
			}
			mayNot := ids(r.MayNot)
			if !strings.Contains(mayNot, "may-not-pass-on-status") ||
				strings.Contains(mayNot, "may-not-other-purpose") != (kind == jitsuin.SignCert) ||
				strings.Contains(mayNot, "may-not-collect-my-number") != (p != PurposeMyNumber) {
				t.Errorf("%s for %s may not: %s", kind, p, mayNot)
			}
			if r.Presumption.Text.JA == "" || r.Presumed != (kind == jitsuin.SignCert) || (r.Presumption.ID == "presumption") != r.Presumed {
				t.Errorf("%s for %s: presumed %v by %s", kind, p, r.Presumed, r.Presumption.ID)
			}
			if !r.Fits && len(r.Keep) > 0 {
				t.Errorf("%s for %s does not fit and keeps %v", kind, p, r.Keep)
			}
		}
	}
	for _, c := range []struct {
		kind    jitsuin.CertKind
		purpose Purpose
		on      string
		want    jitsuin.Kind
	}{
		{"seal", PurposeContract, "2026-04-01", jitsuin.Invalid},
		{jitsuin.SignCert, "love", "2026-04-01", jitsuin.Invalid},
		{jitsuin.SignCert, PurposeContract, "2015-12-31", jitsuin.Invalid},
		{jitsuin.SignCert, PurposeLatestItems, "2023-05-15", jitsuin.Unsupported},
	} {
		if r, err := LegalReading(c.kind, c.purpose, d(t, c.on)); jitsuin.KindOf(err) != c.want || err == nil || r.Basis != nil {
			t.Errorf("%s for %s on %s: %v, %v, want %v", c.kind, c.purpose, c.on, r.Basis, err, c.want)
		}
	}
}
