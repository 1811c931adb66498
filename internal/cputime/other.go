//go:build !unix

package cputime

import "time"

var started = time.Now()

// Used gives the time since the process began, where the system is not asked for more.
func Used() time.Duration { return time.Since(started) }
