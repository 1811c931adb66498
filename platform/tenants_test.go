package platform_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
)

// asOffice calls as the office of the platform.
func asOffice[O any](b *bank, method, path string, in any) (O, error) {
	return call[O](b, b.As("operator:1"), method, path, in)
}

// own calls as a tenant, about itself.
func own[O any](b *bank, tenant httpapi.Identity, method, path string, in any) (O, error) {
	return call[O](b, b.Tenant(tenant), method, path, in)
}

func call[O any](b *bank, r *httpapi.Remote, method, path string, in any) (O, error) {
	defer r.Close()
	key := ""
	if method != http.MethodGet {
		key = string(jitsuin.NewID())
	}
	return httpapi.Do[O](b.t.Context(), r, method, path, key, in)
}

func must[O any](t *testing.T) func(O, error) O {
	return func(o O, err error) O {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
}

// lines gives the acts of the operation log about a subject, in their order.
func (b *bank) logLines(subject string) (all []audit.Line) {
	b.t.Helper()
	err := b.Platform.DB.View(b.t.Context(), func(tx *store.Tx) error {
		all = nil
		for _, table := range []string{"feed_events", "feed_outbox"} {
			texts, err := store.Collect(func(s store.Scanner) (x string, err error) { return x, s.Scan(&x) })(
				tx.Query(`SELECT body FROM `+table+` WHERE topic = $1 AND subject = $2 ORDER BY version`, audit.Topic, subject))
			if err != nil {
				return err
			}
			for _, text := range texts {
				var l audit.Line
				if err := json.Unmarshal([]byte(text), &l); err != nil {
					return err
				}
				all = append(all, l)
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

func logActs(lines []audit.Line) string {
	var all []string
	for _, l := range lines {
		all = append(all, l.Act)
	}
	return strings.Join(all, " ")
}

func contract(number string, since jitsuin.Date) *api.Contract {
	return &api.Contract{Number: number, Since: since, Entrusts: []string{api.EntrustReceiving, api.EntrustValidity}}
}

// A tenant from its registration to its end: what is checked for it, what it may read, and what the operation log says.
func TestATenantsLife(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako := b.Agency.Resident("霧島　花子")
		first := b.verify(b.signed(hanako))
		move := func(state string) (api.Tenant, error) {
			if state == api.TenantSuspended {
				return asOffice[api.Tenant](b, "POST", "/v1/tenants/tenant:bank/suspension", api.Reasoned{Reason: "委託料の不払い"})
			}
			return b.Platform.Become("tenant:bank", state, "委託料の不払い")
		}
		if s := must[api.Tenant](t)(move(api.TenantSuspended)); s.State != api.TenantSuspended {
			t.Errorf("%+v", s)
		}
		_, err := b.verifyAs(b.tenant, b.signed(hanako))
		code(t, err, jitsuin.Denied, "tenant-suspended")
		err = b.once(b.tenant, "/v1/login-challenges", "", api.ChallengeRequest{Origin: origin, Purpose: "login"}, nil)
		code(t, err, jitsuin.Denied, "tenant-suspended")
		again, err := own[api.Verification](b, b.tenant, "GET", "/v1/verifications/"+string(first.ID), nil)
		if err != nil || again.ID != first.ID {
			t.Errorf("what was kept for a suspended tenant: %+v, %v", again, err)
		}
		_, err = move(api.TenantSuspended)
		code(t, err, jitsuin.Conflict, "tenant-state")
		must[api.Tenant](t)(move(api.TenantActive))
		b.verify(b.signed(hanako))
		ended := must[api.Tenant](t)(move(api.TenantEnded))
		if ended.State != api.TenantEnded || ended.Reason != "" {
			t.Errorf("%+v", ended)
		}
		_, err = b.verifyAs(b.tenant, b.signed(hanako))
		code(t, err, jitsuin.Denied, "tenant-ended")
		_, err = move(api.TenantActive)
		code(t, err, jitsuin.Conflict, "tenant-state")
		_, err = b.TryRegister("operator:1", api.TenantRequest{ID: "tenant:bank", Name: "銀行", Origins: []string{}, PublicKey: platformtest.SPKI(t, b.tenant)})
		code(t, err, jitsuin.Conflict, "tenant-exists")
		if n := b.count(`SELECT COUNT(*) FROM vault_records WHERE tenant = $1`, "tenant:bank"); n != 2 {
			t.Errorf("%d records of a tenant that has ended, want 2", n)
		}
		log := b.logLines("tenant:bank")
		if got := logActs(log); got != "tenant-registered tenant-suspended tenant-lifted tenant-ended" {
			t.Errorf("the operation log: %s", got)
		}
		for _, l := range log {
			if !strings.HasPrefix(l.Who, "operator:") || l.Tenant != "tenant:bank" || l.Request == "" || l.Act != "tenant-registered" && l.Reason == "" {
				t.Errorf("%+v", l)
			}
		}
	})
}

func TestWhatTheOfficeSees(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	today := jitsuin.DateOf(b.Platform.Clock.Now())
	quota, number := &api.Quota{PerSecond: 7, Burst: 9}, contract("2026-17", today)
	changed := must[api.Tenant](t)(asOffice[api.Tenant](b, "PATCH", "/v1/tenants/tenant:bank",
		api.OfficeChange{Quota: quota, Contract: number, Contact: &api.Contact{Name: "本人確認係", Email: "kyc@bank.example"}}))
	if changed.Quota != *quota || !changed.OwnQuota || changed.Contract.Number != "2026-17" || changed.Contact.Name != "本人確認係" || changed.Name != "テナント" {
		t.Errorf("%+v", changed)
	}
	_, err := asOffice[api.Tenant](b, "PATCH", "/v1/tenants/tenant:bank", api.OfficeChange{Quota: quota})
	code(t, err, jitsuin.Invalid, "change-empty")
	number.Entrusts = []string{api.EntrustValidity}
	_, err = asOffice[api.Tenant](b, "PATCH", "/v1/tenants/tenant:bank", api.OfficeChange{Contract: number})
	code(t, err, jitsuin.Invalid, "contract-entrusts")
	must[api.Tenant](t)(asOffice[api.Tenant](b, "POST", "/v1/tenants/tenant:bank/suspension", api.Reasoned{Reason: "調査中"}))
	b.Register("tenant:airline", origin)
	list := must[api.TenantList](t)(asOffice[api.TenantList](b, "GET", "/v1/tenants", nil))
	if len(list.Tenants) != 2 || list.Tenants[0].ID != "tenant:airline" || list.Tenants[1].Reason != "調査中" || len(list.Tenants[1].Keys) != 1 || list.Next != "" {
		t.Errorf("%+v", list)
	}
	mine := must[api.Tenant](t)(own[api.Tenant](b, b.tenant, "GET", "/v1/tenant", nil))
	if mine.ID != "tenant:bank" || mine.Reason != "" || mine.State != api.TenantSuspended || mine.Contract.Number != "2026-17" {
		t.Errorf("its own view: %+v", mine)
	}
	for _, path := range []string{"/v1/tenants", "/v1/tenants/tenant:airline", "/v1/tenants/tenant:bank", "/v1/tenants/tenant:bank/usage", "/v1/statements/2026-11"} {
		_, err := own[json.RawMessage](b, b.tenant, "GET", path, nil)
		code(t, err, jitsuin.Denied, "not-for-this-caller")
	}
	_, err = asOffice[api.Tenant](b, "GET", "/v1/tenants/tenant:nobody", nil)
	code(t, err, jitsuin.NotFound, "tenant-unknown")
}

// Outside a sandbox nothing is checked for a tenant without a contract, before its first day or after its last.
func TestNothingIsCheckedWithoutAContract(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	hanako := b.Agency.Resident("霧島　花子")
	tomorrow := jitsuin.DateOf(b.Platform.Clock.Now()).AddDays(1)
	key := must2(actor.NewKey())(t)
	shop := httpapi.Identity{ID: "tenant:shop", Key: key}
	must[api.Tenant](t)(b.TryRegister("operator:1", api.TenantRequest{ID: shop.ID, Name: "店", Origins: []string{origin}, PublicKey: platformtest.SPKI(t, shop)}))
	_, err := b.verifyAs(shop, b.signed(hanako))
	code(t, err, jitsuin.Denied, "contract-missing")
	c := contract("1", tomorrow)
	c.Until = tomorrow
	must[api.Tenant](t)(asOffice[api.Tenant](b, "PATCH", "/v1/tenants/tenant:shop", api.OfficeChange{Contract: c}))
	_, err = b.verifyAs(shop, b.signed(hanako))
	code(t, err, jitsuin.Denied, "contract-over")
	b.advance(tomorrow.Start().Sub(b.Platform.Clock.Now()))
	if _, err := b.verifyAs(shop, b.signed(hanako)); err != nil {
		t.Errorf("on the contract's only day: %v", err)
	}
	b.advance(tomorrow.AddDays(1).Start().Sub(b.Platform.Clock.Now()))
	_, err = b.verifyAs(shop, b.signed(hanako))
	code(t, err, jitsuin.Denied, "contract-over")
}

func must2[O any](o O, err error) func(*testing.T) O {
	return func(t *testing.T) O {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
}

// A key is changed without a gap, and the old one's end takes effect at once, for the tokens that it bought too.
func TestAKeyIsRotated(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		next := httpapi.Identity{ID: b.tenant.ID, Key: must2(actor.NewKey())(t)}
		old := b.Tenant(b.tenant)
		defer old.Close()
		mine := must[api.Tenant](t)(httpapi.Do[api.Tenant](t.Context(), old, "GET", "/v1/tenant", "", nil))
		first := mine.Keys[0].KID
		_, err := own[api.Tenant](b, b.tenant, "POST", "/v1/tenant/keys/"+first+"/end", api.Reasoned{Reason: "rotation"})
		code(t, err, jitsuin.Conflict, "key-last")
		_, err = own[api.Tenant](b, next, "GET", "/v1/tenant", nil)
		code(t, err, jitsuin.Unauthenticated, "assertion")

		two := must[api.Tenant](t)(own[api.Tenant](b, b.tenant, "POST", "/v1/tenant/keys", api.KeyRequest{PublicKey: platformtest.SPKI(t, next), KID: "next"}))
		if len(two.Keys) != 2 {
			t.Fatalf("%+v", two.Keys)
		}
		for _, with := range []httpapi.Identity{b.tenant, next} {
			must[api.Tenant](t)(own[api.Tenant](b, with, "GET", "/v1/tenant", nil))
		}
		_, err = own[api.Tenant](b, b.tenant, "POST", "/v1/tenant/keys", api.KeyRequest{PublicKey: platformtest.SPKI(t, next), KID: "again"})
		code(t, err, jitsuin.Conflict, "key-exists")
		must[api.Tenant](t)(own[api.Tenant](b, next, "POST", "/v1/tenant/keys/"+first+"/end", api.Reasoned{Reason: "rotation"}))
		// old still holds a token that lives for minutes; the key behind it is gone, so the token is.
		_, err = httpapi.Do[api.Tenant](t.Context(), old, "GET", "/v1/tenant", "", nil)
		code(t, err, jitsuin.Unauthenticated, "assertion")
		must[api.Tenant](t)(own[api.Tenant](b, next, "GET", "/v1/tenant", nil))
		_, err = own[api.Tenant](b, next, "POST", "/v1/tenant/keys", api.KeyRequest{PublicKey: platformtest.SPKI(t, b.tenant)})
		code(t, err, jitsuin.Conflict, "key-exists")                                                                 // ended is ended
		if got := logActs(b.logLines("tenant:bank")); got != "tenant-registered tenant-key-added tenant-key-ended" { // what was refused left no line
			t.Errorf("the operation log: %s", got)
		}
		// The office adds one too, and may end the last one, when it was stolen.
		third := httpapi.Identity{ID: b.tenant.ID, Key: must2(actor.NewKey())(t)}
		must[api.Tenant](t)(b.Platform.TakeKey("tenant:bank", api.KeyRequest{PublicKey: platformtest.SPKI(t, third), KID: "third"}))
		must[api.Tenant](t)(own[api.Tenant](b, third, "GET", "/v1/tenant", nil))
		must[api.Tenant](t)(asOffice[api.Tenant](b, "POST", "/v1/tenants/tenant:bank/keys/third/end", api.Reasoned{Reason: "stolen"}))
		must[api.Tenant](t)(asOffice[api.Tenant](b, "POST", "/v1/tenants/tenant:bank/keys/next/end", api.Reasoned{Reason: "stolen"}))
		_, err = own[api.Tenant](b, next, "GET", "/v1/tenant", nil)
		code(t, err, jitsuin.Unauthenticated, "assertion")
	})
}

// accessToken buys an access token, to be used by hand.
func (b *bank) accessToken(tenant httpapi.Identity) string {
	b.t.Helper()
	signer := must2(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: tenant.Key}, nil))(b.t)
	now := time.Now()
	assertion := must2(jwt.Signed(signer).Claims(jwt.Claims{Issuer: tenant.ID, Subject: tenant.ID, Audience: jwt.Audience{platformtest.ID},
		ID: string(jitsuin.NewID()), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute))}).Serialize())(b.t)
	resp := must2(http.PostForm(b.Origin+"/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}))(b.t)
	defer resp.Body.Close()
	var sold struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&sold); err != nil || sold.Token == "" {
		b.t.Fatalf("%s sells no token: %v", resp.Status, err)
	}
	return sold.Token
}

