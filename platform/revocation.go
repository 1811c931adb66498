package platform

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/status"
)

// statusTimeout bounds one question to the status origin.
const statusTimeout = 5 * time.Second

// witness is a cert.Revocation for one check that keeps what was answered of each certificate as
// evidence: the signer's, and those above it or behind time-stamps.
type witness struct {
	source  cert.Revocation
	tape    *tape // nil where lists are asked
	present bool  // the check is about now: what is told to be dead meanwhile is not good
	heard   map[string]heard
	count   counters
}

// heard is the first answer about one certificate.
type heard struct {
	status cert.Status
	answer []byte // of the origin, with tape
}

// maxHeard is of how many certificates answers are kept; the signer's is among the first.
const maxHeard = 32

// newWitness makes the witness of one check: OCSP with a nonce, or the lists, as the platform is set. present is for a check
// that is no look back.
func (p *Platform) newWitness(present bool) *witness { return p.witnessBy(p.cfg.Validity, present) }

// witnessBy is newWitness for a tenant whose checks ask in a way of their own.
func (p *Platform) witnessBy(validity string, present bool) *witness {
	if validity == ValidityCRL {
		return &witness{source: p.lists, present: present, heard: map[string]heard{}, count: p.count}
	}
	t := &tape{next: gate{p.Remote(p.cfg.Status), &p.denied}}
	return &witness{tape: t, present: present, heard: map[string]heard{}, count: p.count, source: &status.OCSPClient{URL: "http://callee" + p.cfg.OCSPPath,
		HTTPClient: &http.Client{Transport: t}, Timeout: statusTimeout, Clock: p.Clock.Now, Random: rand.Reader}}
}

// newLists makes the cache of revocation lists (CRL提供方式).
func (p *Platform) newLists() *status.CRLCache {
	client := p.Remote(p.cfg.Status).HTTPClient()
	client.Transport = gate{client.Transport, &p.denied}
	return &status.CRLCache{HTTPClient: client, Timeout: statusTimeout, Clock: p.Clock.Now,
		URL: func(leaf *x509.Certificate) string {
			kind, ok := cert.KindOf(leaf)
			if !ok {
				return ""
			}
			return "http://callee" + strings.NewReplacer("{kind}", string(kind), "{issuer}", hex.EncodeToString(leaf.AuthorityKeyId)).Replace(p.cfg.CRLPath)
		}}
}

// Status implements cert.Revocation. A certificate that was good at the instant at and dead by the
// time of the answer was revoked while it was checked: to accept it would be to know better.
func (w *witness) Status(ctx context.Context, leaf, issuer *x509.Certificate, at time.Time) (st cert.Status, err error) {
	if _, ours := cert.KindOf(leaf); !ours { // a time-stamping authority's: nobody here answers for it
		return cert.Status{State: cert.Unknown, Source: cert.SourceNone, Why: "J-LIS does not answer for the certificate"}, nil
	}
	st, err = w.source.Status(ctx, leaf, issuer, at)
	if ctx.Err() == nil {
		w.count.asked(w.sort(), st, err)
	}
	if w.present && st.State == cert.Good && !st.RevokedAt.IsZero() {
		st.State, st.Why = cert.Unknown, "the certificate was revoked while it was checked"
	}
	if _, had := w.heard[string(leaf.Raw)]; !had && len(w.heard) < maxHeard {
		h := heard{status: st}
		if w.tape != nil {
			h.answer = w.tape.body
		}
		w.heard[string(leaf.Raw)] = h
	}
	return st, err
}

// sort says what kind of source is asked.
func (w *witness) sort() string {
	if w.tape != nil {
		return cert.SourceOCSP
	}
	return cert.SourceCRL
}

// evidence gives the signed OCSP response about a certificate, or for lists what was read from them.
func (w *witness) evidence(leaf *x509.Certificate) ([]byte, error) {
	h, ok := w.heard[string(leaf.Raw)]
	switch {
	case !ok:
		return nil, jitsuin.Errorf(jitsuin.Internal, "status-unheard", "nobody was asked about the certificate that passed")
	case w.tape != nil:
		return h.answer, nil
	}
	return json.Marshal(h.status)
}

// tape lets an HTTP exchange through and keeps the last answer's body.
type tape struct {
	next http.RoundTripper
	body []byte
}

const maxTape = 64 << 10

// RoundTrip implements http.RoundTripper.
func (t *tape) RoundTrip(q *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(q)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTape))
	if err != nil {
		return nil, err
	}
	t.body, resp.Body = body, io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
