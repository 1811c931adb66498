package xmldsig

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 read in old documents; never makes a signature pass
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// Bounds on what is taken from KeyInfo.
const (
	maxCertificates = 32
	maxKeys         = 4
	maxRetrievals   = 4 // references that lead from one KeyInfo to others
)

// wsse is the namespace of tokens that hold certificates in Web Services Security.
const wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

// keyInfo is what a KeyInfo offers (XMLDSig 1.1 §4.5).
type keyInfo struct {
	certificates []*x509.Certificate
	values       []*x509.Certificate // that XAdES keeps, where KeyInfo has none
	unread       int                 // certificates that cannot be read
	keys         []any
	names        []string // how the signer is named beside, for people
	retrievals   int
}

// readKeyInfo gathers certificates and keys, those among them that a reference within the document leads to.
func (v *verification) readKeyInfo(s *Signature) *keyInfo {
	k := &keyInfo{}
	if s.KeyInfo != xmltree.None {
		v.gather(k, s.KeyInfo)
	}
	if len(k.certificates) == 0 {
		k.values = v.certificateValues(s)
	}
	return k
}

// certificateValues gives the certificates that XAdES keeps in the signature: for one whose KeyInfo has none.
func (v *verification) certificateValues(s *Signature) []*x509.Certificate {
	t, found := v.d.Tree, &keyInfo{}
	for n := s.Node; n < t.End(s.Node); n++ {
		if t.Kind(n) != xmltree.Element || len(found.certificates) >= maxCertificates {
			continue
		}
		if _, local := t.Name(n); string(local) == "EncapsulatedX509Certificate" && strings.HasPrefix(t.Space(n), etsi) {
			if der, ok := v.d.base64(n); ok {
				found.addCertificate(der)
			}
		}
	}
	return found.certificates
}

func (v *verification) gather(k *keyInfo, n xmltree.ID) {
	t := v.d.Tree
	for c := t.FirstElement(n); c != xmltree.None; c = t.NextElement(c) {
		switch {
		case t.Is(c, Namespace, "X509Data"):
			v.gatherX509(k, c)
		case t.Is(c, Namespace, "KeyValue"):
			k.addKey(v.d.keyValue(t.FirstElement(c)))
		case t.Is(c, namespace11, "DEREncodedKeyValue"):
			if der, ok := v.d.base64(c); ok {
				key, _ := ParseKey(der)
				k.addKey(key)
			}
		case t.Is(c, Namespace, "RetrievalMethod"), t.Is(c, namespace11, "KeyInfoReference"):
			v.retrieve(k, c)
		case t.Is(c, wsse, "SecurityTokenReference"):
			v.retrieveToken(k, c)
		case t.Is(c, Namespace, "KeyName"):
			if text, ok := t.Content(c); ok {
				k.names = append(k.names, "key name "+clip(strings.TrimSpace(string(text))))
			}
		}
	}
}

func (k *keyInfo) addKey(key any) {
	if key != nil && len(k.keys) < maxKeys {
		k.keys = append(k.keys, key)
	}
}

func (v *verification) gatherX509(k *keyInfo, n xmltree.ID) {
	t := v.d.Tree
	for c := t.FirstElement(n); c != xmltree.None; c = t.NextElement(c) {
		switch {
		case t.Is(c, Namespace, "X509Certificate"):
			der, ok := v.d.base64(c)
			if !ok {
				k.unread++
				continue
			}
			k.addCertificate(der)
		case t.Is(c, Namespace, "X509IssuerSerial"):
			k.names = append(k.names, "issuer and serial number")
		case t.Is(c, Namespace, "X509SKI"):
			k.names = append(k.names, "subject key identifier")
		case t.Is(c, Namespace, "X509SubjectName"):
			k.names = append(k.names, "subject name")
		case t.Is(c, namespace11, "X509Digest"):
			k.names = append(k.names, "digest of the certificate")
		}
	}
}

