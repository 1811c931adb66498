package openid_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
)

const terms = "利用規約に同意します。\n第1条 これは試験です。"

// signer is a client of the sign API, at the alias.
func (b *bank) signer(tenant httpapi.Identity) *rp {
	p := b.relyingParty(tenant, func(m map[string]any) { m["scope"] = "openid sign name" })
	p.issuer = b.Origin + "/api/realms/main"
	return p
}

// own gets a token of the client itself.
func (p *rp) own(change url.Values) answer {
	return p.redeem(asking{}, "", with(url.Values{"grant_type": {"client_credentials"}, "code": nil, "redirect_uri": nil, "code_verifier": nil}, change))
}

func with(a, b url.Values) url.Values {
	for k, v := range b {
		a[k] = v
	}
	return a
}

// start opens a transaction with a token and a body.
func (p *rp) start(token string, body any) answer {
	p.b.t.Helper()
	return p.startWith(http.Header{"Authorization": {"Bearer " + token}}, body)
}

func (p *rp) startWith(header http.Header, body any) answer {
	p.b.t.Helper()
	raw, err := json.Marshal(body)
	if s, ok := body.(string); ok {
		raw = []byte(s)
	}
	if err != nil {
		p.b.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.b.t.Context(), http.MethodPost, p.b.Origin+"/api/sign-transactions", bytes.NewReader(raw))
	if err != nil {
		p.b.t.Fatal(err)
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	return do(p.b.t, req)
}

// body is a transaction over a text that the person can read; change alters it, nil takes a member out.
func (p *rp) body(change map[string]any) map[string]any {
	sum := sha256.Sum256([]byte(terms))
	m := map[string]any{"client_id": p.id, "digest": sum[:], "document": map[string]any{"name": "利用規約", "media_type": "text/plain", "content": []byte(terms)}}
	for k, v := range change {
		if m[k] = v; v == nil {
			delete(m, k)
		}
	}
	return m
}

func (p *rp) transaction(change map[string]any) string {
	p.b.t.Helper()
	got := p.start(p.own(nil).text("access_token"), p.body(change))
	id := got.text("sign_transaction_id")
	if got.Status != http.StatusCreated || len(id) != 36 {
		p.b.t.Fatalf("HTTP %d %s", got.Status, got.Raw)
	}
	return id
}

func signing(id string) url.Values {
	return url.Values{"scope": {"openid sign"}, "sign_transaction_id": {id}}
}

// signed plays a holder that signs with a person's card what the request names; change alters the answer.
func (b *bank) signed(away string, who *platformtest.Person, change func(*api.HolderAnswer)) (claims api.RequestClaims, back string) {
	b.t.Helper()
	claims = b.OpenRequest(away)
	d := claims.Documents[0]
	value, err := who.Sign.Key.Sign(rand.Reader, d.SHA256, crypto.SHA256)
	if err != nil {
		b.t.Fatal(err)
	}
	a := api.HolderAnswer{Txn: claims.Txn, State: claims.State, Certificate: who.Sign.Cert.Raw, Signature: value, DigestAlg: "SHA-256", Documents: []api.AnswerDocument{{Name: d.Name, MediaType: d.MediaType, Content: d.SHA256}}}
	if change != nil {
		change(&a)
	}
	status, back := b.PostAnswer(claims, a)
	if status != http.StatusOK {
		b.t.Fatalf("the answer was not taken: HTTP %d", status)
	}
	return claims, back
}

// signedBy leads a browser through a transaction and gives what comes to the client, with the access token of its code.
func (p *rp) signedBy(who *platformtest.Person, id string, change func(*api.HolderAnswer)) (back url.Values, token string) {
	p.b.t.Helper()
	b, a := p.b.Browser(), newAsking()
	away, last := p.begun(b, p.query(a, signing(id)))
	if !strings.Contains(away, "request_uri=") {
		p.b.t.Fatalf("not led to a holder but to %q: HTTP %d %s", away, last.Status, last.Body)
	}
	_, from := p.b.signed(away, who, change)
	back = p.back(b, from)
	if code := back.Get("code"); code != "" {
		token = p.redeem(a, code, nil).text("access_token")
	}
	return back, token
}

func (p *rp) result(id, token string) answer {
	p.b.t.Helper()
	return get(p.b.t, p.b.Origin+"/api/sign-transactions/"+id+"/result", map[string]string{"Authorization": "Bearer " + token})
}

// A person signs a text that they can read, and a digest alone; the client gets the value, the certificate sealed for the verifier, and what
// the platform found. The verifier opens what it sealed, for this tenant.
func TestAPersonSignsByTheSignAPI(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		p, hanako := b.signer(b.tenant), b.Agency.Resident("霧島　花子")
		sum := sha256.Sum256([]byte(terms))
		info := append([]byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, sum[:]...)
		for what, change := range map[string]map[string]any{"a text": nil, "a digest": {"document": nil}, "a DigestInfo": {"document": nil, "digest": info}} {
			id := p.transaction(change)
			var asked api.RequestClaims
			a, browser := newAsking(), b.Browser()
			away, _ := p.begun(browser, p.query(a, signing(id)))
			asked, from := b.signed(away, hanako, nil)
			d := asked.Documents[0]
			if asked.Act != api.ActSign || !bytes.Equal(d.SHA256, sum[:]) || !d.Bare || (d.HRef == "") != (what != "a text") {
				t.Fatalf("%s: the holder was asked for %+v", what, asked)
			}
			back := p.back(browser, from)
			token := p.redeem(a, back.Get("code"), nil)
			if token.Status != http.StatusOK || token.text("scope") != "openid sign" {
				t.Fatalf("%s: HTTP %d %s", what, token.Status, token.Raw)
			}
			got := p.result(id, token.text("access_token"))
			if got.Status != http.StatusOK {
				t.Fatalf("%s: HTTP %d %s", what, got.Status, got.Raw)
			}
			var r struct {
				Signature    []byte           `json:"signature"`
				JWE          string           `json:"sign_certificate_jwe"`
				Verification api.Verification `json:"verification"`
			}
			if err := json.Unmarshal(got.Raw, &r); err != nil {
				t.Fatal(err)
			}
			if v := r.Verification; v.Report.Verdict != signature.Passed || v.Items == nil || v.Items.Name != hanako.Items.Name || v.User == nil || v.User.ID != p.claims(token.text("id_token"))["sub"] {
				t.Errorf("%s: the result is %s", what, got.Raw)
			}
			if bytes.Contains(got.Raw, []byte(base64.StdEncoding.EncodeToString(hanako.Sign.Cert.Raw)[:80])) {
				t.Errorf("%s: the result has the certificate in the clear", what)
			}
			again, err := httpapi.Do[api.Verification](t.Context(), b.Tenant(b.tenant), "POST", "/v1/verifications", string(jitsuin.NewID()),
				api.VerificationRequest{DocumentDigest: sum[:], Signature: r.Signature, CertificateJWE: r.JWE, Purpose: "contract"})
			if err != nil || again.Report.Verdict != signature.Passed || again.User.ID != r.Verification.User.ID {
				t.Errorf("%s: the verifier says %v %+v", what, err, again.Report)
			}
			other := sha256.Sum256([]byte("another document"))
			if wrong, err := httpapi.Do[api.Verification](t.Context(), b.Tenant(b.tenant), "POST", "/v1/verifications", string(jitsuin.NewID()),
				api.VerificationRequest{DocumentDigest: other[:], Signature: r.Signature, CertificateJWE: r.JWE, Purpose: "contract"}); err != nil || wrong.Report.Verdict != signature.Failed {
				t.Errorf("%s: of another document the verifier says %v %+v", what, err, wrong.Report)
			}
			second := b.Register("tenant:"+strings.ToLower(strings.ReplaceAll(what, " ", "-")), origin)
			if _, err := httpapi.Do[api.Verification](t.Context(), b.Tenant(second), "POST", "/v1/verifications", string(jitsuin.NewID()),
				api.VerificationRequest{DocumentDigest: sum[:], Signature: r.Signature, CertificateJWE: r.JWE, Purpose: "contract"}); jitsuin.CodeOf(err) != "certificate-jwe" {
				t.Errorf("%s: another tenant opened the certificate: %v", what, err)
			}
		}
		if strings.Contains(b.Log.String(), terms[:20]) {
			t.Error("the log has the text")
		}
	})
}

