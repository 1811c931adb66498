package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder"
)

// kindArg is which of the two keys is meant.
type kindArg struct {
	Kind jitsuin.CertKind `arg:"" help:"Which key: sign (署名用) or auth (利用者証明用)." enum:"sign,auth"`
}

type cardCmd struct {
	List      cardListCmd      `cmd:"" help:"List the cards that were handed over, and those in readers, with what they carry."`
	Show      cardShowCmd      `cmd:"" help:"Show what a card says of itself, or one of its certificates."`
	Items     cardItemsCmd     `cmd:"" help:"Read the four items from a card, and tell whether its issuer signed them."`
	Photo     cardPhotoCmd     `cmd:"" help:"Read the pictures from a card with what is printed on its front, and tell whether its issuer signed them."`
	PIN       cardPINCmd       `cmd:"" name:"pin" help:"Try a PIN once; a right one fills its counter again."`
	ChangePIN cardChangePINCmd `cmd:"" name:"change-pin" help:"Change a PIN that is known."`
	APDU      cardAPDUCmd      `cmd:"" name:"apdu" help:"A shell that speaks with a card and explains each command and response."`
	Probe     cardProbeCmd     `cmd:"" help:"Look at a card without changing it, and report what may be published."`
	Apps      cardAppsCmd      `cmd:"" help:"The free area of a card (空き領域): applications of others on it, and who may put them there."`
	New       cardNewCmd       `cmd:"" help:"Make a card without a country, in a folder."`
	SetPIN    cardSetPINCmd    `cmd:"" name:"set-pin" help:"Set a PIN that is blocked or forgotten, on a card of card new."`
	VPCD      cardVPCDCmd      `cmd:"" name:"vpcd" help:"Put cards into pcscd's virtual reader, for every program that knows PC/SC."`

	Face  cardFaceCmd  `cmd:"" help:"Draw front and back of a resident's card, as SVG and PNG."`
	Fault cardFaultCmd `cmd:"" help:"Let a card of a running sandbox go wrong on purpose, or say what is set."`
}

func keyText(k holder.KeyStatus) string {
	switch {
	case !k.Certificate:
		return "no certificate"
	case k.TriesLeft == 0:
		return "PIN blocked"
	case k.TriesLeft == 1:
		return "1 try left"
	}
	return fmt.Sprintf("%d tries left", k.TriesLeft)
}

type cardShowCmd struct {
	data
	oneCard
	Certificate jitsuin.CertKind `help:"Show this certificate: sign (asks for its password) or auth." enum:",sign,auth" default:"" placeholder:"sign|auth"`
	CA          jitsuin.CertKind `name:"ca" help:"Print the certificate of the authority for this kind, as the card carries it, in PEM." enum:",sign,auth" default:"" placeholder:"sign|auth"`
	PEM         bool             `name:"pem" help:"Print the certificate in PEM."`
}

func (cardShowCmd) Help() string {
	return `What an authority's certificate on a card says is the card's word: it is no anchor of trust by being there.

Example:  jitsuin card show --certificate auth --pem > auth.pem`
}

func (c *cardShowCmd) Run(ctx context.Context, face *ui.Face) error {
	pins, err := c.pins()
	if err != nil {
		return err
	}
	card, done, err := c.open(ctx, face, c.Data)
	if err != nil {
		return err
	}
	defer done()
	switch {
	case c.CA != "":
		certificate, err := card.AuthorityCertificate(ctx, c.CA)
		if err != nil {
			return err
		}
		return pem.Encode(face.Out, &pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	case c.Certificate != "":
		certificate, err := card.Certificate(ctx, c.Certificate, pins)
		if err != nil {
			return err
		}
		if c.PEM {
			return pem.Encode(face.Out, &pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
		}
		return certificateText(face, certificate)
	}
	return statusText(ctx, face, card)
}

func statusText(ctx context.Context, face *ui.Face, card *holder.Card) error {
	s, err := card.Status(ctx)
	if err != nil {
		return err
	}
	t := s.Token
	_, err = fmt.Fprintf(face.Out, "card %s\n%s (%s, %s)\n", card.Place, t.Kind, t.Label, strings.Join(strings.Fields(t.Manufacturer+" "+t.Model), " "))
	if err != nil {
		return err
	}
	for _, k := range s.Keys {
		if _, err := fmt.Fprintf(face.Out, "%s: %s\n", k.Kind, keyText(k)); err != nil {
			return err
		}
	}
	if !s.Of(jitsuin.AuthCert).Certificate || !card.Free(jitsuin.AuthCert) {
		return nil
	}
	certificate, err := card.Certificate(ctx, jitsuin.AuthCert, nil)
	if err != nil {
		return err
	}
	return certificateText(face, certificate)
}

// certificateText shows a certificate to its holder, who may see everything in it.
func certificateText(face *ui.Face, c *x509.Certificate) error {
	const day = "2006-01-02 15:04:05 JST"
	kind, _ := cert.KindOf(c)
	text := fmt.Sprintf("certificate (%s) of %s\n  issued by %s\n  serial %s\n  valid %s to %s\n", kind, c.Subject, c.Issuer,
		c.SerialNumber.Text(16), c.NotBefore.In(jitsuin.JST).Format(day), c.NotAfter.In(jitsuin.JST).Format(day))
	if items, err := cert.ItemsOf(c); err == nil {
		text += fmt.Sprintf("  name %s\n  address %s\n  born %s\n  sex %s\n", items.Name, items.Address, items.BirthDate, sexWord(items.Sex))
	}
	_, err := fmt.Fprint(face.Out, text)
	return err
}

type cardPINCmd struct {
	data
	oneCard
	kindArg
}

func (cardPINCmd) Help() string {
	return `The tries that are left are said before the PIN is typed; jitsuin card show says them without a try.

Example:  jitsuin card pin auth`
}

func (c *cardPINCmd) Run(ctx context.Context, face *ui.Face) error {
	return c.withCard(ctx, face, c.Data, func(card *holder.Card, pins holder.PINSource) error {
		if err := card.Verify(ctx, c.Kind, pins); err != nil {
			return err
		}
		_, err := fmt.Fprintln(face.Out, "the PIN is right")
		return err
	})
}

type cardChangePINCmd struct {
	data
	oneCard
	kindArg
}

func (cardChangePINCmd) Help() string {
	return `The present PIN comes first, then the new one. The signature password has 6 to 16 letters and digits, at least one of each; the PIN for authentication has four digits.

Example:  jitsuin card change-pin sign`
}

func (c *cardChangePINCmd) Run(ctx context.Context, face *ui.Face) error {
	return c.withCard(ctx, face, c.Data, func(card *holder.Card, pins holder.PINSource) error {
		if err := card.ChangePIN(ctx, c.Kind, pins); err != nil {
			return err
		}
		_, err := fmt.Fprintln(face.Out, "the PIN is changed")
		return err
	})
}
