package status_test

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/status"
)

func tick(t testing.TB, c *country, want int) {
	t.Helper()
	if n, err := c.publisher.Tick(t.Context()); err != nil || n != want {
		t.Fatalf("published %d lists, want %d: %v", n, want, err)
	}
}

func TestListsPleaseTheirJudges(t *testing.T) {
	for _, suite := range []cert.Suite{cert.RSA2048SHA256, cert.P384SHA384} {
		c := newCountry(t, suite, status.Immediate, certtest.Now)
		good, dead := c.resident(t, 1), c.resident(t, 2)
		apply(t, c.set, event(t, 2, 2, status.Revoked, c.clock()))
		tick(t, c, 3)
		ca := file(t, "ca.pem", "CERTIFICATE", c.ca.Cert.Raw)
		for _, town := range []jitsuin.MunicipalityCode{"", "91201"} {
			der, _, _ := c.publisher.Current(town)
			list := file(t, "crl.pem", "X509 CRL", der)
			if out, ok := judge(t, "openssl", "crl", "-in", list, "-CAfile", ca, "-noout", "-text"); !ok || !strings.Contains(out, "verify OK") ||
				!strings.Contains(out, "Affiliation Changed") || strings.Contains(out, "Issuing Distribution Point: critical") != (town != "") {
				t.Errorf("openssl crl: %s", out)
			}
			at := strconv.FormatInt(certtest.Now.Add(time.Minute).Unix(), 10)
			if out, ok := judge(t, "openssl", "verify", "-attime", at, "-crl_check", "-CRLfile", list, "-CAfile", ca, file(t, "g.pem", "CERTIFICATE", good.Raw)); !ok {
				t.Errorf("openssl verify of a good certificate: %s", out)
			}
			if out, ok := judge(t, "openssl", "verify", "-attime", at, "-crl_check", "-CRLfile", list, "-CAfile", ca, file(t, "d.pem", "CERTIFICATE", dead.Raw)); ok || !strings.Contains(out, "certificate revoked") {
				t.Errorf("openssl verify of a revoked certificate: %s", out)
			}
			if out, ok := judge(t, "certtool", "--crl-info", "--infile", list); !ok || !strings.Contains(out, "CRL Number") {
				t.Errorf("certtool: %s", out)
			}
		}
	}
}

func TestThePublishersCalendar(t *testing.T) {
	c := newCountry(t, cert.P384SHA384, status.Immediate, certtest.Now)
	c.resident(t, 1)
	tick(t, c, 3)
	tick(t, c, 0)
	_, first, _ := c.publisher.Current("")
	apply(t, c.set, event(t, 1, 2, status.Revoked, c.clock()))
	tick(t, c, 2) // the complete list and the town's, not the other town's
	if _, second, _ := c.publisher.Current(""); second <= first {
		t.Error("the number did not rise")
	}
	c.pass(24 * time.Hour)
	tick(t, c, 3) // they are about to end

	day := newCountry(t, cert.P384SHA384, status.Official, certtest.Now)
	leaf := day.resident(t, 1)
	tick(t, day, 3)
	apply(t, day.set, event(t, 1, 2, status.Revoked, day.clock()))
	day.pass(time.Minute)
	tick(t, day, 0)
	files := &status.Files{Clock: day.clock}
	der, _, _ := day.publisher.Current("")
	if err := files.AddCRL(der); err != nil {
		t.Fatal(err)
	}
	ask(t, files, leaf, day.ca.Cert, day.clock(), cert.Good)
	day.pass(15 * time.Hour) // past midnight JST
	tick(t, day, 3)
	der, _, _ = day.publisher.Current("91201")
	if err := files.AddCRL(der); err != nil {
		t.Fatal(err)
	}
	ask(t, files, leaf, day.ca.Cert, day.clock(), cert.Revoked)
}

func TestARevokedCertificateLeavesTheListsAfterItsExpiry(t *testing.T) {
	c := newCountry(t, cert.P384SHA384, status.Official, certtest.Now)
	c.resident(t, 1)
	apply(t, c.set, event(t, 1, 2, status.Revoked, c.clock()))
	entries := func() int {
		der, _, _ := c.publisher.Current("")
		l, err := cert.ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		return l.Count
	}
	c.pass(24 * time.Hour)
	tick(t, c, 3)
	if entries() != 1 {
		t.Fatal("a revoked certificate is not listed")
	}
	c.mu.Lock()
	c.now = jitsuin.DateOf(certtest.Now.AddDate(4, 0, 1)).Start() // the first midnight after its expiry
	c.mu.Unlock()
	tick(t, c, 3)
	if entries() != 1 {
		t.Error("it must stand on one list that was made after its expiry")
	}
	c.pass(24 * time.Hour)
	tick(t, c, 3)
	if entries() != 0 {
		t.Error("it stands on a second list after its expiry")
	}
}

