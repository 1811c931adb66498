package xades

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// readSigned reads SignedSignatureProperties and, of SignedDataObjectProperties, the time-stamps.
func (x *reader) readSigned() {
	t, seen := x.d.Tree, map[string]bool{}
	x.children(x.p.signed, "SignedSignatureProperties", func(c xmltree.ID) {
		_, local := t.Name(c)
		name := string(local)
		if seen[name] {
			x.add("properties-form", "one "+name, "several", cms.FaultFormat)
			return
		}
		seen[name] = true
		switch {
		case t.Is(c, x.p.version, "SigningTime"):
			x.signingTime(c)
		case t.Is(c, x.p.version, "SigningCertificate"):
			x.signingCertificate(c, false)
		case t.Is(c, x.p.version, "SigningCertificateV2"):
			x.signingCertificate(c, true)
		case t.Is(c, x.p.version, "SignaturePolicyIdentifier"):
			x.p.Policy = x.policy(c)
		}
	})
	x.children(x.p.signed, "SignedDataObjectProperties", func(c xmltree.ID) {
		if t.Is(c, x.p.version, "AllDataObjectsTimeStamp") || t.Is(c, x.p.version, "IndividualDataObjectsTimeStamp") {
			x.stampsIn(c, Content)
		}
	})
}

// signingTime reads an xsd:dateTime that names its zone (EN 319 132-1 §5.2.1).
func (x *reader) signingTime(n xmltree.ID) {
	text := x.text(n)
	at, err := time.Parse("2006-01-02T15:04:05.999999999Z07:00", text)
	if err != nil {
		// A time without a zone is nobody's time; it is not refused, because it was only a claim.
		_, noZone := time.Parse("2006-01-02T15:04:05.999999999", text)
		fault := cms.FaultFormat
		if noZone == nil {
			fault = ""
		}
		x.add("signing-time-form", "a date and time with its zone", "another form", fault)
		return
	}
	at = at.UTC()
	x.p.SigningTime = &at
}

// policy names the signature policy.
func (x *reader) policy(n xmltree.ID) string {
	t := x.d.Tree
	if x.child(n, x.p.version, "SignaturePolicyImplied") != xmltree.None {
		return "implied"
	}
	id := x.child(x.child(x.child(n, x.p.version, "SignaturePolicyId"), x.p.version, "SigPolicyId"), x.p.version, "Identifier")
	if id == xmltree.None || t.Kind(id) != xmltree.Element {
		return ""
	}
	return x.text(id)
}

// signingCertificate compares the certificates that are named with the signer's: one of them must be it
// (EN 319 132-1 §5.2.2). An entry of another certificate is one of the path and says nothing here.
func (x *reader) signingCertificate(n xmltree.ID, second bool) {
	t, signer, entries, found := x.d.Tree, x.r.Certificate, 0, false
	for c := t.FirstElement(n); c != xmltree.None; c = t.NextElement(c) {
		if entries++; !t.Is(c, x.p.version, "Cert") || entries > maxCertificates {
			x.add("signing-certificate", "a list of certificates", "something else", cms.FaultFormat)
			return
		}
		found = found || signer != nil && x.names(c, signer, second)
	}
	x.p.Certificate = true
	switch {
	case signer == nil: // the lack of a certificate is told elsewhere
	case found:
		x.add("signing-certificate", "names the signer's certificate", "that certificate", "")
	default:
		x.add("signing-certificate", "names the signer's certificate", "not that certificate", cms.FaultReference)
	}
}

// names tells whether a Cert is about c: its digest is what binds, issuer and number beside it are a hint
// (EN 319 132-1 §5.2.2).
func (x *reader) names(n xmltree.ID, c *x509.Certificate, second bool) bool {
	t := x.d.Tree
	digest := x.child(n, x.p.version, "CertDigest")
	method := x.child(digest, xmldsig.Namespace, "DigestMethod")
	uri, _ := t.Attribute(method, "", "Algorithm")
	if method == xmltree.None { // versions before 1.2.2 have an element of their own
		method = x.child(digest, x.p.version, "DigestMethod")
		uri, _ = t.Attribute(method, "", "Algorithm")
	}
	value := x.child(digest, xmldsig.Namespace, "DigestValue")
	if value == xmltree.None {
		value = x.child(digest, x.p.version, "DigestValue")
	}
	h, fault := xmldsig.DigestOf(uri)
	want, ok := x.decode(value)
	if fault != "" || !ok {
		return false
	}
	sum := h.New()
	sum.Write(c.Raw)
	if !bytes.Equal(sum.Sum(nil), want) {
		return false
	}
	if second {
		x.p.HintDiffers = x.p.HintDiffers || !x.issuerV2(n, c)
		return true
	}
	number := x.child(x.child(n, x.p.version, "IssuerSerial"), xmldsig.Namespace, "X509SerialNumber")
	if number == xmltree.None {
		return true
	}
	serial, ok := new(big.Int).SetString(strings.TrimPrefix(x.text(number), "+"), 10)
	x.p.HintDiffers = x.p.HintDiffers || !ok || serial.Cmp(c.SerialNumber) != 0
	return true
}

// issuerV2 compares IssuerSerialV2, the DER of IssuerSerial (RFC 5035 §5), where it is there.
func (x *reader) issuerV2(n xmltree.ID, c *x509.Certificate) bool {
	element := x.child(n, x.p.version, "IssuerSerialV2")
	if element == xmltree.None {
		return true
	}
	der, ok := x.decode(element)
	if !ok {
		return false
	}
	in := cryptobyte.String(der)
	var body, names, name, directory cryptobyte.String
	serial := new(big.Int)
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1(&names, cbasn1.SEQUENCE) || !body.ReadASN1Integer(serial) ||
		!names.ReadASN1(&name, cbasn1.Tag(4).ContextSpecific().Constructed()) || !name.ReadASN1Element(&directory, cbasn1.SEQUENCE) {
		return false
	}
	return serial.Cmp(c.SerialNumber) == 0 && bytes.Equal(directory, c.RawIssuer)
}
