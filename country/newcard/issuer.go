package newcard

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/cert"
)

// issuer is an authority for as long as a card is made.
type issuer struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// newKey makes an authority's key; tests make fewer.
var newKey = func(algorithm card.Algorithm) (crypto.Signer, error) {
	if algorithm == card.P384 {
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, 2048)
}

// authorityYears is how long its certificate lasts: longer than any card's.
const authorityYears = 10

func newIssuer(kind jitsuin.CertKind, algorithm card.Algorithm, now time.Time) (*issuer, error) {
	key, err := newKey(algorithm)
	if err != nil {
		return nil, err
	}
	i := &issuer{key: key}
	i.certificate, err = i.issue(&cert.Template{Profile: cert.ProfileCA, Realm: cert.Sandbox(), Kind: kind, Key: key.Public(),
		NotBefore: now.Truncate(time.Second).Add(-time.Hour), LastDay: jitsuin.DateOf(now.AddDate(authorityYears+1, 0, 0))})
	return i, err
}

// issue fills in a random serial number and signs.
func (i *issuer) issue(t *cert.Template) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, err
	}
	t.Serial = serial.Add(serial, big.NewInt(1))
	tbs, err := t.TBS()
	if err != nil {
		return nil, err
	}
	suite, err := cert.SuiteOf(i.key.Public())
	if err != nil {
		return nil, err
	}
	h := suite.Hash().New()
	h.Write(tbs)
	signature, err := i.key.Sign(rand.Reader, h.Sum(nil), suite.Hash())
	if err != nil {
		return nil, err
	}
	der, err := cert.Assemble(tbs, signature)
	if err != nil {
		return nil, err
	}
	return cert.Parse(der)
}
