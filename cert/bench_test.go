package cert_test

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
)

// The lists of one million only run when asked for: -bench CRL/.*1000000
var listSizes = []int{100_000, 1_000_000}

func BenchmarkCRLBuild(b *testing.B) {
	a := certtest.NewAuthority(b, jitsuin.SignCert, cert.RSA2048SHA256, 1)
	for _, n := range listSizes {
		entries := make([]cert.CRLEntry, 0, n)
		std := make([]x509.RevocationListEntry, 0, n)
		for e := range revoked(n) {
			e.Serial = append([]byte(nil), e.Serial...)
			e.Reason = jitsuin.ReasonAffiliationChanged
			entries = append(entries, e)
			std = append(std, x509.RevocationListEntry{SerialNumber: new(big.Int).SetBytes(e.Serial), RevocationTime: e.RevokedAt, ReasonCode: 3})
		}
		each := func(yield func(cert.CRLEntry) bool) {
			for _, e := range entries {
				if !yield(e) {
					return
				}
			}
		}
		b.Run(fmt.Sprintf("ours-memory/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := listTemplate(a).Build(b.Context(), each, a.Sign); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("ours-streamed/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h := sha256.New()
				if err := listTemplate(a).WriteTBS(h, each); err != nil {
					b.Fatal(err)
				}
				if err := listTemplate(a).Write(io.Discard, each, h.Sum(nil)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("crypto-x509/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: certtest.Now, NextUpdate: certtest.Now.Add(time.Hour), RevokedCertificateEntries: std}
				if _, err := x509.CreateRevocationList(nil, m, a.Cert, a.Key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCRLParse(b *testing.B) {
	a := certtest.NewAuthority(b, jitsuin.SignCert, cert.RSA2048SHA256, 1)
	for _, n := range listSizes {
		der, err := listTemplate(a).Build(b.Context(), revoked(n), a.Sign)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("ours-parse-verify/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, err := cert.ParseCRL(der)
				if err != nil || c.Verify(a.Cert, cert.Algorithms{}) != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("ours-index/%d", n), func(b *testing.B) {
			c, _ := cert.ParseCRL(der)
			for b.Loop() {
				c.BuildIndex()
			}
		})
		b.Run(fmt.Sprintf("crypto-x509-parse-verify/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, err := x509.ParseRevocationList(der)
				if err != nil || c.CheckSignatureFrom(a.Cert) != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCRLLookup(b *testing.B) {
	a := certtest.NewAuthority(b, jitsuin.SignCert, cert.RSA2048SHA256, 1)
	der, err := listTemplate(a).Build(b.Context(), revoked(100_000), a.Sign)
	if err != nil {
		b.Fatal(err)
	}
	c, _ := cert.ParseCRL(der)
	absent := new(big.Int).Lsh(big.NewInt(1), 120)
	b.Run("scan/100000", func(b *testing.B) {
		for b.Loop() {
			c.Lookup(absent)
		}
	})
	c.BuildIndex()
	b.Run("index/100000", func(b *testing.B) {
		for b.Loop() {
			c.Lookup(absent)
		}
	})
}

func BenchmarkSerial(b *testing.B) {
	codec := newCodec(b, "0123456789abcdef")
	s, _ := codec.Encode(1, 123456)
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			codec.Encode(1, 123456)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			codec.Decode(s)
		}
	})
}

func BenchmarkPath(b *testing.B) {
	for _, suite := range suites {
		a := certtest.NewAuthority(b, jitsuin.SignCert, suite, 1)
		leaf := a.Issue(b, a.Resident(b, big.NewInt(42)))
		o := cert.PathOptions{Anchors: []*x509.Certificate{a.Cert}, At: certtest.Now, Kind: jitsuin.SignCert}
		b.Run("ours/"+string(suite), func(b *testing.B) {
			for b.Loop() {
				if _, err := cert.ValidatePath(b.Context(), leaf, o); err != nil {
					b.Fatal(err)
				}
			}
		})
		v := x509.VerifyOptions{Roots: x509.NewCertPool(), CurrentTime: certtest.Now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
		v.Roots.AddCert(a.Cert)
		b.Run("crypto-x509/"+string(suite), func(b *testing.B) {
			for b.Loop() {
				if _, err := leaf.Verify(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTBS(b *testing.B) {
	a := certtest.NewAuthority(b, jitsuin.SignCert, cert.RSA2048SHA256, 1)
	m := a.Resident(b, big.NewInt(42))
	m.Realm = cert.Sandbox()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.TBS(); err != nil {
			b.Fatal(err)
		}
	}
}
