package xmldsig

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// change alters a signed document. It must find what it alters.
type change func(t *testing.T, s string) string

// swap replaces the first occurrence of old.
func swap(old, by string) change {
	return func(t *testing.T, s string) string {
		t.Helper()
		if !strings.Contains(s, old) {
			t.Fatalf("%q is not in the document", old)
		}
		return strings.Replace(s, old, by, 1)
	}
}

// match replaces the first match of a pattern.
func match(pattern, by string) change {
	re := regexp.MustCompile(`(?s)` + pattern)
	return func(t *testing.T, s string) string {
		t.Helper()
		at := re.FindStringSubmatchIndex(s)
		if at == nil {
			t.Fatalf("%q is not in the document", pattern)
		}
		return s[:at[0]] + string(re.ExpandString(nil, by, s, at)) + s[at[1]:]
	}
}

func both(a, b change) change {
	return func(t *testing.T, s string) string { t.Helper(); return b(t, a(t, s)) }
}

// subject is a small application that a resident signed, with a prefix and the exclusive form.
const subject = `<?xml version="1.0"?>
<申請 xmlns="urn:x-mihon:form" xmlns:k="urn:x-mihon:k" xmlns:n="urn:x-mihon:n"><氏名 区分="A">実印　花子</氏名><k:金額 単位='円'>1000</k:金額><!-- 記入例 --><備考/><n:口座>1234567</n:口座></申請>`

func signedSubject(t testing.TB, exclusive bool) string {
	t.Helper()
	who := signtest.New(t).RSA
	out, err := Sign([]byte(subject), []Target{{Document: true}}, []*x509.Certificate{who.Certificate}, who.Key, Profile{Prefix: "ds", Exclusive: exclusive, ID: "sig"})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// What changes no information stays valid: the near copies of what is refused below.
func TestWhatSaysTheSameStaysValid(t *testing.T) {
	for name, c := range map[string]change{
		"nothing":                          swap("<備考/>", "<備考/>"),
		"an empty element in full":         swap("<備考/>", "<備考></備考>"),
		"other quotation marks":            swap(`区分="A"`, `区分='A'`),
		"space in a tag":                   swap(`区分="A"`, "\n  区分 = \"A\" "),
		"a character as a reference":       swap("1000", "&#x31;000"),
		"text as a section":                swap("1000", "<![CDATA[1000]]>"),
		"no XML declaration":               swap("<?xml version=\"1.0\"?>\n", ""),
		"a byte order mark":                swap("<?xml version=\"1.0\"?>\n", "\xEF\xBB\xBF"),
		"space after the document":         swap("</申請>", "</申請>\n\n"),
		"another comment between elements": swap("<!-- 記入例 -->", "<!-- a --><!-- b -->"),
		"a comment before the document":    swap("<申請 ", "<!-- x --><申請 "),
		"declarations in another order":    swap(`xmlns="urn:x-mihon:form" xmlns:k="urn:x-mihon:k"`, `xmlns:k="urn:x-mihon:k" xmlns="urn:x-mihon:form"`),
		"a declaration once more":          swap(`<氏名 `, `<氏名 xmlns="urn:x-mihon:form" `),
		"base64 over lines":                match(`(<ds:SignatureValue>.{40})`, "$1\n  "),
		"the certificate over lines":       match(`(<ds:X509Certificate>.{64})`, "$1\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			if got := verdict(t, []byte(c(t, signedSubject(t, true))), Options{}); got != "ok" {
				t.Error(got)
			}
		})
	}
}

