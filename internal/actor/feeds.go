package actor

import (
	"context"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Apply gives an event its effect inside the transaction that also moves the cursor.
type Apply func(ctx context.Context, tx *store.Tx, e feed.Event) error

// retryParked is how often parked events are tried again. What they wait for may come by another
// feed, so it is a matter of seconds.
const retryParked = 5 * time.Second

// firstPause is how long a reader waits after a failure; it grows to a hundred times that, two seconds.
const firstPause = 20 * time.Millisecond

// Followed is one feed of another actor that this one follows.
type Followed struct {
	name   string
	config feed.FollowerConfig

	follower *feed.Follower // nil until the actor runs
}

// Follow applies the events of a topic of another instance, each exactly once. An error of apply
// parks the event, unless it is Unavailable: then it is tried again.
func (a *Actor) Follow(source, topic string, apply Apply) *Followed {
	f := &Followed{name: source + " " + topic, config: feed.FollowerConfig{
		SourceConfig: a.Source(source, topic),
		DB:           a.DB, Apply: apply, Now: time.Now, Log: a.Log, RetryParked: retryParked, Backoff: firstPause}}
	a.followed = append(a.followed, f)
	a.API.Ready("feed "+f.name, func(context.Context) error {
		if f.follower == nil {
			return jitsuin.Errorf(jitsuin.Unavailable, "not-running", "not followed yet")
		}
		return f.follower.Health().Err()
	})
	return f
}

// Source says where a feed is read: for followers in memory, which an actor makes itself.
func (a *Actor) Source(source, topic string) feed.SourceConfig {
	return feed.SourceConfig{Source: source, Topic: topic, BaseURL: "http://callee", HTTP: a.Remote(source).HTTPClient(), Keys: a.keysOf(source)}
}

// OnBatch is called inside each applied transaction with the position up to which everything of
// the source has been applied: the cursor, or just before the lowest parked event.
func (f *Followed) OnBatch(hook func(tx *store.Tx, high jitsuin.Position) error) {
	f.config.OnBatch = hook
}

// RetryParked sets how often parked events are tried again, in the place of every five seconds.
func (f *Followed) RetryParked(every time.Duration) { f.config.RetryParked = every }

// OnForget is called for each subject that the sender lost when its database was restored.
func (f *Followed) OnForget(hook func(ctx context.Context, tx *store.Tx, subject string) error) {
	f.config.Forget = hook
}

// Health tells how far the feed has come.
func (f *Followed) Health() feed.Health {
	if f.follower == nil {
		return feed.Health{}
	}
	return f.follower.Health()
}

func (f *Followed) run(ctx context.Context) error { return f.follower.Run(ctx) }

// startFollowers makes the followers; their tasks run them.
func (a *Actor) startFollowers() error {
	for _, f := range a.followed {
		var err error
		if f.follower, err = feed.NewFollower(f.config); err != nil {
			return err
		}
	}
	return nil
}

// stopped tells whether a task ended for a reason that only a person can clear.
func stopped(err error) bool {
	_, alarm := errors.AsType[*feed.Alarm](err)
	return alarm
}
