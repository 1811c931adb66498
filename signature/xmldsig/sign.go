package xmldsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// File is a file beside the document. Its URI in the signature is the percent-encoded name, as
// e-Gov asks of attachments, and its octets are digested as they are.
type File struct {
	Name    string
	Content []byte
}

// Target is what a signature covers. Exactly one of its fields is set.
type Target struct {
	Document bool   // all of the document that the signature stands in, itself left out (enveloped)
	ID       string // the element with this Id in that document
	Object   []byte // XML that goes into the signature (enveloping): elements and text, well-formed
	File     *File  // (detached)
}

// Profile says how a signature is written. The zero value is that of e-Gov: inclusive canonical form,
// no prefix.
type Profile struct {
	Prefix    string    // of the namespace of signatures: "ds", "dsig", "" for none
	Exclusive bool      // exclusive canonical form
	ID        string    // Id of the signature, "" for none
	Where     string    // Id of the element that the signature is put in, as its last child; "" for the document element
	Random    io.Reader // for the key; nil: crypto/rand

	// Properties make a further ds:Object, which is signed as well (XAdES): the XML, the Id of the
	// element in it that is digested, and the type of the reference. nil for none.
	Properties func(signer *x509.Certificate) (xml, id, kind string, err error)
}

// Sign makes a signature over targets with key, whose certificate is the first of chain; all of chain
// goes into KeyInfo. document is the one that the signature is put in, nil for a signature that is a document
// of its own. The digest is SHA-384 for P-384 and SHA-256 otherwise; nothing is ever made with SHA-1.
func Sign(document []byte, targets []Target, chain []*x509.Certificate, key crypto.Signer, p Profile) ([]byte, error) {
	if len(chain) == 0 || len(targets) == 0 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "xml-sign", "a signature needs a certificate and something to sign")
	}
	m := &maker{p: p, chain: chain, key: key, targets: targets}
	if err := m.algorithm(); err != nil {
		return nil, err
	}
	skeleton, err := m.skeleton()
	if err != nil {
		return nil, err
	}
	whole, err := putIn(document, skeleton, p.Where)
	if err != nil {
		return nil, err
	}
	signed, err := m.fill(whole)
	if err != nil {
		return nil, err
	}
	return m.checked(signed)
}

// maker makes one signature: first with blanks in place of digests and value, then these are filled in
// where the reader of this package finds them, so what is signed is what is read.
type maker struct {
	p       Profile
	targets []Target
	chain   []*x509.Certificate
	key     crypto.Signer
	hash    crypto.Hash
	digest  string // identifiers
	method  string
	made    []byte // the value
}

// algorithm chooses the suite by the key.
func (m *maker) algorithm() error {
	m.hash, m.digest = crypto.SHA256, xmlenc+"sha256"
	switch k := m.key.Public().(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSA {
			return jitsuin.Errorf(jitsuin.Invalid, "xml-sign-key", "an RSA key of %d bits is too short to sign with", k.N.BitLen())
		}
		m.method = more2001 + "rsa-sha256"
	case *ecdsa.PublicKey:
		m.method = more2001 + "ecdsa-sha256"
		if k.Curve == elliptic.P384() {
			m.hash, m.digest, m.method = crypto.SHA384, more2001+"sha384", more2001+"ecdsa-sha384"
		} else if k.Curve != elliptic.P256() {
			return jitsuin.Errorf(jitsuin.Unsupported, "xml-sign-key", "no signature is made with the curve %s", k.Params().Name)
		}
	default:
		return jitsuin.Errorf(jitsuin.Unsupported, "xml-sign-key", "no XML signature is made with a key of this type")
	}
	if public, ok := m.key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(m.chain[0].PublicKey) {
		return jitsuin.Errorf(jitsuin.Invalid, "xml-sign-key", "the key is not that of the certificate")
	}
	return nil
}

// writer writes elements of the namespace of signatures.
type writer struct {
	strings.Builder
	prefix string
}

func (w *writer) open(name string, attributes ...string) {
	w.WriteString("<" + w.prefix + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		if attributes[i+1] != "" || attributes[i] == "URI" {
			w.WriteString(" " + attributes[i] + `="` + escape(attributes[i+1]) + `"`)
		}
	}
	w.WriteString(">")
}

func (w *writer) close(name string) { w.WriteString("</" + w.prefix + name + ">") }

