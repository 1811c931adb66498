package signature_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/xades"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
)

// xadesLevels signs a form and raises it from level to level: B-B, B-T, B-LT, B-LTA.
func xadesLevels(t testing.TB, who signtest.Identity, p xades.Profile, targets ...xmldsig.Target) map[string][]byte {
	t.Helper()
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ctx, o := context.Background(), xmldsig.Options{Content: func(uri string) ([]byte, bool) { return []byte("%PDF"), uri == "a.pdf" }}
	p.SigningTime = signtest.Now.Add(-time.Hour)
	all := map[string][]byte{}
	all["B-B"] = must(xades.Sign([]byte(xmlForm), targets, []*x509.Certificate{who.Certificate}, who.Key, p))
	id := p.ID
	if id == "" {
		id = "signature"
	}
	all["B-T"] = must(xades.AddTimestamp(ctx, all["B-B"], id, stampedAt(t, signtest.Now.Add(-50*time.Minute)), o))
	list := must(signtest.List(signtest.NewJPKI(t).SignCA))
	all["B-LT"] = must(xades.AddEvidence(all["B-T"], id, xades.Evidence{Certificates: []*x509.Certificate{signtest.NewJPKI(t).SignCA.Certificate}, CRLs: [][]byte{list}}, o))
	all["B-LTA"] = must(xades.AddArchive(ctx, all["B-LT"], id, stampedAt(t, signtest.Now.Add(-40*time.Minute)), o))
	return all
}

func xadesPolicy(t testing.TB) signature.Policy {
	p := policy(signtest.NewJPKI(t))
	p.TimeAnchors = []*x509.Certificate{signtest.NewTSA(t).Root.Certificate}
	return p
}

