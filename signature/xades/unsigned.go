package xades

import (
	"crypto"
	"hash"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
)

// Kind says what a time-stamp is on.
type Kind string

const (
	Content    Kind = "content"    // the data, before it was signed
	Signature  Kind = "signature"  // the signature value
	Archive    Kind = "archive"    // everything that there was
	References Kind = "references" // the signature and references to evidence (XAdES-X), or these alone
)

// Stamp is one time-stamp token with the octets that it must cover.
type Stamp struct {
	Kind   Kind
	Token  []byte // DER
	Sealed bool   // an archive time-stamp that follows covers it
	Fault  string // what is wrong with its place or form, in words, "" for nothing

	digest  func(crypto.Hash) []byte
	earlier func(crypto.Hash) []byte
}

// Digest is what the token's imprint must be with h, nil where that cannot be had.
func (s *Stamp) Digest(h crypto.Hash) []byte {
	if s.digest == nil || !h.Available() {
		return nil
	}
	return s.digest(h)
}

// readUnsigned reads UnsignedSignatureProperties. Nothing protects them but the archive time-stamps: what is
// good in them shows by itself.
func (x *reader) readUnsigned() {
	t := x.d.Tree
	x.children(x.p.unsigned, "UnsignedSignatureProperties", func(c xmltree.ID) {
		_, local := t.Name(c)
		switch name := string(local); {
		case t.Is(c, x.p.version, "SignatureTimeStamp"):
			x.stampsIn(c, Signature)
		case t.Is(c, Namespace141, "ArchiveTimeStamp"), t.Is(c, x.p.version, "ArchiveTimeStamp"):
			for i := range x.p.Stamps {
				x.p.Stamps[i].Sealed = true
			}
			x.stampsIn(c, Archive)
		case t.Is(c, x.p.version, "SigAndRefsTimeStamp"), t.Is(c, x.p.version, "RefsOnlyTimeStamp"),
			t.Is(c, Namespace141, "SigAndRefsTimeStampV2"), t.Is(c, Namespace141, "RefsOnlyTimeStampV2"):
			x.stampsIn(c, References)
		case t.Is(c, x.p.version, "CertificateValues"):
			x.certificates(c)
		case t.Is(c, x.p.version, "RevocationValues"):
			x.evidence(c)
		case t.Is(c, Namespace141, "TimeStampValidationData"):
			x.certificates(x.child(c, x.p.version, "CertificateValues"))
			x.evidence(x.child(c, x.p.version, "RevocationValues"))
		default:
			x.p.Unread = append(x.p.Unread, name)
		}
	})
}

// certificates reads CertificateValues (EN 319 132-1 §5.4.1). What cannot be read is passed over: it vouches for nothing.
func (x *reader) certificates(n xmltree.ID) {
	if n == xmltree.None {
		return
	}
	t := x.d.Tree
	for c := t.FirstElement(n); c != xmltree.None; c = t.NextElement(c) {
		der, ok := x.decode(c)
		if !ok || !t.Is(c, x.p.version, "EncapsulatedX509Certificate") || len(x.p.Certificates) == maxCertificates {
			continue
		}
		if one, err := cert.Parse(der); err == nil {
			x.p.Certificates = append(x.p.Certificates, one)
		}
	}
}

// evidence reads RevocationValues (EN 319 132-1 §5.4.2).
func (x *reader) evidence(n xmltree.ID) {
	if n == xmltree.None {
		return
	}
	t := x.d.Tree
	for group := t.FirstElement(n); group != xmltree.None; group = t.NextElement(group) {
		for c := t.FirstElement(group); c != xmltree.None; c = t.NextElement(c) {
			der, ok := x.decode(c)
			switch {
			case !ok || len(x.p.CRLs)+len(x.p.OCSPs) == maxEvidence:
			case t.Is(c, x.p.version, "EncapsulatedCRLValue"):
				x.p.CRLs = append(x.p.CRLs, der)
			case t.Is(c, x.p.version, "EncapsulatedOCSPValue"):
				x.p.OCSPs = append(x.p.OCSPs, der)
			}
		}
	}
}

