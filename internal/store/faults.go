package store

import "errors"

// Fault is what a test lets happen to a commit.
type Fault int

const (
	NoFault         Fault = iota // the commit happens
	CommitLost                   // nothing is committed; Update reports CodeUnknown
	CommitPersisted              // all is committed; Update reports CodeUnknown all the same
)

var errInjected = errors.New("a fault injected by a test")

// WithFaults is for tests of recovery alone: next is asked once for each Update that is about to
// commit. Hooks of AfterCommit do not run after a fault; signals do, as after every commit of which
// nobody knows whether it took effect.
func WithFaults(next func() Fault) Option { return func(o *options) { o.faults = next } }