func (w *writer) leaf(name, attribute, value string) {
	w.open(name, attribute, value)
	w.close(name)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")

func escape(s string) string { return escaper.Replace(s) }

// skeleton writes the signature with blanks.
func (m *maker) skeleton() ([]byte, error) {
	w := &writer{}
	declaration := "xmlns"
	if m.p.Prefix != "" {
		w.prefix, declaration = m.p.Prefix+":", "xmlns:"+m.p.Prefix
	}
	form := C14N
	if m.p.Exclusive {
		form = Exclusive
	}
	w.open("Signature", declaration, Namespace, "Id", m.p.ID)
	w.open("SignedInfo")
	w.leaf("CanonicalizationMethod", "Algorithm", form)
	w.leaf("SignatureMethod", "Algorithm", m.method)
	objects := &writer{prefix: w.prefix}
	for i, t := range m.targets {
		if err := m.reference(w, objects, t, form, i); err != nil {
			return nil, err
		}
	}
	if m.p.Properties != nil {
		xml, id, kind, err := m.p.Properties(m.chain[0])
		if err != nil {
			return nil, err
		}
		m.digested(w, "#"+id, kind, form)
		objects.open("Object")
		objects.WriteString(xml)
		objects.close("Object")
	}
	w.close("SignedInfo")
	w.leaf("SignatureValue", "", "")
	w.open("KeyInfo")
	w.open("X509Data")
	for _, c := range m.chain {
		w.open("X509Certificate")
		w.WriteString(base64.StdEncoding.EncodeToString(c.Raw))
		w.close("X509Certificate")
	}
	w.close("X509Data")
	w.close("KeyInfo")
	w.WriteString(objects.String())
	w.close("Signature")
	return []byte(w.String()), nil
}

// reference writes the reference to a target, and the object that it may need.
func (m *maker) reference(w, objects *writer, t Target, form string, i int) error {
	switch {
	case t.Document:
		m.digested(w, "", "", enveloped, form)
	case t.ID != "" && t.ID == m.p.Where:
		m.digested(w, "#"+t.ID, "", enveloped, form)
	case t.ID != "":
		m.digested(w, "#"+t.ID, "", form)
	case t.File != nil:
		m.digested(w, url.PathEscape(t.File.Name), "")
	case t.Object != nil:
		if _, err := xmltree.Parse(slices.Concat([]byte("<o>"), t.Object, []byte("</o>"))); err != nil {
			return jitsuin.Errorf(jitsuin.Invalid, "xml-sign-object", "what is to be put in the signature: %w", err)
		}
		id := "object-" + string(rune('a'+i))
		if m.p.ID != "" {
			id = m.p.ID + "-" + id
		}
		m.digested(w, "#"+id, TypeObject, form)
		objects.open("Object", "Id", id)
		objects.Write(t.Object)
		objects.close("Object")
	default:
		return jitsuin.Errorf(jitsuin.Invalid, "xml-sign", "a target that says nothing")
	}
	return nil
}

// digested writes a reference with a blank digest.
func (m *maker) digested(w *writer, uri, kind string, transforms ...string) {
	w.open("Reference", "URI", uri, "Type", kind)
	if len(transforms) > 0 {
		w.open("Transforms")
		for _, t := range transforms {
			w.leaf("Transform", "Algorithm", t)
		}
		w.close("Transforms")
	}
	w.leaf("DigestMethod", "Algorithm", m.digest)
	w.leaf("DigestValue", "", "")
	w.close("Reference")
}

// putIn puts the signature in the document, as the last child of an element.
func putIn(document, signature []byte, where string) ([]byte, error) {
	if document == nil {
		return signature, nil
	}
	d, err := Parse(document)
	if err != nil {
		return nil, err
	}
	at := d.Tree.Root()
	if where != "" {
		if at, err = d.ByID(where); err != nil {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "xml-sign-place", "the place for the signature: %w", err)
		}
	}
	document = d.Tree.Source() // without what the encoding adds
	if !d.Tree.UTF8() {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "xml-sign-encoding", "documents are signed in UTF-8 only")
	}
	begin, end, open := d.Tree.Inner(at)
	if !open { // <a/> becomes <a>…</a>
		tag := strings.TrimRight(strings.TrimSuffix(string(document[begin:end]), "/>"), " \t\r\n")
		prefix, local := d.Tree.Name(at)
		name := string(local)
		if len(prefix) > 0 {
			name = string(prefix) + ":" + name
		}
		return slices.Concat(document[:begin], []byte(tag+">"), signature, []byte("</"+name+">"), document[end:]), nil
	}
	return slices.Concat(document[:end], signature, document[end:]), nil
}