// bare sends a request with a token by hand.
func (b *bank) bare(method, path, token string, body []byte) *http.Response {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.Origin+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestFormsOfAKey(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	key := must2(actor.NewKey())(t)
	der := must2(x509.MarshalPKIXPublicKey(&key.PublicKey))(t)
	public := must2((&jose.JSONWebKey{Key: &key.PublicKey, KeyID: "jwk-1"}).MarshalJSON())(t)
	private := must2((&jose.JSONWebKey{Key: key}).MarshalJSON())(t)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	for _, c := range []struct {
		r    api.KeyRequest
		code string
	}{
		{api.KeyRequest{}, "tenant-key"}, {api.KeyRequest{PEM: text, PublicKey: der}, "tenant-key"}, {api.KeyRequest{JWK: private}, "tenant-key"},
		{api.KeyRequest{PEM: "-----BEGIN"}, "tenant-key"}, {api.KeyRequest{PublicKey: der[1:]}, "tenant-key"}, {api.KeyRequest{PEM: text, KID: "../x"}, "kid-form"},
		{api.KeyRequest{JWK: json.RawMessage(`{"kty":"oct","k":"AAAA"}`)}, "tenant-key"},
		{api.KeyRequest{JWK: public}, ""}, {api.KeyRequest{PEM: text}, "key-exists"},
	} {
		got, err := own[api.Tenant](b, b.tenant, "POST", "/v1/tenant/keys", c.r)
		if jitsuin.CodeOf(err) != c.code {
			t.Errorf("%+v: %v", c.r, err)
		}
		if c.code == "" && (got.Keys[0].KID != "jwk-1" || !bytes.Equal(got.Keys[0].PublicKey, der)) {
			t.Errorf("%+v", got.Keys)
		}
	}
}

// More than the quota is refused before the body is read, says when to come again, and troubles nobody else.
func TestAQuotaIsKept(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	other := b.Register("tenant:other", origin)
	must[api.Tenant](t)(asOffice[api.Tenant](b, "PATCH", "/v1/tenants/tenant:bank", api.OfficeChange{Quota: &api.Quota{PerSecond: 1, Burst: 2}}))
	token := b.accessToken(b.tenant)
	var refused *http.Response
	for range 50 {
		if resp := b.bare("POST", "/v1/verifications", token, []byte("{")); resp.StatusCode == http.StatusTooManyRequests {
			refused = resp
			break
		}
	}
	if refused == nil {
		t.Fatal("fifty requests passed a quota of one a second")
	}
	var p httpapi.Problem
	if err := json.NewDecoder(refused.Body).Decode(&p); err != nil || p.Code != "quota-exceeded" || p.Kind != "limited" || p.Hint == "" {
		t.Errorf("%+v, %v", p, err)
	}
	if after, err := strconv.Atoi(refused.Header.Get("Retry-After")); err != nil || after < 1 || after > 2 {
		t.Errorf("Retry-After is %q", refused.Header.Get("Retry-After"))
	}
	for range 20 {
		must[api.Tenant](t)(own[api.Tenant](b, other, "GET", "/v1/tenant", nil))
	}
	seen := must[api.Tenant](t)(asOffice[api.Tenant](b, "GET", "/v1/tenants/tenant:bank", nil))
	if seen.Refused == 0 {
		t.Error("the office is not told of refusals")
	}
	must[api.Tenant](t)(asOffice[api.Tenant](b, "PATCH", "/v1/tenants/tenant:bank", api.OfficeChange{Quota: &api.Quota{PerSecond: 1000, Burst: 1000}}))
	if resp := b.bare("GET", "/v1/tenant", token, nil); resp.StatusCode != http.StatusOK {
		t.Errorf("with a higher quota: %s", resp.Status)
	}
}

// Lists and questions stand beside each other: each tenant's checks ask as it is set, and a list at hand is enough
// while the status origin rests, as long as it is fresh.
func TestValidityPerTenant(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	lists := b.Register("tenant:kiosk", origin)
	crl := platform.ValidityCRL
	changed := must[api.Tenant](t)(own[api.Tenant](b, lists, "PATCH", "/v1/tenant", api.OwnChange{Validity: &crl}))
	if changed.Validity != crl {
		t.Errorf("%+v", changed)
	}
	hanako := b.Agency.Resident("霧島　花子")
	source := func(who httpapi.Identity, validity string) string {
		r := b.signed(hanako)
		r.Validity = validity
		v := must[api.Verification](t)(b.verifyAs(who, r))
		if v.Report.Verdict != signature.Passed {
			t.Errorf("%s: %+v", who.ID, v.Report.Reasons)
		}
		return v.Report.Revocation.Source
	}
	if a, b := source(b.tenant, ""), source(lists, ""); a != cert.SourceOCSP || b != cert.SourceCRL {
		t.Errorf("sources %s and %s", a, b)
	}
	if a, b := source(b.tenant, "crl"), source(lists, "ocsp"); a != cert.SourceCRL || b != cert.SourceOCSP {
		t.Errorf("asked for one check: %s and %s", a, b)
	}
	if l, err := b.login(lists, hanako.Auth); err != nil || l.Report.Revocation.Source != cert.SourceCRL {
		t.Errorf("%+v, %v", l.Report.Revocation, err)
	}
	b.Status.Down.Store(true)
	if s := source(lists, ""); s != cert.SourceCRL {
		t.Errorf("off line: %s", s)
	}
	refused(t, b.verify(b.signed(hanako)), signature.Indeterminate, signature.TryLater)
	b.advance(72 * time.Hour)
	v, err := b.verifyAs(lists, b.signed(hanako)) // a stale list is never good
	if err != nil {
		t.Fatal(err)
	}
	refused(t, v, signature.Indeterminate, signature.TryLater)
}

// secondKey gives a tenant a key beside the one that it calls with.
func secondKey(b *bank, tenant httpapi.Identity) (kid string) {
	b.t.Helper()
	kid = string(jitsuin.NewID())
	next := httpapi.Identity{ID: tenant.ID, Key: must2(actor.NewKey())(b.t)}
	if _, err := own[api.Tenant](b, tenant, "POST", "/v1/tenant/keys", api.KeyRequest{PublicKey: platformtest.SPKI(b.t, next), KID: kid}); err != nil {
		b.t.Fatal(err)
	}
	return kid
}

// What takes two people on the pages of the office is not done by one call of the role operator.
func TestOneCallDoesNotDoWhatTakesTwo(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	must[api.Tenant](t)(asOffice[api.Tenant](b, "POST", "/v1/tenants/tenant:bank/suspension", api.Reasoned{Reason: "調査中"}))
	for path, in := range map[string]any{
		"/v1/tenants/tenant:bank/state": map[string]string{"state": api.TenantActive, "reason": "解除"},
		"/v1/tenants/tenant:bank/keys":  api.KeyRequest{PublicKey: platformtest.SPKI(t, httpapi.Identity{Key: must2(actor.NewKey())(t)})},
	} {
		if _, err := asOffice[api.Tenant](b, "POST", path, in); jitsuin.KindOf(err) != jitsuin.NotFound {
			t.Errorf("POST %s: %v", path, err)
		}
	}
	_, err := asOffice[api.Tenant](b, "PATCH", "/v1/tenants/tenant:bank", map[string]any{"origins": []string{"https://thief.example"}})
	if jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("other origins: %v", err)
	}
	_, err = b.TryRegister("operator:1", api.TenantRequest{ID: "tenant:bank", Name: "銀行", Origins: []string{"https://thief.example"}, PublicKey: platformtest.SPKI(t, b.tenant)})
	code(t, err, jitsuin.Conflict, "tenant-exists")
	now := must[api.Tenant](t)(asOffice[api.Tenant](b, "GET", "/v1/tenants/tenant:bank", nil))
	if now.State != api.TenantSuspended || len(now.Keys) != 1 || len(now.Origins) != 1 || now.Origins[0] != origin {
		t.Errorf("%+v", now)
	}
}
