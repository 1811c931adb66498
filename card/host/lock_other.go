//go:build !unix

package host

import (
	"time"

	"github.com/jitsuin/jitsuin"
)

const exclusive, shared = 1, 2

// lock is not there without flock, and without it two processes could serve one chip.
func lock(string, int, time.Duration) (func(), error) {
	return nil, jitsuin.Errorf(jitsuin.Unsupported, "no-file-lock", "a card host needs a system with flock")
}
