package jws

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	_ "crypto/sha512" // SHA-384 and SHA-512 of the algorithms
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/jitsuin/jitsuin/signature/cms"
)

// Families of algorithms, by the names that reports show.
const (
	familyRSA   = "RSASSA-PKCS1-v1_5"
	familyPSS   = "RSASSA-PSS"
	familyECDSA = "ECDSA"
)

// algorithm is one of RFC 7518 §3.1.
type algorithm struct {
	family string
	hash   crypto.Hash
	curve  elliptic.Curve // ECDSA only
}

var algorithms = map[string]algorithm{
	"RS256": {family: familyRSA, hash: crypto.SHA256}, "RS384": {family: familyRSA, hash: crypto.SHA384}, "RS512": {family: familyRSA, hash: crypto.SHA512},
	"PS256": {family: familyPSS, hash: crypto.SHA256}, "PS384": {family: familyPSS, hash: crypto.SHA384}, "PS512": {family: familyPSS, hash: crypto.SHA512},
	"ES256": {familyECDSA, crypto.SHA256, elliptic.P256()}, "ES384": {familyECDSA, crypto.SHA384, elliptic.P384()},
}

// Bounds on RSA keys: below minRSA a signature proves too little, below leastRSA it is not computed,
// and above maxRSA it is a way to keep a verifier busy.
const (
	leastRSA = 1024
	minRSA   = 2048
	maxRSA   = 8192
)

// Verify applies every rule of RFC 7515 §5.2 and RFC 7797 to one signature of m. d is what Digest gave,
// nil for no payload. more are certificates that may be the signer's where a thumbprint names them.
func (m *Message) Verify(s *Signature, d *Digests, more []*x509.Certificate) *cms.Result {
	r := &cms.Result{Checks: append([]cms.Check{}, s.faults...), Algorithm: s.Alg}
	alg, known := s.algorithm(r)
	s.signer(r, more)
	if d == nil {
		add(r, "content", "inside or given", "neither", cms.FaultNoContent)
	} else if !m.Detached {
		pass(r, "content-given", "the payload inside", yes(!d.Differs, "the same"), !d.Differs, cms.FaultContent)
	}
	if !known || r.Certificate == nil {
		return r
	}
	r.Digest, r.Algorithm = alg.hash, alg.family
	if key, ok := r.Certificate.PublicKey.(*rsa.PublicKey); ok {
		pass(r, "key-length", fmt.Sprintf("%d bits or more", minRSA), r.Key, key.N.BitLen() >= minRSA, cms.FaultWeak)
	}
	if d == nil {
		return r
	}
	fault, got := cms.Fault(""), "fits"
	if err := alg.check(r.Certificate.PublicKey, d.signed[s], s.Value); err != nil {
		fault, got = cms.FaultValue, err.Error()
		if errors.Is(err, errForbidden) {
			fault = cms.FaultForbidden
		}
	}
	add(r, "signature-value", "fits the headers, the payload and the certificate's key", got, fault)
	return r
}

// algorithm judges the name of the algorithm.
func (s *Signature) algorithm(r *cms.Result) (algorithm, bool) {
	a, known := algorithms[s.Alg]
	var fault cms.Fault
	got := s.Alg
	switch {
	case s.Alg == "":
		fault, got = cms.FaultFormat, "none in the protected header"
	case strings.EqualFold(s.Alg, "none"):
		fault = cms.FaultForbidden
	case strings.HasPrefix(s.Alg, "HS"): // a code that whoever checks it can make proves nothing to others
		fault = cms.FaultForbidden
	case !known:
		fault = cms.FaultUnsupported
	}
	add(r, "signature-algorithm", "RS256, RS384, RS512, PS256, PS384, PS512, ES256 or ES384", got, fault)
	return a, known
}

