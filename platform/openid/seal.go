package openid

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"

	"github.com/jitsuin/jitsuin"
)

// seal encrypts for the database, with AES-256-GCM; about binds it to the row it is for.
func (p *Provider) seal(use, about string, plain []byte) string {
	a := p.aead(use)
	nonce := make([]byte, a.NonceSize())
	rand.Read(nonce) // never fails
	return base64.RawURLEncoding.EncodeToString(a.Seal(nonce, nonce, plain, []byte(about)))
}

// unseal gives what seal encrypted; Internal "openid-sealed" where the platform's key is another now, or the row was changed.
func (p *Provider) unseal(use, about, sealed string) ([]byte, error) {
	a := p.aead(use)
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err == nil && len(raw) > a.NonceSize() {
		if plain, err := a.Open(nil, raw[:a.NonceSize()], raw[a.NonceSize():], []byte(about)); err == nil {
			return plain, nil
		}
	}
	return nil, jitsuin.Errorf(jitsuin.Internal, "openid-sealed", "what lies sealed for %s cannot be opened with this platform's key", use)
}

func (p *Provider) aead(use string) cipher.AEAD {
	block, err := aes.NewCipher(p.secret(use))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return a
}
