package platform_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/platform/tlslogin"
)

// withTLS opens a bank whose platform has the port.
func withTLS(t *testing.T, db string) *bank {
	t.Helper()
	address := platformtest.FreeAddress(t)
	return open(t, db, func(c *platform.Config) { c.TLSLogin.Listen = address })
}

// handshake is what a browser does at the port: it gives where it is led. shown is nil for no certificate.
func handshake(t *testing.T, link string, shown *platformtest.Credential, change func(*tls.Config)) (to string, state tls.ConnectionState, err error) {
	t.Helper()
	c := &tls.Config{InsecureSkipVerify: true, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if shown == nil {
			return &tls.Certificate{}, nil
		}
		return &tls.Certificate{Certificate: [][]byte{shown.Cert.Raw}, PrivateKey: shown.Key}, nil
	}}
	if change != nil {
		change(c)
	}
	tr := &http.Transport{TLSClientConfig: c}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return "", state, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.Header.Get("Location"), *resp.TLS, nil
}

// begunTLS gives the address at the port to which a browser is led from the page for logins.
func begunTLS(t *testing.T, br *platformtest.Browser) string {
	t.Helper()
	p := br.Post("/me/login", url.Values{"way": {"tls"}})
	if p.Status != http.StatusSeeOther || !strings.HasPrefix(p.Location, "https://") || !strings.Contains(p.Location, tlslogin.Path+"?handle=") {
		t.Fatalf("led to %q: HTTP %d %.300s", p.Location, p.Status, p.Body)
	}
	return p.Location
}

// shownTLS logs a browser in by a certificate and gives the page at which it arrives.
func shownTLS(t *testing.T, br *platformtest.Browser, shown *platformtest.Credential) platformtest.Page {
	t.Helper()
	to, _, err := handshake(t, begunTLS(t, br), shown, nil)
	if err != nil {
		t.Fatal(err)
	}
	return br.Open(to)
}

func (b *bank) persons() (n int) {
	b.t.Helper()
	if err := b.Platform.DB.View(b.t.Context(), func(tx *store.Tx) error { return tx.QueryRow(`SELECT COUNT(*) FROM persons`).Scan(&n) }); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// Who comes in either way is one person, and the operation log tells by which way they came.
func TestBothWaysLeadToTheSamePerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db string) {
		b := withTLS(t, db)
		hanako := b.Agency.Resident("霧島　花子")
		if _, err := b.login(b.tenant, hanako.Auth); err != nil {
			t.Fatal(err)
		}
		br := b.Browser()
		if p := br.Open("/me?lang=en"); !strings.Contains(p.Body, "Log in with the card in this browser") {
			t.Fatalf("the second way is not offered: %.500s", p.Body)
		}
		byCard := shownTLS(t, br, &hanako.Auth)
		if byCard.Status != http.StatusOK || !strings.Contains(byCard.Body, "Tenant") {
			t.Fatalf("HTTP %d %.800s", byCard.Status, byCard.Body)
		}
		one := b.awaitLogged("resident-looked")
		if one.Detail["way"] != "tls" {
			t.Errorf("%+v", one)
		}
		second := b.Browser()
		second.Open("/me?lang=en")
		if p := second.Errand("/me/login", nil, hanako); p.Status != http.StatusOK {
			t.Fatalf("HTTP %d %.300s", p.Status, p.Body)
		}
		lines := b.logged()["resident-looked"]
		if len(lines) != 2 || lines[0].Subject != lines[1].Subject || b.persons() != 1 {
			t.Errorf("%+v, %d persons", lines, b.persons())
		}
		for _, secret := range []string{hanako.Auth.Cert.SerialNumber.String(), hanako.Auth.Cert.SerialNumber.Text(16), "霧島", "handle="} {
			if strings.Contains(b.Log.String(), secret) {
				t.Errorf("the log tells %q", secret)
			}
		}
	})
}

// stranger is a certificate of somebody who is no authority of ours.
func stranger(t *testing.T) *platformtest.Credential {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "a company's own"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &platformtest.Credential{Cert: parsed, Key: key}
}

