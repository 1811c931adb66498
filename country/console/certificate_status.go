package console

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// authority is what the console knows of J-LIS: the two CA certificates and the status origin, which it
// asks as the sandbox's stand-alone verifier. Safe for concurrent use.
type authority struct {
	jlis, status *httpapi.Remote
	now          func() time.Time // civil time

	mu sync.Mutex
	ca map[jitsuin.CertKind]*x509.Certificate
}

func newAuthority(f country.Folder, now func() time.Time) (*authority, error) {
	a := &authority{now: now, ca: map[jitsuin.CertKind]*x509.Certificate{}}
	var err error
	if a.jlis, err = f.Remote(country.Verifier, country.JLIS); err != nil {
		return nil, err
	}
	a.status, err = f.Remote(country.Verifier, country.Status)
	return a, err
}

const maxStatusAnswer = 64 << 20

// ask sends a request as the verifier and gives the whole answer.
func ask(ctx context.Context, r *httpapi.Remote, method, path, mediaType string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://callee"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	resp, err := r.HTTPClient().Do(req)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "callee-unreachable", "%s does not answer: %w", r.Target(), err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxStatusAnswer))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = jitsuin.Errorf(jitsuin.Unavailable, "status-answer", "%s%s answered %s", r.Target(), path, resp.Status)
	}
	return raw, err
}

// issuer gives the CA certificate of a kind.
func (a *authority) issuer(ctx context.Context, kind jitsuin.CertKind) (*x509.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.ca[kind]; c != nil {
		return c, nil
	}
	der, err := ask(ctx, a.jlis, http.MethodGet, "/ca/"+string(kind)+".cer", "", nil)
	if err != nil {
		return nil, fmt.Errorf("CA certificate %s: %w", kind, err)
	}
	c, err := cert.Parse(der)
	if err == nil {
		a.ca[kind] = c
	}
	return c, err
}

// OCSPAnswer is one answer of the status origin, decoded.
type OCSPAnswer struct {
	State                              string
	Reason                             jitsuin.RevocationReason
	RevokedAt                          time.Time
	ProducedAt, ThisUpdate, NextUpdate time.Time
	Nonce                              bool // the answer repeats the nonce that was sent
	Algorithm                          string
	Responder                          string        // whose certificate signed it
	Why                                string        // what is wrong, where the state is unknown
	Took                               time.Duration // wall time from question to answer
	Hex                                string        // the whole answer, DER
}

// ocsp asks for the status of one certificate and has the answer verified.
func (a *authority) ocsp(ctx context.Context, kind jitsuin.CertKind, leaf *x509.Certificate) (*OCSPAnswer, error) {
	issuer, err := a.issuer(ctx, kind)
	if err != nil {
		return nil, err
	}
	id, err := cert.NewCertID(crypto.SHA1, issuer, leaf.SerialNumber)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, 32)
	rand.Read(nonce) // never fails
	start := time.Now()
	der, err := ask(ctx, a.status, http.MethodPost, "/ocsp", "application/ocsp-request", cert.OCSPRequest{IDs: []cert.CertID{id}, Nonce: nonce}.Marshal())
	if err != nil {
		return nil, err
	}
	took := time.Since(start)
	r, err := cert.ParseOCSPResponse(der)
	if err != nil {
		return nil, err
	}
	now := a.now()
	st := r.Status(leaf, issuer, cert.OCSPCheck{Times: cert.Times{At: now, Now: now}, Nonce: nonce, NonceRequired: true})
	out := &OCSPAnswer{State: string(st.State), Reason: st.Reason, RevokedAt: st.RevokedAt, ProducedAt: r.ProducedAt, ThisUpdate: st.ThisUpdate,
		NextUpdate: st.NextUpdate, Nonce: bytes.Equal(r.Nonce, nonce), Algorithm: r.Algorithm.String(), Why: st.Why, Took: took, Hex: grouped(hex.EncodeToString(der), 64, "\n")}
	if len(r.Certificates) > 0 {
		out.Responder = nameText(r.Certificates[0].RawSubject)
	}
	return out, nil
}

// standing asks what a certificate is worth now. told is what the municipality that delivered it knows, nil
// where it is not at hand: only it may know when J-LIS recorded the end. The law lets a certificate end at the
// recording itself, or at the beginning of a day that it names; so where nobody told, an end that is no
// beginning of a day was recorded at that very moment.
func (a *authority) standing(ctx context.Context, kind jitsuin.CertKind, der []byte, told *town.Certificate) (*Standing, error) {
	leaf, err := cert.Parse(der)
	if err != nil {
		return nil, err
	}
	answer, err := a.ocsp(ctx, kind, leaf)
	if err != nil {
		return nil, err
	}
	s := &Standing{State: answer.State, Reason: answer.Reason, EffectiveAt: answer.RevokedAt, Answer: answer}
	switch {
	case s.State == stateRevoked && told != nil && told.RecordedAt != nil:
		s.RecordedAt = *told.RecordedAt
	case s.State == stateRevoked && !startsDay(s.EffectiveAt):
		s.RecordedAt = s.EffectiveAt
	case s.State != stateRevoked && a.now().After(leaf.NotAfter):
		s.State, s.EffectiveAt = stateExpired, leaf.NotAfter
	}
	return s, nil
}

func startsDay(t time.Time) bool {
	return t.Equal(jitsuin.DateOf(t).Start())
}

// listed tells whether the revocation list of a kind that is published now has a certificate, since when it
// holds and how many entries it has.
type listed struct {
	Entry                  *cert.CRLEntry
	ThisUpdate, NextUpdate time.Time
	Number                 string
	Count                  int
}

func (a *authority) list(ctx context.Context, kind jitsuin.CertKind, leaf *x509.Certificate) (*listed, error) {
	issuer, err := a.issuer(ctx, kind)
	if err != nil {
		return nil, err
	}
	der, err := ask(ctx, a.status, http.MethodGet, "/crl/"+string(kind), "", nil)
	if err != nil {
		return nil, err
	}
	l, err := cert.ParseCRL(der)
	if err != nil {
		return nil, err
	}
	if err := l.Verify(issuer, cert.Algorithms{}); err != nil {
		return nil, err
	}
	out := &listed{ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate, Count: l.Count}
	if l.Number != nil {
		out.Number = l.Number.String()
	}
	if e, ok := l.Lookup(leaf.SerialNumber); ok {
		out.Entry = &e
	}
	return out, nil
}
