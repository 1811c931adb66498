package card

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"math/big"

	"golang.org/x/crypto/cryptobyte"

	"github.com/jitsuin/jitsuin"
)

// Algorithm is what a key IEF holds. The next card's P-384 becomes a second value; what depends
// on the algorithm is in this file alone.
type Algorithm string

// RSA2048 is the algorithm of today's card.
const RSA2048 Algorithm = "RSA-2048"

const rsaBytes = 256 // of a signature by RSA2048

// newPrivateKey makes a key pair, in PKCS #8.
func newPrivateKey(alg Algorithm) ([]byte, error) {
	if alg != RSA2048 {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "key-algorithm", "the chip makes no keys for this algorithm")
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

// key gives the private key in working form.
func (k *keyPair) key() (crypto.Signer, error) {
	if k.signer == nil {
		parsed, err := x509.ParsePKCS8PrivateKey(k.PKCS8)
		if err != nil {
			return nil, jitsuin.Errorf(jitsuin.Internal, "chip-key-damaged", "a key in the chip cannot be read")
		}
		signer, ok := parsed.(crypto.Signer)
		if !ok {
			return nil, jitsuin.Errorf(jitsuin.Internal, "chip-key-damaged", "a key in the chip cannot sign")
		}
		k.signer = signer
	}
	return k.signer, nil
}

// carries tells whether public is the public key of k; a missing pair carries nothing.
func (k *keyPair) carries(public crypto.PublicKey) bool {
	if k == nil {
		return false
	}
	signer, err := k.key()
	if err != nil {
		return false
	}
	own, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && own.Equal(public)
}

// computeSignature is COMPUTE DIGITAL SIGNATURE (80 2A). P1 says how the data is signed:
//
//	00 PKCS #1 v1.5 over the data as it is (1 to 245 bytes; clients bring a DigestInfo)
//	01 the card hashes (SHA-256), PKCS #1 v1.5 over the bare digest
//	02 the data is a SHA-256 digest, the card adds the DigestInfo; 03 the card hashes as well
//	04 the data is a SHA-256 digest, PSS; 05 the card hashes, PSS
func (c *Chip) computeSignature(cmd Command) ([]byte, SW) {
	if cmd.P1 > 5 || cmd.P2 == 0 { // P2 00 is an application's own key, and JPKI has none
		return nil, SWWrongP1P2
	}
	f, sw := c.byReference(cmd.P2)
	switch {
	case sw != SWOK:
		return nil, sw
	case f.Kind != keyFile:
		return nil, SWIncompatibleFile
	case f.Key.Active == nil:
		return nil, SWReferencedNotFound
	case !c.session.allows(f.Key.Use):
		return nil, SWSecurityStatus
	}
	signer, err := f.Key.Active.key()
	if err != nil {
		return nil, SWMemoryFailure
	}
	key, ok := signer.(*rsa.PrivateKey)
	if !ok {
		return nil, SWFunction
	}
	if cmd.Le < rsaBytes {
		return nil, SWWrongLength
	}
	return signRSA(key, cmd.P1, cmd.Data)
}

func signRSA(key *rsa.PrivateKey, scheme byte, data []byte) (signature []byte, sw SW) {
	if len(data) == 0 {
		return nil, SWWrongLength
	}
	digest := data
	if scheme&1 == 1 {
		sum := sha256.Sum256(data)
		digest = sum[:]
	} else if scheme != 0 && len(data) != sha256.Size {
		return nil, SWWrongLength
	}
	var err error
	switch scheme {
	case 0, 1:
		if len(digest) > rsaBytes-11 {
			return nil, SWWrongLength
		}
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.Hash(0), digest)
	case 2, 3:
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest)
	default:
		signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest,
			&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	if err != nil {
		return nil, SWConditions
	}
	return signature, SWOK
}

// generateKeyPair is GENERATE KEY PAIR (80 46), ours: P1 00 makes a pending key, P1 01 gives its
// public key in pieces.
func (c *Chip) generateKeyPair(cmd Command) ([]byte, SW) {
	if cmd.P1 > 1 {
		return nil, SWWrongP1P2
	}
	if c.session.terminal == "" {
		return nil, SWSecurityStatus
	}
	f, sw := c.byReference(cmd.P2)
	switch {
	case sw != SWOK:
		return nil, sw
	case f.Kind != keyFile:
		return nil, SWIncompatibleFile
	case cmd.P1 == 1:
		return f.Key.publicKeyPiece(cmd)
	case len(cmd.Data) > 0:
		return nil, SWWrongLength
	}
	pkcs8, err := c.newKey(f.Key.Algorithm)
	if err != nil {
		return nil, SWFunction
	}
	f.Key.Pending = &keyPair{PKCS8: pkcs8}
	if !c.store() {
		return nil, SWMemoryFailure
	}
	return nil, SWOK
}

func (k *keyState) publicKeyPiece(cmd Command) ([]byte, SW) {
	if len(cmd.Data) != 2 || cmd.Le == 0 {
		return nil, SWWrongLength
	}
	if k.Pending == nil {
		return nil, SWReferencedNotFound
	}
	signer, err := k.Pending.key()
	if err != nil {
		return nil, SWMemoryFailure
	}
	template, err := marshalPublicKey(signer.Public())
	if err != nil {
		return nil, SWFunction
	}
	offset := int(cmd.Data[0])<<8 | int(cmd.Data[1])
	if offset >= len(template) {
		return nil, SWWrongOffset
	}
	return template[offset:min(offset+cmd.Le, len(template))], SWOK
}

// The template of ISO 7816-8: 7F49 { 81 modulus, 82 exponent }. cryptobyte writes one-byte tags
// only, so the two-byte tag is written around it.
const (
	templateTag = "\x7F\x49"
	modulusTag  = 0x81
	exponentTag = 0x82
)

func marshalPublicKey(public crypto.PublicKey) ([]byte, error) {
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "key-algorithm", "no public key template for this algorithm")
	}
	var inner, length cryptobyte.Builder
	inner.AddASN1(modulusTag, func(b *cryptobyte.Builder) { b.AddBytes(key.N.Bytes()) })
	inner.AddASN1(exponentTag, func(b *cryptobyte.Builder) { b.AddBytes(big.NewInt(int64(key.E)).Bytes()) })
	// A SEQUENCE around it has the right length field; its tag is exchanged.
	length.AddASN1(0x30, func(b *cryptobyte.Builder) { b.AddBytes(inner.BytesOrPanic()) })
	sequence, err := length.Bytes()
	if err != nil {
		return nil, err
	}
	return append([]byte(templateTag), sequence[1:]...), nil
}

// ParsePublicKey reads the 7F49 template that GENERATE KEY PAIR gives: *rsa.PublicKey.
func ParsePublicKey(template []byte) (crypto.PublicKey, error) {
	bad := jitsuin.Errorf(jitsuin.Invalid, "public-key-template", "this is no public key template of ISO 7816-8")
	if len(template) < 3 || string(template[:2]) != templateTag {
		return nil, bad
	}
	s := cryptobyte.String(append([]byte{0x30}, template[2:]...))
	var inner, modulus, exponent cryptobyte.String
	if !s.ReadASN1(&inner, 0x30) || !s.Empty() || !inner.ReadASN1(&modulus, modulusTag) ||
		!inner.ReadASN1(&exponent, exponentTag) || !inner.Empty() ||
		len(modulus) < rsaBytes || len(modulus) > 2*rsaBytes || len(exponent) == 0 || len(exponent) > 3 {
		return nil, bad
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64())}, nil
}
