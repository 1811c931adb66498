package platformtest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"math/big"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/status"
)

// SPKI gives an identity's public key, DER.
func SPKI(t testing.TB, i httpapi.Identity) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&i.Key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Agency plays J-LIS: two authorities, and the links of their certificates.
type Agency struct {
	Authorities map[jitsuin.CertKind]*certtest.Authority
	Sets        map[jitsuin.CertKind]*status.Set
	LinksDown   atomic.Bool
	AskedLinks  atomic.Int64
	Notified    chan jlis.Verifier

	w     *World
	codec *cert.SerialCodec

	mu       sync.Mutex
	ordinal  uint64
	holders  map[jlis.Link]*Person
	consents map[jitsuin.ID]*consent
	answered map[string]any // by Idempotency-Key
	yen      int
	asked    int
}

// Credential is a certificate with its key.
type Credential struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

// Person is a resident with a card.
type Person struct {
	Items jitsuin.FourItems
	Sign  Credential
	Auth  Credential

	keys  int
	links []jlis.Link
}

// NewAuthority makes a CA of a kind with the n-th test key, valid around the present.
func NewAuthority(t testing.TB, kind jitsuin.CertKind, n int) *certtest.Authority {
	t.Helper()
	a := &certtest.Authority{Key: certtest.Key(t, cert.RSA2048SHA256, 1000+n), Kind: kind, Suite: cert.RSA2048SHA256}
	a.Cert = a.Issue(t, &cert.Template{Profile: cert.ProfileCA, Kind: kind, Serial: big.NewInt(int64(n)), Key: a.Key.Public(),
		NotBefore: time.Now().AddDate(-5, 0, 0).Truncate(time.Second), LastDay: jitsuin.DateOf(time.Now()).AddDays(9 * 365)})
	return a
}

func (w *World) startAgency() *Agency {
	w.t.Helper()
	codec, err := cert.NewSerialCodec(bytes.Repeat([]byte{7}, 16))
	w.must(err)
	g := &Agency{w: w, codec: codec, Authorities: map[jitsuin.CertKind]*certtest.Authority{}, Sets: map[jitsuin.CertKind]*status.Set{},
		Notified: make(chan jlis.Verifier, 16), holders: map[jlis.Link]*Person{}, consents: map[jitsuin.ID]*consent{}, answered: map[string]any{}}
	a, err := actor.New(context.Background(), w.Config("jlis:1", "sqlite::memory:"), actor.Spec{Title: "jlis", Version: "1", Log: quiet()})
	w.must(err)
	for i, kind := range jitsuin.CertKinds {
		g.Authorities[kind], g.Sets[kind] = NewAuthority(w.t, kind, 1+i), status.NewSet(kind, codec)
		a.API.Raw("GET /ca/"+string(kind)+".cer", httpapi.Public("CA certificates are published"), http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Write(g.Authorities[kind].Cert.Raw)
		}))
	}
	verifiers := httpapi.Roles("platform", "verifier")
	httpapi.Register(a.API, httpapi.Operation{ID: "links", Method: "POST", Path: "/links", Policy: verifiers}, g.links)
	httpapi.Register(a.API, httpapi.Operation{ID: "guardians", Method: "POST", Path: "/guardian-checks", Policy: verifiers}, g.guardians)
	httpapi.Register(a.API, httpapi.Operation{ID: "verifiers", Method: "POST", Path: "/verifiers", Policy: verifiers},
		func(_ context.Context, in *struct{ Body jlis.Verifier }) (*struct{}, error) {
			g.Notified <- in.Body
			return nil, nil
		})
	g.consentRoutes(a)
	w.run(a)
	return g
}

type linksIn struct{ Body jlis.Link }

type linksOut struct{ Body jlis.Links }

func (g *Agency) links(_ context.Context, in *linksIn) (*linksOut, error) {
	g.AskedLinks.Add(1)
	if g.LinksDown.Load() {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "links-down", "the register of links rests")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.holders[in.Body]
	if p == nil {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "certificate-unknown", "no such certificate")
	}
	return &linksOut{jlis.Links{Links: append([]jlis.Link{}, p.links...)}}, nil
}

type guardianOut struct{ Body jlis.Guardian }

// guardians answers by a person's items and the platform's civil day.
func (g *Agency) guardians(_ context.Context, in *linksIn) (*guardianOut, error) {
	if g.LinksDown.Load() {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "links-down", "the register of links rests")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.holders[in.Body]
	if p == nil {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "certificate-unknown", "no such certificate")
	}
	return &guardianOut{jlis.Guardian{Acts: rules.GuardianActs(p.Items.BirthDate, jitsuin.DateOf(g.w.Platform.Clock.Now()))}}, nil
}

var people atomic.Int64

// Resident gives a person with both certificates.
func (g *Agency) Resident(name string) *Person {
	g.w.t.Helper()
	p := &Person{keys: int(people.Add(1))%4 + 1, Items: jitsuin.FourItems{Name: name, Address: "霞県朝霧市大字見本１丁目２番３号",
		BirthDate: jitsuin.Date{Year: 1980, Month: time.February, Day: 17}, Sex: jitsuin.Female}}
	g.Reissue(p, jitsuin.SignCert, nil)
	g.Reissue(p, jitsuin.AuthCert, nil)
	return p
}

