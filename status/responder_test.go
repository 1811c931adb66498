package status_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
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
	"golang.org/x/crypto/ocsp"
)

func TestOpensslAsksTheResponder(t *testing.T) {
	for _, suite := range []cert.Suite{cert.RSA2048SHA256, cert.P384SHA384} {
		now := time.Now() // openssl compares with the wall clock
		if now.After(certtest.Now.AddDate(0, 11, 0)) {
			now = certtest.Now
		}
		c := newCountry(t, suite, status.Immediate, now)
		good, dead := c.resident(t, 1), c.resident(t, 2)
		never := c.ca.Issue(t, c.ca.Resident(t, serial(t, 3).Big()))
		apply(t, c.set, event(t, 2, 2, status.Revoked, now.Add(-time.Hour)))
		ca := file(t, "ca.pem", "CERTIFICATE", c.ca.Cert.Raw)
		for _, q := range []struct {
			der   []byte
			want  string
			nonce string
		}{{good.Raw, ": good", "-nonce"}, {good.Raw, ": good", "-no_nonce"}, {dead.Raw, "Reason: affiliationChanged", "-nonce"}, {never.Raw, ": unknown", "-nonce"}} {
			out, ok := judge(t, "openssl", "ocsp", "-issuer", ca, "-cert", file(t, "leaf.pem", "CERTIFICATE", q.der), "-CAfile", ca,
				"-url", c.ocsp.URL, q.nonce, "-attime", strconv.FormatInt(now.Unix(), 10), "-validity_period", "31536000")
			if !ok || !strings.Contains(out, "Response verify OK") || !strings.Contains(out, q.want) || strings.Contains(out, "WARNING") && q.nonce == "-nonce" {
				t.Errorf("%s: openssl says %s", suite, out)
			}
		}
	}
}

func TestXCryptoReadsTheResponses(t *testing.T) {
	c := newCountry(t, cert.RSA2048SHA256, status.Immediate, certtest.Now)
	leaf := c.resident(t, 1)
	q, err := ocsp.CreateRequest(leaf, c.ca.Cert, &ocsp.RequestOptions{Hash: crypto.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	der, _ := c.responder.Respond(t.Context(), q)
	r, err := ocsp.ParseResponseForCert(der, leaf, c.ca.Cert)
	if err != nil || r.Status != ocsp.Good || r.SerialNumber.Cmp(leaf.SerialNumber) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAChangeTakesEffectAtOnceOrAtTheQuarterHour(t *testing.T) {
	start := certtest.Now.Add(2 * time.Minute)
	for _, cadence := range []status.Cadence{status.Immediate, status.Official} {
		c := newCountry(t, cert.P384SHA384, cadence, start)
		leaf := c.resident(t, 1)
		client := &status.OCSPClient{URL: c.ocsp.URL, Clock: c.clock, Lenient: true}
		ask(t, client, leaf, c.ca.Cert, c.clock(), cert.Good)
		ask(t, client, leaf, c.ca.Cert, c.clock(), cert.Good)
		if c.signatures() != 1 {
			t.Errorf("%s: two equal questions cost %d signatures", cadence, c.signatures())
		}
		c.pass(time.Minute)
		apply(t, c.set, event(t, 1, 2, status.Held, c.clock()))
		if cadence == status.Immediate {
			ask(t, client, leaf, c.ca.Cert, c.clock(), cert.Revoked)
		} else {
			ask(t, client, leaf, c.ca.Cert, c.clock(), cert.Good)
			c.pass(12 * time.Minute)
			st := ask(t, client, leaf, c.ca.Cert, c.clock(), cert.Revoked)
			if !st.ThisUpdate.Equal(certtest.Now.Add(15 * time.Minute)) {
				t.Errorf("the answer is of %v, not of the quarter hour", st.ThisUpdate)
			}
		}
		apply(t, c.set, event(t, 1, 3, status.Released, c.clock()))
		c.pass(15 * time.Minute)
		ask(t, client, leaf, c.ca.Cert, c.clock(), cert.Good)
	}
}

func TestTheClientFailsClosed(t *testing.T) {
	c := newCountry(t, cert.P384SHA384, status.Immediate, certtest.Now)
	leaf := c.resident(t, 1)
	client := &status.OCSPClient{URL: c.ocsp.URL, Clock: c.clock, Random: rand.Reader}
	ask(t, client, leaf, c.ca.Cert, c.clock(), cert.Good)

	other := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 2)
	ask(t, client, leaf, other.Cert, c.clock(), cert.Unknown)

	replay := func(change func([]byte) []byte) *status.OCSPClient {
		q, _ := cert.NewCertID(crypto.SHA1, c.ca.Cert, leaf.SerialNumber)
		der, _ := c.responder.Respond(t.Context(), cert.OCSPRequest{IDs: []cert.CertID{q}}.Marshal())
		return &status.OCSPClient{URL: "http://replay.invalid/", Clock: c.clock, Lenient: true, HTTPClient: &http.Client{Transport: canned(change(bytes.Clone(der)))}}
	}
	same := replay(func(b []byte) []byte { return b })
	ask(t, same, leaf, c.ca.Cert, c.clock(), cert.Good)
	ask(t, same, c.resident(t, 2), c.ca.Cert, c.clock(), cert.Unknown)
	ask(t, replay(func(b []byte) []byte { b[len(b)/3] ^= 1; return b }), leaf, c.ca.Cert, c.clock(), cert.Unknown)
	ask(t, replay(func([]byte) []byte { return cert.OCSPTryLater.Response() }), leaf, c.ca.Cert, c.clock(), cert.Unknown)
	ask(t, replay(func([]byte) []byte { return make([]byte, 1<<20) }), leaf, c.ca.Cert, c.clock(), cert.Unknown)
	same.Random, same.Lenient = rand.Reader, false
	ask(t, same, leaf, c.ca.Cert, c.clock(), cert.Unknown) // a replay has no nonce
	same.Random, same.Lenient = nil, true
	c.pass(time.Hour)
	if st := ask(t, same, leaf, c.ca.Cert, c.clock(), cert.Unknown); !st.Stale {
		t.Errorf("an old answer is %+v", st)
	}
	c.ocsp.Close()
	if st := ask(t, client, leaf, c.ca.Cert, c.clock(), cert.Unknown); st.Why != "the status service does not answer" {
		t.Error(st.Why)
	}
}

// canned answers every request with the same octets.
type canned []byte

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(c))}, nil
}

