package actor

import (
	"context"
	"crypto/ecdsa"
	"net/http"
	"path/filepath"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

// sender numbers this actor's events and gives them out to those who may read them.
type sender struct {
	sequencer *feed.Sequencer
	signer    *feed.Signer
	readers   map[string]httpapi.Policy // by topic
}

const HighWaterFile = "feeds.high-water"

func (a *Actor) initSender(ctx context.Context) error {
	seq, err := feed.NewSequencer(ctx, feed.SequencerConfig{DB: a.DB, Log: a.Log,
		HighWater: feed.HighWaterFile(filepath.Join(a.Config.State, HighWaterFile))})
	if err != nil {
		return err
	}
	signer, err := feed.NewSigner(a.Self.Key, a.Self.ID)
	if err != nil {
		return err
	}
	a.sender = &sender{sequencer: seq, signer: signer, readers: map[string]httpapi.Policy{}}
	server, err := feed.NewServer(feed.ServerConfig{Sequencer: seq, Signer: signer, Allow: a.sender.allow, Now: time.Now,
		WriteError: func(w http.ResponseWriter, r *http.Request, err error) { httpapi.WriteError(w, r, a.Log, err) }})
	if err != nil {
		return err
	}
	policy := httpapi.Checked("Each topic has its own readers", func(context.Context, httpapi.Caller) error { return nil })
	a.API.Raw("GET /feeds/{topic}", policy, endWithActor(server.Events))
	a.API.Raw("GET /feeds/{topic}/head", policy, http.HandlerFunc(server.Head))
	a.API.Raw("GET /feeds/{topic}/snapshot", policy, http.HandlerFunc(server.Snapshot))
	a.API.Ready("feeds sent", func(context.Context) error { return seq.Health() })
	return nil
}

// endWithActor has a long poll end when the actor does.
func endWithActor(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		done := make(chan struct{})
		defer close(done)
		go func() {
			select {
			case <-Stopping(r.Context()):
				cancel()
			case <-done:
			}
		}()
		h(w, r.WithContext(ctx))
	})
}

// finishTime bounds the numbering of what was written last.
const finishTime = 5 * time.Second

// finish numbers what was written while the actor ended. What cannot be numbered now is at the next start.
func (s *sender) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, finishTime)
	defer cancel()
	for {
		if n, err := s.sequencer.Step(ctx); err != nil || n == 0 {
			return
		}
	}
}

func (s *sender) run(ctx context.Context) error { return s.sequencer.Run(ctx) }

func (s *sender) allow(r *http.Request, topic string) error {
	p, ok := s.readers[topic]
	if !ok {
		return jitsuin.Errorf(jitsuin.NotFound, "topic-unknown", "there is no such topic for you")
	}
	return p.Allow(r.Context(), httpapi.CallerOf(r.Context()))
}

// Offer lets the readers that the policy admits follow a topic of this actor.
func (a *Actor) Offer(topic string, readers httpapi.Policy) { a.sender.readers[topic] = readers }

// SignedHead gives the signed head of a topic as it may be given out now.
func (a *Actor) SignedHead(ctx context.Context, topic string) (string, error) {
	head, err := a.sender.sequencer.Head(ctx, topic)
	if err != nil {
		return "", err
	}
	return a.sender.signer.SignHead(topic, head.Mark(), time.Now())
}

// NewEpoch starts a new epoch of all feeds, after the database was restored.
func (a *Actor) NewEpoch(ctx context.Context, atLeast uint32) (uint32, error) {
	return a.sender.sequencer.NewEpoch(ctx, atLeast)
}

// Position gives the place in a topic of ours that covers all that is committed now; it waits for
// the sequencer where something has no number yet.
func (a *Actor) Position(ctx context.Context, topic string) (jitsuin.Position, error) {
	var upTo int64
	pending := func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT COALESCE(MAX(id), 0) FROM feed_outbox WHERE topic = $1`, topic).Scan(&upTo)
	}
	if err := a.DB.View(ctx, pending); err != nil {
		return jitsuin.Position{}, err
	}
	for left := upTo > 0; left; {
		err := a.DB.View(ctx, func(tx *store.Tx) error {
			var n int
			err := tx.QueryRow(`SELECT COUNT(*) FROM feed_outbox WHERE topic = $1 AND id <= $2`, topic, upTo).Scan(&n)
			left = n > 0
			return err
		})
		if err != nil {
			return jitsuin.Position{}, err
		}
		if left {
			select {
			case <-ctx.Done():
				return jitsuin.Position{}, ctx.Err()
			case <-time.After(2 * time.Millisecond):
			}
		}
	}
	var head feed.Head
	for {
		var err error
		if head, err = a.sender.sequencer.Head(ctx, topic); err != nil {
			return jitsuin.Position{}, err
		}
		// The head is what may be served: it follows the numbering by a moment.
		var at jitsuin.Position
		err = a.DB.View(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(`SELECT COALESCE(MAX(epoch), 0), COALESCE(MAX(n), 0) FROM feed_heads WHERE topic = $1`, topic).Scan(&at.Epoch, &at.N)
		})
		if err != nil || head.Position.Compare(at) >= 0 {
			return head.Position, err
		}
		select {
		case <-ctx.Done():
			return jitsuin.Position{}, ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// keysOf gives the pinned keys of a sender: those in the signed directory.
func (a *Actor) keysOf(source string) feed.Keys {
	return func(keyID string) (*ecdsa.PublicKey, error) {
		i, err := a.Directory.Lookup(source)
		if err != nil {
			return nil, err
		}
		if keyID == source && len(i.Keys) > 0 {
			if k, ok := i.Keys[0].Key.(*ecdsa.PublicKey); ok {
				return k, nil
			}
		}
		return nil, jitsuin.Errorf(jitsuin.Denied, "feed-key", "%s has no key %q in the directory", source, keyID)
	}
}
