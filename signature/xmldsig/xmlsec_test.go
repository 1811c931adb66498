package xmldsig

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// xmlsec1 takes a detached signature, its file given by the name in the URI.
func TestXmlsecAcceptsDetached(t *testing.T) {
	pki := signtest.New(t)
	root := signtest.WritePEM(t, "root.pem", pki.Root.Certificate)
	file := signtest.Write(t, "f.pdf", attachment.Content)
	plain := File{Name: "attached.pdf", Content: attachment.Content}
	for _, targets := range [][]Target{{{File: &plain}}, {{File: &plain}, {Document: true}}} {
		s := shape{name: "detached", targets: targets, p: Profile{Prefix: "ds"}}
		if len(targets) > 1 {
			s.document = form
		}
		path := signtest.Write(t, "signed.xml", s.make(t, pki.RSA))
		if out, err := signtest.Judge(t, "xmlsec1", "--verify", "--trusted-pem", root, "--url-map:attached.pdf", file, path); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// contents is a document that is spelt as no canonical form is.
const contents = `<?xml version="1.0"?>
<!-- before --><?go  on ?>
<r:a  xmlns:r='urn:r' xmlns="urn:d" xml:lang='ja' z="1"
   b='&lt;"&#9;&#10;'><b xmlns="" Id='b' r:y="2" x="1"><!-- within -->text &#x3042; <![CDATA[<c>]]><c xmlns="urn:d" xmlns:q="urn:q"/></b>
 <r:d xmlns:r="urn:r" q='&#xD;'>1 &gt; 0</r:d>%s</r:a>`

// What xmlsec1 signs verifies here, in every canonical form and with the transforms that both have; with another
// octet in the document it does not.
func TestWhatXmlsecSignsVerifies(t *testing.T) {
	pki := signtest.New(t)
	dir := t.TempDir()
	key := signtest.WriteKey(t, "key.pem", pki.RSA.Key) + "," + signtest.WritePEM(t, "cert.pem", pki.RSA.Certificate)
	var uris, transforms, names []string
	add := func(name, uri string, list ...string) {
		names, uris = append(names, name), append(uris, uri)
		transforms = append(transforms, strings.Join(list, ""))
	}
	env := transformTo(enveloped, "")
	for form := range canonicalForms {
		add("document "+form, "", env, transformTo(form, ""))
		add("element "+form, "#b", transformTo(form, ""))
		add("document by pointer "+form, "#xpointer(/)", env, transformTo(form, ""))
		add("element by pointer "+form, "#xpointer(id('b'))", transformTo(form, ""))
	}
	add("prefix list", "#b", transformTo(Exclusive, `<e:InclusiveNamespaces xmlns:e="`+Exclusive+`" PrefixList="r #default"/>`))
	add("no form", "#b")
	add("two forms", "", env, transformTo(C14N+"#"+withComments, ""), transformTo(Exclusive, ""))
	add("XPath", "", transformTo(xpathFilter, `<XPath xmlns:s="`+Namespace+`">not(ancestor-or-self::s:Signature)</XPath>`))
	add("XPath, an element left out", "", transformTo(xpathFilter, `<XPath xmlns:s="`+Namespace+`" xmlns:o="urn:r">not(ancestor-or-self::s:Signature or ancestor-or-self::o:d)</XPath>`))
	add("XPath, ancestors left out", "", transformTo(xpathFilter, `<XPath>ancestor-or-self::b</XPath>`), transformTo(C14N11, ""))
	add("XPath, ancestors left out, exclusive", "", transformTo(xpathFilter, `<XPath>ancestor-or-self::b</XPath>`), transformTo(Exclusive, ""))
	add("filter", "", transformTo(xpathFilter2, `<XPath xmlns="`+xpathFilter2+`" xmlns:s="`+Namespace+`" Filter="subtract">//s:Signature</XPath>`))
	add("filters", "", transformTo(xpathFilter2, `<XPath xmlns="`+xpathFilter2+`" xmlns:s="`+Namespace+`" Filter="intersect">//b</XPath><XPath xmlns="`+xpathFilter2+`" xmlns:o="urn:d" Filter="subtract">//o:c</XPath>`))
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			document := fmt.Sprintf(contents, strings.Replace(signatureOver(uris[i], "", transforms[i], ""), "<X509Certificate>CERT</X509Certificate>", "", 1))
			path, signed := filepath.Join(dir, fmt.Sprint(i, ".xml")), filepath.Join(dir, fmt.Sprint(i, "-signed.xml"))
			if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := signtest.Judge(t, "xmlsec1", "--sign", "--privkey-pem", key, "--id-attr:Id", "b", "--output", signed, path); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			theirs, err := os.ReadFile(signed)
			if err != nil {
				t.Fatal(err)
			}
			if got := verdict(t, theirs, Options{}); !strings.HasPrefix(got, "ok") {
				t.Errorf("%s\n%s", got, theirs)
			}
			if got := verdict(t, []byte(strings.Replace(string(theirs), "text ", "tex ", 1)), Options{}); got != "content" {
				t.Errorf("changed: %s", got)
			}
		})
	}
}
