package main

import (
	"context"
	"crypto/x509"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/signature/filing"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/seal"
)

// maxSignedPDF is the largest PDF that is signed here: it is in memory twice.
const maxSignedPDF = 128 << 20

// millimetre in points.
const millimetre = 72 / 25.4

// signPDF are the flags for a PDF that is signed inside itself.
type signPDF struct {
	Name     string `help:"Who signs, as the PDF says it. The default is the name in the certificate." placeholder:"NAME"`
	Reason   string `help:"Why it is signed." placeholder:"TEXT"`
	Location string `help:"Where it is signed." placeholder:"TEXT"`
	Field    string `help:"An empty signature field to fill, or the name of the new one." placeholder:"NAME"`
	Certify  int    `help:"Certify the PDF, as its first signature: 1 permits no change, 2 forms and signatures, 3 notes too." placeholder:"1|2|3"`
	Seal     bool   `help:"Show a red seal with the family name."`
	SealName string `help:"Show a red seal with this name." placeholder:"NAME"`
	Page     int    `help:"The page of the seal." default:"1" placeholder:"N"`
	At       string `help:"Where the seal stands: millimetres from the left and from below to its lower left corner; negative ones from the right and from above to its other edges." default:"-20,30" placeholder:"X,Y"`
}

// asked tells whether any of them was given.
func (p *signPDF) asked() bool {
	return p.Name+p.Reason+p.Location+p.Field+p.SealName != "" || p.Seal || p.Certify != 0
}

// options are those that can be known before the certificate is; the seal has its place, and some name.
func (p *signPDF) options(format string, at time.Time) (pades.Options, error) {
	o := pades.Options{Form: pades.CAdES, At: at, Name: p.Name, Reason: p.Reason, Location: p.Location, Field: p.Field, Certify: pades.Permission(p.Certify)}
	if format == "adbe" {
		o.Form = pades.PKCS7
	}
	if p.Certify < 0 || p.Certify > 3 {
		return o, ui.Usage("--certify is 1, 2 or 3")
	}
	if !p.Seal && p.SealName == "" {
		return o, nil
	}
	x, y, ok := strings.Cut(p.At, ",")
	left, err := strconv.ParseFloat(x, 64)
	below, err2 := strconv.ParseFloat(y, 64)
	if !ok || err != nil || err2 != nil {
		return o, ui.Usage("--at takes two numbers, such as 150,30")
	}
	name := p.SealName
	if name == "" {
		name = "印" // until the certificate says it
	}
	s, err := seal.New(name)
	if err != nil {
		return o, err
	}
	o.Seal = &pades.Appearance{Seal: s, Page: p.Page, X: left * millimetre, Y: below * millimetre}
	return o, nil
}

// complete takes from the certificate what was not said.
func (p *signPDF) complete(face *ui.Face, o pades.Options) func(*x509.Certificate) (pades.Options, error) {
	return func(c *x509.Certificate) (pades.Options, error) {
		items, err := cert.ItemsOf(c)
		if o.Name == "" && err == nil {
			o.Name = items.Name
		}
		if o.Seal != nil && p.SealName == "" {
			if err != nil {
				return o, ui.Usage("the certificate has no name for a seal").WithHint("say it with --seal-name")
			}
			if o.Seal.Seal, err = seal.New(seal.Family(items.Name)); err != nil {
				return o, err
			}
		}
		if o.Seal != nil && len(o.Seal.Seal.Missing()) > 0 {
			face.Warn("the seal shows 〓 for %s, which its font does not have", string(o.Seal.Seal.Missing()))
		}
		return o, nil
	}
}

// run signs a PDF. What is wrong with it is found before the password is asked for.
func (p *signPDF) run(ctx context.Context, face *ui.Face, c *signCmd, document []byte, act holder.Act) error {
	o, err := p.options(c.Format, act.At)
	if err != nil {
		return err
	}
	if err := pades.Check(document, o); err != nil {
		return err
	}
	stamp, err := c.stamper(c.Data)
	if err != nil {
		return err
	}
	card, done, err := c.open(ctx, face, c.Data)
	if err != nil {
		return err
	}
	defer done()
	signed, err := card.PDF(ctx, document, p.complete(face, o), stamp, act)
	if err != nil {
		return err
	}
	if o.Form == pades.PKCS7 {
		if r, err := filing.Examine(ctx, signed); err == nil && !r.Accepted {
			face.Warn("the whole file does not have the form for a filing; jitsuin filing says why")
		}
	}
	return face.WriteFile(c.Out, signed)
}