func TestTheVerifiersCacheFailsClosed(t *testing.T) {
	c := newCountry(t, cert.P384SHA384, status.Immediate, certtest.Now)
	leaf := c.resident(t, 1)
	tick(t, c, 3)
	path := "/91201.crl"
	cache := &status.CRLCache{Clock: c.clock, URL: func(*x509.Certificate) string { return c.crl.URL + path }}
	ask(t, cache, leaf, c.ca.Cert, c.clock(), cert.Good)

	other := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 2)
	if st := ask(t, cache, leaf, other.Cert, c.clock(), cert.Unknown); st.Why == "" {
		t.Error("a list of another key")
	}
	apply(t, c.set, event(t, 1, 2, status.Held, c.clock()))
	tick(t, c, 2)
	ask(t, cache, leaf, c.ca.Cert, c.clock(), cert.Good) // the list at hand still holds
	cache.Refresh = time.Minute
	c.pass(time.Hour)
	if st := ask(t, cache, leaf, c.ca.Cert, c.clock(), cert.Revoked); st.Reason != jitsuin.ReasonCertificateHold {
		t.Error(st.Reason)
	}
	path = "/91202.crl" // the other town's list does not answer for this town
	ask(t, cache, leaf, c.ca.Cert, c.clock(), cert.Unknown)
	path = "/nothing.crl"
	if st := ask(t, cache, leaf, c.ca.Cert, c.clock(), cert.Unknown); st.Why != "the status service does not answer" {
		t.Error(st.Why)
	}
	path = "/91201.crl"
	c.crl.Close()
	c.pass(27 * time.Hour)
	if st := ask(t, cache, leaf, c.ca.Cert, c.clock(), cert.Unknown); !st.Stale {
		t.Errorf("a list that has ended: %+v", st)
	}
}

func TestAnOlderListIsNotBelieved(t *testing.T) {
	c := newCountry(t, cert.P384SHA384, status.Immediate, certtest.Now)
	leaf := c.resident(t, 1)
	tick(t, c, 3)
	before, _, _ := c.publisher.Current("")
	c.pass(time.Hour)
	apply(t, c.set, event(t, 1, 2, status.Revoked, c.clock()))
	tick(t, c, 2)
	now, _, _ := c.publisher.Current("")
	served := now
	cache := &status.CRLCache{Clock: c.clock, Refresh: time.Second, URL: func(*x509.Certificate) string { return "http://lists.invalid/" },
		HTTPClient: &http.Client{Transport: roundTrip(func(q *http.Request) (*http.Response, error) { return canned(served).RoundTrip(q) })}}
	ask(t, cache, leaf, c.ca.Cert, c.clock(), cert.Revoked)
	served = before
	c.pass(time.Hour)
	ask(t, cache, leaf, c.ca.Cert, c.clock(), cert.Revoked)
}

// Generations of an authority share a name. A list that another generation signed is believed, unless that
// generation's own time is over: who gets hold of an old key cannot make today's lists with it.
func TestAnOldGenerationMakesNoListsForToday(t *testing.T) {
	c := newCountry(t, cert.P384SHA384, status.Immediate, certtest.Now)
	leaf := c.resident(t, 1)
	key := certtest.Key(t, cert.P384SHA384, 1002)
	for lastDay, want := range map[jitsuin.Date]cert.State{jitsuin.DateOf(certtest.Now): cert.Good, jitsuin.DateOf(certtest.Now).AddDays(-1): cert.Unknown} {
		other := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 2)
		other.Cert = other.Issue(t, &cert.Template{Profile: cert.ProfileCA, Kind: jitsuin.SignCert, Serial: big.NewInt(9), Key: key.Public(),
			NotBefore: certtest.Now.AddDate(-5, 0, 0), LastDay: lastDay})
		anchors := []*x509.Certificate{c.ca.Cert, other.Cert}
		for _, made := range []time.Time{certtest.Now, certtest.Now.AddDate(0, 0, -2)} { // dated back does not help
			list := &cert.CRLTemplate{Issuer: other.Cert, Number: 1, ThisUpdate: made, NextUpdate: certtest.Now.Add(time.Hour)}
			der, err := list.Build(t.Context(), func(func(cert.CRLEntry) bool) {}, other.Sign)
			if err != nil {
				t.Fatal(err)
			}
			files := &status.Files{Clock: c.clock, Anchors: anchors}
			if err := files.AddCRL(der); err != nil {
				t.Fatal(err)
			}
			ask(t, files, leaf, c.ca.Cert, certtest.Now, want)
			cache := &status.CRLCache{Clock: c.clock, Anchors: anchors, HTTPClient: &http.Client{Transport: canned(der)},
				URL: func(*x509.Certificate) string { return "http://lists.invalid/" }}
			ask(t, cache, leaf, c.ca.Cert, certtest.Now, want)
		}
	}
}

