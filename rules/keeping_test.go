package rules

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
)

func TestKeepings(t *testing.T) {
	for _, c := range []struct {
		record          Record
		on, start, want string
	}{
		{RecordIssuance, "2026-04-01", "2030-02-17", "2040-02-17"},
		{RecordIssuance, "2026-04-01", "2028-02-29", "2038-02-28"},
		{RecordIssuance, "2026-04-01", "2027-02-28", "2037-02-28"},
		{RecordIssuance, "2026-04-01", "2028-02-28", "2038-02-28"}, // the first day counted is a 29 February
		{RecordRevocation, "2026-04-01", "2030-02-17", "2030-02-17"},
		{RecordCRL, "2026-04-01", "2026-04-01", "2036-04-01"},
		{RecordNetwork, "2019-06-19", "2019-06-19", "2024-06-19"},
		{RecordNetwork, "2019-06-20", "2019-06-20", "2169-06-20"},
		{RecordConfirmation, "2026-04-01", "2026-03-31", "2033-03-31"},
		{RecordTransaction, "2026-04-01", "2026-03-31", "2033-03-31"},
		{RecordMobile, "2026-04-01", "2026-03-31", "2029-03-31"},
		{RecordAntique, "2026-04-01", "2026-03-31", "2029-03-31"},
		{RecordConsent, "2023-05-16", "2023-05-16", "2033-05-16"},
		{RecordAccreditation, "2026-04-01", "2030-12-31", "2040-12-31"},
		{RecordLinkedNumber, "2026-04-01", "2026-03-31", "2033-03-31"},
		{RecordContract, "2026-04-01", "2026-03-31", "2036-03-31"},
	} {
		k, err := KeepingOf(c.record, d(t, c.on))
		if err != nil || k.Until(d(t, c.start)) != d(t, c.want) || k.Start.JA == "" || k.Start.EN == "" {
			t.Errorf("%s from %s: %v, %v, want %s", c.record, c.start, k.Until(d(t, c.start)), err, c.want)
		}
	}
	for record, on := range map[Record]string{RecordConsent: "2023-05-15", "diary": "2026-04-01"} {
		if _, err := KeepingOf(record, d(t, on)); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s on %s: %v", record, on, err)
		}
	}
}

func TestLetters(t *testing.T) {
	for _, c := range []struct {
		purpose  Purpose
		on, mark string
	}{
		{PurposeAccount, "2016-01-01", "ヘ"}, {PurposeAccount, "2018-11-29", "ヘ"},
		{PurposeAccount, "2018-11-30", "ワ"}, {PurposeAccount, "2025-06-23", "ワ"},
		{PurposeAccount, "2025-06-24", "カ"}, {PurposeAccount, "2027-03-31", "カ"},
		{PurposeAccount, "2027-04-01", "ヌ"}, {PurposeAccount, "2040-01-01", "ヌ"},
		{PurposeMobile, "2026-03-31", ""}, {PurposeMobile, "2026-04-01", "ト"}, {PurposeMobileRental, "2026-10-01", "ト"},
		{PurposeAntique, "2026-04-01", "11号"},
	} {
		if l, err := LetterOf(c.purpose, d(t, c.on)); err != nil || l.Mark != c.mark {
			t.Errorf("%s on %s: %q, %v, want %q", c.purpose, c.on, l.Mark, err, c.mark)
		}
	}
	for on, transitional := range map[string]bool{"2026-03-31": false, "2026-04-01": true, "2026-09-30": true, "2026-10-01": false} {
		if l, err := LetterOf(PurposeMobile, d(t, on)); err != nil || (l.Source.Note == "Transitional.") != transitional {
			t.Errorf("mobile on %s: transitional %v, want %v (%v)", on, !transitional, transitional, err)
		}
	}
	for purpose, on := range map[Purpose]string{PurposeAccount: "2015-12-31", PurposeLogin: "2026-04-01"} {
		if _, err := LetterOf(purpose, d(t, on)); jitsuin.KindOf(err) != jitsuin.Unsupported {
			t.Errorf("%s on %s: %v", purpose, on, err)
		}
	}
	// The letter changes at midnight in Japan, which is 15:00 of the day before in UTC.
	for at, mark := range map[string]string{"2025-06-23T14:59:59Z": "ワ", "2025-06-23T15:00:00Z": "カ"} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if l, err := LetterOf(PurposeAccount, jitsuin.DateOf(instant)); err != nil || l.Mark != mark {
			t.Errorf("at %s: %q, %v, want %q", at, l.Mark, err, mark)
		}
	}
}

func TestFees(t *testing.T) {
	for _, c := range []struct {
		item FeeItem
		on   string
		yen  int
	}{
		{FeeSignCheck, "2022-12-31", 20}, {FeeSignCheck, "2023-01-01", 0}, {FeeSignCheckCRL, "2022-12-31", 20}, {FeeSignCheckCRL, "2023-01-01", 0},
		{FeeAuthCheck, "2022-12-31", 2}, {FeeAuthCheck, "2023-01-01", 0}, {FeeAuthCheckCRL, "2022-12-31", 2}, {FeeAuthCheckCRL, "2023-01-01", 0},
		{FeeLatestItems, "2023-05-16", 20}, {FeeFirstCard, "2016-01-01", 0}, {FeeReissue, "2026-04-01", 800},
		{FeeCertificates, "2026-04-01", 200}, {FeeExpress, "2024-12-02", 1800},
	} {
		if r, err := FeeOf(c.item, d(t, c.on)); err != nil || r.N != c.yen || r.Unit != Yen {
			t.Errorf("%s on %s: %d, %v, want %d", c.item, c.on, r.N, err, c.yen)
		}
	}
	for item, on := range map[FeeItem]string{FeeLatestItems: "2023-05-15", FeeExpress: "2024-12-01", FeeReissue: "2015-12-31", "tip": "2026-04-01"} {
		if _, err := FeeOf(item, d(t, on)); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s on %s: %v", item, on, err)
		}
	}
}

func TestCadence(t *testing.T) {
	if crl, ocsp := Cadence(d(t, "2016-01-01")); crl != 24*time.Hour || ocsp != 15*time.Minute {
		t.Errorf("CRL every %v, OCSP every %v", crl, ocsp)
	}
	if crl, ocsp := Cadence(d(t, "2015-12-31")); crl != 0 || ocsp != 0 {
		t.Errorf("before the system: %v, %v", crl, ocsp)
	}
}

func TestPapers(t *testing.T) {
	for a, sameDay := range map[Applicant]bool{SelfWithPhoto: true, SelfWithLetter: false, LegalRepresentative: true, OtherAgent: false} {
		r, err := PapersOf(a)
		if err != nil || r.SameDay != sameDay || len(r.Needs) < 3 {
			t.Errorf("%s: %v, %v", a, r, err)
		}
		reply := false
		for _, p := range r.Needs {
			reply = reply || p == PaperReply
		}
		if reply == sameDay {
			t.Errorf("%s: a reply to an inquiry %v, the same day %v", a, reply, sameDay)
		}
	}
	if _, err := PapersOf("neighbour"); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("an unknown applicant: %v", err)
	}
}
