package contents

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"slices"

	"github.com/jitsuin/jitsuin"
)

// signatureSize is what an RSA-2048 signature and modulus have, in bytes.
const signatureSize = 256

// digestInfo is what PKCS #1 v1.5 wraps: the algorithm SHA-256 with a digest of n bytes.
func digestInfo(digest []byte) []byte {
	n := byte(len(digest))
	head := []byte{0x30, 0x11 + n, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, n}
	return append(head, digest...)
}

// digest gives what is signed of these bytes: SHA-256, and of a face (DF22 to DF27) the three
// digests of its parts, 96 bytes in all.
func digest(signed []byte) ([]byte, error) {
	if !bytes.HasPrefix(signed, []byte{0xDF, 0x22}) {
		sum := sha256.Sum256(signed)
		return sum[:], nil
	}
	s := newScanner("signed face", signed)
	var ends []int
	for tag := uint16(0xDF22); tag <= 0xDF27; tag++ {
		s.next(tag)
		ends = append(ends, s.at)
	}
	if err := s.done(0, 0); err != nil {
		return nil, err
	}
	a := sha256.Sum256(signed[:ends[2]])
	b := sha256.Sum256(signed[ends[2]:ends[4]])
	c := sha256.Sum256(signed[ends[4]:])
	return slices.Concat(a[:], b[:], c[:]), nil
}

// Sign signs bytes that ToSign functions of this package gave: PKCS #1 v1.5 with the DigestInfo of
// SHA-256.
func Sign(key crypto.Signer, signed []byte) ([]byte, error) {
	d, err := digest(signed)
	if err != nil {
		return nil, err
	}
	return key.Sign(rand.Reader, digestInfo(d), crypto.Hash(0))
}

// CheckSignature verifies what Sign made. Conflict "card-signature" where it does not fit.
func CheckSignature(public *rsa.PublicKey, signed, signature []byte) error {
	d, err := digest(signed)
	if err != nil {
		return err
	}
	if err := rsa.VerifyPKCS1v15(public, crypto.Hash(0), digestInfo(d), signature); err != nil {
		return jitsuin.Errorf(jitsuin.Conflict, "card-signature", "the signature over the card's contents is wrong: %w", err)
	}
	return nil
}

// IsSigned tells whether bytes have the form of something that this package has signed: for a key
// store that looks at what it signs.
func IsSigned(signed []byte) bool {
	for _, form := range signedForms {
		s := newScanner("signed", signed)
		for _, tag := range form {
			s.next(tag)
		}
		if s.done(0, 0) == nil {
			return true
		}
	}
	_, err := parseBody(signed)
	return err == nil
}

// signedForms are the sequences of objects that are signed; the body of a card-verifiable
// certificate is told apart by parseBody.
var signedForms = [][]uint16{
	{0xDF31, 0xDF32},
	{0xDF51},
	{0xDF11, 0xDF12},
	{0xDF41, 0xDF42},
	{0xDF22, 0xDF23, 0xDF24, 0xDF25, 0xDF26, 0xDF27},
}
