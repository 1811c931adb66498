// Package terminal is the counter's terminal (統合端末) as client code: what happens between the
// municipality's API and a chip when a card is handed over or its certificates are issued again.
//
// It owns the order of the steps, and that each can be begun again after a crash: every call may
// be repeated with the same application until it gives the case as done. It keeps nothing of its
// own but the terminal's key; PINs are asked for when they are needed and forgotten at once. It
// decides nothing about people: that is the municipality's.
package terminal

import (
	"context"
	"crypto"
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// PINs asks the resident to type a PIN for a certificate kind. It is called again for a PIN whose
// form the card's rules refuse only if the whole act is begun again.
type PINs func(kind jitsuin.CertKind) (jitsuin.PIN, error)

// Terminal is a counter's terminal. It does one act at a time.
type Terminal struct {
	// Town is the terminal's municipality, called as counter:CODE.
	Town api.Client
	// Cards opens chips by their handles; needed for hand-over.
	Cards host.Cards
	// Identity is what chips trust, see Certify.
	Identity reader.Terminal
	// Clerk is who sits at the terminal.
	Clerk string
}

// Certify has the terminal's own P-256 key certified by J-LIS, through the municipality. The
// certificate does not expire; keep it with the key.
func Certify(ctx context.Context, town api.Client, key crypto.Signer) (reader.Terminal, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return reader.Terminal{}, jitsuin.Errorf(jitsuin.Invalid, "terminal-key", "terminals have P-256 keys: %w", err)
	}
	certificate, err := town.CertifyTerminal(ctx, der)
	return reader.Terminal{Certificate: certificate, Key: key}, err
}

// pollWait is how long one request waits for a case to change.
const pollWait = 25 * time.Second

// await waits until the case has one of the states, as long as ctx allows. A refused case is a
// Denied error with the reason that was given.
func (t *Terminal) await(ctx context.Context, id jitsuin.ID, states ...api.ApplicationState) (api.Application, error) {
	since := api.ApplicationState("")
	for {
		a, err := t.Town.Application(ctx, id, since, pollWait)
		if err != nil {
			return a, err
		}
		if a.State == api.Refused {
			return a, jitsuin.Errorf(jitsuin.Denied, a.Code, "the application was refused: %s", a.Reason)
		}
		for _, s := range states {
			if a.State == s {
				return a, nil
			}
		}
		switch a.State {
		case api.Received, api.InquirySent:
			return a, jitsuin.Errorf(jitsuin.Conflict, "case-state", "the applicant has not been checked yet")
		case api.Done:
			return a, nil
		}
		since = a.State
	}
}

// open selects the application on a card and authenticates as the counter's terminal.
func (t *Terminal) open(ctx context.Context, ch reader.Channel) (*reader.JPKI, error) {
	j, err := reader.SelectJPKI(ctx, ch)
	if err != nil {
		return nil, err
	}
	return j, j.Authenticate(ctx, t.Identity)
}

// setPIN has the resident type a PIN and sets it.
func setPIN(ctx context.Context, j *reader.JPKI, kind jitsuin.CertKind, pins PINs) (jitsuin.PIN, error) {
	pin, err := pins(kind)
	if err != nil {
		return "", err
	}
	return pin, j.ResetPIN(ctx, kind, pin)
}
