package cms

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // read in old documents; never makes a signature pass
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Algorithm is an AlgorithmIdentifier (RFC 5280 §4.1.1.2). Parameters is the whole element, nil
// where there is none.
type Algorithm struct {
	OID        asn1.ObjectIdentifier
	Parameters []byte
}

// Digest algorithms (RFC 5754 §2, RFC 8702 §2 and NIST's list beside it).
var (
	oidMD5      = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}
	oidMD2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 2}
	oidSHA1     = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA224   = nist(2, 4)
	oidSHA256   = nist(2, 1)
	oidSHA384   = nist(2, 2)
	oidSHA512   = nist(2, 3)
	oidSHA3_224 = nist(2, 7)
	oidSHA3_256 = nist(2, 8)
	oidSHA3_384 = nist(2, 9)
	oidSHA3_512 = nist(2, 10)
)

// Signature algorithms that are made or looked for by name (RFC 5754 §3, RFC 4056).
var (
	oidMGF1      = pkcs1(8)
	oidPSS       = pkcs1(10)
	oidRSASHA256 = pkcs1(11)
	oidECSHA256  = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECSHA384  = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	derNull      = []byte{5, 0}
)

func pkcs1(n int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, n} }

// nist gives an algorithm of NIST's: list 2 has hashes, 3 signatures.
func nist(list, n int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, list, n}
}

// hashes are the digest algorithms that are computed.
var hashes = []struct {
	oid asn1.ObjectIdentifier
	h   crypto.Hash
}{
	{oidSHA256, crypto.SHA256}, {oidSHA384, crypto.SHA384}, {oidSHA512, crypto.SHA512},
	{oidSHA3_256, crypto.SHA3_256}, {oidSHA3_384, crypto.SHA3_384}, {oidSHA3_512, crypto.SHA3_512},
	{oidSHA1, crypto.SHA1}, {oidSHA224, crypto.SHA224}, {oidSHA3_224, crypto.SHA3_224},
}

// weakHash tells whether a signature with h proves too little today (collisions, or fewer than 128
// bits against them).
func weakHash(h crypto.Hash) bool {
	return h == crypto.SHA1 || h == crypto.SHA224 || h == crypto.SHA3_224
}

// schemes are the signature algorithms that are checked, beside RSASSA-PSS, which is read from its
// parameters (RFC 5754 §3, RFC 8702 §3, RFC 8419).
var schemes = []struct {
	oid asn1.ObjectIdentifier
	scheme
}{
	{pkcs1(1), scheme{family: familyRSA}},
	{oidRSASHA256, scheme{family: familyRSA, hash: crypto.SHA256}},
	{pkcs1(12), scheme{family: familyRSA, hash: crypto.SHA384}},
	{pkcs1(13), scheme{family: familyRSA, hash: crypto.SHA512}},
	{pkcs1(14), scheme{family: familyRSA, hash: crypto.SHA224}},
	{pkcs1(5), scheme{family: familyRSA, hash: crypto.SHA1}},
	{asn1.ObjectIdentifier{1, 3, 14, 3, 2, 29}, scheme{family: familyRSA, hash: crypto.SHA1}},
	{nist(3, 13), scheme{family: familyRSA, hash: crypto.SHA3_224}},
	{nist(3, 14), scheme{family: familyRSA, hash: crypto.SHA3_256}},
	{nist(3, 15), scheme{family: familyRSA, hash: crypto.SHA3_384}},
	{nist(3, 16), scheme{family: familyRSA, hash: crypto.SHA3_512}},
	{oidECSHA256, scheme{family: familyECDSA, hash: crypto.SHA256}},
	{oidECSHA384, scheme{family: familyECDSA, hash: crypto.SHA384}},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, scheme{family: familyECDSA, hash: crypto.SHA512}},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 1}, scheme{family: familyECDSA, hash: crypto.SHA224}},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}, scheme{family: familyECDSA, hash: crypto.SHA1}},
	{nist(3, 9), scheme{family: familyECDSA, hash: crypto.SHA3_224}},
	{nist(3, 10), scheme{family: familyECDSA, hash: crypto.SHA3_256}},
	{nist(3, 11), scheme{family: familyECDSA, hash: crypto.SHA3_384}},
	{nist(3, 12), scheme{family: familyECDSA, hash: crypto.SHA3_512}},
	{asn1.ObjectIdentifier{1, 3, 101, 112}, scheme{family: familyEd25519, hash: crypto.SHA512}},
	{asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}, scheme{family: familyDSA}},
	{asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 3}, scheme{family: familyDSA, hash: crypto.SHA1}},
	{nist(3, 1), scheme{family: familyDSA, hash: crypto.SHA224}},
	{nist(3, 2), scheme{family: familyDSA, hash: crypto.SHA256}},
}

// Families of signature algorithms, by the names that reports show.
const (
	familyRSA     = "RSASSA-PKCS1-v1_5"
	familyPSS     = "RSASSA-PSS"
	familyECDSA   = "ECDSA"
	familyEd25519 = "Ed25519"
	familyDSA     = "DSA" // read in old documents; never makes a signature pass
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
	salt   int         // RSASSA-PSS only, as mask
	mask   crypto.Hash // of MGF1
}

// hashOf gives the hash of a digest algorithm, errForbidden for MD2 and MD5, errUnsupported for
// one that is not known.
func (a Algorithm) hashOf() (crypto.Hash, error) {
	if a.OID.Equal(oidMD5) || a.OID.Equal(oidMD2) {
		return 0, errForbidden
	}
	for _, known := range hashes {
		if a.OID.Equal(known.oid) {
			if !a.plain() {
				return 0, errParameters
			}
			return known.h, nil
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
	case a.OID.Equal(pkcs1(2)), a.OID.Equal(pkcs1(3)), a.OID.Equal(pkcs1(4)): // with MD2, MD4, MD5
		return scheme{}, errForbidden
	}
	for _, known := range schemes {
		if !a.OID.Equal(known.oid) {
			continue
		}
		if !a.plain() && known.family != familyDSA { // whose parameters some repeat here
			return known.scheme, errParameters
		}
		return known.scheme, nil
	}
	return scheme{}, errUnsupported
}

// pssScheme reads RSASSA-PSS-params (RFC 4055 §3.1). The mask may be made with another hash than the
// message's, and the salt may be of any length, as RFC 8017 §9.1 allows; the trailer is 0xBC.
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
	var err error
	s.mask = crypto.SHA1
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
		if s.mask, err = readHash(&generator); err != nil {
			return s, err
		}
	}
	if trailer != 1 || s.salt < 0 || s.salt > maxRSA/8 {
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
	for _, known := range hashes {
		if known.h == h {
			return Algorithm{OID: known.oid}, !weakHash(h)
		}
	}
	return Algorithm{}, false
}
