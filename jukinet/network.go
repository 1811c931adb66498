package jukinet

import (
	"context"
	"embed"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jukinet/api"
)

const (
	agencyInstance = "jlis:1"
	townRole       = "municipality"
)

// Config is what the network is told.
type Config struct {
	actor.Config `yaml:",inline"`
	// Stock is how many unused numbers each town has at hand; more are designated when half of
	// them are used. 0 means 100.
	Stock int `yaml:"stock,omitempty" check:"range=1..10000"`

	// RetryParked is how often parked notices are tried again; 0 leaves it to package actor.
	RetryParked time.Duration `yaml:"-"`
	// Log defaults to slog.Default.
	Log *slog.Logger `yaml:"-"`
	// Store are further options of the database, for tests.
	Store []store.Option `yaml:"-"`
}

const defaultStock = 100

// Network is the running registry network.
type Network struct {
	*actor.Actor
	towns   []jitsuin.MunicipalityCode
	notices []*actor.Followed // of each town
	stock   int
	// numbered tells, after a restore, that what was read again has its numbers: the snapshot has it.
	numbered atomic.Bool
}

//go:embed migrations/*.sql
var migrations embed.FS

// New opens the network that the configuration names. It follows the municipalities that are in
// the directory now; one that is added later is followed after a restart. Call Run, or Close.
func New(ctx context.Context, cfg Config) (*Network, error) {
	a, err := actor.New(ctx, cfg.Config, actor.Spec{Title: "Registry network", Version: "1", Migrations: Migrations(), Log: cfg.Log, Store: cfg.Store})
	if err != nil {
		return nil, err
	}
	n := &Network{Actor: a, stock: cfg.Stock}
	if n.stock <= 0 {
		n.stock = defaultStock
	}
	n.Offer(api.TopicToJLIS, n.afterCatchingUp(only(agencyInstance)))
	for _, i := range a.Directory.Role(townRole) {
		town := jitsuin.MunicipalityCode(strings.TrimPrefix(i.ID, townRole+":"))
		n.towns = append(n.towns, town)
		n.Offer(api.TopicToTown(town), only(i.ID))
		followed := n.Follow(i.ID, api.TopicResidents, func(_ context.Context, tx *store.Tx, e feed.Event) error {
			return n.apply(tx, town, e)
		})
		n.notices = append(n.notices, followed)
		if cfg.RetryParked > 0 {
			followed.RetryParked(cfg.RetryParked)
		}
		followed.OnBatch(func(tx *store.Tx, high jitsuin.Position) error { return n.passedOn(tx, town, high) })
	}
	n.offerTaken()
	n.offerCardNumbers()
	n.Go("numbers", n.designate)
	return n, nil
}

// catchUpTime is how long a network that was restored waits at most for municipalities that do not answer.
const catchUpTime = 2 * time.Minute

// afterCatchingUp gives a restored network's changes out only once the municipalities' notices have been
// read again: before, the snapshot would take everybody who moved since the backup back to where they were, and
// J-LIS would end certificates that are good.
func (n *Network) afterCatchingUp(then httpapi.Policy) httpapi.Policy {
	begun := time.Now()
	return httpapi.Checked(then.Doc(), func(ctx context.Context, c httpapi.Caller) error {
		if n.CatchingUp(n.notices...) && time.Since(begun) < catchUpTime || n.Restored() != nil && !n.numbered.Load() && !n.allNumbered(ctx) {
			return jitsuin.Errorf(jitsuin.Unavailable, "network-restored", "the network was restored and reads the municipalities' notices again")
		}
		return then.Allow(ctx, c)
	})
}

// allNumbered tells whether everything that was read again has a number by now.
func (n *Network) allNumbered(ctx context.Context) bool {
	_, err := n.Position(ctx, api.TopicToJLIS)
	if err == nil {
		n.numbered.Store(true)
	}
	return err == nil
}

// only admits one instance.
func only(instance string) httpapi.Policy {
	return httpapi.Checked("The instance "+instance, func(_ context.Context, c httpapi.Caller) error {
		if c.ID != instance {
			return jitsuin.Errorf(jitsuin.Denied, "not-for-this-caller", "%s may not read this", c.ID)
		}
		return nil
	})
}
