package cert_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
)

// prime gives the first prime from start.
func prime(start *big.Int) *big.Int {
	p := new(big.Int).SetBit(start, 0, 1)
	for !p.ProbablyPrime(20) {
		p.Add(p, big.NewInt(2))
	}
	return p
}

func random(t *testing.T, bits uint) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), bits-2))
	if err != nil {
		t.Fatal(err)
	}
	return n.SetBit(n, int(bits-1), 1).SetBit(n, int(bits-2), 1)
}

// rocaPrime makes a prime k·M + (65537^a mod M), M the product of the primes up to 167 — the faulty generator's form.
func rocaPrime(t *testing.T) *big.Int {
	m := big.NewInt(1)
	for p := int64(2); p <= 167; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			m.Mul(m, big.NewInt(p))
		}
	}
	k := new(big.Int).Div(random(t, 1024), m)
	a := new(big.Int).Exp(big.NewInt(65537), random(t, 64), m)
	for {
		p := new(big.Int).Mul(k, m)
		if p.Add(p, a).ProbablyPrime(20) {
			return p
		}
		k.Add(k, big.NewInt(1))
	}
}

func TestWeakKeysGetNoCertificate(t *testing.T) {
	fine := certtest.Key(t, cert.RSA2048SHA256, 1).Public().(*rsa.PublicKey)
	for _, pub := range []any{fine, certtest.Key(t, cert.P384SHA384, 1).Public()} {
		if err := cert.CheckSubjectKey(pub); err != nil {
			t.Errorf("an ordinary key is refused: %v", err)
		}
	}
	close1 := prime(random(t, 1024))
	close2 := prime(new(big.Int).Add(close1, big.NewInt(1<<20)))
	p := rocaPrime(t)
	roca := new(big.Int).Mul(p, rocaPrime(t))
	by3 := new(big.Int).Sub(fine.N, new(big.Int).Mod(fine.N, big.NewInt(3)))
	by13441 := new(big.Int).Sub(fine.N, new(big.Int).Mod(fine.N, big.NewInt(13441)))
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	for name, pub := range map[string]any{
		"close primes": &rsa.PublicKey{N: new(big.Int).Mul(close1, close2), E: 65537},
		"a square":     &rsa.PublicKey{N: new(big.Int).Mul(close1, close1), E: 65537},
		"ROCA":         &rsa.PublicKey{N: roca, E: 65537},
		"even":         &rsa.PublicKey{N: new(big.Int).Sub(fine.N, big.NewInt(1)), E: 65537},
		"factor 3":     &rsa.PublicKey{N: by3, E: 65537},
		"factor 13441": &rsa.PublicKey{N: by13441, E: 65537},
		"e=3":          &rsa.PublicKey{N: fine.N, E: 3},
		"e=1":          &rsa.PublicKey{N: fine.N, E: 1},
		"e=65536":      &rsa.PublicKey{N: fine.N, E: 65536},
		"2047 bits":    &rsa.PublicKey{N: new(big.Int).Rsh(fine.N, 1), E: 65537},
		"P-256":        p256.Public(),
		//lint:ignore SA1019 there is no other way to make a key that is off its curve
		"off the curve":   &ecdsa.PublicKey{Curve: elliptic.P384(), X: big.NewInt(1), Y: big.NewInt(1)},
		"nothing":         nil,
		"an RSA key of 0": &rsa.PublicKey{},
	} {
		if err := cert.CheckSubjectKey(pub); jitsuin.CodeOf(err) != "weak-key" {
			t.Errorf("%s: %v", name, err)
		}
	}
	spki, err := x509.MarshalPKIXPublicKey(fine)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cert.ParseSubjectKey(spki); err != nil {
		t.Error(err)
	}
	if _, err := cert.ParseSubjectKey(spki[:100]); jitsuin.CodeOf(err) != "weak-key" {
		t.Error(err)
	}
}
