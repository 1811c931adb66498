package signtest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/signature/tsp"
)

// TSA is a throwaway time-stamping authority: a root and one unit below it, both with EC keys.
type TSA struct{ Root, Unit Identity }

// Purposes gives an extended key usage as an extension, for Leaf and NewIdentity.
func Purposes(critical bool, purposes ...asn1.ObjectIdentifier) pkix.Extension {
	value, err := asn1.Marshal(purposes)
	if err != nil {
		panic(err) // identifiers of a test
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: critical, Value: value}
}

// TimeStamping is the purpose of an authority's certificate (RFC 3161 §2.3).
var TimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}

// TimePolicy is the policy of throwaway tokens, below the arc for examples.
var TimePolicy = asn1.ObjectIdentifier{2, 999, 3161}

// NewTSA gives the authority of this test binary, made once.
func NewTSA(t testing.TB) *TSA {
	t.Helper()
	a, err := sharedTSA()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var sharedTSA = sync.OnceValues(func() (*TSA, error) {
	var a TSA
	var err error
	if a.Root, err = identity("Throwaway Time Root", nil, 384, nil); err != nil {
		return nil, err
	}
	a.Unit, err = identity("Throwaway Time Unit", &a.Root, 256, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{Purposes(true, TimeStamping)}
	})
	return &a, err
})

// Issuer makes tokens of the authority.
func (a *TSA) Issuer() *tsp.Issuer {
	return &tsp.Issuer{Certificate: a.Unit.Certificate, Others: []*x509.Certificate{a.Root.Certificate}, Key: a.Unit.Key,
		Policy: TimePolicy, Accuracy: tsp.Accuracy(time.Second)}
}

// Stamp gives a token over covered that states the time at.
func (a *TSA) Stamp(t testing.TB, covered []byte, at time.Time) []byte {
	t.Helper()
	sum := sha256.Sum256(covered)
	q, err := tsp.NewRequest(crypto.SHA256, sum[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		t.Fatal(err)
	}
	der, err := a.Issuer().Token(context.Background(), q, serial.Add(serial, big.NewInt(1)), at)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
