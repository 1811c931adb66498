package pades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
	"github.com/jitsuin/jitsuin/signature/seal"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// now is when the documents of the tests are signed.
var now = signtest.Now

var styles = map[string]pdftest.Style{"table": pdftest.Table, "stream": pdftest.Stream, "packed": pdftest.Packed, "hybrid": pdftest.Hybrid, "predictor": pdftest.Predict}

// document is a page in a style.
func document(style pdftest.Style) []byte { return pdftest.Simple(style, "a contract").Bytes }

// hanako signs as the invented resident.
func hanako(t testing.TB) *pades.Signer {
	j := signtest.NewJPKI(t)
	return &pades.Signer{Certificate: j.Sign.Certificate, Key: j.Sign.Key}
}

// options are those of most tests.
func options() pades.Options { return pades.Options{At: now, Name: signtest.Hanako.Name} }

// stamper is a time-stamping authority at an instant.
func stamper(t testing.TB, at time.Time) cms.Timestamper {
	a := signtest.NewTSA(t)
	return func(ctx context.Context, h crypto.Hash, sum []byte) ([]byte, error) {
		q, err := tsp.NewRequest(h, sum, nil)
		if err != nil {
			return nil, err
		}
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
		if err != nil {
			return nil, err
		}
		return a.Issuer().Token(ctx, q, serial.Add(serial, big.NewInt(1)), at)
	}
}

// impression is a seal on the first page.
func impression(t testing.TB, x, y float64) *pades.Appearance {
	t.Helper()
	s, err := seal.New(seal.Family(signtest.Hanako.Name))
	if err != nil {
		t.Fatal(err)
	}
	return &pades.Appearance{Seal: s, Page: 1, X: x, Y: y}
}

// mustSign signs, and holds the result to what every signed document must be.
func mustSign(t testing.TB, s *pades.Signer, in []byte, o pades.Options) []byte {
	t.Helper()
	out, err := s.Sign(t.Context(), in, o)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out, in) {
		t.Fatal("what was there is not a prefix of what is there now")
	}
	return out
}

// signatures reads the signatures of a document and holds each to its rules, and its value to what it covers.
func signatures(t testing.TB, document []byte) []*pdf.Signature {
	t.Helper()
	d, err := pdf.Read(document)
	if err != nil {
		t.Fatal(err)
	}
	all, err := d.Signatures()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if len(s.Faults) > 0 || s.Forbidden() || s.Orphan {
			t.Errorf("%v: faults %v, forbidden %t (%v), orphan %t", s.Fields, s.Faults, s.Forbidden(), s.Changes, s.Orphan)
			continue
		}
		ranges := d.Ranges(s)
		covered := append(bytes.Clone(ranges[0]), ranges[1]...)
		if !fits(t, s, covered) {
			t.Errorf("%v: the value does not fit", s.Fields)
		}
	}
	return all
}

func fits(t testing.TB, s *pdf.Signature, covered []byte) bool {
	t.Helper()
	if s.Stamped {
		token, err := tsp.Parse(s.Contents)
		return err == nil && token.VerifyBytes(covered, nil).Intact()
	}
	sd, err := cms.Parse(s.Contents)
	if err != nil || len(sd.Signers) != 1 {
		t.Error(err)
		return false
	}
	digests, err := sd.Digest(t.Context(), bytes.NewReader(covered))
	if err != nil {
		t.Fatal(err)
	}
	return sd.Verify(sd.Signers[0], digests, nil).Intact()
}

// judges asks pdfsig and qpdf about a document with n signatures, the last of which covers all.
func judges(t *testing.T, document []byte, n int) {
	t.Helper()
	file := signtest.Write(t, "signed.pdf", document)
	if out, err := signtest.Judge(t, "qpdf", "--check", file); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	out, _ := signtest.Judge(t, "pdfsig", "-nocert", file) // its exit code speaks of certificates
	if valid, whole := strings.Count(out, "Signature is Valid."), strings.Count(out, "Total document signed"); valid != n || whole != 1 {
		t.Errorf("pdfsig finds %d of %d signatures valid, %d of them over all:\n%s", valid, n, whole, out)
	}
}

// code gives the code of an error, and fails the test where a document came along with it.
func code(t testing.TB, out []byte, err error) string {
	t.Helper()
	if err != nil && out != nil {
		t.Error("a document came along with the error")
	}
	if jitsuin.KindOf(err) == jitsuin.Internal && err != nil {
		t.Errorf("an error that is nobody's: %v", err)
	}
	return jitsuin.CodeOf(err)
}
