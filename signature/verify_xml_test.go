package signature_test

import (
	"context"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
)

const xmlForm = `<DataRoot xmlns="urn:x-mihon:form"><構成管理情報 Id="構成情報"><様式>転入届</様式></構成管理情報><署名情報 Id="place"/></DataRoot>`

func signXML(t testing.TB, who signtest.Identity, p xmldsig.Profile, targets ...xmldsig.Target) []byte {
	t.Helper()
	out, err := xmldsig.Sign([]byte(xmlForm), targets, []*x509.Certificate{who.Certificate}, who.Key, p)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// One report for XML as for all formats.
func TestXMLSignatures(t *testing.T) {
	j := signtest.NewJPKI(t)
	whole := string(signXML(t, j.Sign, xmldsig.Profile{Prefix: "ds"}, xmldsig.Target{Document: true}))
	file := xmldsig.File{Name: "添付.pdf", Content: []byte("%PDF")}
	part := string(signXML(t, j.P384, xmldsig.Profile{Where: "place"}, xmldsig.Target{ID: "構成情報"}, xmldsig.Target{File: &file}))
	files := map[string][]byte{"添付.pdf": file.Content}
	between := func(s, from, to string) string {
		i := strings.Index(s, from)
		return s[:i] + s[i+strings.Index(s[i:], to)+len(to):]
	}
	for name, c := range map[string]struct {
		document string
		files    map[string][]byte
		verdict  signature.Verdict
		sub      signature.SubIndication
		coverage signature.Coverage
	}{
		"a resident's form":                 {whole, nil, signature.Passed, "", signature.Whole},
		"changed":                           {strings.Replace(whole, "転入届", "転出届", 1), nil, signature.Failed, signature.HashFailure, signature.Part},
		"e-Gov":                             {part, files, signature.Passed, "", signature.Part},
		"e-Gov without its attachment":      {part, nil, signature.Indeterminate, signature.SignedDataNotFound, signature.Part},
		"e-Gov with another one":            {part, map[string][]byte{"添付.pdf": []byte("other")}, signature.Failed, signature.HashFailure, signature.Part},
		"a key in place of the certificate": {between(whole, "<ds:KeyInfo>", "</ds:KeyInfo>"), nil, signature.Indeterminate, signature.NoSigningCertificate, signature.Whole},
		"an authentication certificate":     {string(signXML(t, j.Auth, xmldsig.Profile{}, xmldsig.Target{Document: true})), nil, signature.Failed, signature.ChainConstraints, signature.Whole},
		"an Id twice":                       {strings.Replace(part, "<署名情報", `<x ID="構成情報"/><署名情報`, 1), files, signature.Failed, signature.SigConstraints, signature.Part},
		"a document type":                   {"<!DOCTYPE DataRoot>" + whole, nil, signature.Malformed, signature.FormatFailure, ""},
		"no signature":                      {xmlForm, nil, signature.Failed, signature.FormatFailure, ""},
		"HMAC":                              {strings.Replace(whole, "2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#hmac-sha1", 1), nil, signature.Unsupported, signature.CryptoConstraints, signature.Whole},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := signature.Verify(context.Background(), signature.Input{Signature: []byte(c.document), Files: c.files}, policy(j))
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != c.verdict || r.SubIndication != c.sub || c.verdict != signature.Malformed && r.Format != signature.FormatXMLDSig {
				t.Errorf("%s %s %s: %s", r.Format, r.Verdict, r.SubIndication, r.Reason)
			}
			if len(r.Signatures) > 0 && r.Signatures[0].Coverage != c.coverage {
				t.Errorf("coverage %s", r.Signatures[0].Coverage)
			}
		})
	}
	one := signature.Input{Signature: []byte(part), Content: strings.NewReader("%PDF")}
	if r, err := signature.Verify(context.Background(), one, policy(j)); err != nil || r.Verdict != signature.Passed {
		t.Errorf("with the one file: %v %v", r, err)
	}
	none := signature.Input{Signature: []byte(whole), Content: strings.NewReader("%PDF")}
	if r, err := signature.Verify(context.Background(), none, policy(j)); err != nil || r.Verdict != signature.Failed {
		t.Errorf("with a file that is not named: %v %v", r, err)
	}
}
