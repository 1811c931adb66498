package status

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// Cadence is when changes become visible.
type Cadence string

const (
	Immediate Cadence = "immediate" // at once
	Official  Cadence = "official"  // OCSP at every quarter hour, lists at midnight JST
)

// Authority is one CA key that a Responder answers for. Set has the certificates of that key; Responder is the
// delegated certificate (or CA itself) whose key Sign uses.
type Authority struct {
	CA        *x509.Certificate
	Set       *Set
	Responder *x509.Certificate
	Sign      cert.SignFunc
}

// ResponderOptions configure a Responder. The zero value of a field means the default named.
type ResponderOptions struct {
	Cadence    Cadence          // Immediate
	Clock      func() time.Time // required: civil time
	Window     time.Duration    // 15 minutes: how long a signed answer is reused, and the step of Official
	Validity   time.Duration    // two windows: how long after its window's start an answer holds
	MaxSigning int              // 64: signatures asked for at once; more requests are answered tryLater
	MaxCached  int              // 1,000,000 answers
	Prefix     string           // "/": path before the base64 of a GET
	// Answered is told what was answered: good, revoked, unknown, or one of the words below. nil: nobody.
	Answered func(result string)
	// Signed is told how long each signature took; answers from the cache have none. nil: nobody.
	Signed func(took time.Duration)
}

// What ResponderOptions.Answered is told besides the states of single certificates.
const (
	AnsweredSeveral      = "several" // certificates at once
	AnsweredMalformed    = "malformed-request"
	AnsweredUnauthorized = "unauthorized"
	AnsweredTryLater     = "try-later"
	AnsweredError        = "internal-error"
)

// Responder answers OCSP over HTTP (RFC 6960 appendix A), GET and POST. A certificate that was never
// issued is unknown; one of an issuer that it does not serve is unauthorized. Answers are signed once per window and
// state and reused, unless a nonce is asked for; a change of status takes effect at the next request
// (Immediate) or quarter hour (Official). A Responder is an http.Handler of its own: http.ServeMux would redirect GET
// requests whose base64 has "//", so it must not stand before it.
type Responder struct {
	o           ResponderOptions
	authorities []served
	signing     chan struct{}
	cache       answerCache
}

// served is an authority with the hashes by which requests name it.
type served struct {
	Authority
	names [2]cert.CertID
}

func (s *served) by(id cert.CertID) bool {
	for _, n := range s.names {
		if n.Hash == id.Hash {
			return bytes.Equal(n.NameHash, id.NameHash) && bytes.Equal(n.KeyHash, id.KeyHash)
		}
	}
	return false
}

// NewResponder makes a responder for several authorities.
func NewResponder(authorities []Authority, o ResponderOptions) (*Responder, error) {
	if o.Clock == nil || len(authorities) == 0 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "responder-options", "a responder needs a clock and an authority")
	}
	var all []served
	for _, a := range authorities {
		if a.CA == nil || a.Set == nil || a.Responder == nil || a.Sign == nil {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "responder-options", "an authority needs its certificate, set, responder and signer")
		}
		s := served{Authority: a}
		for i, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			id, err := cert.NewCertID(h, a.CA, nil)
			if err != nil {
				return nil, err
			}
			s.names[i] = id
		}
		all = append(all, s)
	}
	if o.Cadence == "" {
		o.Cadence = Immediate
	}
	if o.Window <= 0 {
		o.Window = 15 * time.Minute
	}
	if o.Validity <= 0 {
		o.Validity = 2 * o.Window
	}
	if o.MaxSigning <= 0 {
		o.MaxSigning = 64
	}
	if o.MaxCached <= 0 {
		o.MaxCached = 1_000_000
	}
	if o.Prefix == "" {
		o.Prefix = "/"
	}
	r := &Responder{o: o, authorities: all, signing: make(chan struct{}, o.MaxSigning)}
	r.cache.limit = o.MaxCached / cacheShards
	return r, nil
}

const maxRequest = 4 << 10

// ServeHTTP answers one request. Problems with OCSP are OCSP statuses under HTTP 200; a wrong method,
// media type or size is an HTTP status.
func (r *Responder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	der, status := r.read(w, q)
	if status != 0 {
		http.Error(w, http.StatusText(status), status)
		return
	}
	body, fresh := r.Respond(q.Context(), der)
	w.Header().Set("Content-Type", "application/ocsp-response")
	if q.Method == http.MethodGet && r.o.Cadence == Official && fresh > 0 {
		w.Header().Set("Cache-Control", fmt.Sprintf("max-age=%d, public, no-transform, must-revalidate", int(fresh.Seconds())))
	} else {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.Write(body)
}

// read gives the DER of the request, or the HTTP status to refuse it with.
func (r *Responder) read(w http.ResponseWriter, q *http.Request) (der []byte, status int) {
	switch q.Method {
	case http.MethodPost:
		if media, _, _ := strings.Cut(q.Header.Get("Content-Type"), ";"); strings.TrimSpace(media) != "application/ocsp-request" {
			return nil, http.StatusUnsupportedMediaType
		}
		der, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxRequest))
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			return nil, http.StatusRequestEntityTooLarge
		}
		if err != nil {
			return nil, http.StatusBadRequest
		}
		return der, 0
	case http.MethodGet:
		text, ok := strings.CutPrefix(q.URL.EscapedPath(), r.o.Prefix)
		if !ok {
			return nil, http.StatusNotFound
		}
		if len(text) > 2*maxRequest {
			return nil, http.StatusRequestURITooLong
		}
		text, err := url.PathUnescape(text)
		if err != nil {
			return nil, 0 // malformedRequest
		}
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, 0
		}
		return der, 0
	}
	w.Header().Set("Allow", "GET, POST")
	return nil, http.StatusMethodNotAllowed
}

