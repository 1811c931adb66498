package jitsuin

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// ID is an identifier of our own: 128 random bits in 32 lower-case hex digits, never derived
// from time, a person or a number. A resident, an application, a card and a record each have one.
type ID string

// NewID draws a new identifier.
func NewID() ID {
	var b [16]byte
	rand.Read(b[:]) // never fails; it ends the process where the system has no randomness
	return ID(hex.EncodeToString(b[:]))
}

// ParseID checks that s has the form of an ID.
func ParseID(s string) (ID, error) {
	if len(s) == 32 && strings.Trim(s, "0123456789abcdef") == "" {
		return ID(s), nil
	}
	return "", Errorf(Invalid, "id-form", "an identifier has 32 lower-case hex digits")
}
