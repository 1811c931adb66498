package reader

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/binary"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

// FreeArea is a session with the free area (空き領域) of a card: the issuer's domain is selected, and the card has
// drawn a challenge. It borrows the channel. Not for concurrent use.
type FreeArea struct {
	ch Channel
	// Chip is the card's serial number, Challenge what the ticket is to be bound to (card.Ticket).
	Chip      string
	Challenge []byte
}

// OpenFreeArea begins a session. It ends when something else is selected or the card is reset. Where it
// ended before its time, all that was not yet selectable is begun again with another ticket.
func OpenFreeArea(ctx context.Context, ch Channel) (*FreeArea, error) {
	jpki, err := Select(ctx, ch, card.AIDJPKI)
	if err != nil {
		return nil, err
	}
	token, err := jpki.ReadFile(ctx, card.FileTokenInfo, 96)
	if err != nil {
		return nil, err
	}
	if len(token) < 96 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "card-data", "the card does not say its serial number")
	}
	domain, err := Select(ctx, ch, card.AIDIssuer)
	if err != nil {
		return nil, err
	}
	challenge, err := domain.challenge(ctx)
	if err != nil {
		return nil, err
	}
	return &FreeArea{ch: ch, Chip: string(token[80:96]), Challenge: challenge}, nil
}

func (a *Application) challenge(ctx context.Context) ([]byte, error) {
	challenge, err := must(ctx, a.ch, "get a challenge", card.Command{INS: 0x84, Le: 32})
	if err == nil && len(challenge) != 32 {
		err = jitsuin.Errorf(jitsuin.Invalid, "card-data", "the card's challenge has %d bytes, not 32", len(challenge))
	}
	return challenge, err
}

// Authenticate shows the ticket and the provider's signature (card.SignTicket). Unauthenticated "terminal-refused"
// where the card does not take them.
func (f *FreeArea) Authenticate(ctx context.Context, data []byte) error {
	_, err := must(ctx, f.ch, "authenticate the provider", card.Command{CLA: 0x80, INS: 0x82, P2: 0x01, Data: data})
	return err
}

// AuthenticateCounter shows a counter's terminal instead, which may list and delete.
func (f *FreeArea) AuthenticateCounter(ctx context.Context, t Terminal) error {
	data, err := card.SignChallenge(rand.Reader, t.Certificate, t.Key, f.Challenge)
	if err != nil {
		return err
	}
	_, err = must(ctx, f.ch, "authenticate the terminal", card.Command{CLA: 0x80, INS: 0x82, Data: data})
	return err
}

// Install lays an empty application into the free area; nobody can select it yet. Conflict "card-conditions" where
// one that can be selected is there; Invalid "card-data" without room.
func (f *FreeArea) Install(ctx context.Context, app card.FreeApplication) error {
	data, err := app.InstallData()
	if err != nil {
		return err
	}
	_, err = must(ctx, f.ch, "lay the application into the card", card.Command{CLA: 0x80, INS: 0xE6, P1: 0x04, Data: data})
	return err
}

// Item is what one file of an application gets: the content of data, a PIN, the point of the readers' authority
// (uncompressed), a private key of 32 bytes, or, empty, a key that the card makes.
type Item struct {
	File  uint16
	Value []byte
}

// Personalise writes items, all or none of them. The bytes are wiped that it made of them.
func (f *FreeArea) Personalise(ctx context.Context, items ...Item) error {
	var all []byte
	for _, i := range items {
		if len(i.Value) > 0xFFFF {
			return jitsuin.Errorf(jitsuin.Invalid, "card-data", "no file of a card takes %d bytes", len(i.Value))
		}
		all = binary.BigEndian.AppendUint16(all, i.File)
		if len(i.Value) < 0xFF {
			all = append(all, byte(len(i.Value)))
		} else {
			all = binary.BigEndian.AppendUint16(append(all, 0xFF), uint16(len(i.Value)))
		}
		all = append(all, i.Value...)
	}
	defer clear(all)
	for part, rest := 0, all; len(rest) > 0; part++ {
		n := min(len(rest), 255)
		c := card.Command{CLA: 0x80, INS: 0xE2, P2: byte(part), Data: rest[:n]}
		if rest = rest[n:]; len(rest) == 0 {
			c.P1 = 0x80
		}
		if _, err := must(ctx, f.ch, "write into the application", c); err != nil {
			return err
		}
	}
	return nil
}

