package ber_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/ber"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDefiniteGivesTheDERShape(t *testing.T) {
	long := strings.Repeat("41", 200)
	for name, c := range map[string]struct{ in, want string }{
		"DER stays":                      {"3003020101", "3003020101"},
		"indefinite sequence":            {"3080 020101 0000", "3003020101"},
		"indefinite inside indefinite":   {"3080 a080 020101 0000 0000", "3005a003020101"},
		"long-winded length":             {"30820003 020101", "3003020101"},
		"octet string in pieces":         {"2480 0402 0102 0401 03 0000", "0403010203"},
		"definite octet string pieces":   {"2407 0402 0102 0401 03", "0403010203"},
		"pieces inside pieces":           {"2480 2480 0401 01 0000 2403 0401 02 0000", "04020102"},
		"UTF-8 string in octet pieces":   {"2c80 0401 41 0c01 42 0000", "0c024142"},
		"pieces that need a long length": {"2480 0464" + long[:200] + "0464" + long[:200] + "0000", "0481c8" + long},
		"two-octet tag":                  {"3080 9f8101 01ff 0000", "30059f810101ff"},
		"empty":                          {"3080 0000", "3000"},
		"a null is no end of contents":   {"3080 0500 0000", "30020500"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ber.Definite(unhex(t, c.in))
			if err != nil || !bytes.Equal(got, unhex(t, c.want)) {
				t.Fatalf("got %x, %v; want %s", got, err, c.want)
			}
			again, err := ber.Definite(got)
			if err != nil || len(got) > 0 && &again[0] != &got[0] {
				t.Fatal("the second time nothing is left to do, and nothing may be copied")
			}
		})
	}
}

func TestDefiniteRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":                       "",
		"one octet":                     "30",
		"trailing garbage":              "3003020101 00",
		"missing end of contents":       "3080 020101",
		"half an end of contents":       "3080 020101 00",
		"end of contents on its own":    "0000",
		"end inside a definite element": "3002 0000",
		"child longer than its parent":  "3003 020201",
		"primitive without end":         "0480 01 0000",
		"reserved length":               "04ff" + strings.Repeat("00", 127),
		"length beyond everything":      "0488 ffffffffffffffff 00",
		"endless tag number":            "1f8181818181818101 00",
		"integer inside a string":       "2480 020101 0000",
		"bit string in pieces":          "2380 03020001 0000",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ber.Definite(unhex(t, in)); err == nil {
				t.Fatalf("accepted as %x", got)
			}
		})
	}
}

func TestDefiniteHasLimits(t *testing.T) {
	for name, in := range map[string][]byte{
		"depth, indefinite": bytes.Repeat([]byte{0x30, 0x80}, 1<<20),
		"depth, definite":   nested(1000),
		"elements":          append([]byte{0x30, 0x83, 0x30, 0x00, 0x00}, bytes.Repeat([]byte{5, 0}, 0x300000/2)...),
		"size":              make([]byte, ber.MaxSize+1),
		"string in strings": bytes.Repeat([]byte{0x24, 0x80}, 1<<20),
	} {
		if _, err := ber.Definite(in); !errors.Is(err, ber.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// nested puts n sequences into each other.
func nested(n int) []byte {
	var b []byte
	for range n {
		l := len(b)
		switch {
		case l < 0x80:
			b = append([]byte{0x30, byte(l)}, b...)
		default:
			b = append([]byte{0x30, 0x82, byte(l >> 8), byte(l)}, b...)
		}
	}
	return b
}

func FuzzDefinite(f *testing.F) {
	for _, s := range []string{"3080a0800201010000" + "0000", "24800402010204010300" + "00", "3003020101", "30820003020101"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := ber.Definite(in)
		if err != nil {
			return
		}
		again, err := ber.Definite(out)
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("%x became %x, which became %x, %v", in, out, again, err)
		}
	})
}

func BenchmarkDefinite(b *testing.B) {
	in := append([]byte{0x30, 0x80}, bytes.Repeat([]byte{0x30, 0x80, 2, 1, 1, 0, 0}, 10000)...)
	in = append(in, 0, 0)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, err := ber.Definite(in); err != nil {
			b.Fatal(err)
		}
	}
}
