package platform_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

func TestAPersonStaysOnePerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		other := b.Register("tenant:other", origin)
		hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
		first := b.verify(b.signed(hanako)).User
		if first == nil || !first.New {
			t.Fatalf("the first time %+v", first)
		}
		same := func(what string, u *api.User) {
			t.Helper()
			if u == nil || u.ID != first.ID || u.New {
				t.Errorf("%s: %+v, want %s", what, u, first.ID)
			}
		}
		login, err := b.login(b.tenant, hanako.Auth)
		if err != nil || login.Report.Verdict != signature.Passed {
			t.Fatalf("login: %+v %v", login, err)
		}
		same("the other certificate of the card", login.User)
		b.Agency.Reissue(hanako, jitsuin.SignCert, nil)
		same("a new signature certificate", b.verify(b.signed(hanako)).User)
		b.Agency.Reissue(hanako, jitsuin.AuthCert, nil)
		login, err = b.login(b.tenant, hanako.Auth)
		if err != nil {
			t.Fatal(err)
		}
		same("a new authentication certificate", login.User)

		if u := b.verify(b.signed(taro)).User; u == nil || u.ID == first.ID || !u.New {
			t.Errorf("another person: %+v", u)
		}
		v, err := b.verifyAs(other, b.signed(hanako))
		if err != nil || v.User == nil || v.User.ID == first.ID || !v.User.New {
			t.Errorf("the same person at another tenant: %+v, %v", v.User, err)
		}
		for _, c := range []string{hanako.Sign.Cert.SerialNumber.Text(16), hanako.Auth.Cert.SerialNumber.Text(16)} {
			if strings.Contains(first.ID, c) {
				t.Error("the user's id is a serial number")
			}
		}
	})
}

func TestWithoutLinksNobodyIsMadeUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		known, stranger := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
		first := b.verify(b.signed(known)).User
		b.Agency.LinksDown.Store(true)
		_, err := b.verifyAs(b.tenant, b.signed(stranger))
		code(t, err, jitsuin.Unavailable, "links-unavailable")
		_, err = b.login(b.tenant, stranger.Auth)
		code(t, err, jitsuin.Unavailable, "links-unavailable")
		if n := b.count(`SELECT COUNT(*) FROM users`); n != 1 {
			t.Errorf("%d users while the links were down, want the one before", n)
		}
		if n := b.count(`SELECT COUNT(*) FROM checks`); n != 1 {
			t.Errorf("%d checks, want 1: an unanswered one is none", n)
		}
		if u := b.verify(b.signed(known)).User; u.ID != first.ID {
			t.Errorf("a known certificate needs no link: %+v", u)
		}
		for _, serial := range []string{stranger.Sign.Cert.SerialNumber.Text(16), stranger.Auth.Cert.SerialNumber.Text(16)} {
			if strings.Contains(b.Log.String(), serial) || strings.Contains(err.Error(), serial) {
				t.Error("a serial number is in the log or in the error")
			}
		}
		b.Agency.Reissue(known, jitsuin.SignCert, nil)
		_, err = b.verifyAs(b.tenant, b.signed(known))
		code(t, err, jitsuin.Unavailable, "links-unavailable")
		b.Agency.LinksDown.Store(false)
		if u := b.verify(b.signed(known)).User; u.ID != first.ID || u.New {
			t.Errorf("after the links came back: %+v, want %s", u, first.ID)
		}
	})
}

// Both certificates of one person are shown for the first time at the same moment, many times over.
func TestTwoChecksAtATimeMakeOneUser(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako := b.Agency.Resident("霧島　花子")
		request := b.signed(hanako)
		var mu sync.Mutex
		ids, made := map[string]bool{}, 0
		seen := func(u *api.User, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil || u == nil {
				t.Errorf("no user: %v", err)
				return
			}
			ids[u.ID] = true
			if u.New {
				made++
			}
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { v, err := b.verifyAs(b.tenant, request); seen(v.User, err) })
			c := b.challenge(b.tenant)
			all.Go(func() { l, err := b.answer(b.tenant, c, hanako.Auth); seen(l.User, err) })
		}
		all.Wait()
		if len(ids) != 1 || made != 1 {
			t.Errorf("%d ids, %d of them new: %v", len(ids), made, ids)
		}
		if n := b.count(`SELECT COUNT(*) FROM users`); n != 1 {
			t.Errorf("%d users", n)
		}
	})
}

// The platform's own log and database keep neither the document nor, outside the vault, the four
// items or what is part of an address.
func TestWhatThePlatformDoesNotKeep(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
		b.verify(b.signed(hanako))
		b.verify(api.VerificationRequest{Signature: embed(t, taro, document)})
		altered := b.signed(hanako)
		altered.Document = append([]byte("追記。"), document...)
		b.verify(altered)
		b.Agency.Reissue(taro, jitsuin.SignCert, func(c *cert.Template) { c.Items.Name = "沢渡　太郎" })
		if _, err := b.login(b.tenant, hanako.Auth); err != nil {
			t.Fatal(err)
		}
		tables := b.dump(t)
		if len(tables["checks"]) == 0 || len(tables["vault_records"]) == 0 {
			t.Fatal("the dump is empty")
		}
		for table, rows := range tables {
			if strings.Contains(rows, "取引約款") {
				t.Errorf("table %s holds the document", table)
			}
			if table == "vault_records" || table == "record_entries" {
				continue
			}
			for _, word := range []string{"霧島", "花子", "沢渡", "朝霧", "大字見本", "Asagiri", "Kasumi", "1980-02-17", "19800217", "0A1B2C3D4E91201003A"} {
				if strings.Contains(rows, word) {
					t.Errorf("table %s holds %q", table, word)
				}
			}
			for _, c := range []string{hanako.Sign.Cert.SerialNumber.Text(16), hanako.Auth.Cert.SerialNumber.Text(16)} {
				if strings.Contains(rows, c) && table != "user_certificates" && table != "check_certificates" { // what a later look at the status needs
					t.Errorf("table %s holds a serial number", table)
				}
			}
		}
		for _, word := range []string{"取引約款", "霧島", "沢渡", "大字見本", hanako.Sign.Cert.SerialNumber.Text(16)} {
			if strings.Contains(b.Log.String(), word) {
				t.Errorf("the log holds %q", word)
			}
		}
	})
}

// dump gives every table of the platform's database as text.
func (b *bank) dump(t *testing.T) map[string]string {
	t.Helper()
	names := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if b.Platform.DB.Shared() {
		names = `SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'`
	}
	out := map[string]string{}
	err := b.Platform.DB.View(t.Context(), func(tx *store.Tx) error {
		tables, err := store.Collect(func(s store.Scanner) (n string, err error) { return n, s.Scan(&n) })(tx.Query(names))
		if err != nil {
			return err
		}
		for _, name := range tables {
			text, err := dumpTable(tx, name)
			if err != nil {
				return err
			}
			out[name] = text
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func dumpTable(tx *store.Tx, name string) (string, error) {
	rows, err := tx.Query(`SELECT * FROM ` + name)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for rows.Next() {
		values, into := make([][]byte, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		for _, v := range values {
			all.Write(v)
			all.WriteByte('\n')
		}
	}
	return all.String(), rows.Err()
}
