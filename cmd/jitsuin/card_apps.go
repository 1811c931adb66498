package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/freearea"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country"
)

// cardAppsCmd is about the free area (空き領域) of a card: the applications of others on it.
type cardAppsCmd struct {
	List   cardAppsListCmd   `cmd:"" default:"withargs" help:"List what may lie in a card's free area and by what ground, and what lies there."`
	Staff  cardAppsStaffCmd  `cmd:"" help:"Act as the sandbox's ministry: put its staff card on a card, or write it anew."`
	Remove cardAppsRemoveCmd `cmd:"" help:"Act as the sandbox's ministry: take its staff card off."`
	Door   cardAppsDoorCmd   `cmd:"" help:"Be the door of the sandbox's ministry: read the staff card on a card, and open or not."`
}

type cardAppsListCmd struct {
	data
	cardFlag
}

func (cardAppsListCmd) Help() string {
	return `A running country is asked for the minister's designations and the municipalities' ordinances (My Number Act art. 18), and the card for each of their applications by its whole name: a card does not list its applications to anybody. No PIN is needed.

Example:  jitsuin card apps`
}

func (c *cardAppsListCmd) Run(ctx context.Context, face *ui.Face) error {
	grounds, err := groundsOf(ctx, c.Data)
	if err != nil {
		return err
	}
	return c.withChannel(ctx, face, c.Data, func(on opened) error {
		table := tabwriter.NewWriter(face.Out, 0, 0, 2, ' ', 0)
		w := appsWords(face.Lang)
		for _, g := range grounds {
			there := true
			_, err := reader.SelectFree(ctx, on.channel, g.AID)
			if jitsuin.CodeOf(err) == "card-application" {
				there, err = false, nil
			}
			if err != nil {
				return err
			}
			name, body := g.Name, g.Body
			if face.Lang != "ja" && g.NameEN != "" {
				name = g.NameEN
			}
			if face.Lang != "ja" && g.BodyEN != "" {
				body = g.BodyEN
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%X\n", w[map[bool]string{true: "on", false: "off"}[there]], name, body, w[g.Law], w[standing(g)]+term(g), g.AID)
		}
		return table.Flush()
	})
}

// standing is what a ground is today.
func standing(g country.Ground) string {
	switch {
	case g.InForce:
		return "in-force"
	case g.Over:
		return "over"
	}
	return "to-come"
}

func term(g country.Ground) string {
	text := " " + g.From.String() + " –"
	if !g.Until.IsZero() {
		text += " " + g.Until.String()
	}
	return text
}

// appsWords are the words of the list.
func appsWords(lang string) map[string]string {
	if lang == "ja" {
		return map[string]string{"on": "あり", "off": "なし", "in-force": "効力あり", "over": "終わり", "to-come": "これから", country.LawOrdinance: "番号法18条1号（条例）", country.LawDesignation: "番号法18条2号（主務大臣の指定）"}
	}
	return map[string]string{"on": "on the card", "off": "not there", "in-force": "in force", "over": "over", "to-come": "to come",
		country.LawOrdinance: "My Number Act art. 18(i), ordinance", country.LawDesignation: "My Number Act art. 18(ii), designation"}
}

// groundsOf asks the running country of a folder.
func groundsOf(ctx context.Context, data string) ([]country.Ground, error) {
	today, err := civilToday(ctx, data)
	if err != nil {
		return nil, err
	}
	return country.Folder(data).Grounds(ctx, today)
}

// civilToday asks the country of a folder; NotFound where there is none, Unavailable where it does not run.
func civilToday(ctx context.Context, data string) (jitsuin.Date, error) {
	if _, err := country.Folder(data).Facts(); err != nil {
		return jitsuin.Date{}, err
	}
	now, err := country.CivilNow(ctx, country.Folder(data))
	return jitsuin.DateOf(now.Now), err
}

type cardAppsStaffCmd struct {
	data
	cardFlag
	Number string `help:"Staff number." required:"" placeholder:"NUMBER"`
	Body   string `help:"The body whose staff the holder is." default:"例示省（見本）" placeholder:"NAME"`
	Until  string `help:"Last day on which the staff card is valid; the default is a year from the civil day." placeholder:"YYYY-MM-DD"`
}

func (cardAppsStaffCmd) Help() string {
	return `The country must be running: J-LIS signs a ticket for this one card, if the minister's designation is in force today.

Example:  jitsuin card apps staff --number A-0042`
}

func (c *cardAppsStaffCmd) Run(ctx context.Context, face *ui.Face) error {
	today, err := civilToday(ctx, c.Data)
	if err != nil {
		return err
	}
	staff := freearea.Staff{Number: c.Number, Body: c.Body, ValidUntil: today.AddDays(365)}
	if c.Until != "" {
		if staff.ValidUntil, err = jitsuin.ParseDate(c.Until); err != nil {
			return err
		}
	}
	return c.withChannel(ctx, face, c.Data, func(on opened) error {
		if err := country.Folder(c.Data).LoadStaff(ctx, on.channel, staff); err != nil {
			return err
		}
		_, err := fmt.Fprintf(face.Out, "the staff card %s is on the card, valid until %v\n", staff.Number, staff.ValidUntil)
		return err
	})
}

type cardAppsRemoveCmd struct {
	data
	cardFlag
}

func (cardAppsRemoveCmd) Help() string {
	return `This works also after the designation was withdrawn.

Example:  jitsuin card apps remove`
}

func (c *cardAppsRemoveCmd) Run(ctx context.Context, face *ui.Face) error {
	return c.withChannel(ctx, face, c.Data, func(on opened) error {
		if err := country.Folder(c.Data).DeleteStaff(ctx, on.channel); err != nil {
			return err
		}
		_, err := fmt.Fprintln(face.Out, "the staff card is off the card")
		return err
	})
}

type cardAppsDoorCmd struct {
	data
	cardFlag
}

func (cardAppsDoorCmd) Help() string {
	return `The door shows the card its own certificate, reads number, body and last day, checks the ministry's signature over them, and has the card's key answer a challenge. No PIN is asked for.

Example:  jitsuin card apps door`
}

func (c *cardAppsDoorCmd) Run(ctx context.Context, face *ui.Face) error {
	today, err := civilToday(ctx, c.Data)
	if err != nil {
		return err
	}
	door, err := country.Folder(c.Data).Door()
	if err != nil {
		return err
	}
	return c.withChannel(ctx, face, c.Data, func(on opened) error {
		staff, err := door.Admit(ctx, on.channel, today)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(face.Out, "the door opens: %s, %s, valid until %v\n", staff.Number, staff.Body, staff.ValidUntil)
		return err
	})
}
