package cert_test

import (
	"math/big"
	"testing"

	"github.com/jitsuin/jitsuin/cert"
	"pgregory.net/rapid"
)

func newCodec(t testing.TB, key string) *cert.SerialCodec {
	t.Helper()
	c, err := cert.NewSerialCodec([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSerialNumbersGoThereAndBack(t *testing.T) {
	codec, other := newCodec(t, "0123456789abcdef"), newCodec(t, "0123456789abcdeg")
	seen := map[cert.Serial][2]uint64{}
	rapid.Check(t, func(r *rapid.T) {
		epoch, ordinal := rapid.Uint32Range(1, 1<<31-1).Draw(r, "epoch"), rapid.Uint64().Draw(r, "ordinal")
		s, err := codec.Encode(epoch, ordinal)
		if err != nil {
			r.Fatal(err)
		}
		if s.Big().Sign() <= 0 || s.Big().BitLen() > 127 {
			r.Fatalf("%v is not a positive number of 16 octets", s)
		}
		if e, o, ok := codec.Decode(s); !ok || e != epoch || o != ordinal {
			r.Fatalf("%v decodes to %d, %d, %v", s, e, o, ok)
		}
		if was, ok := seen[s]; ok && was != [2]uint64{uint64(epoch), ordinal} {
			r.Fatalf("two places have the number %v", s)
		}
		seen[s] = [2]uint64{uint64(epoch), ordinal}
		if back, ok := cert.SerialOf(s.Big()); !ok || back != s {
			r.Fatalf("%v is not read back", s)
		}
		if _, _, ok := other.Decode(s); ok {
			r.Fatal("another key accepts it")
		}
		s[rapid.IntRange(0, 15).Draw(r, "octet")] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
		if _, _, ok := codec.Decode(s); ok {
			r.Fatal("wrong check bits are accepted")
		}
	})
}

// Neighbours must not look like neighbours, and what cannot be a serial number is none.
func TestSerialNumbersHideTheirOrder(t *testing.T) {
	codec := newCodec(t, "0123456789abcdef")
	rises := 0
	last, _ := codec.Encode(1, 0)
	for o := range uint64(1000) {
		s, _ := codec.Encode(1, o+1)
		if s.Big().Cmp(last.Big()) > 0 {
			rises++
		}
		last = s
	}
	if rises < 400 || rises > 600 {
		t.Errorf("%d of 1000 successive numbers rise", rises)
	}
	for _, epoch := range []uint32{0, 1 << 31} {
		if _, err := codec.Encode(epoch, 1); err == nil {
			t.Errorf("epoch %d is accepted", epoch)
		}
	}
	for _, n := range []*big.Int{nil, big.NewInt(0), big.NewInt(-1), new(big.Int).Lsh(big.NewInt(1), 127)} {
		if _, ok := cert.SerialOf(n); ok {
			t.Errorf("%v is taken for a serial number", n)
		}
	}
	if _, _, ok := codec.Decode(cert.Serial{}); ok {
		t.Error("0 is taken for a serial number")
	}
	if _, _, ok := codec.Decode(cert.Serial{0xff}); ok {
		t.Error("a negative number is taken for a serial number")
	}
}
