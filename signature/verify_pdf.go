package signature

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/tsp"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// readPDF reads the signatures and document time-stamps of a PDF file.
func readPDF(ctx context.Context, in Input) ([]finding, error) {
	doc, err := pdf.Read(in.Signature)
	if err != nil {
		return nil, unreadable{err}
	}
	signatures, err := doc.Signatures()
	if err != nil {
		return nil, unreadable{err}
	}
	r := &pdfReader{ctx: ctx, in: in, doc: doc, all: signatures, sums: map[pdfSum][]byte{}}
	r.readStore()
	var found []finding
	for _, s := range signatures {
		more, err := r.signature(s)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// pdfReader is what the signatures of one file share.
type pdfReader struct {
	ctx   context.Context
	in    Input
	doc   *pdf.Document
	all   []*pdf.Signature
	store pdf.Evidence
	certs []*x509.Certificate // of the store
	sums  map[pdfSum][]byte
}

type pdfSum struct {
	s *pdf.Signature
	h crypto.Hash
}

// readStore reads the document security store, certificates that cannot be read left out.
func (r *pdfReader) readStore() {
	r.store = r.doc.Evidence()
	for _, der := range r.store.Certificates {
		if c, err := x509.ParseCertificate(der); err == nil {
			r.certs = append(r.certs, c)
		}
	}
}

// covered reads what a signature covers.
func (r *pdfReader) covered(s *pdf.Signature) io.Reader {
	var parts []io.Reader
	for _, part := range r.doc.Ranges(s) {
		parts = append(parts, bytes.NewReader(part))
	}
	return io.MultiReader(parts...)
}

// sum gives the digest of what a signature covers, computed once.
func (r *pdfReader) sum(s *pdf.Signature, h crypto.Hash) []byte {
	if !h.Available() {
		return nil
	}
	k := pdfSum{s, h}
	if r.sums[k] == nil {
		running := h.New()
		for _, part := range r.doc.Ranges(s) {
			running.Write(part)
		}
		r.sums[k] = running.Sum(nil)
	}
	return r.sums[k]
}

// signature reads one signature dictionary; a CMS inside may have several signers.
func (r *pdfReader) signature(s *pdf.Signature) ([]finding, error) {
	var found []finding
	var err error
	switch {
	case s.Contents == nil:
		found = []finding{{result: &cms.Result{}}}
	case s.SubFilter == pdf.SubRFC3161:
		found = []finding{r.stamp(s)}
	case s.SubFilter == pdf.SubX509:
		found = []finding{r.bare(s)}
	default:
		found, err = r.cms(s)
	}
	for i := range found {
		r.describe(&found[i], s)
	}
	return found, err
}

// describe adds to a finding what the structure of the file says.
func (r *pdfReader) describe(f *finding, s *pdf.Signature) {
	if f.format == "" {
		f.format = FormatPDF
	}
	if len(s.Fields) > 0 {
		f.name = s.Fields[0]
	}
	f.coverage = map[pdf.Coverage]Coverage{pdf.CoversWhole: Whole, pdf.CoversRevision: Revision}[s.Coverage]
	if f.coverage == "" {
		f.coverage = Part
	}
	for _, fault := range s.Faults {
		f.result.Checks = append(f.result.Checks, cms.Check{What: "pdf-" + fault.Code, Expected: pdfRules[fault.Code], Got: fault.Found, Fault: cms.FaultFormat})
	}
	change := cms.Check{What: "changes-after", Expected: "none, or up to " + s.Permits.String(), Got: s.Level.String(), OK: true}
	f.modification = Unmodified
	switch {
	case s.Forbidden():
		f.modification, change.OK, change.Fault = Forbidden, false, cms.FaultModified
		change.Got = forbiddenChange(s)
	case s.Level > pdf.LevelNone:
		f.modification = Allowed
	}
	f.result.Checks = append(f.result.Checks, change)
	if len(s.Fields) > 1 {
		f.warnings = append(f.warnings, "shared-value")
	}
	if f.claimed == nil && s.Dict != nil {
		if m, ok := s.Dict.Get("M").(pdf.String); ok {
			if at, ok := m.Date(); ok {
				f.claimed = &at
			}
		}
	}
	f.pdf = r.part(s)
}

// forbiddenChange tells the first change that is not allowed.
func forbiddenChange(s *pdf.Signature) string {
	for _, c := range s.Changes {
		if c.Level > s.Permits {
			return fmt.Sprintf("%s (object %d)", c.What, c.Object)
		}
	}
	return s.Level.String()
}

// part says of a signature what only a PDF has.
func (r *pdfReader) part(s *pdf.Signature) *PDFPart {
	p := &PDFPart{Fields: s.Fields, SubFilter: string(s.SubFilter), Revision: s.Revision + 1, Revisions: len(r.doc.Revisions()),
		Certification: s.Certification, Changes: []string{}}
	if s.Dict != nil {
		p.Name, p.Reason, p.Location = s.Text("Name"), s.Text("Reason"), s.Text("Location")
	}
	for _, c := range s.Changes {
		p.Changes = append(p.Changes, c.What)
	}
	return p
}

// pdfRules says what each rule of package pdf expects.
var pdfRules = map[string]string{
	"dictionary":    "a signature dictionary that can be read",
	"duplicate-key": "every key once in the signature dictionary",
	"type":          "/Type /Sig or /DocTimeStamp, or none",
	"sub-filter":    "a sub-filter of ISO 32000-2",
	"filter":        "a /Filter",
	"packed":        "a signature dictionary that stands in the file itself",
	"byte-range":    "four integers, from the beginning of the file on",
	"contents":      "one value in hexadecimal, filled up with zeros",
	"gap":           "the byte range leaves out /Contents and nothing else",
	"coverage":      "the byte range ends where a revision of the file ends",
	"tail":          "nothing after the end of the last revision",
	"moved":         "the signature stands where the revision that it covers has it",
	"orphan":        "a field of the form that has the signature as its value",
}

// cms reads CMS and CAdES signatures over the byte range, or over its SHA-1 digest.
func (r *pdfReader) cms(s *pdf.Signature) ([]finding, error) {
	sd, err := cms.Parse(s.Contents)
	if err != nil {
		result := &cms.Result{Checks: []cms.Check{{What: "pdf-cms", Expected: "CMS signed data in /Contents", Got: err.Error(), Fault: cms.FaultFormat}}}
		return []finding{{result: result}}, nil
	}
	var content io.Reader
	if s.SubFilter != pdf.SubSHA1 {
		content = r.covered(s)
	}
	digests, err := sd.Digest(r.ctx, content)
	if err != nil {
		return nil, err
	}
	var found []finding
	for _, signer := range sd.All() {
		f := cmsFinding(sd, signer, digests, r.in)
		if s.SubFilter == pdf.SubSHA1 {
			same := sd.Embedded && bytes.Equal(sd.Content, r.sum(s, crypto.SHA1))
			f.result.Checks = append(f.result.Checks, cms.Check{What: "digest-strength", Expected: "SHA-256, SHA-384 or SHA-512", Got: "SHA-1", Fault: cms.FaultWeak},
				cms.Check{What: "pdf-digest", Expected: "the SHA-1 digest of the byte range as content", Got: sameWord(same), OK: same, Fault: unless(same, cms.FaultContent)})
		}
		if f.covers != nil {
			f.covers.Whole = s.Coverage == pdf.CoversWhole
		}
		if signer.Countersigns() == nil {
			r.advanced(&f, s, signer)
		}
		found = append(found, f)
	}
	if len(found) == 0 {
		result := &cms.Result{Checks: []cms.Check{{What: "pdf-cms", Expected: "a signer in the CMS", Got: "none", Fault: cms.FaultFormat}}}
		found = []finding{{result: result}}
	}
	return found, nil
}

func sameWord(same bool) string {
	if same {
		return "the same"
	}
	return "another"
}

func unless(ok bool, f cms.Fault) cms.Fault {
	if ok {
		return ""
	}
	return f
}

// advanced adds what PAdES adds to CMS: the document's evidence and time-stamps, and the level.
func (r *pdfReader) advanced(f *finding, s *pdf.Signature, signer *cms.SignerInfo) {
	f.format = FormatPDF
	if s.SubFilter == pdf.SubCAdES && signer.CAdES() {
		f.format = FormatPAdES
	}
	f.level = ""
	f.embedded = slices.Concat(f.embedded, r.certs)
	f.crls, f.ocsps = slices.Concat(f.crls, r.store.CRLs), slices.Concat(f.ocsps, r.store.OCSPs)
	timed := slices.ContainsFunc(f.stamps, func(st stamped) bool { return st.kind == SignatureStamp && st.fault == "" })
	sealed := false
	for i := range f.stamps {
		f.stamps[i].sealed = true // document time-stamps that follow cover all of this signature
	}
	for _, later := range r.all {
		if !later.Stamped || later.Contents == nil || later.Revision <= s.Revision {
			continue
		}
		st := stamped{kind: DocumentStamp, token: later.Contents, more: f.embedded, sealed: true,
			digest: func(h crypto.Hash) []byte { return r.sum(later, h) }}
		if len(later.Faults) > 0 || later.Forbidden() {
			st.fault = "document: the time-stamp's place in the file is not sound"
		} else {
			timed = true
			sealed = sealed || later.Revision >= r.store.Revision
		}
		f.stamps = append(f.stamps, st)
	}
	if f.format == FormatPAdES {
		f.level = padesLevel(timed, len(f.crls)+len(f.ocsps) > 0, sealed)
	}
}

// padesLevel tells the baseline level that the parts make up (EN 319 142-1 §6).
func padesLevel(timed, evidence, sealed bool) string {
	switch {
	case !timed:
		return "B-B"
	case !evidence:
		return "B-T"
	case !sealed:
		return "B-LT"
	}
	return "B-LTA"
}

// stamp reads a document time-stamp (EN 319 142-1 §5.4.3).
func (r *pdfReader) stamp(s *pdf.Signature) finding {
	token, err := tsp.Parse(s.Contents)
	if err != nil {
		result := &cms.Result{Checks: []cms.Check{{What: "pdf-stamp", Expected: "a time-stamp token in /Contents", Got: err.Error(), Fault: cms.FaultFormat}}}
		return finding{format: FormatTST, result: result}
	}
	in := r.in
	in.Certificates = slices.Concat(in.Certificates, r.certs)
	f := stampFinding(token, r.sum(s, token.Info.Imprint.Hash), in)
	f.embedded = slices.Concat(f.embedded, r.certs)
	f.crls, f.ocsps = r.store.CRLs, r.store.OCSPs
	if f.covers != nil {
		f.covers.Whole = s.Coverage == pdf.CoversWhole
	}
	return f
}

// bare reads adbe.x509.rsa_sha1: an RSA signature with SHA-1 over the byte range, certificates beside
// it. It can be read and proves too little.
func (r *pdfReader) bare(s *pdf.Signature) finding {
	result := &cms.Result{Digest: crypto.SHA1, Algorithm: "RSASSA-PKCS1-v1_5"}
	f := finding{result: result}
	add := func(what, expected, got string, ok bool, fault cms.Fault) {
		result.Checks = append(result.Checks, cms.Check{What: what, Expected: expected, Got: got, OK: ok, Fault: unless(ok, fault)})
	}
	add("digest-strength", "SHA-256, SHA-384 or SHA-512", "SHA-1", false, cms.FaultWeak)
	in, value := cryptobyte.String(s.Contents), cryptobyte.String(nil)
	readable := in.ReadASN1(&value, cbasn1.OCTET_STRING) && in.Empty()
	add("signature-form", "an octet string", sameWord(readable), readable, cms.FaultFormat)
	der, _ := s.Dict.Get("Cert").(pdf.String)
	if der.Raw == nil {
		if list, ok := s.Dict.Get("Cert").(pdf.Array); ok && len(list) > 0 {
			der, _ = list[0].(pdf.String)
		}
	}
	c, err := x509.ParseCertificate(der.Bytes())
	if err != nil {
		add("signer-certificate", "a certificate in /Cert", "none that can be read", false, cms.FaultSigner)
		return f
	}
	result.Certificate = c
	sum := r.sum(s, crypto.SHA1)
	f.covers = &Covered{Content: "embedded", Whole: s.Coverage == pdf.CoversWhole, DigestAlg: "SHA-1", Digest: hex.EncodeToString(sum)}
	key, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		add("signature-value", "an RSA key", "another key", false, cms.FaultFormat)
		return f
	}
	result.Key = fmt.Sprintf("RSA %d", key.N.BitLen())
	err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum, value)
	add("signature-value", "fits the digest and the certificate's key", sameWord(err == nil), err == nil, cms.FaultValue)
	return f
}