// Whatever else a browser shows, its person reads on a page what to do, in their language, and is logged in nowhere.
func TestWhatIsRefusedIsRefusedByAPage(t *testing.T) {
	t.Parallel()
	b := withTLS(t, storetest.SQLite().Fresh(t))
	expired, revoked, taro := b.Agency.Resident("期限　切子"), b.Agency.Resident("失効　太郎"), b.Agency.Resident("沢渡　太郎")
	yesterday := jitsuin.DateOf(time.Now()).AddDays(-2)
	b.Agency.Reissue(expired, jitsuin.AuthCert, func(c *cert.Template) {
		c.NotBefore, c.LastDay = time.Now().AddDate(-4, 0, 0).Truncate(time.Second), yesterday
	})
	b.Agency.Revoke(jitsuin.AuthCert, revoked.Auth.Cert)
	other := platformtest.NewAuthority(t, jitsuin.AuthCert, 9)
	forged := other.Resident(t, big.NewInt(77))
	key := certtest.Key(t, cert.RSA2048SHA256, 3)
	forged.Key, forged.NotBefore, forged.LastDay = key.Public(), time.Now().AddDate(0, -1, 0).Truncate(time.Second), jitsuin.DateOf(time.Now()).AddDays(900)
	wrongCA := &platformtest.Credential{Cert: other.Issue(t, forged), Key: key}
	for _, c := range []struct {
		name   string
		shown  *platformtest.Credential
		ja, en string
	}{
		{tlslogin.None, nil, "証明書が示されませんでした。", "close all windows of the browser and try again"},
		{tlslogin.Expired, &expired.Auth, "有効期間内ではありません", "renew it at the counter of your municipality"},
		{tlslogin.Revoked, &revoked.Auth, "失効しているか", "Ask for a new certificate at the counter of your municipality"},
		{tlslogin.UnknownCA, wrongCA, "確認できませんでした", "Choose the authentication certificate of the card"},
		{tlslogin.UnknownCA, stranger(t), "確認できませんでした", "Choose the authentication certificate of the card"},
		{tlslogin.OtherKind, &taro.Sign, "署名用電子証明書が選ばれました", "whose PIN has four digits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for lang, says := range map[string]string{"ja": c.ja, "en": c.en} {
				br := b.Browser()
				br.Open("/me?lang=" + lang)
				if p := shownTLS(t, br, c.shown); p.Status != http.StatusOK || !strings.Contains(p.Body, says) || !strings.Contains(p.Body, `action="/me/login"`) {
					t.Errorf("%s: HTTP %d %.1500s", lang, p.Status, p.Body)
				}
			}
		})
	}
	t.Run(tlslogin.Unsure, func(t *testing.T) {
		b.Status.Down.Store(true)
		br := b.Browser()
		br.Open("/me?lang=en")
		if p := shownTLS(t, br, &taro.Auth); !strings.Contains(p.Body, "cannot be told now") {
			t.Errorf("no status: HTTP %d %.800s", p.Status, p.Body)
		}
		b.Status.Down.Store(false)
		b.Agency.LinksDown.Store(true)
		if p := shownTLS(t, br, &taro.Auth); !strings.Contains(p.Body, "cannot be told now") {
			t.Errorf("no links: HTTP %d %.800s", p.Status, p.Body)
		}
		b.Agency.LinksDown.Store(false)
		if b.persons() != 0 || len(b.logged()["resident-looked"]) != 0 {
			t.Errorf("%d persons were logged in", b.persons())
		}
		if p := shownTLS(t, br, &taro.Auth); strings.Contains(p.Body, `action="/me/login"`) || b.persons() != 1 {
			t.Errorf("afterwards: HTTP %d %.800s", p.Status, p.Body)
		}
	})
}

// onlyTLS13 is a client whose key can sign as TLS 1.3 wants it, and which says so by offering nothing else.
func onlyTLS13(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }

