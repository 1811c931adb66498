package xades

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
)

// Profile says how a signature is written and what the signer states beside it.
type Profile struct {
	xmldsig.Profile           // Properties is filled in; without an ID the signature gets one
	SigningTime     time.Time // required
	First           bool      // names the certificate as version 1.3.2 and JIS X 5093 do, for readers that know no SigningCertificateV2
}

// defaultID is the Id of a signature that was given none.
const defaultID = "signature"

// Sign makes an XML signature with XAdES properties: XAdES-BES, baseline B-B. See xmldsig.Sign for the rest.
func Sign(document []byte, targets []xmldsig.Target, chain []*x509.Certificate, key crypto.Signer, p Profile) ([]byte, error) {
	if p.SigningTime.IsZero() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "xades-sign", "a signature needs its time")
	}
	if p.ID == "" {
		p.ID = defaultID
	}
	p.Profile.Properties = func(signer *x509.Certificate) (xml, id, kind string, err error) {
		id = p.ID + "-properties"
		return p.properties(signer, id, len(targets)), id, TypeSignedProperties, nil
	}
	return xmldsig.Sign(document, targets, chain, key, p.Profile)
}

// properties writes QualifyingProperties. The certificate is named by a SHA-256 digest.
func (p *Profile) properties(signer *x509.Certificate, id string, targets int) string {
	sum := sha256.Sum256(signer.Raw)
	name := "SigningCertificateV2"
	serial := ""
	if p.First {
		name = "SigningCertificate"
		serial = `<xades:IssuerSerial><ds:X509IssuerName>` + escape(signer.Issuer.String()) + `</ds:X509IssuerName><ds:X509SerialNumber>` + signer.SerialNumber.String() + `</ds:X509SerialNumber></xades:IssuerSerial>`
	}
	var b strings.Builder
	b.WriteString(`<xades:QualifyingProperties xmlns:xades="` + Namespace + `" xmlns:ds="` + xmldsig.Namespace + `" Target="#` + escape(p.ID) + `"><xades:SignedProperties Id="` + escape(id) + `">` +
		`<xades:SignedSignatureProperties><xades:SigningTime>` + p.SigningTime.UTC().Format("2006-01-02T15:04:05Z") + `</xades:SigningTime><xades:` + name + `><xades:Cert><xades:CertDigest>` +
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>` + base64.StdEncoding.EncodeToString(sum[:]) + `</ds:DigestValue></xades:CertDigest>` + serial +
		`</xades:Cert></xades:` + name + `></xades:SignedSignatureProperties>`)
	b.WriteString(`</xades:SignedProperties></xades:QualifyingProperties>`)
	return b.String()
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")

func escape(s string) string { return escaper.Replace(s) }

// stampHash is what time-stamps are asked for with.
const stampHash = crypto.SHA256

// AddTimestamp puts a time-stamp on the value of the signature with that Id: XAdES-T, baseline B-T. o has the
// files beside the document and the signer's certificate, where they are not inside.
func AddTimestamp(ctx context.Context, document []byte, id string, stamp cms.Timestamper, o xmldsig.Options) ([]byte, error) {
	return addStamp(ctx, document, id, Signature, stamp, o)
}

// AddArchive puts an archive time-stamp on the signature with that Id, over all that there is: XAdES-A, baseline
// B-LTA. It is added again before the one before it grows weak.
func AddArchive(ctx context.Context, document []byte, id string, stamp cms.Timestamper, o xmldsig.Options) ([]byte, error) {
	return addStamp(ctx, document, id, Archive, stamp, o)
}

// Evidence is what is kept with a signature so that it can be judged later. Lists and responses about
// certificates of the JPKI may be used for the check alone and are not to be passed on (Act art. 52).
type Evidence struct {
	Certificates []*x509.Certificate
	CRLs, OCSPs  [][]byte // DER
}

// AddEvidence puts evidence beside the signature with that Id: with a time-stamp before it, baseline B-LT.
func AddEvidence(document []byte, id string, e Evidence, o xmldsig.Options) ([]byte, error) {
	list := func(name string, all [][]byte) string {
		var b strings.Builder
		for _, der := range all {
			b.WriteString("<xades:" + name + ">" + base64.StdEncoding.EncodeToString(der) + "</xades:" + name + ">")
		}
		return b.String()
	}
	var certificates [][]byte
	for _, c := range e.Certificates {
		certificates = append(certificates, c.Raw)
	}
	xml := `<xades:CertificateValues xmlns:xades="` + Namespace + `">` + list("EncapsulatedX509Certificate", certificates) + `</xades:CertificateValues>`
	if len(e.CRLs)+len(e.OCSPs) > 0 {
		xml += `<xades:RevocationValues xmlns:xades="` + Namespace + `">`
		if len(e.CRLs) > 0 {
			xml += "<xades:CRLValues>" + list("EncapsulatedCRLValue", e.CRLs) + "</xades:CRLValues>"
		}
		if len(e.OCSPs) > 0 {
			xml += "<xades:OCSPValues>" + list("EncapsulatedOCSPValue", e.OCSPs) + "</xades:OCSPValues>"
		}
		xml += `</xades:RevocationValues>`
	}
	out, _, err := insert(document, id, xml, o)
	return out, err
}

// addStamp puts the property in without its token, finds what the token must cover with the reader's own
// eyes, and fills the token in.
func addStamp(ctx context.Context, document []byte, id string, kind Kind, stamp cms.Timestamper, o xmldsig.Options) ([]byte, error) {
	name, space := "xades:SignatureTimeStamp", `xmlns:xades="`+Namespace+`"`
	if kind == Archive {
		name, space = "xades141:ArchiveTimeStamp", space+` xmlns:xades141="`+Namespace141+`"`
	}
	const blank = `AA==`
	xml := "<" + name + " " + space + `><ds:CanonicalizationMethod xmlns:ds="` + xmldsig.Namespace + `" Algorithm="` + xmldsig.C14N + `"/><xades:EncapsulatedTimeStamp>`
	out, at, err := insert(document, id, xml+blank+"</xades:EncapsulatedTimeStamp></"+name+">", o)
	if err != nil {
		return nil, err
	}
	_, p, err := find(out, id, o)
	if err != nil {
		return nil, err
	}
	last := len(p.Stamps) - 1
	if last < 0 || p.Stamps[last].Kind != kind {
		return nil, jitsuin.Errorf(jitsuin.Internal, "xades-stamp", "the time-stamp is not where it was put")
	}
	sum := p.Stamps[last].Digest(stampHash)
	if sum == nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "xades-stamp", "what the time-stamp must cover is not at hand: %s", p.Stamps[last].Fault)
	}
	token, err := stamp(ctx, stampHash, sum)
	if err != nil {
		return nil, err
	}
	at += len(xml)
	return concat(out[:at], []byte(base64.StdEncoding.EncodeToString(token)), out[at+len(blank):]), nil
}

func concat(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// find reads a document's signature with that Id, and its properties. A signature that is not intact gets
// nothing added: it would only look better than it is.
func find(document []byte, id string, o xmldsig.Options) (*xmldsig.Document, *Properties, error) {
	d, err := xmldsig.Parse(document)
	if err != nil {
		return nil, nil, err
	}
	results := d.VerifyAll(o)
	for i, s := range d.Signatures {
		if s.ID != id {
			continue
		}
		p := Read(d, s, results[i], o)
		if p == nil || p.signed == xmltree.None {
			return nil, nil, jitsuin.Errorf(jitsuin.Invalid, "xades-properties", "the signature %q has no signed properties", id)
		}
		if !results[i].Intact() {
			return nil, nil, jitsuin.Errorf(jitsuin.Invalid, "xades-broken", "the signature %q is not intact, so nothing is added to it", id)
		}
		return d, p, nil
	}
	return nil, nil, jitsuin.Errorf(jitsuin.NotFound, "xades-signature", "the document has no signature with the Id %q", id)
}

// insert puts XML at the end of the unsigned properties, which are made where there are none. at is where it
// stands in out. The document must be in UTF-8.
func insert(document []byte, id, xml string, o xmldsig.Options) (out []byte, at int, err error) {
	d, p, err := find(document, id, o)
	if err != nil {
		return nil, 0, err
	}
	t := d.Tree
	if !t.UTF8() {
		return nil, 0, jitsuin.Errorf(jitsuin.Unsupported, "xades-encoding", "properties are added to documents in UTF-8 only")
	}
	source := t.Source()
	if p.unsigned == xmltree.None {
		_, end, _ := t.Inner(t.Parent(p.signed))
		before := `<xades:UnsignedProperties xmlns:xades="` + Namespace + `"><xades:UnsignedSignatureProperties>`
		return concat(source[:end], []byte(before+xml+`</xades:UnsignedSignatureProperties></xades:UnsignedProperties>`), source[end:]), end + len(before), nil
	}
	inner := t.FirstElement(p.unsigned)
	if inner == xmltree.None || p.version != Namespace || !t.Is(inner, Namespace, "UnsignedSignatureProperties") {
		return nil, 0, jitsuin.Errorf(jitsuin.Unsupported, "xades-properties", "the unsigned properties have a form to which nothing is added")
	}
	_, end, open := t.Inner(inner)
	if !open {
		return nil, 0, jitsuin.Errorf(jitsuin.Unsupported, "xades-properties", "the unsigned properties are empty")
	}
	return concat(source[:end], []byte(xml), source[end:]), end, nil
}