func (k *keyInfo) addCertificate(der []byte) {
	c, err := x509.ParseCertificate(der)
	if err != nil || len(k.certificates) >= maxCertificates {
		k.unread++
		k.addKey(KeyInside(der))
		return
	}
	k.certificates = append(k.certificates, c)
}

// KeyInside gives the key of a certificate that is not well-formed otherwise, nil where there is none: it may tell
// that the document is unchanged, and nothing of the signer.
func KeyInside(der []byte) crypto.PublicKey {
	in := cryptobyte.String(der)
	var certificate, tbs, key cryptobyte.String
	if !in.ReadASN1(&certificate, cbasn1.SEQUENCE) || !certificate.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(cbasn1.Tag(0).ContextSpecific().Constructed()) || !tbs.SkipASN1(cbasn1.INTEGER) {
		return nil
	}
	for range 4 { // algorithm, issuer, validity, subject
		if !tbs.SkipASN1(cbasn1.SEQUENCE) {
			return nil
		}
	}
	if !tbs.ReadASN1Element(&key, cbasn1.SEQUENCE) {
		return nil
	}
	public, _ := ParseKey(key)
	return public
}

// retrieve follows a RetrievalMethod or KeyInfoReference to an element of the document or a certificate that
// was given by name (XMLDSig 1.1 §4.5.3, §4.5.10).
func (v *verification) retrieve(k *keyInfo, n xmltree.ID) {
	t := v.d.Tree
	if k.retrievals++; k.retrievals > maxRetrievals || t.Is(t.FirstElement(n), Namespace, "Transforms") && !v.plainRetrieval(n) {
		return
	}
	uri, _ := t.Attribute(n, "", "URI")
	kind, _ := t.Attribute(n, "", "Type")
	if !strings.HasPrefix(uri, "#") {
		if content, ok := v.content(uri); ok && kind == Namespace+"rawX509Certificate" {
			k.addCertificate(content)
		}
		return
	}
	at, _, err := v.d.locate(uri)
	if err != nil {
		return
	}
	switch {
	case t.Is(at, Namespace, "KeyInfo"):
		v.gather(k, at)
	case t.Is(at, Namespace, "X509Data"):
		v.gatherX509(k, at)
	case t.Is(at, Namespace, "KeyValue"):
		k.addKey(v.d.keyValue(t.FirstElement(at)))
	case t.Is(at, namespace11, "DEREncodedKeyValue"):
		if der, ok := v.d.base64(at); ok {
			key, _ := ParseKey(der)
			k.addKey(key)
		}
	case t.Is(at, Namespace, "RSAKeyValue"), t.Is(at, Namespace, "DSAKeyValue"), t.Is(at, namespace11, "ECKeyValue"), t.Is(at, more2001, "ECDSAKeyValue"):
		k.addKey(v.d.keyValue(at))
	}
}

// plainRetrieval tells whether a RetrievalMethod has no transforms but canonical forms and filters, which pick a
// part of what it points at: nothing rests on which, for the key is judged by the signature value.
func (v *verification) plainRetrieval(n xmltree.ID) bool {
	t := v.d.Tree
	for c := t.FirstElement(t.FirstElement(n)); c != xmltree.None; c = t.NextElement(c) {
		uri, _ := t.Attribute(c, "", "Algorithm")
		if _, canonical := Canonicalization(uri); !canonical && uri != xpathFilter && uri != xpathFilter2 {
			return false
		}
	}
	return true
}

// retrieveToken follows a SecurityTokenReference to a binary token in the document (WSS X.509 profile §3.2).
func (v *verification) retrieveToken(k *keyInfo, n xmltree.ID) {
	t := v.d.Tree
	c := t.FirstElement(n)
	if k.retrievals++; k.retrievals > maxRetrievals || !t.Is(c, wsse, "Reference") {
		return
	}
	uri, _ := t.Attribute(c, "", "URI")
	if at, _, err := v.d.locate(uri); err == nil && t.Is(at, wsse, "BinarySecurityToken") {
		if der, ok := v.d.base64(at); ok {
			k.addCertificate(der)
		}
	}
}

