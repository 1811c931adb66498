//go:build unix

package cputime

import (
	"syscall"
	"time"
)

// Used gives the processor time of all threads of the process so far.
func Used() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
