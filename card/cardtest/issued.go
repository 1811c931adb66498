package cardtest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/reader"
)

// The PINs of an issued chip.
const (
	AuthPIN jitsuin.PIN = "1234"
	SignPIN jitsuin.PIN = "ABC123"
	Serial              = "0000000000000001"
)

// PINOf gives the PIN of a kind.
func PINOf(kind jitsuin.CertKind) jitsuin.PIN {
	if kind == jitsuin.SignCert {
		return SignPIN
	}
	return AuthPIN
}

// Issuer is a throwaway CA and a terminal authority with one terminal of each role.
type Issuer struct {
	Authority           *ecdsa.PrivateKey
	Production, Counter reader.Terminal
	CA                  *x509.Certificate
	caKey               *ecdsa.PrivateKey
}

// Issued is a personalised chip, its memory and what was written on it.
type Issued struct {
	*Issuer
	Memory       *Memory
	Chip         *card.Chip
	Certificates map[jitsuin.CertKind]*x509.Certificate
}

// master is issued once per test process, because RSA keys take long to make.
var master = sync.OnceValues(func() (*Issued, error) {
	issuer, err := newIssuer()
	if err != nil {
		return nil, err
	}
	issued := &Issued{Issuer: issuer, Memory: &Memory{}, Certificates: map[jitsuin.CertKind]*x509.Certificate{}}
	return issued, issued.personalise(context.Background())
})

// Issue gives a chip of its own with both certificates, both PINs and full counters. All chips
// of a test process are copies of one, with the same keys and terminals.
func Issue(t testing.TB) *Issued {
	t.Helper()
	m, err := master()
	if err != nil {
		t.Fatalf("issue a chip: %v", err)
	}
	c := *m
	c.Memory = m.Memory.Copy()
	if c.Chip, err = card.Open(c.Memory); err != nil {
		t.Fatal(err)
	}
	return &c
}

// Blank says how this issuer's chips are pre-personalised.
func (i *Issuer) Blank() card.Blank {
	return card.Blank{Serial: Serial, TerminalAuthority: &i.Authority.PublicKey}
}

// Terminal makes another terminal of that role.
func (i *Issuer) Terminal(role card.Role) (reader.Terminal, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return reader.Terminal{}, err
	}
	certificate, err := card.IssueTerminalCertificate(rand.Reader, i.Authority, role, &key.PublicKey)
	return reader.Terminal{Certificate: certificate, Key: key}, err
}

// Certify makes a certificate for a public key.
func (i *Issuer) Certify(name string, public crypto.PublicKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	return x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{Country: []string{"JP"}, CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}, i.CA, public, i.caKey)
}

func newIssuer() (*Issuer, error) {
	i := &Issuer{}
	var err error
	if i.Authority, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	if i.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		// Long enough that the DER begins 30 82, as every real CA certificate does.
		Subject: pkix.Name{Country: []string{"JP"}, Organization: []string{"JPKI-TEST"},
			OrganizationalUnit: []string{"Throwaway CA of a test", "Japan Agency for Local Authority Information Systems"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &i.caKey.PublicKey, i.caKey)
	if err != nil {
		return nil, err
	}
	if i.CA, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	if i.Production, err = i.Terminal(card.RoleProduction); err != nil {
		return nil, err
	}
	i.Counter, err = i.Terminal(card.RoleCounter)
	return i, err
}

func (c *Issued) personalise(ctx context.Context) error {
	chip, err := card.New(c.Memory, c.Blank())
	if err != nil {
		return err
	}
	j, err := reader.SelectJPKI(ctx, reader.Local(chip))
	if err != nil {
		return err
	}
	if err := j.Authenticate(ctx, c.Production); err != nil {
		return err
	}
	for _, kind := range jitsuin.CertKinds {
		der, err := c.Reissue(ctx, j, kind)
		if err != nil {
			return err
		}
		if c.Certificates[kind], err = x509.ParseCertificate(der); err != nil {
			return err
		}
		if err := j.WriteCACertificate(ctx, kind, c.CA.Raw); err != nil {
			return err
		}
		if err := j.ResetPIN(ctx, kind, PINOf(kind)); err != nil {
			return err
		}
	}
	return nil
}

// Reissue makes a key and writes a certificate for it on a card that the terminal has
// authenticated to, and gives the certificate.
func (i *Issuer) Reissue(ctx context.Context, j *reader.JPKI, kind jitsuin.CertKind) ([]byte, error) {
	public, err := j.GenerateKey(ctx, kind)
	if err != nil {
		return nil, err
	}
	der, err := i.Certify("Holder of a test card, "+string(kind), public)
	if err != nil {
		return nil, err
	}
	return der, j.WriteCertificate(ctx, kind, der)
}
