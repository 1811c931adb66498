package signature

import (
	"context"
	"crypto"
	"crypto/x509"
	"io"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// DocumentSigner signs documents with one resident's signature key (署名用電子証明書の鍵). Key is a
// card's or any other crypto.Signer; it is asked for one signature over a SHA-256 digest (RSA) or a
// SHA-384 digest (P-384) per document.
type DocumentSigner struct {
	Certificate *x509.Certificate
	Authorities []*x509.Certificate // CA certificates to embed beside it; may be empty
	Key         crypto.Signer
}

// Detached makes a CAdES B-B signature over content, which is streamed and not embedded. at is the
// signing time that the signature will claim. An authentication certificate is refused with kind Denied.
func (d *DocumentSigner) Detached(ctx context.Context, content io.Reader, at time.Time) ([]byte, error) {
	s, err := d.cms()
	if err != nil {
		return nil, err
	}
	return s.Detached(ctx, content, at)
}

// Embedded is Detached with the content inside.
func (d *DocumentSigner) Embedded(ctx context.Context, content []byte, at time.Time) ([]byte, error) {
	s, err := d.cms()
	if err != nil {
		return nil, err
	}
	return s.Embedded(ctx, content, at)
}

// PDF signs a PDF document inside itself, with a time-stamp by stamp where that is not nil: see pades.Signer. An
// authentication certificate is refused with kind Denied.
func (d *DocumentSigner) PDF(ctx context.Context, document []byte, o pades.Options, stamp cms.Timestamper) ([]byte, error) {
	if err := d.purpose(); err != nil {
		return nil, err
	}
	s := &pades.Signer{Certificate: d.Certificate, Others: d.Authorities, Key: d.Key, Stamper: stamp}
	return s.Sign(ctx, document, o)
}

// purpose keeps certificates for user authentication from signing documents.
func (d *DocumentSigner) purpose() error {
	if kind, _ := cert.KindOf(d.Certificate); kind == jitsuin.AuthCert {
		return jitsuin.Errorf(jitsuin.Denied, "wrong-kind",
			"a certificate for user authentication does not sign documents")
	}
	return nil
}

func (d *DocumentSigner) cms() (*cms.Signer, error) {
	if err := d.purpose(); err != nil {
		return nil, err
	}
	return &cms.Signer{Certificate: d.Certificate, Others: d.Authorities, Key: d.Key}, nil
}
