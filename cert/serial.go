package cert

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"math/big"

	"github.com/jitsuin/jitsuin"
)

// Serial is a certificate's serial number (発行番号) as this system's authorities give them: 16 octets,
// big-endian, first bit 0, never 0. Order of issue does not show in it.
type Serial [16]byte

// Big gives the number.
func (s Serial) Big() *big.Int { return new(big.Int).SetBytes(s[:]) }

// String gives 32 lower-case hex digits.
func (s Serial) String() string { return hex.EncodeToString(s[:]) }

// SerialOf gives n as a Serial; ok is false where n is not positive or needs more than 127 bits, so
// that no SerialCodec can have made it.
func SerialOf(n *big.Int) (s Serial, ok bool) {
	if n == nil || n.Sign() <= 0 || n.BitLen() > 127 {
		return s, false
	}
	n.FillBytes(s[:])
	return s, true
}

// SerialCodec turns (epoch, dense ordinal) into serial numbers and back. The plain block is
// epoch (32 bits) ‖ ordinal (64 bits) ‖ zero (32 check bits); AES-128 is applied until the first bit is 0 and
// the value not 0 (cycle walking), which makes it a permutation of the positive 127-bit numbers.
// The key belongs to the CA and its status nodes: who has it can tell when a certificate was made.
// A SerialCodec is safe for concurrent use.
type SerialCodec struct{ block cipher.Block }

const maxEpoch = 1<<31 - 1 // the plain block's first bit must be 0 too

// NewSerialCodec takes a 16-octet AES key.
func NewSerialCodec(key []byte) (*SerialCodec, error) {
	if len(key) != 16 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "serial-key", "the key of serial numbers has 16 octets")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Internal, "serial-key", "making the serial cipher: %w", err)
	}
	return &SerialCodec{block}, nil
}

// Encode gives the serial number of an ordinal. Epochs run from 1 to 2³¹−1; another is an error.
func (c *SerialCodec) Encode(epoch uint32, ordinal uint64) (Serial, error) {
	var s Serial
	if epoch == 0 || epoch > maxEpoch {
		return s, jitsuin.Errorf(jitsuin.Invalid, "serial-epoch", "epochs of serial numbers run from 1 to %d", maxEpoch)
	}
	binary.BigEndian.PutUint32(s[:], epoch)
	binary.BigEndian.PutUint64(s[4:], ordinal)
	c.block.Encrypt(s[:], s[:])
	for !s.positive() {
		c.block.Encrypt(s[:], s[:])
	}
	return s, nil
}

// Decode gives epoch and ordinal back. ok is false where the check bits are wrong: such a number was
// never issued under this key.
func (c *SerialCodec) Decode(s Serial) (epoch uint32, ordinal uint64, ok bool) {
	if !s.positive() {
		return 0, 0, false
	}
	c.block.Decrypt(s[:], s[:])
	for !s.positive() {
		c.block.Decrypt(s[:], s[:])
	}
	if binary.BigEndian.Uint32(s[12:]) != 0 {
		return 0, 0, false
	}
	epoch = binary.BigEndian.Uint32(s[:])
	return epoch, binary.BigEndian.Uint64(s[4:]), epoch != 0
}

func (s Serial) positive() bool { return s[0]&0x80 == 0 && s != Serial{} }