func TestHTTPOfTheResponder(t *testing.T) {
	c := newCountry(t, cert.P384SHA384, status.Official, certtest.Now.Add(time.Minute))
	leaf := c.resident(t, 1)
	id, _ := cert.NewCertID(crypto.SHA1, c.ca.Cert, leaf.SerialNumber)
	der := cert.OCSPRequest{IDs: []cert.CertID{id}}.Marshal()
	stranger, _ := cert.NewCertID(crypto.SHA1, leaf, big.NewInt(1))
	do := func(method, path, media string, body []byte) (*http.Response, []byte) {
		t.Helper()
		q, err := http.NewRequest(method, c.ocsp.URL+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", media)
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, _ := io.ReadAll(a.Body)
		return a, b
	}
	const media = "application/ocsp-request"
	get := "/" + strings.ReplaceAll(base64.StdEncoding.EncodeToString(der), "/", "%2F")
	if a, b := do("GET", get, "", nil); a.StatusCode != 200 || a.Header.Get("Cache-Control") != "max-age=840, public, no-transform, must-revalidate" || len(b) < 100 {
		t.Error("GET:", a.Status, a.Header, len(b))
	}
	if a, b := do("GET", "/"+base64.StdEncoding.EncodeToString(der), "", nil); a.StatusCode != 200 || len(b) < 100 {
		t.Error("GET without escapes:", a.Status, len(b))
	}
	for _, x := range []struct {
		method, path, media string
		body                []byte
		code                int
		want                []byte
	}{
		{"POST", "/", media, []byte("rubbish"), 200, cert.OCSPMalformedRequest.Response()},
		{"POST", "/", media, append(bytes.Clone(der), 0), 200, cert.OCSPMalformedRequest.Response()},
		{"GET", "/rubbish", "", nil, 200, cert.OCSPMalformedRequest.Response()},
		{"POST", "/", media, cert.OCSPRequest{IDs: []cert.CertID{stranger}}.Marshal(), 200, cert.OCSPUnauthorized.Response()},
		{"POST", "/", media, cert.OCSPRequest{IDs: []cert.CertID{id, stranger}}.Marshal(), 200, cert.OCSPUnauthorized.Response()},
		{"POST", "/", media, make([]byte, 5000), 413, nil},
		{"POST", "/", "text/plain", der, 415, nil},
		{"PUT", "/", media, der, 405, nil},
	} {
		if a, b := do(x.method, x.path, x.media, x.body); a.StatusCode != x.code || x.want != nil && !bytes.Equal(b, x.want) {
			t.Errorf("%s %s: %s %x", x.method, x.path, a.Status, b)
		}
	}
}

func TestABusyOrBrokenSignerIsAnError(t *testing.T) {
	ca := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 1)
	set := status.NewSet(jitsuin.SignCert, codec())
	issue(t, set, 1, "91201")
	tmpl, _ := ca.Responder(t, 1)
	started, finish := make(chan bool), make(chan error)
	r, err := status.NewResponder([]status.Authority{{CA: ca.Cert, Set: set, Responder: ca.Issue(t, tmpl), Sign: func(context.Context, []byte) ([]byte, error) {
		started <- true
		return nil, <-finish
	}}}, status.ResponderOptions{Clock: func() time.Time { return certtest.Now }, MaxSigning: 1})
	if err != nil {
		t.Fatal(err)
	}
	id, _ := cert.NewCertID(crypto.SHA1, ca.Cert, serial(t, 1).Big())
	q := cert.OCSPRequest{IDs: []cert.CertID{id}}.Marshal()
	first := make(chan []byte)
	go func() { der, _ := r.Respond(context.Background(), q); first <- der }()
	<-started
	if der, _ := r.Respond(t.Context(), q); !bytes.Equal(der, cert.OCSPTryLater.Response()) {
		t.Errorf("while all signers are busy: %x", der)
	}
	finish <- errors.New("broken")
	if der := <-first; !bytes.Equal(der, cert.OCSPInternalError.Response()) {
		t.Errorf("with a broken signer: %x", der)
	}
}
