package site

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// The steps of a flow, in their order. Pages and the sandbox's API call the same. Who calls holds f.mu.

// notExpired refuses to go on with a request whose time is over.
func (f *flow) notExpired() error {
	if time.Now().Unix() >= f.claims.ExpiresAt {
		f.closeCard()
		return jitsuin.Errorf(jitsuin.Expired, "request-expired", "the time to answer the request is over")
	}
	return nil
}

// choice is a card that may be chosen.
type choice struct {
	card, label string
	text        string // how it is offered; "" for one in a reader
}

// choices are the cards that lie here and, where they are offered, those in this machine's readers.
func (s *Site) choices(ctx context.Context) ([]choice, error) {
	if s.cfg.own != nil {
		return s.inReaders(ctx, slices.Clone(s.cfg.own.offered)), nil
	}
	held, err := s.cards.Held()
	if err != nil {
		return nil, err
	}
	var all []choice
	for _, id := range held {
		label, err := s.cards.Label(id)
		if err != nil {
			return nil, err
		}
		all = append(all, choice{string(id), label, cardText(label, id)})
	}
	slices.SortFunc(all, func(a, b choice) int { return strings.Compare(a.text, b.text) })
	phones, err := s.phoneChoices()
	if err != nil {
		return nil, err
	}
	all = append(all, phones...)
	if !s.cfg.Readers {
		return all, nil
	}
	return s.inReaders(ctx, all), nil
}

// inReaders adds the cards in this machine's readers.
func (s *Site) inReaders(ctx context.Context, all []choice) []choice {
	readers, err := holder.Readers(ctx)
	if err != nil { // no service, no readers
		s.Log.Debug("no readers", "error", err)
	}
	for _, r := range readers {
		if r.Present {
			all = append(all, choice{holder.Place{Reader: r.Name}.String(), r.Name, ""})
		}
	}
	return all
}

