//go:build unix

package country

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/card/verified"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/signer"
	town "github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/municipality/terminal"
)

func freeListen(t *testing.T) string {
	t.Helper()
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

var errBlown = jitsuin.Errorf(jitsuin.Unavailable, "fault", "a fault injected by a test")

// blow does a write that may fail.
func blow[T any](f *fuse, write func() (T, error)) (T, error) {
	var none T
	switch f.next() {
	case store.CommitLost:
		return none, errBlown
	case store.CommitPersisted:
		_, err := write()
		return none, errors.Join(errBlown, err)
	}
	return write()
}

// fusedCards is a way to the chips that can fail; reading is not counted.
type fusedCards struct {
	host.Cards
	fuse *fuse
}

func (c fusedCards) Create(ctx context.Context, o host.Order) (host.Handle, error) {
	return blow(c.fuse, func() (host.Handle, error) { return c.Cards.Create(ctx, o) })
}

func (c fusedCards) Transfer(ctx context.Context, h host.Handle, to host.Custodian, token string) (host.Handle, error) {
	return blow(c.fuse, func() (host.Handle, error) { return c.Cards.Transfer(ctx, h, to, token) })
}

func (c fusedCards) Open(ctx context.Context, h host.Handle) (reader.Card, error) {
	card, err := c.Cards.Open(ctx, h)
	return fusedCard{card, c.fuse}, err
}

type fusedCard struct {
	reader.Card
	fuse *fuse
}

func (c fusedCard) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	return blow(c.fuse, func() ([]byte, error) { return c.Card.Transmit(ctx, apdu) })
}

// fusedSigner is a signer whose journal entry, or whose answer after it, can be lost.
type fusedSigner struct {
	signer.Signer
	fuse *fuse
}

func (s fusedSigner) Sign(ctx context.Context, key string, purpose signer.Purpose, tbs []byte) ([]byte, signer.Receipt, error) {
	var r signer.Receipt
	sig, err := blow(s.fuse, func() (sig []byte, err error) {
		sig, r, err = s.Signer.Sign(ctx, key, purpose, tbs)
		return sig, err
	})
	return sig, r, err
}

func (s fusedSigner) Public(key string) (crypto.PublicKey, error) { return s.Signer.Public(key) }

const storyTime = 30 * time.Second

// story is a resident's: a card, a move within the town, the revocation, a new certificate.
func (l *lab) story(p people.Resident) error {
	ctx, cancel := context.WithTimeout(context.Background(), storyTime)
	defer cancel()
	var t *terminal.Terminal
	err := patient(ctx, func() (err error) { t, err = l.folder.Terminal(ctx, p.Municipality, sampleClerk); return err })
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	defer t.Town.Close()
	t.Cards = fusedCards{t.Cards, l.fuses["counter"]}
	first, err := newCardFor(ctx, t, p.ID, p.Items)
	if err != nil {
		return fmt.Errorf("new card: %w", err)
	}
	today := jitsuin.DateOf(l.facts.Civil)
	items := p.Items
	items.Address += "　新しい家"
	key := string(jitsuin.NewID())
	err = patient(ctx, func() error {
		_, err := t.Town.Record(ctx, town.ChangeRequest{Subject: p.ID, Cause: jitsuin.CauseMoveWithin, OccurredOn: today, Clerk: sampleClerk, Address: items.Address}, key)
		return err
	})
	if err != nil {
		return fmt.Errorf("move: %w", err)
	}
	if err := untilTold(ctx, t, first); err != nil {
		return err
	}
	second, err := reissueFor(ctx, t, l.folder, p.ID, items, first.Card, l.fuses["counter"])
	if err != nil {
		return fmt.Errorf("re-issue: %w", err)
	}
	return l.outcome(ctx, t, p.ID, items, first.ID, second.ID)
}

