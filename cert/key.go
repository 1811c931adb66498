package cert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"math/big"
	"sync"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func keyError(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "weak-key", format, args...)
}

// ParseSubjectKey reads a DER SubjectPublicKeyInfo and applies CheckSubjectKey.
func ParseSubjectKey(spki []byte) (crypto.PublicKey, error) {
	pub, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, keyError("not a public key: %w", err)
	}
	return pub, CheckSubjectKey(pub)
}

// CheckSubjectKey refuses public keys that no certificate may be issued for: anything but RSA with
// exactly 2048 bits and e = 65537, or a point of P-384; RSA moduli that are even or have a small factor, that
// carry the ROCA fingerprint (CVE-2017-15361), or whose primes are so close that Fermat's method splits
// them. Whether another certificate has the same key is for the issuer's records to say.
// The error is of kind Invalid with the code "weak-key".
func CheckSubjectKey(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return checkRSA(k)
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P384() {
			return keyError("an elliptic-curve key must be on P-384")
		}
		if _, err := k.Bytes(); err != nil {
			return keyError("the point is not on P-384: %w", err)
		}
		return nil
	}
	return keyError("keys are RSA-2048 or P-384, not %T", pub)
}

func checkRSA(k *rsa.PublicKey) error {
	switch {
	case k.N == nil || k.N.BitLen() != 2048:
		return keyError("an RSA modulus must have 2048 bits")
	case k.E != 65537:
		return keyError("the RSA public exponent must be 65537, not %d", k.E)
	case hasSmallFactor(k.N):
		return keyError("the RSA modulus has a small factor")
	case hasROCAFingerprint(k.N):
		return keyError("the RSA modulus has the fingerprint of a faulty key generator (ROCA)")
	case fermatFactors(k.N):
		return keyError("the primes of the RSA modulus are too close to each other")
	}
	return nil
}

const smallFactorBound = 1 << 14

// hasSmallFactor tells whether a prime below the bound divides n.
func hasSmallFactor(n *big.Int) bool {
	rest := new(big.Int).Mod(smallPrimes(), n)
	return new(big.Int).GCD(nil, nil, n, rest).Cmp(big.NewInt(1)) != 0
}

// smallPrimes is computed once and never changed.
var smallPrimes = sync.OnceValue(smallPrimeProduct)

// smallPrimeProduct multiplies the primes below the bound, which makes one GCD the whole test.
func smallPrimeProduct() *big.Int {
	var composite [smallFactorBound]bool
	product, p := big.NewInt(1), new(big.Int)
	for i := 2; i < smallFactorBound; i++ {
		if composite[i] {
			continue
		}
		product.Mul(product, p.SetInt64(int64(i)))
		for j := i * i; j < smallFactorBound; j += i {
			composite[j] = true
		}
	}
	return product
}

// hasROCAFingerprint tells whether n is a power of 65537 modulo each of the primes 3 to 167
// (Nemec et al., "The Return of Coppersmith's Attack", 2017). Of ordinary moduli far fewer than one in 10⁸ is.
func hasROCAFingerprint(n *big.Int) bool {
	rest := new(big.Int)
	for p := int64(3); p <= 167; p += 2 {
		if !big.NewInt(p).ProbablyPrime(0) {
			continue
		}
		want := rest.Mod(n, big.NewInt(p)).Int64()
		power, in := int64(1), false
		for range p {
			in = in || power == want
			power = power * 65537 % p
		}
		if !in {
			return false
		}
	}
	return true
}

const fermatRounds = 128

// fermatFactors tries a few rounds of Fermat's factorisation: it finds p·q with |p−q| of about n^¼.
func fermatFactors(n *big.Int) bool {
	a := new(big.Int).Sqrt(n)
	if new(big.Int).Mul(a, a).Cmp(n) < 0 {
		a.Add(a, big.NewInt(1))
	}
	b2 := new(big.Int).Mul(a, a)
	b2.Sub(b2, n)
	root, one := new(big.Int), big.NewInt(1)
	for range fermatRounds {
		if low := b2.Bit(0) | b2.Bit(1)<<1 | b2.Bit(2)<<2 | b2.Bit(3)<<3; low == 0 || low == 1 || low == 4 || low == 9 {
			root.Sqrt(b2)
			if root.Mul(root, root).Cmp(b2) == 0 {
				return true
			}
		}
		b2.Add(b2, root.Lsh(a, 1)) // (a+1)² − n = a² − n + 2a + 1
		b2.Add(b2, one)
		a.Add(a, one)
	}
	return false
}

// KeyID gives the key identifier: SHA-1 of the subjectPublicKey bits (RFC 5280 §4.2.1.2, method 1).
func KeyID(pub crypto.PublicKey) ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, keyError("not a public key: %w", err)
	}
	bits, ok := subjectPublicKey(spki)
	if !ok {
		return nil, keyError("not a public key")
	}
	sum := sha1.Sum(bits)
	return sum[:], nil
}

// subjectPublicKey gives the bits of a DER SubjectPublicKeyInfo, over which OCSP and key identifiers hash.
func subjectPublicKey(spki []byte) ([]byte, bool) {
	in := cryptobyte.String(spki)
	var body, alg cryptobyte.String
	var bits []byte
	ok := in.ReadASN1(&body, cbasn1.SEQUENCE) && body.ReadASN1(&alg, cbasn1.SEQUENCE) && body.ReadASN1BitStringAsBytes(&bits)
	return bits, ok
}
