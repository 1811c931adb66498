package reader

import (
	"context"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

const (
	digits       = "0123456789"
	letters      = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	smallLetters = "abcdefghijklmnopqrstuvwxyz"
)

// NormalPIN checks what a person typed before it costs a try, and gives the form that is sent:
// four digits for the authentication certificate; for the signature certificate 6 to 16
// letters and digits, in upper case (the client's task, the card compares bytes).
// The error is Invalid "pin-form" and does not contain the PIN.
func NormalPIN(kind jitsuin.CertKind, pin jitsuin.PIN) (jitsuin.PIN, error) {
	p := pin.Reveal()
	switch kind {
	case jitsuin.AuthCert:
		if len(p) != 4 || strings.Trim(p, digits) != "" {
			return "", jitsuin.Errorf(jitsuin.Invalid, "pin-form", "the PIN of the authentication certificate has four digits").At("pin")
		}
	case jitsuin.SignCert:
		// The letters are looked at before, because other letters have an upper case in A-Z too.
		if len(p) < 6 || len(p) > 16 || strings.Trim(p, letters+smallLetters+digits) != "" {
			return "", jitsuin.Errorf(jitsuin.Invalid, "pin-form", "the password of the signature certificate has 6 to 16 letters A-Z and digits").At("pin")
		}
		p = strings.ToUpper(p)
	default:
		return "", jitsuin.Errorf(jitsuin.Invalid, "cert-kind", "a certificate is of kind sign or auth")
	}
	return jitsuin.PIN(p), nil
}

// NormalNewPIN is NormalPIN for a PIN that is being set: a password then needs both letters
// and digits.
func NormalNewPIN(kind jitsuin.CertKind, pin jitsuin.PIN) (jitsuin.PIN, error) {
	normal, err := NormalPIN(kind, pin)
	if err != nil {
		return "", err
	}
	p := normal.Reveal()
	if kind == jitsuin.SignCert && (!strings.ContainsAny(p, letters) || !strings.ContainsAny(p, digits)) {
		return "", jitsuin.Errorf(jitsuin.Invalid, "pin-form", "a new password needs both letters and digits").At("pin")
	}
	return normal, nil
}

// TriesLeft asks how many tries a PIN has; 0 is blocked (or never set). It costs none.
func (j *JPKI) TriesLeft(ctx context.Context, kind jitsuin.CertKind) (int, error) {
	files, err := card.FilesOf(kind)
	if err != nil {
		return 0, err
	}
	return j.TriesOf(ctx, files.PIN)
}

// blocked knows JICSAP's word and the one of ISO 7816-4, which some cards give.
func blocked(sw card.SW) bool { return sw == card.SWBlocked || sw == card.SWBlocked6983 }

// Verify presents a PIN. A form that cannot be right is refused before it is sent (Invalid
// "pin-form"). A wrong PIN is Invalid "pin-wrong", a blocked one (also when this was the last
// try) Locked "pin-blocked", both caused by a *PINError. Nothing is ever tried twice.
func (j *JPKI) Verify(ctx context.Context, kind jitsuin.CertKind, pin jitsuin.PIN) error {
	normal, err := NormalPIN(kind, pin)
	if err != nil {
		return err
	}
	files, err := card.FilesOf(kind)
	if err != nil {
		return err
	}
	return j.VerifyFile(ctx, files.PIN, normal)
}

// ChangePIN verifies the old PIN and sets the new one; the new one's form is checked first.
func (j *JPKI) ChangePIN(ctx context.Context, kind jitsuin.CertKind, old, new jitsuin.PIN) error {
	normal, err := NormalNewPIN(kind, new)
	if err != nil {
		return err
	}
	if err := j.Verify(ctx, kind, old); err != nil {
		return err
	}
	return j.mustPIN(ctx, "change the PIN", card.Command{INS: 0x24, P1: 0x01, P2: 0x80}, normal)
}
