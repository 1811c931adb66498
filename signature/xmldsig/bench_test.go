package xmldsig

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// signed100k is a signed form of 100 kB. Rich in markup it has an element on each 40 octets, which no real form has;
// mixed it also has the sentences that people write in forms, and an element on each 150.
func signed100k(b testing.TB, p Profile, mixed bool) []byte {
	written := ""
	if mixed {
		written = strings.Repeat("転入に伴い、本籍及び世帯主の欄を記入しました。以前の住所での手続は済んでいます。", 7)
	}
	var s strings.Builder
	s.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DataRoot xmlns=\"urn:x-mihon:form\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n<構成情報 Id=\"構成情報\">\n")
	for i := 0; s.Len() < 100_000; i++ {
		fmt.Fprintf(&s, "  <明細 番号=\"%d\" 区分=\"A\">\n    <氏名>実印　花子</氏名>\n    <金額 単位=\"円\">%d</金額>\n    <備考>%s</備考>\n    <日付><年>2026</年><月>11</月><日>%d</日></日付>\n  </明細>\n", i, i*1234, written, i%28+1)
	}
	s.WriteString("</構成情報>\n</DataRoot>\n")
	pki := signtest.New(b)
	out, err := Sign([]byte(s.String()), []Target{{Document: true}}, []*x509.Certificate{pki.RSA.Certificate, pki.Root.Certificate}, pki.RSA.Key, p)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// BenchmarkVerify measures reading and verifying against the limit: SHA-256 of the document and two RSA
// verifications, the signer's and its authority's, of which the second is made here beside.
func BenchmarkVerify(b *testing.B) {
	for name, c := range map[string]struct {
		p     Profile
		mixed bool
	}{"inclusive": {}, "exclusive": {p: Profile{Exclusive: true, Prefix: "ds"}}, "mixed inclusive": {mixed: true}, "mixed exclusive": {p: Profile{Exclusive: true}, mixed: true}} {
		document := signed100k(b, c.p, c.mixed)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(document)))
			b.ReportAllocs()
			for b.Loop() {
				d, err := Parse(document)
				if err != nil {
					b.Fatal(err)
				}
				r := d.VerifyAll(Options{})[0]
				d.Tree.Free()
				if !r.holds() || !r.Whole || r.Embedded[0].CheckSignatureFrom(r.Embedded[1]) != nil {
					b.Fatal("it is not valid")
				}
			}
		})
	}
	document := signed100k(b, Profile{}, true)
	pki := signtest.New(b)
	key := pki.RSA.Certificate.PublicKey.(*rsa.PublicKey)
	sum := sha256.Sum256(document)
	value, err := pki.RSA.Key.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("limit", func(b *testing.B) {
		b.SetBytes(int64(len(document)))
		for b.Loop() {
			sum := sha256.Sum256(document)
			for range 2 {
				if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], value) != nil {
					b.Fatal("it is not valid")
				}
			}
		}
	})
}

// BenchmarkXmlsec measures the peer, as a process for a thousand documents.
func BenchmarkXmlsec(b *testing.B) {
	if _, err := exec.LookPath("xmlsec1"); err != nil {
		b.Skip("xmlsec1 is not installed")
	}
	path := filepath.Join(b.TempDir(), "signed.xml")
	if err := os.WriteFile(path, signed100k(b, Profile{}, true), 0o600); err != nil {
		b.Fatal(err)
	}
	root := signtest.WritePEM(b, "root.pem", signtest.New(b).Root.Certificate)
	const repeat = 200
	b.Run("in process", func(b *testing.B) {
		for b.Loop() {
			if out, err := exec.Command("xmlsec1", "--verify", "--repeat", fmt.Sprint(repeat), "--trusted-pem", root, path).CombinedOutput(); err != nil {
				b.Fatal(string(out))
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/repeat, "ns/document")
	})
	b.Run("a process each", func(b *testing.B) {
		for b.Loop() {
			if out, err := exec.Command("xmlsec1", "--verify", "--trusted-pem", root, path).CombinedOutput(); err != nil {
				b.Fatal(string(out))
			}
		}
	})
}
