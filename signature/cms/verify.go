package cms

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Fault is what a failed Check means.
type Fault string

const (
	FaultFormat      Fault = "format"      // the structure breaks its own rules
	FaultContent     Fault = "content"     // the content is not what was signed
	FaultNoContent   Fault = "no-content"  // the content is neither embedded nor given
	FaultValue       Fault = "value"       // the signature value does not fit
	FaultSigner      Fault = "signer"      // the signer's certificate is not at hand
	FaultReference   Fault = "reference"   // the signature names another certificate
	FaultAmbiguous   Fault = "ambiguous"   // the signed bytes can be read as something else
	FaultForbidden   Fault = "forbidden"   // an algorithm or key that is refused unread
	FaultWeak        Fault = "weak"        // an algorithm or key that proves too little
	FaultUnsupported Fault = "unsupported" // an algorithm that is not provided
	FaultKeyOnly     Fault = "key-only"    // the value fits a bare key that no certificate vouches for
	FaultModified    Fault = "modified"    // the document was changed afterwards in a way that nobody allowed
)

// Check is one rule applied to one signature. What is a stable word, Expected and Got are for
// people and name no secret. Fault is "" where OK.
type Check struct {
	What     string
	Expected string
	Got      string
	OK       bool
	Fault    Fault
}

// Result is what can be said of one signature without trust in anyone.
type Result struct {
	Certificate *x509.Certificate // the signer's, nil where none was found
	Checks      []Check
	Digest      crypto.Hash // 0 where it is not known
	Algorithm   string      // such as "RSASSA-PKCS1-v1_5", the OID where it is not known
	Key         string      // such as "RSA 2048"
}

// usualChecks is about how many checks a CAdES signature takes.
const usualChecks = 20

// Intact tells whether the content was signed with the key in Certificate, with every rule of the
// syntax kept. Weak algorithms do not change the answer; they are for the caller to judge.
func (r *Result) Intact() bool {
	for _, c := range r.Checks {
		if !c.OK && c.Fault != FaultWeak {
			return false
		}
	}
	return r.Certificate != nil
}

func (r *Result) add(what, expected, got string, fault Fault) {
	c := Check{What: what, Expected: expected, Got: got, OK: fault == "", Fault: fault}
	r.Checks = append(r.Checks, c)
}

// pass records a check whose outcome is ok or the fault.
func (r *Result) pass(what, expected, got string, ok bool, fault Fault) {
	if ok {
		fault = ""
	}
	r.add(what, expected, got, fault)
}

// Verify applies every rule of RFC 5652 §5.3–5.6 and §11, RFC 5035 §5, RFC 6211 and RFC 8933 to one
// signature of sd, which may be a countersignature: one of All. d is what Digest gave, nil for no
// content. more are certificates that may be the signer's beside the embedded ones.
func (sd *SignedData) Verify(s *SignerInfo, d *Digests, more []*x509.Certificate) *Result {
	r := &Result{Checks: make([]Check, 0, usualChecks)}
	scheme, ok := r.algorithms(s)
	sd.checkForm(r, s)
	sd.checkAttributes(r, s)
	if !ok {
		sd.findSigner(r, s, more, nil)
		return r
	}
	if s.parent != nil {
		d = digestsOf(s.parent.Value, r.Digest)
	}
	signed := sd.checkContent(r, s, d)
	sd.findSigner(r, s, more, func(c *x509.Certificate) error {
		return scheme.check(c, r.Digest, signed, s.Value)
	})
	if r.Certificate == nil {
		return r
	}
	r.strength()
	if signed.digest != nil {
		r.value(scheme.check(r.Certificate, r.Digest, signed, s.Value))
	}
	return r
}

