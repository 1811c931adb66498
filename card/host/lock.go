package host

import (
	"fmt"
	"time"

	"github.com/gofrs/flock"

	"github.com/jitsuin/jitsuin"
)

type lockKind bool

const (
	exclusive lockKind = true
	shared    lockKind = false
)

// lock takes a file lock (flock, on Windows LockFileEx), which ends with the process at the latest.
// While another process holds it, it waits, and then is a Conflict "cards-served".
func lock(path string, how lockKind, wait time.Duration) (unlock func(), err error) {
	l := flock.New(path, flock.SetPermissions(0o600))
	try := l.TryRLock
	if how == exclusive {
		try = l.TryLock
	}
	for deadline := time.Now().Add(wait); ; time.Sleep(10 * time.Millisecond) {
		locked, err := try()
		switch {
		case err != nil:
			l.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		case locked:
			return func() { l.Close() }, nil
		case time.Now().After(deadline):
			l.Close()
			return nil, jitsuin.Errorf(jitsuin.Conflict, "cards-served", "another process serves %s", path)
		}
	}
}
