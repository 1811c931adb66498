package platform_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// earlier are the migrations of the release before records had entries.
func earlier(t *testing.T) fs.FS {
	t.Helper()
	old := fstest.MapFS{}
	for _, name := range []string{"00001_platform.sql", "00002_requests.sql"} {
		text, err := fs.ReadFile(platform.Migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		old[name] = &fstest.MapFile{Data: text}
	}
	return old
}

// The vault of an earlier release is opened: its records get their first entry from what they hold, and say what they lack.
func TestRecordsOfAnEarlierReleaseAreReadOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, "sqlite::memory:", nil)
		hanako := b.Agency.Resident("霧島　花子")
		now := b.Platform.Clock.Now()
		b.Stop()
		db, err := store.Open(t.Context(), url, earlier(t))
		if err != nil {
			t.Fatal(err)
		}
		check, week, record := jitsuin.NewID(), jitsuin.NewID(), jitsuin.NewID()
		err = db.Update(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Exec(`INSERT INTO tenants (id, name, origins, public_key, deemed_since) VALUES ($1, 'n', '[]', $2, '2026-01-01')`, b.tenant.ID, platformtest.SPKI(t, b.tenant)); err != nil {
				return err
			}
			for id, purpose := range map[jitsuin.ID]string{check: "account", week: "application"} {
				if _, err := tx.Exec(`INSERT INTO checks (id, tenant, sort, purpose, checked_at, at_instant, digest, verdict, report, user_id, user_new, request_id)
					VALUES ($1, $2, 'document', $3, $4, 0, 'abcd', 'TOTAL-PASSED', '{}', 'user-1', 1, '')`, id, b.tenant.ID, purpose, store.Micros(now)); err != nil {
					return err
				}
			}
			insert := `INSERT INTO vault_records (id, tenant, verification, kind, law, made_at, keep_until, signature, certificate, status) VALUES ($1, $2, $3, $4, 'law', $5, $6, $7, $8, $9)`
			if _, err := tx.Exec(insert, record, b.tenant.ID, check, "confirmation", store.Micros(now), "", []byte{0x30, 1}, hanako.Sign.Cert.Raw, []byte{0x30, 2}); err != nil {
				return err
			}
			_, err := tx.Exec(insert, jitsuin.NewID(), b.tenant.ID, week, "repetition", store.Micros(now), jitsuin.DateOf(now).AddDays(-1).String(), []byte{0x30, 1}, hanako.Sign.Cert.Raw, []byte{0x30, 2})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // and once more, when there is nothing to do
			b.StartPlatform(url, nil)
			b.Accredit(minister.InForce)
			r := b.read(record)
			if r.Entries != 1 || value(r.Items, "name") != hanako.Items.Name || r.User != "user-1" || r.Complete || len(r.Missing) != 7 || !strings.Contains(value(r.Items, "method"), "カ") {
				t.Errorf("%+v", r)
			}
			b.until("what no law asks for is dropped", `SELECT COUNT(*) FROM vault_records`, 1)
			if n := b.count(`SELECT COUNT(*) FROM record_destructions`); n != 0 {
				t.Errorf("%d certificates", n)
			}
			b.Stop()
		}
		b.StartPlatform(url, nil)
		b.Accredit(minister.InForce)
		if h, err := b.post(record, "/amendments", api.Amendment{Reason: "追記", Items: map[string]string{"occupation": "会社員"}}); err != nil || h.Entries != 2 {
			t.Errorf("%+v, %v", h, err)
		}
	})
}
