package card_test

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
)

// FuzzTransmit sends a script of commands (u16 length and bytes, as on a vpcd connection) to a
// chip whose terminal has authenticated, so that every command is within reach.
func FuzzTransmit(f *testing.F) {
	for _, script := range []string{
		selectJPKI + ";00A4020C02000A;00B0000000",
		selectJPKI + ";0020009804" + ascii("1234") + ";802A009704 01020304 00",
		selectJPKI + ";0020009B06" + ascii("ABC123") + ";0024019B06" + ascii("XYZ789"),
		selectJPKI + ";00A4020C02000A;80D60000043082000A;80D60004 0A 0102030405060708090A",
		selectJPKI + ";804601970200 0000;802C009804" + ascii("9999"),
		"0084000010;80820000C3" + strings.Repeat("AA", 195),
		"00A4040C000000;00;0000000000000000",
	} {
		var b []byte
		for _, line := range strings.Split(strings.ReplaceAll(script, " ", ""), ";") {
			apdu, err := hex.DecodeString(line)
			if err != nil {
				f.Fatal(err)
			}
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(apdu))), apdu...)
		}
		f.Add(b)
	}
	master := cardtest.Issue(f)
	f.Fuzz(func(t *testing.T, script []byte) {
		memory := master.Memory.Copy()
		chip, err := card.Open(memory)
		if err != nil {
			t.Fatal(err)
		}
		j := session(t, chip)
		if err := j.Authenticate(t.Context(), master.Production); err != nil {
			t.Fatal(err)
		}
		for n := 0; len(script) >= 2 && n < 50; n++ {
			size := min(int(binary.BigEndian.Uint16(script)), len(script)-2)
			apdu := script[2 : 2+size]
			script = script[2+size:]
			if size > 3 && apdu[1] == 0x46 && apdu[2] == 0 {
				continue // making RSA keys takes too long for a fuzzer
			}
			if _, _, ok := card.SplitResponse(chip.Transmit(apdu)); !ok {
				t.Fatalf("%x got no status word", apdu)
			}
		}
		if _, err := card.Open(memory); err != nil {
			t.Fatalf("the commands damaged the memory: %v", err)
		}
	})
}

// FuzzCommand checks that what is parsed is written back the same.
func FuzzCommand(f *testing.F) {
	for _, s := range []string{"00A40000", "00B0000000", "00A4020C020018", "802A00800401020304" + "00", "00B00000000000", "00A4020C0000020018", "802A0080000004010203040000"} {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, apdu []byte) {
		c, err := card.ParseCommand(apdu)
		if err != nil {
			return
		}
		if got := c.Bytes(); string(got) != string(apdu) {
			t.Fatalf("%x is written back as %x", apdu, got)
		}
	})
}
