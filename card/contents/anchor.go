package contents

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"

	"github.com/jitsuin/jitsuin"
)

// anchorHeader is the line of an anchor's PEM that has its key id, hex.
const anchorHeader = "Key-Id"

// PEM writes an anchor for readers of cards: the public key (SubjectPublicKeyInfo), and its key id as a header.
func (a Anchor) PEM() ([]byte, error) {
	if _, err := publicKey(a.Key); err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(a.Key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Headers: map[string]string{anchorHeader: hex.EncodeToString(a.ID[:])}, Bytes: der}), nil
}

// ParseAnchor reads what PEM wrote: one block and nothing else. Invalid "face-anchor" otherwise.
func ParseAnchor(b []byte) (Anchor, error) {
	bad := func(why string) (Anchor, error) {
		return Anchor{}, jitsuin.Errorf(jitsuin.Invalid, "face-anchor", "this is no anchor of card-face signatures: %s", why)
	}
	block, rest := pem.Decode(b)
	if block == nil || block.Type != "PUBLIC KEY" || len(bytes.TrimSpace(rest)) != 0 {
		return bad("it is not one public key in PEM")
	}
	id, err := hex.DecodeString(block.Headers[anchorHeader])
	if err != nil || len(id) != len(KeyID{}) {
		return bad("it has no key id of sixteen bytes")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return bad("its key cannot be read")
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return bad("its key is not RSA")
	}
	if _, err := publicKey(key); err != nil {
		return Anchor{}, err
	}
	return Anchor{ID: KeyID(id), Key: key}, nil
}
