package holder

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Question is what a PIN is asked for.
type Question struct {
	Kind jitsuin.CertKind
	// Name says what is asked for where it belongs to no certificate; then Kind is "".
	Name string
	Role Role
	// TriesLeft is how often the PIN may still be wrong, at least 1.
	TriesLeft int
}

// Role says which of several PINs of one act is meant.
type Role uint8

const (
	Current Role = iota // the PIN that the card knows
	New                 // the one to be set
	Again               // the one to be set, typed again by a person; a machine is not asked
)

// PINSource is where PINs come from: a person at a terminal, a file descriptor, a window.
type PINSource interface {
	// PIN gives one PIN as it was typed, without a line end. It asks once; who gets a wrong
	// answer does not ask again. The bytes belong to the caller, who overwrites them.
	// The error is of kind Unauthenticated where nobody gave one.
	PIN(ctx context.Context, q Question) ([]byte, error)
	// Confirms tells whether a new PIN is to be asked for twice, because a person may mistype.
	Confirms() bool
}

// String names the secret as people know it, Japanese term first.
func (q Question) String() string {
	name := "利用者証明用暗証番号 (PIN, 4 digits)"
	switch {
	case q.Name != "":
		name = q.Name
	case q.Kind == jitsuin.SignCert:
		name = "署名用パスワード (password, 6-16 letters and digits)"
	}
	switch q.Role {
	case New:
		return "new " + name
	case Again:
		return "new " + name + " again"
	}
	return fmt.Sprintf("%s, %s left", name, tries(q.TriesLeft))
}

func tries(n int) string {
	if n == 1 {
		return "1 try"
	}
	return fmt.Sprintf("%d tries", n)
}

// maxPIN is more than any PIN has, so that one that is too long is still told from a good one.
const maxPIN = 64

// ask gets one PIN, in upper case where it is the signature password: that is the client's task,
// the card compares bytes.
func ask(ctx context.Context, from PINSource, q Question) ([]byte, error) {
	if from == nil {
		return nil, errNoSource()
	}
	typed, err := from.PIN(ctx, q)
	if err != nil {
		return nil, err
	}
	upper(q.Kind, typed)
	return typed, nil
}

func upper(kind jitsuin.CertKind, typed []byte) {
	if kind == jitsuin.SignCert {
		for i, c := range typed {
			if 'a' <= c && c <= 'z' {
				typed[i] = c - 'a' + 'A'
			}
		}
	}
}

// CheckPIN refuses what cannot be the PIN of a kind before a card sees it, as reader.NormalPIN does, and makes no copy of it. A
// signature password is put into upper case in its place.
func CheckPIN(kind jitsuin.CertKind, typed []byte) error {
	upper(kind, typed)
	_, err := reader.NormalPIN(kind, view(typed))
	return err
}

func errNoSource() error {
	return jitsuin.Errorf(jitsuin.Unauthenticated, "pin-source", "there is nobody to ask for the PIN").
		WithHint("run it in a terminal, or give the PIN through a file descriptor: --pin-fd 3 3<FILE")
}

// view lends the bytes of a typed PIN as a jitsuin.PIN without a copy, which could not be
// overwritten. The PIN is dead once the bytes are cleared: whoever calls view clears them only
// after the last use.
func view(typed []byte) jitsuin.PIN {
	if len(typed) == 0 {
		return ""
	}
	return jitsuin.PIN(unsafe.String(&typed[0], len(typed)))
}