// A publisher that was started anew goes on numbering where the one before it stood, however many lists that one made.
func TestNumbersRiseOverARestart(t *testing.T) {
	c := newCountry(t, cert.P384SHA384, status.Immediate, certtest.Now)
	c.resident(t, 1)
	tick(t, c, 3)
	before := uint64(0)
	for _, n := range c.publisher.Numbers() {
		before = max(before, n)
	}
	c.pass(10 * time.Millisecond)
	after, err := status.NewPublisher(status.PublisherOptions{CA: c.ca.Cert, Set: c.set, Sign: c.ca.Sign, Clock: c.clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := after.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, n, _ := after.Current(""); n <= before {
		t.Errorf("a list has the number %d, one before the restart had %d", n, before)
	}
}

func TestADeadServiceIsNotAskedAgainAtOnce(t *testing.T) {
	c := newCountry(t, cert.P384SHA384, status.Immediate, certtest.Now)
	leaf := c.resident(t, 1)
	asked := 0
	cache := &status.CRLCache{Clock: c.clock, URL: func(*x509.Certificate) string { return "http://lists.invalid/" },
		HTTPClient: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { asked++; return nil, http.ErrServerClosed })}}
	for range 3 {
		ask(t, cache, leaf, c.ca.Cert, c.clock(), cert.Unknown)
	}
	c.pass(6 * time.Second)
	ask(t, cache, leaf, c.ca.Cert, c.clock(), cert.Unknown)
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }

func TestFilesOfACommandLine(t *testing.T) {
	c := newCountry(t, cert.P384SHA384, status.Immediate, certtest.Now)
	leaf := c.resident(t, 1)
	files := &status.Files{}
	ask(t, files, leaf, c.ca.Cert, c.clock(), cert.Unknown)
	tick(t, c, 3)
	der, _, _ := c.publisher.Current("")
	if err := files.AddCRL(der); err != nil {
		t.Fatal(err)
	}
	ask(t, files, leaf, c.ca.Cert, c.clock(), cert.Good)
	ask(t, files, leaf, c.ca.Cert, c.clock().Add(-time.Hour), cert.Unknown) // made later than asked, and nobody says what time it is
	files.Clock = c.clock
	ask(t, files, leaf, c.ca.Cert, c.clock().Add(-time.Hour), cert.Good)
	ask(t, files, leaf, c.ca.Cert, c.clock().Add(time.Hour), cert.Unknown) // nobody knows yet
	if st := ask(t, files, leaf, c.ca.Cert, c.clock().Add(48*time.Hour), cert.Unknown); !st.Stale {
		t.Error("an ended list is not stale")
	}
	forged := bytes.Clone(der)
	forged[len(forged)-10] ^= 1
	bad := &status.Files{Clock: c.clock}
	if err := bad.AddCRL(forged); err != nil {
		t.Fatal(err)
	}
	ask(t, bad, leaf, c.ca.Cert, c.clock(), cert.Unknown)
	if err := bad.AddCRL([]byte("rubbish")); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Error(err)
	}
	p, err := cert.ValidatePath(t.Context(), leaf, cert.PathOptions{Anchors: []*x509.Certificate{c.ca.Cert}, At: c.clock(), Revocation: files})
	if err != nil || p.Status.Source != cert.SourceCRL {
		t.Errorf("%+v, %v", p, err)
	}
}
