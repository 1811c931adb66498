package jitsuin

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an error is. Every edge (HTTP problem, OAuth error, status
// word, OCSP status, exit code) translates the kind once; nobody matches on message texts.
type Kind uint8

const (
	Internal        Kind = iota // a defect or an unforeseen failure; the zero value on purpose
	Invalid                     // the input is wrong; repeating it unchanged never helps
	Unauthenticated             // nobody, or nobody known, is asking
	Denied                      // somebody known is asking for what is not theirs
	NotFound                    // there is no such thing for this caller
	Conflict                    // the thing is not in the state that the act needs
	Locked                      // too many wrong tries; a person must unlock it
	Revoked                     // the certificate or credential has been revoked
	Expired                     // its time is over, or has not begun
	Limited                     // too much, too fast; try later
	Unsupported                 // understood, and not provided
	Unavailable                 // something needed does not answer now; try again
)

var kindNames = [...]string{"internal", "invalid", "unauthenticated", "denied", "not-found",
	"conflict", "locked", "revoked", "expired", "limited", "unsupported", "unavailable"}

// String gives the kind's stable name, as it stands in problem documents.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// Error is the one error type of the project. Code is a stable word for programs
// ("four-items-differ"), Message says what and where, Hint tells a person what to do next.
// None of them ever holds a PIN, a key, a My Number or a resident code.
type Error struct {
	Kind    Kind
	Code    string
	Message string
	Hint    string
	Field   string // the input member at fault, where one is
	Err     error  // the cause, for errors.Is and errors.As; not shown to callers outside
}

// Errorf makes an Error. The format may wrap a cause with %w.
func Errorf(kind Kind, code, format string, args ...any) *Error {
	made := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Code: code, Message: made.Error(), Err: errors.Unwrap(made)}
}

// WithHint returns a copy of e that tells a person what to do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// At returns a copy of e that names the input member at fault.
func (e *Error) At(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// Error gives the message, without the hint.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf gives the kind of the first Error in err's chain; Internal where there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// CodeOf gives the code of the first Error in err's chain, "" where there is none.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
