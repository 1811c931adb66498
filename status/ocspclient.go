package status

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

const (
	noAnswer       = "the status service does not answer"
	defaultTimeout = 10 * time.Second
	maxOCSPAnswer  = 64 << 10
	clockSkew      = 30 * time.Second // between this machine and the responder
)

// OCSPClient asks a responder about one certificate at a time. It is a cert.Revocation.
type OCSPClient struct {
	URL        string
	HTTPClient *http.Client     // nil: http.DefaultClient
	Timeout    time.Duration    // 0: 10 seconds for a whole question
	Clock      func() time.Time // civil time; nil: the instant asked about is now
	Random     io.Reader        // source of nonces, crypto/rand.Reader; nil: no nonce is sent
	Lenient    bool             // accept a response that does not echo the nonce
	Algorithms cert.Algorithms
}

// Status implements cert.Revocation. No answer, an error, a wrong signature or nonce, or one out of date is Unknown.
func (c *OCSPClient) Status(ctx context.Context, leaf, issuer *x509.Certificate, at time.Time) (cert.Status, error) {
	id, err := cert.NewCertID(crypto.SHA1, issuer, leaf.SerialNumber)
	if err != nil {
		return cert.Status{}, err
	}
	q := cert.OCSPRequest{IDs: []cert.CertID{id}}
	check := cert.OCSPCheck{Times: cert.Times{At: at, Skew: clockSkew}, NonceRequired: !c.Lenient, Algorithms: c.Algorithms}
	if c.Clock != nil {
		check.Now = c.Clock()
	}
	if c.Random != nil {
		q.Nonce = make([]byte, 32)
		if _, err := io.ReadFull(c.Random, q.Nonce); err != nil {
			return cert.Status{}, jitsuin.Errorf(jitsuin.Internal, "ocsp-nonce", "drawing a nonce: %w", err)
		}
		check.Nonce = q.Nonce
	}
	der, err := post(ctx, c.HTTPClient, c.Timeout, c.URL, q.Marshal())
	if ctx.Err() != nil {
		return cert.Status{}, ctx.Err()
	}
	if err != nil {
		return unknown(cert.SourceOCSP, noAnswer), nil
	}
	r, err := cert.ParseOCSPResponse(der)
	if err != nil {
		return unknown(cert.SourceOCSP, err.Error()), nil
	}
	return r.Status(leaf, issuer, check), nil
}

func unknown(source, why string) cert.Status {
	return cert.Status{State: cert.Unknown, Source: source, Why: why}
}

func post(ctx context.Context, client *http.Client, timeout time.Duration, url string, body []byte) ([]byte, error) {
	return exchange(ctx, client, timeout, maxOCSPAnswer, func(ctx context.Context) (*http.Request, error) {
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err == nil {
			q.Header.Set("Content-Type", "application/ocsp-request")
		}
		return q, err
	})
}

// exchange makes one bounded HTTP exchange: in time and in the length of the answer.
func exchange(ctx context.Context, client *http.Client, timeout time.Duration, limit int64, request func(context.Context) (*http.Request, error)) ([]byte, error) {
	if client == nil {
		client = http.DefaultClient
	}
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	q, err := request(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(q)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, errors.New("HTTP status " + answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = errors.New("the answer is too long")
	}
	return body, err
}
