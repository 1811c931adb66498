package tour

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// authority is what the tour knows of J-LIS: the two CA certificates and the status origin, asked
// as a verifier that the law names.
type authority struct {
	jlis   *httpapi.Remote
	status *httpapi.Remote
	ca     map[jitsuin.CertKind]*x509.Certificate
}

const maxStatus = 64 << 20

func get(ctx context.Context, r *httpapi.Remote, method, path, mediaType string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://callee"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	resp, err := r.HTTPClient().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxStatus))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "status-answer", "%s%s answered %s: %.200s", r.Target(), path, resp.Status, raw)
	}
	return raw, nil
}

func (a *authority) load(ctx context.Context) error {
	a.ca = map[jitsuin.CertKind]*x509.Certificate{}
	for _, kind := range jitsuin.CertKinds {
		der, err := get(ctx, a.jlis, http.MethodGet, "/ca/"+string(kind)+".cer", "", nil)
		if err != nil {
			return fmt.Errorf("CA certificate %s: %w", kind, err)
		}
		if a.ca[kind], err = cert.Parse(der); err != nil {
			return fmt.Errorf("CA certificate %s: %w", kind, err)
		}
	}
	return nil
}

// ocsp asks for the status of one certificate and verifies the answer.
func (a *authority) ocsp(ctx context.Context, kind jitsuin.CertKind, leaf *x509.Certificate) ([]byte, error) {
	id, err := cert.NewCertID(crypto.SHA1, a.ca[kind], leaf.SerialNumber)
	if err != nil {
		return nil, err
	}
	return get(ctx, a.status, http.MethodPost, "/ocsp", "application/ocsp-request", cert.OCSPRequest{IDs: []cert.CertID{id}}.Marshal())
}

func (a *authority) crl(ctx context.Context, kind jitsuin.CertKind) ([]byte, error) {
	return get(ctx, a.status, http.MethodGet, "/crl/"+string(kind), "", nil)
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// collect leaves CRL and OCSP response of both kinds under status/NAME.
func (s *story) collect(ctx context.Context, name string) error {
	if s.rec.dir == "" {
		return nil
	}
	for _, kind := range jitsuin.CertKinds {
		crl, err := s.authority.crl(ctx, kind)
		if err != nil {
			return fmt.Errorf("CRL %s: %w", kind, err)
		}
		ocsp, err := s.authority.ocsp(ctx, kind, s.certs[kind])
		if err != nil {
			return fmt.Errorf("OCSP %s: %w", kind, err)
		}
		if err := s.rec.save("status/"+name+"/"+string(kind)+".crl", crl); err != nil {
			return err
		}
		if err := s.rec.save("status/"+name+"/"+string(kind)+".ocsp", ocsp); err != nil {
			return err
		}
	}
	return nil
}
