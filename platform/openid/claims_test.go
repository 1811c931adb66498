package openid_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

var loginField = regexp.MustCompile(`name="login" value="([0-9a-f]{32})"`)

// agreeing begins a login that asks for claims, agrees to some of them, and gives the address at the holder.
func (p *rp) agreeing(br *platformtest.Browser, q url.Values, claims ...string) string {
	p.b.t.Helper()
	away, page := p.begun(br, q)
	m := loginField.FindStringSubmatch(page.Body)
	if away != "" || m == nil {
		p.b.t.Fatalf("no page that asks for consent, but %q HTTP %d %s", away, page.Status, page.Body)
	}
	form := url.Values{"login": {m[1]}}
	for _, c := range claims {
		form.Set("claim-"+c, "yes")
	}
	return br.Post(strings.TrimPrefix(p.issuer, p.b.Origin)+"/consent", form).Location
}

// A client gets the claims that it registered for, asked for, and that the person agreed to: each of the three.
func TestClaimsComeWithConsentAndRight(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		p, hanako, br := b.relyingParty(b.tenant, nil), b.Agency.Resident("霧島　花子"), b.Browser()
		a := newAsking()
		q := p.query(a, url.Values{"scope": {"openid name address gender"}, "claims": {`{"userinfo":{"age_over_65":null},"id_token":{"age_over_20":{"essential":true},"birthdate":null,"email":null}}`}})
		holder := p.agreeing(br, q, "name", "gender", "age_over_20")
		if asked := b.OpenRequest(holder).Items; !slices.Equal(asked, []string{"name", "sex", "age_over_20"}) {
			t.Errorf("the holder is asked for %v", asked)
		}
		back := p.back(br, b.Answered(holder, hanako))
		got := p.redeem(a, back.Get("code"), nil)
		c := p.claims(got.text("id_token"))
		if c["age_over_20"] != true || c["name"] != nil || c["birthdate"] != nil || c["age_over_65"] != nil {
			t.Errorf("the ID token has %v", c)
		}
		who := get(t, p.userinfoURL(), map[string]string{"Authorization": "Bearer " + got.text("access_token")})
		if len(who.Members) != 4 || who.text("name") != "霧島　花子" || who.text("gender") != "female" || who.Members["age_over_20"] != true || who.text("sub") != c["sub"] {
			t.Errorf("userinfo has %v", who.Members)
		}
		// What was read lies sealed, and the resident sees what they gave, without what it was.
		if n := b.count(`SELECT COUNT(*) FROM openid_sessions WHERE items LIKE '%霧島%'`); n != 0 {
			t.Error("the name lies open in the database")
		}
		me := b.Browser()
		me.Open("/me?lang=ja")
		page := me.Errand("/me/login", nil, hanako).Body
		for _, word := range []string{"Shop", "ログインのときに渡した情報", "氏名", "20歳以上かどうか"} {
			if !strings.Contains(page, word) {
				t.Errorf("the resident does not see %q", word)
			}
		}
		if strings.Contains(page, "霧島") || strings.Contains(page, c["sub"].(string)) || strings.Contains(b.Log.String(), "霧島") {
			t.Error("what was given stands on the page or in the log")
		}
		if log := b.count(`SELECT COUNT(*) FROM checks WHERE sort = 'login'`); log != 1 || b.count(`SELECT COUNT(*) FROM vault_records`) != 0 {
			t.Errorf("%d logins, and a record of identity verification that a login never makes", log)
		}
	})
}

// Who agrees to nothing logs in all the same; who says no goes back; a page of the consent is of one browser and of one time.
func TestConsentIsThePersonsOwn(t *testing.T) {
	b, p, _, hanako := refusing(t)
	a, br := newAsking(), b.Browser()
	q := p.query(a, url.Values{"scope": {"openid name"}})
	back := p.back(br, b.Answered(p.agreeing(br, q), hanako))
	got := p.redeem(a, back.Get("code"), nil)
	if who := get(t, p.userinfoURL(), map[string]string{"Authorization": "Bearer " + got.text("access_token")}); len(who.Members) != 1 {
		t.Errorf("without consent: %v", who.Members)
	}
	_, page := p.begun(br, q)
	id := loginField.FindStringSubmatch(page.Body)[1]
	if !strings.Contains(page.Body, "error=access_denied") {
		t.Error("the page has no way to say no")
	}
	if other := b.Browser().Post("/openid/consent", url.Values{"login": {id}, "claim-name": {"yes"}}); other.Status != http.StatusNotFound {
		t.Errorf("another browser agrees: HTTP %d", other.Status)
	}
	if evil := br.PostFrom("https://evil.example", "/openid/consent", url.Values{"login": {id}}); evil.Status != http.StatusForbidden {
		t.Errorf("another site's page agrees: HTTP %d", evil.Status)
	}
	alone := b.relyingParty(b.tenant, func(m map[string]any) { m["scope"] = "openid" })
	holder, _ := alone.begun(b.Browser(), alone.query(newAsking(), url.Values{"claims": {`{"userinfo":{"name":{"essential":true}}}`}}))
	if asked := b.OpenRequest(holder); len(asked.Items) != 0 {
		t.Errorf("a client that has no right to it asks for %v", asked.Items)
	}
}

// The paths and forms of the state's service: a configuration for it works with another issuer.
func TestTheStatesServiceAsAnAlias(t *testing.T) {
	b := open(t, "sqlite::memory:", nil)
	p, hanako, br := b.relyingParty(b.tenant, nil), b.Agency.Resident("霧島　花子"), b.Browser()
	p.issuer = b.Origin + "/api/realms/main"
	d := get(t, p.issuer+"/.well-known/openid-configuration", nil)
	for member, path := range map[string]string{"issuer": "", "authorization_endpoint": "/protocol/openid-connect/auth", "token_endpoint": "/protocol/openid-connect/token", "userinfo_endpoint": "/protocol/openid-connect/userinfo",
		"jwks_uri": "/protocol/openid-connect/certs", "end_session_endpoint": "/protocol/openid-connect/logout"} {
		if d.text(member) != p.issuer+path {
			t.Errorf("%s is %q", member, d.text(member))
		}
	}
	a := newAsking()
	q := p.query(a, url.Values{"scope": {"openid name address birthdate gender"}, "acr_values": {"aal3 crl"}})
	back := p.back(br, b.Answered(p.agreeing(br, q, "name", "address", "birthdate", "gender"), hanako))
	if back.Get("session_state") == "" || back.Get("iss") != p.issuer {
		t.Errorf("came back with %v", back)
	}
	got := p.redeem(a, back.Get("code"), nil)
	if c := p.claims(got.text("id_token")); c["acr"] != "aal3 crl" || c["iss"] != p.issuer {
		t.Errorf("the ID token has %v", c)
	}
	who := get(t, p.userinfoURL(), map[string]string{"Authorization": "Bearer " + got.text("access_token")})
	if who.text("birthdate") != "19800217" || who.text("gender") != "2" || who.text("address") != hanako.Items.Address {
		t.Errorf("userinfo has %v", who.Members)
	}
	own := get(t, b.Origin+"/openid/userinfo", map[string]string{"Authorization": "Bearer " + got.text("access_token")})
	if own.Status != http.StatusUnauthorized {
		t.Errorf("the token at the other issuer: HTTP %d", own.Status)
	}
}
