package cardtest

import (
	"context"
	"sync"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/reader"
)

// What opens a chip that Whole gives, besides AuthPIN and SignPIN: an invented My Number as check
// number A, check number B, and the date of birth.
const (
	NumberA jitsuin.PIN = "123456789018"
	NumberB jitsuin.PIN = "55021720352285"
	Birth   jitsuin.PIN = "550217"
)

var batch = sync.OnceValues(card.NewBatchKeys)

// Batch gives the own keys that all chips of this test process may share.
func Batch(t testing.TB) *card.BatchKeys {
	t.Helper()
	keys, err := batch()
	if err != nil {
		t.Fatalf("make the keys of a batch: %v", err)
	}
	return keys
}

// Whole gives a blank chip of a profile with the applications' own keys, all PINs and check
// numbers set, and its identifier in every EF of its face, which is not what J-LIS writes; its JPKI application has PINs and no keys.
func Whole(t testing.TB, profile string, switches card.Switches) *Issued {
	t.Helper()
	m, err := master()
	if err != nil {
		t.Fatalf("issue a chip: %v", err)
	}
	c := &Issued{Issuer: m.Issuer, Memory: &Memory{}}
	blank := c.Blank()
	blank.Profile, blank.Keys, blank.Switches = profile, Batch(t), switches
	if c.Chip, err = card.New(c.Memory, blank); err != nil {
		t.Fatal(err)
	}
	for _, app := range wholeFiles {
		if err := c.write(t.Context(), app); err != nil {
			t.Fatalf("application %X: %v", app.aid, err)
		}
	}
	c.Chip.Reset()
	return c
}

// wholeFile is an application with what Whole writes in it.
type wholeFile struct {
	aid    string
	pins   map[uint16]jitsuin.PIN
	files  []uint16
	record uint16
}

var wholeFiles = []wholeFile{
	{aid: card.AIDJPKI, pins: map[uint16]jitsuin.PIN{card.FileAuthPIN: AuthPIN, card.FileSignPIN: SignPIN}},
	{aid: card.AIDText, pins: map[uint16]jitsuin.PIN{card.FileTextPIN: AuthPIN, card.FileTextA: NumberA, card.FileTextB: NumberB},
		files: []uint16{card.FileTextMyNumber, card.FileTextItems, card.FileTextAuthentic, card.FileTextCVC, card.FileTextBasics, card.FileTextSessionKey, card.FileTextOwnKey}},
	{aid: card.AIDVisual, pins: map[uint16]jitsuin.PIN{card.FileVisualBirth: Birth, card.FileVisualA: NumberA, card.FileVisualB: NumberB},
		files: []uint16{card.FileVisualAge, card.FileVisualFace, card.FileVisualBasics, card.FileVisualCVC, card.FileVisualMyNumber}},
	{aid: card.AIDResident, pins: map[uint16]jitsuin.PIN{card.FilePIN: AuthPIN}, files: []uint16{card.FileKeyReference}},
	{aid: card.AIDCommon, pins: map[uint16]jitsuin.PIN{card.FilePIN: AuthPIN}, files: []uint16{card.FileKeyReference}, record: card.FileCommonNumber},
}

func (c *Issued) write(ctx context.Context, w wholeFile) error {
	app, err := reader.Select(ctx, reader.Local(c.Chip), w.aid)
	if jitsuin.CodeOf(err) == "card-application" {
		return nil // not on a chip of this profile
	}
	if err != nil {
		return err
	}
	if err := app.Authenticate(ctx, c.Production); err != nil {
		return err
	}
	for file, pin := range w.pins {
		if err := app.SetFile(ctx, file, pin); err != nil {
			return err
		}
	}
	for _, file := range w.files {
		if err := app.Write(ctx, file, []byte{byte(file >> 8), byte(file)}); err != nil {
			return err
		}
	}
	if w.record != 0 {
		return app.WriteRecord(ctx, w.record, 1, []byte("\x01\x1C4000000127912010020350217000"))
	}
	return nil
}
