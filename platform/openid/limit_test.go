package openid_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
)

// until repeats a request that is good until there is no room for more of them.
func until(t *testing.T, what string, limited func() bool) {
	t.Helper()
	for range 500 {
		if limited() {
			return
		}
	}
	t.Errorf("%s: 500 requests and no end", what)
}

// A client's requests use its tenant's quota; what strangers send in its name does not, and has an end of its own.
func TestATenantsQuotaHoldsAtTheProvider(t *testing.T) {
	t.Parallel()
	b := open(t, storetest.SQLite().Fresh(t), func(c *platform.Config) { c.Quota.PerSecond, c.Quota.Burst = 1, 5 })
	p := b.relyingParty(b.tenant, func(m map[string]any) { m["token_endpoint_auth_method"], m["jwks"] = "client_secret_post", nil })
	form := p.query(newAsking(), url.Values{"client_secret": {p.secret}})

	strangers := b.Browser()
	until(t, "authorize", func() bool {
		got := strangers.Get(p.authorizeURL() + "?" + p.query(newAsking(), nil).Encode())
		if got.Status == http.StatusTooManyRequests && strings.Contains(got.Body, "quota-exceeded") && got.Location == "" {
			return true
		}
		if !strings.HasPrefix(got.Location, "http") {
			t.Fatalf("HTTP %d %q %s", got.Status, got.Location, got.Body)
		}
		return false
	})
	if got := post(t, p.issuer+"/par", form, nil); got.Status != http.StatusCreated {
		t.Fatalf("the tenant itself, while strangers are refused: HTTP %d %s", got.Status, got.Raw)
	}
	wrong := p.query(newAsking(), url.Values{"client_secret": {"guessed"}})
	for range 20 { // a stranger without the secret uses nothing up either
		if got := post(t, p.issuer+"/par", wrong, nil); !got.is("invalid_client") {
			t.Fatalf("HTTP %d %s", got.Status, got.Raw)
		}
	}
	for what, ask := range map[string]func() answer{
		"pushed requests": func() answer { return post(t, p.issuer+"/par", form, nil) },
		"tokens":          func() answer { return p.redeem(newAsking(), "no-such-code", nil) },
	} {
		until(t, what, func() bool {
			got := ask()
			if got.Status != http.StatusTooManyRequests {
				return false
			}
			if wait, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || wait < 1 || wait > 5 || !got.is("temporarily_unavailable") {
				t.Errorf("%s: Retry-After %q %s", what, got.Header.Get("Retry-After"), got.Raw)
			}
			return true
		})
	}
}
