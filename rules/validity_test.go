package rules

import (
	"errors"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"pgregory.net/rapid"
)

// d reads a date of a test table; "" is no date.
func d(t testing.TB, s string) jitsuin.Date {
	t.Helper()
	if s == "" {
		return jitsuin.Date{}
	}
	date, err := jitsuin.ParseDate(s)
	if err != nil {
		t.Fatalf("date %q in the test: %v", s, err)
	}
	return date
}

func TestBirthdayAfter(t *testing.T) {
	for _, c := range []struct {
		name, birth, issue string
		n                  int
		want               string
	}{
		{"a certificate observed on a test card", "1980-02-17", "2025-10-27", 5, "2030-02-17"},
		{"the sample card of the slides", "1989-03-31", "2015-10-05", 10, "2025-03-31"},
		{"issued on the day before the birthday: that birthday is the first", "1990-06-15", "2026-06-14", 5, "2030-06-15"},
		{"issued on the birthday: it does not count, five full years", "1990-06-15", "2026-06-15", 5, "2031-06-15"},
		{"issued on the day after the birthday", "1990-06-15", "2026-06-16", 5, "2031-06-15"},
		{"issued on the day of birth", "2026-06-15", "2026-06-15", 5, "2031-06-15"},
		{"29 February, ending in a common year", "1996-02-29", "2026-06-01", 5, "2031-02-28"},
		{"29 February, ending in a leap year", "1996-02-29", "2023-06-01", 5, "2028-02-29"},
		{"29 February, issued on 28 February of a common year, the birthday", "1996-02-29", "2026-02-28", 5, "2031-02-28"},
		{"29 February, issued on 28 February of a leap year, the day before", "1996-02-29", "2024-02-28", 1, "2024-02-29"},
		{"29 February, issued on 27 February of a common year", "1996-02-29", "2026-02-27", 1, "2026-02-28"},
		{"29 February, across 2100, no leap year", "2096-02-29", "2099-12-31", 1, "2100-02-28"},
		{"31 December into the next year", "1990-12-31", "2026-12-31", 1, "2027-12-31"},
		{"no birthday is asked for", "1990-06-15", "2026-06-15", 0, ""},
		{"issue before birth", "2026-06-15", "2026-06-14", 1, ""},
		{"no date of birth", "", "2026-06-14", 1, ""},
	} {
		if got := BirthdayAfter(d(t, c.birth), d(t, c.issue), c.n); got != d(t, c.want) {
			t.Errorf("%s: born %s, issued %s, n=%d: got %v, want %s", c.name, c.birth, c.issue, c.n, got, c.want)
		}
	}
}

func TestAge(t *testing.T) {
	for _, c := range []struct {
		birth, on string
		want      int
	}{
		{"2010-05-01", "2025-04-30", 14}, {"2010-05-01", "2025-05-01", 15},
		{"2012-02-29", "2027-02-28", 14}, {"2012-02-29", "2027-03-01", 15}, // rises as 28 February ends
		{"2012-02-29", "2028-02-28", 15}, {"2012-02-29", "2028-02-29", 16},
		{"2025-05-01", "2025-05-01", 0}, {"2025-05-01", "2025-04-30", -1},
		{"1900-01-01", "2026-01-01", 126},
	} {
		if got := Age(d(t, c.birth), d(t, c.on)); got != c.want {
			t.Errorf("born %s, on %s: age %d, want %d", c.birth, c.on, got, c.want)
		}
	}
}

