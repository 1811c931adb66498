package freearea_test

import (
	"testing"

	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/freearea"
	"github.com/jitsuin/jitsuin/card/reader"
)

// BenchmarkReadSeal is what a kiosk waits for: its authentication, the record, the signature, the card's proof.
func BenchmarkReadSeal(b *testing.B) {
	issued := cardtest.Issue(b)
	ch := reader.Local(issued.Chip)
	town := newBody(b, freearea.SealAID("91201"))
	record, err := freearea.Seal{Municipality: "91201", Number: "12345678"}.Encode()
	must(b, err)
	must(b, town.load(b, issued, ch, record))
	kiosk := town.reader(b)
	for b.Loop() {
		if _, err := kiosk.ReadSeal(b.Context(), ch); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWriteSeal is the counter's part with a card that has the application already: ticket, record, one write.
func BenchmarkWriteSeal(b *testing.B) {
	issued := cardtest.Issue(b)
	ch := reader.Local(issued.Chip)
	town := newBody(b, freearea.SealAID("91201"))
	record, err := freearea.Seal{Municipality: "91201", Number: "12345678"}.Encode()
	must(b, err)
	for b.Loop() {
		must(b, town.load(b, issued, ch, record))
	}
}
