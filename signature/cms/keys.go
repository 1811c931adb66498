package cms

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 read in old documents; never makes a signature pass
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds on keys. Below minRSA a signature proves too little; above maxRSA and maxDSA checking it is
// a way to keep a verifier busy.
const (
	minRSA = 2048
	maxRSA = 8192
	maxDSA = 3072
)

// pssKey is an RSA key whose certificate gives it to RSASSA-PSS alone (RFC 4055 §3.1, §3.3). hash
// is 0 where the certificate leaves the parameters open; salt is the least that it allows.
type pssKey struct {
	*rsa.PublicKey
	hash, mask crypto.Hash
	salt       int
}

// keyOf gives the public key in c: what crypto/x509 reads, or a pssKey, which it does not.
func keyOf(c *x509.Certificate) any {
	if c.PublicKey != nil {
		return c.PublicKey
	}
	in := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	var info, key cryptobyte.String
	var bits asn1.BitString
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !in.Empty() {
		return nil
	}
	a, ok := readAlgorithm(&info)
	if !ok || !a.OID.Equal(oidPSS) || !info.ReadASN1BitString(&bits) || !info.Empty() {
		return nil
	}
	whole := cryptobyte.String(bits.RightAlign())
	k := pssKey{PublicKey: &rsa.PublicKey{N: new(big.Int)}}
	if bits.BitLength%8 != 0 || !whole.ReadASN1(&key, cbasn1.SEQUENCE) || !whole.Empty() ||
		!key.ReadASN1Integer(k.N) || !key.ReadASN1Integer(&k.E) || !key.Empty() || k.N.Sign() <= 0 || k.E <= 0 {
		return nil
	}
	if len(a.Parameters) > 0 {
		s, err := pssScheme(a.Parameters)
		if err != nil {
			return nil
		}
		k.hash, k.mask, k.salt = s.hash, s.mask, s.salt
	}
	return k
}

// keyName describes a public key, "RSA 2048" or "ECDSA P-384".
func keyName(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case pssKey:
		return keyName(k.PublicKey)
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case *dsa.PublicKey:
		return fmt.Sprintf("DSA %d", k.P.BitLen())
	}
	return "unknown"
}

// covered is what a signature value covers. message is nil where only the digest is known.
type covered struct{ digest, message []byte }

// check verifies value over what with the key of c.
func (s scheme) check(c *x509.Certificate, h crypto.Hash, what covered, value []byte) error {
	switch key := keyOf(c).(type) {
	case *rsa.PublicKey:
		return s.checkRSA(key, h, what, value)
	case pssKey:
		if s.family != familyPSS || key.hash != 0 && (key.hash != s.hash || key.mask != s.mask || s.salt < key.salt) {
			return errors.New("the certificate gives its key to RSASSA-PSS with other parameters")
		}
		return s.checkRSA(key.PublicKey, h, what, value)
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() && key.Curve != elliptic.P521() {
			return fmt.Errorf("the curve %s: %w", key.Params().Name, errUnsupported)
		}
		if s.family == familyECDSA {
			return fits(ecdsa.VerifyASN1(key, what.digest, value))
		}
	case ed25519.PublicKey:
		if s.family == familyEd25519 && what.message == nil {
			return fmt.Errorf("Ed25519 over content that is not embedded: %w", errUnsupported)
		}
		if s.family == familyEd25519 {
			return fits(ed25519.Verify(key, what.message, value))
		}
	case *dsa.PublicKey:
		if s.family == familyDSA {
			return checkDSA(key, what.digest, value)
		}
	default:
		return fmt.Errorf("a key of this type: %w", errUnsupported)
	}
	return fmt.Errorf("%s with a key %s", s.family, keyName(keyOf(c)))
}

var errMisfit = errors.New("the value does not fit the digest and the key")

func fits(ok bool) error {
	if !ok {
		return errMisfit
	}
	return nil
}

func (s scheme) checkRSA(key *rsa.PublicKey, h crypto.Hash, what covered, value []byte) error {
	if bits := key.N.BitLen(); bits > maxRSA || bits < 1024 {
		return fmt.Errorf("an RSA key of %d bits: %w", bits, errForbidden)
	}
	switch s.family {
	case familyRSA:
		return rsa.VerifyPKCS1v15(key, h, what.digest, value)
	case familyPSS:
		if s.mask == h && s.salt > 0 { // 0 means any length there
			return rsa.VerifyPSS(key, h, what.digest, value, &rsa.PSSOptions{SaltLength: s.salt, Hash: h})
		}
		return s.checkPSS(key, h, what.digest, value)
	}
	return fmt.Errorf("%s with a key %s", s.family, keyName(key))
}

// checkDSA reads Dss-Sig-Value (RFC 3279 §2.2.2) and checks it over the leftmost bits of the digest.
func checkDSA(key *dsa.PublicKey, digest, value []byte) error {
	if key.P.BitLen() > maxDSA || key.P.BitLen() < 1024 || key.Q.BitLen() > 256 || key.Q.BitLen() < 160 ||
		key.G.Cmp(key.P) >= 0 || key.Y.Cmp(key.P) >= 0 {
		return fmt.Errorf("a key %s: %w", keyName(key), errForbidden)
	}
	in := cryptobyte.String(value)
	var body cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Integer(r) || !body.ReadASN1Integer(s) || !body.Empty() {
		return errors.New("the value is no pair of numbers in DER")
	}
	return fits(dsa.Verify(key, digest[:min(len(digest), key.Q.BitLen()/8)], r, s))
}
