package platform_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// provider does what the platform client of the public identity provider does, exchange by exchange: it reads the
// key at ROOT/key/jwks.json and takes the first, encrypts the certificate's PEM with RSA-OAEP-256 and A128CBC-HS256,
// compressed, posts to ROOT/verify/ACTION without credentials, answers a Basic challenge with the user information of
// ROOT, as its HTTP library does, and reads answers that have the members that it knows and no others. Its code is Java and
// not run here.
type provider struct {
	*bank
	root   string // with user information
	sender string
}

// idpAnswer are the members that the client knows; in status it passes over others.
type idpAnswer struct {
	ResponseInfo *struct {
		TransactionID string `json:"transactionId"`
		Recipient     string `json:"recipient"`
		Sender        string `json:"sender"`
		TS            string `json:"ts"`
	} `json:"responseInfo"`
	Status       json.RawMessage `json:"status"`
	ApplicantID  string          `json:"applicantId"`
	IdentityInfo struct {
		TisUserID   string `json:"tisUserId"`
		Name        string `json:"name"`
		DateOfBirth string `json:"dateOfBirth"`
		Gender      string `json:"gender"`
		Address     string `json:"address"`
	} `json:"identityInfo"`
}

func (b *bank) provider(scopes ...string) *provider {
	b.t.Helper()
	u, err := url.Parse(b.Origin + "/adapters/mynumbercard-idp")
	if err != nil {
		b.t.Fatal(err)
	}
	u.User = url.UserPassword("idp", b.token(b.tenant, scopes...))
	return &provider{bank: b, root: u.String(), sender: b.tenant.ID}
}

func (p *provider) key() jose.JSONWebKey {
	p.t.Helper()
	u, err := url.Parse(p.root)
	if err != nil {
		p.t.Fatal(err)
	}
	u.User = nil
	resp, err := http.Get(u.String() + "/key/jwks.json")
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil || len(set.Keys) == 0 || !set.Keys[0].IsPublic() {
		p.t.Fatalf("%d keys, %v", len(set.Keys), err)
	}
	return set.Keys[0]
}

func (p *provider) encrypt(key jose.JSONWebKey, plain []byte, enc jose.ContentEncryption, zip jose.CompressionAlgorithm) string {
	p.t.Helper()
	e, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: key.Key}, &jose.EncrypterOptions{Compression: zip})
	if err != nil {
		p.t.Fatal(err)
	}
	o, err := e.Encrypt(plain)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := o.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// request makes the body of an action; the card signs the nonce's text.
func (p *provider) request(action, transaction string, c platformtest.Credential, nonce string) map[string]any {
	p.t.Helper()
	_, value := rawSign(p.t, c, nonce)
	jwe := p.encrypt(p.key(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Cert.Raw}), jose.A128CBC_HS256, jose.DEFLATE)
	body := map[string]any{"requestInfo": map[string]string{"transactionId": transaction, "recipient": "JPKI", "sender": p.sender, "ts": "2026-11-26 17:11:30.123"},
		"applicantData": nil, "nonceData": nil, "sign": nil, "nonceSign": nil}
	if action == "login" {
		body["encryptedCertificateForUser"], body["nonceData"], body["nonceSign"] = jwe, nonce, base64.StdEncoding.EncodeToString(value)
	} else {
		body["encryptedCertificateForSign"], body["applicantData"], body["sign"] = jwe, nonce, base64.StdEncoding.EncodeToString(value)
	}
	return body
}

// do posts a request as it is and gives the status and what the client reads.
func (p *provider) do(action string, body map[string]any) (int, idpAnswer) {
	p.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	u, err := url.Parse(p.root + "/verify/" + action)
	if err != nil {
		p.t.Fatal(err)
	}
	password, _ := u.User.Password()
	user := u.User.Username()
	u.User = nil
	for try := 0; ; try++ {
		req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, u.String(), bytes.NewReader(raw))
		if err != nil {
			p.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json; charset=UTF-8")
		if try > 0 {
			req.SetBasicAuth(user, password)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			p.t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			p.t.Fatal(err)
		}
		if try == 0 && resp.StatusCode == http.StatusUnauthorized && strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic ") {
			continue
		}
		var a idpAnswer
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&a); err != nil {
			p.t.Fatalf("the client cannot read %s: %v", text, err)
		}
		return resp.StatusCode, a
	}
}

// act does an action in a transaction of its own.
func (p *provider) act(action string, c platformtest.Credential, nonce string) (int, idpAnswer) {
	p.t.Helper()
	return p.do(action, p.request(action, string(jitsuin.NewID()), c, nonce))
}

func (p *provider) wants(what string, status int, a idpAnswer, want int) {
	p.t.Helper()
	if status != want {
		p.t.Errorf("%s: status %d, want %d: %s", what, status, want, a.Status)
	}
	if want != http.StatusOK && (a.ApplicantID != "" || a.IdentityInfo.TisUserID != "" || a.IdentityInfo.Name != "") {
		p.t.Errorf("%s: a refusal gave %+v", what, a)
	}
	if a.ResponseInfo == nil || a.ResponseInfo.Sender != "JPKI" {
		p.t.Errorf("%s: %+v", what, a.ResponseInfo)
	}
}

