package verifier_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/report"
	"github.com/jitsuin/jitsuin/verifier"
)

// ordinary is a certificate outside the JPKI with its key.
type ordinary struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newOrdinary(t testing.TB, name string, serial int64, ca bool, by *ordinary) *ordinary {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{Country: []string{"JP"}, CommonName: name}, NotBefore: certtest.Now.AddDate(-1, 0, 0),
		NotAfter: certtest.Now.AddDate(3, 0, 0), BasicConstraintsValid: true, IsCA: ca, KeyUsage: x509.KeyUsageDigitalSignature}
	if ca {
		tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	o := &ordinary{key: key}
	parent, signer := tmpl, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err == nil {
		o.cert, err = cert.Parse(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *ordinary) list(t testing.TB, made time.Time, serials ...int64) []byte {
	t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(made.Unix()), ThisUpdate: made, NextUpdate: made.Add(24 * time.Hour)}
	for _, n := range serials {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(n), RevocationTime: made.Add(-time.Hour)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, o.cert, o.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// The status of an authority above the signer's counts as much as the signer's: where its list had ended, that is said,
// whatever is known of the signer.
func TestTheListAboveCountsAsMuch(t *testing.T) {
	root := newOrdinary(t, "Root", 1, true, nil)
	between := newOrdinary(t, "Between", 2, true, root)
	leaf := newOrdinary(t, "Somebody", 3, false, between)
	s := cms.Signer{Certificate: leaf.cert, Key: leaf.key, Others: []*x509.Certificate{between.cert}}
	signed, err := s.Detached(context.Background(), bytes.NewReader(contract), certtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	job := verifier.Job{Signed: signed, Documents: []verifier.Document{{Content: contract}}}
	made := certtest.Now.Add(-time.Hour)
	office := func(more ...string) *office {
		o := newOffice(t, append(more, "intermediates: between")...)
		o.write("anchors/root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.cert.Raw}))
		if err := os.Mkdir(filepath.Join(o.folder, "between"), 0o700); err != nil {
			t.Fatal(err)
		}
		o.write("between/b.der", between.cert.Raw)
		o.write("status/root.crl", root.list(t, made))
		o.write("status/between.crl", between.list(t, made.Add(20*time.Hour)))
		o.pass(30 * time.Hour) // the root's list has ended, the other has not
		o.open()
		return o
	}
	o := office("outside_jpki: true")
	if d := o.judge(job, signature.Indeterminate, signature.TryLater); !strings.Contains(reasons(d), "status-ended") {
		t.Errorf("%+v", d.Reasons)
	}
	o = office("outside_jpki: true", "grace: 12h")
	d := o.judge(job, signature.Passed, "")
	if d.Reasons[0].Code != report.StatusOverdue || d.Legal.Action != report.AcceptWithCare || len(d.Signatures[0].Warnings) == 0 {
		t.Errorf("%+v", d.Reasons)
	}
	o.write("status/root2.crl", root.list(t, made.Add(25*time.Hour), 2))
	o.open()
	o.judge(job, signature.Indeterminate, signature.RevokedCANoPOE)
	// without the switch nobody outside the JPKI passes
	o = office("grace: 12h")
	if d, err := o.v.Verify(t.Context(), job); err != nil || d.Verdict == signature.Passed {
		t.Errorf("%v %+v", err, d)
	}
}

// Who is trusted for time alone does not answer for certificates of another key of its name.
func TestTimeAnchorsAnswerForThemselves(t *testing.T) {
	next := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 2)
	o := newOffice(t)
	if err := os.Mkdir(filepath.Join(o.folder, "anchors", "time"), 0o700); err != nil {
		t.Fatal(err)
	}
	o.write("anchors/time/next.der", next.Cert.Raw)
	o.write("status/next.crl", o.list(next))
	o.open()
	if s := o.v.State(); len(s.Lists) != 1 || len(s.TimeAnchors) != 1 {
		t.Errorf("%+v", s)
	}
	o.judge(o.job(o.certificate(o.ca, 1)), signature.Indeterminate, signature.TryLater)
	o.judge(o.job(o.certificate(next, 1)), signature.Indeterminate, signature.NoCertificateChain)
}
