package fault

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"sync"

	"github.com/jitsuin/jitsuin/card"
)

// The keys of whoever makes clones: one of each algorithm, made when the first is needed, for all clones of
// this process.
var (
	cloneRSA  = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	cloneP384 = sync.OnceValues(func() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) })
)

const (
	rsaSignature  = 256
	p384Signature = 96
)

// signedByClone puts the clone's own signature in the place of the chip's. Where the chip refuses, the clone
// refuses alike: its maker knows how a card behaves.
func signedByClone(c card.Command, response []byte) []byte {
	data, sw, _ := card.SplitResponse(response)
	signs := c.INS == insSign && c.CLA == 0x80 || c.INS == insAuth && c.CLA == 0
	if !signs || sw != card.SWOK {
		return response
	}
	var signature []byte
	var err error
	switch len(data) {
	case rsaSignature:
		signature, err = cloneSignRSA(c)
	case p384Signature:
		signature, err = cloneSignP384(c)
	}
	if err != nil || len(signature) != len(data) {
		return []byte{byte(card.SWReferencedNotFound >> 8), byte(card.SWReferencedNotFound & 0xFF)}
	}
	return append(signature, 0x90, 0x00)
}

// cloneSignRSA signs as the chip would have, by P1 of COMPUTE DIGITAL SIGNATURE.
func cloneSignRSA(c card.Command) ([]byte, error) {
	key, err := cloneRSA()
	if err != nil {
		return nil, err
	}
	scheme := c.P1
	if c.INS == insAuth {
		scheme = 3
	}
	digest := c.Data
	if scheme&1 == 1 {
		sum := sha256.Sum256(c.Data)
		digest = sum[:]
	}
	switch scheme {
	case 0, 1:
		return rsa.SignPKCS1v15(nil, key, crypto.Hash(0), digest)
	case 2, 3:
		return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest)
	}
	return rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
}

// cloneSignP384 gives r ‖ s.
func cloneSignP384(c card.Command) ([]byte, error) {
	key, err := cloneP384()
	if err != nil {
		return nil, err
	}
	digest := c.Data
	if c.P1 == 3 {
		sum := sha512.Sum384(c.Data)
		digest = sum[:]
	}
	r, s, err := ecdsa.Sign(rand.Reader, key, digest)
	if err != nil {
		return nil, err
	}
	out := make([]byte, p384Signature)
	r.FillBytes(out[:p384Signature/2])
	s.FillBytes(out[p384Signature/2:])
	return out, nil
}
