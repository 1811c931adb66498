package signature_test

import (
	"context"
	"testing"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// judgePDF reports on a file with trust left out.
func judgePDF(t testing.TB, b []byte) *signature.Report {
	t.Helper()
	r, err := signature.Verify(context.Background(), signature.Input{Signature: b}, signature.Policy{AnchorsNone: true, At: signtest.Now, AnyKind: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rent is a contract of one page that somebody signed.
func rent(t testing.TB) *pdftest.File {
	t.Helper()
	f := pdftest.Simple(pdftest.Table, "The rent is 80,000 yen.")
	f.Sign(t, signtest.New(t).RSA, pdftest.Sig{Field: "Tenant", Keys: "/Reason(I agree)"})
	return f
}

func TestPDFWhole(t *testing.T) {
	r := judgePDF(t, rent(t).Bytes)
	if len(r.Signatures) != 1 || r.ExitCode() != signature.ExitPassed || r.Format != signature.FormatPAdES {
		t.Fatalf("%s %s: %+v", r.Verdict, r.Format, r.Signatures)
	}
	s := r.Signatures[0]
	if s.Coverage != signature.Whole || s.ModifiedAfter || s.Name != "Tenant" || s.Level != "B-B" || s.PDF.Reason != "I agree" ||
		s.PDF.Revision != 2 || s.PDF.Revisions != 2 {
		t.Errorf("%+v %+v", s, s.PDF)
	}
}

func TestPDFChangedAfterwards(t *testing.T) {
	f := rent(t)
	f.Update(pdftest.Update{Objects: map[int]string{pdftest.Content: pdftest.StreamOf("", "BT /F1 12 Tf 72 770 Td (The rent is 8,000 yen.) Tj ET")}})
	r := judgePDF(t, f.Bytes)
	s := r.Signatures[0]
	if r.Verdict != signature.Failed || r.Integrity != signature.Broken || r.ExitCode() != signature.ExitFailed ||
		!s.ModifiedAfter || s.Modification != signature.Forbidden || s.Coverage != signature.Revision {
		t.Fatalf("%s %s %+v", r.Verdict, r.Integrity, s)
	}
}

func TestPDFWithoutSignature(t *testing.T) {
	r := judgePDF(t, pdftest.Simple(pdftest.Stream, "The rent is 80,000 yen.").Bytes)
	if r.Verdict != signature.Failed || r.Reasons[0].Code != "no-signature" {
		t.Fatalf("%s %+v", r.Verdict, r.Reasons)
	}
}

func TestPDFSignedBySeveral(t *testing.T) {
	f := rent(t)
	f.Sign(t, signtest.New(t).Other, pdftest.Sig{Field: "Landlord", SubFilter: "adbe.pkcs7.detached", Style: pdftest.Table})
	r := judgePDF(t, f.Bytes)
	if len(r.Signatures) != 2 || r.ExitCode() != signature.ExitPassed || r.Signatures[0].Modification != signature.Allowed {
		t.Fatalf("%s %+v", r.Verdict, r.Signatures)
	}
}