// PublicKey gives the public key of a key file of the provider's application.
func (f *FreeArea) PublicKey(ctx context.Context, file uint16) (*ecdsa.PublicKey, error) {
	template, err := must(ctx, f.ch, "read the public key", card.Command{CLA: 0x80, INS: 0x46, P1: 0x81, P2: 0x80 | byte(file), Le: 256})
	if err != nil {
		return nil, err
	}
	return card.ParseFreePublicKey(template)
}

// MakeSelectable ends the making of an application. Conflict "card-conditions" where a key or PIN is missing.
func (f *FreeArea) MakeSelectable(ctx context.Context, aid []byte) error {
	_, err := must(ctx, f.ch, "finish the application", card.Command{CLA: 0x80, INS: 0xE6, P1: 0x08, Data: card.SelectableData(aid)})
	return err
}

// Delete takes an application off the card; NotFound "card-file" where it has none of that name.
func (f *FreeArea) Delete(ctx context.Context, aid []byte) error {
	_, err := must(ctx, f.ch, "delete the application", card.Command{CLA: 0x80, INS: 0xE4, Data: append([]byte{0x4F, byte(len(aid))}, aid...)})
	return err
}

// Listed is an application as the card lists it.
type Listed struct {
	AID        []byte
	Selectable bool
}

// List gives the applications that whoever authenticated may see: a counter all, a provider its own.
func (f *FreeArea) List(ctx context.Context) ([]Listed, error) {
	const what = "list the applications"
	data, sw, err := send(ctx, f.ch, what, card.Command{CLA: 0x80, INS: 0xF2, P1: 0x40, Data: []byte{0x4F, 0x00}, Le: 256})
	switch {
	case err != nil:
		return nil, err
	case sw == card.SWReferencedNotFound:
		return nil, nil
	case sw != card.SWOK:
		return nil, statusError(what, sw)
	}
	var all []Listed
	for len(data) > 0 {
		n := 0
		if len(data) > 4 {
			n = int(data[3])
		}
		if len(data) < n+8 || data[0] != 0xE3 || int(data[1]) != n+6 || data[2] != 0x4F {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "card-data", "the card's list of applications cannot be read")
		}
		all = append(all, Listed{append([]byte{}, data[4:4+n]...), data[n+7] == 0x07})
		data = data[n+8:]
	}
	return all, nil
}

// FreeApp is a selected application of the free area.
type FreeApp struct {
	*Application
	aid []byte
}

// SelectFree selects an application of the free area by its whole name; NotFound "card-application" where the card
// has none.
func SelectFree(ctx context.Context, ch Channel, aid []byte) (*FreeApp, error) {
	a, err := Select(ctx, ch, string(aid))
	return &FreeApp{a, aid}, err
}

// AuthenticateReader shows the application a reader that its provider has certified (card.ReaderCertificate).
// Unauthenticated "terminal-refused" where it does not trust it.
func (a *FreeApp) AuthenticateReader(ctx context.Context, certificate []byte, key crypto.Signer) error {
	challenge, err := a.challenge(ctx)
	if err != nil {
		return err
	}
	data, err := card.SignReader(rand.Reader, certificate, key, a.aid, challenge)
	if err != nil {
		return err
	}
	_, err = must(ctx, a.ch, "authenticate the reader", card.Command{CLA: 0x80, INS: 0x82, P2: 0x02, Data: data})
	return err
}

// Prove has the key in a file sign a challenge of ours, and gives whether it is the private half of public. Conflict
// "card-copied" where it is not.
func (a *FreeApp) Prove(ctx context.Context, file uint16, public *ecdsa.PublicKey) error {
	challenge, err := card.NewChallenge(rand.Reader)
	if err != nil {
		return err
	}
	answer, err := must(ctx, a.ch, "prove the card", card.Command{INS: 0x88, P2: 0x80 | byte(file), Data: challenge, Le: 256})
	if err != nil {
		return err
	}
	if !card.VerifyFree(public, a.aid, challenge, answer) {
		return jitsuin.Errorf(jitsuin.Conflict, "card-copied", "the card does not have the key that belongs to the application")
	}
	return nil
}

// PublicKey gives the public key of a key file, where its rule holds.
func (a *FreeApp) PublicKey(ctx context.Context, file uint16) (*ecdsa.PublicKey, error) {
	template, err := must(ctx, a.ch, "read the public key", card.Command{CLA: 0x80, INS: 0x46, P1: 0x81, P2: 0x80 | byte(file), Le: 256})
	if err != nil {
		return nil, err
	}
	return card.ParseFreePublicKey(template)
}