// choose takes one of them.
func (s *Site) choose(ctx context.Context, f *flow, card string) error {
	cards, err := s.choices(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(cards, func(c choice) bool { return c.card == card })
	if i < 0 || !f.takes(card) {
		return jitsuin.Errorf(jitsuin.NotFound, "card-missing", "there is no such card here").At("card")
	}
	f.closeCard()
	f.card, f.label, f.warned, f.again, f.read = card, cards[i].label, false, false, nil
	return nil
}

// typedPIN gives what a person typed, once.
type typedPIN []byte

func (p typedPIN) PIN(context.Context, holder.Question) ([]byte, error) { return bytes.Clone(p), nil }
func (typedPIN) Confirms() bool                                         { return false }

// unlock shows the card the PIN, once, and keeps the card open for a while. pin is overwritten.
func (s *Site) unlock(ctx context.Context, f *flow, pin []byte) error {
	defer clear(pin)
	if err := f.notExpired(); err != nil {
		return err
	}
	f.closeCard()
	open, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the key outlives this request
	o, err := s.unlockCard(ctx, open, f, pin)
	if err != nil {
		cancel()
		return err
	}
	o.cancel = cancel
	f.again = true
	f.open, f.warnings = o, o.key.Warnings(s.Clock.Now())
	if f.form != nil && f.typed != nil { // the card was closed while the person read
		if err := s.fill(f, f.typed); err != nil {
			f.typed, f.signed = nil, nil
		}
	}
	return nil
}

func (s *Site) unlockCard(ctx, open context.Context, f *flow, pin []byte) (*opened, error) {
	card, err := s.openCardOf(ctx, f)
	if err != nil {
		return nil, err
	}
	if err := f.sameCard(ctx, card); err != nil {
		_ = card.Close()
		return nil, err
	}
	o := &opened{card: card, until: time.Now().Add(s.cfg.CardOpen)}
	o.key, err = card.Unlock(open, f.kind(), typedPIN(pin))
	if err == nil && f.kind() == jitsuin.SignCert {
		o.items, err = itemsOf(o.key.Certificate())
	}
	if err != nil {
		_ = card.Close()
		return nil, err
	}
	return o, nil
}

func itemsOf(c *x509.Certificate) (jitsuin.FourItems, error) {
	items, err := cert.ItemsOf(c)
	if err != nil {
		return jitsuin.FourItems{}, jitsuin.Errorf(jitsuin.Invalid, "certificate-items", "the certificate on the card carries no four items: %w", err)
	}
	return items.FourItems, nil
}

// fill makes the document from the form, the certificate that is about to sign, and what was typed.
func (s *Site) fill(f *flow, typed map[string]string) error {
	f.typed, f.signed = typed, nil
	filled, err := form.Fill(*f.form, f.open.items, typed, jitsuin.DateOf(s.Clock.Now()))
	if err != nil {
		return err
	}
	f.signed, err = filled.PDF()
	return err
}

// lines gives the text of the document that is about to be signed.
func (f *flow) lines() ([]form.Line, error) {
	filled, err := form.Read(f.signed) // what stands in the very bytes
	if err != nil {
		return nil, err
	}
	return filled.Lines()
}

// sign uses the key, once for the request. From here on the request counts as answered.
func (s *Site) sign(ctx context.Context, f *flow, t test) error {
	defer clear(t.pin)
	if err := f.notExpired(); err != nil {
		return err
	}
	if f.open == nil || time.Now().After(f.open.until) {
		f.closeCard()
		return jitsuin.Errorf(jitsuin.Unauthenticated, "card-closed", "the card was closed meanwhile; the PIN is needed again")
	}
	if f.asksItems() && (f.read == nil || !f.read.agreed) {
		return jitsuin.Errorf(jitsuin.Denied, "items-consent", "the person has not agreed to what is to be sent")
	}
	if err := s.note(ctx, f, outcomeOpen); err != nil {
		f.closeCard() // answered in another window
		return err
	}
	answer, err := s.makeAnswer(ctx, f, t)
	f.closeCard()
	if err != nil {
		if undo := s.unnote(ctx, f.claims.Txn); undo != nil {
			return undo
		}
		return err
	}
	f.answer, f.fault = answer, t.fault
	return nil
}

func (s *Site) makeAnswer(ctx context.Context, f *flow, t test) (*api.HolderAnswer, error) {
	a := &api.HolderAnswer{Txn: f.claims.Txn, State: f.claims.State, Certificate: f.open.key.Certificate().Raw}
	if f.claims.Act == api.ActLogin {
		given, err := f.open.key.Answer(f.claims.Challenge.ToSign())
		a.Signature, a.DigestAlg, a.Items = given.Signature, given.DigestAlg, f.itemsToSend()
		return a, err
	}
	if d := f.claims.Documents[0]; d.Bare {
		var err error
		a.Signature, err = f.open.key.Bare(d.SHA256)
		a.Documents, a.DigestAlg = []api.AnswerDocument{{Name: d.Name, MediaType: d.MediaType, Content: d.SHA256}}, "SHA-256"
		return a, err
	}
	key, at := f.open.key, s.Clock.Now()
	if t.fault == faultWrongKind {
		var err error
		if key, err = f.open.card.Unlock(ctx, jitsuin.AuthCert, typedPIN(t.pin)); err != nil {
			return nil, err
		}
		a.Certificate = key.Certificate().Raw
	}
	content := f.signed
	var err error
	if f.form != nil {
		content, err = f.signInside(ctx, key, at)
	} else {
		a.Signature, err = signBeside(ctx, key, content, at)
	}
	if err != nil {
		return nil, err
	}
	if t.fault == faultAltered {
		content = alter(content)
	}
	a.Documents = []api.AnswerDocument{{Name: f.claims.Documents[0].Name, MediaType: api.MediaTypePDF, Content: content}}
	return a, nil
}

// signInside signs a document that was made here (PAdES B-B). It carries its signature from then on.
func (f *flow) signInside(ctx context.Context, key *holder.Unlocked, at time.Time) ([]byte, error) {
	o := pades.Options{At: at, Name: f.open.items.Name}
	if key.Kind == jitsuin.AuthCert {
		return key.WrongKindPDF(ctx, f.signed, o)
	}
	return key.PDF(ctx, f.signed, o)
}

// signBeside signs a document that came as it is: its bytes go back unchanged.
func signBeside(ctx context.Context, key *holder.Unlocked, content []byte, at time.Time) ([]byte, error) {
	if key.Kind == jitsuin.AuthCert {
		return key.WrongKind(ctx, bytes.NewReader(content), at)
	}
	return key.Document(ctx, bytes.NewReader(content), at)
}
