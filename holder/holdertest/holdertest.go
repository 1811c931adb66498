// Package holdertest makes what tests of the holder's side need: throwaway authorities with the
// real certificate profiles, and cards that are produced, personalised and handed over through a
// card host as in life. Only tests import it.
package holdertest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
)

// The PINs of every card.
const (
	SignPIN = "ABC123"
	AuthPIN = "1234"
)

// World is a pair of authorities, around the present, and the terminal that makes cards.
type World struct {
	CAs map[jitsuin.CertKind]*certtest.Authority
	Now time.Time
	// Issue, where it is not nil, issues the certificate for a card's key, in the place of CAs: for cards that somebody else knows of.
	Issue      func(kind jitsuin.CertKind, key crypto.PublicKey) *x509.Certificate
	terminals  *ecdsa.PrivateKey
	production reader.Terminal
	counter    reader.Terminal
	faces      *faces
}

// New makes a world. All worlds of a test binary share their keys.
func New(t testing.TB) *World {
	t.Helper()
	w := &World{CAs: map[jitsuin.CertKind]*certtest.Authority{}, Now: time.Now().Truncate(time.Second)}
	for i, kind := range jitsuin.CertKinds {
		w.CAs[kind] = w.Authority(t, kind, i)
	}
	var err error
	if w.terminals, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	w.production, w.counter = w.terminal(t, card.RoleProduction), w.terminal(t, card.RoleCounter)
	return w
}

func (w *World) terminal(t testing.TB, role card.Role) reader.Terminal {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := card.IssueTerminalCertificate(rand.Reader, w.terminals, role, &own.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return reader.Terminal{Certificate: certificate, Key: own}
}

// Authority makes an authority with the n-th key, in force around the present.
func (w *World) Authority(t testing.TB, kind jitsuin.CertKind, n int) *certtest.Authority {
	t.Helper()
	a := &certtest.Authority{Key: certtest.Key(t, cert.RSA2048SHA256, n), Kind: kind, Suite: cert.RSA2048SHA256}
	a.Cert = a.Issue(t, &cert.Template{Profile: cert.ProfileCA, Kind: kind, Serial: big.NewInt(int64(n + 1)), Key: a.Key.Public(),
		NotBefore: w.Now.AddDate(-9, 0, 0), LastDay: jitsuin.DateOf(w.Now.AddDate(9, 0, 0))})
	return a
}

// Order says how a card differs from a sound one.
type Order struct {
	// Years moves the validity of the certificates, which are in their second of five years.
	Years int
	// Without leaves a certificate, and its PIN, out.
	Without jitsuin.CertKind
	// Wrong writes certificates of the other kind.
	Wrong bool
	// Face writes the card's face, with this person's four items; nil for none.
	Face *jitsuin.FourItems
	// Kept leaves the card in the hands of the authority.
	Kept bool
}

// Card is a card that was made, and what was written on it.
type Card struct {
	ID           jitsuin.ID
	Certificates map[jitsuin.CertKind]*x509.Certificate
}

// Card makes a card in DATA/cards, which no other process may serve meanwhile.
func (w *World) Card(t testing.TB, data string, o Order) *Card {
	t.Helper()
	ctx := context.Background()
	h, err := host.New(filepath.Join(data, "cards"), host.Options{OwnKeys: o.Face != nil})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	c := &Card{ID: jitsuin.NewID(), Certificates: map[jitsuin.CertKind]*x509.Certificate{}}
	handle, err := h.Create(ctx, host.Order{ID: c.ID, Token: string(jitsuin.NewID()), Custodian: "jlis", TerminalAuthority: &w.terminals.PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	channel, err := h.Open(ctx, handle)
	if err != nil {
		t.Fatal(err)
	}
	w.personalise(t, channel, c, o)
	if o.Face != nil {
		w.writeFace(t, channel, *o.Face)
	}
	if err := channel.Close(); err != nil {
		t.Fatal(err)
	}
	if o.Kept {
		return c
	}
	if _, err := h.Transfer(ctx, handle, host.Holder, string(jitsuin.NewID())); err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *World) personalise(t testing.TB, channel reader.Channel, c *Card, o Order) {
	t.Helper()
	ctx := context.Background()
	j, err := reader.SelectJPKI(ctx, channel)
	if err == nil {
		err = j.Authenticate(ctx, w.production)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range jitsuin.CertKinds {
		if kind == o.Without {
			continue
		}
		key, err := j.GenerateKey(ctx, kind)
		if err != nil {
			t.Fatal(err)
		}
		by := w.CAs[kind]
		if o.Wrong {
			by = w.CAs[other(kind)]
		}
		template := w.Resident(t, by)
		template.Key = key
		template.NotBefore = w.Now.AddDate(o.Years-1, 0, 0)
		template.LastDay = jitsuin.DateOf(w.Now.AddDate(o.Years+3, 0, 0))
		if w.Issue != nil {
			c.Certificates[kind] = w.Issue(kind, key)
		} else {
			c.Certificates[kind] = by.Issue(t, template)
		}
		pin := jitsuin.PIN(AuthPIN)
		if kind == jitsuin.SignCert {
			pin = SignPIN
		}
		for _, err := range []error{j.WriteCertificate(ctx, kind, c.Certificates[kind].Raw),
			j.WriteCACertificate(ctx, kind, by.Cert.Raw), j.ResetPIN(ctx, kind, pin)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Resident is the template of an invented resident's certificate, in force around the present.
func (w *World) Resident(t testing.TB, by *certtest.Authority) *cert.Template {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatal(err)
	}
	template := by.Resident(t, serial.Add(serial, big.NewInt(1)))
	template.NotBefore = w.Now.AddDate(-1, 0, 0)
	template.LastDay = jitsuin.DateOf(w.Now.AddDate(3, 0, 0))
	return template
}

func other(kind jitsuin.CertKind) jitsuin.CertKind {
	if kind == jitsuin.SignCert {
		return jitsuin.AuthCert
	}
	return jitsuin.SignCert
}
