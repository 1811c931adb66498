package xades

import (
	"crypto/x509"
	"encoding/base64"
	"time"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
)

// Namespaces of XAdES. The properties of versions before 1.3.2 have the same names where they are read here.
const (
	Namespace    = "http://uri.etsi.org/01903/v1.3.2#"
	Namespace141 = "http://uri.etsi.org/01903/v1.4.1#"
	namespace122 = "http://uri.etsi.org/01903/v1.2.2#"
	namespace111 = "http://uri.etsi.org/01903/v1.1.1#"
)

// TypeSignedProperties is the type of the reference to signed properties; TypeCountersigned that of a
// countersignature's reference to the value that it signs.
const (
	TypeSignedProperties = "http://uri.etsi.org/01903#SignedProperties"
	TypeCountersigned    = "http://uri.etsi.org/01903#CountersignedSignature"
)

// Limits on what is read of one signature.
const (
	maxCertificates = 64 // that are named or that come with it
	maxEvidence     = 64 // lists and responses
	maxStamps       = 64
	maxEncoded      = 8 << 20 // octets of a certificate, a list, a response or a token, in base64
)

// Properties are the qualifying properties of one signature, as far as they are the signature's own.
type Properties struct {
	SigningTime  *time.Time // claimed; nil where none is stated
	Certificate  bool       // the signer's certificate is named (SigningCertificate, in either version)
	HintDiffers  bool       // issuer and number beside the digest of the signer's certificate are another's
	Policy       string     // identifier of the signature policy, "" for none, "implied" for one that is not named
	Stamps       []Stamp    // in document order
	Certificates []*x509.Certificate
	CRLs, OCSPs  [][]byte
	Checks       []cms.Check
	Unread       []string // names of unsigned properties that are not judged

	signed, unsigned xmltree.ID
	version          string // namespace
}

// reader reads the properties of one signature.
type reader struct {
	d *xmldsig.Document
	s *xmldsig.Signature
	r *xmldsig.Result
	o xmldsig.Options
	p *Properties
}

// Read finds and reads the properties of s, of which r is the result. It gives nil where there are none: the
// signature is a plain XML signature. What breaks a rule of XAdES stands as a failed check in Checks.
func Read(d *xmldsig.Document, s *xmldsig.Signature, r *xmldsig.Result, o xmldsig.Options) *Properties {
	x := &reader{d: d, s: s, r: r, o: o, p: &Properties{signed: xmltree.None, unsigned: xmltree.None}}
	top := x.qualifying()
	if top == xmltree.None {
		return nil
	}
	x.bind(top)
	if x.p.signed != xmltree.None {
		x.readSigned()
	}
	if x.p.unsigned != xmltree.None {
		x.readUnsigned()
	}
	return x.p
}

func (x *reader) add(what, expected, got string, fault cms.Fault) {
	x.p.Checks = append(x.p.Checks, cms.Check{What: what, Expected: expected, Got: got, OK: fault == "", Fault: fault})
}

// qualifying finds the QualifyingProperties among the signature's objects (EN 319 132-1 §4.3.1).
func (x *reader) qualifying() xmltree.ID {
	t, found := x.d.Tree, xmltree.None
	for _, o := range x.s.Objects {
		for c := t.FirstElement(o); c != xmltree.None; c = t.NextElement(c) {
			version := versionOf(t, c)
			if version == "" {
				continue
			}
			if found != xmltree.None {
				x.add("qualifying-properties", "one in a signature", "several", cms.FaultAmbiguous)
				return found
			}
			found, x.p.version = c, version
		}
	}
	return found
}

// versionOf gives the namespace of an element QualifyingProperties, "" for any other.
func versionOf(t *xmltree.Tree, n xmltree.ID) string {
	for _, space := range []string{Namespace, namespace122, namespace111} {
		if t.Is(n, space, "QualifyingProperties") {
			return space
		}
	}
	return ""
}