// A certificate without its key, an old TLS and a resumed session prove nothing. Who offers TLS 1.2 gets it.
func TestTheHandshakeIsTheProof(t *testing.T) {
	t.Parallel()
	b := withTLS(t, storetest.SQLite().Fresh(t))
	hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
	br := b.Browser()
	link := begunTLS(t, br)
	for publicOf(hanako.Auth.Key).Equal(taro.Auth.Key.Public()) {
		taro = b.Agency.Resident("沢渡　太郎")
	}
	stolen := &platformtest.Credential{Cert: hanako.Auth.Cert, Key: taro.Auth.Key}
	if to, _, err := handshake(t, link, stolen, nil); err == nil {
		t.Fatalf("a certificate without its key leads to %q", to)
	}
	if to, _, err := handshake(t, link, stolen, onlyTLS13); err == nil && to != "" {
		t.Fatalf("by TLS 1.3 a certificate without its key leads to %q", to)
	}
	if to, _, err := handshake(t, link, &hanako.Auth, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }); err == nil {
		t.Fatalf("TLS 1.1 leads to %q", to)
	}
	sessions := tls.NewLRUClientSessionCache(8)
	resume := func(c *tls.Config) { c.ClientSessionCache = sessions }
	for range 2 {
		to, state, err := handshake(t, begunTLS(t, b.Browser()), &hanako.Auth, resume)
		if err != nil || !strings.Contains(to, "/errands/return?code=") || state.DidResume || state.Version != tls.VersionTLS12 || state.NegotiatedProtocol == "h2" {
			t.Errorf("led to %q, resumed %v, TLS %x, %q: %v", to, state.DidResume, state.Version, state.NegotiatedProtocol, err)
		}
	}
	for range 2 {
		to, state, err := handshake(t, begunTLS(t, b.Browser()), &hanako.Auth, func(c *tls.Config) { onlyTLS13(c); resume(c) })
		if err != nil || !strings.Contains(to, "/errands/return?code=") || state.DidResume || state.Version != tls.VersionTLS13 {
			t.Errorf("by TLS 1.3 led to %q, resumed %v, TLS %x: %v", to, state.DidResume, state.Version, err)
		}
	}
	// What failed before used nothing up.
	to, _, err := handshake(t, link, &hanako.Auth, nil)
	if p := br.Open(to); err != nil || p.Status != http.StatusOK || strings.Contains(p.Body, `action="/me/login"`) {
		t.Errorf("%v: HTTP %d %.500s", err, p.Status, p.Body)
	}
}

func publicOf(k crypto.Signer) interface{ Equal(crypto.PublicKey) bool } {
	return k.Public().(interface{ Equal(crypto.PublicKey) bool })
}

