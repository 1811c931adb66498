package card

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/jitsuin/jitsuin"
)

// Algorithm is what a key IEF holds; what depends on it is in this file alone.
type Algorithm string

const (
	RSA2048 Algorithm = "RSA-2048" // today's card
	P384    Algorithm = "P-384"    // the next card
)

const (
	rsaBytes  = 256 // of a signature by RSA2048
	p384Bytes = 96  // of a signature by P384: r ‖ s
)

// newPrivateKey makes a key pair, in PKCS #8.
func newPrivateKey(alg Algorithm) ([]byte, error) {
	var key crypto.Signer
	var err error
	switch alg {
	case RSA2048:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case P384:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		err = jitsuin.Errorf(jitsuin.Unsupported, "key-algorithm", "the chip makes no keys for this algorithm")
	}
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
//
// P2 names the key: 80 the current EF, 80|sfi, or 00 the application's own. A key of the next card
// (P-384, our reading) takes a SHA-384 digest with P1 02 or hashes with P1 03 and gives r ‖ s.
func (c *Chip) computeSignature(cmd Command) ([]byte, SW) {
	if cmd.P1 > 5 {
		return nil, SWWrongP1P2
	}
	f, sw := c.signingKey(cmd.P2)
	switch {
	case sw != SWOK:
		return nil, sw
	case f.Kind != keyFile || f.Key.Authenticates:
		return nil, SWIncompatibleFile
	case f.Key.Active == nil:
		return nil, SWReferencedNotFound
	case !c.session.allows(f.Key.Use):
		return nil, SWSecurityStatus
	}
	return c.sign(f.Key.Active, cmd.P1, cmd)
}

// signingKey finds the key file that P2 of COMPUTE DIGITAL SIGNATURE names.
func (c *Chip) signingKey(p2 byte) (*file, SW) {
	if p2 != 0 {
		return c.byReference(p2)
	}
	if f := c.session.app.file(c.session.app.Own); c.session.app.Own != 0 && f != nil {
		return f, SWOK
	}
	return nil, SWWrongP1P2 // the application has no key of its own
}

// sign signs the data of a command in one of the ways that P1 of COMPUTE DIGITAL SIGNATURE names.
func (c *Chip) sign(pair *keyPair, scheme byte, cmd Command) ([]byte, SW) {
	if pair == nil {
		return nil, SWReferencedNotFound
	}
	signer, err := pair.key()
	if err != nil {
		return nil, SWMemoryFailure
	}
	switch key := signer.(type) {
	case *rsa.PrivateKey:
		if cmd.Le < rsaBytes {
			return nil, SWWrongLength
		}
		return signRSA(key, scheme, cmd.Data)
	case *ecdsa.PrivateKey:
		if cmd.Le < p384Bytes {
			return nil, SWWrongLength
		}
		return signP384(key, scheme, cmd.Data)
	}
	return nil, SWFunction
}

func signP384(key *ecdsa.PrivateKey, scheme byte, data []byte) ([]byte, SW) {
	digest := data
	switch {
	case scheme == 3 && len(data) > 0:
		sum := sha512.Sum384(data)
		digest = sum[:]
	case scheme != 2 && scheme != 3:
		return nil, SWWrongP1P2
	}
	if len(digest) != sha512.Size384 {
		return nil, SWWrongLength
	}
	der, err := key.Sign(rand.Reader, digest, crypto.SHA384)
	if err != nil {
		return nil, SWConditions
	}
	signature, err := rawSignature(der, p384Bytes)
	if err != nil {
		return nil, SWConditions
	}
	return signature, SWOK
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
// public key in pieces, P1 03 that of the active key, P1 04 that of the application's session key, P1 81 that
// of an application of the free area (free.go).
func (c *Chip) generateKeyPair(cmd Command) ([]byte, SW) {
	if cmd.P1 == accessPublicKey {
		return c.freePublicKey(cmd)
	}
	if cmd.P1 > 4 || cmd.P1 == 2 {
		return nil, SWWrongP1P2
	}
	if !slices.Contains(byTerminals, c.session.terminal) {
		return nil, SWSecurityStatus
	}
	if cmd.P1 == 4 {
		return publicKeyPiece(c.session.app.Session, cmd)
	}
	f, sw := c.byReference(cmd.P2)
	switch {
	case sw != SWOK:
		return nil, sw
	case f.Kind != keyFile:
		return nil, SWIncompatibleFile
	case cmd.P1 == 1:
		return publicKeyPiece(f.Key.Pending, cmd)
	case cmd.P1 == 3:
		return publicKeyPiece(f.Key.Active, cmd)
	case len(cmd.Data) > 0:
		return nil, SWWrongLength
	case !c.session.app.certified(f.ID):
		return nil, SWConditions // an application's own key is laid in when the chip is made
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

// certified tells whether a certificate EF carries the public key of key file id.
func (a *application) certified(id uint16) bool {
	return slices.ContainsFunc(a.Files, func(f *file) bool { return f.Certifies == id })
}

func publicKeyPiece(k *keyPair, cmd Command) ([]byte, SW) {
	if len(cmd.Data) != 2 || cmd.Le == 0 {
		return nil, SWWrongLength
	}
	if k == nil {
		return nil, SWReferencedNotFound
	}
	signer, err := k.key()
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

// The template of ISO 7816-8: 7F49 { 81 modulus, 82 exponent } or 7F49 { 86 point }. cryptobyte
// writes one-byte tags only, so the two-byte tag is written around it.
const (
	templateTag = "\x7F\x49"
	modulusTag  = 0x81
	exponentTag = 0x82
	pointTag    = 0x86
)

func marshalPublicKey(public crypto.PublicKey) ([]byte, error) {
	var inner, length cryptobyte.Builder
	switch key := public.(type) {
	case *rsa.PublicKey:
		inner.AddASN1(modulusTag, func(b *cryptobyte.Builder) { b.AddBytes(key.N.Bytes()) })
		inner.AddASN1(exponentTag, func(b *cryptobyte.Builder) { b.AddBytes(big.NewInt(int64(key.E)).Bytes()) })
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			return nil, err
		}
		inner.AddASN1(pointTag, func(b *cryptobyte.Builder) { b.AddBytes(point) })
	default:
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "key-algorithm", "no public key template for this algorithm")
	}
	// A SEQUENCE around it has the right length field; its tag is exchanged.
	length.AddASN1(0x30, func(b *cryptobyte.Builder) { b.AddBytes(inner.BytesOrPanic()) })
	sequence, err := length.Bytes()
	if err != nil {
		return nil, err
	}
	return append([]byte(templateTag), sequence[1:]...), nil
}

// ParsePublicKey reads the 7F49 template that GENERATE KEY PAIR gives: *rsa.PublicKey, or
// *ecdsa.PublicKey on P-384.
func ParsePublicKey(template []byte) (crypto.PublicKey, error) {
	bad := jitsuin.Errorf(jitsuin.Invalid, "public-key-template", "this is no public key template of ISO 7816-8")
	if len(template) < 3 || string(template[:2]) != templateTag {
		return nil, bad
	}
	s := cryptobyte.String(append([]byte{0x30}, template[2:]...))
	var inner, modulus, exponent, point cryptobyte.String
	if !s.ReadASN1(&inner, 0x30) || !s.Empty() {
		return nil, bad
	}
	if inner.PeekASN1Tag(pointTag) {
		if !inner.ReadASN1(&point, pointTag) || !inner.Empty() {
			return nil, bad
		}
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), point)
		if err != nil {
			return nil, bad
		}
		return key, nil
	}
	if !inner.ReadASN1(&modulus, modulusTag) || !inner.ReadASN1(&exponent, exponentTag) || !inner.Empty() ||
		len(modulus) < rsaBytes || len(modulus) > 2*rsaBytes || len(exponent) == 0 || len(exponent) > 3 {
		return nil, bad
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64())}, nil
}
