package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/report"
)

func find(t *testing.T, name string) sample {
	t.Helper()
	for _, s := range samples(t) {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no sample %q", name)
	return sample{}
}

func ids(all []report.Clause) string {
	var list []string
	for _, c := range all {
		list = append(list, c.ID)
	}
	return strings.Join(list, " ")
}

// What the law makes of each sample, and what its recipient does.
func TestReading(t *testing.T) {
	for _, c := range []struct {
		sample   string
		action   report.Action
		next     string // the first step
		fits     bool
		presumed bool
		letter   string
		keep     []rules.Record
		basis    string
	}{
		{"passed", report.Accept, "accept", true, true, "", []rules.Record{rules.RecordContract}, "basis-signature"},
		{"passed for an account", report.Accept, "accept", true, true, "カ", []rules.Record{rules.RecordConfirmation, rules.RecordTransaction}, "basis-signature letter-proceeds"},
		{"passed without a purpose", report.AcceptWithCare, "compare-person", true, true, "", nil, "basis-signature"},
		{"passed for a login", report.NewSignature, "not-for-this-purpose", false, true, "", nil, "basis-signature needs-authentication-certificate"},
		{"passed outside JPKI", report.Accept, "accept", true, false, "", nil, "basis-other"},
		{"passed outside JPKI for an account", report.NewSignature, "not-for-this-purpose", false, false, "", nil, "basis-other"},
		{"changed", report.Refuse, "do-not-use", true, false, "", nil, ""},
		{"revoked", report.NewSignature, "do-not-accept", true, false, "", nil, ""},
		{"authentication", report.NewSignature, "do-not-accept", false, false, "", nil, ""},
		{"status unknown", report.Wait, "not-yet", true, false, "", nil, ""},
		{"status not checked", report.Supply, "not-yet", true, false, "", nil, ""},
		{"integrity only", report.IntegrityOnly, "unchanged-only", true, false, "", nil, ""},
		{"integrity only, changed", report.Refuse, "do-not-use", true, false, "", nil, ""},
		{"no anchors", report.Supply, "not-yet", true, false, "", nil, ""},
		{"no document", report.Supply, "not-yet", true, false, "", nil, ""},
		{"malformed", report.Supply, "not-yet", true, false, "", nil, ""},
		{"unsupported", report.Supply, "not-yet", true, false, "", nil, ""},
	} {
		s := find(t, c.sample)
		l, err := report.Read(s.report, s.purpose)
		if err != nil {
			t.Fatal(err)
		}
		var keep []rules.Record
		for _, k := range l.Keep {
			keep = append(keep, k.Record)
		}
		if l.Action != c.action || len(l.Next) == 0 || l.Next[0].Code != c.next || l.Fits != c.fits || l.Presumed != c.presumed || l.Letter != c.letter ||
			!slices.Equal(keep, c.keep) || ids(l.Basis) != c.basis || (len(l.Conditions) > 0) != (c.presumed || c.basis == "basis-other") {
			t.Errorf("%s: %s %v fits %v presumed %v letter %q keep %v basis %q, %d conditions", c.sample, l.Action, l.Next, l.Fits, l.Presumed, l.Letter, keep, ids(l.Basis), len(l.Conditions))
		}
		if jpki := len(s.report.Signatures) > 0 && s.report.Signatures[0].Signer != nil && s.report.Signatures[0].Signer.Kind != ""; jpki != strings.Contains(ids(l.MayNot), "may-not-use-serial-as-id") {
			t.Errorf("%s: a certificate of JPKI %v, and may not %s", c.sample, jpki, ids(l.MayNot))
		}
	}
}

// Nothing that did not pass is ever accepted or presumed genuine, whatever it is for.
func TestOnlyWhatPassedIsAccepted(t *testing.T) {
	for _, s := range samples(t) {
		for _, p := range append(rules.Purposes(), "") {
			l, err := report.Read(s.report, p)
			if err != nil {
				t.Fatal(err)
			}
			good := l.Action == report.Accept || l.Action == report.AcceptWithCare
			if good && s.report.Verdict != signature.Passed || (l.Presumed || len(l.Basis) > 0 || len(l.Keep) > 0) && s.report.Verdict != signature.Passed {
				t.Errorf("%s for %q: %s, presumed %v on %s", s.name, p, l.Action, l.Presumed, ids(l.Basis))
			}
			if good && !l.Fits {
				t.Errorf("%s for %q is accepted and does not fit", s.name, p)
			}
		}
	}
	if _, err := report.Read(find(t, "passed").report, "love"); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("an unknown purpose: %v", err)
	}
}

