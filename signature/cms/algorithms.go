package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha1" // read in old documents; never makes a signature pass
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Algorithm is an AlgorithmIdentifier (RFC 5280 §4.1.1.2). Parameters is the whole element, nil
// where there is none.
type Algorithm struct {
	OID        asn1.ObjectIdentifier
	Parameters []byte
}

// Digest algorithms (RFC 5754 §2) and signature algorithms (RFC 5754 §3, RFC 4056).
var (
	oidMD5    = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}
	oidMD2    = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 2}
	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}

	oidRSA       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidRSAMD2    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 2}
	oidRSAMD5    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}
	oidRSASHA1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
	oidMGF1      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidPSS       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidRSASHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidRSASHA384 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}
	oidRSASHA512 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}
	oidECSHA1    = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}
	oidECSHA256  = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECSHA384  = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	oidECSHA512  = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}
	derNull      = []byte{5, 0}
	hashOIDs     = map[crypto.Hash]asn1.ObjectIdentifier{crypto.SHA1: oidSHA1, crypto.SHA256: oidSHA256, crypto.SHA384: oidSHA384, crypto.SHA512: oidSHA512}
	schemes      = map[string]scheme{
		oidRSA.String():       {family: familyRSA},
		oidRSASHA1.String():   {family: familyRSA, hash: crypto.SHA1},
		oidRSASHA256.String(): {family: familyRSA, hash: crypto.SHA256},
		oidRSASHA384.String(): {family: familyRSA, hash: crypto.SHA384},
		oidRSASHA512.String(): {family: familyRSA, hash: crypto.SHA512},
		oidECSHA1.String():    {family: familyECDSA, hash: crypto.SHA1},
		oidECSHA256.String():  {family: familyECDSA, hash: crypto.SHA256},
		oidECSHA384.String():  {family: familyECDSA, hash: crypto.SHA384},
		oidECSHA512.String():  {family: familyECDSA, hash: crypto.SHA512},
	}
)

// Families of signature algorithms, by the names that reports show.
const (
	familyRSA   = "RSASSA-PKCS1-v1_5"
	familyPSS   = "RSASSA-PSS"
	familyECDSA = "ECDSA"
)

// Bounds on RSA keys. Below minRSA a signature proves too little; above maxRSA checking it is a
// way to keep a verifier busy.
const (
	minRSA = 2048
	maxRSA = 8192
)

var (
	errUnsupported = errors.New("not provided")
	errForbidden   = errors.New("refused")
	errParameters  = errors.New("the algorithm's parameters are wrong")
)

// scheme is a signature algorithm as far as it is known without the key. hash is 0 where the
// identifier leaves it to the digest algorithm.
type scheme struct {
	family string
	hash   crypto.Hash
	salt   int // RSASSA-PSS only
}

// hashOf gives the hash of a digest algorithm, errForbidden for MD2 and MD5, errUnsupported for
// one that is not known.
func (a Algorithm) hashOf() (crypto.Hash, error) {
	if a.OID.Equal(oidMD5) || a.OID.Equal(oidMD2) {
		return 0, errForbidden
	}
	for h, oid := range hashOIDs {
		if a.OID.Equal(oid) {
			if !a.plain() {
				return 0, errParameters
			}
			return h, nil
		}
	}
	return 0, errUnsupported
}

// plain tells whether the parameters are absent or NULL, which mean the same (RFC 5754 §2).
func (a Algorithm) plain() bool {
	return len(a.Parameters) == 0 || bytes.Equal(a.Parameters, derNull)
}

// same tells whether a and b name one algorithm.
func (a Algorithm) same(b Algorithm) bool {
	return a.OID.Equal(b.OID) && (a.plain() && b.plain() || bytes.Equal(a.Parameters, b.Parameters))
}

// schemeOf gives the signature scheme, with the same errors as hashOf.
func (a Algorithm) schemeOf() (scheme, error) {
	switch {
	case a.OID.Equal(oidPSS):
		return pssScheme(a.Parameters)
	case a.OID.Equal(oidRSAMD2), a.OID.Equal(oidRSAMD5):
		return scheme{}, errForbidden
	}
	s, ok := schemes[a.OID.String()]
	switch {
	case !ok:
		return scheme{}, errUnsupported
	case !a.plain():
		return scheme{}, errParameters
	}
	return s, nil
}

