package metering_test

import (
	"context"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/metering"
	"github.com/jitsuin/jitsuin/rules"
)

func openStore(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), url, platform.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		for _, id := range []string{"tenant:a", "tenant:b"} {
			if _, err := tx.Exec(`INSERT INTO tenants (id, name, origins, public_key, deemed_since) VALUES ($1, 'x', '[]', $2, '2020-01-01')`, id, []byte{1}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func date(y, m, d int) jitsuin.Date { return jitsuin.Date{Year: y, Month: time.Month(m), Day: d} }

// The day is a civil day in Japan, the fee that of the day, and every sum a count times a fee: tested at midnight
// where the fees changed.
func TestSumsAreExactAtMidnight(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db := openStore(t, url)
		last, next := date(2022, 12, 31), date(2023, 1, 1)
		record := func(tenant string, at time.Time, n int, u rules.Use, kind jitsuin.CertKind, method string) {
			t.Helper()
			var uses []metering.Use
			for range n {
				uses = append(uses, metering.Of(string(u), kind, method))
			}
			if err := db.Update(t.Context(), func(tx *store.Tx) error { return metering.Record(tx, tenant, at, uses...) }); err != nil {
				t.Fatal(err)
			}
		}
		record("tenant:a", last.LastSecond(), 3, rules.UseStatus, jitsuin.SignCert, rules.ByOCSP)
		record("tenant:a", next.Start().Add(-time.Microsecond).UTC(), 1, rules.UseStatus, jitsuin.SignCert, rules.ByOCSP) // still the day before, whatever UTC says
		record("tenant:a", next.Start(), 5, rules.UseStatus, jitsuin.SignCert, rules.ByOCSP)
		record("tenant:a", last.LastSecond(), 7, rules.UseStatus, jitsuin.AuthCert, rules.ByCRL)
		record("tenant:a", next.Start(), 2, metering.Login, jitsuin.AuthCert, "")
		record("tenant:b", last.LastSecond(), 100, rules.UseStatus, jitsuin.SignCert, rules.ByOCSP)
		record("tenant:a", date(2026, 4, 1).Start(), 2, rules.UseLatest, "", "")
		record("tenant:a", date(2026, 4, 1).Start(), 9, rules.UseNothingNew, "", "")

		sum := func(tenant string, from, to jitsuin.Date, byDay bool) (lines []metering.Line) {
			t.Helper()
			err := db.View(t.Context(), func(tx *store.Tx) (err error) {
				lines, err = metering.Sum(tx, tenant, from, to, byDay)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				if l.Yen != int64(l.Each)*l.Count {
					t.Errorf("%+v is no count times a fee", l)
				}
			}
			return lines
		}
		for _, c := range []struct {
			tenant   string
			from, to jitsuin.Date
			lines    int
			yen      int64
		}{
			{"tenant:a", last, last, 2, 4*20 + 7*2},
			{"tenant:a", next, next, 2, 0},
			{"tenant:a", last, next, 4, 4*20 + 7*2}, // the two fees of one service stay apart
			{"tenant:b", last, next, 1, 100 * 20},
			{"tenant:a", date(2026, 4, 1), date(2026, 4, 30), 2, 40},
			{"tenant:a", date(2026, 4, 2), date(2026, 4, 30), 0, 0},
		} {
			if got := sum(c.tenant, c.from, c.to, false); len(got) != c.lines || metering.Total(got) != c.yen {
				t.Errorf("%s from %s to %s: %d yen in %+v, want %d in %d lines", c.tenant, c.from, c.to, metering.Total(got), got, c.yen, c.lines)
			}
		}
		if days := sum("tenant:a", last, next, true); len(days) != 4 || days[0].Day != "2022-12-31" || days[3].Day != "2023-01-01" {
			t.Errorf("by day: %+v", days)
		}
		var ids []string
		err := db.View(t.Context(), func(tx *store.Tx) (err error) { ids, err = metering.Tenants(tx, last, last); return err })
		if err != nil || len(ids) != 2 {
			t.Errorf("%v, %v", ids, err)
		}
	})
}

// What the list of fees does not have is not written down as free.
func TestWhatHasNoFeeIsRefused(t *testing.T) {
	db := openStore(t, "sqlite::memory:")
	for _, u := range []metering.Use{metering.Of("status", jitsuin.SignCert, "telephone"), metering.Of("status", "", rules.ByOCSP), metering.Of("gossip", "", "")} {
		err := db.Update(t.Context(), func(tx *store.Tx) error { return metering.Record(tx, "tenant:a", date(2026, 1, 1).Start(), u) })
		if jitsuin.CodeOf(err) != "fee-unknown" {
			t.Errorf("%+v: %v", u, err)
		}
	}
}