// A handle serves once, only the browser that began goes on, and the handle of one login is no answer of another.
func TestAHandle(t *testing.T) {
	t.Parallel()
	b := withTLS(t, storetest.SQLite().Fresh(t))
	hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
	read := func(br *platformtest.Browser, link string, shown *platformtest.Credential) (string, platformtest.Page) {
		t.Helper()
		to, _, err := handshake(t, link, shown, nil)
		if err != nil {
			t.Fatal(err)
		}
		return to, br.Open(to)
	}
	newBrowser := func() *platformtest.Browser {
		br := b.Browser()
		br.Open("/me?lang=en")
		return br
	}
	const used, unknown = "Nobody was logged in by this page", "There is no such login"

	t.Run("twice", func(t *testing.T) {
		br := newBrowser()
		link := begunTLS(t, br)
		// A browser that lost the answer asks again, and comes to the same address; any other certificate does not.
		first, _, err := handshake(t, link, &hanako.Auth, nil)
		if err != nil {
			t.Fatal(err)
		}
		if again, _, err := handshake(t, link, &hanako.Auth, nil); err != nil || again != first {
			t.Errorf("again: %q, not %q: %v", again, first, err)
		}
		for _, other := range []*platformtest.Credential{nil, &taro.Auth} {
			if _, p := read(newBrowser(), link, other); p.Status != http.StatusConflict || !strings.Contains(p.Body, used) {
				t.Errorf("another certificate: HTTP %d %.300s", p.Status, p.Body)
			}
		}
		if p := br.Open(first); p.Status != http.StatusOK || strings.Contains(p.Body, `action="/me/login"`) {
			t.Fatalf("HTTP %d %.300s", p.Status, p.Body)
		}
		for _, shown := range []*platformtest.Credential{nil, &taro.Auth, &hanako.Auth} {
			if _, p := read(br, link, shown); p.Status != http.StatusConflict || !strings.Contains(p.Body, used) {
				t.Errorf("used again: HTTP %d %.300s", p.Status, p.Body)
			}
		}
	})
	t.Run("refused once", func(t *testing.T) {
		br := newBrowser()
		link := begunTLS(t, br)
		if _, p := read(br, link, nil); !strings.Contains(p.Body, "No certificate was shown") {
			t.Fatalf("HTTP %d %.300s", p.Status, p.Body)
		}
		if _, p := read(br, link, &hanako.Auth); p.Status != http.StatusConflict || !strings.Contains(p.Body, used) {
			t.Errorf("HTTP %d %.300s", p.Status, p.Body)
		}
	})
	t.Run("of another browser", func(t *testing.T) {
		thief, victim := newBrowser(), newBrowser()
		link := begunTLS(t, thief)
		to, p := read(victim, link, &hanako.Auth) // the victim is lured to the thief's handle
		if p.Status != http.StatusForbidden || !strings.Contains(p.Body, "begun in another browser") {
			t.Errorf("the victim: HTTP %d %.300s", p.Status, p.Body)
		}
		if _, p := read(thief, link, &taro.Auth); p.Status != http.StatusConflict {
			t.Errorf("the thief: HTTP %d %.300s", p.Status, p.Body)
		}
		if p := thief.Open("/me?lang=en"); !strings.Contains(p.Body, `action="/me/login"`) {
			t.Errorf("the thief is in")
		}
		begunTLS(t, victim) // now it has a cookie of its own, which is another
		if p := victim.Open(to); p.Status != http.StatusForbidden {
			t.Errorf("the victim, later: HTTP %d", p.Status)
		}
	})
	t.Run("that never was", func(t *testing.T) {
		link := begunTLS(t, newBrowser())
		port, _, _ := strings.Cut(link, "?")
		txn, _, _ := strings.Cut(strings.TrimPrefix(link, port+"?handle="), ".")
		away := newBrowser().Post("/me/login", nil) // a holder's request
		claims := b.OpenRequest(away.Location)
		for _, handle := range []string{"x", txn, txn + ".", txn + "." + strings.Repeat("A", 43), string(claims.Txn) + "." + claims.State} {
			if _, p := read(newBrowser(), port+"?handle="+url.QueryEscape(handle), &hanako.Auth); p.Status != http.StatusNotFound || !strings.Contains(p.Body, unknown) {
				t.Errorf("%q: HTTP %d %.300s", handle, p.Status, p.Body)
			}
		}
		if to, _, err := handshake(t, port, &hanako.Auth, nil); err != nil || to != b.Origin+"/me" {
			t.Errorf("no handle: %q %v", to, err)
		}
	})
	t.Run("is no answer of a holder's", func(t *testing.T) {
		br := newBrowser()
		link := begunTLS(t, br)
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		txn, secret, _ := strings.Cut(u.Query().Get("handle"), ".")
		if p := br.Open("/v1/requests/" + txn); p.Status != http.StatusNotFound {
			t.Errorf("a request to a holder: HTTP %d %.300s", p.Status, p.Body)
		}
		claims := b.OpenRequest(newBrowser().Post("/me/login", nil).Location)
		claims.Txn, claims.State = jitsuin.ID(txn), secret
		if status, _ := b.PostAnswer(claims, api.HolderAnswer{Txn: jitsuin.ID(txn), State: secret, Error: "access_denied"}); status != http.StatusNotFound {
			t.Errorf("an answer: HTTP %d", status)
		}
	})
}
