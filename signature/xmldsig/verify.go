package xmldsig

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// Options say with what a signature is checked. The zero value has nothing.
type Options struct {
	Content      func(uri string) ([]byte, bool) // files beside the document, by the URI of the reference, as it stands and decoded
	Certificates []*x509.Certificate             // that may be the signer's, beside those in KeyInfo
	Keys         []crypto.PublicKey              // bare keys that may be the signer's; they say nothing of anybody
}

// Result is what can be said of one signature without trust in anyone.
type Result struct {
	cms.Result
	Embedded   []*x509.Certificate // all certificates in KeyInfo
	References []Outcome           // in SignedInfo's order, those of a manifest after the reference to it
	Whole      bool                // what holds covers all of the document, signatures aside
}

// Outcome is what one reference covers and whether it holds.
type Outcome struct {
	Reference *Reference
	OK        bool
	Fault     cms.Fault    // why it does not hold
	Manifest  bool         // it stands in a manifest
	Target    xmltree.ID   // the node that the URI points at; None for a file
	Covered   *xmltree.Set // nodes of the document that were digested, nil for a file or where it does not hold
	TextOnly  bool         // of those nodes only the text was digested
	Comments  bool         // comments among them were digested
	Size      int64        // octets that were digested
}

// verification is one call of Verify.
type verification struct {
	d  *Document
	o  Options
	s  *Signature
	r  *Result
	to io.Writer // where the octets of a reference go beside their digest; nil for nowhere
}

// verify applies core validation (XMLDSig 1.1 §3.2) to one signature.
func (d *Document) verify(s *Signature, o Options) *Result {
	v := &verification{d: d, o: o, s: s, r: &Result{}}
	v.r.Digest, v.r.Algorithm = s.scheme.hash, s.scheme.family
	if s.scheme.family == familyUnknown {
		v.r.Algorithm = clip(s.schemeURI)
	}
	switch {
	case s.malformed != "":
		v.add("structure", "as XML Signature says", s.malformed, cms.FaultFormat)
		return v.r
	case s.unsupported != "":
		v.add("structure", "what is provided", s.unsupported, cms.FaultUnsupported)
		return v.r
	}
	v.add("structure", "as XML Signature says", "so it is", "")
	v.algorithm()
	v.value()
	for _, r := range s.References {
		v.reference(r, false)
	}
	return v.r
}

// add records a check; it is passed where fault is "".
func (v *verification) add(what, expected, got string, fault cms.Fault) {
	v.r.Checks = append(v.r.Checks, cms.Check{What: what, Expected: expected, Got: got, OK: fault == "", Fault: fault})
}

// algorithm judges the signature algorithm by its name.
func (v *verification) algorithm() {
	s := v.s
	got := v.r.Algorithm
	if s.scheme.hash != 0 {
		got += " with " + cms.HashName(s.scheme.hash)
	}
	v.add("signature-algorithm", "RSASSA-PKCS1-v1_5, RSASSA-PSS, ECDSA or Ed25519", got, s.scheme.fault)
	if s.scheme.fault == "" && weakHash(s.scheme.hash) {
		v.add("digest-strength", "SHA-256, SHA-384 or SHA-512", cms.HashName(s.scheme.hash), cms.FaultWeak)
	}
}

// value finds the key and checks the signature value over SignedInfo.
func (v *verification) value() {
	s, r := v.s, v.r
	k := v.readKeyInfo(s)
	r.Embedded = slices.Concat(k.certificates, k.values)
	if s.scheme.fault != "" {
		if len(k.certificates) > 0 {
			r.Certificate = k.certificates[0]
		}
		return
	}
	message, err := v.signedInfo()
	if err != nil {
		v.add("signature-value", "fits the key", err.Error(), cms.FaultUnsupported)
		return
	}
	try := func(key any) error { return s.check(key, message) }
	first := v.certificate(k, try)
	if r.Certificate == nil && first == nil {
		v.keyOnly(k, try)
		return
	}
	fits := error(nil)
	if r.Certificate == nil {
		r.Certificate = first
		fits = try(keyOf(first))
	}
	key := keyOf(r.Certificate)
	r.Key = keyName(key)
	v.strength(key)
	v.add("signer-certificate", "in KeyInfo or given", "found", "")
	v.judgeValue(fits)
}

// certificate finds the certificate whose key the value fits, first among those in KeyInfo, then among
// those that are elsewhere in the signature or were given, and puts it in the result. first is one of
// KeyInfo, to be named where none fits.
func (v *verification) certificate(k *keyInfo, try func(any) error) (first *x509.Certificate) {
	for _, c := range k.certificates {
		if (v.r.Certificate == nil || !c.IsCA) && try(keyOf(c)) == nil {
			v.r.Certificate = c
			if !c.IsCA {
				return c
			}
		}
	}
	for _, c := range slices.Concat(k.values, v.o.Certificates) {
		if v.r.Certificate == nil && try(keyOf(c)) == nil {
			v.r.Certificate = c
		}
	}
	for _, c := range k.certificates {
		if first == nil || first.IsCA && !c.IsCA {
			first = c
		}
	}
	return first
}

