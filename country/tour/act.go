package tour

import (
	"context"
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/country"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// handOver hands the card of a case over: the resident types the PINs at the counter's terminal.
func (s *story) handOver(ctx context.Context, c counter, app town.Application) (town.Application, error) {
	t, err := s.folder.Terminal(ctx, c.code, clerk)
	if err != nil {
		return app, err
	}
	return t.HandOver(ctx, app.ID, country.SamplePIN)
}

// renewInCard puts new certificates into the card, which the resident has put on the counter's reader.
func (s *story) renewInCard(ctx context.Context, app jitsuin.ID) (done town.Application, err error) {
	t, err := s.folder.Terminal(ctx, s.to.code, clerk)
	if err != nil {
		return done, err
	}
	card, err := host.OpenSocket(ctx, s.folder.CardSocket(s.card))
	if err != nil {
		return done, fmt.Errorf("put the card on the reader: %w", err)
	}
	defer func() { err = errors.Join(err, card.Close()) }()
	return t.Reissue(ctx, app, card, country.SamplePIN)
}

func asPINError(err error) (*reader.PINError, bool) { return errors.AsType[*reader.PINError](err) }
