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

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/status"
)

// statusTimeout bounds one question to the status origin.
const statusTimeout = 5 * time.Second

// witness is a cert.Revocation for one check that keeps what was answered, as evidence.
type witness struct {
	source cert.Revocation
	tape   *tape // nil where lists are used
	last   cert.Status
}

// newWitness makes the witness of one check: OCSP with a nonce, or the lists.
func (p *Platform) newWitness() *witness {
	if p.lists != nil {
		return &witness{source: p.lists}
	}
	t := &tape{next: p.Remote(p.cfg.Status)}
	return &witness{tape: t, source: &status.OCSPClient{URL: "http://callee" + p.cfg.OCSPPath,
		HTTPClient: &http.Client{Transport: t}, Timeout: statusTimeout, Clock: p.Clock.Now, Random: rand.Reader}}
}

// newLists makes the cache of revocation lists (CRL提供方式).
func (p *Platform) newLists() *status.CRLCache {
	return &status.CRLCache{HTTPClient: p.Remote(p.cfg.Status).HTTPClient(), Timeout: statusTimeout, Clock: p.Clock.Now,
		URL: func(leaf *x509.Certificate) string {
			kind, ok := cert.KindOf(leaf)
			if !ok {
				return ""
			}
			return "http://callee" + strings.NewReplacer("{kind}", string(kind), "{issuer}", hex.EncodeToString(leaf.AuthorityKeyId)).Replace(p.cfg.CRLPath)
		}}
}

// Status implements cert.Revocation.
func (w *witness) Status(ctx context.Context, leaf, issuer *x509.Certificate, at time.Time) (st cert.Status, err error) {
	st, err = w.source.Status(ctx, leaf, issuer, at)
	w.last = st
	return st, err
}

// evidence gives the signed OCSP response, or for lists what was read from them.
func (w *witness) evidence() ([]byte, error) {
	if w.tape != nil {
		return w.tape.body, nil
	}
	return json.Marshal(w.last)
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
