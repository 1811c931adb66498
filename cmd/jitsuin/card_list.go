package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/jitsuin/jitsuin/card/pcsc"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder"
)

type cardListCmd struct {
	data
	traceFlag
}

func (cardListCmd) Help() string {
	return "No PIN is needed. Readers are shown where a PC/SC service (pcscd) runs; a card in one is asked what it is, and nothing else.\n\nExample:  jitsuin card list"
}

func (c *cardListCmd) Run(ctx context.Context, face *ui.Face) (err error) {
	cards, done, err := c.cards(face, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	readers, noService := holder.Readers(ctx)
	if noService != nil {
		face.Log.Debug("no readers", "error", noService)
	}
	listed, err := cards.List(ctx)
	if err != nil && len(readers) == 0 {
		return err
	}
	table := tabwriter.NewWriter(face.Out, 0, 0, 2, ' ', 0)
	for _, l := range listed {
		if err := listCard(table, cards, l); err != nil {
			return err
		}
	}
	for _, r := range readers {
		listReader(ctx, table, cards, r)
	}
	if len(listed)+len(readers) == 0 {
		face.Note("no card has been handed over yet")
	}
	return table.Flush()
}

func listCard(table io.Writer, cards holder.Cards, l holder.Listed) error {
	if l.Err != nil {
		_, err := fmt.Fprintf(table, "%s\t%v\n", l.ID, l.Err)
		return err
	}
	label, err := cards.Label(l.ID)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(table, "%s\t%s%s\n", l.ID, statusLine(l.Status), labelled(label))
	return err
}

func statusLine(s holder.Status) string {
	text := string(s.Token.Kind)
	for _, k := range s.Keys {
		text += fmt.Sprintf("\t%s %s", k.Kind, keyText(k))
	}
	return text
}

func labelled(label string) string {
	if label == "" {
		return ""
	}
	return "\t" + label
}

// listReader says what lies in a reader. What cannot be asked is said in its line.
func listReader(ctx context.Context, table io.Writer, cards holder.Cards, r pcsc.Reader) {
	name := holder.Place{Reader: r.Name}.String()
	if !r.Present {
		fmt.Fprintf(table, "%s\tno card\n", name)
		return
	}
	if r.Exclusive {
		fmt.Fprintf(table, "%s\tATR %X\tanother program has the card\n", name, r.ATR)
		return
	}
	card, err := cards.Open(ctx, name)
	var status holder.Status
	if err == nil {
		defer card.Close()
		status, err = card.Status(ctx)
	}
	if err != nil {
		fmt.Fprintf(table, "%s\tATR %X\t%s\n", name, r.ATR, err)
		return
	}
	fmt.Fprintf(table, "%s\t%s\n", name, statusLine(status))
}
