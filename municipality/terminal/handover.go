package terminal

import (
	"bytes"
	"context"
	"errors"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// HandOver hands a new card over (⑥): it waits until the chip is at the municipality, opens it by
// its handle, has the resident set the PINs, checks that the certificates in the chip are those
// that were delivered, and completes the case. Afterwards the card is the resident's and no longer
// opens here. Where the terminal failed before, the same call goes on: PINs are typed again.
// Errors: Denied for a refused case, Conflict "certificate-differs" for a chip with other
// certificates, which is not handed over.
func (t *Terminal) HandOver(ctx context.Context, id jitsuin.ID, pins PINs) (api.Application, error) {
	a, err := t.await(ctx, id, api.Ready)
	if err != nil || a.State == api.Done {
		return a, err
	}
	h, err := t.Town.BeginHandover(ctx, id)
	if err != nil {
		return a, err
	}
	ch, err := t.Cards.Open(ctx, host.Handle(h.Handle))
	if stale(err) {
		// Passed on already: the terminal failed while it completed.
		return t.complete(ctx, id)
	}
	if err != nil {
		return a, err
	}
	if err := errors.Join(t.prepare(ctx, ch, a, pins), ch.Close()); err != nil {
		return a, err
	}
	return t.complete(ctx, id)
}

func stale(err error) bool { return err != nil && jitsuin.CodeOf(err) == "stale-handle" }

// prepare sets the PINs and checks the certificates. The PINs of the other applications are set to the four digits
// of the authentication certificate, as most residents choose at the counter (暗証番号は同じものでもよい).
func (t *Terminal) prepare(ctx context.Context, ch reader.Channel, a api.Application, pins PINs) error {
	j, err := t.open(ctx, ch)
	if err != nil {
		return err
	}
	var others jitsuin.PIN
	for _, c := range a.Certificates {
		pin, err := setPIN(ctx, j, c.Kind, pins)
		if err != nil {
			return err
		}
		if err := checkCertificate(ctx, j, c, pin); err != nil {
			return err
		}
		if c.Kind == jitsuin.AuthCert {
			others = pin
		}
	}
	if others == "" {
		return nil
	}
	return reader.SetHolderPINs(ctx, ch, t.Identity, others)
}

// checkCertificate compares what the chip carries with what was delivered. The signature
// certificate can be read only with its password, which was just set.
func checkCertificate(ctx context.Context, j *reader.JPKI, want api.Certificate, pin jitsuin.PIN) error {
	if want.Kind == jitsuin.SignCert {
		if err := j.Verify(ctx, want.Kind, pin); err != nil {
			return err
		}
	}
	got, err := j.Certificate(ctx, want.Kind)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want.Certificate) {
		return jitsuin.Errorf(jitsuin.Conflict, "certificate-differs", "the %s certificate in the chip is not the one that was delivered", want.Kind).
			WithHint("do not hand the card over; send it back")
	}
	return nil
}

// complete closes the case and waits until the card has been passed on.
func (t *Terminal) complete(ctx context.Context, id jitsuin.ID) (api.Application, error) {
	a, err := t.Town.Complete(ctx, id, t.Clerk)
	if err != nil || a.State == api.Done {
		return a, err
	}
	return t.await(ctx, id, api.Done)
}
