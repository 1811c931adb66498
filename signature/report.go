package signature

import (
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// Report is the technical report on one signed document. Its JSON form is a contract; the schema is
// testdata/report.schema.json. The top level repeats verdict, chain and revocation of the signature
// that decided: the worst one.
type Report struct {
	ID            string        `json:"id,omitempty" doc:"What a batch called this request"`
	Verdict       Verdict       `json:"verdict" enum:"TOTAL-PASSED,INDETERMINATE,TOTAL-FAILED,UNSUPPORTED,MALFORMED" doc:"Conclusion over all signatures"`
	SubIndication SubIndication `json:"sub_indication,omitempty" doc:"Sub-indication of ETSI EN 319 102-1; absent when passed"`
	Reason        string        `json:"reason,omitempty" doc:"The first of the reasons in a line: a stable word, a colon, a sentence"`
	Format        Format        `json:"format,omitempty" enum:"CMS,CAdES,PDF,PAdES,XMLDSig,XAdES,TST,JWS" doc:"Format of the document; the advanced form (CAdES, PAdES, XAdES) only if every signature has it"`
	Integrity     Integrity     `json:"integrity,omitempty" enum:"ok,broken" doc:"Whether the document is what the keys in the certificates signed, trust aside; absent where that could not be established"`
	At            time.Time     `json:"at" doc:"The instant that the report speaks of, civil time"`
	AnchorsNone   bool          `json:"anchors_none" doc:"Trust was left out on request"`
	Chain         *Chain        `json:"chain,omitempty" doc:"Of the signature that decided"`
	Revocation    *Revocation   `json:"revocation,omitempty" doc:"Of the signature that decided"`
	Signatures    []Signature   `json:"signatures" doc:"One for each signature, in the order of the document"`
	Reasons       []Reason      `json:"reasons" doc:"Why the verdict is what it is, in plain words"`
}

// Signature is what the report says of one signature.
type Signature struct {
	Indication    Verdict       `json:"indication" enum:"TOTAL-PASSED,INDETERMINATE,TOTAL-FAILED,UNSUPPORTED"`
	SubIndication SubIndication `json:"sub_indication,omitempty"`
	Format        Format        `json:"format" enum:"CMS,CAdES,PDF,PAdES,XMLDSig,XAdES,TST,JWS"`
	Level         string        `json:"level,omitempty" enum:"B-B,B-T,B-LT,B-LTA" doc:"Baseline level (EN 319 122-1, 142-1, 132-1) that the parts of the signature make up, whether they are good or not"`
	Name          string        `json:"name,omitempty" doc:"How the document calls the signature: a field of a PDF, an Id of XML"`
	Integrity     Integrity     `json:"integrity,omitempty" enum:"ok,broken"`
	Coverage      Coverage      `json:"coverage" enum:"whole,revision,part" doc:"whole: all of the document; revision: all of the document as it was when it was signed; part: less"`
	ModifiedAfter bool          `json:"modified_after" doc:"The document was changed after it was signed"`
	Modification  Modification  `json:"modification" enum:"none,allowed,forbidden" doc:"Whether such changes are ones that the signer allowed"`
	SignedBy      string        `json:"signed_by,omitempty" doc:"Subject of the signer's certificate (RFC 4514)"`
	Signer        *Signer       `json:"signer,omitempty" doc:"Absent where the signer's certificate is not at hand"`
	Covers        *Covered      `json:"covers,omitempty" doc:"Which bytes are signed; absent where the content is not at hand"`
	Elements      []Element     `json:"elements,omitempty" doc:"Of XML: what each reference covers"`
	PDF           *PDFPart      `json:"pdf,omitempty" doc:"Of a PDF file: where the signature stands and what it says of itself"`
	Algorithms    Algorithms    `json:"algorithms"`
	SigningTime   *SigningTime  `json:"signing_time,omitempty"`
	Timestamps    []Timestamp   `json:"timestamps,omitempty" doc:"Time-stamps that came with the signature"`
	Chain         Chain         `json:"chain"`
	Revocation    Revocation    `json:"revocation"`
	Items         *cert.Items   `json:"items,omitempty" doc:"The four items, only where the signature is intact, the chain is ok and nothing failed"`
	Checks        []Check       `json:"checks" doc:"Every rule that was applied, in order"`
	Unsigned      []string      `json:"unsigned_attributes,omitempty" doc:"Object identifiers of attributes that nothing protects and that were not judged"`
	Reasons       []Reason      `json:"reasons"`
	Warnings      []Reason      `json:"warnings" doc:"What a careful reader should know, whatever the verdict"`

	// Certificate is the signer's, for a caller that goes on with it; it is no part of the JSON form.
	Certificate *x509.Certificate `json:"-"`
}

// Signer says who signed, as far as the certificate says it.
type Signer struct {
	Kind       jitsuin.CertKind `json:"kind,omitempty" enum:"sign,auth" doc:"Absent for a certificate outside the JPKI profiles"`
	Subject    string           `json:"subject" doc:"Distinguished name (RFC 4514); of a resident's certificate an opaque identifier"`
	Issuer     string           `json:"issuer" doc:"Distinguished name; generations of an authority share it"`
	NotBefore  time.Time        `json:"not_before"`
	NotAfter   time.Time        `json:"not_after"`
	Restricted *Restricted      `json:"restricted,omitempty" doc:"For an accredited verifier's own checks only (arts. 19(2), 52); leaves through Public stripped"`
}

// Restricted is what a verifier may use for the check itself and for nothing else.
type Restricted struct {
	Serial string `json:"serial" doc:"発行番号, serial number of the certificate, hexadecimal"`
}

// Covered says which bytes a signature covers.
type Covered struct {
	Content     string `json:"content" enum:"embedded,detached,digest,signature" doc:"digest: only the digest of the content was given; signature: the value of another signature, which this one countersigns"`
	Whole       bool   `json:"whole" doc:"The signature covers every byte of the content"`
	Bytes       int64  `json:"bytes" doc:"0 where only the digest was given"`
	ContentType string `json:"content_type,omitempty" doc:"Object identifier that the signature claims; absent for a countersignature"`
	DigestAlg   string `json:"digest_algorithm,omitempty"`
	Digest      string `json:"digest,omitempty" doc:"Hexadecimal digest of the content at hand"`
}

// Element is what one reference of an XML signature covers.
type Element struct {
	Reference string `json:"reference" doc:"URI of the reference as it stands"`
	Path      string `json:"path,omitempty" doc:"Where the element stands, such as /DataRoot/様式; absent for a file"`
	Whole     bool   `json:"whole" doc:"It is the whole document, the signature itself aside"`
	File      bool   `json:"file,omitempty" doc:"It is a file beside the document"`
}

// PDFPart is what only a signature in a PDF file has. Texts are claims of the signer.
type PDFPart struct {
	Fields        []string `json:"fields,omitempty" doc:"Names of the form fields that have the signature"`
	SubFilter     string   `json:"sub_filter,omitempty" doc:"Such as ETSI.CAdES.detached"`
	Revision      int      `json:"revision" doc:"The state of the file that it covers, counted from 1; 0 for none"`
	Revisions     int      `json:"revisions" doc:"How many states the file has"`
	Certification int      `json:"certification,omitempty" doc:"P of DocMDP where it certifies the document: 1 nothing, 2 form filling, 3 notes, too"`
	Name          string   `json:"signer_name,omitempty"`
	Reason        string   `json:"reason,omitempty"`
	Location      string   `json:"location,omitempty"`
	Changes       []string `json:"changes" doc:"What was done to the file afterwards, the first ones"`
}

// StampKind says what a time-stamp covers.
type StampKind string

const (
	ContentStamp   StampKind = "content"   // the content, before it was signed
	SignatureStamp StampKind = "signature" // the signature value: what makes B-T
	ArchiveStamp   StampKind = "archive"   // signature, content and evidence: what makes B-LTA
	DocumentStamp  StampKind = "document"  // a whole PDF or file
)

// Timestamp is what the report says of one time-stamp (RFC 3161).
type Timestamp struct {
	Kind      StampKind `json:"kind" enum:"content,signature,archive,document"`
	At        time.Time `json:"at"`
	Accuracy  string    `json:"accuracy,omitempty" doc:"How far off the authority says it may be, such as 1s"`
	Authority string    `json:"authority,omitempty" doc:"Subject of the authority's certificate"`
	OK        bool      `json:"ok" doc:"It covers what it must and leads to a trusted time-stamping authority"`
	Why       string    `json:"why,omitempty" doc:"Why not ok: a stable word, a colon, a sentence"`
}

// Algorithms names what the signature was made with.
type Algorithms struct {
	Digest    string `json:"digest,omitempty" doc:"Such as SHA-256; absent where it is not known"`
	Signature string `json:"signature" doc:"Such as RSASSA-PKCS1-v1_5, or an object identifier"`
	Key       string `json:"key,omitempty" doc:"Such as RSA 2048"`
}

// SigningTime is a time of signing and what it rests on.
type SigningTime struct {
	At    time.Time `json:"at"`
	Proof string    `json:"proof" enum:"claimed,timestamp" doc:"claimed: the signer says so and nothing proves it; timestamp: a good time-stamp shows that the signature existed then"`
}

// Chain says whether the certificate leads to an anchor.
type Chain struct {
	OK           bool     `json:"ok" doc:"A valid path to a trust anchor at the instant; its status is in revocation"`
	Anchor       string   `json:"anchor,omitempty" doc:"Subject of the anchor"`
	AnchorSHA256 string   `json:"anchor_sha256,omitempty" doc:"Fingerprint of the anchor, for generations share a name"`
	Path         []string `json:"path" doc:"Subjects from the signer to the anchor, as far as the path came"`
	Reason       string   `json:"reason,omitempty" doc:"Why not ok: a stable word, a colon, a sentence"`
}

// Revocation says what is known of the certificate's status.
type Revocation struct {
	Status     cert.State               `json:"status" enum:"good,revoked,unknown,not_checked"`
	Source     string                   `json:"source,omitempty" doc:"ocsp, crl or none"`
	ThisUpdate *time.Time               `json:"this_update,omitempty"`
	NextUpdate *time.Time               `json:"next_update,omitempty"`
	RevokedAt  *time.Time               `json:"revoked_at,omitempty"`
	Reason     jitsuin.RevocationReason `json:"reason,omitempty"`
	Why        string                   `json:"why,omitempty" doc:"What is wrong when the status is unknown"`
}

// Check is one rule and its outcome.
type Check struct {
	What     string `json:"what" doc:"A stable word"`
	Expected string `json:"expected"`
	Got      string `json:"got"`
	OK       bool   `json:"ok"`
}

// Reason is one sentence for people, in both languages, with a stable word for programs.
type Reason struct {
	Code string `json:"code"`
	JA   string `json:"ja"`
	EN   string `json:"en"`
}

// Public returns a copy without what may not leave an accredited verifier: serial numbers.
func (r *Report) Public() *Report {
	c := *r
	c.Signatures = append([]Signature{}, r.Signatures...)
	for i := range c.Signatures {
		if s := c.Signatures[i].Signer; s != nil {
			open := *s
			open.Restricted = nil
			c.Signatures[i].Signer = &open
		}
		c.Signatures[i].Certificate = nil
	}
	return &c
}
