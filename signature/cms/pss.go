package cms

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
)

// checkPSS is RSASSA-PSS-VERIFY (RFC 8017 §8.1.2) for what the library does not take: a mask made with
// another hash than the message's, and no salt at all.
func (s scheme) checkPSS(key *rsa.PublicKey, h crypto.Hash, digest, value []byte) error {
	if key.E < 3 || key.E&1 == 0 || key.N.Bit(0) == 0 {
		return fmt.Errorf("an RSA key that is none: %w", errForbidden)
	}
	c := new(big.Int).SetBytes(value)
	if len(value) != key.Size() || c.Cmp(key.N) >= 0 {
		return errors.New("the value is not as long as the key, or larger")
	}
	bits := key.N.BitLen() - 1
	em := c.Exp(c, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, key.Size()))
	if size := (bits + 7) / 8; size < len(em) {
		if em[0] != 0 {
			return errMisfit
		}
		em = em[1:]
	}
	return s.checkEMSA(em, bits, h, digest)
}

// checkEMSA is EMSA-PSS-VERIFY (RFC 8017 §9.1.2) over the encoded message em, of which bits count.
func (s scheme) checkEMSA(em []byte, bits int, h crypto.Hash, digest []byte) error {
	size, top := h.Size(), byte(0xff>>(8*len(em)-bits)) // top: the bits of the first octet that count
	if len(em) < size+s.salt+2 || em[len(em)-1] != 0xbc || em[0]&^top != 0 {
		return errMisfit
	}
	db, hashed := em[:len(em)-size-1], em[len(em)-size-1:len(em)-1]
	for i, m := range s.maskOf(hashed, len(db)) {
		db[i] ^= m
	}
	db[0] &= top
	zeros, salt := db[:len(db)-s.salt-1], db[len(db)-s.salt:]
	if db[len(zeros)] != 1 || !bytes.Equal(zeros, make([]byte, len(zeros))) {
		return errMisfit
	}
	again := h.New()
	for _, part := range [][]byte{make([]byte, 8), digest, salt} {
		again.Write(part) // never fails
	}
	return fits(bytes.Equal(again.Sum(nil), hashed))
}

// maskOf is MGF1 (RFC 8017 §B.2.1).
func (s scheme) maskOf(seed []byte, n int) []byte {
	var mask []byte
	for i := uint32(0); len(mask) < n; i++ {
		mask = append(mask, sum(s.mask, binary.BigEndian.AppendUint32(bytes.Clone(seed), i))...)
	}
	return mask[:n]
}
