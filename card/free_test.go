package card_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/reader"
)

// provider is somebody with an application in the free area.
type provider struct {
	t    testing.TB
	of   *cardtest.Issued
	key  *ecdsa.PrivateKey // shows tickets
	read *ecdsa.PrivateKey // certifies readers
	app  card.FreeApplication
}

const (
	publicEF, pinEF, readerEF = 0x0001, 0x0002, 0x0003
	appPIN, appKey, appTrust  = 0x0011, 0x0012, 0x0013
)

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newProvider makes a provider whose application has one file for each rule.
func newProvider(t testing.TB, of *cardtest.Issued, aid []byte) *provider {
	return &provider{t, of, p256(t), p256(t), card.FreeApplication{AID: aid, Files: []card.FreeFile{
		{ID: publicEF, Kind: card.FreeData, Size: 64}, {ID: pinEF, Kind: card.FreeData, Size: 600, Rule: card.RulePIN},
		{ID: readerEF, Kind: card.FreeData, Size: 64, Rule: card.RuleReader}, {ID: appPIN, Kind: card.FreePIN, Size: 3},
		{ID: appKey, Kind: card.FreeKey, Rule: card.RuleReader}, {ID: appTrust, Kind: card.FreeReader}}}}
}

// session opens the free area with a ticket for these operations.
func (p *provider) session(ch reader.Channel, ops card.Operations) *reader.FreeArea {
	p.t.Helper()
	f, err := reader.OpenFreeArea(p.t.Context(), ch)
	p.must(err)
	p.must(f.Authenticate(p.t.Context(), p.answer(f, ops, 4096)))
	return f
}

func (p *provider) answer(f *reader.FreeArea, ops card.Operations, room int) []byte {
	p.t.Helper()
	ticket, err := card.IssueTicket(rand.Reader, p.of.Authority, card.Ticket{Operations: ops, Bytes: room, AID: p.app.AID, Chip: f.Chip, Provider: &p.key.PublicKey, Challenge: f.Challenge})
	p.must(err)
	data, err := card.SignTicket(rand.Reader, ticket, p.key, f.Challenge)
	p.must(err)
	return data
}

func (p *provider) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *provider) items(says string) []reader.Item {
	point, err := p.read.PublicKey.Bytes()
	p.must(err)
	return []reader.Item{{File: publicEF, Value: []byte(says + " public")}, {File: pinEF, Value: bytes.Repeat([]byte(says), 600/len(says))}, {File: readerEF, Value: []byte(says + " reader")},
		{File: appPIN, Value: []byte("4649")}, {File: appKey}, {File: appTrust, Value: point}}
}

// load makes the whole application on a card.
func (p *provider) load(ch reader.Channel, says string) *ecdsa.PublicKey {
	p.t.Helper()
	ctx := p.t.Context()
	f := p.session(ch, card.OpLoad|card.OpPersonalise)
	p.must(f.Install(ctx, p.app))
	p.must(f.Personalise(ctx, p.items(says)...))
	public, err := f.PublicKey(ctx, appKey)
	p.must(err)
	p.must(f.MakeSelectable(ctx, p.app.AID))
	return public
}

func (p *provider) kiosk() (certificate []byte, key *ecdsa.PrivateKey) {
	p.t.Helper()
	key = p256(p.t)
	certificate, err := card.ReaderCertificate(rand.Reader, p.read, p.app.AID, &key.PublicKey)
	p.must(err)
	return certificate, key
}

