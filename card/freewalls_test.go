package card_test

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/reader"
)

// neighbours puts two applications on a chip. The first has little, the second files that the first does not have, and
// with a mark in all of them.
func neighbours(t *testing.T) (ch reader.Card, a, b *provider) {
	issued := cardtest.Issue(t)
	a, b = newProvider(t, issued, card.TownAID("91201", 1)), newProvider(t, issued, []byte("\xF0JITSU\x02\x01\x01"))
	for i := range b.app.Files {
		b.app.Files[i].ID += 4 // 0005 to 0007, 0015 to 0017
	}
	ch = reader.Local(issued.Chip)
	a.load(ch, "mine")
	f := b.session(ch, card.OpLoad|card.OpPersonalise)
	b.must(f.Install(t.Context(), b.app))
	items := b.items("FOREIGN!")
	for i := range items {
		items[i].File += 4
	}
	b.must(f.Personalise(t.Context(), items...))
	b.must(f.MakeSelectable(t.Context(), b.app.AID))
	return ch, a, b
}

// stand selects a's application and gives it all the rights that there are in it.
func (p *provider) stand(ch reader.Channel) *reader.FreeApp {
	p.t.Helper()
	ctx := p.t.Context()
	app, err := reader.SelectFree(ctx, ch, p.app.AID)
	p.must(err)
	p.must(app.VerifyFile(ctx, appPIN, "4649"))
	certificate, key := p.kiosk()
	p.must(app.AuthenticateReader(ctx, certificate, key))
	return app
}

// From one application every command is tried, with names and files of the others and of the card: nothing of them
// comes out, nothing of them changes.
func TestAnApplicationSeesNothingOfTheOthers(t *testing.T) {
	ch, a, b := neighbours(t)
	app := a.stand(ch)
	before := a.of.Memory.Stores()
	datas := [][]byte{nil, {0x00, 0x05}, {0x00, 0x0A}, {0x00, 0x15}, b.app.AID, []byte(card.AIDJPKI), append([]byte{0x4F, byte(len(b.app.AID))}, b.app.AID...), {0x4F, 0x00},
		card.SelectableData(b.app.AID), append([]byte{0x00, 0x05, 0x03}, "new"...), make([]byte, 32)}
	p2s := []byte{0x00, 0x01, 0x02, 0x04, 0x0C, 0x80, 0x85, 0x86, 0x87, 0x8A, 0x95, 0x96, 0x97, 0x98}
	sent := 0
	for _, cla := range []byte{0x00, 0x80} {
		for ins := 0; ins < 256; ins++ {
			p1s := []byte{0x00, 0x01, 0x02, 0x03, 0x08, 0x40, 0x80, 0x81, 0x85, 0x8A}
			answer, err := ch.Transmit(t.Context(), []byte{cla, byte(ins), 0x00, 0x00})
			if _, sw, _ := card.SplitResponse(answer); err != nil || sw == card.SWUnknownINS {
				p1s = []byte{0x00, 0x80} // what is not known by its instruction is not known by its parameters
			}
			for _, p1 := range p1s {
				if ins == 0xA4 && p1 == 0x04 || ins == 0x20 || ins == 0x24 { // selecting others is lawful; PINs are tried below
					continue
				}
				for _, p2 := range p2s {
					for _, data := range datas {
						answer, err := ch.Transmit(t.Context(), card.Command{CLA: cla, INS: byte(ins), P1: p1, P2: p2, Data: data, Le: 256}.Bytes())
						sent++
						if err != nil || bytes.Contains(answer, []byte("FOREIGN!")) || bytes.Contains(answer, b.app.AID) || bytes.Contains(answer, []byte("JPKI")) || bytes.Contains(answer, []byte{0x30, 0x82}) {
							t.Fatalf("%02X %02X %02X %02X %X answered %X, %v", cla, ins, p1, p2, data, answer, err)
						}
					}
				}
			}
		}
	}
	if sent < 150_000 {
		t.Errorf("only %d commands were tried", sent)
	}
	if n := a.of.Memory.Stores() - before; n != 0 {
		t.Errorf("the chip was written %d times", n)
	}
	if got, err := app.ReadFile(t.Context(), pinEF, 4); err != nil || string(got) != "mine" {
		t.Errorf("the first application was left meanwhile: %q, %v", got, err)
	}
}

