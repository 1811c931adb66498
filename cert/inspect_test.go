package cert_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	ct "github.com/jitsuin/jitsuin/cert/chaintest"
)

// requests are certification requests, with and without attributes.
func requests(t testing.TB) (all [][]byte) {
	for _, names := range [][]string{nil, {"a.test.example"}} {
		der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "Kasumi"}, DNSNames: names},
			certtest.Key(t, cert.P384SHA384, 1))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, der)
	}
	return all
}

func TestRequestsAreReadStrictly(t *testing.T) {
	all := requests(t)
	for _, der := range all {
		r, err := cert.ParseRequest(der)
		if err != nil || r.Subject.CommonName != "Kasumi" || r.CheckSignature() != nil {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	change := func(old, new string) []byte { return bytes.Replace(all[0], []byte(old), []byte(new), 1) }
	for name, der := range map[string][]byte{
		"something behind":   append(bytes.Clone(all[0]), 0),
		"cut":                all[0][:len(all[0])-1],
		"another version":    change("\x02\x01\x00", "\x02\x01\x01"),
		"no attributes":      change("\xa0\x00", "\xa1\x00"),
		"a name of its own":  change("\x13\x06Kasumi", "\x13\x06Kasum\xff"),
		"odd bits":           bytes.Replace(all[0], all[0][len(all[0])-105:len(all[0])-100], []byte{1, 2, 3, 4, 5}, 1),
		"indefinite lengths": append([]byte{0x30, 0x80}, append(bytes.Clone(all[0][3:]), 0, 0)...),
		"a certificate":      ct.New(t).Root("Root").DER,
		"nothing":            nil,
	} {
		if bytes.Equal(der, all[0]) {
			t.Errorf("%s: the request was not changed", name)
		}
		if _, err := cert.ParseRequest(der); jitsuin.CodeOf(err) != "certificate-form" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each near copy differs from a good certificate in one thing of form and is signed by the right key.
func TestWhatAStrictReaderRefuses(t *testing.T) {
	w := ct.New(t)
	root := w.Root("Root")
	good := root.Leaf("Leaf", ct.SAN(ct.DNS("a.test.example")), ct.Policies(p1))
	if _, breach, err := cert.Inspect(good.DER); err != nil || breach != "" {
		t.Fatal(breach, err)
	}
	ext := func(id string, value string) ct.Option { return ct.Extension(id, false, []byte(value)) }
	for name, o := range map[string]ct.Option{
		"critical FALSE written out":        ct.Octets("\x06\x03\x55\x1d\x0f\x01\x01\xff", "\x06\x03\x55\x1d\x0f\x01\x01\x00"),
		"BOOLEAN of another value":          ct.Octets("\x06\x03\x55\x1d\x0f\x01\x01\xff", "\x06\x03\x55\x1d\x0f\x01\x01\x01"),
		"version 2 with extensions":         ct.Octets("\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x01"),
		"version 4":                         ct.Octets("\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x03"),
		"a time without seconds":            ct.Octets("\x17\x0d250601000000Z", "\x17\x0d2506010000+00"),
		"a 13th month":                      ct.Octets("\x17\x0d250601000000Z", "\x17\x0d251301000000Z"),
		"an underscore where none is":       ct.Octets("\x13\x04Test", "\x13\x04Te_t"),
		"text that is not UTF-8":            ct.Octets("\x13\x04Leaf", "\x0c\x04Le\xc3\x28"),
		"names of no names":                 ext("2.5.29.18", "\x30\x00"),
		"a subject key identifier of none":  ext("2.5.29.14", "\x04\x00"),
		"a constraint of nothing":           ext("2.5.29.36", "\x30\x00"),
		"a negative skip":                   ext("2.5.29.54", "\x02\x01\xff"),
		"a mapping of one":                  ext("2.5.29.33", "\x30\x07\x30\x05\x06\x03\x2a\x03\x04"),
		"subtrees with a minimum":           ext("2.5.29.30", "\x30\x0d\xa0\x0b\x30\x09\x82\x04test\x80\x01\x01"),
		"subtrees of none":                  ext("2.5.29.30", "\x30\x02\xa0\x00"),
		"a point of reasons alone":          ext("2.5.29.31", "\x30\x06\x30\x04\x81\x02\x01\x06"),
		"a point of nothing":                ext("2.5.29.31", "\x30\x02\x30\x00"),
		"ocsp-nocheck with something in it": ext("1.3.6.1.5.5.7.48.1.5", "\x30\x00"),
		"access to nothing":                 ext("1.3.6.1.5.5.7.1.1", "\x30\x00"),
		"qualifiers of none":                ct.Field(func(c *x509.Certificate) { c.ExtraExtensions = nil }),
	} {
		options := []ct.Option{ct.SAN(ct.DNS("a.test.example")), o}
		if name == "qualifiers of none" {
			options = append(options, ext("2.5.29.32", "\x30\x09\x30\x07\x06\x03\x2a\x03\x04\x30\x00"))
		}
		if _, _, err := cert.Inspect(root.Leaf("Leaf", options...).DER); jitsuin.CodeOf(err) != "certificate-form" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