func TestCardTerm(t *testing.T) {
	for _, c := range []struct {
		name, birth, applied, issued string
		stay                         Stay
		stayUntil                    string
		gen                          Generation
		want, because                string
	}{
		{"adult", "1980-02-17", "2025-09-01", "2025-10-27", "", "", "", "2035-02-17", "card-term-adult"},
		{"19 years, applied on the last day of the old age", "2003-01-10", "2022-03-31", "2022-04-20", "", "", "", "2027-01-10", "card-term-minor"},
		{"19 years, applied on the first day of the new age", "2003-01-10", "2022-04-01", "2022-04-20", "", "", "", "2032-01-10", "card-term-adult"},
		{"20 years, applied under the old age", "2002-01-10", "2022-03-31", "2022-04-20", "", "", "", "2032-01-10", "card-term-adult"},
		{"the day before 18", "2008-05-02", "2026-04-01", "2026-05-01", "", "", "", "2030-05-02", "card-term-minor"},
		{"the 18th birthday", "2008-05-01", "2026-04-01", "2026-05-01", "", "", "", "2036-05-01", "card-term-adult"},
		{"born 29 February, 28 February of the 18th year: still 17", "2008-02-29", "2026-02-01", "2026-02-28", "", "", "", "2031-02-28", "card-term-minor"},
		{"born 29 February, 1 March: 18", "2008-02-29", "2026-02-01", "2026-03-01", "", "", "", "2036-02-29", "card-term-adult"},
		{"newborn", "2026-05-01", "2026-05-10", "2026-05-17", "", "", "", "2031-05-01", "card-term-minor"},
		{"stay ends first", "1990-06-15", "2026-01-10", "2026-02-01", MidToLongTerm, "2027-03-31", "", "2027-03-31", "card-stay-cap"},
		{"stay ends on the day of issue", "1990-06-15", "2026-01-10", "2026-02-01", MidToLongTerm, "2026-02-01", "", "2026-02-01", "card-stay-cap"},
		{"birthday comes first", "1990-06-15", "2026-01-10", "2026-02-01", MidToLongTerm, "2040-01-01", "", "2035-06-15", "card-term-adult"},
		{"permanent resident: no cap", "1990-06-15", "2026-01-10", "2026-02-01", Permanent, "2027-03-31", "", "2035-06-15", "card-term-adult"},
		{"highly skilled (ii): no cap", "1990-06-15", "2026-01-10", "2026-02-01", HighlySkilled2, "", "", "2035-06-15", "card-term-adult"},
		{"next generation, one month of grace", "1980-12-31", "2030-01-01", "2030-02-01", "", "", CardNext, "2040-01-31", "card-next-grace"},
	} {
		got, err := CardTerm(CardIssue{d(t, c.birth), d(t, c.applied), d(t, c.issued), c.stay, d(t, c.stayUntil), c.gen})
		if err != nil || got.Until != d(t, c.want) || got.Because.ID != c.because || got.From != d(t, c.issued) {
			t.Errorf("%s: got %v because of %q (%v), want %s because of %q", c.name, got.Until, got.Because.ID, err, c.want, c.because)
		}
	}
}

func TestCardTermRefuses(t *testing.T) {
	good := CardIssue{Birth: d(t, "1990-06-15"), Applied: d(t, "2026-01-10"), Issued: d(t, "2026-02-01")}
	for _, c := range []struct {
		name   string
		spoil  func(*CardIssue)
		kind   jitsuin.Kind
		code   string
		member string
	}{
		{"issued before applied", func(c *CardIssue) { c.Issued = d(t, "2026-01-09") }, jitsuin.Invalid, "dates-out-of-order", ""},
		{"applied before birth", func(c *CardIssue) { c.Birth = d(t, "2026-01-11") }, jitsuin.Invalid, "dates-out-of-order", ""},
		{"no birth", func(c *CardIssue) { c.Birth = jitsuin.Date{} }, jitsuin.Invalid, "dates-out-of-order", ""},
		{"before there were cards", func(c *CardIssue) { c.Applied = d(t, "2015-12-31") }, jitsuin.Invalid, "not-in-force", ""},
		{"unknown status", func(c *CardIssue) { c.Stay = "tourist" }, jitsuin.Invalid, "stay-unknown", "stay"},
		{"no end of stay", func(c *CardIssue) { c.Stay = MidToLongTerm }, jitsuin.Invalid, "stay-end-missing", "stay_until"},
		{"stay over by a day", func(c *CardIssue) { c.Stay, c.StayUntil = Provisional, d(t, "2026-01-31") }, jitsuin.Expired, "stay-over", "stay_until"},
	} {
		in := good
		c.spoil(&in)
		_, err := CardTerm(in)
		if jitsuin.KindOf(err) != c.kind || jitsuin.CodeOf(err) != c.code {
			t.Errorf("%s: got %v (%v %q), want %v %q", c.name, err, jitsuin.KindOf(err), jitsuin.CodeOf(err), c.kind, c.code)
		}
		if e, ok := errors.AsType[*jitsuin.Error](err); !ok || e.Field != c.member {
			t.Errorf("%s: the error does not point at %q: %v", c.name, c.member, err)
		}
	}
	if _, err := CardTerm(good); err != nil {
		t.Errorf("unspoiled: %v", err)
	}
}