// keyValue reads RSAKeyValue, DSAKeyValue or ECKeyValue, nil where it cannot be read.
func (d *Document) keyValue(n xmltree.ID) any {
	t := d.Tree
	switch {
	case t.Is(n, Namespace, "RSAKeyValue"):
		modulus := t.FirstElement(n)
		exponent := t.NextElement(modulus)
		if !t.Is(modulus, Namespace, "Modulus") || !t.Is(exponent, Namespace, "Exponent") {
			return nil
		}
		N, e := d.number(modulus), d.number(exponent)
		if N == nil || e == nil || !e.IsInt64() || e.Int64() > 1<<31-1 || e.Int64() < 3 {
			return nil
		}
		return &rsa.PublicKey{N: N, E: int(e.Int64())}
	case t.Is(n, Namespace, "DSAKeyValue"):
		return d.dsaKeyValue(n)
	case t.Is(n, namespace11, "ECKeyValue"):
		return d.ecKeyValue(n)
	case t.Is(n, more2001, "ECDSAKeyValue"):
		return d.ecdsaKeyValue(n)
	}
	return nil
}

// ecdsaKeyValue reads the older form (RFC 4050 §3), of which named curves are provided.
func (d *Document) ecdsaKeyValue(n xmltree.ID) any {
	t := d.Tree
	domain := t.FirstElement(n)
	named, point := t.FirstElement(domain), t.NextElement(domain)
	x := t.FirstElement(point)
	y := t.NextElement(x)
	if !t.Is(named, more2001, "NamedCurve") || !t.Is(x, more2001, "X") || !t.Is(y, more2001, "Y") {
		return nil
	}
	urn, _ := t.Attribute(named, "", "URN")
	curve := curves[urn]
	if curve == nil {
		return nil
	}
	octets := []byte{4}
	for _, c := range []xmltree.ID{x, y} {
		text, _ := t.Attribute(c, "", "Value")
		size := (curve.Params().BitSize + 7) / 8
		if len(text) > 3*size {
			return nil
		}
		value, ok := new(big.Int).SetString(text, 10)
		if !ok || value.Sign() < 0 || value.BitLen() > 8*size {
			return nil
		}
		octets = append(octets, value.FillBytes(make([]byte, size))...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, octets)
	if err != nil {
		return nil
	}
	return key
}

func (d *Document) dsaKeyValue(n xmltree.ID) any {
	key := &dsa.PublicKey{}
	for c := d.Tree.FirstElement(n); c != xmltree.None; c = d.Tree.NextElement(c) {
		_, local := d.Tree.Name(c)
		switch string(local) {
		case "P":
			key.P = d.number(c)
		case "Q":
			key.Q = d.number(c)
		case "G":
			key.G = d.number(c)
		case "Y":
			key.Y = d.number(c)
		}
	}
	if key.P == nil || key.Q == nil || key.G == nil || key.Y == nil || !soundDSA(key) {
		return nil
	}
	return key
}

// curves are the named curves by their URNs.
var curves = map[string]elliptic.Curve{
	"urn:oid:1.3.132.0.33": elliptic.P224(), "urn:oid:1.2.840.10045.3.1.7": elliptic.P256(),
	"urn:oid:1.3.132.0.34": elliptic.P384(), "urn:oid:1.3.132.0.35": elliptic.P521(),
}

func (d *Document) ecKeyValue(n xmltree.ID) any {
	t := d.Tree
	named := t.FirstElement(n)
	point := t.NextElement(named)
	if !t.Is(named, namespace11, "NamedCurve") || !t.Is(point, namespace11, "PublicKey") {
		return nil
	}
	uri, _ := t.Attribute(named, "", "URI")
	octets, ok := d.base64(point)
	curve := curves[uri]
	if !ok || curve == nil {
		return nil
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, octets)
	if err != nil {
		return nil
	}
	return key
}