// The life of a person at an identity provider: registered once, logged in, asked for the new signature certificate after a move.
func TestIdentityProvider(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		p := b.provider(api.ScopeLegacyNonce)
		hanako := b.Agency.Resident("霧島　花子")
		status, a := p.act("login", hanako.Auth, "nonce-1")
		p.wants("a login before registration", status, a, 404)
		status, a = p.act("replacement", hanako.Sign, "nonce-2")
		p.wants("a replacement before registration", status, a, 404)
		if n := b.count(`SELECT COUNT(*) FROM users`); n != 0 {
			t.Errorf("%d users were made by refusals", n)
		}
		body := p.request("registration", "87e46dbe-9ce7-4bab-97a6-bb0d53e61db5", hanako.Sign, "nonce-3")
		status, a = p.do("registration", body)
		p.wants("registration", status, a, 200)
		i := a.IdentityInfo
		if i.TisUserID == "" || i.Name != hanako.Items.Name || i.DateOfBirth != "1980-02-17" || i.Gender != "2" || i.Address != hanako.Items.Address || a.ApplicantID == "" ||
			a.ResponseInfo.TransactionID != "87e46dbe-9ce7-4bab-97a6-bb0d53e61db5" || a.ResponseInfo.Recipient != b.tenant.ID {
			t.Errorf("registration: %+v %+v", a, a.ResponseInfo)
		}
		status, repeated := p.do("registration", body)
		p.wants("the same transaction again", status, repeated, 200)
		if repeated.ApplicantID != a.ApplicantID {
			t.Error("a repetition was another registration")
		}
		status, a = p.act("registration", hanako.Sign, "nonce-4")
		p.wants("registration twice", status, a, 409)

		login := p.request("login", string(jitsuin.NewID()), hanako.Auth, "nonce-5")
		status, a = p.do("login", login)
		p.wants("login", status, a, 200)
		if a.IdentityInfo != i {
			t.Errorf("login knows %+v, want %+v", a.IdentityInfo, i)
		}
		status, a = p.do("login", login)
		p.wants("the same login transaction again", status, a, 200)
		status, a = p.act("login", hanako.Auth, "nonce-5")
		p.wants("a nonce that was answered", status, a, 401)

		b.Agency.Revoke(jitsuin.SignCert, hanako.Sign.Cert)
		status, a = p.act("login", hanako.Auth, "nonce-6")
		p.wants("login after the signature certificate's end", status, a, 410)
		status, a = p.act("replacement", hanako.Sign, "nonce-6")
		p.wants("replacement with the dead certificate", status, a, 401)
		b.Agency.Reissue(hanako, jitsuin.SignCert, nil)
		status, a = p.act("replacement", hanako.Sign, "nonce-6")
		p.wants("replacement", status, a, 200)
		if a.IdentityInfo.TisUserID != i.TisUserID {
			t.Error("the person became another by the new certificate")
		}
		status, a = p.act("replacement", hanako.Sign, "nonce-6")
		p.wants("a nonce that was answered by the signature key", status, a, 401)
		status, a = p.act("login", hanako.Auth, "nonce-7")
		p.wants("login after replacement", status, a, 200)
		b.Agency.Revoke(jitsuin.AuthCert, hanako.Auth.Cert)
		status, a = p.act("login", hanako.Auth, "nonce-8")
		p.wants("login with a dead certificate", status, a, 401)
	})
}

func TestIdentityProviderRefusals(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	p := b.provider(api.ScopeLegacyNonce)
	hanako := b.Agency.Resident("霧島　花子")
	change := func(f func(body map[string]any)) map[string]any {
		body := p.request("registration", string(jitsuin.NewID()), hanako.Sign, "nonce")
		f(body)
		return body
	}
	for what, c := range map[string]struct {
		status int
		body   map[string]any
	}{
		"another text than was signed": {401, change(func(m map[string]any) { m["applicantData"] = "other" })},
		"a login's certificate":        {401, p.request("registration", string(jitsuin.NewID()), hanako.Auth, "nonce")},
		"another tenant as sender": {400, change(func(m map[string]any) {
			m["requestInfo"] = map[string]string{"transactionId": "x", "recipient": "JPKI", "sender": "tenant:other"}
		})},
		"a certificate that is not encrypted": {400, change(func(m map[string]any) { m["encryptedCertificateForSign"] = "-----BEGIN CERTIFICATE-----" })},
		"what is encrypted is no certificate": {400, change(func(m map[string]any) {
			m["encryptedCertificateForSign"] = p.encrypt(p.key(), []byte("x"), jose.A256GCM, jose.NONE)
		})},
		"no signature":       {400, change(func(m map[string]any) { delete(m, "sign") })},
		"a signature in hex": {400, change(func(m map[string]any) { m["sign"] = "zz" })},
	} {
		status, a := p.do("registration", c.body)
		p.wants(what, status, a, c.status)
	}
	b.Status.Down.Store(true)
	status, a := p.act("registration", hanako.Sign, "nonce")
	p.wants("no status", status, a, 503)
	b.Status.Down.Store(false)
	plain := change(func(m map[string]any) {
		m["encryptedCertificateForSign"] = p.encrypt(p.key(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hanako.Sign.Cert.Raw}), jose.A256GCM, jose.NONE)
	})
	status, a = p.do("registration", plain)
	p.wants("A256GCM, not compressed", status, a, 200)
	plain["applicantData"] = "other"
	status, a = p.do("registration", plain)
	p.wants("a transaction's id for another request", status, a, 400)
	q := b.provider(api.ScopeVerify)
	status, a = q.act("registration", hanako.Sign, "nonce")
	p.wants("a token that is not for nonces", status, a, 401)
	b.Accredit("suspended")
	status, a = p.act("login", hanako.Auth, "nonce")
	p.wants("a platform whose accreditation is suspended", status, a, 503)
}
