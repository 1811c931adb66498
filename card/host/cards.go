package host

import (
	"context"
	"crypto/ecdsa"
	"crypto/subtle"
	"log/slog"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Cards is what custodians of cards use; *Host offers it in its process, and the Cards of Client
// over HTTP. Errors of all methods: Denied "stale-handle" for a handle that opens nothing (any
// more), Unavailable where the host does not answer.
type Cards interface {
	// Create makes a blank chip. Repeated with the same order it gives the same handle as long
	// as the card was not passed on; the same ID with another order is a Conflict "card-exists".
	Create(ctx context.Context, order Order) (Handle, error)
	// Info says which card a handle opens and who has it.
	Info(ctx context.Context, handle Handle) (Info, error)
	// Open gives the one channel to a card, which starts as after a reset and is given back by
	// Close. While somebody else has it, Open waits a little and then is a Conflict
	// "card-in-use"; while the card is lent, its custodian gets a Conflict "card-lent".
	Open(ctx context.Context, handle Handle) (reader.Card, error)
	// Transfer passes a card on and gives its new handle; the old one, and a channel that it
	// opened, are dead at once. token is a random word of the caller's that makes the call
	// repeatable: the same handle, custodian and token give the same new handle, which is
	// dead where the card was passed on again. A lent card is a Conflict "card-lent".
	Transfer(ctx context.Context, handle Handle, to Custodian, token string) (Handle, error)
	// Lend gives a handle for a while, that opens the card and does nothing else. A channel of
	// the custodian's is closed. A card that is lent is a Conflict "card-lent".
	Lend(ctx context.Context, handle Handle) (Handle, error)
	// Retract ends a loan: the lent handle, and a channel that it opened, are dead at once. A
	// card that is not lent stays as it is.
	Retract(ctx context.Context, handle Handle) error
}

// Order asks for a blank chip.
type Order struct {
	ID        jitsuin.ID // drawn by the caller, and recorded before the call
	Token     string     // random, at least 16 characters; proves that a repetition is the same caller's
	Custodian Custodian
	// TerminalAuthority is the P-256 key whose terminals the chip will trust.
	TerminalAuthority *ecdsa.PublicKey
	// Profile is the name of the kind of card (card.Profiles), "" for today's.
	Profile string
}

// Info is what a handle tells of its card.
type Info struct {
	ID        jitsuin.ID `json:"id"`
	Custodian Custodian  `json:"custodian"`
	Lent      bool       `json:"lent"`
	// Loan tells that the handle asked with is the lent one.
	Loan bool `json:"loan"`
}

// Custodian is who has a card: an actor's instance ("jlis", "municipality:91201") or Holder.
type Custodian string

// Holder is the resident's own side; only then the card has a socket.
const Holder Custodian = "holder"

func (c Custodian) check() error {
	if c == "" || len(c) > 64 || strings.Trim(string(c), "abcdefghijklmnopqrstuvwxyz0123456789:-._") != "" {
		return jitsuin.Errorf(jitsuin.Invalid, "custodian-form", "a custodian is written in lower-case letters, digits and :-._").At("custodian")
	}
	return nil
}

// Handle opens a card for whoever holds it: ID of the card, a dot, 128 random bits in hex. It
// prints as ***; its JSON form is plain.
type Handle string

const hidden = "***"

// String hides the handle.
func (Handle) String() string { return hidden }

// GoString hides the handle.
func (Handle) GoString() string { return hidden }

// LogValue hides the handle from logs in JSON too.
func (Handle) LogValue() slog.Value { return slog.StringValue(hidden) }

// Reveal gives the handle in plain, to be sent or stored.
func (h Handle) Reveal() string { return string(h) }

func newHandle(id jitsuin.ID) Handle { return Handle(id) + "." + Handle(jitsuin.NewID()) }

// card gives the card's ID; Denied where h has not the form of a handle.
func (h Handle) card() (jitsuin.ID, error) {
	id, secret, _ := strings.Cut(string(h), ".")
	_, err1 := jitsuin.ParseID(id)
	_, err2 := jitsuin.ParseID(secret)
	if err1 != nil || err2 != nil {
		return "", errStale()
	}
	return jitsuin.ID(id), nil
}

// equal compares in constant time; an empty handle equals nothing.
func (h Handle) equal(other Handle) bool { return h != "" && sameSecret(string(h), string(other)) }

func sameSecret(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func checkToken(token string) error {
	if len(token) < 16 || len(token) > 128 {
		return jitsuin.Errorf(jitsuin.Invalid, "token-form", "a token has 16 to 128 characters").At("token")
	}
	return nil
}

func errStale() error {
	return jitsuin.Errorf(jitsuin.Denied, "stale-handle", "this handle opens no card").
		WithHint("the card was passed on, or the loan is over; ask its present custodian")
}

func errInUse() error {
	return jitsuin.Errorf(jitsuin.Conflict, "card-in-use", "the card is in use").
		WithHint("close the other program that uses the card, and try again")
}

func errLent() error {
	return jitsuin.Errorf(jitsuin.Conflict, "card-lent", "the card lies on a counter's reader").
		WithHint("take it back first")
}

func errGone() error {
	return jitsuin.Errorf(jitsuin.Unavailable, "card-gone", "the card was taken away")
}
