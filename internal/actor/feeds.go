package actor

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Apply gives an event its effect inside the transaction that also moves the cursor.
type Apply func(ctx context.Context, tx *store.Tx, e feed.Event) error

type sender struct{}

func (*sender) run(ctx context.Context) error { <-ctx.Done(); return nil }

func (a *Actor) initSender(context.Context) error { a.sender = &sender{}; return nil }

// Followed is one feed of another actor that this one follows.
type Followed struct {
	name string
	run  func(ctx context.Context) error
}

// Offer lets the readers that the policy admits follow a topic of this actor.
func (a *Actor) Offer(topic string, readers httpapi.Policy) {}

// Follow applies the events of a topic of another instance, each exactly once.
func (a *Actor) Follow(source, topic string, apply Apply) *Followed { return &Followed{} }

// OnBatch is called inside each applied transaction with the position up to which everything of
// the source has been applied: the cursor, or just before the lowest parked event.
func (f *Followed) OnBatch(hook func(tx *store.Tx, high jitsuin.Position) error) {}

// Position gives the place in a topic of ours that covers all that is committed now; it waits for
// the sequencer where something has no number yet.
func (a *Actor) Position(ctx context.Context, topic string) (jitsuin.Position, error) {
	return jitsuin.Position{}, nil
}
