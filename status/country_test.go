package status_test

import (
	"context"
	"crypto/x509"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"encoding/pem"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/status"
)

// country is one authority with its set, responder and publisher under a clock of the test.
type country struct {
	ca        *certtest.Authority
	set       *status.Set
	responder *status.Responder
	publisher *status.Publisher
	ocsp      *httptest.Server
	crl       *httptest.Server

	mu     sync.Mutex
	now    time.Time
	signed int
}

func (c *country) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *country) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *country) signatures() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.signed
}

func newCountry(t testing.TB, suite cert.Suite, cadence status.Cadence, now time.Time) *country {
	t.Helper()
	c := &country{ca: certtest.NewAuthority(t, jitsuin.SignCert, suite, 1), set: status.NewSet(jitsuin.SignCert, codec()), now: now}
	tmpl, key := c.ca.Responder(t, 1)
	sign := func(_ context.Context, tbs []byte) ([]byte, error) {
		c.mu.Lock()
		c.signed++
		c.mu.Unlock()
		return certtest.SignTBS(key, tbs)
	}
	var err error
	c.responder, err = status.NewResponder([]status.Authority{{CA: c.ca.Cert, Set: c.set, Responder: c.ca.Issue(t, tmpl), Sign: sign}},
		status.ResponderOptions{Cadence: cadence, Clock: c.clock})
	if err != nil {
		t.Fatal(err)
	}
	c.publisher, err = status.NewPublisher(status.PublisherOptions{CA: c.ca.Cert, Set: c.set, Sign: c.ca.Sign, Clock: c.clock, Cadence: cadence,
		Towns: []jitsuin.MunicipalityCode{"91201", "91202"}, DistributionPoint: func(code jitsuin.MunicipalityCode) []byte {
			place := certtest.Town
			if code != "91201" {
				place.Municipality = "Yuunagi-machi"
			}
			return cert.Sandbox().DistributionPoint(jitsuin.SignCert, place)
		}})
	if err != nil {
		t.Fatal(err)
	}
	c.ocsp, c.crl = httptest.NewServer(c.responder), httptest.NewServer(c.publisher)
	t.Cleanup(c.ocsp.Close)
	t.Cleanup(c.crl.Close)
	return c
}

// resident issues a certificate and tells the set.
func (c *country) resident(t testing.TB, ordinal uint64) *x509.Certificate {
	t.Helper()
	leaf := c.ca.Issue(t, c.ca.Resident(t, serial(t, ordinal).Big()))
	issue(t, c.set, ordinal, "91201")
	return leaf
}

func ask(t testing.TB, r cert.Revocation, leaf, issuer *x509.Certificate, at time.Time, want cert.State) cert.Status {
	t.Helper()
	st, err := r.Status(t.Context(), leaf, issuer, at)
	if err != nil || st.State != want || want == cert.Unknown && st.Why == "" {
		t.Errorf("want %s, got %+v, %v", want, st, err)
	}
	return st
}

// judge runs a program that we did not write; without it the test is skipped loudly, in CI it fails.
func judge(t *testing.T, name string, args ...string) (output string, ok bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the judge %s is missing", name)
		}
		t.Skipf("SKIPPED WITHOUT ITS JUDGE: %s is not installed", name)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	return string(out), err == nil
}

func file(t *testing.T, name, label string, der []byte) string {
	t.Helper()
	if label != "" {
		der = pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, der, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
