package holder

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// Unlocked is a key of an open card whose PIN was verified: the card uses it without asking again until the
// Card is closed. Whoever lets a person read before they sign keeps one for a short while. Not for
// concurrent use.
type Unlocked struct {
	Kind jitsuin.CertKind
	key  key
}

// Unlock asks for the PIN once and gives the key. ctx bounds all that is done with the key later, not
// only this call. Errors as of Certificate and Verify.
func (c *Card) Unlock(ctx context.Context, kind jitsuin.CertKind, pins PINSource) (*Unlocked, error) {
	if err := c.mustCarry(ctx, kind); err != nil {
		return nil, err
	}
	k, err := c.unlock(ctx, kind, pins)
	if err != nil {
		return nil, err
	}
	return &Unlocked{kind, k}, nil
}

// Certificate is the certificate of the key.
func (u *Unlocked) Certificate() *x509.Certificate { return u.key.certificate }

// Warnings are what a verifier will hold against the certificate at a civil time.
func (u *Unlocked) Warnings(at time.Time) []Warning {
	return warnings(u.key.certificate, u.Kind, at)
}

// Document signs as Card.Document does.
func (u *Unlocked) Document(ctx context.Context, content io.Reader, at time.Time) ([]byte, error) {
	if u.Kind != jitsuin.SignCert {
		return nil, jitsuin.Errorf(jitsuin.Denied, "wrong-kind", "documents are signed with the signature key")
	}
	der, err := (&signature.DocumentSigner{Certificate: u.key.certificate, Key: u.key.signer}).Detached(ctx, content, at)
	if err != nil {
		return nil, fmt.Errorf("sign the document: %w", err)
	}
	return der, nil
}

// Bare signs a SHA-256 digest as it is and gives the value alone: RSASSA-PKCS1-v1_5 over its DigestInfo.
func (u *Unlocked) Bare(digest []byte) ([]byte, error) {
	if u.Kind != jitsuin.SignCert {
		return nil, jitsuin.Errorf(jitsuin.Denied, "wrong-kind", "documents are signed with the signature key")
	}
	value, err := u.key.signer.Sign(rand.Reader, digest, crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign the digest: %w", err)
	}
	return value, nil
}

// PDF signs a PDF document inside itself, as Card.PDF does.
func (u *Unlocked) PDF(ctx context.Context, document []byte, o pades.Options) ([]byte, error) {
	if u.Kind != jitsuin.SignCert {
		return nil, jitsuin.Errorf(jitsuin.Denied, "wrong-kind", "documents are signed with the signature key")
	}
	signed, err := (&signature.DocumentSigner{Certificate: u.key.certificate, Key: u.key.signer}).PDF(ctx, document, o, nil)
	if err != nil {
		return nil, fmt.Errorf("sign the document: %w", err)
	}
	return signed, nil
}

// Answer answers a login challenge as Card.Login does.
func (u *Unlocked) Answer(challenge signature.Challenge) (signature.Answer, error) {
	answer, err := challenge.Sign(u.key.certificate, u.key.signer)
	if err != nil {
		return answer, fmt.Errorf("answer the challenge: %w", err)
	}
	return answer, nil
}

// WrongKind signs a document with the authentication key, which no honest software does and every
// verifier must refuse: it is for tests of verifiers, and for nothing else.
func (u *Unlocked) WrongKind(ctx context.Context, content io.Reader, at time.Time) ([]byte, error) {
	if u.Kind != jitsuin.AuthCert {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "cert-kind", "the wrong key for a document is the authentication key")
	}
	return (&cms.Signer{Certificate: u.key.certificate, Key: u.key.signer}).Detached(ctx, content, at)
}

// WrongKindPDF is WrongKind for a PDF that is signed inside itself.
func (u *Unlocked) WrongKindPDF(ctx context.Context, document []byte, o pades.Options) ([]byte, error) {
	if u.Kind != jitsuin.AuthCert {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "cert-kind", "the wrong key for a document is the authentication key")
	}
	return (&pades.Signer{Certificate: u.key.certificate, Key: u.key.signer}).Sign(ctx, document, o)
}
