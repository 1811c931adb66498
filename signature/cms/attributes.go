package cms

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Attributes of RFC 5652 §11, RFC 5035 and RFC 6211.
var (
	oidContentType          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidSigningCertificate   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidCountersignature     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}
	oidSignaturePolicy      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 15}
	oidAlgorithmProtection  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}
)

// singular are the signed attributes that may stand once, with one value.
var singular = []struct {
	oid       asn1.ObjectIdentifier
	once      string // the check
	mandatory bool
}{
	{oidContentType, "content-type-once", true},
	{oidMessageDigest, "message-digest-once", true},
	{oidSigningTime, "signing-time-once", false},
	{oidSigningCertificate, "signing-certificate-once", false},
	{oidSigningCertificateV2, "signing-certificate-v2-once", false},
	{oidAlgorithmProtection, "algorithm-protection-once", false},
	{oidSignaturePolicy, "signature-policy-once", false},
}

// Attribute is one attribute; Values are whole DER elements in the order in which they came.
type Attribute struct {
	Type   asn1.ObjectIdentifier
	Values [][]byte
}

// readAttributes reads the contents of a SET OF Attribute; elements are the attributes as written.
func readAttributes(in cryptobyte.String) (all []Attribute, elements [][]byte, err error) {
	for !in.Empty() {
		var body, values cryptobyte.String
		var a Attribute
		if len(all) == maxAttributes {
			return nil, nil, malformed("more than %d attributes", maxAttributes)
		}
		element, ok := readElement(&in, cbasn1.SEQUENCE)
		whole := cryptobyte.String(element)
		if !ok || !whole.ReadASN1(&body, cbasn1.SEQUENCE) || !readOID(&body, &a.Type) ||
			!body.ReadASN1(&values, cbasn1.SET) || !body.Empty() {
			return nil, nil, malformed("an attribute is not readable")
		}
		for !values.Empty() {
			var value cryptobyte.String
			var tag cbasn1.Tag
			if len(a.Values) == maxValues {
				return nil, nil, malformed("an attribute has more than %d values", maxValues)
			}
			if !values.ReadAnyASN1Element(&value, &tag) {
				return nil, nil, malformed("a value of the attribute %s is not readable", a.Type)
			}
			a.Values = append(a.Values, value)
		}
		all, elements = append(all, a), append(elements, element)
	}
	return all, elements, nil
}

// encodeAttributes writes SET OF Attribute in DER: both sets in the order of their encodings
// (X.690 §11.6), whatever the order in which they came (RFC 5652 §5.4).
func encodeAttributes(all []Attribute) ([]byte, error) {
	encoded := make([][]byte, 0, len(all))
	for _, a := range all {
		one, err := a.element()
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, one)
	}
	slices.SortFunc(encoded, bytes.Compare)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { addAll(b, encoded) })
	return b.Bytes()
}

func addAll(b *cryptobyte.Builder, parts [][]byte) {
	for _, p := range parts {
		b.AddBytes(p)
	}
}

// count gives how often a type stands among the signed attributes and how many values it has in all.
func (s *SignerInfo) count(oid asn1.ObjectIdentifier) (attributes, values int) {
	for _, a := range s.Signed {
		if a.Type.Equal(oid) {
			attributes++
			values += len(a.Values)
		}
	}
	return attributes, values
}

// value gives the first value of a signed attribute, nil where there is none.
func (s *SignerInfo) value(oid asn1.ObjectIdentifier) cryptobyte.String {
	for _, a := range s.Signed {
		if a.Type.Equal(oid) && len(a.Values) > 0 {
			return a.Values[0]
		}
	}
	return nil
}

// SigningTime is the time that the signer claims (RFC 5652 §11.3); nothing proves it. present is
// false without the attribute, ok is false where it is not readable.
func (s *SignerInfo) SigningTime() (t time.Time, present, ok bool) {
	v := s.value(oidSigningTime)
	switch {
	case v == nil:
		return t, false, true
	case v.PeekASN1Tag(cbasn1.UTCTime):
		ok = v.ReadASN1UTCTime(&t)
	default:
		ok = v.ReadASN1GeneralizedTime(&t)
	}
	return t.UTC(), true, ok && v.Empty()
}

// CAdES tells whether the signed attributes bind the signer's certificate, which is what makes
// CMS into CAdES (EN 319 122-1 §5.2.2).
func (s *SignerInfo) CAdES() bool {
	return s.value(oidSigningCertificate) != nil || s.value(oidSigningCertificateV2) != nil
}