func code(t testing.TB, what string, err error, want string) {
	t.Helper()
	if jitsuin.CodeOf(err) != want {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// The life of an application: laid out, written, used by each rule, written anew, deleted.
func TestTheLifeOfAnApplication(t *testing.T) {
	issued := cardtest.Issue(t)
	p := newProvider(t, issued, card.TownAID("91201", 1))
	ch, ctx := reader.Local(issued.Chip), t.Context()
	public := p.load(ch, "seal")
	app, err := reader.SelectFree(ctx, ch, p.app.AID)
	p.must(err)
	if got, err := app.ReadFile(ctx, publicEF, 64); err != nil || string(got) != "seal public" {
		t.Errorf("free: %q, %v", got, err)
	}
	for _, file := range []uint16{pinEF, readerEF} {
		_, err := app.ReadFile(ctx, file, 64)
		code(t, fmt.Sprintf("%04X without anything", file), err, "card-security-status")
	}
	code(t, "a proof without a reader", app.Prove(ctx, appKey, public), "card-security-status")
	_, err = app.PublicKey(ctx, appKey)
	code(t, "the public key would tell people apart", err, "card-security-status")
	code(t, "a wrong PIN", app.VerifyFile(ctx, appPIN, "0000"), "pin-wrong")
	p.must(app.VerifyFile(ctx, appPIN, "4649"))
	if got, err := app.ReadFile(ctx, pinEF, 600); err != nil || len(got) != 600 {
		t.Errorf("after the PIN: %d bytes, %v", len(got), err)
	}
	_, err = app.ReadFile(ctx, readerEF, 64)
	code(t, "the PIN is no reader", err, "card-security-status")
	certificate, key := p.kiosk()
	p.must(app.AuthenticateReader(ctx, certificate, key))
	if got, err := app.ReadFile(ctx, readerEF, 64); err != nil || string(got) != "seal reader" {
		t.Errorf("for a reader: %q, %v", got, err)
	}
	p.must(app.Prove(ctx, appKey, public))
	code(t, "another key", app.Prove(ctx, appKey, &key.PublicKey), "card-copied")
	p.must(app.ChangeFile(ctx, appPIN, "1192"))
	p.rewritten(ch)
}

// rewritten writes part of a living application anew, and deletes it.
func (p *provider) rewritten(ch reader.Channel) {
	t, ctx := p.t, p.t.Context()
	f := p.session(ch, card.OpLoad|card.OpPersonalise)
	code(t, "laid out over a living one", f.Install(ctx, p.app), "card-conditions")
	p.must(f.Personalise(ctx, reader.Item{File: publicEF, Value: []byte("new")}))
	code(t, "deleting without leave", f.Delete(ctx, p.app.AID), "card-security-status")
	app, err := reader.SelectFree(ctx, ch, p.app.AID)
	p.must(err)
	if got, err := app.ReadFile(ctx, publicEF, 64); err != nil || string(got) != "new" {
		t.Errorf("written anew: %q, %v", got, err)
	}
	p.must(app.VerifyFile(ctx, appPIN, "1192")) // the PIN was the holder's and stays
	p.must(p.session(ch, card.OpDelete).Delete(ctx, p.app.AID))
	_, err = reader.SelectFree(ctx, ch, p.app.AID)
	code(t, "deleted", err, "card-application")
	code(t, "deleted twice", p.session(ch, card.OpDelete).Delete(ctx, p.app.AID), "card-file")
}

// Before it is finished nobody sees an application, and it is not finished without its secrets.
func TestAnUnfinishedApplicationCannotBeSelected(t *testing.T) {
	issued := cardtest.Issue(t)
	p := newProvider(t, issued, card.TownAID("91201", 1))
	ch, ctx := reader.Local(issued.Chip), t.Context()
	f := p.session(ch, card.OpLoad|card.OpPersonalise)
	p.must(f.Install(ctx, p.app))
	code(t, "without secrets", f.MakeSelectable(ctx, p.app.AID), "card-conditions")
	p.must(f.Personalise(ctx, p.items("seal")...))
	_, err := reader.SelectFree(ctx, ch, p.app.AID)
	code(t, "not finished", err, "card-application")
	f = p.session(ch, card.OpLoad|card.OpPersonalise)
	if all, err := f.List(ctx); err != nil || len(all) != 1 || all[0].Selectable {
		t.Errorf("listed: %+v, %v", all, err)
	}
	p.must(f.Install(ctx, p.app)) // begun again: the half of before is gone
	code(t, "nothing is left of it", f.MakeSelectable(ctx, p.app.AID), "card-conditions")
}

// What each ticket lets do, and nothing else.
func TestTicketsAreLimited(t *testing.T) {
	issued := cardtest.Issue(t)
	p := newProvider(t, issued, card.TownAID("91201", 1))
	other := newProvider(t, issued, card.TownAID("91302", 1))
	ch, ctx := reader.Local(issued.Chip), t.Context()
	f, err := reader.OpenFreeArea(ctx, ch)
	p.must(err)
	for name, act := range map[string]func() error{
		"install": func() error { return f.Install(ctx, p.app) }, "store": func() error { return f.Personalise(ctx, p.items("x")...) },
		"delete": func() error { return f.Delete(ctx, p.app.AID) }, "list": func() error { _, err := f.List(ctx); return err },
		"select": func() error { return f.MakeSelectable(ctx, p.app.AID) }, "key": func() error { _, err := f.PublicKey(ctx, appKey); return err },
	} {
		code(t, name+" without a ticket", act(), "card-security-status")
	}
	first := p.answer(f, card.OpLoad, 4096)
	p.must(f.Authenticate(ctx, first))
	code(t, "writing with a ticket for loading", f.Personalise(ctx, p.items("x")...), "card-security-status")
	code(t, "another's name", f.Install(ctx, other.app), "card-security-status")
	code(t, "shown a second time", f.Authenticate(ctx, first), "card-conditions")
	code(t, "a refusal ends what was", f.Install(ctx, p.app), "card-security-status")
	again, err := reader.OpenFreeArea(ctx, ch)
	p.must(err)
	code(t, "for another challenge", again.Authenticate(ctx, first), "terminal-refused")
	again, err = reader.OpenFreeArea(ctx, ch)
	p.must(err)
	p.must(again.Authenticate(ctx, p.answer(again, card.OpLoad, p.app.Room()-1)))
	code(t, "more room than the ground gives", again.Install(ctx, p.app), "card-data")
	stranger := newProvider(t, issued, p.app.AID)
	stranger.of = &cardtest.Issued{Issuer: &cardtest.Issuer{Authority: p256(t)}}
	f, err = reader.OpenFreeArea(ctx, ch)
	p.must(err)
	code(t, "signed by somebody else", f.Authenticate(ctx, stranger.answer(f, card.OpLoad, 4096)), "terminal-refused")
	selected := p.session(ch, card.OpLoad|card.OpPersonalise)
	if _, err := reader.Select(ctx, ch, card.AIDJPKI); err != nil {
		t.Fatal(err)
	}
	code(t, "after another selection", selected.Install(ctx, p.app), "card-security-status")
	ch.Reset(ctx)
	code(t, "after a reset", selected.Install(ctx, p.app), "card-security-status")
}

// The room is counted, and given back by deleting.
func TestTheFreeAreaHasAnEnd(t *testing.T) {
	issued := cardtest.Issue(t)
	ch, ctx := reader.Local(issued.Chip), t.Context()
	big := func(n byte, size int) *provider {
		p := newProvider(t, issued, card.TownAID("91201", n))
		p.app.Files = []card.FreeFile{{ID: 1, Kind: card.FreeData, Size: size}}
		return p
	}
	install := func(p *provider) error {
		f, err := reader.OpenFreeArea(ctx, ch)
		p.must(err)
		p.must(f.Authenticate(ctx, p.answer(f, card.OpLoad|card.OpDelete, 0xFFFF)))
		return f.Install(ctx, p.app)
	}
	half := card.FreeArea/2 - 64
	one, two, three := big(1, half), big(2, half), big(3, 1)
	one.must(install(one))
	one.must(install(two))
	code(t, "full", install(three), "card-data")
	one.must(one.session(ch, card.OpDelete).Delete(ctx, one.app.AID))
	one.must(install(three))
	for n := byte(4); n < 10; n++ {
		one.must(install(big(n, 1)))
	}
	code(t, "a ninth application", install(big(10, 1)), "card-data")
}

// A counter may list and delete for the holder, and nothing else.
func TestTheCounterMayTakeApplicationsOff(t *testing.T) {
	issued := cardtest.Issue(t)
	p := newProvider(t, issued, card.TownAID("91201", 1))
	ch, ctx := reader.Local(issued.Chip), t.Context()
	p.load(ch, "seal")
	f, err := reader.OpenFreeArea(ctx, ch)
	p.must(err)
	p.must(f.AuthenticateCounter(ctx, issued.Counter))
	if all, err := f.List(ctx); err != nil || len(all) != 1 || !all[0].Selectable || !bytes.Equal(all[0].AID, p.app.AID) {
		t.Errorf("listed: %+v, %v", all, err)
	}
	code(t, "a counter writes", f.Personalise(ctx, p.items("x")...), "card-security-status")
	code(t, "a counter loads", f.Install(ctx, p.app), "card-security-status")
	code(t, "one of the card's own", f.Delete(ctx, []byte(card.AIDJPKI)), "card-file")
	p.must(f.Delete(ctx, p.app.AID))
	if all, err := f.List(ctx); err != nil || len(all) != 0 {
		t.Errorf("listed: %+v, %v", all, err)
	}
	if _, err := reader.Select(ctx, ch, card.AIDJPKI); err != nil {
		t.Errorf("the card's own: %v", err)
	}
}

// A power cut at each write leaves the state before or the one after.
func TestAPowerCutLeavesOldOrNew(t *testing.T) {
	issued := cardtest.Issue(t)
	p := newProvider(t, issued, card.TownAID("91201", 1))
	ctx := t.Context()
	acts := []func(f *reader.FreeArea) error{
		func(f *reader.FreeArea) error { return f.Install(ctx, p.app) },
		func(f *reader.FreeArea) error { return f.Personalise(ctx, p.items("seal")...) },
		func(f *reader.FreeArea) error { return f.MakeSelectable(ctx, p.app.AID) },
		func(f *reader.FreeArea) error { return f.Personalise(ctx, p.items("again")...) },
		func(f *reader.FreeArea) error { return f.Delete(ctx, p.app.AID) },
	}
	for n, act := range acts {
		for _, fault := range []cardtest.Fault{cardtest.FailsLost, cardtest.FailsKept} {
			memory := issued.Memory.Copy()
			memory.Plan = func(k int) cardtest.Fault {
				if k == n {
					return fault
				}
				return cardtest.Works
			}
			chip, err := card.Open(memory)
			p.must(err)
			f := p.session(reader.Local(chip), card.OpLoad|card.OpPersonalise|card.OpDelete)
			for _, before := range acts[:n] {
				p.must(before(f))
			}
			before := p.see(memory)
			code(t, fmt.Sprintf("step %d", n), act(f), "card-memory")
			if memory.Stores() != n+1 {
				t.Errorf("step %d wrote %d times", n, memory.Stores()-n)
			}
			after := p.see(memory)
			if fault == cardtest.FailsLost && after != before || fault == cardtest.FailsKept && after == before {
				t.Errorf("step %d: %q became %q", n, before, after)
			}
			// The same chip goes on from what is there.
			f = p.session(reader.Local(chip), card.OpLoad|card.OpPersonalise|card.OpDelete)
			if err := f.Install(ctx, p.app); err != nil && jitsuin.CodeOf(err) != "card-conditions" {
				t.Errorf("step %d: %v", n, err)
			}
		}
	}
}

// see tells in one word what a chip on this memory has: each state differs from the one before and after.
func (p *provider) see(memory *cardtest.Memory) string {
	p.t.Helper()
	ctx := context.Background()
	chip, err := card.Open(memory.Copy())
	p.must(err)
	ch := reader.Local(chip)
	f := p.session(ch, card.OpPersonalise|card.OpLoad)
	all, err := f.List(ctx)
	p.must(err)
	if len(all) == 0 {
		return "nothing"
	}
	if !all[0].Selectable {
		if _, err := f.PublicKey(ctx, appKey); err != nil {
			return "empty"
		}
		return "written"
	}
	app, err := reader.SelectFree(ctx, ch, p.app.AID)
	p.must(err)
	says, err := app.ReadFile(ctx, publicEF, 64)
	p.must(err)
	p.must(app.VerifyFile(ctx, appPIN, "4649"))
	long, err := app.ReadFile(ctx, pinEF, 600)
	p.must(err)
	if !bytes.HasPrefix(says, long[:4]) {
		p.t.Errorf("half old, half new: %q and %q", says, long[:8])
	}
	return string(says)
}
