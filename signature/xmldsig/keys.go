package xmldsig

import (
	"bytes"
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 read in old documents; never makes a signature pass
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/cloudflare/circl/sign/ed448"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds on keys. Below minRSA a signature proves too little; above the others checking it is a way
// to keep a verifier busy.
const (
	minRSA = 2048
	maxRSA = 8192
	maxDSA = 3072
)

var (
	errUnsupported = errors.New("not provided")
	errForbidden   = errors.New("refused")
	errValue       = errors.New("the value does not fit what was signed and the key")
)

// check verifies the signature's value over message, the canonical form of SignedInfo, with a key.
func (s *Signature) check(key any, message []byte) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return s.checkRSA(key, message)
	case *ecdsa.PublicKey:
		if s.scheme.family == familyECDSA {
			return s.checkECDSA(key, digest(s.scheme.hash, message))
		}
	case ed25519.PublicKey:
		return s.checkEd25519(key, message)
	case ed448.PublicKey:
		return s.checkEd448(key, message)
	case *dsa.PublicKey:
		if s.scheme.family == familyDSA {
			return s.checkDSA(key, digest(s.scheme.hash, message))
		}
	default:
		return fmt.Errorf("a key of this type: %w", errUnsupported)
	}
	return fmt.Errorf("%s with a key %s", s.scheme.family, keyName(key))
}

func digest(h crypto.Hash, message []byte) []byte {
	w := h.New()
	w.Write(message)
	return w.Sum(nil)
}

func (s *Signature) checkRSA(key *rsa.PublicKey, message []byte) error {
	h := s.scheme.hash
	switch bits := key.N.BitLen(); {
	case bits > maxRSA, bits < 512:
		return fmt.Errorf("an RSA key of %d bits: %w", bits, errForbidden)
	case bits < 1024 && s.scheme.family == familyRSA:
		return s.checkOldRSA(key, digest(h, message))
	}
	switch s.scheme.family {
	case familyRSA:
		return rsa.VerifyPKCS1v15(key, h, digest(h, message), s.value)
	case familyPSS:
		salt := s.salt
		if salt < 0 {
			salt = h.Size()
		}
		return rsa.VerifyPSS(key, h, digest(h, message), s.value, &rsa.PSSOptions{SaltLength: salt, Hash: h})
	}
	return fmt.Errorf("%s with a key %s", s.scheme.family, keyName(key))
}

// digestInfos are the heads of DigestInfo (RFC 8017 §9.2) that old keys sign.
var digestInfos = map[crypto.Hash]string{
	crypto.SHA1:   "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
	crypto.SHA256: "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
}

// checkOldRSA is RSASSA-PKCS1-v1_5 with a key from 512 bits, which crypto/rsa refuses. It tells that an old
// document is as it was made, and no more: such keys have been broken, and weakKey says so.
func (s *Signature) checkOldRSA(key *rsa.PublicKey, sum []byte) error {
	head, known := digestInfos[s.scheme.hash]
	size, value := (key.N.BitLen()+7)/8, new(big.Int).SetBytes(s.value)
	if !known || len(s.value) != size || value.Cmp(key.N) >= 0 || size < len(head)+len(sum)+11 || key.E < 3 || key.N.Bit(0) == 0 {
		return errValue
	}
	padding := bytes.Repeat([]byte{0xff}, size-len(head)-len(sum)-3)
	want := slices.Concat([]byte{0, 1}, padding, []byte{0}, []byte(head), sum)
	got := value.Exp(value, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, size))
	if !bytes.Equal(got, want) {
		return errValue
	}
	return nil
}

// checkECDSA takes the value as the two numbers side by side (RFC 9231 §2.3.6). Some makers pad
// them to one length too many, and some write them in DER: both say the same two numbers.
func (s *Signature) checkECDSA(key *ecdsa.PublicKey, sum []byte) error {
	switch key.Curve {
	case elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521():
	default:
		return fmt.Errorf("the curve %s: %w", key.Params().Name, errUnsupported)
	}
	if len(s.value) > 256 {
		return errValue
	}
	if half := len(s.value) / 2; len(s.value)%2 == 0 {
		r, v := new(big.Int).SetBytes(s.value[:half]), new(big.Int).SetBytes(s.value[half:])
		if ecdsa.Verify(key, sum, r, v) {
			return nil
		}
	}
	if s.value[0] == 0x30 && ecdsa.VerifyASN1(key, sum, s.value) {
		return nil
	}
	return errValue
}

