package reader

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"io"
	"math/big"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

// Signer signs with a key in the card. With an RSA key it is a crypto.Signer for PKCS #1 v1.5 with
// SHA-1 (to match old documents), SHA-256, SHA-384 and SHA-512, for PSS with SHA-256 and a salt of
// 32 bytes, and (crypto.Hash(0)) for PKCS #1 v1.5 over a DigestInfo that the caller made; with a
// key of the next card for ECDSA on P-384 with SHA-384.
// It keeps the context it was made with, because crypto.Signer has none. Not for concurrent use.
type Signer struct {
	ctx         context.Context
	jpki        *JPKI
	key         uint16
	certificate []byte
	public      crypto.PublicKey // *rsa.PublicKey, or *ecdsa.PublicKey on P-384
}

// Signer verifies the PIN once and gives a signer with the card's key of that kind. The channel
// must stay with it alone while it is used. Errors as of Verify and Certificate.
func (j *JPKI) Signer(ctx context.Context, kind jitsuin.CertKind, pin jitsuin.PIN) (*Signer, error) {
	files, err := card.FilesOf(kind)
	if err != nil {
		return nil, err
	}
	if err := j.Verify(ctx, kind, pin); err != nil {
		return nil, err
	}
	der, err := j.readCertificate(ctx, files.Certificate)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "certificate-form", "the certificate on the card cannot be read: %w", err)
	}
	switch key := parsed.PublicKey.(type) {
	case *rsa.PublicKey:
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P384() {
			return nil, errKeyAlgorithm()
		}
	default:
		return nil, errKeyAlgorithm()
	}
	return &Signer{ctx: ctx, jpki: j, key: files.Key, certificate: der, public: parsed.PublicKey}, nil
}

func errKeyAlgorithm() error {
	return jitsuin.Errorf(jitsuin.Unsupported, "key-algorithm", "the card's certificate has neither an RSA key nor one on P-384")
}

// Public gives the key of the card's certificate, *rsa.PublicKey or *ecdsa.PublicKey.
func (s *Signer) Public() crypto.PublicKey { return s.public }

// Certificate gives the certificate that belongs to the key, DER.
func (s *Signer) Certificate() []byte { return append([]byte{}, s.certificate...) }

// digestInfo gives the DER that comes before a digest (RFC 8017 §9.2 note 1).
func digestInfo(h crypto.Hash) (prefix string, ok bool) {
	switch h {
	case 0:
		return "", true
	case crypto.SHA1:
		return "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14", true
	case crypto.SHA256:
		return "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", true
	case crypto.SHA384:
		return "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30", true
	case crypto.SHA512:
		return "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40", true
	}
	return "", false
}

// Sign has the card sign. The random source is not used; PSS takes its salt from the card.
// Denied "card-security-status" where the card lost the verified PIN since. The signature is
// checked against the certificate before it is given out.
func (s *Signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	public, ok := s.public.(*rsa.PublicKey)
	if !ok {
		return s.signP384(digest, opts)
	}
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		return s.signPSS(public, digest, pss)
	}
	hash := opts.HashFunc()
	prefix, ok := digestInfo(hash)
	if !ok {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "digest-algorithm", "the card signs SHA-1, SHA-256, SHA-384 and SHA-512")
	}
	if hash != 0 && len(digest) != hash.Size() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "digest-length", "the digest has %d bytes, not %d", len(digest), hash.Size())
	}
	signature, err := s.compute(0x00, append([]byte(prefix), digest...))
	if err != nil {
		return nil, err
	}
	return signature, checked(rsa.VerifyPKCS1v15(public, hash, digest, signature))
}

func (s *Signer) signPSS(public *rsa.PublicKey, digest []byte, opts *rsa.PSSOptions) ([]byte, error) {
	salt := opts.SaltLength
	if opts.HashFunc() != crypto.SHA256 || len(digest) != sha256.Size ||
		(salt != rsa.PSSSaltLengthAuto && salt != rsa.PSSSaltLengthEqualsHash && salt != sha256.Size) {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "digest-algorithm", "the card makes PSS with SHA-256 and a salt of 32 bytes")
	}
	signature, err := s.compute(0x04, digest)
	if err != nil {
		return nil, err
	}
	return signature, checked(rsa.VerifyPSS(public, crypto.SHA256, digest, signature, opts))
}

// signP384 gives the signature in DER, as crypto.Signer wants it; the card gives r ‖ s.
func (s *Signer) signP384(digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != crypto.SHA384 || len(digest) != sha512.Size384 {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "digest-algorithm", "this card signs SHA-384")
	}
	raw, err := s.compute(0x02, digest)
	if err != nil {
		return nil, err
	}
	half := len(raw) / 2
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
	if err != nil {
		return nil, err
	}
	if public, ok := s.public.(*ecdsa.PublicKey); !ok || !ecdsa.VerifyASN1(public, digest, der) {
		return nil, checked(jitsuin.Errorf(jitsuin.Invalid, "signature", "the signature is not by the certificate's key"))
	}
	return der, nil
}

func (s *Signer) compute(scheme byte, data []byte) ([]byte, error) {
	if err := s.jpki.SelectFile(s.ctx, s.key); err != nil {
		return nil, err
	}
	return must(s.ctx, s.jpki.ch, "sign", card.Command{CLA: 0x80, INS: 0x2A, P1: scheme, P2: 0x80, Data: data, Le: 256})
}

func checked(err error) error {
	if err != nil {
		return jitsuin.Errorf(jitsuin.Conflict, "card-key-differs", "the card's signature does not fit its certificate: %w", err)
	}
	return nil
}