func TestRenewalOpens(t *testing.T) {
	for _, c := range []struct {
		until string
		gen   Generation
		want  string
	}{
		{"2023-07-07", Card2016, "2023-04-08"}, // both examples are a municipality's
		{"2023-05-28", Card2016, "2023-03-01"},
		{"2023-05-31", Card2016, "2023-03-01"}, // there is no 31 February
		{"2024-05-29", Card2016, "2024-03-01"}, // 29 February exists in 2024
		{"2024-05-28", Card2016, "2024-02-29"},
		{"2030-02-17", Card2016, "2029-11-18"},
		{"2030-02-17", CardNext, "2029-02-18"},
		{"2028-02-29", CardNext, "2027-03-01"},
	} {
		if got := RenewalOpens(d(t, c.until), c.gen); got != d(t, c.want) {
			t.Errorf("ends %s (%q): renewal opens %v, want %s", c.until, c.gen, got, c.want)
		}
	}
}

func TestCertificateTerm(t *testing.T) {
	const sign, auth = jitsuin.SignCert, jitsuin.AuthCert
	for _, c := range []struct {
		name                                     string
		kind                                     jitsuin.CertKind
		birth, issued, card, replaces, authUntil string
		gen                                      Generation
		want, because                            string
	}{
		{"first", auth, "1980-02-17", "2025-10-27", "2035-02-17", "", "", "", "2030-02-17", "certificate-term"},
		{"on the birthday: five full years", auth, "1980-02-17", "2026-02-17", "2035-02-17", "", "", "", "2031-02-17", "certificate-term"},
		{"capped by the card", auth, "1980-02-17", "2032-02-18", "2035-02-17", "", "", "", "2035-02-17", "certificate-card-cap"},
		{"the day before the window: not early, five birthdays", auth, "1980-02-17", "2029-11-17", "2035-02-17", "2030-02-17", "", "", "2034-02-17", "certificate-term"},
		{"first day of the window: six birthdays", auth, "1980-02-17", "2029-11-18", "2036-02-17", "2030-02-17", "", "", "2035-02-17", "certificate-term-renewed"},
		{"the day before the last: six birthdays", auth, "1980-02-17", "2030-02-16", "2036-02-17", "2030-02-17", "", "", "2035-02-17", "certificate-term-renewed"},
		{"the last day is a birthday: the sixth after it", auth, "1980-02-17", "2030-02-17", "2039-02-17", "2030-02-17", "", "", "2036-02-17", "certificate-term-renewed"},
		{"the day after the end: no renewal", auth, "1980-02-17", "2030-02-18", "2039-02-17", "2030-02-17", "", "", "2035-02-17", "certificate-term"},
		{"signature certificate after a move ends with the other", sign, "1980-02-17", "2028-06-01", "2035-02-17", "", "2030-02-17", "", "2030-02-17", "certificate-auth-cap"},
		{"the authentication certificate has no such cap", auth, "1980-02-17", "2028-06-01", "2035-02-17", "", "2030-02-17", "", "2033-02-17", "certificate-term"},
		{"signature certificate alone", sign, "1980-02-17", "2028-06-01", "2035-02-17", "", "", "", "2033-02-17", "certificate-term"},
		{"foreign resident: the card ends with the stay", sign, "1990-06-15", "2026-02-01", "2027-03-31", "", "2027-03-31", "", "2027-03-31", "certificate-auth-cap"},
		{"29 February", sign, "1996-02-29", "2026-03-01", "2036-02-29", "", "", "", "2031-02-28", "certificate-term"},
		{"next generation: ten birthdays", sign, "1980-02-17", "2030-03-01", "2040-03-17", "", "", CardNext, "2040-02-17", "certificate-next-term"},
		{"next generation renewed early", auth, "1980-02-17", "2039-03-01", "2060-03-17", "2040-02-17", "", CardNext, "2050-02-17", "certificate-next-term"},
	} {
		got, err := CertificateTerm(CertificateIssue{c.kind, d(t, c.birth), d(t, c.issued), d(t, c.card), d(t, c.replaces), d(t, c.authUntil), c.gen})
		if err != nil || got.Until != d(t, c.want) || got.Because.ID != c.because {
			t.Errorf("%s: got %v because of %q (%v), want %s because of %q", c.name, got.Until, got.Because.ID, err, c.want, c.because)
		}
	}
}