// algorithms resolves and compares the algorithms that s names. ok is false where nothing can be
// computed with them.
func (r *Result) algorithms(s *SignerInfo) (scheme, bool) {
	h, err := s.DigestAlgorithm.hashOf()
	r.Digest = h
	got := s.DigestAlgorithm.OID.String()
	if err == nil {
		got = HashName(h)
	}
	r.add("digest-algorithm", "SHA-2 or SHA-3", got, algorithmFault(err))
	sch, err2 := s.SignatureAlgorithm.schemeOf()
	r.Algorithm = sch.family
	if sch.family == "" {
		r.Algorithm = s.SignatureAlgorithm.OID.String()
	}
	r.add("signature-algorithm", "RSASSA-PKCS1-v1_5, RSASSA-PSS or ECDSA", r.Algorithm, algorithmFault(err2))
	if err != nil || err2 != nil {
		return sch, false
	}
	if sch.hash != 0 {
		r.pass("algorithms-agree", HashName(h), HashName(sch.hash), sch.hash == h, FaultFormat)
	}
	if weakHash(h) {
		r.add("digest-strength", "SHA-256 or stronger", HashName(h), FaultWeak)
	}
	if sch.family == familyDSA {
		r.add("algorithm-strength", "RSA or ECDSA", sch.family, FaultWeak)
	}
	return sch, true
}

func algorithmFault(err error) Fault {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errForbidden):
		return FaultForbidden
	case errors.Is(err, errUnsupported):
		return FaultUnsupported
	}
	return FaultFormat
}

// checkContent compares the content with what s signed and returns what the signature value
// covers, nothing where it cannot be computed.
func (sd *SignedData) checkContent(r *Result, s *SignerInfo, d *Digests) covered {
	if d == nil {
		r.add("content", "embedded or given", "neither", FaultNoContent)
	} else if d.Sum(r.Digest) == nil {
		r.add("content", "the content, or its digest with "+HashName(r.Digest), "another digest", FaultNoContent)
		d = nil
	} else if s.parent == nil && sd.Embedded {
		r.pass("content-given", "the embedded content", yes(!d.Differs, "the same"), !d.Differs, FaultContent)
	}
	if s.HasSigned {
		if d != nil {
			v, want := s.value(oidMessageDigest), []byte(nil)
			ok := v.ReadASN1Bytes(&want, cbasn1.OCTET_STRING) && v.Empty()
			got := d.Sum(r.Digest)
			r.pass("message-digest", hex.EncodeToString(want[:min(len(want), 64)]), hex.EncodeToString(got),
				ok && bytes.Equal(want, got), FaultContent)
		}
		return covered{sum(r.Digest, s.signedDER), s.signedDER}
	}
	if d == nil {
		return covered{}
	}
	if d.Size < 0 && !d.Vouched {
		r.add("direct-content", "the content itself, to see that it is no set of attributes", "its digest", FaultAmbiguous)
	}
	if d.looksLikeAttributes() {
		r.add("direct-content", "content that cannot be taken for signed attributes", "a DER set of attributes", FaultAmbiguous)
	}
	what := covered{digest: d.Sum(r.Digest)}
	if s.parent != nil {
		what.message = s.parent.Value
	} else if sd.Embedded { // and the same, or content-given has failed
		what.message = sd.Content
	}
	return what
}

// strength judges the signer's key.
func (r *Result) strength() {
	key := keyOf(r.Certificate)
	r.Key = keyName(key)
	if k, ok := key.(pssKey); ok {
		key = k.PublicKey
	}
	if k, ok := key.(*rsa.PublicKey); ok {
		r.pass("key-length", fmt.Sprintf("%d bits or more", minRSA), r.Key, k.N.BitLen() >= minRSA, FaultWeak)
	}
}

// value records the outcome of the signature value.
func (r *Result) value(err error) {
	fault, got := Fault(""), "fits"
	switch {
	case errors.Is(err, errUnsupported):
		fault, got = FaultUnsupported, err.Error()
	case errors.Is(err, errForbidden):
		fault, got = FaultForbidden, err.Error()
	case err != nil:
		fault, got = FaultValue, err.Error()
	}
	r.add("signature-value", "fits the digest and the certificate's key", got, fault)
}
