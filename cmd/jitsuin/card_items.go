package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	cardface "github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/card/verified"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder"
)

// faceFlags are for what reads the card's face.
type faceFlags struct {
	data
	oneCard
	FaceAnchor string `help:"The root of card-face signatures that is trusted. The default is the one in the folder of a card of card new, and else the country's." type:"existingfile" placeholder:"FILE"`
}

// anchorName is where a country and a card of card new leave the root of card-face signatures.
var anchorName = filepath.Join("anchors", "face.pub")

// anchor finds the root of card-face signatures for a card.
func (f faceFlags) anchor(place holder.Place) (contents.Anchor, error) {
	path := f.FaceAnchor
	if path == "" {
		path = filepath.Join(f.Data, anchorName)
		if place.Folder != "" {
			if _, err := os.Stat(filepath.Join(place.Folder, anchorName)); err == nil {
				path = filepath.Join(place.Folder, anchorName)
			}
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return contents.Anchor{}, jitsuin.Errorf(jitsuin.NotFound, "face-anchor", "there is no root of card-face signatures to trust: %w", err).
			WithHint("name one with --face-anchor; the card's own word is no anchor")
	}
	return contents.ParseAnchor(text)
}

// read opens the card for reading what its issuer wrote.
func (f faceFlags) read(ctx context.Context, face *ui.Face, use func(*verified.Reader, holder.PINSource) error) error {
	pins, err := f.pins()
	if err != nil {
		return err
	}
	return f.withChannel(ctx, face, f.Data, func(on opened) error {
		anchor, err := f.anchor(on.place)
		if err != nil {
			return err
		}
		return use(verified.On(on.channel, anchor), pins)
	})
}

// asked gets something that opens a part of the card, and overwrites it after use.
func asked(ctx context.Context, pins holder.PINSource, name string, tries int, use func(jitsuin.PIN) error) error {
	typed, err := pins.PIN(ctx, holder.Question{Name: name, TriesLeft: tries})
	if err != nil {
		return err
	}
	defer clear(typed)
	return use(jitsuin.PIN(typed))
}

type cardItemsCmd struct {
	faceFlags
	Purpose cardface.Purpose `help:"Read My Number too, for this purpose: social-security, tax, disaster or ordinance." enum:",social-security,tax,disaster,ordinance" default:"" placeholder:"PURPOSE"`
	Body    string           `help:"Who asks for My Number." placeholder:"NAME"`
}

func (cardItemsCmd) Help() string {
	return `It needs the four digits of the application 券面事項入力補助, tells whether the issuer signed what the card says, and has the card prove that it is no copy. My Number is printed only with --purpose and --body (My Number Act art. 9); whoever asks keeps the record of it.

Example:  jitsuin card items --card ./my-card`
}

func (c *cardItemsCmd) Run(ctx context.Context, face *ui.Face) error {
	if (c.Purpose == "") != (c.Body == "") {
		return ui.Usage("--purpose and --body belong together")
	}
	return c.read(ctx, face, func(card *verified.Reader, pins holder.PINSource) error {
		left, err := card.Tries(ctx)
		if err != nil {
			return err
		}
		if left == 0 {
			return jitsuin.Errorf(jitsuin.Locked, "pin-blocked", "the PIN is blocked").WithHint("a PIN is unblocked at the municipality's counter only")
		}
		return asked(ctx, pins, "券面事項入力補助用暗証番号 (PIN, 4 digits)", left, func(pin jitsuin.PIN) error {
			var items jitsuin.FourItems
			var number jitsuin.MyNumber
			var err error
			if c.Purpose == "" {
				items, err = card.Items(ctx, verified.PIN(pin))
			} else {
				number, items, err = card.MyNumber(ctx, pin, c.Body, c.Purpose)
			}
			if err != nil {
				return err
			}
			return itemsText(face, items, number)
		})
	})
}

// sexWord puts the code of JIS X 0303 into a word.
func sexWord(s jitsuin.Sex) string {
	switch s {
	case jitsuin.Male:
		return "male"
	case jitsuin.Female:
		return "female"
	case jitsuin.SexNotApplicable:
		return "not applicable"
	}
	return "unknown"
}

func itemsText(face *ui.Face, items jitsuin.FourItems, number jitsuin.MyNumber) error {
	text := fmt.Sprintf("name %s\naddress %s\nborn %s\nsex %s\n", items.Name, items.Address, items.BirthDate, sexWord(items.Sex))
	if number != "" {
		text += fmt.Sprintf("My Number %s\n", number.Reveal())
	}
	_, err := fmt.Fprint(face.Out, text+"signed by the issuer; the card has proved that it is no copy\n")
	return err
}

type cardPhotoCmd struct {
	faceFlags
	Born string `help:"Date of birth, as on the card's front." required:"" placeholder:"YYYY-MM-DD"`
	Out  string `help:"Folder for photo.jp2, name.png and address.png." default:"." type:"path" placeholder:"FOLDER"`
}

func (cardPhotoCmd) Help() string {
	return `The card's face opens with check number B: date of birth, year of expiry (which the card tells) and the security code of four digits on its front, which is asked for. Ten wrong ones block it.

Example:  jitsuin card photo --card ./my-card --born 1980-02-17`
}

func (c *cardPhotoCmd) Run(ctx context.Context, face *ui.Face) error {
	born, err := jitsuin.ParseDate(c.Born)
	if err != nil {
		return err
	}
	return c.read(ctx, face, func(card *verified.Reader, pins holder.PINSource) error {
		number, err := card.CardNumber(ctx)
		if err != nil {
			return err
		}
		left, err := card.FaceTries(ctx)
		if err != nil {
			return err
		}
		if left == 0 {
			return jitsuin.Errorf(jitsuin.Locked, "pin-blocked", "check number B is blocked").WithHint("it is unblocked at the municipality's counter only")
		}
		return asked(ctx, pins, "セキュリティコード (security code, 4 digits)", left, func(code jitsuin.PIN) error {
			with, err := verified.NumberB(born, number.Expiry, code.Reveal())
			if err != nil {
				return err
			}
			f, err := card.Face(ctx, with)
			if err != nil {
				return err
			}
			return c.write(face, f)
		})
	})
}

func (c *cardPhotoCmd) write(face *ui.Face, f contents.Face) error {
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return err
	}
	for name, picture := range map[string][]byte{"photo.jp2": f.Photo, "name.png": f.Name, "address.png": f.Address} {
		if len(picture) == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(c.Out, name), picture, 0o600); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(face.Out, "born %s, sex %s; pictures in %s\nsigned by the issuer; the card has proved that it is no copy\n", f.BirthDate, f.Sex, c.Out)
	return err
}
