package cert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"fmt"
)

// Algorithms says which keys and signature algorithms are accepted. The zero value is the rule of the
// system: RSA of 2048 to 8192 bits with SHA-256, SHA-384 or SHA-512, ECDSA on P-256, P-384 or P-521 with the same
// hashes, Ed25519; SHA-1, MD5, DSA and everything else refused. What the JPKI may issue for is narrower: see CheckSubjectKey. The fields loosen that for judging old material only.
type Algorithms struct {
	MinRSABits int  // 0 means 2048
	SHA1       bool // also accept RSA and ECDSA with SHA-1
}

const maxRSABits = 8192 // longer keys only cost the verifier time

// ErrAlgorithm is matched by errors about what is not accepted, as against signatures that do not verify.
var ErrAlgorithm = errors.New("algorithm not accepted")

// CheckKey refuses keys of a type or length that is not accepted.
func (a Algorithms) CheckKey(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		least := a.MinRSABits
		if least == 0 {
			least = 2048
		}
		if n := k.N.BitLen(); n < least || n > maxRSABits {
			return fmt.Errorf("%w: RSA with %d bits", ErrAlgorithm, n)
		}
		if k.E < 3 || k.E&1 == 0 {
			return fmt.Errorf("%w: RSA with public exponent %d", ErrAlgorithm, k.E)
		}
		return nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() || k.Curve == elliptic.P384() || k.Curve == elliptic.P521() {
			return nil
		}
		return fmt.Errorf("%w: ECDSA on %s", ErrAlgorithm, k.Curve.Params().Name)
	case ed25519.PublicKey:
		return nil
	}
	return fmt.Errorf("%w: key type %T", ErrAlgorithm, pub)
}

// Verify checks sig over signed. An error matches ErrAlgorithm where key or algorithm is not accepted,
// whatever the signature.
func (a Algorithms) Verify(pub crypto.PublicKey, alg x509.SignatureAlgorithm, signed, sig []byte) error {
	if err := a.CheckKey(pub); err != nil {
		return err
	}
	switch alg {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512, x509.PureEd25519:
		return (&x509.Certificate{PublicKey: pub}).CheckSignature(alg, signed, sig)
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		if a.SHA1 {
			return verifySHA1(pub, alg, signed, sig)
		}
	}
	return fmt.Errorf("%w: %v", ErrAlgorithm, alg)
}

// verifySHA1 exists because crypto/x509 refuses SHA-1 for everybody.
func verifySHA1(pub crypto.PublicKey, alg x509.SignatureAlgorithm, signed, sig []byte) error {
	digest := sha1.Sum(signed)
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if alg == x509.SHA1WithRSA {
			return rsa.VerifyPKCS1v15(k, crypto.SHA1, digest[:], sig)
		}
	case *ecdsa.PublicKey:
		if alg == x509.ECDSAWithSHA1 && ecdsa.VerifyASN1(k, digest[:], sig) {
			return nil
		}
	}
	return errors.New("signature does not verify")
}

// DER of AlgorithmIdentifiers, RSA with its NULL parameter (RFC 4055 §5, RFC 5758 §3.2).
var algorithmIDs = []struct {
	alg x509.SignatureAlgorithm
	der string
}{
	{x509.SHA256WithRSA, "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"},
	{x509.SHA384WithRSA, "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00"},
	{x509.SHA512WithRSA, "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00"},
	{x509.SHA1WithRSA, "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"},
	{x509.ECDSAWithSHA256, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"},
	{x509.ECDSAWithSHA384, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"},
	{x509.ECDSAWithSHA512, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04"},
	{x509.PureEd25519, "\x30\x05\x06\x03\x2b\x65\x70"},
	{x509.ECDSAWithSHA1, "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"},
}

// signatureAlgorithm reads a DER AlgorithmIdentifier; RSA's NULL may be absent (RFC 4055 §2.1).
func signatureAlgorithm(der []byte) x509.SignatureAlgorithm {
	for _, a := range algorithmIDs {
		if string(der) == a.der {
			return a.alg
		}
		if n := len(a.der); n == 15 && len(der) == 13 && der[1] == 11 && bytes.Equal(der[2:], []byte(a.der[2:13])) {
			return a.alg
		}
	}
	return x509.UnknownSignatureAlgorithm
}

// Suite is one of the two algorithm suites of the system; nothing may assume one of them.
type Suite string

const (
	RSA2048SHA256 Suite = "rsa2048-sha256" // today's card
	P384SHA384    Suite = "p384-sha384"    // the next card (次期個人番号カード)
)

// SuiteOf gives the suite that a public key belongs to, by which its owner signs.
func SuiteOf(pub crypto.PublicKey) (Suite, error) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() == 2048 {
			return RSA2048SHA256, nil
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P384() {
			return P384SHA384, nil
		}
	}
	return "", keyError("the suites are RSA-2048 and P-384, this key is neither")
}

// Hash is the suite's hash.
func (s Suite) Hash() crypto.Hash {
	if s == P384SHA384 {
		return crypto.SHA384
	}
	return crypto.SHA256
}

// algorithmID gives the suite's DER AlgorithmIdentifier, nil for an unknown suite.
func (s Suite) algorithmID() []byte {
	switch s {
	case RSA2048SHA256:
		return []byte(algorithmIDs[0].der)
	case P384SHA384:
		return []byte(algorithmIDs[5].der)
	}
	return nil
}