func judgeXML(t testing.TB, document []byte) *signature.Report {
	t.Helper()
	r, err := signature.Verify(context.Background(), signature.Input{Signature: document, Files: map[string][]byte{"a.pdf": []byte("%PDF")}}, xadesPolicy(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every shape at every level, and what xmlsec1 says of it.
func TestXAdESLevels(t *testing.T) {
	j := signtest.NewJPKI(t)
	trusted := signtest.WritePEM(t, "ca.pem", j.SignCA.Certificate)
	for name, c := range map[string]struct {
		who     signtest.Identity
		p       xades.Profile
		targets []xmldsig.Target
		judged  bool // by xmlsec1, which is not asked for files beside the document
	}{
		"enveloped":                     {j.Sign, xades.Profile{Profile: xmldsig.Profile{Prefix: "ds"}}, []xmldsig.Target{{Document: true}}, true},
		"enveloped, exclusive":          {j.Sign, xades.Profile{Profile: xmldsig.Profile{Prefix: "dsig", Exclusive: true, ID: "a"}}, []xmldsig.Target{{Document: true}}, true},
		"enveloping":                    {j.Sign, xades.Profile{First: true}, []xmldsig.Target{{Object: []byte("<申請>転入届</申請>")}}, true},
		"of a part, and of a file":      {j.Sign, xades.Profile{Profile: xmldsig.Profile{Where: "place"}}, []xmldsig.Target{{ID: "構成情報"}, {File: &xmldsig.File{Name: "a.pdf", Content: []byte("%PDF")}}}, false},
		"with the key of the next card": {j.P384, xades.Profile{First: true}, []xmldsig.Target{{Document: true}}, false},
	} {
		for level, document := range xadesLevels(t, c.who, c.p, c.targets...) {
			t.Run(name+"/"+level, func(t *testing.T) {
				r := judgeXML(t, document)
				s := r.Signatures[0]
				if r.Verdict != signature.Passed || r.Format != signature.FormatXAdES || s.Level != level {
					t.Fatalf("%s %s %s: %s", r.Format, s.Level, r.Verdict, r.Reason)
				}
				want := map[string]int{"B-B": 0, "B-T": 1, "B-LT": 1, "B-LTA": 2}[level]
				if len(s.Timestamps) != want {
					t.Fatalf("%d time-stamps", len(s.Timestamps))
				}
				for _, st := range s.Timestamps {
					if !st.OK {
						t.Errorf("time-stamp: %+v", st)
					}
				}
				if proof := map[bool]string{false: "claimed", true: "timestamp"}[want > 0]; s.SigningTime == nil || s.SigningTime.Proof != proof {
					t.Errorf("signing time %+v", s.SigningTime)
				}
				if c.judged {
					file := signtest.Write(t, "signed.xml", document)
					out, err := signtest.Judge(t, "xmlsec1", "--verify", "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", "--trusted-pem", trusted, "--verification-time",
						signtest.Now.Format("2006-01-02 15:04:05"), file)
					if err != nil {
						t.Errorf("xmlsec1: %v %s", err, out)
					}
				}
			})
		}
	}
}

// forgedProperties signs properties that change has been at.
func forgedProperties(t testing.TB, p xades.Profile, change func(xml string) string) []byte {
	t.Helper()
	j := signtest.NewJPKI(t)
	good := string(xadesLevels(t, j.Sign, p, xmldsig.Target{Document: true})["B-B"])
	begin, end := strings.Index(good, "<xades:Qualifying"), strings.Index(good, "</xades:QualifyingProperties>")+len("</xades:QualifyingProperties>")
	xml := change(good[begin:end])
	out, err := xmldsig.Sign([]byte(xmlForm), []xmldsig.Target{{Document: true}}, []*x509.Certificate{j.Sign.Certificate}, j.Sign.Key, xmldsig.Profile{ID: "signature",
		Properties: func(*x509.Certificate) (string, string, string, error) {
			return xml, "signature-properties", xades.TypeSignedProperties, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What is stated beside a signature counts only where the signature covers it and it is true; a near copy of every
// part is refused, or its time-stamp is.
func TestXAdESNearCopies(t *testing.T) {
	j := signtest.NewJPKI(t)
	levels := xadesLevels(t, j.Sign, xades.Profile{}, xmldsig.Target{Document: true})
	other := xadesLevels(t, j.Sign, xades.Profile{Profile: xmldsig.Profile{ID: "signature"}}, xmldsig.Target{Object: []byte("<other/>")})
	swap := func(level, old, new string) func(testing.TB) []byte {
		return func(t testing.TB) []byte {
			out := strings.Replace(string(levels[level]), old, new, 1)
			if out == string(levels[level]) {
				t.Fatalf("%s has no %s", level, old)
			}
			return []byte(out)
		}
	}
	forgeWith := func(p xades.Profile, old, new string) func(testing.TB) []byte {
		return func(t testing.TB) []byte {
			return forgedProperties(t, p, func(xml string) string {
				out := strings.Replace(xml, old, new, 1)
				if out == xml {
					t.Fatalf("the properties have no %s", old)
				}
				return out
			})
		}
	}
	forge := func(old, new string) func(testing.TB) []byte { return forgeWith(xades.Profile{}, old, new) }
	cut := func(s, from, to string) string {
		i := strings.Index(s, from)
		return s[i : i+strings.Index(s[i:], to)+len(to)]
	}
	own := sha256.Sum256(j.Sign.Certificate.Raw)
	auth := sha256.Sum256(j.Auth.Certificate.Raw)
	digest := base64.StdEncoding.EncodeToString
	properties := cut(string(levels["B-B"]), "<xades:SignedProperties", "</xades:SignedProperties>")
	const target, open = `Target="#signature"`, `<xades:SignedSignatureProperties>`
	serial := `<xades:IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509SerialNumber>%s</ds:X509SerialNumber></xades:IssuerSerial></xades:Cert>`
	for name, c := range map[string]struct {
		document func(testing.TB) []byte
		verdict  signature.Verdict
		sub      signature.SubIndication
		stamps   string // of a document that passes: which time-stamps are good
	}{
		"another signing time":              {swap("B-B", "Z</xades:SigningTime>", ".5Z</xades:SigningTime>"), signature.Failed, signature.HashFailure, ""},
		"another certificate named":         {swap("B-B", digest(own[:]), digest(auth[:])), signature.Failed, signature.HashFailure, ""},
		"another certificate signed":        {forge(digest(own[:]), digest(auth[:])), signature.Indeterminate, signature.NoSigningCertificate, ""},
		"no certificate in the list":        {forge(cut(properties, "<xades:Cert>", "</xades:Cert>"), ""), signature.Indeterminate, signature.NoSigningCertificate, ""},
		"something else in the list":        {forge("<xades:Cert>", "<xades:Other/><xades:Cert>"), signature.Failed, signature.FormatFailure, ""},
		"another serial number":             {forge("</xades:Cert>", fmt.Sprintf(serial, "1")), signature.Passed, "", ""}, // version 2 has no such element; what is not known says nothing
		"another number in version 1":       {forgeWith(xades.Profile{First: true}, "</ds:X509SerialNumber>", "0</ds:X509SerialNumber>"), signature.Passed, "", ""},
		"an unread number in version 1":     {forgeWith(xades.Profile{First: true}, "</ds:X509SerialNumber>", "x</ds:X509SerialNumber>"), signature.Passed, "", ""},
		"the digest with an unknown hash":   {forge("xmlenc#sha256", "xmlenc#none"), signature.Indeterminate, signature.NoSigningCertificate, ""},
		"another target":                    {swap("B-B", target, `Target="#other"`), signature.Failed, signature.SigConstraints, ""},
		"no target":                         {swap("B-B", target, ""), signature.Failed, signature.SigConstraints, ""},
		"properties twice":                  {swap("B-B", "</xades:QualifyingProperties>", `</xades:QualifyingProperties><xades:QualifyingProperties xmlns:xades="`+xades.Namespace+`" `+target+`/>`), signature.Failed, signature.SigConstraints, ""},
		"signed properties twice":           {swap("B-B", "</xades:SignedProperties>", "</xades:SignedProperties><xades:SignedProperties/>"), signature.Failed, signature.FormatFailure, ""},
		"others with the same Id in front":  {swap("B-B", "<xades:SignedProperties", strings.Replace(properties, "Z</", ".5Z</", 1)+"<xades:SignedProperties"), signature.Failed, "", ""},
		"the signed ones moved into a wrap": {swap("B-B", properties, strings.Replace(strings.Replace(properties, "signature-properties", "false", 1), "Z</", ".5Z</", 1)+"<wrap>"+properties+"</wrap>"), signature.Failed, "", ""},
		"unsigned properties in front":      {swap("B-B", "<xades:SignedProperties", "<xades:UnsignedProperties/><xades:SignedProperties"), signature.Failed, signature.FormatFailure, ""},
		"two signing times":                 {forge(open, open+"<xades:SigningTime>2020-01-01T00:00:00Z</xades:SigningTime>"), signature.Failed, signature.FormatFailure, ""},
		"a signing time that is none":       {forge("</xades:SigningTime>", " o'clock</xades:SigningTime>"), signature.Failed, signature.FormatFailure, ""},
		"a comment in the signing time":     {forge("</xades:SigningTime>", "<!-- -->0</xades:SigningTime>"), signature.Failed, signature.FormatFailure, ""},
		"signed properties that nobody signs": {func(t testing.TB) []byte {
			return []byte(strings.Replace(string(signXML(t, j.Sign, xmldsig.Profile{ID: "signature", Prefix: "ds"}, xmldsig.Target{Document: true})), "</ds:Signature>",
				`<ds:Object><xades:QualifyingProperties xmlns:xades="`+xades.Namespace+`" `+target+`>`+properties+"</xades:QualifyingProperties></ds:Object></ds:Signature>", 1))
		}, signature.Failed, signature.FormatFailure, ""},
		"a time-stamp of another signature": {swap("B-T", cut(string(levels["B-T"]), "<xades:EncapsulatedTimeStamp>", "</xades:EncapsulatedTimeStamp>"),
			cut(string(other["B-T"]), "<xades:EncapsulatedTimeStamp>", "</xades:EncapsulatedTimeStamp>")), signature.Passed, "", "-"},
		"a time-stamp with another canonical form": {swap("B-T", `"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/><xades:EncapsulatedTimeStamp>`, `"http://www.w3.org/2001/10/xml-exc-c14n#"/><xades:EncapsulatedTimeStamp>`), signature.Passed, "", "+"}, // the same octets here
		"a time-stamp with an unknown form":        {swap("B-T", `"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/><xades:EncapsulatedTimeStamp>`, `"urn:none"/><xades:EncapsulatedTimeStamp>`), signature.Passed, "", "-"},
		"a time-stamp that lists":                  {swap("B-T", "<xades:EncapsulatedTimeStamp>", `<xades:Include URI="#x"/><xades:EncapsulatedTimeStamp>`), signature.Passed, "", "-"},
		"a time-stamp in no base64":                {swap("B-T", "<xades:EncapsulatedTimeStamp>", "<xades:EncapsulatedTimeStamp>!"), signature.Passed, "", "-"},
		"a time-stamp twice":                       {swap("B-T", cut(string(levels["B-T"]), "<xades:SignatureTimeStamp", "</xades:SignatureTimeStamp>"), strings.Repeat(cut(string(levels["B-T"]), "<xades:SignatureTimeStamp", "</xades:SignatureTimeStamp>"), 2)), signature.Passed, "", "++"},
		"evidence changed below the archive":       {swap("B-LTA", "<xades:EncapsulatedCRLValue>", "<xades:EncapsulatedCRLValue> "), signature.Passed, "", "+-"},
		"evidence gone from below":                 {swap("B-LTA", cut(string(levels["B-LTA"]), "<xades:RevocationValues", "</xades:RevocationValues>"), ""), signature.Passed, "", "+-"},
		"evidence added behind":                    {swap("B-LTA", "</xades141:ArchiveTimeStamp>", "</xades141:ArchiveTimeStamp><xades:CertificateValues/>"), signature.Passed, "", "++"},
		"an archive as a signature's":              {swap("B-LTA", "xades141:ArchiveTimeStamp xmlns:xades=", "xades141:ArchiveTimeStamp Id=\"a\" xmlns:xades="), signature.Passed, "", "++"},
		"an object added to the archived":          {swap("B-LTA", "</Signature>", "<Object>more</Object></Signature>"), signature.Passed, "", "+-"},
		"the archive of another signature": {swap("B-LTA", cut(string(levels["B-LTA"]), "<xades141:ArchiveTimeStamp", "</xades141:ArchiveTimeStamp>"),
			cut(string(other["B-LTA"]), "<xades141:ArchiveTimeStamp", "</xades141:ArchiveTimeStamp>")), signature.Passed, "", "+-"},
		"the signed document changed": {swap("B-LTA", "転入届", "転出届"), signature.Failed, signature.HashFailure, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := judgeXML(t, c.document(t))
			if r.Verdict != c.verdict || c.sub != "" && r.SubIndication != c.sub {
				t.Fatalf("%s %s: %s", r.Verdict, r.SubIndication, r.Reason)
			}
			hint := slices.ContainsFunc(r.Signatures[0].Warnings, func(w signature.Reason) bool { return w.Code == "hint-differs" })
			if hint != strings.Contains(name, "number in version 1") {
				t.Errorf("warnings %+v", r.Signatures[0].Warnings)
			}
			stamps := ""
			for _, s := range r.Signatures[0].Timestamps {
				stamps += map[bool]string{true: "+", false: "-"}[s.OK]
			}
			if c.verdict == signature.Passed && stamps != c.stamps {
				t.Errorf("time-stamps %s, wanted %s: %+v", stamps, c.stamps, r.Signatures[0].Timestamps)
			}
		})
	}
}

// Nothing is added to a signature that is broken, missing or without properties.
func TestXAdESIsNotRaisedOnSand(t *testing.T) {
	j := signtest.NewJPKI(t)
	good := xadesLevels(t, j.Sign, xades.Profile{}, xmldsig.Target{Document: true})["B-B"]
	for name, document := range map[string][]byte{
		"broken":             []byte(strings.Replace(string(good), "転入届", "転出届", 1)),
		"without properties": signXML(t, j.Sign, xmldsig.Profile{ID: "signature"}, xmldsig.Target{Document: true}),
		"another Id":         []byte(strings.ReplaceAll(string(good), `"signature"`, `"other"`)),
		"no XML":             []byte("<"),
	} {
		if out, err := xades.AddTimestamp(context.Background(), document, "signature", stampedAt(t, signtest.Now), xmldsig.Options{}); err == nil {
			t.Errorf("%s: a time-stamp was put on it: %s", name, out)
		}
	}
}