// bind makes sure that the properties are this signature's, and finds the parts that it covers and does not cover.
func (x *reader) bind(top xmltree.ID) {
	t := x.d.Tree
	if target, ok := t.Attribute(top, "", "Target"); !ok || x.s.ID == "" || target != "#"+x.s.ID {
		x.add("properties-target", "the signature's own Id", "another", cms.FaultAmbiguous)
		return
	}
	signed := xmltree.None
	for c := t.FirstElement(top); c != xmltree.None; c = t.NextElement(c) {
		switch {
		case t.Is(c, x.p.version, "SignedProperties") && signed == xmltree.None && x.p.unsigned == xmltree.None:
			signed = c
		case t.Is(c, x.p.version, "UnsignedProperties") && x.p.unsigned == xmltree.None:
			x.p.unsigned = c
		default:
			x.add("properties-form", "SignedProperties, then UnsignedProperties", "something else", cms.FaultFormat)
			return
		}
	}
	x.bindSigned(signed)
}

// bindSigned accepts the signed properties where a reference that holds covers them and nothing but them
// (EN 319 132-1 §4.3.2). A reference of their type that leads anywhere else is a trap.
func (x *reader) bindSigned(signed xmltree.ID) {
	covering := 0
	for _, o := range x.r.References {
		if o.Manifest {
			continue
		}
		typed := o.Reference.Type == TypeSignedProperties || o.Reference.Type == x.p.version+"SignedProperties"
		own := signed != xmltree.None && o.Target == signed
		switch {
		case typed && !own:
			x.add("signed-properties", "the signature's own", "a reference to others", cms.FaultAmbiguous)
			return
		case own && o.OK && o.Covered != nil && o.Covered.Top == signed && len(o.Covered.Without) == 0 && o.Covered.Keep == nil && !o.TextOnly:
			covering++
		}
	}
	switch {
	case signed == xmltree.None:
		return
	case covering == 0:
		x.add("signed-properties", "covered by the signature", "not covered", cms.FaultFormat)
	default:
		x.add("signed-properties", "covered by the signature", "they are", "")
		x.p.signed = signed
	}
}

// children calls f with each element inside the named child of n. Several such children are a fault.
func (x *reader) children(n xmltree.ID, name string, f func(xmltree.ID)) {
	t, seen := x.d.Tree, false
	for c := t.FirstElement(n); c != xmltree.None; c = t.NextElement(c) {
		if !t.Is(c, x.p.version, name) {
			continue
		}
		if seen {
			x.add("properties-form", "one "+name, "several", cms.FaultFormat)
			return
		}
		seen = true
		for d := t.FirstElement(c); d != xmltree.None; d = t.NextElement(d) {
			f(d)
		}
	}
}

// decode reads base64 in an element that holds nothing else.
func (x *reader) decode(n xmltree.ID) ([]byte, bool) {
	text, ok := x.d.Tree.Content(n)
	if !ok || len(text) > maxEncoded {
		return nil, false
	}
	clean := make([]byte, 0, len(text))
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			clean = append(clean, c)
		}
	}
	out, err := base64.StdEncoding.Strict().DecodeString(string(clean))
	return out, err == nil && len(out) > 0
}

// text gives an element's text without white space around it.
func (x *reader) text(n xmltree.ID) string {
	b, ok := x.d.Tree.Content(n)
	if !ok || len(b) > 4096 {
		return ""
	}
	return string(trim(b))
}

func trim(b []byte) []byte {
	blank := func(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// child gives the only child element of that name in the namespace of signatures or of properties.
func (x *reader) child(n xmltree.ID, space, name string) xmltree.ID {
	t, found := x.d.Tree, xmltree.None
	for c := t.FirstElement(n); c != xmltree.None; c = t.NextElement(c) {
		if t.Is(c, space, name) {
			if found != xmltree.None {
				return xmltree.None
			}
			found = c
		}
	}
	return found
}