func TestCertificateTermRefuses(t *testing.T) {
	good := CertificateIssue{Kind: jitsuin.SignCert, Birth: d(t, "1990-06-15"), Issued: d(t, "2026-02-01"), CardUntil: d(t, "2026-02-01")}
	for _, c := range []struct {
		name  string
		spoil func(*CertificateIssue)
		kind  jitsuin.Kind
		code  string
	}{
		{"unknown kind", func(c *CertificateIssue) { c.Kind = "seal" }, jitsuin.Invalid, "certificate-kind"},
		{"card over by a day", func(c *CertificateIssue) { c.CardUntil = d(t, "2026-01-31") }, jitsuin.Expired, "card-over"},
		{"no card", func(c *CertificateIssue) { c.CardUntil = jitsuin.Date{} }, jitsuin.Expired, "card-over"},
		{"authentication certificate over", func(c *CertificateIssue) { c.AuthUntil = d(t, "2026-01-31") }, jitsuin.Invalid, "auth-over"},
		{"before birth", func(c *CertificateIssue) { c.Birth = d(t, "2026-02-02") }, jitsuin.Invalid, "dates-out-of-order"},
		{"before the card", func(c *CertificateIssue) { c.Issued = d(t, "2015-12-31") }, jitsuin.Unsupported, "before-the-card"},
	} {
		in := good
		c.spoil(&in)
		if _, err := CertificateTerm(in); jitsuin.KindOf(err) != c.kind || jitsuin.CodeOf(err) != c.code {
			t.Errorf("%s: got %v (%q), want %v %q", c.name, err, jitsuin.CodeOf(err), c.kind, c.code)
		}
	}
	if term, err := CertificateTerm(good); err != nil || term.Until != good.Issued {
		t.Errorf("unspoiled: %v, %v", term, err)
	}
}

func TestTermEndsWithTheLastSecondInJapan(t *testing.T) {
	term := Term{From: d(t, "2025-10-27"), Until: d(t, "2030-02-17")}
	if want := time.Date(2030, 2, 17, 14, 59, 59, 0, time.UTC); !term.NotAfter().Equal(want) {
		t.Errorf("ends %v, want %v", term.NotAfter().UTC(), want)
	}
	for at, want := range map[string]bool{"2025-10-26T14:59:59Z": false, "2025-10-26T15:00:00Z": true, "2030-02-17T14:59:59Z": true, "2030-02-17T15:00:00Z": false} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := term.Covers(jitsuin.DateOf(instant)); got != want {
			t.Errorf("at %s: covered %v, want %v", at, got, want)
		}
	}
}

// anyDate draws a day between two years, both included, with 28 and 29 February and year ends drawn often.
func anyDate(from, to int) *rapid.Generator[jitsuin.Date] {
	return rapid.Custom(func(t *rapid.T) jitsuin.Date {
		year := rapid.IntRange(from, to).Draw(t, "year")
		if rapid.IntRange(0, 3).Draw(t, "edge") == 0 {
			edge := rapid.SampledFrom([][2]int{{2, 28}, {2, 29}, {3, 1}, {12, 31}, {1, 1}}).Draw(t, "day")
			return lastOfMonthAtMost(year, time.Month(edge[0]), edge[1])
		}
		return jitsuin.Date{Year: year, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 364).Draw(t, "day"))
	})
}

func TestBirthdayProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		birth, issue := anyDate(1900, 2030).Draw(t, "birth"), anyDate(2016, 2120).Draw(t, "issue")
		n := rapid.IntRange(1, 12).Draw(t, "n")
		if issue.Before(birth) {
			birth, issue = issue, birth
		}
		got := BirthdayAfter(birth, issue, n)
		if !got.After(issue) {
			t.Fatalf("%v is not after the issue on %v", got, issue)
		}
		if got.After(addMonths(issue, 12*n).AddDays(1)) {
			t.Fatalf("the birthday %d after %v is %v, more than %d years on", n, issue, got, n)
		}
		if same := got.Month == birth.Month && got.Day == birth.Day; !same && !(birth.Month == 2 && birth.Day == 29 && got.Day == 28) {
			t.Fatalf("%v is no birthday of somebody born on %v", got, birth)
		}
		if later := BirthdayAfter(birth, issue.AddDays(1), n); later.Before(got) {
			t.Fatalf("issued a day later it ends earlier: %v, %v", got, later)
		}
		if more := BirthdayAfter(birth, issue, n+1); more.Year != got.Year+1 {
			t.Fatalf("birthday %d is %v, the next one %v", n, got, more)
		}
	})
}

func TestCertificateNeverOutlivesTheCard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		birth := anyDate(1920, 2030).Draw(t, "birth")
		applied := anyDate(2016, 2060).Draw(t, "applied")
		stay := rapid.SampledFrom([]Stay{National, Permanent, MidToLongTerm, Transitional}).Draw(t, "stay")
		in := CardIssue{Birth: birth, Applied: applied, Issued: applied.AddDays(rapid.IntRange(0, 60).Draw(t, "days")), Stay: stay,
			StayUntil: applied.AddDays(rapid.IntRange(-10, 2000).Draw(t, "stay days")), Generation: rapid.SampledFrom([]Generation{Card2016, CardNext}).Draw(t, "generation")}
		card, err := CardTerm(in)
		if err != nil {
			if k := jitsuin.KindOf(err); k != jitsuin.Invalid && k != jitsuin.Expired {
				t.Fatalf("kind %v: %v", k, err)
			}
			return
		}
		if limited, _ := stay.Limited(); limited && card.Until.After(in.StayUntil) {
			t.Fatalf("the card outlives the stay: %v, %v", card.Until, in.StayUntil)
		}
		issued := card.From.AddDays(rapid.IntRange(0, 4000).Draw(t, "later"))
		if issued.After(card.Until) {
			return
		}
		auth, err := CertificateTerm(CertificateIssue{Kind: jitsuin.AuthCert, Birth: birth, Issued: issued, CardUntil: card.Until,
			Replaces: issued.AddDays(rapid.IntRange(-30, 200).Draw(t, "left")), Generation: in.Generation})
		if err != nil {
			t.Fatal(err)
		}
		sign, err := CertificateTerm(CertificateIssue{Kind: jitsuin.SignCert, Birth: birth, Issued: issued, CardUntil: card.Until, AuthUntil: auth.Until, Generation: in.Generation})
		if err != nil {
			t.Fatal(err)
		}
		if auth.Until.After(card.Until) || sign.Until.After(auth.Until) || sign.Until.Before(issued) {
			t.Fatalf("card to %v, authentication to %v, signature to %v", card.Until, auth.Until, sign.Until)
		}
	})
}

func BenchmarkCertificateTerm(b *testing.B) {
	in := CertificateIssue{Kind: jitsuin.SignCert, Birth: d(b, "1980-02-17"), Issued: d(b, "2025-10-27"), CardUntil: d(b, "2035-02-17"), AuthUntil: d(b, "2030-02-17")}
	for b.Loop() {
		if _, err := CertificateTerm(in); err != nil {
			b.Fatal(err)
		}
	}
}
