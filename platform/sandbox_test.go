package platform_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// anybody asks for a tenant of the sandbox without an account.
func (b *bank) anybody(r api.SandboxRequest) (made api.SandboxTenant, problem httpapi.Problem, header http.Header) {
	b.t.Helper()
	body := must2(json.Marshal(r))(b.t)
	req := must2(http.NewRequestWithContext(b.t.Context(), "POST", b.Origin+"/v1/sandbox/tenants", bytes.NewReader(body)))(b.t)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(httpapi.HeaderIdempotencyKey, string(jitsuin.NewID()))
	resp := must2(http.DefaultClient.Do(req))(b.t)
	defer resp.Body.Close()
	into := any(&made)
	if resp.StatusCode >= 400 {
		into = &problem
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		b.t.Fatalf("%s: %v", resp.Status, err)
	}
	return made, problem, resp.Header
}

// newcomer makes a key and a tenant with it.
func (b *bank) newcomer() (httpapi.Identity, httpapi.Problem, http.Header) {
	b.t.Helper()
	who := httpapi.Identity{Key: must2(actor.NewKey())(b.t)}
	made, problem, header := b.anybody(api.SandboxRequest{Name: "私の店", Origins: []string{origin}, KeyRequest: api.KeyRequest{PublicKey: platformtest.SPKI(b.t, who)}})
	who.ID = made.Tenant.ID
	return who, problem, header
}

// Whoever comes makes a tenant and has the first document checked, without an account and without a contract.
func TestASandboxTenantMakesItself(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, func(c *platform.Config) { c.Sandbox = platform.SandboxConfig{Open: true, Tenants: 3, PerHour: 2} })
		hanako := b.Agency.Resident("霧島　花子")
		who, problem, _ := b.newcomer()
		if who.ID == "" {
			t.Fatalf("%+v", problem)
		}
		must[api.Verification](t)(b.verifyAs(who, b.signed(hanako)))
		mine := must[api.Tenant](t)(own[api.Tenant](b, who, "GET", "/v1/tenant", nil))
		if !mine.Sandbox || mine.ExpiresAt == nil || mine.Contract != nil || mine.State != api.TenantActive {
			t.Errorf("%+v", mine)
		}
		if log := b.logLines(who.ID); len(log) != 1 || log[0].Act != "sandbox-tenant-made" || log[0].Who != who.ID {
			t.Errorf("%+v", log)
		}
		b.newcomer()
		if _, problem, header := b.newcomer(); problem.Code != "sandbox-busy" || header.Get("Retry-After") != "3600" {
			t.Errorf("the third in an hour: %+v %v", problem, header)
		}
		_, problem, _ = b.anybody(api.SandboxRequest{Name: "店"})
		if problem.Code != "tenant-key" {
			t.Errorf("without a key: %+v", problem)
		}
	})
}

func TestASandboxIsBounded(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", func(c *platform.Config) {
		c.Sandbox = platform.SandboxConfig{Open: true, Tenants: 2, PerHour: 9, Days: 30}
	})
	hanako := b.Agency.Resident("霧島　花子")
	used, _, _ := b.newcomer()
	idle, _, _ := b.newcomer()
	if _, problem, _ := b.newcomer(); problem.Code != "sandbox-full" {
		t.Fatalf("the third of two: %+v", problem)
	}
	now := time.Now()
	end := func(at time.Time) {
		if err := b.Platform.EndUnused(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	must[api.Verification](t)(b.verifyAs(idle, b.signed(hanako)))
	end(now.AddDate(0, 0, 29))
	b.Platform.SeenAt(used.ID, now.AddDate(0, 0, 20))
	end(now.AddDate(0, 0, 21))
	end(now.AddDate(0, 0, 31))
	_, err := b.verifyAs(idle, b.signed(hanako))
	code(t, err, jitsuin.Denied, "tenant-ended")
	if _, err = b.verifyAs(used, b.signed(hanako)); err != nil {
		t.Errorf("one that was used: %v", err)
	}
	if got := logActs(b.logLines(idle.ID)); got != "sandbox-tenant-made tenant-ended" {
		t.Errorf("the operation log: %s", got)
	}
	if n := b.count(`SELECT COUNT(*) FROM vault_records WHERE tenant = $1`, idle.ID); n != 1 {
		t.Errorf("%d records of a tenant that ended", n)
	}
	if next, problem, _ := b.newcomer(); next.ID == "" {
		t.Errorf("there is room again, and yet: %+v", problem)
	}
	if resp := open(t, "sqlite::memory:", nil).bare("POST", "/v1/sandbox/tenants", "", []byte("{}")); resp.StatusCode != http.StatusNotFound {
		t.Errorf("where this is no sandbox: %s", resp.Status)
	}
}