// checkEd25519 checks by RFC 8032 §5.1.
func (s *Signature) checkEd25519(key ed25519.PublicKey, message []byte) error {
	o := &ed25519.Options{Context: string(s.context)}
	switch s.scheme.family {
	case familyEdDSA:
	case familyEdCtx:
		if len(s.context) == 0 {
			return errors.New("Ed25519ctx without a context")
		}
	case familyEdPH:
		o.Hash, message = crypto.SHA512, digest(crypto.SHA512, message)
	default:
		return fmt.Errorf("%s with a key Ed25519", s.scheme.family)
	}
	if ed25519.VerifyWithOptions(key, message, s.value, o) != nil {
		return errValue
	}
	return nil
}

// checkEd448 checks by RFC 8032 §5.2.
func (s *Signature) checkEd448(key ed448.PublicKey, message []byte) error {
	ok := false
	switch s.scheme.family {
	case familyEd448:
		ok = ed448.Verify(key, message, s.value, string(s.context))
	case familyEd448PH:
		ok = ed448.VerifyPh(key, message, s.value, string(s.context))
	default:
		return fmt.Errorf("%s with a key Ed448", s.scheme.family)
	}
	if !ok {
		return errValue
	}
	return nil
}

// checkDSA takes the value as r and s side by side (XMLDSig 1.1 §6.4.1).
func (s *Signature) checkDSA(key *dsa.PublicKey, sum []byte) error {
	if !soundDSA(key) {
		return fmt.Errorf("a key %s: %w", keyName(key), errForbidden)
	}
	half := len(s.value) / 2
	if len(s.value)%2 != 0 || half > 64 {
		return errValue
	}
	r, v := new(big.Int).SetBytes(s.value[:half]), new(big.Int).SetBytes(s.value[half:])
	if !dsa.Verify(key, sum[:min(len(sum), key.Q.BitLen()/8)], r, v) {
		return errValue
	}
	return nil
}

// soundDSA tells whether computing with a key ends soon and means something.
func soundDSA(key *dsa.PublicKey) bool {
	p, q := key.P, key.Q
	return p.BitLen() >= 512 && p.BitLen() <= maxDSA && q.BitLen() >= 160 && q.BitLen() <= 256 && p.Bit(0) == 1 &&
		key.G.Sign() > 0 && key.G.Cmp(p) < 0 && key.Y.Sign() > 0 && key.Y.Cmp(p) < 0
}

// weakKey says why a key proves too little, "" where it proves enough.
func weakKey(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSA {
			return keyName(k)
		}
	case *dsa.PublicKey:
		return keyName(k)
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P224() {
			return keyName(k)
		}
	}
	return ""
}

// keyName describes a public key, "RSA 2048" or "ECDSA P-384".
func keyName(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case ed448.PublicKey:
		return "Ed448"
	case *dsa.PublicKey:
		return fmt.Sprintf("DSA %d", k.P.BitLen())
	}
	return "unknown"
}

// keyOf gives the public key of a certificate: what crypto/x509 reads, or one for RSASSA-PSS, which
// it leaves out.
func keyOf(c *x509.Certificate) any {
	if c.PublicKey != nil {
		return c.PublicKey
	}
	key, _ := ParseKey(c.RawSubjectPublicKeyInfo)
	return key
}

// id-RSASSA-PSS (RFC 4055 §3.1) and id-Ed448 (RFC 8410 §3), as DER.
var (
	oidPSS   = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a}
	oidEd448 = []byte{0x06, 0x03, 0x2b, 0x65, 0x71}
)

// ParseKey reads SubjectPublicKeyInfo: what crypto/x509 reads, keys for RSASSA-PSS alone, and Ed448.
func ParseKey(der []byte) (crypto.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(der)
	if err == nil {
		return key, nil
	}
	in := cryptobyte.String(der)
	var info, algorithm, oid, bits, body cryptobyte.String
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1(&algorithm, cbasn1.SEQUENCE) ||
		!algorithm.ReadASN1Element(&oid, cbasn1.OBJECT_IDENTIFIER) || !info.ReadASN1(&bits, cbasn1.BIT_STRING) || !bits.Skip(1) {
		return nil, err
	}
	switch {
	case bytes.Equal(oid, oidEd448) && len(bits) == ed448.PublicKeySize:
		return ed448.PublicKey(bits), nil
	case !bytes.Equal(oid, oidPSS) || !bits.ReadASN1(&body, cbasn1.SEQUENCE):
		return nil, err
	}
	rsaKey := &rsa.PublicKey{N: new(big.Int)}
	if !body.ReadASN1Integer(rsaKey.N) || !body.ReadASN1Integer(&rsaKey.E) || rsaKey.N.Sign() <= 0 || rsaKey.E <= 0 {
		return nil, err
	}
	return rsaKey, nil
}
