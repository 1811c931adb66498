package holder

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// Act is what every use of a key needs.
type Act struct {
	PINs PINSource
	// At is civil time: the time that a signature claims, and at which the certificate is looked at.
	At time.Time
	// Warn gets what the person should know before the key is used; an error from it stops the
	// act. Where nil, a warning stops the act.
	Warn func(Warning) error
}

// Warning is something about the card's certificate for which a verifier will refuse what is
// signed. It does not keep a holder from signing: the verifier decides, and a clock may be wrong.
type Warning struct {
	Code    string // "certificate-expired", "certificate-early" or "certificate-kind"
	Message string
}

// Document signs content (署名): a CAdES B-B signature without the content, in DER. The content is
// streamed. Denied "wrong-kind" where the card's signature key has a certificate for authentication.
func (c *Card) Document(ctx context.Context, content io.Reader, a Act) ([]byte, error) {
	return c.document(ctx, a, func(d *signature.DocumentSigner) ([]byte, error) {
		return d.Detached(ctx, content, a.At)
	})
}

// Enveloping is Document with the content inside the signature.
func (c *Card) Enveloping(ctx context.Context, content []byte, a Act) ([]byte, error) {
	return c.document(ctx, a, func(d *signature.DocumentSigner) ([]byte, error) {
		return d.Embedded(ctx, content, a.At)
	})
}

// PDF signs a PDF document inside itself. options gives what only the certificate tells, such as the signer's name;
// what is wrong with the document is better looked for before (pades.Check), for the PIN is asked for first. stamp, where
// it is not nil, gives a time-stamp.
func (c *Card) PDF(ctx context.Context, document []byte, options func(*x509.Certificate) (pades.Options, error), stamp cms.Timestamper, a Act) ([]byte, error) {
	return c.document(ctx, a, func(d *signature.DocumentSigner) ([]byte, error) {
		o, err := options(d.Certificate)
		if err != nil {
			return nil, err
		}
		return d.PDF(ctx, document, o, stamp)
	})
}

func (c *Card) document(ctx context.Context, a Act, sign func(*signature.DocumentSigner) ([]byte, error)) (der []byte, err error) {
	err = c.withKey(ctx, jitsuin.SignCert, a, func(k key) error {
		der, err = sign(&signature.DocumentSigner{Certificate: k.certificate, Key: k.signer})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sign the document: %w", err)
	}
	return der, nil
}

// Login answers a login challenge with the authentication key (利用者証明).
func (c *Card) Login(ctx context.Context, challenge signature.Challenge, a Act) (answer signature.Answer, err error) {
	if err := challenge.Check(); err != nil {
		return signature.Answer{}, err
	}
	err = c.withKey(ctx, jitsuin.AuthCert, a, func(k key) error {
		answer, err = challenge.Sign(k.certificate, k.signer)
		return err
	})
	if err != nil {
		return signature.Answer{}, fmt.Errorf("answer the challenge: %w", err)
	}
	return answer, nil
}

// key is a key of the card while its PIN is verified.
type key struct {
	certificate *x509.Certificate
	signer      crypto.Signer
}

// withKey has the PIN verified, warns, and lends the key.
func (c *Card) withKey(ctx context.Context, kind jitsuin.CertKind, a Act, use func(key) error) error {
	if a.At.IsZero() {
		return jitsuin.Errorf(jitsuin.Invalid, "act-at", "a signature needs a time")
	}
	if err := c.mustCarry(ctx, kind); err != nil {
		return err
	}
	k, err := c.unlock(ctx, kind, a.PINs)
	if err != nil {
		return err
	}
	if err := warn(k.certificate, kind, a); err != nil {
		return err
	}
	return use(k)
}

// unlock has the PIN verified and gives the key.
func (c *Card) unlock(ctx context.Context, kind jitsuin.CertKind, pins PINSource) (k key, err error) {
	err = c.withPIN(ctx, kind, pins, func(pin jitsuin.PIN) error {
		s, err := c.jpki.Signer(ctx, kind, pin)
		if err != nil {
			return err
		}
		k.signer = s
		k.certificate, err = cert.Parse(s.Certificate())
		return err
	})
	return k, err
}

// warn looks at the certificate and tells what a verifier will hold against it.
func warn(c *x509.Certificate, kind jitsuin.CertKind, a Act) error {
	for _, w := range warnings(c, kind, a.At) {
		if a.Warn == nil {
			return jitsuin.Errorf(jitsuin.Conflict, w.Code, "%s", w.Message)
		}
		if err := a.Warn(w); err != nil {
			return err
		}
	}
	return nil
}

func warnings(c *x509.Certificate, kind jitsuin.CertKind, at time.Time) []Warning {
	var all []Warning
	day := func(t time.Time) string { return t.In(jitsuin.JST).Format("2006-01-02 15:04:05 JST") }
	if at.After(c.NotAfter) {
		all = append(all, Warning{"certificate-expired", "the certificate on the card expired at " + day(c.NotAfter) + "; a verifier will refuse what it signs"})
	}
	if at.Before(c.NotBefore) {
		all = append(all, Warning{"certificate-early", "the certificate on the card begins at " + day(c.NotBefore) + "; a verifier will refuse what it signs"})
	}
	if is, ok := cert.KindOf(c); !ok || is != kind {
		all = append(all, Warning{"certificate-kind", "the certificate on the card is no certificate of the kind " + string(kind) + "; a verifier will refuse what it signs"})
	}
	return all
}
