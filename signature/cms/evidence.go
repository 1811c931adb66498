package cms

import (
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxEvidence is how many pieces of revocation information are given of one signature.
const maxEvidence = 128

// Forms of revocation information that is no CRL (RFC 5940 §2.1, RFC 6960 §4.2.1), and the
// attributes that held evidence before it stood in SignedData (EN 319 122-1 annex A.1.1).
var (
	oidOCSPResponse     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}
	oidOCSPBasic        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidCertificateValue = smime(23)
	oidRevocationValue  = smime(24)
)

// Evidence is what somebody put beside a signature so that it can be judged later. Nothing in it is
// verified, and anybody may have added it: none of it is signed.
type Evidence struct {
	Certificates []*x509.Certificate // beside SignedData.Certificates
	CRLs         [][]byte            // CertificateList (RFC 5280 §5.1), DER
	OCSPs        [][]byte            // OCSPResponse (RFC 6960 §4.2.1), DER
	Unread       int                 // pieces of another form
}

// Evidence gives what SignedData holds for all signatures and the unsigned attributes of s for one.
func (sd *SignedData) Evidence(s *SignerInfo) Evidence {
	var e Evidence
	for _, element := range sd.members.lists {
		e.addChoice(element)
	}
	for _, a := range s.Unsigned {
		for _, v := range a.Values {
			switch {
			case a.Type.Equal(oidCertificateValue):
				e.addCertificates(v)
			case a.Type.Equal(oidRevocationValue):
				e.addRevocationValues(v)
			}
		}
	}
	return e
}

// addChoice reads one RevocationInfoChoice (RFC 5652 §10.2.1).
func (e *Evidence) addChoice(element cryptobyte.String) {
	if element.PeekASN1Tag(cbasn1.SEQUENCE) {
		e.add(&e.CRLs, element)
		return
	}
	var body, whole cryptobyte.String
	var form asn1.ObjectIdentifier
	var tag cbasn1.Tag
	if !element.ReadASN1(&body, explicit(1)) || !readOID(&body, &form) || !body.ReadAnyASN1Element(&whole, &tag) || !body.Empty() {
		e.Unread++
		return
	}
	switch {
	case form.Equal(oidOCSPResponse):
		e.add(&e.OCSPs, whole)
	case form.Equal(oidOCSPBasic):
		e.add(&e.OCSPs, ocspResponse(whole))
	default:
		e.Unread++
	}
}

func (e *Evidence) add(to *[][]byte, piece []byte) {
	if len(e.CRLs)+len(e.OCSPs) == maxEvidence {
		e.Unread++
		return
	}
	*to = append(*to, piece)
}

// ocspResponse puts a BasicOCSPResponse into a successful OCSPResponse.
func ocspResponse(basic []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0)
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidOCSPBasic)
				b.AddASN1OctetString(basic)
			})
		})
	})
	return b.BytesOrPanic() // nothing is written but lengths and a constant
}

// addCertificates reads CertificateValues.
func (e *Evidence) addCertificates(v cryptobyte.String) {
	var body, element cryptobyte.String
	if !v.ReadASN1(&body, cbasn1.SEQUENCE) {
		e.Unread++
		return
	}
	for !body.Empty() {
		var tag cbasn1.Tag
		if !body.ReadAnyASN1Element(&element, &tag) {
			e.Unread++
			return
		}
		c := readCertificate(element, tag)
		if c == nil || len(e.Certificates) == MaxCertificates {
			e.Unread++
			continue
		}
		e.Certificates = append(e.Certificates, c)
	}
}

// addRevocationValues reads RevocationValues: CRLs, basic OCSP responses, and other forms, which are
// only counted.
func (e *Evidence) addRevocationValues(v cryptobyte.String) {
	var body, part, list, element cryptobyte.String
	var tag, of cbasn1.Tag
	if !v.ReadASN1(&body, cbasn1.SEQUENCE) {
		e.Unread++
		return
	}
	for !body.Empty() {
		if !body.ReadAnyASN1(&part, &tag) {
			e.Unread++
			return
		}
		if tag != explicit(0) && tag != explicit(1) || !part.ReadASN1(&list, cbasn1.SEQUENCE) {
			e.Unread++
			continue
		}
		for list.ReadAnyASN1Element(&element, &of) {
			if tag == explicit(0) {
				e.add(&e.CRLs, element)
			} else {
				e.add(&e.OCSPs, ocspResponse(element))
			}
		}
	}
}
