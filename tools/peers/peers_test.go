// Package peers measures other Go libraries beside the verifier, in one process and on the same documents. They
// are required here and not by the program.
package peers

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"crypto/rand"
	"crypto/x509/pkix"

	"github.com/jitsuin/jitsuin/signature"
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
