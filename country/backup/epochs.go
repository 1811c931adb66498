package backup

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/jlis"
)

// Recovery is what J-LIS has lost and done about it.
type Recovery = jlis.Recovery

// finish begins the new epochs of a restored actor and takes the mark off.
func (r *restoring) finish(ctx context.Context, p source) (Result, error) {
	a, _ := r.manifest.Actor(p.instance)
	res := Result{Actor: a, Lost: map[string]jitsuin.Position{}}
	if p.state == "" {
		return res, nil
	}
	if p.external {
		return res, jitsuin.Errorf(jitsuin.Conflict, "database-external", "the state of %s was put back; its database is not in the backup", p.instance).
			WithHint("restore the database with its own tools, then: jitsuin restore --database-restored --config %s", p.config)
	}
	for topic, at := range marksOf(p.state) {
		if at.Compare(a.Sent[topic]) > 0 {
			res.Lost[topic] = at
		}
	}
	epochs, err := beginEpochs(ctx, p, r.By, r.Now(), r.Log)
	if err != nil {
		return res, err
	}
	res.Epoch, res.Recovery = epochs.feeds, epochs.recovery
	return res, actor.WriteRestored(p.state, r.mark(true))
}

// DatabaseRestored does for an actor whose database was put back by other means, such as a PostgreSQL
// from its base backup and log, what Restore does after the files are in place. The actor must not run.
func DatabaseRestored(ctx context.Context, config, by string, log *slog.Logger) (res Result, err error) {
	p, err := describe(config)
	if err != nil {
		return res, err
	}
	if p.state == "" {
		return res, jitsuin.Errorf(jitsuin.Invalid, "no-database", "%s has no database", p.instance)
	}
	release, err := holdAddresses(ctx, []source{p})
	if err != nil {
		return res, err
	}
	defer release()
	mark := actor.Restored{RestoredAt: time.Now().UTC()}
	if err := actor.WriteRestored(p.state, mark); err != nil {
		return res, err
	}
	res = Result{Actor: Actor{Instance: p.instance, Role: p.role}, Lost: marksOf(p.state)}
	epochs, err := beginEpochs(ctx, p, by, time.Now(), log)
	if err != nil {
		return res, err
	}
	mark.Done = true
	res.Epoch, res.Recovery = epochs.feeds, epochs.recovery
	return res, actor.WriteRestored(p.state, mark)
}

type epochs struct {
	feeds    uint32
	recovery *Recovery
}

// beginEpochs opens the actor by itself and starts new epochs, above all that was ever used.
func beginEpochs(ctx context.Context, p source, by string, now time.Time, log *slog.Logger) (e epochs, err error) {
	at := feed.EpochAt(now)
	if p.role == "jlis" {
		return recoverAgency(ctx, p, by, at, log)
	}
	var c actor.Config
	if err := actor.Peek(p.config, &c); err != nil {
		return e, err
	}
	if err := c.Resolve(filepath.Dir(p.config)); err != nil {
		return e, err
	}
	c.Restoring = true
	a, err := actor.New(ctx, c, actor.Spec{Title: c.Instance, Log: log})
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	e.feeds, err = a.NewEpoch(ctx, at)
	return e, err
}

func recoverAgency(ctx context.Context, p source, by string, at uint32, log *slog.Logger) (e epochs, err error) {
	var c jlis.Config
	if err := actor.Load(p.config, &c); err != nil {
		return e, err
	}
	if err := c.Resolve(filepath.Dir(p.config)); err != nil {
		return e, err
	}
	c.Restoring, c.Log = true, log
	a, err := jlis.New(ctx, c)
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if e.feeds, err = a.NewEpoch(ctx, at); err != nil {
		return e, err
	}
	found, err := a.Recover(ctx, by, at)
	e.recovery = &found
	return e, err
}