// What opens no transaction is refused, each by its code, and nothing is stored.
func TestTransactionsThatAreNotOpened(t *testing.T) {
	b, plain, _, _ := refusing(t)
	p, other := b.signer(b.tenant), b.signer(b.Register("tenant:third", origin))
	token := p.own(nil)
	if token.Status != http.StatusOK || token.text("scope") != "sign" || token.text("id_token") != "" {
		t.Fatalf("HTTP %d %s", token.Status, token.Raw)
	}
	document := func(change map[string]any) map[string]any {
		d := p.body(nil)["document"].(map[string]any)
		for k, v := range change {
			d[k] = v
		}
		return p.body(map[string]any{"document": d})
	}
	steered := "支払いは 100\u202e円"
	steeredSum := sha256.Sum256([]byte(steered))
	for what, c := range map[string]struct {
		token string
		body  any
		code  string
	}{
		"no token":            {"", p.body(nil), "invalid_token"},
		"a token made up":     {token.text("access_token") + "x", p.body(nil), "invalid_token"},
		"another client's id": {token.text("access_token"), p.body(map[string]any{"client_id": other.id}), "invalid_request"},
		"another's token":     {other.own(nil).text("access_token"), p.body(nil), "invalid_request"},
		"a short digest":      {token.text("access_token"), p.body(map[string]any{"digest": make([]byte, 31)}), "invalid_request"},
		"SHA-1":               {token.text("access_token"), p.body(map[string]any{"digest": make([]byte, 20)}), "invalid_request"},
		"SHA-512":             {token.text("access_token"), p.body(map[string]any{"digest": make([]byte, 64)}), "invalid_request"},
		"51 bytes of nothing": {token.text("access_token"), p.body(map[string]any{"digest": make([]byte, 51)}), "invalid_request"},
		"no digest":           {token.text("access_token"), p.body(map[string]any{"digest": nil}), "invalid_request"},
		"an unknown member":   {token.text("access_token"), p.body(map[string]any{"digest_alg": "SHA-1"}), "invalid_request"},
		"a login's purpose":   {token.text("access_token"), p.body(map[string]any{"purpose": "login"}), "invalid_request"},
		"no purpose of ours":  {token.text("access_token"), p.body(map[string]any{"purpose": "fun"}), "invalid_request"},
		"two objects":         {token.text("access_token"), "{}{}", "invalid_request"},
		"no JSON":             {token.text("access_token"), "digest=x", "invalid_request"},
		"another document":    {token.text("access_token"), document(map[string]any{"content": []byte("another")}), "invalid_request"},
		"a page of HTML":      {token.text("access_token"), document(map[string]any{"media_type": "text/html"}), "invalid_request"},
		"no PDF":              {token.text("access_token"), document(map[string]any{"media_type": "application/pdf"}), "invalid_request"},
		"a name that steers":  {token.text("access_token"), document(map[string]any{"name": "a\u202eb"}), "invalid_request"},
		"a text that steers": {token.text("access_token"), p.body(map[string]any{"digest": steeredSum[:], "document": map[string]any{"name": "x", "media_type": "text/plain",
			"content": []byte(steered)}}), "invalid_request"},
	} {
		if got := p.start(c.token, c.body); !got.is(c.code) || got.Status != http.StatusBadRequest && got.Status != http.StatusUnauthorized {
			t.Errorf("%s: HTTP %d %s, want %s", what, got.Status, got.Raw, c.code)
		}
	}
	plain.issuer = p.issuer
	if got := plain.own(nil); !got.is("unauthorized_client") {
		t.Errorf("a client that does not sign: HTTP %d %s", got.Status, got.Raw)
	}
	if got := p.own(url.Values{"scope": {"sign name"}}); !got.is("invalid_scope") {
		t.Errorf("more than sign: HTTP %d %s", got.Status, got.Raw)
	}
	own := *p
	if own.issuer = b.Origin + "/openid"; !own.own(nil).is("unsupported_grant_type") {
		t.Error("a client's own token at the issuer of logins")
	}
	var n int
	if err := b.Platform.DB.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT COUNT(*) FROM openid_sign_transactions`).Scan(&n)
	}); err != nil || n != 0 {
		t.Errorf("%d transactions are there: %v", n, err)
	}
}

// A client's own token that is bound to a key opens transactions with a fresh proof of that key, and each near copy is refused.
func TestAClientsOwnTokenIsBoundToItsKey(t *testing.T) {
	b, _, _, _ := refusing(t)
	p := b.relyingParty(b.tenant, func(m map[string]any) { m["scope"], m["dpop_bound_access_tokens"] = "openid sign", true })
	p.issuer = b.Origin + "/api/realms/main"
	if got := p.own(nil); !got.is("invalid_dpop_proof") {
		t.Errorf("a token without a proof: HTTP %d %s", got.Status, got.Raw)
	}
	key, address := newKey(t), b.Origin+"/api/sign-transactions"
	form := p.grant(asking{}, "", url.Values{"grant_type": {"client_credentials"}, "code": nil, "redirect_uri": nil, "code_verifier": nil})
	given := post(t, p.tokenURL(), form, map[string]string{"DPoP": proof(t, key, "POST", p.tokenURL(), nil)})
	token := given.text("access_token")
	if given.Status != http.StatusOK || given.text("token_type") != "DPoP" {
		t.Fatalf("HTTP %d %s", given.Status, given.Raw)
	}
	ath := map[string]any{"ath": s256(token)}
	once := proof(t, key, "POST", address, ath)
	ask := func(scheme, proof string) answer {
		h := http.Header{"Authorization": {scheme + " " + token}}
		if proof != "" {
			h["Dpop"] = []string{proof}
		}
		return p.startWith(h, p.body(nil))
	}
	if got := ask("DPoP", once); got.Status != http.StatusCreated {
		t.Errorf("with its key: HTTP %d %s", got.Status, got.Raw)
	}
	for what, got := range map[string]answer{
		"the proof again":     ask("DPoP", once),
		"as a bearer":         ask("Bearer", ""),
		"bearer with a proof": ask("Bearer", proof(t, key, "POST", address, ath)),
		"without a proof":     ask("DPoP", ""),
		"of another address":  ask("DPoP", proof(t, key, "POST", p.tokenURL(), ath)),
		"of another token":    ask("DPoP", proof(t, key, "POST", address, map[string]any{"ath": s256("x")})),
		"with another key":    ask("DPoP", proof(t, newKey(t), "POST", address, ath)),
	} {
		if got.Status != http.StatusUnauthorized && got.Status != http.StatusBadRequest || got.text("sign_transaction_id") != "" {
			t.Errorf("%s: HTTP %d %s", what, got.Status, got.Raw)
		}
	}
}

// A transaction is its client's, is signed once, in time, by whom it is shown to.
func TestTransactionsThatAreNotSigned(t *testing.T) {
	b, _, _, hanako := refusing(t)
	p, neighbour := b.signer(b.tenant), b.signer(b.tenant)
	other := b.signer(b.Register("tenant:third", origin))
	refused := func(what string, p *rp, change url.Values, code string) {
		t.Helper()
		away, last := p.begun(b.Browser(), p.query(newAsking(), change))
		u, err := url.Parse(away)
		if err != nil || !strings.HasPrefix(away, redirect) || u.Query().Get("error") != code {
			t.Errorf("%s: led to %q, HTTP %d, want %s", what, away, last.Status, code)
		}
	}
	id := p.transaction(nil)
	refused("another tenant's", other, signing(id), "invalid_request")
	refused("another client's", neighbour, signing(id), "invalid_request")
	refused("one that never was", p, signing("00000000-0000-0000-0000-000000000000"), "invalid_request")
	refused("no transaction", p, url.Values{"scope": {"openid sign"}}, "invalid_request")
	refused("no scope", p, url.Values{"sign_transaction_id": {id}}, "invalid_request")
	refused("items as well", p, with(signing(id), url.Values{"scope": {"openid sign name"}}), "invalid_scope")
	refused("silently", p, with(signing(id), url.Values{"prompt": {"none"}}), "interaction_required")
	direct := *p
	direct.issuer = b.Origin + "/openid"
	refused("at the issuer of logins", &direct, signing(id), "invalid_scope")

	back, token := p.signedBy(hanako, id, nil)
	if token == "" {
		t.Fatalf("came back with %v", back)
	}
	refused("signed already", p, signing(id), "invalid_request")
	second := p.transaction(nil)
	_, secondToken := p.signedBy(hanako, second, nil)
	a, code := p.coded(hanako, nil)
	for what, got := range map[string]answer{
		"another login's token":       p.result(id, secondToken),
		"a token without a signature": p.result(id, p.redeem(a, code, nil).text("access_token")),
		"one that never was":          p.result("00000000-0000-0000-0000-000000000000", token),
	} {
		if !got.is("not_found") || got.Status != http.StatusNotFound || got.text("error_description") != "there is no such sign transaction of this client" {
			t.Errorf("%s: HTTP %d %s", what, got.Status, got.Raw)
		}
	}
	if got := p.result(id, p.own(nil).text("access_token")); !got.is("invalid_token") {
		t.Errorf("the client's own token: HTTP %d %s", got.Status, got.Raw)
	}
	if got := p.result(id, token); got.Status != http.StatusOK {
		t.Errorf("the right token: HTTP %d %s", got.Status, got.Raw)
	}

	// Two windows: of two answers to one transaction, the first counts.
	twice := p.transaction(nil)
	one, two := b.Browser(), b.Browser()
	awayOne, _ := p.begun(one, p.query(newAsking(), signing(twice)))
	awayTwo, _ := p.begun(two, p.query(newAsking(), signing(twice)))
	_, fromOne := b.signed(awayOne, hanako, nil)
	_, fromTwo := b.signed(awayTwo, hanako, nil)
	if back := p.back(one, fromOne); back.Get("code") == "" {
		t.Errorf("the first came back with %v", back)
	}
	if back := p.back(two, fromTwo); back.Get("error") != "access_denied" {
		t.Errorf("the second came back with %v", back)
	}
}

// Cancelled, wrong and revoked: the client is told, the transaction is over, and there is no result.
func TestSignaturesThatAreNotAccepted(t *testing.T) {
	b, _, _, hanako := refusing(t)
	p, taro := b.signer(b.tenant), b.Agency.Resident("霧島　太郎")
	revoked := *hanako
	b.Agency.Revoke(jitsuin.SignCert, hanako.Sign.Cert)
	b.Agency.Reissue(hanako, jitsuin.SignCert, nil)
	expired := b.Agency.Resident("期限　切子")
	b.Agency.Reissue(expired, jitsuin.SignCert, func(c *cert.Template) {
		c.NotBefore, c.LastDay = time.Now().AddDate(-4, 0, 0).Truncate(time.Second), jitsuin.DateOf(time.Now()).AddDays(-2)
	})
	for what, c := range map[string]struct {
		who    *platformtest.Person
		change func(*api.HolderAnswer)
		says   string // on the page that the person reads first, "" for none
	}{
		"cancelled":             {taro, func(a *api.HolderAnswer) { *a = api.HolderAnswer{Txn: a.Txn, State: a.State, Error: "access_denied"} }, ""},
		"revoked":               {&revoked, nil, "has been revoked or suspended"},
		"revoked, in a test":    {&revoked, func(a *api.HolderAnswer) { a.Unattended = true }, ""},
		"expired":               {expired, nil, "is not within its time"},
		"another's certificate": {taro, func(a *api.HolderAnswer) { a.Certificate = hanako.Sign.Cert.Raw }, "was not accepted"},
		"another's signature":   {taro, func(a *api.HolderAnswer) { a.Signature[20] ^= 1 }, "was not accepted"},
		"the login certificate": {taro, func(a *api.HolderAnswer) {
			sum := sha256.Sum256([]byte(terms))
			a.Signature, _ = taro.Auth.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
			a.Certificate = taro.Auth.Cert.Raw
		}, "was not accepted"},
		"no certificate": {taro, func(a *api.HolderAnswer) { a.Certificate = []byte("x") }, "was not accepted"},
	} {
		id := p.transaction(nil)
		br, asked := b.Browser(), newAsking()
		toHolder, _ := p.begun(br, p.query(asked, signing(id)))
		_, from := b.signed(toHolder, c.who, c.change)
		var back url.Values
		if c.says == "" {
			back = p.back(br, from)
		} else {
			page := p.turnedAway(br, from, c.says)
			if back = page.back; page.login != "" || strings.Contains(page.page, "<form method=\"post\" action=\"/api") {
				t.Errorf("%s: the page goes on with it: %s", what, page.page)
			}
		}
		if back.Get("error") != "access_denied" || back.Has("code") || back.Get("state") != asked.State || strings.Contains(back.Encode(), "revoked") || strings.Contains(back.Encode(), "expired") {
			t.Errorf("%s: came back with %v", what, back)
		}
		away, _ := p.begun(b.Browser(), p.query(newAsking(), signing(id)))
		if u, err := url.Parse(away); err != nil || u.Query().Get("error") != "invalid_request" {
			t.Errorf("%s: the transaction is open still: %q", what, away)
		}
	}
}

// A request for a signature is not finished by a login: no page of a login takes it, not even in the browser that began it.
func TestASignatureIsNotFinishedByALogin(t *testing.T) {
	b, _, _, hanako := refusing(t)
	p, br := b.signer(b.tenant), b.Browser()
	id := p.transaction(nil)
	away, _ := p.begun(br, p.query(newAsking(), signing(id)))
	var login string
	if err := b.Platform.DB.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT id FROM openid_requests`).Scan(&login)
	}); err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"/again", "/choose", "/consent"} {
		for _, base := range []string{"/openid", "/api/realms/main"} {
			if got := br.Post(base+page, url.Values{"login": {login}}); got.Status != http.StatusNotFound {
				t.Errorf("%s%s: HTTP %d to %q", base, page, got.Status, got.Location)
			}
		}
	}
	_, from := b.signed(away, hanako, nil)
	if back := p.back(br, from); back.Get("code") == "" {
		t.Errorf("signed after all that, came back with %v", back)
	}
}

