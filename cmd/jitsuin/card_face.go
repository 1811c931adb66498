package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/cardface"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

type cardFaceCmd struct {
	data
	Resident string       `arg:"" help:"Whose card: the resident's ID, or the name or its beginning if only one person has it."`
	Out      string       `help:"Folder for front.svg, front.png, back.svg and back.png." default:"." type:"path" placeholder:"FOLDER"`
	Width    int          `help:"Pixels across of the PNG files: 200 to 4000." default:"1011"`
	Purpose  face.Purpose `help:"Show My Number on the back, for this purpose: social-security, tax, disaster or ordinance. The municipality records it." enum:",social-security,tax,disaster,ordinance" default:"" placeholder:"PURPOSE"`
	Clerk    string       `help:"Who asks for My Number, as the municipality records it." default:"" placeholder:"NAME"`
}

func (cardFaceCmd) Help() string {
	return `The country must be running; its municipalities are asked what is printed on the card. My Number is masked, and its QR code left out, unless --purpose and --clerk say for which lawful purpose who asks. What is drawn is a sample and cannot pass for a card.

Example:  jitsuin card face 例川花子 --out cards`
}

func (c *cardFaceCmd) Run(ctx context.Context, out *ui.Face) error {
	if (c.Purpose == "") != (c.Clerk == "") {
		return ui.Usage("--purpose and --clerk belong together")
	}
	folder := country.Folder(c.Data)
	resident, at, err := cardface.Find(ctx, folder, c.Resident)
	if err != nil {
		return err
	}
	known, err := cardface.Gather(ctx, folder, resident)
	if err != nil {
		return err
	}
	facts, err := folder.Facts()
	if err != nil {
		return err
	}
	printed, err := cardface.Of(facts.Sample(), resident, known)
	if err != nil {
		return err
	}
	if printed == nil {
		return jitsuin.Errorf(jitsuin.NotFound, "card-none", "this person has no card").WithHint("jitsuin card list shows the cards that were handed over")
	}
	front, err := printed.Front()
	if err != nil {
		return err
	}
	disclosed, err := c.disclose(ctx, folder, at, resident)
	if err != nil {
		return err
	}
	back, err := printed.Back(disclosed)
	if err != nil {
		return err
	}
	return c.write(out, map[string]face.Sheet{"front": front, "back": back})
}

// disclose asks the municipality for My Number where a purpose was stated; nil where none was.
func (c *cardFaceCmd) disclose(ctx context.Context, folder country.Folder, at jitsuin.MunicipalityCode, resident jitsuin.ID) (*face.Disclosure, error) {
	if c.Purpose == "" {
		return nil, nil
	}
	r, err := folder.Remote(country.Counter(at), country.Town(at))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	answer, err := (town.Client{Remote: r}).ShowNumber(ctx, resident, town.NumberRequest{Clerk: c.Clerk, Purpose: c.Purpose})
	if err != nil {
		return nil, err
	}
	return face.Disclose(answer.MyNumber, c.Clerk, answer.Record.Purpose)
}

func (c *cardFaceCmd) write(out *ui.Face, sheets map[string]face.Sheet) error {
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	for _, side := range []string{"front", "back"} {
		pixels, err := sheets[side].PNG(c.Width)
		if err != nil {
			return err
		}
		for ending, raw := range map[string][]byte{".svg": sheets[side].SVG(), ".png": pixels} {
			if err := os.WriteFile(filepath.Join(c.Out, side+ending), raw, 0o600); err != nil {
				return fmt.Errorf("write the drawing: %w", err)
			}
		}
		if _, err := fmt.Fprintf(out.Out, "%s: %s\n", filepath.Join(c.Out, side+".svg"), sheets[side].Description()); err != nil {
			return err
		}
	}
	return nil
}
