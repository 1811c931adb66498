package main

import (
	"context"
	"os"

	"github.com/jitsuin/jitsuin/card/explain"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder"
)

// traceFlag is for every command that talks to a card.
type traceFlag struct {
	Trace string `help:"Write all that is said to the card into this file, in words and bytes, PINs and My Number masked; - is standard error." placeholder:"FILE|-"`
}

// tracer gives what puts a trace on a card, nil where none was asked for. done ends the trace; its error is
// the file's.
func (f traceFlag) tracer(face *ui.Face) (wrap func(reader.Card) reader.Card, done func() error, err error) {
	to, done := face.Err, func() error { return nil }
	switch f.Trace {
	case "":
		return nil, done, nil
	case "-":
	default:
		file, err := os.OpenFile(f.Trace, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return nil, nil, err
		}
		to, done = file, file.Close
	}
	return func(c reader.Card) reader.Card { return explain.Trace(c, to, face.Lang) }, done, nil
}

// cards gives the holder's cards, traced where that was asked for; see tracer.
func (f traceFlag) cards(face *ui.Face, data string) (cards holder.Cards, done func() error, err error) {
	wrap, done, err := f.tracer(face)
	if err != nil {
		return cards, nil, err
	}
	return holder.CardsIn(data).Wrapped(wrap), done, nil
}

// cardFlag names a card.
type cardFlag struct {
	Card string `help:"The card: its ID or the beginning of it; the folder of a chip; pcsc:READER or a reader's name. Not needed where the country has only one." placeholder:"ID|FOLDER|READER"`
	traceFlag
}

// oneCard names a card and where its PIN comes from.
type oneCard struct {
	cardFlag
	PINFD int `name:"pin-fd" help:"Read PINs from this file descriptor, one a line, in the order in which they are asked for." default:"-1" placeholder:"N"`
}

// pins gives the terminal, or the descriptor that was named.
func (c oneCard) pins() (holder.PINSource, error) {
	if c.PINFD == -1 {
		return holder.NewTerminal(), nil
	}
	return holder.NewDescriptor(c.PINFD)
}

// open opens the card. done gives it back and ends the trace.
func (c cardFlag) open(ctx context.Context, face *ui.Face, data string) (card *holder.Card, done func(), err error) {
	cards, end, err := c.cards(face, data)
	if err != nil {
		return nil, nil, err
	}
	card, err = cards.Open(ctx, c.Card)
	if err != nil {
		_ = end() // the error before says more
		return nil, nil, err
	}
	return card, func() {
		card.Close()
		if err := end(); err != nil {
			face.Warn("the trace is not whole: %v", err)
		}
	}, nil
}

// withCard opens the card and its source of PINs for one act.
func (c oneCard) withCard(ctx context.Context, face *ui.Face, data string, use func(*holder.Card, holder.PINSource) error) error {
	pins, err := c.pins()
	if err != nil {
		return err
	}
	card, done, err := c.open(ctx, face, data)
	if err != nil {
		return err
	}
	defer done()
	return use(card, pins)
}
