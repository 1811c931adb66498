package platform_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
)

// approved has a second person agree to what a page has led to.
func approved(t *testing.T, second *seat, page string) (int, string) {
	t.Helper()
	return second.post("/office/approvals/"+onPage(t, approvalLink, page), url.Values{"decision": {"approve"}, "reason": {"電話で確かめた"}})
}

// asks has a tenant draw a challenge, as who is served can.
func (b *bank) asks(tenant httpapi.Identity) error {
	return b.once(tenant, "/v1/login-challenges", "", api.ChallengeRequest{Origin: origin, Purpose: "ログイン"}, nil)
}

func TestATenantIsStoppedAtOnceAndLiftedByTwo(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	desk, ops := b.joined("テナント 一郎", "tenant-desk"), b.joined("運用 一郎", "operations")
	hanako := b.Agency.Resident("霧島　花子")
	const at = "/office/tenants/tenant:bank"
	_, page := ops.get(at)
	ops.see(page, "利用中", "直ちに停止する", "鍵を直ちに無効にする")
	if strings.Contains(page, "鍵を加えることを提案する") { // not an operator's duty
		t.Error("operations are offered what they may not do")
	}
	if status, page := ops.post(at+"/suspend", url.Values{"state-reason": {" "}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "入力内容") {
		t.Errorf("without a reason: %d", status)
	}
	if status, _ := ops.post(at+"/suspend", url.Values{"state-reason": {"不正な利用の疑い"}}); status != http.StatusOK {
		t.Fatal(status)
	}
	if err := b.asks(b.tenant); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("a suspended tenant is served: %v", err)
	}
	if b.loggedLines("tenant-suspended", "運用 一郎", "不正な利用の疑い") != 1 {
		t.Error("the suspension has no line")
	}

	_, page = desk.post(at+"/lift", url.Values{"state-reason": {"疑いが晴れた"}})
	if status, page := approved(t, desk, page); status != http.StatusForbidden || !strings.Contains(page, "same-person") {
		t.Errorf("who proposed lifts alone: %d", status)
	}
	if status, _ := approved(t, ops, page); status != http.StatusOK {
		t.Fatal(status)
	}
	if l, err := b.login(b.tenant, hanako.Auth); err != nil || l.User == nil {
		t.Errorf("after it was lifted: %v", err)
	}

	// What was changed after it was proposed is looked at again.
	_, page = desk.post(at+"/end", url.Values{"state-reason": {"契約の終了"}})
	if status, _ := desk.post(at+"/suspend", url.Values{"state-reason": {"別の件"}}); status != http.StatusOK {
		t.Fatal(status)
	}
	if status, page := approved(t, ops, page); status != http.StatusConflict || !strings.Contains(page, "proposal-stale") {
		t.Errorf("what was changed meanwhile: %d", status)
	}
	if state := b.text(`SELECT state FROM tenants WHERE id = 'tenant:bank'`); state != "suspended" {
		t.Errorf("the tenant is %s", state)
	}
	if status, _ := desk.get("/office/tenants/tenant:nobody"); status != http.StatusNotFound {
		t.Errorf("a tenant that never was: %d", status)
	}
}

