package xmldsig

import (
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// assertion is signed as SAML says: the signature is its child and covers it.
func signedAssertion(t testing.TB) (signature, whole, bare string) {
	t.Helper()
	who := signtest.New(t).RSA
	doc := `<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="r"><a:Assertion ID="a"><a:NameID>hanako</a:NameID></a:Assertion></p:Response>`
	out, err := Sign([]byte(doc), []Target{{ID: "a"}}, []*x509.Certificate{who.Certificate}, who.Key, Profile{Prefix: "ds", Exclusive: true, Where: "a"})
	if err != nil {
		t.Fatal(err)
	}
	s := string(out)
	from, to := strings.Index(s, "<ds:Signature "), strings.Index(s, "</ds:Signature>")+len("</ds:Signature>")
	begin, end := strings.Index(s, "<a:Assertion"), strings.Index(s, "</a:Assertion>")+len("</a:Assertion>")
	return s[from:to], s[begin:end], s[begin:from] + s[to:end]
}

func response(inside string) string {
	return `<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="r">` + inside + `</p:Response>`
}

// The attacks of "On Breaking SAML: Be Whoever You Want to Be" (XSW 1 to 8) and their relatives: the signed
// assertion is kept where the reference finds it, and another one is put where the program looks.
func TestWrappingInSAMLIsRefused(t *testing.T) {
	sig, whole, bare := signedAssertion(t)
	evil := func(inside string) string {
		return `<a:Assertion ID="e"><a:NameID>admin</a:NameID>` + inside + `</a:Assertion>`
	}
	intoObject := func(s, object string) string {
		return strings.Replace(s, "</ds:Signature>", "<ds:Object>"+object+"</ds:Object></ds:Signature>", 1)
	}
	if got := verdict(t, []byte(response(whole)), Options{}); got != "ok, part" {
		t.Fatalf("the signed one: %s", got)
	}
	same := strings.Replace(evil(""), `ID="e"`, `ID="a"`, 1)
	for name, document := range map[string]string{
		"XSW1: the original inside the signature of an evil message": strings.Replace(response(evil(intoObject(sig, bare))), `ID="r"`, `ID="x"`, 1),
		"XSW2: the original beside the signature":                    response(evil("") + sig + bare),
		"XSW3: an evil one before":                                   response(evil("") + whole),
		"XSW4: an evil one around":                                   response(evil(whole)),
		"XSW5: the signature moved to an evil one":                   response(evil(sig) + bare),
		"XSW6: the original in the signature of an evil one":         response(evil(intoObject(sig, bare))),
		"XSW7: an evil one in an extension":                          response(`<p:Extensions>` + same + `</p:Extensions>` + whole),
		"XSW8: the original in an object":                            response(evil(strings.Replace(sig, "</ds:Signature>", "<ds:Object>"+bare+"</ds:Object></ds:Signature>", 1)) + `<p:Status/>`),
		"an evil one behind":                                         response(whole + evil("")),
		"an evil one with the same Id":                               response(same + whole),
		"an evil one with the Id by another attribute":               response(strings.Replace(same, ` ID=`, ` Id=`, 1) + whole),
		"an evil one with xml:id":                                    response(strings.Replace(same, ` ID=`, ` xml:id=`, 1) + whole),
		"an evil one with AssertionID":                               response(strings.Replace(same, ` ID=`, ` AssertionID=`, 1) + whole),
		"the original deep inside":                                   response(`<p:Status><p:StatusDetail>` + whole + `</p:StatusDetail></p:Status>` + evil("")),
		"the signature by itself in the message":                     response(sig + bare),
		"the signature in a status":                                  response(`<p:Status>` + sig + `</p:Status>` + bare),
	} {
		t.Run(name, func(t *testing.T) {
			if got := verdict(t, []byte(document), Options{}); strings.HasPrefix(got, "ok") {
				t.Errorf("%s\n%s", got, document)
			}
		})
	}
}

// Outside of SAML a moved element is found by its place.
func TestWrappingElsewhere(t *testing.T) {
	signed := string(shapes()[2].make(t, signtest.New(t).RSA))
	from, to := strings.Index(signed, "<構成管理情報"), strings.Index(signed, "</構成管理情報>")+len("</構成管理情報>")
	original := signed[from:to]
	evil := `<構成管理情報 Id="x"><様式>転出届</様式></構成管理情報>`
	at := func(here, else1 string) string { // here: in the original's place
		return strings.Replace(signed[:from]+here+signed[to:], "<署名情報", else1+"<署名情報", 1)
	}
	inHead := strings.Replace(signed, "<DataRoot ", `<DataRoot x="1" `, 1)
	for name, c := range map[string]struct{ document, want string }{
		"as it was":                             {signed, "ok, part"},
		"an attribute of what is not signed":    {inHead, "ok, part"},
		"moved deeper, another in its place":    {at(evil, `<添付 xmlns="urn:x-mihon:form">`+original+`</添付>`), "ambiguous"},
		"moved into another of its name":        {at(`<構成管理情報>`+original+`</構成管理情報>`, ""), "ambiguous"},
		"moved with another namespace":          {at(evil, `<添付 xmlns="urn:other">`+original+`</添付>`), "content"},
		"twice with one Id":                     {at(original+original, ""), "ambiguous"},
		"another element with that Id":          {at(original, `<添付 id="構成情報"/>`), "ambiguous"},
		"another Id that is a reference":        {strings.Replace(signed, `Id="構成情報"`, `Id="&#x69CB;成情報"`, 1), "ok, part"},
		"gone":                                  {at("", ""), "content"},
		"the Id at another element":             {at(strings.Replace(original, ` Id="構成情報"`, "", 1), `<添付 Id="構成情報"/>`), "content"},
		"moved into an object of the signature": {strings.Replace(at(evil, ""), "</dsig:Signature>", `<dsig:Object>`+original+`</dsig:Object></dsig:Signature>`, 1), "content"}, // another namespace in scope
	} {
		t.Run(name, func(t *testing.T) {
			if got := verdict(t, []byte(c.document), Options{Content: withAttachment}); got != c.want {
				t.Errorf("%s, not %s\n%s", got, c.want, c.document)
			}
		})
	}
}

// An object is a part of its signature, and nowhere else.
func TestObjectsElsewhereAreRefused(t *testing.T) {
	signed := string(shapes()[4].make(t, signtest.New(t).RSA))
	from, to := strings.Index(signed, "<ds:Object"), strings.Index(signed, "</ds:Object>")+len("</ds:Object>")
	object := signed[from:to]
	for name, c := range map[string]struct{ by, want string }{
		"as it was":             {object, "ok"},
		"beside an evil one":    {`<ds:Object>evil</ds:Object>` + object, "ok, part"},
		"inside an evil one":    {`<ds:Object><x>` + object + `</x></ds:Object>`, "ambiguous"},
		"inside one of its own": {`<ds:Object>` + object + `</ds:Object>`, "ambiguous"},
		"twice":                 {object + object, "ambiguous"},
		"without its Id":        {strings.Replace(object, ` Id="object-a"`, "", 1), "content"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := verdict(t, []byte(signed[:from]+c.by+signed[to:]), Options{}); got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

// What a signer may have been made to sign: transforms that leave things out are told, or refused.
func TestTransformsThatLeaveThingsOut(t *testing.T) {
	const doc = `<a xmlns:q="urn:q"><q:b Id="b">one<c k="1">two</c></q:b><d Id="d">AAAA</d>%s</a>`
	xp := func(e string) string {
		return transformTo(xpathFilter, `<XPath xmlns:s="`+Namespace+`" xmlns:q="urn:q">`+e+`</XPath>`)
	}
	f2 := func(pairs ...string) string {
		inside := ""
		for i := 0; i < len(pairs); i += 2 {
			inside += `<XPath xmlns="` + xpathFilter2 + `" xmlns:s="` + Namespace + `" xmlns:q="urn:q" Filter="` + pairs[i] + `">` + pairs[i+1] + `</XPath>`
		}
		return transformTo(xpathFilter2, inside)
	}
	env := transformTo(enveloped, "")
	for name, c := range map[string]struct{ uri, transforms, want string }{
		"enveloped":                          {"", env, "ok"},
		"all signatures left out":            {"", xp("not(ancestor-or-self::s:Signature)"), "ok"},
		"the same, written otherwise":        {"", xp("not( ancestor-or-self :: s:Signature )"), "ok"},
		"the enveloping signature by here()": {"", xp("count(ancestor-or-self::s:Signature | here()/ancestor::s:Signature[1]) &gt; count(ancestor-or-self::s:Signature)"), "ok"},
		"signatures subtracted":              {"", f2("subtract", "//s:Signature"), "ok"},
		"signatures subtracted by name":      {"", f2("subtract", "/descendant::*[name()='Signature']"), "ok"},
		"all, less signatures":               {"", f2("intersect", "/", "subtract", "here()/ancestor::s:Signature[1]"), "ok"},
		"an element left out":                {"", env + xp("not(ancestor-or-self::d)"), "ok, part"},
		"one element kept":                   {"", env + xp("ancestor-or-self::q:b"), "ok, part"},
		"a child left out":                   {"", env + f2("subtract", "//c"), "ok, part"},
		"one element intersected":            {"", f2("intersect", "//d"), "ok, part"},
		"one united with nothing":            {"", env + f2("intersect", "//nothing", "union", "id('d')"), "ok, part"},
		"nothing kept":                       {"", env + xp("ancestor-or-self::nothing"), "ambiguous"},
		"nothing kept, by false()":           {"", env + xp("false()"), "ambiguous"},
		"all subtracted":                     {"", env + f2("subtract", "/"), "ambiguous"},
		"text by base64":                     {"#d", transformTo(base64Decoding, ""), "ok, part"},
		"a form, then another":               {"", env + transformTo(C14N, "") + transformTo(Exclusive, ""), "ok, part"},
		"one element":                        {"#b", "", "ok, part"},
		"one element by pointer":             {"#xpointer(id('b'))", "", "ok, part"},
		"the document by pointer":            {"#xpointer(/)", env, "ok"},
		"attributes told apart":              {"", env + xp("not(self::c)"), "unsupported"},
		"attributes kept out":                {"", env + xp("not(@k)"), "unsupported"},
		"a pointer to a range":               {"#xpointer(//b)", "", "unsupported"},
		"an expression that is none":         {"", env + xp("not(("), "unsupported"},
		"a prefix that is not declared":      {"", env + xp("not(ancestor-or-self::ds:Signature)"), "unsupported"},
		"a filter that is none":              {"", env + f2("except", "//c"), "format"},
		"a transform without its expression": {"", env + transformTo(xpathFilter, ""), "format"},
		"text that is no base64":             {"#b", transformTo(base64Decoding, ""), "content"},
		"XSLT":                               {"", env + transformTo("http://www.w3.org/TR/1999/REC-xslt-19991116", `<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"/>`), "unsupported"},
	} {
		t.Run(name, func(t *testing.T) {
			document := fmt.Sprintf(doc, signatureOver(c.uri, "", c.transforms, ""))
			var signed []byte
			if strings.HasPrefix(c.want, "ok") {
				signed = template(t, document)
			} else {
				signed = []byte(strings.Replace(strings.Replace(document, "<DigestValue>", "<DigestValue>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", 1), "<SignatureValue>", "<SignatureValue>AAAA", 1))
			}
			got := faultOfReference(t, signed)
			if strings.HasPrefix(c.want, "ok") {
				got = verdict(t, signed, Options{})
			}
			if got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

// faultOfReference gives the fault of the first reference, whoever signed.
func faultOfReference(t testing.TB, document []byte) string {
	t.Helper()
	d, err := Parse(document)
	if err != nil {
		return err.Error()
	}
	r := d.VerifyAll(Options{})
	if len(r) == 0 || len(r[0].References) == 0 {
		return "no reference"
	}
	return string(r[0].References[0].Fault)
}

// A manifest is judged, and never makes anything good by itself.
func TestManifests(t *testing.T) {
	const digest = "<DigestMethod Algorithm=\"" + xmlenc + "sha256\"/><DigestValue>%s</DigestValue>"
	const right, wrong = "A6kRp0LAqjRXYiOK7yTNYwmTfKPqWSHnPI8qtWhKEgg=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	file := func(uri string) ([]byte, bool) { return []byte("manifest me\n"), uri == "f.txt" }
	for name, c := range map[string]struct {
		uri, digest string
		o           Options
		signed      bool
		want        string
	}{
		"of a file that is there":       {"f.txt", digestOfText("manifest me\n"), Options{Content: file}, true, "ok"},
		"of a file that is another":     {"f.txt", wrong, Options{Content: file}, true, "content"},
		"of a file that is not there":   {"f.txt", digestOfText("manifest me\n"), Options{}, true, "ok, part"},
		"of an element that is another": {"#d", wrong, Options{}, true, "content"},
		"of an element that is not":     {"#nothing", wrong, Options{}, true, "content"},
		"of itself":                     {"#m", wrong, Options{}, true, "content"},
		"that nobody signed":            {"f.txt", wrong, Options{Content: file}, false, "ok, part"},
	} {
		t.Run(name, func(t *testing.T) {
			_ = right
			object := `<Object><Manifest Id="m"><Reference URI="` + c.uri + `">` + fmt.Sprintf(digest, c.digest) + `</Reference></Manifest></Object><Object Id="d">x</Object>`
			uri := "#m"
			if !c.signed {
				uri = "#d"
			}
			second := ""
			if c.signed { // the other object is signed as well, so that it does not decide
				second = `<Reference URI="#d">` + fmt.Sprintf(digest, "") + `</Reference>`
			}
			document := strings.Replace(signatureOver(uri, `Type="`+TypeManifest+`"`, transformTo(C14N, ""), object), "</SignedInfo>", second+"</SignedInfo>", 1)
			if got := verdict(t, template(t, document), c.o); got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}
