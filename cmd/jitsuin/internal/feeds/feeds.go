// Package feeds does for an actor's change feeds what a person does when something stands still:
// it lists the events that are parked, and starts a new epoch after a restore.
//
// It opens the actor's own database by its configuration file, as the actor would, and decides
// nothing about events.
package feeds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
)

// configuration reads the shared part of a configuration file, and sees that there is a database.
func configuration(path string) (actor.Config, error) {
	var c actor.Config
	if err := actor.Peek(path, &c); err != nil {
		return c, err
	}
	base, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return c, err
	}
	if err := c.Resolve(base); err != nil {
		return c, err
	}
	if strings.Contains(c.Database, "://") {
		return c, nil
	}
	if _, err := os.Stat(strings.TrimPrefix(c.Database, "sqlite:")); err != nil {
		return c, jitsuin.Errorf(jitsuin.NotFound, "no-database", "%s has no database yet: %w", c.Instance, err)
	}
	return c, nil
}

// maxParked is how many parked events of one feed are listed.
const maxParked = 1000

// Parked writes the parked events of the actor with that configuration, feed by feed: position, type, subject,
// tries, and the error. It says nothing of what is in an event. n is how many there are.
func Parked(ctx context.Context, config string, w io.Writer) (n int, err error) {
	c, err := configuration(config)
	if err != nil {
		return 0, err
	}
	db, err := store.Open(ctx, c.Database, nil, feed.Tables())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	err = db.View(ctx, func(tx *store.Tx) error {
		followed, err := store.Collect(func(s store.Scanner) (f [2]string, err error) {
			return f, s.Scan(&f[0], &f[1])
		})(tx.Query(`SELECT DISTINCT source, topic FROM feed_parked ORDER BY source, topic`))
		if err != nil {
			return err
		}
		n = 0
		for _, f := range followed {
			parked, err := feed.Parked(tx, f[0], f[1], maxParked)
			if err != nil {
				return err
			}
			n += len(parked)
			for _, p := range parked {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d tries\t%s: %s\n", f[0], f[1], p.Position(), p.Type, p.Subject, p.Tries, p.Code, p.Message)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, table.Flush()
}

// NewEpoch starts a new epoch of all feeds that the actor sends, at least the given one, and tells
// which. The actor must not run meanwhile: its address is held until the epoch has begun.
func NewEpoch(ctx context.Context, config string, atLeast uint32, log *slog.Logger) (epoch uint32, err error) {
	c, err := configuration(config)
	if err != nil {
		return 0, err
	}
	held, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return 0, jitsuin.Errorf(jitsuin.Conflict, "actor-running", "%s runs, or its address is taken: %w", c.Instance, err).
			WithHint("stop it, start the new epoch, and start it again")
	}
	defer held.Close()
	a, err := actor.New(ctx, c, actor.Spec{Title: c.Instance, Log: log})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return a.NewEpoch(ctx, atLeast)
}