func TestATenantsKeysAndOrigins(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	desk, ops := b.joined("テナント 一郎", "tenant-desk"), b.joined("運用 一郎", "operations")
	hanako := b.Agency.Resident("霧島　花子")
	const at = "/office/tenants/tenant:bank"
	next, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&next.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	oneLine := strings.Join(strings.Split(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "\n"), " ")
	fresh := httpapi.Identity{ID: b.tenant.ID, Key: next}
	if status, page := desk.post(at+"/keys", url.Values{"key": {"no key"}, "key-reason": {"交換"}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "P-256 の公開鍵") {
		t.Errorf("no key: %d", status)
	}
	_, page := desk.post(at+"/keys", url.Values{"key": {oneLine}, "key-reason": {"定期の交換"}})
	if err := b.asks(fresh); jitsuin.KindOf(err) != jitsuin.Unauthenticated {
		t.Errorf("a key that waits for a second person is good: %v", err)
	}
	if status, _ := approved(t, ops, page); status != http.StatusOK {
		t.Fatal(status)
	}
	if l, err := b.login(fresh, hanako.Auth); err != nil || l.User == nil {
		t.Errorf("with the new key: %v", err)
	}
	kid := b.text(`SELECT kid FROM tenant_keys WHERE tenant = 'tenant:bank' AND added_at = (SELECT MIN(added_at) FROM tenant_keys WHERE tenant = 'tenant:bank')`)
	if status, _ := ops.post(at+"/keys/end", url.Values{"kid": {kid}, "end-key-reason": {"漏えいの届出"}}); status != http.StatusOK {
		t.Fatal(status)
	}
	if err := b.asks(b.tenant); jitsuin.KindOf(err) != jitsuin.Unauthenticated {
		t.Errorf("an ended key is good: %v", err)
	}

	if status, page := desk.post(at+"/origins", url.Values{"origins": {"HTTPS://Bank.example/"}, "origins-reason": {"移転"}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "小文字") {
		t.Errorf("no origin: %d", status)
	}
	_, page = desk.post(at+"/origins", url.Values{"origins": {"https://new.example " + origin}, "origins-reason": {"移転"}})
	desk.see(page, "https://new.example", "別の人の承認を待っています")
	if status, _ := approved(t, ops, page); status != http.StatusOK {
		t.Fatal(status)
	}
	if got := b.text(`SELECT origins FROM tenants WHERE id = 'tenant:bank'`); !strings.Contains(got, "https://new.example") {
		t.Errorf("origins %s", got)
	}
	if b.loggedLines("tenant-key-added", "運用 一郎", "定期の交換") != 1 || b.loggedLines("tenant-key-ended", "運用 一郎", "漏えいの届出") != 1 || b.loggedLines("tenant-origins-changed", "運用 一郎", "移転") != 1 {
		t.Error("an act has no line")
	}
}

func TestTwoPeopleRegisterATenantAndSetItsTerms(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	desk, ops := b.joined("テナント 一郎", "tenant-desk"), b.joined("運用 一郎", "operations")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	today := jitsuin.DateOf(b.Platform.Clock.Now())
	form := func(change func(url.Values)) url.Values {
		v := url.Values{"id": {"tenant:rental"}, "name": {"実印レンタル"}, "name-en": {"Rental"}, "origins": {origin}, "key": {string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))},
			"contract": {"委託-7"}, "since": {today.String()}, "entrusts": {"on"}, "email": {"desk@rental.example"}, "validity": {"crl"}, "reason": {"申込書と登記を確かめた"}}
		if change != nil {
			change(v)
		}
		return v
	}
	const at = "/office/tenants/new"
	if status, _ := ops.get(at); status != http.StatusForbidden {
		t.Errorf("operations are offered a form that is not theirs: %d", status)
	}
	for name, near := range map[string]func(url.Values){
		"an id in capitals":           func(v url.Values) { v.Set("id", "tenant:Rental") },
		"an id that is taken":         func(v url.Values) { v.Set("id", "tenant:bank") },
		"no key":                      func(v url.Values) { v.Set("key", "-----BEGIN PUBLIC KEY-----") },
		"no contract":                 func(v url.Values) { v.Del("contract") },
		"only a part is entrusted":    func(v url.Values) { v.Del("entrusts") },
		"it ends before it begins":    func(v url.Values) { v.Set("until", today.AddDays(-1).String()) },
		"no origin":                   func(v url.Values) { v.Set("origins", "rental.example") },
		"half a quota":                func(v url.Values) { v.Set("burst", "10") },
		"a quota that is no number":   func(v url.Values) { v.Set("burst", "viel"); v.Set("per-second", "5") },
		"a name that does not print":  func(v url.Values) { v.Set("name", "実印\u202e") },
		"no reason":                   func(v url.Values) { v.Del("reason") },
		"another way to ask validity": func(v url.Values) { v.Set("validity", "none") },
	} {
		if status, page := desk.post(at, form(near)); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, status, page)
		}
	}
	status, page := desk.post(at, form(nil))
	if status != http.StatusOK {
		t.Fatal(status, page)
	}
	desk.see(page, "tenant:rental", "実印レンタル", "委託-7", "別の人の承認を待っています")
	rental := httpapi.Identity{ID: "tenant:rental", Key: key}
	if err := b.asks(rental); jitsuin.KindOf(err) != jitsuin.Unauthenticated {
		t.Errorf("a tenant that waits for a second person is served: %v", err)
	}
	if status, _ := approved(t, desk, page); status != http.StatusForbidden {
		t.Errorf("who proposed registers alone: %d", status)
	}
	_, second := desk.post(at, form(func(v url.Values) { v.Set("name", "別の名") })) // proposed twice, registered once
	if status, _ := approved(t, ops, page); status != http.StatusOK {
		t.Fatal(status)
	}
	if status, _ := approved(t, ops, second); status != http.StatusConflict {
		t.Errorf("registered twice: %d", status)
	}
	if l, err := b.login(rental, b.Agency.Resident("霧島　花子").Auth); err != nil || l.User == nil {
		t.Errorf("registered: %v", err)
	}
	if n := b.loggedLines("tenant-registered", "運用 一郎", "申込書と登記を確かめた"); n != 1 {
		t.Errorf("%d lines of the registration", n)
	}

	terms := url.Values{"contract": {"委託-8"}, "since": {today.String()}, "until": {today.AddDays(365).String()}, "entrusts": {"on"}, "validity": {"ocsp"}, "per-second": {"7"}, "burst": {"9"}, "terms-reason": {"契約の更新"}}
	_, page = desk.post("/office/tenants/tenant:rental/terms", terms)
	desk.see(page, "委託-7", "委託-8", "7/s, 9")
	if status, _ := approved(t, ops, page); status != http.StatusOK {
		t.Fatal(status)
	}
	got := must[api.Tenant](t)(asOffice[api.Tenant](b, "GET", "/v1/tenants/tenant:rental", nil))
	if got.Contract == nil || got.Contract.Number != "委託-8" || got.Contract.Until != today.AddDays(365) || got.Validity != "ocsp" || got.Quota != (api.Quota{PerSecond: 7, Burst: 9}) || got.Contact != nil || got.Contract.PINless {
		t.Errorf("%+v", got)
	}

	// PIN-less use stays as it is where something else is changed: the form has it. It is told where it is decided, and taken away like the rest.
	pinless := func() bool {
		return must[api.Tenant](t)(asOffice[api.Tenant](b, "GET", "/v1/tenants/tenant:rental", nil)).Contract.PINless
	}
	const box = `name="pinless" value="yes" checked`
	for _, want := range []bool{true, false} {
		terms.Del("pinless")
		terms.Del("act") // another act
		if want {
			terms.Set("pinless", "on")
		}
		if _, page = desk.post("/office/tenants/tenant:rental/terms", terms); !strings.Contains(page, "PIN-less use") {
			t.Error("it is not told that PIN-less use is decided")
		}
		if status, _ := approved(t, ops, page); status != http.StatusOK || pinless() != want {
			t.Errorf("HTTP %d, PIN-less use %v", status, pinless())
		}
		if _, page := desk.get("/office/tenants/tenant:rental"); strings.Contains(page, box) != want {
			t.Errorf("the form has PIN-less use: %v, and should: %v", strings.Contains(page, box), want)
		}
	}
}

// Where people of the office do it, no single call registers a tenant or changes its terms.
func TestOneCallRegistersNobodyOutsideASandbox(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	b.Stop()
	b.StartPlatform("sqlite::memory:", func(c *platform.Config) { c.Sandbox.Registrar = false })
	for _, r := range b.Platform.API.Routes() {
		if r.Path == "POST /v1/tenants" || r.Path == "PATCH /v1/tenants/{id}" {
			t.Errorf("%s is there", r.Path)
		}
	}
	if _, err := b.TryRegister("operator:1", api.TenantRequest{ID: "tenant:x", Name: "x", PublicKey: []byte{1}}); err == nil {
		t.Error("one call registered a tenant")
	}
}
