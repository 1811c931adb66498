package card_test

import (
	"bytes"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/reader"
)

// FuzzFreeArea lets a provider with a ticket for everything send what it likes: a list of commands of the free area, each one
// byte for the instruction, P1, P2, and a length with data. The chip never panics, keeps to its room, and nothing of the card
// itself or of another provider changes.
func FuzzFreeArea(f *testing.F) {
	aid := card.TownAID("91201", 1)
	app := card.FreeApplication{AID: aid, Files: []card.FreeFile{{ID: 1, Kind: card.FreeData, Size: 300, Rule: card.RulePIN}, {ID: 2, Kind: card.FreePIN, Size: 3}, {ID: 3, Kind: card.FreeKey}, {ID: 4, Kind: card.FreeReader}}}
	install, err := app.InstallData()
	if err != nil {
		f.Fatal(err)
	}
	part := func(ins, p1, p2 byte, data []byte) []byte {
		return append([]byte{ins, p1, p2, byte(len(data))}, data...)
	}
	f.Add(part(0xE6, 0x04, 0, install))
	f.Add(bytes.Join([][]byte{part(0xE6, 4, 0, install), part(0xE2, 0, 0, []byte{0, 1, 3, 'a', 'b'}), part(0xE2, 0x80, 1, []byte{'c', 0, 2, 4, '1', '2', '3', '4', 0, 3, 0}), part(0x46, 0x81, 0x83, nil)}, nil))
	f.Add(bytes.Join([][]byte{part(0xE6, 4, 0, install), part(0xE6, 8, 0, card.SelectableData(aid)), part(0xE4, 0, 0, append([]byte{0x4F, 11}, aid...)), part(0xF2, 0x40, 0, []byte{0x4F, 0})}, nil))
	f.Add(part(0xE2, 0x80, 0, []byte{0, 1, 0xFF, 0x10, 0x00}))
	issued := cardtest.Issue(f)
	p, other := newProvider(f, issued, aid), newProvider(f, issued, card.TownAID("91302", 1))
	other.load(reader.Local(issued.Chip), "else")
	f.Fuzz(func(t *testing.T, script []byte) {
		p, other := *p, *other
		p.t, other.t = t, t
		chip, err := card.Open(issued.Memory.Copy())
		p.must(err)
		ch, ctx := reader.Local(chip), t.Context()
		p.session(ch, card.OpLoad|card.OpPersonalise|card.OpDelete)
		for len(script) >= 4 {
			n := min(int(script[3]), len(script)-4)
			command := card.Command{CLA: 0x80, INS: script[0], P1: script[1], P2: script[2], Data: script[4 : 4+n], Le: 256}
			script = script[4+n:]
			answer, err := ch.Transmit(ctx, command.Bytes())
			if err != nil || len(answer) < 2 || bytes.Contains(answer, []byte("else")) {
				t.Fatalf("%+v answered %X, %v", command, answer, err)
			}
		}
		untouched(t, &other, ch)
	})
}

// untouched looks after everything that the script must leave alone.
func untouched(t *testing.T, other *provider, ch reader.Channel) {
	t.Helper()
	ctx := t.Context()
	area, err := reader.OpenFreeArea(ctx, ch)
	other.must(err)
	other.must(area.AuthenticateCounter(ctx, other.of.Counter))
	all, err := area.List(ctx)
	if err != nil || len(all) > 2 {
		t.Errorf("%+v, %v", all, err)
	}
	app, err := reader.SelectFree(ctx, ch, other.app.AID)
	other.must(err)
	if left, err := app.TriesOf(ctx, appPIN); err != nil || left != 3 {
		t.Errorf("the other's PIN: %d, %v", left, err)
	}
	if got, err := app.ReadFile(ctx, publicEF, 64); err != nil || string(got) != "else public" {
		t.Errorf("the other's file: %q, %v", got, err)
	}
	j, err := reader.SelectJPKI(ctx, ch)
	other.must(err)
	for _, kind := range jitsuin.CertKinds {
		other.must(j.Verify(ctx, kind, cardtest.PINOf(kind)))
	}
}
