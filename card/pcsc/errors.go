package pcsc

import (
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin"
)

// ServiceError is the cause of errors that the service gave; errors.As finds it.
type ServiceError struct{ Code uint32 }

// Error writes the code as PC/SC's documentation lists it.
func (e *ServiceError) Error() string { return fmt.Sprintf("PC/SC error %08X", e.Code) }

// Codes of the service that mean something to a caller.
const (
	codeCancelled     = 0x80100002
	codeUnknownReader = 0x80100009
	codeTimeout       = 0x8010000A
	codeSharing       = 0x8010000B
	codeNoCard        = 0x8010000C
	codeProtocol      = 0x8010000F
	codeComm          = 0x80100013
	codeNotTransacted = 0x80100016
	codeReaderGone    = 0x80100017
	codeNoService     = 0x8010001D
	codeStopped       = 0x8010001E
	codeNoReaders     = 0x8010002E
	codeUnresponsive  = 0x80100066
	codeUnpowered     = 0x80100067
	codeReset         = 0x80100068
	codeRemoved       = 0x80100069
	codeSecurity      = 0x8010006A
)

func isCode(err error, code uint32) bool {
	e, ok := errors.AsType[*ServiceError](err)
	return ok && e.Code == code
}

// errorOf translates a code of the service; nil for success. what names the act.
func errorOf(what string, code uint32) error {
	e := func(kind jitsuin.Kind, name, text string) *jitsuin.Error {
		return jitsuin.Errorf(kind, name, "%s: %s: %w", what, text, &ServiceError{code})
	}
	switch code {
	case 0:
		return nil
	case codeUnknownReader, codeNoReaders:
		return e(jitsuin.NotFound, "reader-missing", "there is no such reader")
	case codeNoCard:
		return e(jitsuin.NotFound, "card-missing", "there is no card in the reader")
	case codeSharing:
		return e(jitsuin.Conflict, "card-in-use", "another program has the card").
			WithHint("close the other program that uses the card, and try again")
	case codeReset:
		return e(jitsuin.Unavailable, "card-gone", "another program has reset the card")
	case codeRemoved, codeReaderGone, codeUnpowered, codeNotTransacted, codeComm:
		return e(jitsuin.Unavailable, "card-gone", "the card was taken away, or does not answer")
	case codeUnresponsive:
		return e(jitsuin.Unavailable, "card-mute", "the card does not answer to reset").
			WithHint("put it in again, with the chip towards the contacts")
	case codeProtocol:
		return e(jitsuin.Unsupported, "card-protocol", "the card speaks neither T=0 nor T=1")
	case codeNoService, codeStopped:
		return e(jitsuin.Unavailable, "pcsc-missing", "the PC/SC service does not run")
	case codeSecurity:
		return e(jitsuin.Denied, "pcsc-denied", "the PC/SC service does not admit this user").
			WithHint("polkit's rules for org.debian.pcsc-lite say who may use readers")
	}
	return e(jitsuin.Unavailable, "pcsc-error", "the PC/SC service refuses")
}

// errAnswer is for a service that says what it must not.
func errAnswer(what, text string) error {
	return jitsuin.Errorf(jitsuin.Unavailable, "pcsc-answer", "%s: the PC/SC service's answer cannot be right: %s", what, text)
}
