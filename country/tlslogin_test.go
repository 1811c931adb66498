//go:build unix

package country_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder"
)

// showsCard opens the platform's page for logins in a browser that reaches a card of the country by itself, and goes the way of TLS; the
// page at which it ends, and the version of TLS, are given. It is a program of our own, which knows the sandbox's certificate by its file.
func (l *living) showsCard(t *testing.T, card jitsuin.ID, change func(*tls.Config)) (page string, version uint16) {
	t.Helper()
	d, err := l.Directory()
	if err != nil {
		t.Fatal(err)
	}
	platform, err := d.Lookup(country.Platform)
	if err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Glob(l.Path("actors", "platform*", "state", "tls-login.pem"))
	if err != nil || len(own) != 1 {
		t.Fatalf("%v, %v", own, err)
	}
	text, err := os.ReadFile(own[0])
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{RootCAs: x509.NewCertPool()}
	c.RootCAs.AppendCertsFromPEM(text)
	done := func() error { return nil }
	c.GetClientCertificate = func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		var pair *tls.Certificate
		pair, done = l.pairOf(t, asked.Context(), card)
		return pair, asked.SupportsCertificate(pair) // with the authorities whose certificates the port wants
	}
	change(c)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: c}
	defer tr.CloseIdleConnections()
	browser := &http.Client{Jar: jar, Transport: tr, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.Response.TLS != nil {
			version = r.Response.TLS.Version
		}
		return nil
	}}
	read := func(resp *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("HTTP %d %.300s %v", resp.StatusCode, body, err)
		}
		return string(body)
	}
	if page := read(browser.Get(platform.Origin + "/me?lang=en")); !strings.Contains(page, "Log in with the card in this browser") {
		t.Fatalf("the page does not offer it: %.800s", page)
	}
	page = read(browser.PostForm(platform.Origin+"/me/login", url.Values{"way": {"tls"}}))
	if err := done(); err != nil {
		t.Fatal(err)
	}
	return page, version
}

// pairOf gives a card's authentication certificate, and its key, which stays in the card; done gives the card back.
func (l *living) pairOf(t *testing.T, ctx context.Context, id jitsuin.ID) (pair *tls.Certificate, done func() error) {
	t.Helper()
	cards := holder.CardsIn(string(l.Folder))
	place, err := cards.Place(ctx, string(id))
	if err != nil {
		t.Fatal(err)
	}
	channel, err := cards.Channel(ctx, place)
	if err != nil {
		t.Fatal(err)
	}
	j, err := reader.SelectJPKI(ctx, channel)
	if err != nil {
		t.Fatal(err)
	}
	s, err := j.Signer(ctx, jitsuin.AuthCert, country.AuthPIN)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{s.Certificate()}, PrivateKey: s}, channel.Close
}

// logsInByTLS logs in with a card of the country at the port that it has from its first day, in both versions of TLS: the chip signs the handshake.
func (l *living) logsInByTLS(t *testing.T, card jitsuin.ID) {
	t.Helper()
	for version, change := range map[uint16]func(*tls.Config){tls.VersionTLS12: func(*tls.Config) {}, tls.VersionTLS13: func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }} {
		if page, got := l.showsCard(t, card, change); !strings.Contains(page, "/me/logout") || got != version {
			t.Errorf("%x, not %x: %.800s", got, version, page)
		}
	}
}