// pssScheme reads RSASSA-PSS-params (RFC 4055 §3.1). Sane means: MGF1 with the hash of the
// message, the trailer 0xBC, and a salt of at least the 20 octets that the standard takes where it is silent.
func pssScheme(der []byte) (scheme, error) {
	s := scheme{family: familyPSS, hash: crypto.SHA1, salt: 20}
	in, trailer := cryptobyte.String(der), 1
	var params, hash, mgf, salt, field cryptobyte.String
	var hasHash, hasMGF, hasSalt, hasTrailer bool
	if !in.ReadASN1(&params, cbasn1.SEQUENCE) || !in.Empty() ||
		!params.ReadOptionalASN1(&hash, &hasHash, explicit(0)) ||
		!params.ReadOptionalASN1(&mgf, &hasMGF, explicit(1)) ||
		!params.ReadOptionalASN1(&salt, &hasSalt, explicit(2)) ||
		!params.ReadOptionalASN1(&field, &hasTrailer, explicit(3)) || !params.Empty() ||
		hasSalt && !(salt.ReadASN1Integer(&s.salt) && salt.Empty()) ||
		hasTrailer && !(field.ReadASN1Integer(&trailer) && field.Empty()) {
		return s, errParameters
	}
	mgfHash, err := crypto.SHA1, error(nil)
	if hasHash {
		if s.hash, err = readHash(&hash); err != nil {
			return s, err
		}
	}
	if hasMGF {
		var generator cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !mgf.ReadASN1(&generator, cbasn1.SEQUENCE) || !mgf.Empty() || !readOID(&generator, &oid) || !oid.Equal(oidMGF1) {
			return s, errParameters
		}
		if mgfHash, err = readHash(&generator); err != nil {
			return s, err
		}
	}
	if mgfHash != s.hash || trailer != 1 || s.salt < 20 || s.salt > maxRSA/8 {
		return s, errParameters
	}
	return s, nil
}

// readHash reads one digest AlgorithmIdentifier that fills in.
func readHash(in *cryptobyte.String) (crypto.Hash, error) {
	a, ok := readAlgorithm(in)
	if !ok || !in.Empty() {
		return 0, errParameters
	}
	return a.hashOf()
}

// HashName writes a hash as standards do, "SHA-256".
func HashName(h crypto.Hash) string {
	if h == 0 {
		return ""
	}
	return h.String()
}

// HashAlgorithm gives the identifier of a hash, without parameters as RFC 5754 §2 asks of makers.
// ok is false for a hash that is not made here.
func HashAlgorithm(h crypto.Hash) (a Algorithm, ok bool) {
	oid, ok := hashOIDs[h]
	return Algorithm{OID: oid}, ok && h != crypto.SHA1
}

// keyName describes a public key, "RSA 2048" or "ECDSA P-384".
func keyName(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Params().Name
	}
	return "unknown"
}

// check verifies value over digest with the key of c.
func (s scheme) check(c *x509.Certificate, h crypto.Hash, digest, value []byte) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits > maxRSA || bits < 1024 {
			return fmt.Errorf("an RSA key of %d bits: %w", bits, errForbidden)
		}
		switch s.family {
		case familyRSA:
			return rsa.VerifyPKCS1v15(key, h, digest, value)
		case familyPSS:
			return rsa.VerifyPSS(key, h, digest, value, &rsa.PSSOptions{SaltLength: s.salt, Hash: h})
		}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() {
			return fmt.Errorf("the curve %s: %w", key.Params().Name, errUnsupported)
		}
		if s.family == familyECDSA {
			if !ecdsa.VerifyASN1(key, digest, value) {
				return errors.New("the value does not fit the digest and the key")
			}
			return nil
		}
	default:
		return fmt.Errorf("a key of this type: %w", errUnsupported)
	}
	return fmt.Errorf("%s with a key %s", s.family, keyName(c.PublicKey))
}