// Time is over: for the transaction, for the token of its result, for what was signed.
func TestTransactionsEnd(t *testing.T) {
	b, _, _, hanako := refusing(t)
	p := b.signer(b.tenant)
	id, late := p.transaction(nil), p.transaction(nil)
	_, token := p.signedBy(hanako, id, nil)
	provider := b.Platform.OpenID()
	move := func(by time.Duration) { // as if all of it had been made so much earlier
		t.Helper()
		if err := b.Platform.DB.Update(t.Context(), func(tx *store.Tx) error {
			for _, table := range []string{"openid_sign_transactions", "openid_tokens"} {
				if _, err := tx.Exec(`UPDATE `+table+` SET expires_at = expires_at - $1`, by.Microseconds()); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	move(11 * time.Minute)
	if got := p.result(id, token); !got.is("invalid_token") {
		t.Errorf("a result with a token that is over: HTTP %d %s", got.Status, got.Raw)
	}
	move(20 * time.Minute)
	away, _ := p.begun(b.Browser(), p.query(newAsking(), signing(late)))
	if u, err := url.Parse(away); err != nil || u.Query().Get("error") != "invalid_request" {
		t.Errorf("a transaction that is over: %q", away)
	}
	move(30 * time.Minute)
	if err := provider.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := b.Platform.DB.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT COUNT(*) FROM openid_sign_transactions`).Scan(&n)
	}); err != nil || n != 0 {
		t.Errorf("%d transactions are kept: %v", n, err)
	}
}

// A client's own token is good for ten minutes and not a moment longer.
func TestAClientsOwnTokenEnds(t *testing.T) {
	b, _, _, _ := refusing(t)
	p := b.signer(b.tenant)
	if got := p.own(nil); got.Members["expires_in"] != 600. {
		t.Errorf("expires_in: %s", got.Raw)
	}
	for left, want := range map[time.Duration]int{time.Minute: http.StatusCreated, 0: http.StatusUnauthorized, -time.Minute: http.StatusUnauthorized} {
		token, err := b.Platform.OpenID().OwnToken(p.id, time.Now().Add(left))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.start(token, p.body(nil)); got.Status != want || want != http.StatusCreated && !got.is("invalid_token") {
			t.Errorf("a token that is good for %v more: HTTP %d %s", left, got.Status, got.Raw)
		}
	}
}
