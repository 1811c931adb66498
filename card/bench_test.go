package card_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/reader"
)

func BenchmarkReadBinary(b *testing.B) {
	chip := cardtest.Issue(b).Chip
	transmit(b, chip, selectJPKI)
	read := card.Command{INS: 0xB0, P1: 0x8A, Le: 256}.Bytes()
	for b.Loop() {
		if len(chip.Transmit(read)) != 258 {
			b.Fatal("short answer")
		}
	}
}

// One VERIFY, with its two durable writes, in RAM and in a folder.
func BenchmarkVerify(b *testing.B) {
	issued := cardtest.Issue(b)
	verify := append([]byte{0, 0x20, 0, 0x98, 4}, "1234"...)
	run := func(memory card.Memory) func(*testing.B) {
		return func(b *testing.B) {
			chip, err := card.Open(memory)
			if err != nil {
				b.Fatal(err)
			}
			transmit(b, chip, selectJPKI)
			for b.Loop() {
				if r := chip.Transmit(verify); r[0] != 0x90 {
					b.Fatalf("%x", r)
				}
			}
		}
	}
	b.Run("ram", run(issued.Memory))
	folder, _ := newFolder(b)
	image, err := issued.Memory.Load()
	if err != nil {
		b.Fatal(err)
	}
	if err := folder.Store(image); err != nil {
		b.Fatal(err)
	}
	b.Run("folder", run(folder))
}

// SELECT of the JPKI application and of an EF in it.
func BenchmarkSelect(b *testing.B) {
	chip := cardtest.Issue(b).Chip
	commands := [][]byte{
		card.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(card.AIDJPKI)}.Bytes(),
		card.Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{0, 0x0A}}.Bytes(),
	}
	for b.Loop() {
		for _, c := range commands {
			if r := chip.Transmit(c); r[0] != 0x90 {
				b.Fatalf("%x", r)
			}
		}
	}
}

// The card's signing beside bare RSA with the same key, in turn, so that whatever else the machine does slows both
// alike. The limit is 2 % more for the whole way: the key is selected, the PIN stays verified.
func BenchmarkSign(b *testing.B) {
	chip := cardtest.Issue(b).Chip
	transmit(b, chip, selectJPKI)
	transmit(b, chip, "0020009804"+ascii("1234"))
	transmit(b, chip, "00A4020C02"+"0017")
	digest := sha256.Sum256([]byte("message"))
	info, _ := hex.DecodeString("3031300d060960864801650304020105000420")
	sign := card.Command{CLA: 0x80, INS: 0x2A, P2: 0x80, Data: append(info, digest[:]...), Le: 256}.Bytes()
	want := chip.Transmit(sign)
	key := signingKey(b, chip, digest[:], want[:256])
	var bare, whole []time.Duration
	for b.Loop() {
		begun := time.Now()
		if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); err != nil {
			b.Fatal(err)
		}
		half := time.Now()
		if got := chip.Transmit(sign); len(got) != 258 {
			b.Fatal("no signature")
		}
		bare, whole = append(bare, half.Sub(begun)), append(whole, time.Since(half))
	}
	slices.Sort(bare)
	slices.Sort(whole)
	b.ReportMetric(float64(bare[len(bare)/2].Nanoseconds()), "bare-ns/op")
	b.ReportMetric(float64(whole[len(whole)/2].Nanoseconds()), "card-ns/op")
	b.ReportMetric(100*(float64(whole[len(whole)/2])/float64(bare[len(bare)/2])-1), "%-more")
}

// signingKey finds the private key in a chip that made a signature.
func signingKey(b *testing.B, chip *card.Chip, digest, signature []byte) *rsa.PrivateKey {
	b.Helper()
	for _, pkcs8 := range chip.PrivateKeys() {
		parsed, err := x509.ParsePKCS8PrivateKey(pkcs8)
		if err != nil {
			b.Fatal(err)
		}
		if key, ok := parsed.(*rsa.PrivateKey); ok && rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest, signature) == nil {
			return key
		}
	}
	b.Fatal("no key in the chip made its signature")
	return nil
}

// sharedMemory is a memory that many chips read and that keeps nothing.
type sharedMemory struct{ image []byte }

func (m sharedMemory) Load() ([]byte, error) { return bytes.Clone(m.image), nil }
func (sharedMemory) Store([]byte) error      { return nil }

// Ten thousand whole cards open at once, as many as a large host would have: how much room each takes, untouched and
// after both keys have signed. The limit is 1 GiB for all, 107,374 bytes each.
func BenchmarkTenThousandCards(b *testing.B) {
	const cards = 10_000
	issued := wholeWithKeys(b)
	image, err := issued.Memory.Load()
	if err != nil {
		b.Fatal(err)
	}
	for _, used := range []bool{false, true} {
		name := "untouched"
		if used {
			name = "signed with both keys"
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				before := heap()
				open := make([]*card.Chip, cards)
				for i := range open {
					if open[i], err = card.Open(sharedMemory{image}); err != nil {
						b.Fatal(err)
					}
					if used {
						signWithBoth(b, open[i])
					}
				}
				took := heap() - before
				runtime.KeepAlive(open)
				b.ReportMetric(float64(took)/cards, "B/card")
				b.ReportMetric(float64(took)/(1<<20), "MiB")
			}
			b.ReportMetric(float64(len(image)), "B/image")
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// wholeWithKeys gives a card with everything: keys, certificates, and a face of the size that a portrait has.
func wholeWithKeys(b *testing.B) *cardtest.Issued {
	issued := cardtest.Whole(b, card.ProfileCard, card.Switches{})
	j := session(b, issued.Chip)
	err := j.Authenticate(b.Context(), issued.Production)
	for _, kind := range jitsuin.CertKinds {
		if err == nil {
			_, err = issued.Reissue(b.Context(), j, kind)
		}
		if err == nil {
			err = j.WriteCACertificate(b.Context(), kind, issued.CA.Raw)
		}
	}
	var visual *reader.Application
	if err == nil {
		visual, err = reader.Select(b.Context(), reader.Local(issued.Chip), card.AIDVisual)
	}
	if err == nil {
		err = visual.Authenticate(b.Context(), issued.Production)
	}
	if err == nil {
		err = visual.Write(b.Context(), card.FileVisualFace, bytes.Repeat([]byte{0x5A}, 12<<10))
	}
	if err != nil {
		b.Fatal(err)
	}
	return issued
}

func signWithBoth(b *testing.B, chip *card.Chip) {
	transmit(b, chip, selectJPKI)
	transmit(b, chip, "0020009804"+ascii(cardtest.AuthPIN.Reveal()))
	transmit(b, chip, "0020009B06"+ascii(cardtest.SignPIN.Reveal()))
	for _, key := range []string{"97", "9A"} {
		if _, sw := transmit(b, chip, "802A00"+key+"0401020304"+"00"); sw != "9000" {
			b.Fatal(sw)
		}
	}
}

// Putting power on a chip: reading and parsing its image.
func BenchmarkOpen(b *testing.B) {
	memory := cardtest.Issue(b).Memory
	for b.Loop() {
		if _, err := card.Open(memory); err != nil {
			b.Fatal(err)
		}
	}
}