// signer finds the signer's certificate: the first of x5c, else the one of more that a thumbprint
// names. What the headers say of it must agree (RFC 7515 §4.1.6–4.1.8).
func (s *Signature) signer(r *cms.Result, more []*x509.Certificate) {
	const what = "signer-certificate"
	switch {
	case len(s.Certificates) > 0:
		r.Certificate = s.Certificates[0]
	case len(s.sums) > 0:
		for _, c := range more {
			if r.Certificate == nil && s.thumbprints(c) {
				r.Certificate = c
			}
		}
	}
	if r.Certificate == nil {
		add(r, what, "inside (x5c), or given and named by its thumbprint", "not at hand", cms.FaultSigner)
		return
	}
	add(r, what, "inside (x5c), or given and named by its thumbprint", "found", "")
	r.Key = keyName(r.Certificate.PublicKey)
	if len(s.sums) > 0 {
		ok := s.thumbprints(r.Certificate)
		pass(r, "signing-certificate", "names the signer's certificate", yes(ok, "that certificate"), ok, cms.FaultReference)
	}
	if s.jwk != nil {
		var k jose.JSONWebKey
		ok := k.UnmarshalJSON(s.jwk) == nil && k.IsPublic() && samePublic(k.Key, r.Certificate.PublicKey)
		pass(r, "embedded-key", "the key of the certificate", yes(ok, "that key"), ok, cms.FaultReference)
	}
}

// thumbprints tells whether every thumbprint in the headers is of c.
func (s *Signature) thumbprints(c *x509.Certificate) bool {
	if sum, ok := s.sums["x5t#S256"]; ok {
		if got := sha256.Sum256(c.Raw); !bytes.Equal(sum, got[:]) {
			return false
		}
	}
	if sum, ok := s.sums["x5t"]; ok {
		if got := sha1.Sum(c.Raw); !bytes.Equal(sum, got[:]) {
			return false
		}
	}
	return true
}

func samePublic(a, b any) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

var errForbidden = errors.New("refused")

// check verifies value over the digest of the signing input.
func (a algorithm) check(public any, digest, value []byte) error {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits > maxRSA || bits < leastRSA {
			return fmt.Errorf("an RSA key of %d bits: %w", bits, errForbidden)
		}
		switch a.family {
		case familyRSA:
			return rsa.VerifyPKCS1v15(key, a.hash, digest, value)
		case familyPSS: // RFC 7518 §3.5: the salt is as long as the hash
			return rsa.VerifyPSS(key, a.hash, digest, value, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: a.hash})
		}
	case *ecdsa.PublicKey:
		if a.family != familyECDSA || key.Curve != a.curve {
			break
		}
		der, ok := toDER(value, a.curve)
		if !ok {
			return fmt.Errorf("the value has %d octets, which is no pair of numbers for %s", len(value), key.Params().Name)
		}
		if !ecdsa.VerifyASN1(key, digest, der) {
			return errors.New("the value does not fit the digest and the key")
		}
		return nil
	}
	return fmt.Errorf("%s with a key %s", a.family, keyName(public))
}

// toDER turns R ‖ S of fixed length (RFC 7518 §3.4) into what crypto/ecdsa reads.
func toDER(value []byte, curve elliptic.Curve) ([]byte, bool) {
	size := (curve.Params().BitSize + 7) / 8
	if len(value) != 2*size {
		return nil, false
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(value[:size]))
		b.AddASN1BigInt(new(big.Int).SetBytes(value[size:]))
	})
	der, err := b.Bytes()
	return der, err == nil
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

func add(r *cms.Result, what, expected, got string, fault cms.Fault) {
	r.Checks = append(r.Checks, cms.Check{What: what, Expected: expected, Got: got, OK: fault == "", Fault: fault})
}

// pass records a check whose outcome is ok or the fault.
func pass(r *cms.Result, what, expected, got string, ok bool, fault cms.Fault) {
	if ok {
		fault = ""
	}
	add(r, what, expected, got, fault)
}

func yes(ok bool, word string) string {
	if ok {
		return word
	}
	return "not " + word
}
