package ui

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/jitsuin/jitsuin"
)

// Status ends the program with an exit code whose reason was printed already.
type Status int

func (s Status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// Exit codes beside those of sysexits.h.
const (
	exitFailed      = 1
	exitUnsupported = 3
	exitUsage       = 64
	exitIO          = 74
	exitInterrupted = 130

	// ExitInput says that some input could not be read or made no sense.
	ExitInput = exitIO
)

const codeUsage = "usage"

// Usage is an error in how the program was called.
func Usage(format string, args ...any) *jitsuin.Error {
	return jitsuin.Errorf(jitsuin.Invalid, codeUsage, format, args...)
}

// Exit is the one table from errors to exit codes; docs and help quote it.
//
//	0    done; of verify: passed
//	1    the answer is no: a signature that failed, a tour whose expectations were not met
//	2    of verify: cannot be decided
//	3    understood, and not provided
//	4    of verify: not a signature at all
//	64   the command line is wrong
//	65   an input is wrong, also a PIN
//	66   there is no such thing
//	69   something needed does not answer
//	70   a defect of this program
//	74   a file cannot be read or written
//	75   not now: something is in use, in another state, or asked too often
//	77   not allowed: a blocked PIN, a card in other hands
//	130  interrupted
func Exit(err error) int {
	if s, ok := errors.AsType[Status](err); ok {
		return int(s)
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	if jitsuin.CodeOf(err) == codeUsage {
		return exitUsage
	}
	if _, ok := errors.AsType[*jitsuin.Error](err); !ok && isIO(err) {
		return exitIO
	}
	switch jitsuin.KindOf(err) {
	case jitsuin.Invalid:
		return 65
	case jitsuin.NotFound:
		return 66
	case jitsuin.Unavailable:
		return 69
	case jitsuin.Conflict, jitsuin.Limited:
		return 75
	case jitsuin.Unauthenticated, jitsuin.Denied, jitsuin.Locked:
		return 77
	case jitsuin.Revoked, jitsuin.Expired:
		return exitFailed
	case jitsuin.Unsupported:
		return exitUnsupported
	}
	return 70
}

func isIO(err error) bool {
	_, path := errors.AsType[*fs.PathError](err)
	_, link := errors.AsType[*os.LinkError](err)
	return path || link
}
