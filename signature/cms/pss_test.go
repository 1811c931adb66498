package cms_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// mask is MGF1.
func mask(h crypto.Hash, seed []byte, n int) []byte {
	var out []byte
	for i := uint32(0); len(out) < n; i++ {
		d := h.New()
		d.Write(binary.BigEndian.AppendUint32(bytes.Clone(seed), i))
		out = d.Sum(out)
	}
	return out[:n]
}

// TestPSSEncodings gives an RSA key's value over every encoding but the right one, with a mask that
// the library does not make, and without a salt.
func TestPSSEncodings(t *testing.T) {
	const sha256ID = "a00f300d06096086480165030402010500"
	who := signtest.New(t).RSA
	key := who.Key.(*rsa.PrivateKey)
	size := key.Size()
	sum := sha256.Sum256(forgery{who: who, attributes: plainAttributes()}.signedBytes())
	for name, c := range map[string]struct {
		salt   int    // in the value
		named  string // the salt's length as the parameters have it
		mgf    string // the hash of the mask as they have it
		change func(db, hashed []byte)
		end    byte
		top    bool
		want   cms.Fault
	}{
		"as it must be":              {salt: 20, named: "14"},
		"without a salt":             {salt: 0, named: "00"},
		"a salt as long as a digest": {salt: 32, named: "20"},
		"a longer salt named":        {salt: 20, named: "15", want: cms.FaultValue},
		"a shorter salt named":       {salt: 20, named: "13", want: cms.FaultValue},
		"a salt, called none":        {salt: 1, named: "00", want: cms.FaultValue},
		"none, called a salt":        {salt: 0, named: "01", want: cms.FaultValue},
		"another trailer":            {salt: 20, named: "14", end: 0xcc, want: cms.FaultValue},
		"another separator":          {salt: 20, named: "14", change: func(db, _ []byte) { db[len(db)-21] = 2 }, want: cms.FaultValue},
		"padding with a one":         {salt: 20, named: "14", change: func(db, _ []byte) { db[5] = 1 }, want: cms.FaultValue},
		"padding that begins late":   {salt: 20, named: "14", change: func(db, _ []byte) { db[len(db)-22] = 1 }, want: cms.FaultValue},
		"another salt":               {salt: 20, named: "14", change: func(db, _ []byte) { db[len(db)-1] ^= 1 }, want: cms.FaultValue},
		"another digest":             {salt: 20, named: "14", change: func(_, hashed []byte) { hashed[0] ^= 1 }, want: cms.FaultValue},
		"a bit too many":             {salt: 20, named: "14", top: true, want: cms.FaultValue},
		"another mask":               {salt: 20, named: "14", mgf: "1", want: cms.FaultValue},
	} {
		t.Run(name, func(t *testing.T) {
			salt := bytes.Repeat([]byte{7}, c.salt)
			again := sha256.New()
			again.Write(bytes.Join([][]byte{make([]byte, 8), sum[:], salt}, nil))
			hashed := again.Sum(nil)
			db := append(make([]byte, size-34-c.salt), append([]byte{1}, salt...)...)
			if c.change != nil {
				c.change(db, hashed)
			}
			for i, m := range mask(crypto.SHA384, hashed, len(db)) {
				db[i] ^= m
			}
			db[0] &= 0x7f
			if c.top { // the key has 2048 bits, of which 2047 carry the encoding
				db[0] |= 0x80
			}
			end := c.end
			if end == 0 {
				end = 0xbc
			}
			em := new(big.Int).SetBytes(append(append(db, hashed...), end))
			value := em.Exp(em, key.D, key.N).FillBytes(make([]byte, size))
			mgf := "a11c301a06092a864886f70d010108300d060960864801650304020" + "20500"
			if c.mgf != "" {
				mgf = "a11c301a06092a864886f70d010108300d060960864801650304020" + "30500"
			}
			params := unhex(t, "3034"+sha256ID+mgf+"a2030201"+c.named)
			if got := anyFault(t, forgery{who: who, sigOID: oidPSS, sigParams: params, raw: value}.make(t), document); got != c.want {
				t.Fatalf("fault %q, want %q", got, c.want)
			}
		})
	}
}