// stampsIn reads the tokens of one time-stamp property.
func (x *reader) stampsIn(n xmltree.ID, kind Kind) {
	t := x.d.Tree
	form, explicit, fault := xmltree.Method{}, false, ""
	var tokens []xmltree.ID
	for c := t.FirstElement(n); c != xmltree.None; c = t.NextElement(c) {
		switch {
		case t.Is(c, xmldsig.Namespace, "CanonicalizationMethod"):
			uri, _ := t.Attribute(c, "", "Algorithm")
			var known bool
			if form, known = xmldsig.Canonicalization(uri); !known || t.FirstElement(c) != xmltree.None {
				fault = "canonical-form: a canonical form that is not provided"
			}
		case t.Is(c, x.p.version, "EncapsulatedTimeStamp"):
			tokens = append(tokens, c)
		case t.Is(c, x.p.version, "XMLTimeStamp"):
			fault = "form: time-stamps in XML are not provided"
		case t.Is(c, x.p.version, "Include"), t.Is(c, x.p.version, "ReferenceInfo"), t.Is(c, x.p.version, "HashDataInfo"):
			explicit = true
		}
	}
	for _, c := range tokens {
		s := Stamp{Kind: kind, Fault: fault}
		var ok bool
		if s.Token, ok = x.decode(c); !ok && s.Fault == "" {
			s.Fault = "form: the token is not in base64"
		}
		x.covers(&s, n, form, explicit)
		if len(x.p.Stamps) == maxStamps {
			x.add("time-stamps", "no more than are judged", "more", cms.FaultUnsupported)
			return
		}
		x.p.Stamps = append(x.p.Stamps, s)
	}
}

// covers says what a token must be over. n is the property in which it stands.
func (x *reader) covers(s *Stamp, n xmltree.ID, form xmltree.Method, explicit bool) {
	switch {
	case s.Fault != "":
	case explicit:
		s.Fault = "form: a time-stamp that lists what it covers is not judged"
	case s.Kind == Signature:
		s.digest = func(h crypto.Hash) []byte {
			return x.digest(h, func(w hash.Hash) error { return x.write(w, x.s.Value, form) })
		}
	case s.Kind == Archive:
		s.digest = func(h crypto.Hash) []byte {
			return x.digest(h, func(w hash.Hash) error { return x.archive(w, n, form, false) })
		}
		s.earlier = func(h crypto.Hash) []byte {
			return x.digest(h, func(w hash.Hash) error { return x.archive(w, n, form, true) })
		}
	default:
		s.Fault = "form: a time-stamp of this kind is not judged"
	}
}

// Earlier is Digest by the rule of TS 101 903 for archive time-stamps: of the objects only those that no
// reference covers. nil for other kinds.
func (s *Stamp) Earlier(h crypto.Hash) []byte {
	if s.earlier == nil || !h.Available() {
		return nil
	}
	return s.earlier(h)
}

func (x *reader) digest(h crypto.Hash, write func(hash.Hash) error) []byte {
	w := h.New()
	if write(w) != nil {
		return nil
	}
	return w.Sum(nil)
}

// write puts one element in canonical form.
func (x *reader) write(w hash.Hash, n xmltree.ID, form xmltree.Method) error {
	return x.d.Write(w, xmltree.Set{Top: n, Comments: true}, form)
}

// archive writes what an archive time-stamp covers (EN 319 132-1 §5.5.2.2): the data of every reference, SignedInfo,
// SignatureValue and KeyInfo, the unsigned properties before the time-stamp, and the objects that hold no properties;
// with uncovered, of those only the ones that no reference covers.
func (x *reader) archive(w hash.Hash, stamp xmltree.ID, form xmltree.Method, uncovered bool) error {
	t := x.d.Tree
	for _, r := range x.s.References {
		if err := x.d.WriteReference(w, x.s, r, x.o); err != nil {
			return err
		}
	}
	for _, n := range []xmltree.ID{x.s.SignedInfo, x.s.Value, x.s.KeyInfo} {
		if n == xmltree.None {
			continue
		}
		if err := x.write(w, n, form); err != nil {
			return err
		}
	}
	for c := t.FirstElement(t.Parent(stamp)); c != stamp && c != xmltree.None; c = t.NextElement(c) {
		if err := x.write(w, c, form); err != nil {
			return err
		}
	}
	for _, o := range x.s.Objects {
		if t.Parent(t.Parent(x.p.unsigned)) == o || uncovered && x.covered(o) {
			continue
		}
		if err := x.write(w, o, form); err != nil {
			return err
		}
	}
	return nil
}

// covered tells whether a reference leads to an element.
func (x *reader) covered(n xmltree.ID) bool {
	for _, o := range x.r.References {
		if !o.Manifest && o.Target == n {
			return true
		}
	}
	return false
}
