package contents

import (
	"bytes"
	"crypto/rsa"
	"math/big"

	"github.com/jitsuin/jitsuin"
)

// KeyID names a key in a card-verifiable certificate: sixteen bytes.
type KeyID [16]byte

// NewKeyID makes a key id of ours: JITSUIN, a letter for what the key is, and its number.
func NewKeyID(what byte, number string) KeyID {
	var id KeyID
	copy(id[:], "JITSUIN"+string(what)+"        ")
	copy(id[8:], number)
	return id
}

// CVC is a card-verifiable certificate: a key of 被証明者鍵ID by the key of 証明者鍵ID.
type CVC struct {
	Authority, Holder KeyID
	Key               *rsa.PublicKey
	Raw               []byte // the whole file, 568 bytes
	body, signature   []byte
}

// publicKey writes a key as 90 exponent, 91 modulus. Only RSA-2048 with the exponent 65537 has the
// lengths that were observed.
func publicKey(key *rsa.PublicKey) ([]byte, error) {
	if key == nil || key.Size() != signatureSize || key.E != 65537 {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "key-algorithm", "keys in a card's files are RSA-2048 with the exponent 65537")
	}
	return append(object(0x90, []byte{1, 0, 1}), object(0x91, key.N.FillBytes(make([]byte, signatureSize)))...), nil
}

// parsePublicKey reads what publicKey wrote.
func parsePublicKey(file string, b []byte) (*rsa.PublicKey, error) {
	s := newScanner(file, b)
	exponent, modulus := s.fixed(0x90, 3), s.fixed(0x91, signatureSize)
	if err := s.done(0, 0); err != nil {
		return nil, err
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(exponent[0])<<16 | int(exponent[1])<<8 | int(exponent[2])}
	if key.N.BitLen() != 2048 || key.E != 65537 {
		return nil, badContent(file, 0, "the key is not RSA-2048 with the exponent 65537")
	}
	return key, nil
}

// CVCToSign gives the bytes that the authority signs for a certificate.
func CVCToSign(authority, holder KeyID, key *rsa.PublicKey) ([]byte, error) {
	public, err := publicKey(key)
	if err != nil {
		return nil, err
	}
	return append(append(authority[:], holder[:]...), public...), nil
}

// AssembleCVC makes the certificate of the bytes that were signed and the signature.
func AssembleCVC(signed, signature []byte) ([]byte, error) {
	raw := object(0x7F21, append(object(0x5F4E, signed), object(0x5F37, signature)...))
	if _, err := ParseCVC(raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// ParseCVC reads a certificate and does not verify it.
func ParseCVC(b []byte) (*CVC, error) {
	const file = "card-verifiable certificate"
	s := newScanner(file, b)
	s.inside(0x7F21)
	body, _ := s.next(0x5F4E)
	signature := s.fixed(0x5F37, signatureSize)
	if err := s.done(0, 0); err != nil {
		return nil, err
	}
	c, err := parseBody(body)
	if err != nil {
		return nil, err
	}
	c.Raw, c.signature = bytes.Clone(b), signature
	return c, nil
}

// Body gives the bytes that the authority signed.
func (c *CVC) Body() []byte { return bytes.Clone(c.body) }

func parseBody(body []byte) (*CVC, error) {
	const file = "card-verifiable certificate"
	if len(body) < 32 {
		return nil, badContent(file, 0, "the body has %d bytes", len(body))
	}
	key, err := parsePublicKey(file, body[32:])
	if err != nil {
		return nil, err
	}
	return &CVC{Authority: KeyID(body[:16]), Holder: KeyID(body[16:32]), Key: key, body: bytes.Clone(body)}, nil
}

// Anchor is the root of card-face signatures that a reader trusts.
type Anchor struct {
	ID  KeyID
	Key *rsa.PublicKey
}

// Verify tells whether the anchor certified the key. Conflict "card-certificate" for one of
// another authority, "card-signature" for one that was changed.
func (a Anchor) Verify(c *CVC) error {
	if c.Authority != a.ID {
		return jitsuin.Errorf(jitsuin.Conflict, "card-certificate", "the card's certificate is by another authority: %q", c.Authority[:])
	}
	return CheckSignature(a.Key, c.body, c.signature)
}
