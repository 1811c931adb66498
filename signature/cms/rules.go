package cms

import (
	"encoding/asn1"
	"fmt"
	"strconv"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// checkForm applies the rules on SignerInfo that concern no attribute's value (RFC 5652 §5.1, §5.3,
// §11.1–11.4).
func (sd *SignedData) checkForm(r *Result, s *SignerInfo) {
	version := 1
	if s.Issuer == nil {
		version = 3
	}
	r.pass("signer-version", strconv.Itoa(version)+", as the signer is named", strconv.Itoa(s.Version), s.Version == version, FaultFormat)
	if s.parent == nil {
		r.pass("digest-listed", "among the digest algorithms of the whole", yes(sd.lists(s.DigestAlgorithm), "there"),
			sd.lists(s.DigestAlgorithm), FaultFormat)
	}
	if s.HasSigned && !s.inOrder {
		r.add("signed-attributes-order", "that of DER", "another", FaultFormat)
	}
	for _, a := range s.Unsigned {
		if signedOnly(a.Type) {
			r.add("unsigned-attributes", "none that has a meaning only where it is signed", a.Type.String(), FaultFormat)
		}
	}
	if attributes, _ := s.count(oidCountersignature); attributes > 0 {
		r.add("signed-attributes", "no countersignature", "a countersignature", FaultFormat)
	}
}

// lists tells whether the digest algorithms of sd hold a.
func (sd *SignedData) lists(a Algorithm) bool {
	for _, element := range sd.members.digests {
		in := cryptobyte.String(element)
		if listed, ok := readAlgorithm(&in); ok && listed.same(a) {
			return true
		}
	}
	return false
}

// signedOnly tells whether an attribute says something only where it is signed (RFC 5652
// §11.1–11.3, RFC 5035 §5, RFC 6211 §2).
func signedOnly(oid asn1.ObjectIdentifier) bool {
	for _, rule := range singular {
		if rule.oid.Equal(oid) {
			return true
		}
	}
	return false
}

// Judged tells whether what an unsigned attribute of this type holds is judged by this package or
// handed on by it: countersignatures, time-stamps that are no older forms, evidence.
func Judged(oid asn1.ObjectIdentifier) bool {
	for _, known := range []asn1.ObjectIdentifier{oidCountersignature, oidSignatureStamp, oidArchiveStamp, oidCertificateValue, oidRevocationValue} {
		if known.Equal(oid) {
			return true
		}
	}
	return false
}

// checkAttributes applies the rules on signed attributes (RFC 5652 §5.3, §11) that need neither
// content nor certificate.
func (sd *SignedData) checkAttributes(r *Result, s *SignerInfo) {
	if !s.HasSigned {
		r.pass("signed-attributes", "present, because the content is not plain data", "absent",
			s.parent != nil || sd.ContentType.Equal(OIDData), FaultFormat)
		return
	}
	for _, rule := range singular {
		attributes, values := s.count(rule.oid)
		if attributes == 0 && (!rule.mandatory || s.parent != nil && rule.oid.Equal(oidContentType)) {
			continue
		}
		once := attributes == 1 && values == 1
		got := "one with one"
		if !once {
			got = fmt.Sprintf("%d with %d", attributes, values)
		}
		r.pass(rule.once, "one attribute with one value", got, once, FaultFormat)
	}
	sd.checkContentType(r, s)
	if _, present, readable := s.SigningTime(); present {
		r.pass("signing-time-form", "UTCTime or GeneralizedTime in UTC", yes(readable, "readable"), readable, FaultFormat)
	}
	if p := s.value(oidAlgorithmProtection); p != nil {
		ok := protects(p, s.DigestAlgorithm, s.SignatureAlgorithm)
		r.pass("algorithm-protection", "the algorithms of the signature", yes(ok, "the same"), ok, FaultFormat)
	}
}

// checkContentType compares the signed content type with the content's. A countersignature has
// none, which keeps it from being taken for a signature over content (RFC 5652 §11.4).
func (sd *SignedData) checkContentType(r *Result, s *SignerInfo) {
	if s.parent != nil {
		attributes, _ := s.count(oidContentType)
		r.pass("content-type", "none in a countersignature", fmt.Sprint(attributes), attributes == 0, FaultFormat)
		return
	}
	var contentType asn1.ObjectIdentifier
	v := s.value(oidContentType)
	ok := readOID(&v, &contentType) && v.Empty() && contentType.Equal(sd.ContentType)
	r.pass("content-type", sd.ContentType.String(), contentType.String(), ok, FaultFormat)
}

func yes(ok bool, word string) string {
	if ok {
		return word
	}
	return "not " + word
}

// protects reads CMSAlgorithmProtection (RFC 6211 §2) and compares.
func protects(in cryptobyte.String, digest, signature Algorithm) bool {
	var body, tagged cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() {
		return false
	}
	d, ok := readAlgorithm(&body)
	if !ok || !body.ReadASN1(&tagged, explicit(1)) || !body.Empty() {
		return false
	}
	a := Algorithm{} // [1] IMPLICIT stands in place of the SEQUENCE
	if !readOID(&tagged, &a.OID) {
		return false
	}
	a.Parameters = tagged
	return d.same(digest) && a.same(signature)
}