// The files of others are not there: neither by SELECT nor as a PIN.
func TestAnApplicationHasItsOwnFilesAlone(t *testing.T) {
	ch, a, b := neighbours(t)
	a.stand(ch)
	own := map[uint16]bool{}
	for _, f := range a.app.Files {
		own[f.ID] = true
	}
	for id := 0; id <= 0xFFFF; id++ {
		answer, err := ch.Transmit(t.Context(), card.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: binary.BigEndian.AppendUint16(nil, uint16(id))}.Bytes())
		if ok := bytes.Equal(answer, []byte{0x90, 0x00}); err != nil || ok != own[uint16(id)] {
			t.Fatalf("file %04X: %X, %v", id, answer, err)
		}
	}
	for sfi := byte(1); sfi < 0x1F; sfi++ {
		answer, _ := ch.Transmit(t.Context(), card.Command{INS: 0x20, P2: 0x80 | sfi, Data: []byte("4649")}.Bytes())
		if _, sw, _ := card.SplitResponse(answer); sw == card.SWOK && uint16(sfi) != appPIN {
			t.Errorf("a PIN in file %02X", sfi)
		}
	}
	// Neither the other application nor the card's own lost a try or a byte.
	app, err := reader.SelectFree(t.Context(), ch, b.app.AID)
	b.must(err)
	if left, err := app.TriesOf(t.Context(), appPIN+4); err != nil || left != 3 {
		t.Errorf("the other's PIN has %d tries, %v", left, err)
	}
	if got, err := app.ReadFile(t.Context(), publicEF+4, 64); err != nil || string(got) != "FOREIGN! public" {
		t.Errorf("the other's file has %q, %v", got, err)
	}
	j, err := reader.SelectJPKI(t.Context(), ch)
	b.must(err)
	for _, kind := range jitsuin.CertKinds {
		b.must(j.Verify(t.Context(), kind, cardtest.PINOf(kind)))
	}
}

// What was verified in one application counts in no other, though their files have the same numbers and their
// readers the same key.
func TestRightsStayInTheirApplication(t *testing.T) {
	issued := cardtest.Issue(t)
	ch, ctx := reader.Local(issued.Chip), t.Context()
	a, b := newProvider(t, issued, card.TownAID("91201", 1)), newProvider(t, issued, card.TownAID("91201", 2))
	b.read = a.read
	a.load(ch, "mine")
	public := b.load(ch, "else")
	a.stand(ch)
	app, err := reader.SelectFree(ctx, ch, b.app.AID)
	b.must(err)
	for _, file := range []uint16{pinEF, readerEF} {
		_, err := app.ReadFile(ctx, file, 8)
		code(t, "the neighbour's rights", err, "card-security-status")
	}
	certificate, key := a.kiosk()
	code(t, "the neighbour's reader", app.AuthenticateReader(ctx, certificate, key), "terminal-refused")
	code(t, "the neighbour's key", app.Prove(ctx, appKey, public), "card-security-status")
	// A counter's and the production's terminals are nobody here.
	for _, terminal := range []reader.Terminal{issued.Counter, issued.Production} {
		if err := app.Authenticate(ctx, terminal); err == nil {
			t.Error("a terminal of the card authenticated inside")
		}
		code(t, "a PIN set by a terminal", app.SetFile(ctx, appPIN, "0000"), "card-function")
	}
	// And a reader of an application is nobody in the card's own.
	j, err := reader.SelectJPKI(ctx, ch)
	b.must(err)
	if _, err := j.GenerateKey(ctx, jitsuin.SignCert); jitsuin.CodeOf(err) != "card-security-status" {
		t.Errorf("a key was made: %v", err)
	}
}

// Beginnings of names tell nothing: a card with an application answers as one without it, until the whole name is said.
func TestNamesCannotBeFoundByTheirBeginning(t *testing.T) {
	ch, a, b := neighbours(t)
	bare := reader.Local(cardtest.Issue(t).Chip)
	for _, p := range []*provider{a, b} {
		name := append(bytes.Clone(p.app.AID), 0)
		for n := 1; n <= len(name); n++ {
			for _, p2 := range []byte{0x00, 0x02, 0x0C, 0x0E} {
				apdu := card.Command{INS: 0xA4, P1: 0x04, P2: p2, Data: name[:n], Le: 256}.Bytes()
				ch.Reset(t.Context())
				bare.Reset(t.Context())
				with, _ := ch.Transmit(t.Context(), apdu)
				without, _ := bare.Transmit(t.Context(), apdu)
				whole := n == len(name)-1 && p2&2 == 0
				if bytes.Equal(with, without) == whole {
					t.Errorf("%X with P2 %02X: %X with, %X without", name[:n], p2, with, without)
				}
			}
		}
	}
}

