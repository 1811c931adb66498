package signature

import (
	"crypto"
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// finding is what the reader of a format says of one signature, trust aside. What is bad about the
// bytes stands as a failed check in result; that alone decides on integrity, so a reader adds a check
// for every rule of its own format.
type finding struct {
	format Format // of the signature: the plain format or its advanced form
	level  string // baseline level that its parts make up, such as B-T, "" for none
	name   string // how the document calls the signature: a field, an Id

	result   *cms.Result         // checks, certificate, algorithms
	embedded []*x509.Certificate // came with the signature
	crls     [][]byte            // revocation lists that came with it, DER
	ocsps    [][]byte            // OCSP responses that came with it, DER
	stamps   []stamped           // time-stamps that came with it, in the order in which they were added
	token    *tsp.Token          // where the signature is a time-stamp itself; its certificate is judged as an authority's

	pdf          *PDFPart  // of a PDF file
	covers       *Covered  // nil where the content is not at hand
	elements     []Element // of XML
	coverage     Coverage
	modification Modification // what was done to the document afterwards
	claimed      *time.Time   // when the signer says that it was made, UTC
	unsigned     []string     // names of what nothing protects and that was not judged

	further  []conclusion // what follows beside the checks
	warnings []string     // codes of reasonTexts
}

// stamped is a time-stamp token that came with a signature.
type stamped struct {
	kind   StampKind
	token  []byte                   // DER of the ContentInfo
	digest func(crypto.Hash) []byte // of what it must cover, nil where that cannot be had
	fault  string                   // what the reader of the format found wrong about its place, "" for nothing
	more   []*x509.Certificate      // that may be the authority's, beside those in the token
	sealed bool                     // the archive and document time-stamps that follow in the list cover this one
}

// describe fills in what the signature says of itself.
func (f *finding) describe() Signature {
	r := f.result
	one := Signature{
		Format: f.format, Level: f.level, Name: f.name, Certificate: r.Certificate, Checks: []Check{}, Warnings: []Reason{},
		Algorithms: Algorithms{Digest: cms.HashName(r.Digest), Signature: r.Algorithm, Key: r.Key},
		Chain:      Chain{Path: []string{}},
		Revocation: Revocation{Status: cert.NotChecked, Source: cert.SourceNone},
		PDF:        f.pdf,
		Covers:     f.covers, Elements: f.elements, Coverage: f.coverage,
		Modification: f.modification, ModifiedAfter: f.modification != Unmodified, Unsigned: f.unsigned,
	}
	if f.claimed != nil {
		one.SigningTime = &SigningTime{At: f.claimed.UTC(), Proof: "claimed"}
	}
	if c := r.Certificate; c != nil {
		kind, _ := cert.KindOf(c)
		one.SignedBy = nameOf(c.RawSubject)
		one.Signer = &Signer{Kind: kind, Subject: one.SignedBy, Issuer: nameOf(c.RawIssuer),
			NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), Restricted: &Restricted{Serial: c.SerialNumber.Text(16)}}
	}
	for _, code := range f.warnings {
		one.warn(code)
	}
	return one
}
