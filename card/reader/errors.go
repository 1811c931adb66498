package reader

import (
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

// PINError is the cause of the errors "pin-wrong" (kind Invalid) and "pin-blocked" (kind
// Locked); errors.As finds it.
type PINError struct {
	TriesLeft int // 0: the PIN is blocked
}

// Error says how many tries are left.
func (e *PINError) Error() string {
	switch e.TriesLeft {
	case 0:
		return "the PIN is blocked"
	case 1:
		return "the PIN is wrong, 1 try left"
	}
	return fmt.Sprintf("the PIN is wrong, %d tries left", e.TriesLeft)
}

// pinError is the error for a try that left so many.
func pinError(left int) error {
	if left > 0 {
		return jitsuin.Errorf(jitsuin.Invalid, "pin-wrong", "%w", &PINError{left})
	}
	return jitsuin.Errorf(jitsuin.Locked, "pin-blocked", "%w", &PINError{0}).
		WithHint("a PIN is unblocked at the municipality's counter only")
}

// StatusError is the cause of an error that a status word stands behind; errors.As finds it.
type StatusError struct{ SW card.SW }

// Error writes the status word.
func (e *StatusError) Error() string { return "the card answered " + e.SW.String() }

// statusError translates a status word other than 9000 and 63Cx.
func statusError(what string, sw card.SW) error {
	kind, code := jitsuin.Internal, "card-status"
	switch sw {
	case card.SWSecurityStatus:
		kind, code = jitsuin.Denied, "card-security-status"
	case card.SWNotVerified:
		kind, code = jitsuin.Unauthenticated, "terminal-refused"
	case card.SWFileNotFound, card.SWReferencedNotFound, card.SWWrongOffset:
		kind, code = jitsuin.NotFound, "card-file"
	case card.SWConditions, card.SWNoCurrentEF, card.SWIncompatibleFile:
		kind, code = jitsuin.Conflict, "card-conditions"
	case card.SWWrongData, card.SWWrongLength, card.SWNoSpace:
		kind, code = jitsuin.Invalid, "card-data"
	case card.SWFunction, card.SWUnknownINS, card.SWUnknownCLA, card.SWWrongP1P2:
		kind, code = jitsuin.Unsupported, "card-function"
	case card.SWMemoryFailure, card.SWNoPower:
		kind, code = jitsuin.Unavailable, "card-memory"
	}
	return jitsuin.Errorf(kind, code, "%s: %w", what, &StatusError{sw})
}
