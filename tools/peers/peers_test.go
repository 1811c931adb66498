// Package peers measures other Go libraries beside the verifier, in one process and on the same documents. They
// are required here and not by the program.
package peers

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"crypto/rand"
	"crypto/x509/pkix"

	"github.com/beevik/etree"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/smallstep/pkcs7"
)

// BenchmarkCMS verifies a detached signature over 100 kB with its chain.
func BenchmarkCMS(b *testing.B) {
	p := people(b)
	content := bytes.Repeat([]byte("0123456789abcdef"), 100_000/16)
	signer := signature.DocumentSigner{Certificate: p.leaf, Key: p.key}
	der, err := signer.Detached(context.Background(), bytes.NewReader(content), p.now)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("jitsuin", func(b *testing.B) {
		policy := signature.Policy{Anchors: []*x509.Certificate{p.ca}, At: p.now, AnyKind: true}
		for b.Loop() {
			r, err := signature.Verify(context.Background(), signature.Input{Signature: der, Content: bytes.NewReader(content)}, policy)
			if err != nil || r.Integrity != signature.Intact || !r.Chain.OK {
				b.Fatal(err, r)
			}
		}
	})
	b.Run("smallstep/pkcs7", func(b *testing.B) {
		roots := x509.NewCertPool()
		roots.AddCert(p.ca)
		for b.Loop() {
			p7, err := pkcs7.Parse(der)
			if err != nil {
				b.Fatal(err)
			}
			p7.Content = content
			if err := p7.VerifyWithChainAtTime(roots, p.now); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkXML verifies an enveloped signature over a form of 100 kB, of fewer elements than the other library
// gives up at.
func BenchmarkXML(b *testing.B) {
	p := people(b)
	var form strings.Builder
	form.WriteString(`<DataRoot xmlns="urn:x-example:form">`)
	for i := 0; form.Len() < 100_000; i++ {
		fmt.Fprintf(&form, `<detail number="%d"><name>Example Hanako</name><amount unit="yen">%d</amount><note>%s</note></detail>`, i, i*1234, strings.Repeat("words ", 90))
	}
	form.WriteString(`</DataRoot>`)
	signed, err := xmldsig.Sign([]byte(form.String()), []xmldsig.Target{{Document: true}}, []*x509.Certificate{p.leaf}, p.key, xmldsig.Profile{Prefix: "ds"})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("jitsuin", func(b *testing.B) {
		policy := signature.Policy{Anchors: []*x509.Certificate{p.ca}, At: p.now, AnyKind: true}
		for b.Loop() {
			r, err := signature.Verify(context.Background(), signature.Input{Signature: signed}, policy)
			if err != nil || r.Integrity != signature.Intact || !r.Chain.OK {
				b.Fatal(err, r)
			}
		}
	})
	b.Run("russellhaering/goxmldsig", func(b *testing.B) {
		trusted := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{p.leaf}}) // it builds no path
		for b.Loop() {
			document := etree.NewDocument()
			if err := document.ReadFromBytes(signed); err != nil {
				b.Fatal(err)
			}
			if _, err := trusted.Validate(document.Root()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// person is an authority and one certificate below it.
type person struct {
	ca, leaf *x509.Certificate
	key      *rsa.PrivateKey
	now      time.Time
}

func people(b *testing.B) person {
	b.Helper()
	p := person{now: time.Now().Truncate(time.Second)}
	authority := newKey(b)
	p.key = newKey(b)
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "An authority for measuring"}, NotBefore: p.now.Add(-time.Hour), NotAfter: p.now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	p.ca = issue(b, t, t, authority, authority)
	t.SerialNumber, t.Subject.CommonName, t.IsCA, t.KeyUsage = big.NewInt(2), "A person for measuring", false, x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment
	p.leaf = issue(b, t, p.ca, p.key, authority)
	return p
}

func newKey(b *testing.B) *rsa.PrivateKey {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	return key
}

func issue(b *testing.B, t, parent *x509.Certificate, key, by *rsa.PrivateKey) *x509.Certificate {
	b.Helper()
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), by)
	if err != nil {
		b.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		b.Fatal(err)
	}
	return c
}
