package openid_test

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

func openTLS(t *testing.T, db string) *bank {
	t.Helper()
	address := platformtest.FreeAddress(t)
	return open(t, db, func(c *platform.Config) { c.TLSLogin.Listen = address })
}

// atPort shows a certificate at the port, nil for none, and gives where the browser is led.
func atPort(t *testing.T, link string, shown *platformtest.Credential) string {
	t.Helper()
	pair := &tls.Certificate{}
	if shown != nil {
		pair = &tls.Certificate{Certificate: [][]byte{shown.Cert.Raw}, PrivateKey: shown.Key}
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }}}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.Header.Get("Location")
}

// chosen begins a login and gives the page of choice.
func (p *rp) chosen(t *testing.T, br *platformtest.Browser, q url.Values) (link string, page platformtest.Page) {
	t.Helper()
	link = p.authorizeURL() + "?" + q.Encode()
	for range 3 {
		if page = br.Get(link); page.Location == "" {
			return link, page
		}
		link = page.Location
	}
	t.Fatalf("led to %s", link)
	return "", page
}

// byTLS goes the second way from the page of choice, and gives where the port leads.
func (p *rp) byTLS(t *testing.T, br *platformtest.Browser, choice string, shown *platformtest.Credential) string {
	t.Helper()
	u, err := url.Parse(choice)
	if err != nil {
		t.Fatal(err)
	}
	away := br.Get(p.issuer + "/choose/tls?login=" + u.Query().Get("login"))
	if !strings.HasPrefix(away.Location, "https://") {
		t.Fatalf("led to %q: HTTP %d %.300s", away.Location, away.Status, away.Body)
	}
	return atPort(t, away.Location, shown)
}

// The same resident is the same user at a client, whichever way the card was reached, at both faces of the provider.
func TestTheSecondWay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db string) {
		b := openTLS(t, db)
		hanako := b.Agency.Resident("霧島　花子")
		for _, path := range []string{"/openid", "/api/realms/main"} {
			p := b.relyingParty(b.tenant, nil)
			p.issuer = b.Origin + path
			byTLS, a := b.Browser(), newAsking()
			choice, page := p.chosen(t, byTLS, p.query(a, url.Values{"acr_values": {"crl"}, "ui_locales": {"en"}}))
			if !strings.Contains(page.Body, "Log in with the card in this browser") || !strings.Contains(page.Body, "Shop") {
				t.Fatalf("HTTP %d %.800s", page.Status, page.Body)
			}
			got := p.back(byTLS, p.byTLS(t, byTLS, choice, &hanako.Auth))
			token := p.redeem(a, got.Get("code"), nil)
			if token.Status != http.StatusOK || got.Get("state") != a.State {
				t.Fatalf("%v: HTTP %d %s", got, token.Status, token.Raw)
			}
			one := p.claims(token.text("id_token"))

			byHolder, second := b.Browser(), newAsking()
			_, page = p.chosen(t, byHolder, p.query(second, nil))
			_, id, _ := strings.Cut(page.Body, `name="login" value="`)
			id, _, _ = strings.Cut(id, `"`)
			away := byHolder.Post(path+"/choose", url.Values{"login": {id}})
			got = p.back(byHolder, b.Answered(away.Location, hanako))
			two := p.claims(p.redeem(second, got.Get("code"), nil).text("id_token"))
			if one["sub"] != two["sub"] || one["sub"] == nil || one["nonce"] != a.Nonce || !strings.Contains(one["acr"].(string), "crl") {
				t.Errorf("%v, by a holder %v", one, two)
			}
		}
		const lines = `SELECT COUNT(*) FROM (SELECT body FROM feed_events WHERE topic = $1 UNION ALL SELECT body FROM feed_outbox WHERE topic = $1) l WHERE body LIKE '%"act":"login"%'`
		if all, tls := b.count(lines, audit.Topic), b.count(lines+` AND body LIKE '%"way":"tls"%'`, audit.Topic); all != 4 || tls != 2 {
			t.Errorf("of %d logins the operation log says that %d came by the second way", all, tls)
		}
	})
}

// Who is refused reads why on the page of choice, and may still go the other way; nobody else may go on with their login.
func TestTheSecondWayRefused(t *testing.T) {
	b := openTLS(t, storetest.SQLite().Fresh(t))
	p, hanako, revoked := b.relyingParty(b.tenant, nil), b.Agency.Resident("霧島　花子"), b.Agency.Resident("失効　太郎")
	b.Agency.Revoke(jitsuin.AuthCert, revoked.Auth.Cert)
	br, a := b.Browser(), newAsking()
	choice, _ := p.chosen(t, br, p.query(a, url.Values{"ui_locales": {"en"}}))
	for _, c := range []struct {
		shown *platformtest.Credential
		says  string
	}{{nil, "No certificate was shown"}, {&revoked.Auth, "has been revoked or suspended"}, {&hanako.Sign, "The signature certificate was chosen"}} {
		to, page := follow(br, b.Origin, p.byTLS(t, br, choice, c.shown))
		if to != "" || page.Status != http.StatusOK || !strings.Contains(page.Body, c.says) || !strings.Contains(page.Body, "/choose/tls?login=") {
			t.Errorf("led to %q: HTTP %d %.800s", to, page.Status, page.Body)
		}
	}
	u, err := url.Parse(choice)
	if err != nil {
		t.Fatal(err)
	}
	login := u.Query().Get("login")
	{
		other := b.Browser()
		for _, page := range []platformtest.Page{other.Get(choice), other.Get(p.issuer + "/choose/tls?login=" + login), other.Post("/openid/choose", url.Values{"login": {login}}),
			other.Get(b.Origin + "/api/realms/main/choose/tls?login=" + login)} {
			if page.Status != http.StatusNotFound {
				t.Errorf("another browser: HTTP %d to %q", page.Status, page.Location)
			}
		}
	}
	// A person's data are read by the holder: such a login has no second way.
	third := newAsking()
	away, page := p.begun(br, p.query(third, url.Values{"scope": {"openid name"}}))
	if away != "" || strings.Contains(page.Body, "/choose") {
		t.Errorf("led to %q: %.500s", away, page.Body)
	}
	_, id, _ := strings.Cut(page.Body, `name="login" value="`)
	id, _, _ = strings.Cut(id, `"`)
	if got := br.Get(p.issuer + "/choose/tls?login=" + id); id == "" || got.Status != http.StatusNotFound {
		t.Errorf("login %q: HTTP %d to %q", id, got.Status, got.Location)
	}
	// The first login still goes on.
	got := p.back(br, p.byTLS(t, br, choice, &hanako.Auth))
	if token := p.redeem(a, got.Get("code"), nil); token.Status != http.StatusOK {
		t.Errorf("%v: HTTP %d %s", got, token.Status, token.Raw)
	}
	if page := br.Get(p.issuer + "/choose/tls?login=" + login); page.Status != http.StatusNotFound {
		t.Errorf("a login that is done: HTTP %d to %q", page.Status, page.Location)
	}
}