// Each of these makes another document of it, or no signature of the document.
func TestChangesToTheDocumentAreRefused(t *testing.T) {
	for name, c := range map[string]change{
		"text":                             swap("1000", "9000"),
		"one character":                    swap("実印　花子", "実印 花子"),
		"a digit by a reference":           swap("1000", "100&#x30;0"),
		"an attribute's value":             swap(`区分="A"`, `区分="B"`),
		"an attribute more":                swap(`区分="A"`, `区分="A" x=""`),
		"an attribute less":                swap(` 区分="A"`, ``),
		"an attribute renamed":             swap(`区分="A"`, `区別="A"`),
		"an attribute in a namespace":      swap(`区分="A"`, `k:区分="A"`),
		"space in an attribute":            swap(`区分="A"`, `区分="A "`),
		"an element more":                  swap("<備考/>", "<備考/><備考/>"),
		"an element less":                  swap("<備考/>", ""),
		"an element renamed":               match("<備考/>", "<備老/>"),
		"an element in another namespace":  swap("<備考/>", `<備考 xmlns="urn:other"/>`),
		"an element in none":               swap("<備考/>", `<備考 xmlns=""/>`),
		"a prefix bound to another":        swap(`xmlns:k="urn:x-mihon:k"`, `xmlns:k="urn:other"`),
		"the document element's namespace": swap(`xmlns="urn:x-mihon:form"`, `xmlns="urn:other"`),
		"two elements exchanged":           swap("<!-- 記入例 --><備考/><n:口座>1234567</n:口座>", "<n:口座>1234567</n:口座><!-- 記入例 --><備考/>"),
		"white space between elements":     swap("<備考/>", "\n<備考/>"),
		"text between elements":            swap("<備考/>", "x<備考/>"),
		"text into another element":        both(swap("1000", ""), swap("<備考/>", "<備考>1000</備考>")),
		"an instruction inside":            swap("<備考/>", "<備考/><?go?>"),
		"an instruction before":            swap("<申請 ", "<?xml-stylesheet href='x'?><申請 "),
		"an instruction after":             swap("</申請>", "</申請><?go?>"),
		"xml:space":                        swap(`区分="A"`, `区分="A" xml:space="default"`),
		"another document element around":  both(swap("<申請 ", "<x><申請 "), swap("</申請>", "</申請></x>")),
		"an element after the signature":   swap("</申請>", "<備考/></申請>"),
		"a carriage return by reference":   swap("1000", "1000&#xD;"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, exclusive := range []bool{true, false} {
				got := verdict(t, []byte(c(t, signedSubject(t, exclusive))), Options{})
				if got != "content" && !(got == "value" && !exclusive) { // namespaces are in SignedInfo's inclusive form too
					t.Errorf("exclusive %v: %s", exclusive, got)
				}
			}
		})
	}
}