// No application may take a name of the card, whatever the authority signs.
func TestTheCardsNamesAreTheCards(t *testing.T) {
	for _, name := range []string{card.AIDJPKI, card.AIDText, card.AIDVisual, card.AIDResident, card.AIDCommon, card.AIDIssuer} {
		for n := 5; n <= len(name); n++ {
			if err := card.CheckProviderAID([]byte(name)[:n]); err == nil {
				t.Errorf("%X may be a provider's", name[:n])
			}
		}
		if err := card.CheckProviderAID([]byte(name + "\x01")); err == nil {
			t.Errorf("%X and more may be a provider's", name)
		}
	}
	issued := cardtest.Issue(t)
	p, ch := newProvider(t, issued, card.TownAID("91201", 1)), reader.Local(issued.Chip)
	p.load(ch, "mine")
	q := newProvider(t, issued, card.TownAID("91201", 1)[:9])
	f := q.session(ch, card.OpLoad)
	code(t, "the beginning of another's name", f.Install(t.Context(), q.app), "card-conditions")
}

// A telephone has no free area.
func TestTelephonesHaveNoFreeArea(t *testing.T) {
	chip := cardtest.Whole(t, card.ProfileAndroid, card.Switches{})
	p := newProvider(t, chip, card.TownAID("91201", 1))
	f, err := reader.OpenFreeArea(t.Context(), reader.Local(chip.Chip))
	p.must(err)
	code(t, "a ticket", f.Authenticate(t.Context(), p.answer(f, card.OpLoad, 4096)), "card-conditions")
}

// Damaged descriptions and items are refused whole.
func TestWhatIsNoApplicationIsRefused(t *testing.T) {
	issued := cardtest.Issue(t)
	p, ch, ctx := newProvider(t, issued, card.TownAID("91201", 1)), reader.Local(issued.Chip), t.Context()
	for name, files := range map[string][]card.FreeFile{
		"nothing": nil, "an identifier twice": {{ID: 1, Kind: card.FreeData, Size: 1}, {ID: 1, Kind: card.FreeKey}}, "two PINs": {{ID: 1, Kind: card.FreePIN, Size: 3}, {ID: 2, Kind: card.FreeSecret, Size: 5}},
		"a PIN that is not there": {{ID: 1, Kind: card.FreeData, Size: 1, Rule: card.RulePIN}}, "a reader that is not there": {{ID: 1, Kind: card.FreeKey, Rule: card.RuleReader}},
		"no room": {{ID: 1, Kind: card.FreeData}}, "a file 001F": {{ID: 0x1F, Kind: card.FreeData, Size: 1}}, "an unknown kind": {{ID: 1, Kind: 9, Size: 1}}, "eleven tries": {{ID: 1, Kind: card.FreePIN, Size: 11}},
	} {
		code(t, name, card.FreeApplication{AID: p.app.AID, Files: files}.Check(), "free-application")
	}
	data, err := p.app.InstallData()
	p.must(err)
	f := p.session(ch, card.OpLoad|card.OpPersonalise)
	before := issued.Memory.Stores()
	for n := range data {
		answer, _ := ch.Transmit(ctx, card.Command{CLA: 0x80, INS: 0xE6, P1: 0x04, Data: data[:n]}.Bytes())
		if _, sw, _ := card.SplitResponse(answer); sw == card.SWOK {
			t.Errorf("the first %d bytes were an application", n)
		}
	}
	p.must(f.Install(ctx, p.app))
	for name, items := range map[string][]reader.Item{
		"a file that is not there": {{File: publicEF, Value: []byte("x")}, {File: 0x0009, Value: []byte("x")}}, "one file twice": {{File: publicEF, Value: []byte("x")}, {File: publicEF, Value: []byte("y")}},
		"too long": {{File: publicEF, Value: make([]byte, 65)}}, "a PIN of letters": {{File: appPIN, Value: []byte("ABCD")}}, "a key of zeros": {{File: appKey, Value: make([]byte, 32)}},
		"no point": {{File: appTrust, Value: make([]byte, 65)}},
	} {
		if err := f.Personalise(ctx, items...); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	if n := issued.Memory.Stores() - before; n != 1 {
		t.Errorf("%d writes", n)
	}
	own := make([]byte, 32)
	rand.Read(own)
	p.must(f.Personalise(ctx, reader.Item{File: appKey, Value: own}))
	if _, err := f.PublicKey(ctx, appKey); err != nil {
		t.Errorf("a key that was brought: %v", err)
	}
}
