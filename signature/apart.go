package signature

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/jws"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
)

// Apart gives the first signature of a file as it is kept where its document lies elsewhere: a CMS
// without its content, a JWS without its payload, the value in a PDF's signature dictionary (a CMS
// over the dictionary's byte range), the element of an XML signature, a time-stamp as it is. Together
// with the document it still verifies. It fails with kind Unsupported where the two cannot be told apart.
func Apart(raw []byte, f Format) ([]byte, error) {
	if f == "" {
		f = FormatOf(raw)
	}
	switch f.Family() {
	case FormatCMS:
		sd, err := cms.Parse(raw)
		if err != nil || !sd.Embedded {
			return raw, err
		}
		return withoutContent(raw)
	case FormatJWS:
		return jws.Detach(raw)
	case FormatPDF:
		return pdfApart(raw)
	case FormatXMLDSig:
		return xmlApart(raw)
	}
	return raw, nil
}

var errNoneApart = jitsuin.Errorf(jitsuin.Unsupported, "signature-apart", "there is no signature that could be kept apart from its document")

func pdfApart(raw []byte) ([]byte, error) {
	d, err := pdf.Read(raw)
	if err != nil {
		return nil, err
	}
	all, err := d.Signatures()
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if !s.Stamped && s.Contents != nil {
			return s.Contents, nil
		}
	}
	return nil, errNoneApart
}

func xmlApart(raw []byte) ([]byte, error) {
	d, err := xmldsig.Parse(raw)
	if err != nil {
		return nil, err
	}
	if len(d.Signatures) == 0 {
		return nil, errNoneApart
	}
	from, to := d.Tree.Span(d.Signatures[0].Node)
	return bytes.Clone(d.Tree.Source()[from:to]), nil
}

// withoutContent cuts the content out of a SignedData. Only DER is cut.
func withoutContent(der []byte) ([]byte, error) {
	notDER := jitsuin.Errorf(jitsuin.Unsupported, "embedded-ber", "a signature that embeds its document must be DER").
		WithHint("sign detached, or encode with definite lengths").At("signature")
	in := cryptobyte.String(der)
	var info, oid, wrapped, signed cryptobyte.String
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !in.Empty() || !info.ReadASN1Element(&oid, cbasn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&wrapped, explicit0) || !wrapped.ReadASN1(&signed, cbasn1.SEQUENCE) {
		return nil, notDER
	}
	var version, algorithms, encap, contentType cryptobyte.String
	if !signed.ReadASN1Element(&version, cbasn1.INTEGER) || !signed.ReadASN1Element(&algorithms, cbasn1.SET) ||
		!signed.ReadASN1(&encap, cbasn1.SEQUENCE) || !encap.ReadASN1Element(&contentType, cbasn1.OBJECT_IDENTIFIER) {
		return nil, notDER
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(oid)
		b.AddASN1(explicit0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(version)
				b.AddBytes(algorithms)
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(contentType) })
				b.AddBytes(signed) // certificates, lists and signers as they came
			})
		})
	})
	return b.Bytes()
}

var explicit0 = cbasn1.Tag(0).ContextSpecific().Constructed()
