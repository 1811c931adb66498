package platform

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/platform/metering"
	"github.com/jitsuin/jitsuin/platform/openid"
	"github.com/jitsuin/jitsuin/platform/tlslogin"
	"github.com/jitsuin/jitsuin/signature"
)

// The login by a TLS client certificate as a part of the platform: package tlslogin has the port, here is what of a certificate becomes a
// user. It is the judgement of every other login; what a signature over a challenge proves there, the handshake proves here.

// tlsLoginFile is the certificate and key of a port that was given none, in the state folder.
const tlsLoginFile = "tls-login.pem"

// openTLSLogin opens the port, where there is to be one.
func (p *Platform) openTLSLogin() error {
	c := p.cfg.TLSLogin
	if c.Listen == "" {
		return nil
	}
	if c.Certificate == "" {
		c.Certificate = filepath.Join(p.cfg.State, tlsLoginFile)
		c.Key = c.Certificate
		if err := tlslogin.DrawOwn(c.Certificate, c.Host(), time.Now()); err != nil {
			return err
		}
	}
	port := &tlslogin.Port{Certificate: c.Certificate, Key: c.Key, Home: p.origin() + "/me", Present: p.errands.Present, Log: p.Log,
		Authorities: func() []*x509.Certificate {
			all, _ := p.trusted() // none yet: nothing is offered
			return all
		}}
	if err := port.Check(); err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "config", "the certificate of the port for logins by TLS: %w", err).At("tls_login.certificate")
	}
	p.AlsoServeTLS(c.Listen, port.Handler(), port.TLS(), tlslogin.Patience)
	return nil
}

// tlsLogin tells whether a browser may show the card's certificate itself.
func (p *Platform) tlsLogin() bool { return p.cfg.TLSLogin.Listen != "" }

// beginPresent leads a browser to the port.
func (p *Platform) beginPresent(w http.ResponseWriter, r *http.Request, q errand.Request) error {
	if !p.tlsLogin() {
		return jitsuin.Errorf(jitsuin.NotFound, "tls-login-off", "this platform has no port for logins by TLS")
	}
	return p.errands.BeginPresent(w, r, q, p.cfg.TLSLogin.Origin+tlslogin.Path)
}

// wayOf tells the operation log of a login that went the second way.
func wayOf(v errand.Visit) map[string]string {
	if v.Act == errand.ActPresent {
		return map[string]string{"way": "tls"}
	}
	return nil
}

// judgePresented judges a certificate whose key a handshake proved.
func (p *Platform) judgePresented(ctx context.Context, leaf *x509.Certificate, w *witness, now time.Time) (*signature.Report, error) {
	anchors, err := p.trusted()
	if err != nil {
		return nil, err
	}
	path, verr := signature.VerifyPresented(ctx, leaf, signature.Policy{Anchors: anchors, At: now, Revocation: w, Kind: jitsuin.AuthCert})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return loginReport(path, leaf, now, verr), nil
}

// readShown gives a certificate that a browser showed, or why it is refused at once.
func readShown(leaf *x509.Certificate) (c *x509.Certificate, refusal string) {
	if leaf == nil {
		return nil, tlslogin.None
	}
	c, err := cert.Parse(leaf.Raw)
	if err != nil {
		return nil, tlslogin.UnknownCA
	}
	return c, ""
}

// unsure makes an outcome of a failure that passes: the browser is at the port, which has no page, and begins anew.
func unsure(outcome, result string, err error) (string, string, error) {
	if err != nil && jitsuin.KindOf(err) == jitsuin.Unavailable {
		return tlslogin.Unsure, "", nil
	}
	return outcome, result, err
}

// presentOwnLogin is errand.Handler's Present for logins at our own origin.
func (p *Platform) presentOwnLogin(ctx context.Context, _ errand.Visit, shown *x509.Certificate) (outcome, result string, err error) {
	leaf, refusal := readShown(shown)
	if refusal != "" {
		return refusal, "", nil
	}
	return unsure(p.judgeOwnPresented(ctx, leaf))
}

func (p *Platform) judgeOwnPresented(ctx context.Context, leaf *x509.Certificate) (outcome, result string, err error) {
	if err := p.mayVerify(ctx); err != nil {
		return "", "", err
	}
	now := p.Clock.Now()
	r, err := p.judgePresented(ctx, leaf, p.newWitness(true), now)
	switch {
	case err != nil:
		return "", "", err
	case r.Verdict != signature.Passed:
		return tlslogin.RefusalOf(leaf, r), "", nil
	}
	return p.welcomeOwn(ctx, leaf, now)
}

