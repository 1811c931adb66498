package tsp_test

import (
	gocontext "context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// BenchmarkIssue makes a token with a P-256 key; BenchmarkIssueLimit is the signature alone, twice,
// because cms checks what the key returns.
func BenchmarkIssue(b *testing.B) {
	i, q := signtest.NewTSA(b).Issuer(), request(b, document)
	for b.Loop() {
		if _, err := i.Token(gocontext.Background(), q, big.NewInt(11), signtest.Now); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
}

func BenchmarkIssueLimit(b *testing.B) {
	key := signtest.NewTSA(b).Unit.Key
	sum := sha256.Sum256(document)
	for b.Loop() {
		value, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
		if err != nil || !ecdsa.VerifyASN1(key.Public().(*ecdsa.PublicKey), sum[:], value) {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
}

// BenchmarkVerify reads and verifies a token; BenchmarkVerifyLimit is its one signature.
func BenchmarkVerify(b *testing.B) {
	der := signtest.NewTSA(b).Stamp(b, document, signtest.Now)
	b.ReportAllocs()
	for b.Loop() {
		token, err := tsp.Parse(der)
		if err != nil || !token.VerifyBytes(document, nil).Intact() {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
}

func BenchmarkVerifyLimit(b *testing.B) {
	key := signtest.NewTSA(b).Unit.Key
	sum := sha256.Sum256(document)
	value, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !ecdsa.VerifyASN1(key.Public().(*ecdsa.PublicKey), sum[:], value) {
			b.Fatal("the limit measures nothing")
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
}
