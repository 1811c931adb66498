package tlslogin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// Path is where the port takes browsers in; the query has the handle.
const Path = "/card"

// Patience is how long a handshake may take: the person types the PIN in the middle of it.
const Patience = 3 * time.Minute

// Port takes handshakes. Fill the fields before its first use.
type Port struct {
	// Certificate and Key are PEM files. They are read for each handshake, so that a renewed certificate needs no restart.
	Certificate, Key string
	// Home is where a browser is led that brings no handle: the platform's page for logins.
	Home string
	// Authorities gives the CA certificates whose subjects browsers offer; what else is shown is taken all the same, to be refused by a page.
	Authorities func() []*x509.Certificate
	// Present takes what was shown for a handle, nil for nothing, and gives where the browser goes on.
	Present func(ctx context.Context, handle string, leaf *x509.Certificate) (back string, err error)
	Log     *slog.Logger
}

// TLS gives the settings of the port. TLS 1.2 for whoever speaks it, since OpenSC's driver for the card has no RSASSA-PSS, without which
// there is no client certificate in TLS 1.3 (RFC 8446 §4.2.3), and the server chooses the version before it sees what the client's key can do.
// A client that offers nothing below TLS 1.3 says that its key can, and is taken at its word. Nothing is resumed: each login is a signature by
// the card. The certificate is asked for and not demanded, and its path is not looked at here.
func (p *Port) TLS() *tls.Config {
	base := &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true,
		NextProtos: []string{"http/1.1"}, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.load() }}
	base.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		c := base.Clone()
		if !slices.Contains(hello.SupportedVersions, tls.VersionTLS12) {
			c.MaxVersion = tls.VersionTLS13
		}
		if all := p.Authorities(); len(all) > 0 {
			c.ClientCAs = x509.NewCertPool()
			for _, ca := range all {
				c.ClientCAs.AddCert(ca)
			}
		}
		return c, nil
	}
	return base
}

// Check tells whether the port's certificate and key can be read and belong together.
func (p *Port) Check() error {
	_, err := p.load()
	return err
}

func (p *Port) load() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(p.Certificate, p.Key)
	return &c, err
}

// Handler leads browsers back.
func (p *Port) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, p.shown)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { lead(w, r, p.Home) })
	return mux
}

func (p *Port) shown(w http.ResponseWriter, r *http.Request) {
	handle := r.URL.Query().Get("handle")
	if handle == "" {
		lead(w, r, p.Home)
		return
	}
	if r.TLS == nil || r.TLS.DidResume { // a resumed session proves nothing anew; TLS allows none
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		return
	}
	var leaf *x509.Certificate
	if all := r.TLS.PeerCertificates; len(all) > 0 {
		leaf = all[0]
	}
	back, err := p.Present(r.Context(), handle, leaf)
	if err != nil {
		p.Log.DebugContext(r.Context(), "a browser left before its certificate was judged", "err", err)
		return
	}
	lead(w, r, back)
}

func lead(w http.ResponseWriter, r *http.Request, to string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, to, http.StatusSeeOther)
}
