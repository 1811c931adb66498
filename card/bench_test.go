package card_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
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

func BenchmarkSign(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("message"))
	b.Run("crypto/rsa", func(b *testing.B) {
		for b.Loop() {
			if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
	chip := cardtest.Issue(b).Chip
	transmit(b, chip, selectJPKI)
	transmit(b, chip, "0020009804"+ascii("1234"))
	sign := card.Command{CLA: 0x80, INS: 0x2A, P1: 2, P2: 0x97, Data: digest[:], Le: 256}.Bytes()
	b.Run("chip", func(b *testing.B) {
		for b.Loop() {
			if len(chip.Transmit(sign)) != 258 {
				b.Fatal("no signature")
			}
		}
	})
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