// presentOpenID is errand.Handler's Present for logins at a client of a tenant's.
func (p *Platform) presentOpenID(ctx context.Context, v errand.Visit, shown *x509.Certificate) (outcome, result string, err error) {
	l, _ := v.Looked.(*openid.Login)
	switch {
	case l == nil:
		return string(openid.TooLate), "", nil
	case l.Done:
		return string(openid.Welcome), "", nil
	}
	leaf, refusal := readShown(shown)
	if refusal != "" {
		return refusal, "", nil
	}
	return unsure(p.judgeOpenIDPresented(withTerms(ctx, terms{accept: l.Accept, way: wayOf(v)}), l, leaf))
}

func (p *Platform) judgeOpenIDPresented(ctx context.Context, l *openid.Login, leaf *x509.Certificate) (outcome, result string, err error) {
	known, leave, err := p.turn(ctx, l.Tenant)
	if err != nil {
		return "", "", err
	}
	defer leave()
	w := p.witnessBy(p.validityFor(known, l), true)
	r, err := p.judgePresented(ctx, leaf, w, p.Clock.Now())
	if err != nil {
		return "", "", err
	}
	ctx = httpapi.WithCaller(ctx, httpapi.Caller{ID: l.Tenant, Role: roleTenant})
	done, err := p.conclude(ctx, l.Tenant, api.ChallengeText{Purpose: openidPurpose}, leaf, r, true, w.used(metering.Login, jitsuin.AuthCert))
	switch {
	case err != nil:
		return "", "", err
	case done.Report.Verdict != signature.Passed || done.User == nil:
		return tlslogin.RefusalOf(leaf, &done.Report), "", nil
	}
	return string(openid.Welcome), "", nil
}

// outcomeWords gives the texts' stem for an outcome of a login that the page at stem, or the second way, has words for; "" for any other.
func outcomeWords(outcome, stem string, known []string) string {
	if oneOf(outcome, tlslogin.Refusals) != "" {
		return "tlslogin." + outcome
	}
	if oneOf(outcome, known) != "" {
		return stem + outcome
	}
	return ""
}

// TLSLoginConfig is about the login by a TLS client certificate (docs/tls-login.md).
type TLSLoginConfig struct {
	// Listen is HOST:PORT of the HTTPS port, empty for no such login. Nothing before it may end its TLS.
	Listen string `yaml:"listen,omitempty" check:"hostport"`
	// Origin is how browsers reach the port: https:// and Listen where it is empty.
	Origin string `yaml:"origin,omitempty"`
	// Certificate and Key are PEM files of the server's certificate with its chain, and of its private key. They are read
	// anew for each handshake. Without them a certificate of the platform's own making is drawn, for this machine alone, and lies in the state folder.
	Certificate string `yaml:"certificate,omitempty" check:"file"`
	Key         string `yaml:"key,omitempty" check:"file"`
}

func (c *TLSLoginConfig) fill() error {
	if c.Listen == "" {
		return nil
	}
	if c.Origin == "" {
		c.Origin = "https://" + c.Listen
	}
	u, err := url.Parse(c.Origin)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return jitsuin.Errorf(jitsuin.Invalid, "config", "%q is not https://HOST[:PORT]", c.Origin).At("tls_login.origin")
	case (c.Certificate == "") != (c.Key == ""):
		return jitsuin.Errorf(jitsuin.Invalid, "config", "a certificate needs its key, and a key its certificate").At("tls_login.key")
	case c.Certificate == "" && !tlslogin.Loopback(u.Hostname()):
		return jitsuin.Errorf(jitsuin.Invalid, "config", "%s needs a certificate and its key: one of our own making is for this machine alone", c.Origin).At("tls_login.certificate")
	}
	return nil
}

// Host is the name by which browsers reach the port.
func (c *TLSLoginConfig) Host() string {
	if c.Origin == "" {
		host, _, _ := net.SplitHostPort(c.Listen)
		return host
	}
	u, err := url.Parse(c.Origin)
	if err != nil {
		return "" // fill parsed it
	}
	return u.Hostname()
}
