package platform

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/signature"
)

// The login by TLS client certificate: the browser itself shows the card's certificate, at a port of its own, and comes back to the
// origin of our pages with a code. The port has no page: whatever comes of it is told at our origin.

const cardTLSPath = "/card"

// Outcomes of a certificate that was shown, beside those of a login by the holder.
const (
	cardNone      = "card-none"
	cardRevoked   = "card-revoked"
	cardExpired   = "card-expired"
	cardUnknown   = "card-unknown-ca"
	cardOtherKind = "card-signature"
)

var cardOutcomes = []string{cardNone, cardRevoked, cardExpired, cardUnknown, cardOtherKind}

// cardOutcome says why a certificate was refused, in the word for which the page has a text.
func cardOutcome(r *signature.Report, err error) string {
	var path *cert.PathError
	switch {
	case errors.As(err, &path) && path.Code == cert.WrongKind:
		return cardOtherKind
	case r.SubIndication == signature.Revoked:
		return cardRevoked
	case r.SubIndication == signature.Expired || r.SubIndication == signature.OutOfBoundsNoPOE:
		return cardExpired
	case r.SubIndication == signature.NoCertificateChain:
		return cardUnknown
	}
	return ownNotAccepted
}

// presentOwnLogin judges a certificate whose key a TLS handshake proved; it is errand.Handler's Present for logins at our own pages.
func (p *Platform) presentOwnLogin(ctx context.Context, _ errand.Visit, leaf *x509.Certificate) (outcome, result string, err error) {
	if leaf == nil {
		return cardNone, "", nil
	}
	if err := p.mayVerify(ctx); err != nil {
		return "", "", err
	}
	anchors, err := p.trusted()
	if err != nil {
		return "", "", err
	}
	if leaf, err = cert.Parse(leaf.Raw); err != nil {
		return ownNotAccepted, "", nil
	}
	now := p.Clock.Now()
	path, verr := signature.VerifyPresented(ctx, leaf, signature.Policy{Anchors: anchors, At: now, Revocation: p.newWitness(true), Kind: jitsuin.AuthCert})
	return p.welcomeOwn(ctx, leaf, path, now, verr, func(r *signature.Report) string { return cardOutcome(r, verr) })
}

// cardTLSServer takes handshakes. TLS 1.2 and no later, since OpenSC's driver for the card has no RSASSA-PSS; no resumption and no second
// request on a connection, so that each login is a proof of its own; and the certificate is asked for, not demanded, so that who has
// none is told so by a page.
func (p *Platform) cardTLSServer() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+cardTLSPath, p.cardShown)
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(p.Log.Handler(), slog.LevelDebug),
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert,
			SessionTicketsDisabled: true, NextProtos: []string{"http/1.1"},
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				c, err := tls.LoadX509KeyPair(p.cfg.CardTLS.Certificate, p.cfg.CardTLS.Key)
				return &c, err
			}}}
	s.SetKeepAlivesEnabled(false)
	return s
}

// cardShown leads the browser back to our pages, whatever its certificate is.
func (p *Platform) cardShown(w http.ResponseWriter, r *http.Request) {
	var leaf *x509.Certificate
	if shown := r.TLS.PeerCertificates; len(shown) > 0 {
		leaf = shown[0]
	}
	q := r.URL.Query()
	back, err := p.errands.Present(r.Context(), q.Get("txn"), q.Get("handle"), leaf)
	if err != nil {
		httpapi.WriteError(w, r, p.Log, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// serveCardTLS runs the port until ctx ends.
func (p *Platform) serveCardTLS(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.cfg.CardTLS.Listen)
	if err != nil {
		return err
	}
	s := p.cardTLSServer()
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
