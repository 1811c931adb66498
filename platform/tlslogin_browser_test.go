package platform_test

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/pcscdtest"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/internal/webtest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// onepin is OpenSC's module that shows one PIN of a card alone: with the other one a browser asks for the signature password first, and the
// person wears out its tries.
const onepin = "/usr/lib/*/pkcs11/onepin-opensc-pkcs11.so"

// inReader puts a card of a resident, whom the platform's world knows, into a reader.
func (b *bank) inReader(p *pcscdtest.PCSCD) *platformtest.Person {
	b.t.Helper()
	who, w, data := b.Agency.Resident("霧島　花子"), holdertest.New(b.t), b.t.TempDir()
	w.CAs = b.Agency.Authorities
	w.Issue = func(kind jitsuin.CertKind, key crypto.PublicKey) *x509.Certificate {
		b.Agency.Reissue(who, kind, func(c *cert.Template) { c.Key = key })
		if kind == jitsuin.SignCert {
			return who.Sign.Cert
		}
		return who.Auth.Cert
	}
	w.Card(b.t, data, holdertest.Order{})
	cards := holder.CardsIn(data)
	place, err := cards.Place(b.t.Context(), "")
	if err != nil {
		b.t.Fatal(err)
	}
	channel, err := cards.Channel(b.t.Context(), place)
	if err != nil {
		b.t.Fatal(err)
	}
	remove := p.Insert(0, channel)
	b.t.Cleanup(func() { remove(); channel.Close() })
	p.WaitFor("Yes", 1)
	return who
}

// Show 2 of the login: Chromium with the card, by OpenSC, pcscd and a virtual reader, shows the card's certificate in a TLS handshake with our
// server; the person types the PIN into the browser's own window. Once the certificate is revoked the browser is led to a page that says what to do.
func TestChromiumWithTheCard(t *testing.T) {
	t.Parallel()
	webtest.Replay(t, func(a testing.TB) { chromiumWithTheCard(t, a) })
}

// chromiumWithTheCard tells a what is wrong.
func chromiumWithTheCard(t *testing.T, a testing.TB) {
	p := pcscdtest.Start(t, "opensc-tool")
	d := webtest.NewDesktop(a, "PCSCLITE_CSOCK_NAME="+p.Socket())
	d.Module("card", onepin)
	address := platformtest.FreeAddress(t)
	var state string
	b := open(t, storetest.SQLite().Fresh(t), func(c *platform.Config) { c.TLSLogin.Listen, state = address, c.State })
	d.Trust("tls-login", filepath.Join(state, "tls-login.pem"))
	who := b.inReader(p)

	rp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>shop</title><h1>The shop</h1><p>%s</p>", map[bool]string{true: "Somebody is logged in", false: "Nobody is"}[r.URL.Query().Has("code")])
	}))
	t.Cleanup(rp.Close)
	client := b.openidClientAt(b.Register("tenant:shop", rp.URL), rp.URL+"/callback")

	br := d.Browser("en")
	br.Open(b.Origin + "/me?lang=en")
	// Return is for the browser's windows, and not for a button on the page behind them, which answers nobody while one is open.
	webtest.Eval[bool](br, `addEventListener("click", () => setTimeout(() => document.activeElement.blur())); true`)
	br.Click(inThisBrowser)
	showCard(a, d, br, "How you were checked")
	br.See("Nobody else, and no firm, can see this list")
	if l := b.awaitLogged("resident-looked"); l.Detail["way"] != "tls" {
		a.Errorf("%+v", l)
	}
	d.Shot("tls-welcome")

	ask := b.Origin + "/openid/authorize?" + url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {rp.URL + "/callback"}, "scope": {"openid"}, "state": {"s"},
		"ui_locales": {"en"}, "code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}}.Encode()
	br.Open(ask)
	br.See("asks you to log in with your My Number Card")
	look(d, br, "tls-openid-choose")
	br.Click(inThisBrowser)
	br.See("The shop", "Somebody is logged in")

	b.Agency.Revoke(jitsuin.AuthCert, who.Auth.Cert)
	br.Open(ask)
	br.Click(inThisBrowser)
	br.See("This certificate has been revoked or suspended", "Ask for a new certificate at the counter of your municipality", "asks you to log in with your My Number Card")
	look(d, br, "tls-openid-revoked")
	br.Open(b.Origin + "/me?lang=ja")
	br.Click("ログアウト")
	br.Click("このブラウザーのカードでログインする")
	br.See("この証明書は失効しているか、利用が一時停止されています", "お住まいの市区町村の窓口で、新しい電子証明書の発行を申請してください")
	look(d, br, "tls-me-revoked")
}

// showCard types the PIN into the browser's window for it, takes the certificate that is offered, and waits for a page's title.
func showCard(t testing.TB, d *webtest.Desktop, br *webtest.Browser, title string) {
	t.Helper()
	const unlock = "Unlock Security Device"
	d.Type(d.Await(unlock), holdertest.AuthPIN)
	for end := time.Now().Add(br.Wait); !d.Has("^" + title); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no page %q; windows:\n%s", title, d.Windows())
		}
		if !d.Has(unlock) { // a PIN of no digits would cost a try
			d.Do("xdotool", "key", "Return") // the card's certificate is the one that is chosen
		}
	}
}

const inThisBrowser = "Log in with the card in this browser"

// look asks whether everybody can use a page, and takes a picture of it. It leaves the window as wide as it is: a browser with a window that is
// told to draw another width may end when it comes to its next page.
func look(d *webtest.Desktop, br *webtest.Browser, name string) {
	br.Axe()
	d.Shot(name)
}
