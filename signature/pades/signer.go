package pades

import (
	"context"
	"crypto"
	"crypto/x509"
	"io"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// Signer signs documents with one key: see cms.Signer.
type Signer struct {
	Certificate *x509.Certificate
	Others      []*x509.Certificate // CA certificates to embed beside it
	Key         crypto.Signer
	Rand        io.Reader // nil: the system's
	// Stamper makes B-B into B-T: the token over the signature value goes into the CMS. nil: none.
	Stamper cms.Timestamper
	// StampRoom is how many octets are kept for the token, 0 is DefaultStampRoom.
	StampRoom int
}

// Bounds of the room for a signature, in octets.
const (
	DefaultStampRoom = 8 << 10 // tokens with a chain of three certificates have about 6,000
	maxRoom          = 4 << 20
	frameRoom        = 1 << 10 // everything but certificates, signature value and name of the issuer
)

// Room estimates how many octets the signature will have, from certificates, key and time-stamp. It is never too little
// for what Sign makes itself; only a token greater than StampRoom does not fit.
func (s *Signer) Room() int {
	n := frameRoom + 512 // the value: RSA of 4096 bits, and more than ECDSA needs
	for _, c := range append([]*x509.Certificate{s.Certificate}, s.Others...) {
		if c != nil {
			n += len(c.Raw)
		}
	}
	if s.Certificate != nil {
		n += len(s.Certificate.RawIssuer)
	}
	if s.Stamper != nil {
		n += s.stampRoom()
	}
	return n
}

func (s *Signer) stampRoom() int {
	if s.StampRoom > 0 {
		return s.StampRoom
	}
	return DefaultStampRoom
}

// Sign signs a document as o says and gives the whole signed document. The key is used once, and only after everything
// else was found to be in order. Errors are those of Prepare and of Finish, and those of key and Stamper.
func (s *Signer) Sign(ctx context.Context, document []byte, o Options) ([]byte, error) {
	if s.Certificate == nil || s.Key == nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "signer", "a signature needs a certificate and a key")
	}
	h, err := cms.SuiteHash(s.Certificate.PublicKey)
	if err != nil {
		return nil, err
	}
	p, err := Prepare(document, o, s.Room())
	if err != nil {
		return nil, err
	}
	der, err := s.cms(o.Form).DetachedDigest(p.Digest(h), o.At)
	if err != nil {
		return nil, err
	}
	if s.Stamper != nil {
		if der, err = cms.AddTimestamp(ctx, der, 0, s.Stamper); err != nil {
			return nil, err
		}
	}
	return p.Finish(ctx, der)
}

func (s *Signer) cms(f Form) *cms.Signer {
	return &cms.Signer{Certificate: s.Certificate, Others: s.Others, Key: s.Key, Rand: s.Rand, OmitTime: f != PKCS7}
}
