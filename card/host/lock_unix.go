//go:build unix

package host

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/jitsuin/jitsuin"
)

const (
	exclusive = syscall.LOCK_EX
	shared    = syscall.LOCK_SH
)

// lock takes a file lock (flock), which ends with the process at the latest. While another
// process holds it, it waits, and then is a Conflict "cards-served".
func lock(path string, how int, wait time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	for deadline := time.Now().Add(wait); ; time.Sleep(10 * time.Millisecond) {
		err = syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EWOULDBLOCK):
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		case time.Now().After(deadline):
			f.Close()
			return nil, jitsuin.Errorf(jitsuin.Conflict, "cards-served", "another process serves %s", path)
		}
	}
}
