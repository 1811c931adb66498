package actor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Restored says that an actor's database was put back from a backup. It lies in the state folder,
// outside the database, from before the first file is put back. While it is not Done nothing opens the
// actor; until it is CaughtUp the actor holds back what would be wrong from an old memory.
type Restored struct {
	Archive    string    `json:"archive"` // identifier of the backup; empty where the database was restored by other means
	TakenAt    time.Time `json:"taken_at,omitzero"`
	RestoredAt time.Time `json:"restored_at"`
	Done       bool      `json:"done"`
	CaughtUp   bool      `json:"caught_up"`
}

const restoredFile = "restored.json"

// ReadRestored reads the mark of a state folder; nil where there is none.
func ReadRestored(state string) (*Restored, error) {
	raw, err := os.ReadFile(filepath.Join(state, restoredFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var r Restored
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "restore-mark", "the mark of a restore cannot be read: %w", err)
	}
	return &r, nil
}

// WriteRestored puts the mark into a state folder, whole and durable.
func WriteRestored(state string, r Restored) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(state, restoredFile)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("mark of a restore: %w", err)
	}
	_, err = f.Write(append(raw, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("mark of a restore: %w", err)
	}
	return nil
}

// wasRestored reads the mark and refuses to open what is half restored.
func (c *Config) wasRestored() (*Restored, error) {
	r, err := ReadRestored(c.State)
	if err == nil && r != nil && !r.Done && !c.Restoring {
		err = jitsuin.Errorf(jitsuin.Unavailable, "restore-unfinished", "%s is half restored", c.Instance).
			WithHint("run the same jitsuin restore again")
	}
	return r, err
}

// initRestored remembers what has still to catch up.
func (a *Actor) initRestored(r *Restored) {
	if r == nil {
		return
	}
	a.restored = r
	a.caughtUp.Store(r.CaughtUp)
	if !r.CaughtUp && !a.Config.Restoring {
		a.Go("catch up", a.catchUp)
	}
}

// Restored tells how the database was restored, nil where it never was.
func (a *Actor) Restored() *Restored { return a.restored }

// CatchingUp tells whether the actor was restored and has not yet read again, to their ends, these
// feeds; all of its feeds where none is named. It is for those who must not answer from an old memory.
func (a *Actor) CatchingUp(feeds ...*Followed) bool {
	if a.restored == nil || a.caughtUp.Load() {
		return false
	}
	if len(feeds) == 0 {
		feeds = a.followed
	}
	for _, f := range feeds {
		if !f.Health().CaughtUp {
			return true
		}
	}
	return false
}

// NeedsToCatchUp keeps the mark of a restore until done has been called too.
func (a *Actor) NeedsToCatchUp() (done func()) {
	if a.restored == nil || a.restored.CaughtUp {
		return func() {}
	}
	a.catching.Add(1)
	return func() { a.catching.Add(-1) }
}

const catchUpPoll = 50 * time.Millisecond

// catchUp waits until all feeds have been read again and remembers that they were.
func (a *Actor) catchUp(ctx context.Context) error {
	for a.CatchingUp() || a.catching.Load() > 0 {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(catchUpPoll):
		}
	}
	if !a.caughtUp.Load() {
		done := *a.restored
		done.CaughtUp = true
		if err := WriteRestored(a.Config.State, done); err != nil {
			return err // the task is started again
		}
		a.caughtUp.Store(true)
		a.Log.WarnContext(ctx, "restored, and all feeds have been read again", "backup_of", a.restored.TakenAt)
	}
	<-ctx.Done()
	return nil
}
