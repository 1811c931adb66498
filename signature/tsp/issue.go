package tsp

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"golang.org/x/crypto/cryptobyte"
)

// Issuer makes tokens with the key of a time-stamping authority (TSA, 時刻認証局). It keeps nothing:
// that serial numbers are used once and that the time is right is the caller's work.
type Issuer struct {
	Certificate *x509.Certificate   // for time-stamping alone, as Token.Verify demands
	Others      []*x509.Certificate // CA certificates to embed beside it where certificates are wanted
	Key         crypto.Signer
	Policy      asn1.ObjectIdentifier
	Accuracy    Accuracy // stated in every token; 0 states none
	Rand        io.Reader
}

// Check refuses what this issuer does not stamp: imprints with SHA-1 or unknown algorithms, other
// policies, any extension. The error is a *Refusal.
func (i *Issuer) Check(q *Request) error {
	switch {
	case q.Imprint.Hash == 0 || q.Imprint.Hash == crypto.SHA1:
		return &Refusal{BadAlg, "the imprint must be made with SHA-256, SHA-384 or SHA-512"}
	case q.Policy != nil && !q.Policy.Equal(i.Policy):
		return &Refusal{UnacceptedPolicy, "tokens are issued under the policy " + i.Policy.String()}
	case len(q.Extensions) > 0:
		return &Refusal{UnacceptedExtension, "no extension is supported"}
	}
	return nil
}

// Token makes the token that answers q: at is the time that it states, to whole milliseconds,
// serial its number. The error is a *Refusal where Check gives one, else of the key or the certificate.
func (i *Issuer) Token(ctx context.Context, q *Request, serial *big.Int, at time.Time) ([]byte, error) {
	if err := i.Check(q); err != nil {
		return nil, err
	}
	if serial == nil || serial.Sign() <= 0 || serial.BitLen() > 160 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "tsp-serial", "a serial number is positive and has at most 160 bits")
	}
	name, err := directoryName(i.Certificate.RawSubject)
	if err != nil {
		return nil, err
	}
	info := &Info{Policy: i.Policy, Imprint: q.Imprint, Serial: serial, Time: at, Nonce: q.Nonce, TSA: name}
	if i.Accuracy > 0 {
		info.Accuracy = &i.Accuracy
	}
	content, err := info.marshal()
	if err != nil {
		return nil, err
	}
	s := &cms.Signer{Certificate: i.Certificate, Others: i.Others, Key: i.Key, Rand: i.Rand, ContentType: OIDTSTInfo, OmitCertificates: !q.CertReq}
	return s.Embedded(ctx, content, at)
}

// directoryName wraps a distinguished name as GeneralName.
func directoryName(subject []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(explicit(4), func(b *cryptobyte.Builder) { b.AddBytes(subject) })
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write the authority's name: %w", err)
	}
	return der, nil
}