// Reissue gives p a new certificate of a kind; change may alter its template.
func (g *Agency) Reissue(p *Person, kind jitsuin.CertKind, change func(*cert.Template)) {
	g.w.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ordinal++
	serial, err := g.codec.Encode(1, g.ordinal)
	g.w.must(err)
	ca, key := g.Authorities[kind], certtest.Key(g.w.t, cert.RSA2048SHA256, p.keys)
	t := ca.Resident(g.w.t, serial.Big())
	t.Key, t.NotBefore, t.LastDay = key.Public(), time.Now().AddDate(0, -1, 0).Truncate(time.Second), jitsuin.DateOf(time.Now()).AddDays(4*365)
	if kind == jitsuin.SignCert {
		t.Items = cert.PlainItems(p.Items)
	}
	if change != nil {
		change(t)
	}
	leaf := ca.Issue(g.w.t, t)
	g.w.must(g.Sets[kind].Apply(status.Event{Serial: serial, Kind: kind, Type: status.Issued, Version: 1, At: t.NotBefore,
		NotAfter: leaf.NotAfter, Municipality: "91201"}))
	link := jlis.Link{Kind: kind, Serial: serial.String()}
	p.links, g.holders[link] = append(p.links, link), p
	if kind == jitsuin.SignCert {
		p.Sign = Credential{leaf, key}
	} else {
		p.Auth = Credential{leaf, key}
	}
}

// Revoke ends a certificate now.
func (g *Agency) Revoke(kind jitsuin.CertKind, c *x509.Certificate) {
	g.w.t.Helper()
	g.RevokeAt(kind, c, g.w.Platform.Clock.Now())
}

// RevokeAt ends a certificate at an instant, as a second event on it.
func (g *Agency) RevokeAt(kind jitsuin.CertKind, c *x509.Certificate, at time.Time) {
	g.w.t.Helper()
	serial, _ := cert.SerialOf(c.SerialNumber)
	g.w.must(g.Sets[kind].Apply(status.Event{Serial: serial, Kind: kind, Type: status.Revoked, Version: 2,
		At: at.Truncate(time.Second), Reason: jitsuin.ReasonAffiliationChanged}))
}

// Over makes a detached CAdES B-B signature with the credential.
func (c Credential) Over(t testing.TB, document []byte) []byte {
	t.Helper()
	s := signature.DocumentSigner{Certificate: c.Cert, Key: c.Key}
	der, err := s.Detached(context.Background(), bytes.NewReader(document), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Status plays the status origin.
type Status struct {
	Down   atomic.Bool
	Denied atomic.Bool  // nobody is served
	Signed atomic.Int64 // nanoseconds in which OCSP answers were signed

	mu     sync.Mutex
	frozen time.Time
	w      *World
	lists  map[jitsuin.CertKind]*status.Publisher
}

// Freeze stops the origin's clock, and so its lists, at an instant; the zero time lets it go on.
func (s *Status) Freeze(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = at
}

func (s *Status) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.frozen.IsZero() {
		return s.frozen
	}
	if s.w.Platform == nil {
		return time.Now()
	}
	return s.w.Platform.Clock.Now()
}

func (w *World) startStatus() *Status {
	w.t.Helper()
	s := &Status{w: w, lists: map[jitsuin.CertKind]*status.Publisher{}}
	var list []status.Authority
	for _, kind := range jitsuin.CertKinds {
		ca := w.Agency.Authorities[kind]
		tmpl, key := ca.Responder(w.t, 1)
		tmpl.NotBefore, tmpl.LastDay = time.Now().AddDate(0, -1, 0).Truncate(time.Second), jitsuin.DateOf(time.Now()).AddDays(8*365)
		list = append(list, status.Authority{CA: ca.Cert, Set: w.Agency.Sets[kind], Responder: ca.Issue(w.t, tmpl),
			Sign: func(_ context.Context, tbs []byte) ([]byte, error) { return certtest.SignTBS(key, tbs) }})
		var err error
		s.lists[kind], err = status.NewPublisher(status.PublisherOptions{CA: ca.Cert, Set: w.Agency.Sets[kind], Sign: ca.Sign, Clock: s.clock})
		w.must(err)
	}
	responder, err := status.NewResponder(list, status.ResponderOptions{Clock: s.clock, Signed: func(took time.Duration) { s.Signed.Add(int64(took)) }})
	w.must(err)
	a, err := actor.New(context.Background(), w.Config("status:1", "sqlite::memory:"), actor.Spec{Title: "status", Version: "1", Log: quiet()})
	w.must(err)
	verifiers := httpapi.Roles("platform", "verifier")
	a.API.Raw("POST /ocsp", verifiers, s.unlessDown(responder))
	for kind, p := range s.lists {
		a.API.Raw("GET /crl/"+string(kind), verifiers, s.unlessDown(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
			if _, err := p.Tick(q.Context()); err != nil {
				w.t.Error(err)
			}
			der, _, ok := p.Current("")
			if !ok || q.URL.Query().Get("issuer") != fmt.Sprintf("%x", w.Agency.Authorities[kind].Cert.SubjectKeyId) {
				http.NotFound(rw, q)
				return
			}
			rw.Write(der)
		})))
	}
	w.run(a)
	return s
}

func (s *Status) unlessDown(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		if s.Down.Load() {
			http.Error(rw, "down", http.StatusServiceUnavailable)
			return
		}
		if s.Denied.Load() {
			http.Error(rw, "denied", http.StatusForbidden)
			return
		}
		h.ServeHTTP(rw, q)
	})
}
