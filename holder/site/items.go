package site

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
)

// Items of a login: they are read from the card's text with its own PIN, before the key's PIN is asked for, and go out with the
// answer only when the person has seen each of them and agreed. What was read is forgotten when the answer is made, when another
// card is chosen, and after Config.CardOpen.

// itemsRead is what was read from a card for one request.
type itemsRead struct {
	key    string // of the card: holder.Card.AuthKey
	values map[string]string
	agreed bool // the person has seen the values and wants them sent
	until  time.Time
}

func (f *flow) asksItems() bool { return f.claims.Act == api.ActLogin && len(f.claims.Items) > 0 }

// forgetItems drops what was read when its time is over, unless the answer is made.
func (f *flow) forgetItems(now time.Time) {
	if f.read != nil && f.answer == nil && now.After(f.read.until) {
		f.closeCard()
		f.read, f.again = nil, true
	}
}

// faceAnchor is read when it is needed: in a new country it is written after this actor has begun.
func (s *Site) faceAnchor() (contents.Anchor, error) {
	missing := jitsuin.Errorf(jitsuin.Unsupported, "face-anchor", "there is no root of card-face signatures here to check items against").
		WithHint("name one in the configuration: face_anchor")
	if s.cfg.FaceAnchor == "" {
		return contents.Anchor{}, missing
	}
	text, err := os.ReadFile(s.cfg.FaceAnchor)
	if err != nil {
		return contents.Anchor{}, missing
	}
	return contents.ParseAnchor(text)
}

// readItems shows the card the PIN of its text, once, reads, checks the issuer's signature and gives the card back. pin is overwritten.
func (s *Site) readItems(ctx context.Context, f *flow, pin []byte) error {
	defer clear(pin)
	if err := f.notExpired(); err != nil {
		return err
	}
	anchor, err := s.faceAnchor()
	if err != nil {
		return err
	}
	f.closeCard()
	card, err := s.openCardOf(ctx, f)
	if err != nil {
		return err
	}
	defer card.Close()
	key, err := card.AuthKey(ctx)
	if err != nil {
		return err
	}
	items, err := card.Items(ctx, anchor, typedPIN(pin))
	if err != nil {
		return err
	}
	f.read = &itemsRead{key: key, values: valuesOf(items, f.claims.Items, jitsuin.DateOf(s.Clock.Now())), until: time.Now().Add(s.cfg.CardOpen)}
	return nil
}

// valuesOf gives what was asked for and nothing else: of the date of birth often only whether an age was reached on a day.
func valuesOf(items jitsuin.FourItems, asked []string, on jitsuin.Date) map[string]string {
	all := map[string]string{"name": items.Name, "address": items.Address, "birth_date": items.BirthDate.String(), "sex": string(items.Sex)}
	given := make(map[string]string, len(asked))
	for _, name := range asked {
		if n := api.AgeOver(name); n > 0 {
			given[name] = strconv.FormatBool(rules.Age(items.BirthDate, on) >= n)
		} else {
			given[name] = all[name]
		}
	}
	return given
}

// agree notes that the person has seen what is to be sent.
func (f *flow) agree() error {
	if f.read == nil || time.Now().After(f.read.until) {
		return jitsuin.Errorf(jitsuin.Conflict, "items-closed", "what was read from the card was forgotten meanwhile")
	}
	f.read.agreed = true
	return nil
}

// sameCard refuses to send the items of one card with the login of another: Conflict "card-changed".
func (f *flow) sameCard(ctx context.Context, card *holder.Card) error {
	if f.read == nil {
		return nil
	}
	key, err := card.AuthKey(ctx)
	if err != nil {
		return err
	}
	if key != f.read.key {
		f.read = nil
		return jitsuin.Errorf(jitsuin.Conflict, "card-changed", "another card lies here than the one that the items were read from").
			WithHint("begin with one card and stay with it")
	}
	return nil
}

// itemsToSend gives what was agreed to; nil where nothing is asked for.
func (f *flow) itemsToSend() map[string]string {
	if !f.asksItems() {
		return nil
	}
	return f.read.values
}