// Respond answers the DER of a request with the DER of a response; it always has an answer. fresh says how
// long the answer is not going to change under the Official cadence, 0 if it must not be reused.
func (r *Responder) Respond(ctx context.Context, der []byte) (response []byte, fresh time.Duration) {
	response, fresh, result := r.respond(ctx, der)
	if r.o.Answered != nil {
		r.o.Answered(result)
	}
	return response, fresh
}

func (r *Responder) respond(ctx context.Context, der []byte) (response []byte, fresh time.Duration, result string) {
	q, err := cert.ParseOCSPRequest(der)
	if err != nil {
		return cert.OCSPMalformedRequest.Response(), 0, AnsweredMalformed
	}
	a := r.authority(q.IDs)
	if a == nil {
		return cert.OCSPUnauthorized.Response(), 0, AnsweredUnauthorized
	}
	now := r.o.Clock().Truncate(time.Second)
	window := now.Truncate(r.o.Window)
	if len(q.IDs) == 1 && q.Nonce == nil {
		response, result, err = r.reuse(ctx, a, q.IDs[0], now, window)
		fresh = window.Add(r.o.Window).Sub(now)
	} else {
		response, result, err = r.fresh(ctx, a, q, now, window)
	}
	if err != nil {
		if jitsuin.KindOf(err) == jitsuin.Limited || jitsuin.KindOf(err) == jitsuin.Unavailable {
			return cert.OCSPTryLater.Response(), 0, AnsweredTryLater
		}
		return cert.OCSPInternalError.Response(), 0, AnsweredError
	}
	return response, fresh, result
}

// authority finds the one that all certificates asked about belong to.
func (r *Responder) authority(ids []cert.CertID) *served {
	for i := range r.authorities {
		a, all := &r.authorities[i], true
		for _, id := range ids {
			all = all && a.by(id)
		}
		if all {
			return a
		}
	}
	return nil
}

// answer looks a certificate up as the cadence has it.
func (r *Responder) answer(a *served, id cert.CertID, window time.Time) Answer {
	serial, ok := cert.SerialOf(id.Serial)
	if !ok {
		return Answer{State: cert.Unknown}
	}
	if r.o.Cadence == Official {
		return a.Set.LookupAt(serial, window)
	}
	return a.Set.Lookup(serial)
}

// reuse answers from the cache while state and window are the same. Unknown is never kept: a flood of invented
// numbers must not push out the living.
func (r *Responder) reuse(ctx context.Context, a *served, id cert.CertID, now, window time.Time) (der []byte, result string, err error) {
	answer := r.answer(a, id, window)
	serial, _ := cert.SerialOf(id.Serial)
	key := cacheKey{a, id.Hash, serial}
	if answer.State != cert.Unknown {
		if der, ok := r.cache.get(key, answer, window); ok {
			return der, string(answer.State), nil
		}
	}
	t := cert.OCSPTemplate{Responder: a.Responder, ProducedAt: now, Singles: []cert.OCSPSingle{r.single(id, answer, now, window)}}
	der, err = r.sign(ctx, a, &t)
	if err == nil && answer.State != cert.Unknown {
		r.cache.put(key, answer, window, der)
	}
	return der, string(answer.State), err
}

// fresh answers everything asked, with the nonce.
func (r *Responder) fresh(ctx context.Context, a *served, q *cert.OCSPRequest, now, window time.Time) (der []byte, result string, err error) {
	t := cert.OCSPTemplate{Responder: a.Responder, ProducedAt: now, Nonce: q.Nonce}
	for _, id := range q.IDs {
		t.Singles = append(t.Singles, r.single(id, r.answer(a, id, window), now, window))
	}
	result = AnsweredSeveral
	if len(t.Singles) == 1 {
		result = string(t.Singles[0].State)
	}
	der, err = r.sign(ctx, a, &t)
	return der, result, err
}

func (r *Responder) single(id cert.CertID, answer Answer, now, window time.Time) cert.OCSPSingle {
	this := now
	if r.o.Cadence == Official {
		this = window
	}
	return cert.OCSPSingle{ID: id, State: answer.State, RevokedAt: answer.RevokedAt, Reason: answer.Reason,
		ThisUpdate: this, NextUpdate: window.Add(r.o.Validity)}
}

// timed tells Signed how long signing takes.
func (r *Responder) timed(sign cert.SignFunc) cert.SignFunc {
	if r.o.Signed == nil {
		return sign
	}
	return func(ctx context.Context, tbs []byte) ([]byte, error) {
		start := time.Now()
		sig, err := sign(ctx, tbs)
		r.o.Signed(time.Since(start))
		return sig, err
	}
}

// sign has a response signed, unless too many are being signed.
func (r *Responder) sign(ctx context.Context, a *served, t *cert.OCSPTemplate) ([]byte, error) {
	select {
	case r.signing <- struct{}{}:
		defer func() { <-r.signing }()
		return t.Build(ctx, r.timed(a.Sign))
	default:
		return nil, jitsuin.Errorf(jitsuin.Limited, "ocsp-busy", "too many responses are being signed")
	}
}