func TestTheLetterFollowsTheDay(t *testing.T) {
	s := find(t, "passed for an account")
	for at, letter := range map[string]string{"2025-06-23T14:59:59Z": "ワ", "2025-06-23T15:00:00Z": "カ", "2027-03-31T14:59:59Z": "カ", "2027-03-31T15:00:00Z": "ヌ", "2015-12-31T14:00:00Z": ""} {
		r := *s.report
		r.At, _ = time.Parse(time.RFC3339, at)
		l, err := report.Read(&r, rules.PurposeAccount)
		if err != nil || l.Letter != letter || l.Presumed != (letter != "") {
			t.Errorf("at %s: %q, presumed %v, %v", at, l.Letter, l.Presumed, err)
		}
	}
}

func TestKeepingStartsWhereTheLawSays(t *testing.T) {
	l, err := report.Read(find(t, "passed for an account").report, rules.PurposeAccount)
	if err != nil || len(l.Keep) != 2 || l.Keep[0].Until != nil || l.Keep[1].Until == nil || *l.Keep[1].Until != (jitsuin.Date{Year: 2033, Month: 11, Day: 24}) {
		t.Errorf("%+v, %v", l.Keep, err)
	}
}

// A signature of a stranger among signatures of residents takes the presumption from the document.
func TestTheWeakestSignatureCounts(t *testing.T) {
	r := *find(t, "passed").report
	r.Signatures = append(slices.Clone(r.Signatures), find(t, "passed outside JPKI").report.Signatures...)
	l, err := report.Read(&r, rules.PurposeContract)
	if err != nil || l.Presumed || l.Presumption.ID != "presumption-open" || ids(l.Basis) != "basis-signature basis-other" || !l.Fits {
		t.Errorf("%+v, %v", l, err)
	}
	slices.Reverse(r.Signatures)
	if l, err := report.Read(&r, rules.PurposeAccount); err != nil || l.Presumed || l.Fits || l.Action != report.NewSignature {
		t.Errorf("%+v, %v", l, err)
	}
}

// A time-stamp, and a certificate alone, are nobody's signature.
func TestWhatIsNoSignature(t *testing.T) {
	r := *find(t, "passed outside JPKI").report
	r.Signatures = slices.Clone(r.Signatures)
	r.Signatures[0].Format = signature.FormatTST
	l, err := report.Read(&r, "")
	if err != nil || l.Presumed || ids(l.Basis) != "basis-timestamp" || l.Action != report.AcceptWithCare || l.Next[0].Code != "time-not-person" {
		t.Errorf("a time-stamp: %+v, %v", l, err)
	}
	for verdict, want := range map[signature.Verdict]report.Action{signature.Passed: report.AcceptWithCare, signature.Failed: report.Refuse, signature.Indeterminate: report.Wait} {
		only := &signature.Report{Verdict: verdict, At: signtest.Now, Chain: &signature.Chain{Path: []string{}}, Revocation: &signature.Revocation{Status: cert.Unknown}}
		if verdict == signature.Indeterminate {
			only.SubIndication = signature.TryLater
		}
		d, err := report.New(only, "")
		if err != nil || d.Legal.Action != want || d.View("ja").Headline == "" || len(d.Legal.Basis)+len(d.Legal.MayNot) != 0 {
			t.Errorf("a certificate that %s: %+v, %v", verdict, d.Legal, err)
		}
	}
}
