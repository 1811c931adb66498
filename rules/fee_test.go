package rules

import (
	"testing"

	"github.com/jitsuin/jitsuin"
)

func TestTheFeeOfTheDay(t *testing.T) {
	for _, c := range []struct {
		use    Use
		kind   jitsuin.CertKind
		method string
		on     jitsuin.Date
		yen    int // -1: there is none
	}{
		{UseStatus, jitsuin.SignCert, ByOCSP, day(2015, 12, 31), -1},
		{UseStatus, jitsuin.SignCert, ByOCSP, day(2016, 1, 1), 20},
		{UseStatus, jitsuin.SignCert, ByOCSP, day(2022, 12, 31), 20},
		{UseStatus, jitsuin.SignCert, ByOCSP, day(2023, 1, 1), 0},
		{UseStatus, jitsuin.AuthCert, ByOCSP, day(2022, 12, 31), 2},
		{UseStatus, jitsuin.AuthCert, ByOCSP, day(2023, 1, 1), 0},
		{UseStatus, jitsuin.SignCert, ByCRL, day(2022, 12, 31), 20},
		{UseStatus, jitsuin.SignCert, ByCRL, day(2023, 1, 1), 0},
		{UseStatus, jitsuin.AuthCert, ByCRL, day(2022, 12, 31), 2},
		{UseStatus, jitsuin.AuthCert, ByCRL, day(2040, 1, 1), 0},
		{UseLatest, "", "", day(2023, 5, 15), -1},
		{UseLatest, "", "", day(2023, 5, 16), 20},
		{UseNothingNew, "", "", day(2023, 5, 15), -1},
		{UseNothingNew, "", "", day(2023, 5, 16), 0},
		{UseStatus, jitsuin.SignCert, "telephone", day(2026, 1, 1), -1},
		{UseStatus, "", ByOCSP, day(2026, 1, 1), -1},
		{"", jitsuin.SignCert, ByOCSP, day(2026, 1, 1), -1},
	} {
		r, err := UseFee(c.use, c.kind, c.method, c.on)
		switch {
		case c.yen < 0 && jitsuin.KindOf(err) != jitsuin.Invalid:
			t.Errorf("%+v: %d yen, %v", c, r.N, err)
		case c.yen >= 0 && (err != nil || r.N != c.yen || r.Unit != Yen || r.Source.Act.JA == ""):
			t.Errorf("%+v: %+v, %v", c, r, err)
		}
	}
}

// On every day each item has one fee at most.
func TestFeesDoNotOverlap(t *testing.T) {
	all := Fees()
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.ID != b.ID {
				continue
			}
			for _, d := range []jitsuin.Date{a.InForce.From, a.InForce.Until, b.InForce.From, b.InForce.Until} {
				if !d.IsZero() && a.InForce.Covers(d) && b.InForce.Covers(d) {
					t.Errorf("%s has two fees on %v", a.ID, d)
				}
			}
		}
	}
}
