package feed

import (
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jitsuin/jitsuin"
)

const signedType = "jitsuin-feed+jws"

// signedHead is the payload of /head and of a snapshot's last line.
type signedHead struct {
	Use      string    `json:"use"` // "head" or "snapshot"
	Topic    string    `json:"topic"`
	Epoch    uint32    `json:"epoch"`
	N        uint64    `json:"n"`
	Hash     Hash      `json:"hash"`
	IssuedAt time.Time `json:"issued_at"`
	// Of a snapshot: how many lines come before, and SHA-256 over them, line ends included.
	Count  uint64 `json:"count,omitempty"`
	Digest *Hash  `json:"digest,omitempty"`
}

// trailer is the last line of a snapshot.
type trailer struct {
	Snapshot string `json:"snapshot"` // compact JWS of signedHead
}

// Signer signs heads and snapshots with ES256.
type Signer struct{ signer jose.Signer }

// NewSigner makes a Signer of the sender's key, an *ecdsa.PrivateKey on P-256 or a
// jose.OpaqueSigner for one that lies elsewhere. keyID is how readers find the public key.
func NewSigner(key any, keyID string) (*Signer, error) {
	opts := (&jose.SignerOptions{}).WithType(signedType).WithHeader("kid", keyID)
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, opts)
	if err != nil {
		return nil, fmt.Errorf("the key that signs feeds: %w", err)
	}
	return &Signer{s}, nil
}

func (s *Signer) sign(h signedHead) (string, error) {
	payload, err := json.Marshal(h)
	if err != nil {
		return "", err
	}
	jws, err := s.signer.Sign(payload)
	if err != nil {
		return "", jitsuin.Errorf(jitsuin.Unavailable, "feed-signer", "sign the head of a feed: %w", err)
	}
	return jws.CompactSerialize()
}

// Keys gives the pinned public key of a sender by its key id; an error refuses the signature.
type Keys func(keyID string) (*ecdsa.PublicKey, error)

// verifyHead checks signature, use and topic of a signed head.
func verifyHead(compact, use, topic string, keys Keys) (h signedHead, err error) {
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return h, fmt.Errorf("a signed head: %w", err)
	}
	protected := jws.Signatures[0].Protected
	if typ, _ := protected.ExtraHeaders[jose.HeaderType].(string); typ != signedType {
		return h, fmt.Errorf("a signed head has the type %q, not %q", typ, signedType)
	}
	key, err := keys(protected.KeyID)
	if err != nil {
		return h, fmt.Errorf("the key %q of a signed head: %w", protected.KeyID, err)
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return h, fmt.Errorf("a signed head: %w", err)
	}
	if err := json.Unmarshal(payload, &h); err != nil {
		return h, fmt.Errorf("a signed head: %w", err)
	}
	if h.Use != use || h.Topic != topic {
		return h, fmt.Errorf("a signed %s of topic %q stands where the %s of %q should", h.Use, h.Topic, use, topic)
	}
	return h, nil
}
