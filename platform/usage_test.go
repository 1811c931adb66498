package platform_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
)

// count of a line, 0 where there is none.
func used(u api.Usage, service, kind, method string) (n int64) {
	for _, l := range u.Lines {
		if l.Service == service && l.Kind == kind && l.Method == method {
			n += l.Count
		}
	}
	return n
}

// What a tenant used is counted with its checks, once each, and never says of whom.
func TestWhatIsUsedIsCounted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		lists := b.Register("tenant:kiosk", origin)
		crl := platform.ValidityCRL
		must[api.Tenant](t)(own[api.Tenant](b, lists, "PATCH", "/v1/tenant", api.OwnChange{Validity: &crl}))
		hanako := b.Agency.Resident("霧島　花子")
		key, signed := string(jitsuin.NewID()), b.signed(hanako)
		for range 2 { // the second is a repetition
			must[api.Verification](t)(b.verifyWith(b.tenant, key, signed))
		}
		b.verify(api.VerificationRequest{Signature: []byte("no signature at all")}) // J-LIS is asked nothing
		must[api.Login](t)(b.login(b.tenant, hanako.Auth))
		for range 3 {
			must[api.Verification](t)(b.verifyAs(lists, b.signed(hanako)))
		}
		b.Status.Down.Store(true)
		b.verify(b.signed(hanako)) // no answer, no fee
		b.Status.Down.Store(false)

		mine := must[api.Usage](t)(own[api.Usage](b, b.tenant, "GET", "/v1/usage", nil))
		for _, want := range []struct {
			service, kind, method string
			n                     int64
		}{{"document", "sign", "", 3}, {"login", "auth", "", 1}, {"status", "sign", "ocsp", 1}, {"status", "auth", "ocsp", 1}, {"status", "sign", "crl", 0}} {
			if n := used(mine, want.service, want.kind, want.method); n != want.n {
				t.Errorf("%d times %+v", n, want)
			}
		}
		today := jitsuin.DateOf(b.Platform.Clock.Now())
		theirs := must[api.Usage](t)(asOffice[api.Usage](b, "GET", "/v1/tenants/tenant:kiosk/usage?from="+today.String()+"&to="+today.String()+"&by=day", nil))
		if used(theirs, "status", "sign", "crl") != 3 || used(theirs, "status", "sign", "ocsp") != 0 || theirs.Lines[0].Day != today.String() || theirs.Yen != 0 {
			t.Errorf("%+v", theirs)
		}
		month := today.String()[:7]
		all := must[api.Statements](t)(asOffice[api.Statements](b, "GET", "/v1/statements/"+month, nil))
		if len(all.Statements) != 2 || all.Statements[0].Tenant != "tenant:bank" || used(all.Statements[1], "document", "sign", "") != 3 {
			t.Errorf("%+v", all)
		}
		for path, want := range map[string]string{"/v1/usage?from=2026-02-30": "date-form", "/v1/usage?from=2027-01-02&to=2027-01-01": "usage-days", "/v1/usage?from=2001-01-01&to=2027-01-01": "usage-days"} {
			_, err := own[api.Usage](b, b.tenant, "GET", path, nil)
			code(t, err, jitsuin.Invalid, want)
		}
		_, err := asOffice[json.RawMessage](b, "GET", "/v1/statements/2026-13", nil)
		code(t, err, jitsuin.Invalid, "month-form")
		b.saysNotWho(hanako.Sign.Cert.SerialNumber.Text(16), hanako.Auth.Cert.SerialNumber.Text(16))
	})
}

// saysNotWho looks through what is metered for users, checks and serial numbers.
func (b *bank) saysNotWho(serials ...string) {
	b.t.Helper()
	err := b.Platform.DB.View(b.t.Context(), func(tx *store.Tx) error {
		collect := func(query string) ([]string, error) {
			return store.Collect(func(s store.Scanner) (x string, err error) { return x, s.Scan(&x) })(tx.Query(query))
		}
		lines, err := collect(`SELECT id || ' ' || day || ' ' || service || ' ' || kind || ' ' || method FROM metered`)
		if err != nil || len(lines) == 0 {
			return fmt.Errorf("%d lines: %w", len(lines), err)
		}
		users, err := collect(`SELECT id FROM users`)
		if err != nil {
			return err
		}
		checks, err := collect(`SELECT id FROM checks`)
		if err != nil || len(users) == 0 || len(checks) == 0 {
			return fmt.Errorf("%d users, %d checks: %w", len(users), len(checks), err)
		}
		for _, who := range append(append(users, checks...), serials...) {
			if strings.Contains(strings.Join(lines, "\n"), who) {
				b.t.Errorf("what is metered says of whom: %s", who)
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}