// keyOnly judges a signature without a certificate: the value may fit a bare key in KeyInfo, which says
// nothing of anybody.
func (v *verification) keyOnly(k *keyInfo, try func(any) error) {
	var last error
	keys := slices.Clone(k.keys)
	for _, key := range v.o.Keys {
		keys = append(keys, key)
	}
	for _, key := range keys {
		if last = try(key); last == nil {
			v.r.Key = keyName(key)
			v.strength(key)
			v.judgeValue(nil)
			v.add("signer-certificate", "in KeyInfo or given", "only a key", cms.FaultKeyOnly)
			return
		}
	}
	if len(keys) > 0 {
		v.r.Key = keyName(keys[0])
		v.judgeValue(last)
		return
	}
	got := "not in KeyInfo and not given"
	for i, name := range k.names {
		if i < 4 {
			got += ", where " + name + " is"
		}
	}
	if k.unread > 0 {
		got = fmt.Sprintf("%d that cannot be read", k.unread)
	}
	v.add("signer-certificate", "in KeyInfo or given", got, cms.FaultSigner)
}

func (v *verification) strength(key any) {
	if weak := weakKey(key); weak != "" {
		v.add("key-strength", "RSA from 2048 bits or ECDSA from P-256", weak, cms.FaultWeak)
	}
}

func (v *verification) judgeValue(err error) {
	switch {
	case err == nil:
		v.add("signature-value", "fits the key", "it does", "")
	case errors.Is(err, errUnsupported):
		v.add("signature-value", "fits the key", err.Error(), cms.FaultUnsupported)
	case errors.Is(err, errForbidden):
		v.add("signature-value", "fits the key", err.Error(), cms.FaultForbidden)
	default:
		v.add("signature-value", "fits the key", "it does not", cms.FaultValue)
	}
}

// signedInfo gives the canonical form of SignedInfo.
func (v *verification) signedInfo() ([]byte, error) {
	var out buffer
	set := xmltree.Set{Top: v.s.SignedInfo, Comments: true}
	err := v.d.Tree.Canonical(&meter{w: &out, left: &v.d.left}, set, v.s.form)
	return out.b, err
}

// reference judges one reference, and those of a manifest that it leads to.
func (v *verification) reference(r *Reference, manifest bool) {
	o := Outcome{Reference: r, Manifest: manifest, Target: xmltree.None}
	if r.HasURI && !r.File() {
		if at, _, err := v.d.locate(r.URI); err == nil {
			o.Target = at
		}
	}
	got, fault := v.holds(r, &o)
	o.OK, o.Fault = fault == "", fault
	what := "reference"
	if manifest {
		what = "manifest-reference"
	}
	if manifest && fault == cms.FaultNoContent {
		fault = "" // core validation does not ask for it (XMLDSig 1.1 §5.1); what it names is not covered
	}
	v.add(what, "the digest of "+name(r), got, fault)
	v.r.References = append(v.r.References, o)
	if o.OK && !manifest && v.isManifest(&o) {
		v.manifest(o.Target)
	}
}

// name says what a reference points at, for people.
func name(r *Reference) string {
	switch {
	case !r.HasURI:
		return "something that the application knows"
	case r.URI == "":
		return "the document"
	}
	return clip(r.URI)
}

// holds digests what r points at and compares.
func (v *verification) holds(r *Reference, o *Outcome) (got string, fault cms.Fault) {
	if r.malformed != "" {
		return r.malformed, cms.FaultFormat
	}
	h, fault := DigestOf(r.digestURI)
	if fault != "" {
		return "the digest algorithm " + clip(r.digestURI), fault
	}
	d, err := v.digestOf(v.s, r, h)
	var f *failure
	if errors.As(err, &f) {
		return f.text, f.fault
	}
	if err != nil {
		return err.Error(), cms.FaultContent
	}
	if !bytes.Equal(d.sum, r.digest) {
		return "another digest", cms.FaultContent
	}
	if weakHash(h) {
		v.add("digest-strength", "SHA-256, SHA-384 or SHA-512", cms.HashName(h), cms.FaultWeak)
	}
	o.Size, o.Covered, o.TextOnly, o.Comments = d.size, d.own, d.text, d.comments
	return "the same with " + cms.HashName(h), ""
}

// isManifest tells whether a reference that holds covers a ds:Manifest, by type or by what it points at.
func (v *verification) isManifest(o *Outcome) bool {
	return o.Target > 0 && o.Covered != nil && o.Covered.Top == o.Target && v.d.Tree.Is(o.Target, Namespace, "Manifest")
}

// manifest judges the references of a ds:Manifest. One that does not hold breaks the signature, which
// XMLDSig 1.1 §5.1 leaves to the application; a file that is not at hand is not covered, and no more.
func (v *verification) manifest(n xmltree.ID) {
	t := v.d.Tree
	for c := t.FirstElement(n); c != xmltree.None; c = t.NextElement(c) {
		switch {
		case !t.Is(c, Namespace, "Reference"):
			v.add("manifest", "references", "something else", cms.FaultFormat)
			return
		case len(v.r.References) >= MaxReferences:
			v.add("manifest", "no more references than are judged", "more", cms.FaultUnsupported)
			return
		}
		v.reference(v.d.readReference(c), true)
	}
}

// Digest puts nodes of the document in canonical form and digests them, within what is left of the
// document's MaxWork.
func (d *Document) Digest(set xmltree.Set, m xmltree.Method, h crypto.Hash) ([]byte, error) {
	w := h.New()
	if err := d.Tree.Canonical(&meter{w: w, left: &d.left}, set, m); err != nil {
		return nil, err
	}
	return w.Sum(nil), nil
}
