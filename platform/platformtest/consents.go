package platformtest

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// consent is one that the Agency has recorded.
type consent struct {
	jlis.Consent
	person *Person
	told   jitsuin.FourItems
}

// Yen gives what was charged for supplies of the latest items, and how often J-LIS was asked for them.
func (g *Agency) Yen() (yen, asked int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.yen, g.asked
}

// Moves has the register record new items of a person, and ends their signature certificate as a move does.
func (g *Agency) Moves(p *Person, address string) {
	g.w.t.Helper()
	g.Revoke(jitsuin.SignCert, p.Sign.Cert)
	g.mu.Lock()
	defer g.mu.Unlock()
	p.Items.Address = address
}

type signedIn struct {
	Key  string `header:"Idempotency-Key"`
	ID   string `path:"id"`
	Body jlis.SignedForm
}

type consentOut struct{ Body jlis.Consent }

type latestIn struct {
	Key  string `header:"Idempotency-Key"`
	ID   string `path:"id"`
	Body jlis.LatestRequest
}

type latestOut struct{ Body jlis.Latest }

func (g *Agency) consentRoutes(a *actor.Actor) {
	verifiers := httpapi.Roles("platform", "verifier")
	httpapi.Register(a.API, httpapi.Operation{ID: "consent", Method: "POST", Path: "/consents", MaxBody: 8 << 20, Policy: verifiers},
		func(ctx context.Context, in *struct {
			Key  string `header:"Idempotency-Key"`
			Body jlis.SignedForm
		}) (*consentOut, error) {
			return g.consent(ctx, in.Key, in.Body.Document)
		})
	httpapi.Register(a.API, httpapi.Operation{ID: "withdraw", Method: "POST", Path: "/consents/{id}/withdrawal", MaxBody: 8 << 20, Policy: verifiers}, g.withdraw)
	httpapi.Register(a.API, httpapi.Operation{ID: "latest", Method: "POST", Path: "/consents/{id}/latest-items", Policy: verifiers}, g.latest)
}

// alive answers from the sets themselves.
type alive struct{ g *Agency }

func (a alive) Status(_ context.Context, leaf, _ *x509.Certificate, at time.Time) (cert.Status, error) {
	kind, _ := cert.KindOf(leaf)
	serial, _ := cert.SerialOf(leaf.SerialNumber)
	if known := a.g.Sets[kind].Lookup(serial); known.State != cert.Good {
		return cert.Status{State: known.State, Source: "record", RevokedAt: known.RevokedAt, Reason: known.Reason}, nil
	}
	return cert.Status{State: cert.Good, Source: "record", ThisUpdate: at}, nil
}

// read judges a signed form and tells who signed.
func (g *Agency) read(ctx context.Context, document []byte) (f form.Filled, who *Person, err error) {
	r, err := signature.Verify(ctx, signature.Input{Signature: document, Format: signature.FormatPDF},
		signature.Policy{Anchors: []*x509.Certificate{g.Authorities[jitsuin.SignCert].Cert}, At: g.w.Platform.Clock.Now(), Revocation: alive{g}, Kind: jitsuin.SignCert})
	if err != nil {
		return f, nil, err
	}
	if r.Verdict != signature.Passed {
		return f, nil, jitsuin.Errorf(jitsuin.Invalid, "consent-signature", "%s", r.SubIndication)
	}
	made, err := pades.Original(document)
	if err != nil {
		return f, nil, err
	}
	serial, _ := cert.SerialOf(r.Signatures[0].Certificate.SerialNumber)
	who = g.holders[jlis.Link{Kind: jitsuin.SignCert, Serial: serial.String()}]
	f, err = form.Read(made)
	return f, who, err
}

func (g *Agency) consent(ctx context.Context, key string, document []byte) (*consentOut, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if had, ok := g.answered[key].(jlis.Consent); ok {
		return &consentOut{had}, nil
	}
	f, who, err := g.read(ctx, document)
	if err == nil {
		err = jlis.CheckConsent(f, ID)
	}
	if err != nil {
		return nil, err
	}
	today := jitsuin.DateOf(g.w.Platform.Clock.Now())
	term, err := rules.ConsentTerm(today)
	if err != nil {
		return nil, err
	}
	c := &consent{jlis.Consent{ID: jitsuin.NewID(), Number: f.Form.Number, GivenOn: today, LastDay: term.Until, State: jlis.ConsentInForce}, who, who.Items}
	g.consents[c.ID], g.answered[key] = c, c.Consent
	return &consentOut{c.Consent}, nil
}

func (g *Agency) withdraw(ctx context.Context, in *signedIn) (*consentOut, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.consents[jitsuin.ID(in.ID)]
	f, who, err := g.read(ctx, in.Body.Document)
	switch {
	case err != nil:
		return nil, err
	case c == nil || f.Values["consent"] != in.ID:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "withdrawal-form", "another consent")
	case who != c.person:
		return nil, jitsuin.Errorf(jitsuin.Denied, "withdrawal-person", "somebody else")
	}
	c.State = jlis.ConsentWithdrawn
	return &consentOut{c.Consent}, nil
}

func (g *Agency) latest(_ context.Context, in *latestIn) (*latestOut, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	c := g.consents[jitsuin.ID(in.ID)]
	if c == nil {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "consent-unknown", "no such consent")
	}
	if c.State == jlis.ConsentWithdrawn {
		return nil, jitsuin.Errorf(jitsuin.Revoked, "consent-withdrawn", "the consent was withdrawn")
	}
	if had, ok := g.answered[in.Key].(jlis.Latest); ok {
		return &latestOut{had}, nil
	}
	now, items := g.w.Platform.Clock.Now(), c.person.Items
	l := jlis.Latest{Supply: jitsuin.NewID(), At: now.UTC(), Fields: items.Differences(c.told)}
	if l.New = len(l.Fields) > 0; l.New {
		fee, err := rules.FeeOf(rules.FeeLatestItems, jitsuin.DateOf(now))
		if err != nil {
			return nil, err
		}
		l.Items, l.Yen, c.told = &items, fee.N, items
		g.yen += fee.N
	}
	g.answered[in.Key] = l
	return &latestOut{l}, nil
}