// patient repeats an act as a terminal does: while the answer is that it cannot be done now.
func patient(ctx context.Context, act func() error) error {
	for {
		err := act()
		if err == nil || !again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not in time: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func again(err error) bool {
	if _, definite := errors.AsType[*jitsuin.Error](err); !definite {
		return true
	}
	return jitsuin.KindOf(err) == jitsuin.Unavailable || jitsuin.CodeOf(err) == "card-in-use"
}

func photo(items jitsuin.FourItems) *town.Document {
	return &town.Document{Type: "driving-licence", Number: "000000000000", Expires: jitsuin.DateOf(time.Now()).AddDays(365), Items: items, FaceMatches: true}
}

// admit takes in an application and checks the applicant.
func admit(ctx context.Context, t *terminal.Terminal, n town.NewApplication, acked func(town.Application)) (app town.Application, err error) {
	key := string(jitsuin.NewID())
	err = patient(ctx, func() (err error) { app, err = t.Town.Apply(ctx, n, key); return err })
	if err != nil {
		return app, fmt.Errorf("apply: %w", err)
	}
	acked(app)
	id := app.ID
	err = patient(ctx, func() (err error) {
		if app, err = t.Town.Application(ctx, id, "", 0); err != nil || app.State != town.Received {
			return err // checked before, by a call whose answer was lost
		}
		app, err = t.Town.Check(ctx, id, town.Check{Clerk: sampleClerk, Document: photo(n.Items)})
		return err
	})
	if err != nil {
		return app, fmt.Errorf("check: %w", err)
	}
	acked(app)
	return app, nil
}

func newCardFor(ctx context.Context, t *terminal.Terminal, subject jitsuin.ID, items jitsuin.FourItems) (done town.Application, err error) {
	app, err := admit(ctx, t, town.NewApplication{Type: town.NewCard, Subject: subject, Items: items, Kinds: jitsuin.CertKinds[:], Clerk: sampleClerk}, func(town.Application) {})
	if err != nil {
		return app, err
	}
	err = patient(ctx, func() (err error) { done, err = t.HandOver(ctx, app.ID, SamplePIN); return err })
	return done, err
}

func reissueFor(ctx context.Context, t *terminal.Terminal, f Folder, subject jitsuin.ID, items jitsuin.FourItems, card jitsuin.ID, fails *fuse) (town.Application, error) {
	app, err := admit(ctx, t, town.NewApplication{Type: town.Reissue, Subject: subject, Items: items, Kinds: []jitsuin.CertKind{jitsuin.SignCert}, Card: card, Clerk: sampleClerk}, func(town.Application) {})
	if err != nil {
		return app, err
	}
	return renew(ctx, t, f, app.ID, card, fails)
}

// renew has the resident put the card on the counter's reader, as often as it takes.
func renew(ctx context.Context, t *terminal.Terminal, f Folder, app, card jitsuin.ID, fails *fuse) (done town.Application, err error) {
	err = patient(ctx, func() error {
		ch, err := host.OpenSocket(ctx, f.CardSocket(card))
		if err != nil {
			return fmt.Errorf("put the card on the reader: %v", err) // whatever it is: it may be there soon
		}
		reading := ch
		if fails != nil {
			reading = fusedCard{ch, fails}
		}
		done, err = t.Reissue(ctx, app, reading, SamplePIN)
		return errors.Join(err, ch.Close())
	})
	return done, err
}

// untilTold waits until the town knows that the signature certificate of a case has lapsed.
func untilTold(ctx context.Context, t *terminal.Terminal, app town.Application) error {
	return patient(ctx, func() error {
		now, err := t.Town.Application(ctx, app.ID, "", 0)
		if err != nil {
			return err
		}
		for _, c := range now.Certificates {
			if c.Kind == jitsuin.SignCert && c.RevokedAt != nil {
				return nil
			}
		}
		return jitsuin.Errorf(jitsuin.Unavailable, "not-told", "the town has not been told of the revocation")
	})
}

// outcome looks at what the story has left: the register, both cases, the chip.
func (l *lab) outcome(ctx context.Context, t *terminal.Terminal, subject jitsuin.ID, items jitsuin.FourItems, first, second jitsuin.ID) error {
	return patient(ctx, func() error {
		r, err := t.Town.Resident(ctx, subject)
		if err != nil {
			return err
		}
		a, err := t.Town.Application(ctx, first, "", 0)
		if err != nil {
			return err
		}
		b, err := t.Town.Application(ctx, second, "", 0)
		if err != nil {
			return err
		}
		if r.Items != items || r.Card != a.Card || b.Card != a.Card || a.State != town.Done || b.State != town.Done || len(a.Certificates) != 2 || len(b.Certificates) != 1 {
			return jitsuin.Errorf(jitsuin.Internal, "outcome", "the register %+v, the cases %s with %d and %s with %d certificates", r, a.State, len(a.Certificates), b.State, len(b.Certificates))
		}
		for _, c := range a.Certificates {
			if (c.RevokedAt != nil) != (c.Kind == jitsuin.SignCert) {
				return jitsuin.Errorf(jitsuin.Internal, "outcome", "the first %s certificate: revoked at %v", c.Kind, c.RevokedAt)
			}
		}
		if b.Certificates[0].RevokedAt != nil {
			return jitsuin.Errorf(jitsuin.Internal, "outcome", "the new certificate lapsed at %v", b.Certificates[0].RevokedAt)
		}
		return l.cardSays(ctx, r.Card, items)
	})
}

// cardSays looks whether the text in a card is what the register says now, and signed.
func (l *lab) cardSays(ctx context.Context, card jitsuin.ID, items jitsuin.FourItems) error {
	text, err := os.ReadFile(l.folder.Path("anchors", "face.pub"))
	if err != nil {
		return err
	}
	anchor, err := contents.ParseAnchor(text)
	if err != nil {
		return err
	}
	pin, err := SamplePIN(jitsuin.AuthCert)
	if err != nil {
		return err
	}
	ch, err := host.OpenSocket(ctx, l.folder.CardSocket(card))
	if err != nil {
		return err
	}
	got, err := verified.On(ch, anchor).Items(ctx, verified.PIN(pin))
	if err = errors.Join(err, ch.Close()); err == nil && got != items {
		err = jitsuin.Errorf(jitsuin.Internal, "outcome", "the card says %+v", got)
	}
	return err
}