// Each of these is refused for what it is, before or beside its digests.
func TestChangesToTheSignatureAreRefused(t *testing.T) {
	pki := signtest.New(t)
	other := base64.StdEncoding.EncodeToString(pki.Other.Certificate.Raw)
	zero := strings.Repeat("A", 342) + "=="
	for name, c := range map[string]struct {
		change
		want string // the fault, or a prefix of what is said
	}{
		"a digest changed":                    {match(`(<ds:DigestValue>)(.{4})`, "${1}AAAA"), "value"},
		"a digest cut":                        {match(`<ds:DigestValue>[^<]*`, "<ds:DigestValue>AAAA"), "value"},
		"a digest empty":                      {match(`<ds:DigestValue>[^<]*`, "<ds:DigestValue>"), "value"},
		"a digest with a comment":             {match(`(<ds:DigestValue>)`, "$1<!-- x -->"), "format"},
		"a digest after another in a comment": {match(`(<ds:DigestValue>)([^<]*)`, "$1<!--AAAA-->$2"), "format"},
		"a digest with an instruction":        {match(`(<ds:DigestValue>)`, "$1<?x?>"), "value"},
		"a digest with an element":            {match(`(<ds:DigestValue>)`, "$1<x/>"), "value"},
		"a digest twice":                      {match(`(<ds:DigestValue>[^<]*</ds:DigestValue>)`, "$1$1"), "value"},
		"a digest with space":                 {match(`(<ds:DigestValue>)`, "$1 \n"), "value"},
		"a digest that is no base64":          {match(`<ds:DigestValue>`, "<ds:DigestValue>%"), "value"},
		"no digest algorithm":                 {match(`<ds:DigestMethod [^>]*></ds:DigestMethod>`, ""), "value"},
		"an unknown digest algorithm":         {swap("xmlenc#sha256", "xmlenc#sha257"), "value"},
		"MD5":                                 {swap("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#md5"), "value"},
		"SHA-1":                               {swap("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1"), "value"},
		"the value changed":                   {match(`(<ds:SignatureValue>)(.{4})`, "${1}AAAA"), "value"},
		"the value cut":                       {match(`<ds:SignatureValue>[^<]*`, "<ds:SignatureValue>AAAA"), "value"},
		"the value zero":                      {match(`<ds:SignatureValue>[^<]*`, "<ds:SignatureValue>"+zero), "value"},
		"the value empty":                     {match(`<ds:SignatureValue>[^<]*`, "<ds:SignatureValue>"), "format"},
		"the value with a comment":            {match(`<ds:SignatureValue>`, "<ds:SignatureValue><!-- x -->"), "format"},
		"the value with an element":           {match(`<ds:SignatureValue>`, "<ds:SignatureValue><x/>"), "format"},
		"the value twice":                     {match(`(<ds:SignatureValue>.*</ds:SignatureValue>)`, "$1$1"), "format"},
		"no value":                            {match(`<ds:SignatureValue>.*</ds:SignatureValue>`, ""), "format"},
		"another signature algorithm":         {swap("rsa-sha256", "rsa-sha512"), "value"},
		"an algorithm of another key":         {swap("rsa-sha256", "ecdsa-sha256"), "value"},
		"RSASSA-PSS":                          {swap("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"), "value"},
		"HMAC":                                {swap("rsa-sha256", "hmac-sha256"), "unsupported"},
		"HMAC of one bit":                     {match(`<ds:SignatureMethod Algorithm="[^"]*">`, `<ds:SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"><ds:HMACOutputLength>1</ds:HMACOutputLength>`), "unsupported"},
		"HMAC with MD5":                       {swap("rsa-sha256", "hmac-md5"), "forbidden"},
		"RSA with MD5":                        {swap("rsa-sha256", "rsa-md5"), "forbidden"},
		"no algorithm":                        {match(`<ds:SignatureMethod Algorithm="[^"]*">`, "<ds:SignatureMethod>"), "unsupported"},
		"a parameter of the algorithm":        {match(`(<ds:SignatureMethod Algorithm="[^"]*">)`, "$1<x/>"), "format"},
		"another canonical form":              {swap(`CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"`, `CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"`), "value"},
		"an unknown canonical form":           {swap(`CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"`, `CanonicalizationMethod Algorithm="urn:x"`), "unsupported"},
		"a form with comments":                {both(swap(`CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"`, `CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#WithComments"`), match(`<ds:SignedInfo>`, "<ds:SignedInfo><!-- x -->")), "value"},
		"a prefix list":                       {match(`(<ds:CanonicalizationMethod[^>]*>)`, `$1<e:InclusiveNamespaces xmlns:e="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="k"/>`), "value"},
		"a transform less":                    {match(`<ds:Transform Algorithm="[^"]*enveloped-signature"></ds:Transform>`, ""), "value"},
		"no transforms":                       {match(`<ds:Transforms>.*</ds:Transforms>`, ""), "value"},
		"a transform more":                    {match(`(<ds:Transforms>)`, `$1<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"></ds:Transform>`), "value"},
		"XSLT":                                {match(`(<ds:Transforms>)`, `$1<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"></ds:Transform>`), "value"},
		"a transform that nobody knows":       {match(`(<ds:Transforms>)`, `$1<ds:Transform Algorithm="urn:x"></ds:Transform>`), "value"},
		"a thousand transforms":               {match(`(<ds:Transforms>)`, `$1`+strings.Repeat(`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>`, 1000)), "value"},
		"no reference":                        {match(`<ds:Reference .*</ds:Reference>`, ""), "format"},
		"a reference twice":                   {match(`(<ds:Reference .*</ds:Reference>)`, "$1$1"), "value"},
		"a reference to nothing":              {swap(`<ds:Reference URI=""`, `<ds:Reference URI="#nothing"`), "value"},
		"a reference to a file":               {swap(`<ds:Reference URI=""`, `<ds:Reference URI="file:///etc/passwd"`), "value"},
		"a reference to an address":           {swap(`<ds:Reference URI=""`, `<ds:Reference URI="http://example.jp/"`), "value"},
		"a reference without a URI":           {swap(`<ds:Reference URI=""`, `<ds:Reference`), "value"},
		"a second SignedInfo before":          {match(`(<ds:SignedInfo>.*</ds:SignedInfo>)`, "<ds:SignedInfo></ds:SignedInfo>$1"), "format"},
		"a second SignedInfo behind":          {match(`(<ds:SignedInfo>.*</ds:SignedInfo>)`, "$1<ds:SignedInfo></ds:SignedInfo>"), "format"},
		"SignedInfo inside another element":   {match(`(<ds:SignedInfo>.*</ds:SignedInfo>)`, "<x>$1</x>"), "format"},
		"SignedInfo behind the value":         {match(`(<ds:SignedInfo>.*</ds:SignedInfo>)(<ds:SignatureValue>.*</ds:SignatureValue>)`, "$2$1"), "format"},
		"text in SignedInfo":                  {match(`<ds:SignedInfo>`, "<ds:SignedInfo>x"), "format"},
		"text in Signature":                   {match(`<ds:SignedInfo>`, "x<ds:SignedInfo>"), "format"},
		"a foreign element in SignedInfo":     {match(`</ds:SignedInfo>`, "<x/></ds:SignedInfo>"), "format"},
		"a foreign element in Signature":      {match(`</ds:Signature>`, "<x/></ds:Signature>"), "format"},
		"KeyInfo twice":                       {match(`(<ds:KeyInfo>.*</ds:KeyInfo>)`, "$1$1"), "format"},
		"KeyInfo before the value":            {match(`(<ds:SignatureValue>.*</ds:SignatureValue>)(<ds:KeyInfo>.*</ds:KeyInfo>)`, "$2$1"), "format"},
		"the certificate of another":          {match(`<ds:X509Certificate>[^<]*`, "<ds:X509Certificate>"+other), "value"},
		"a certificate that is none":          {match(`<ds:X509Certificate>[^<]*`, "<ds:X509Certificate>AAAA"), "signer"},
		"no KeyInfo":                          {match(`<ds:KeyInfo>.*</ds:KeyInfo>`, ""), "signer"},
		"a KeyInfo that leads to itself":      {match(`<ds:KeyInfo>.*</ds:KeyInfo>`, `<ds:KeyInfo Id="k"><e:KeyInfoReference xmlns:e="http://www.w3.org/2009/xmldsig11#" URI="#k"/></ds:KeyInfo>`), "signer"},
		"a KeyInfo at an address":             {match(`<ds:KeyInfo>.*</ds:KeyInfo>`, `<ds:KeyInfo><ds:RetrievalMethod URI="http://example.jp/c" Type="http://www.w3.org/2000/09/xmldsig#rawX509Certificate"/></ds:KeyInfo>`), "signer"},
		"another namespace":                   {swap("http://www.w3.org/2000/09/xmldsig#\"", "http://www.w3.org/2000/09/xmldsig\""), "no signature"},
		"a document type":                     {swap("<申請 ", "<!DOCTYPE x><申請 "), "unread"},
		"an entity":                           {swap("1000", "&x;"), "unread"},
		"cut off":                             {match(`</ds:KeyInfo>.*`, ""), "unread"},
		"an unsigned object":                  {match(`</ds:Signature>`, "<ds:Object><x/></ds:Object></ds:Signature>"), "ok, part"},
		"an unsigned object with text":        {match(`</ds:Signature>`, "<ds:Object>x</ds:Object></ds:Signature>"), "ok, part"},
		"a comment within a text":             {swap("1000", "1<!-- -->000"), "ok, part"},
		"a second signature that is none":     {swap("</申請>", "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/></申請>"), "content"},
	} {
		t.Run(name, func(t *testing.T) {
			got := verdict(t, []byte(c.change(t, signedSubject(t, true))), Options{})
			if !strings.HasPrefix(got, c.want) || c.want == "ok, part" && got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

// What lies beside a document element that is signed by its Id is not signed.
func TestInstructionsBesideTheDocument(t *testing.T) {
	who := signtest.New(t).RSA
	out, err := Sign([]byte(`<a Id="a"><b/></a>`), []Target{{ID: "a"}}, []*x509.Certificate{who.Certificate}, who.Key, Profile{Where: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string]string{"": "ok", "<!-- x -->": "ok", "<?xml-stylesheet href='x.xsl'?>": "ok, part"} {
		if got := verdict(t, []byte(prefix+string(out)), Options{}); got != want {
			t.Errorf("%s: %s", prefix, got)
		}
	}
}

// What cannot be signed so that it verifies is not signed.
func TestWhatWouldNotVerifyIsNotSigned(t *testing.T) {
	who, other := signtest.New(t).RSA, signtest.New(t).Other
	sign := func(document string, p Profile, chain *x509.Certificate, targets ...Target) error {
		var in []byte
		if document != "" {
			in = []byte(document)
		}
		_, err := Sign(in, targets, []*x509.Certificate{chain}, who.Key, p)
		return err
	}
	const doc = `<a Id="a"><b Id="b"><c Id="c"/></b><d Id="d"/><d id="d"/></a>`
	if err := sign(doc, Profile{Where: "b"}, who.Certificate, Target{ID: "b"}); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"an element around the signature": sign(doc, Profile{Where: "c"}, who.Certificate, Target{ID: "b"}),
		"an Id that two have":             sign(doc, Profile{}, who.Certificate, Target{ID: "d"}),
		"an Id that none has":             sign(doc, Profile{}, who.Certificate, Target{ID: "x"}),
		"a place that two have":           sign(doc, Profile{Where: "d"}, who.Certificate, Target{ID: "b"}),
		"nothing":                         sign(doc, Profile{}, who.Certificate),
		"a target that says nothing":      sign(doc, Profile{}, who.Certificate, Target{}),
		"the certificate of another":      sign(doc, Profile{}, other.Certificate, Target{Document: true}),
		"a document type":                 sign("<!DOCTYPE a>"+doc, Profile{}, who.Certificate, Target{Document: true}),
		"a document in another encoding":  sign("<?xml version='1.0' encoding='Shift_JIS'?><a>\x8E\xC0</a>", Profile{}, who.Certificate, Target{Document: true}),
		"an object that is no XML":        sign("", Profile{}, who.Certificate, Target{Object: []byte("<x>")}),
		"an object that ends itself":      sign("", Profile{}, who.Certificate, Target{Object: []byte("</Object><Object>")}),
	} {
		if err == nil {
			t.Errorf("%s is signed", name)
		}
	}
}

// template signs a document that has a signature with blanks, whatever it says: what a signer might be made to sign.
func template(t testing.TB, document string, targets ...Target) []byte {
	t.Helper()
	who := signtest.New(t).RSA
	m := &maker{chain: []*x509.Certificate{who.Certificate}, key: who.Key, hash: crypto.SHA256, targets: targets}
	document = strings.ReplaceAll(document, "CERT", base64.StdEncoding.EncodeToString(who.Certificate.Raw))
	out, err := m.fill([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// signatureOver writes a signature with blanks over one reference: its URI, further attributes, and its transforms.
func signatureOver(uri, more, transforms, objects string) string {
	return fmt.Sprintf(`<Signature xmlns="%s"><SignedInfo><CanonicalizationMethod Algorithm="%s"/><SignatureMethod Algorithm="%srsa-sha256"/>`+
		`<Reference URI="%s" %s><Transforms>%s</Transforms><DigestMethod Algorithm="%ssha256"/><DigestValue></DigestValue></Reference></SignedInfo>`+
		`<SignatureValue></SignatureValue><KeyInfo><X509Data><X509Certificate>CERT</X509Certificate></X509Data></KeyInfo>%s</Signature>`,
		Namespace, C14N, more2001, uri, more, transforms, xmlenc, objects)
}

func transformTo(uri, inside string) string {
	return `<Transform Algorithm="` + uri + `">` + inside + `</Transform>`
}
