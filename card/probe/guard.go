package probe

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Harmless tells whether a command changes nothing on a card and costs no try, whatever the card is.
func Harmless(apdu []byte) bool {
	c, err := card.ParseCommand(apdu)
	if err != nil {
		return false
	}
	switch c.INS {
	case 0xA4: // SELECT
		return c.CLA&0x7C == 0
	case 0xB0, 0xB2, 0xCA, 0x84: // READ BINARY, READ RECORD, GET DATA, GET CHALLENGE
		return c.CLA == 0 && len(c.Data) == 0
	case 0x20: // VERIFY as a question
		return c.CLA == 0 && len(c.Data) == 0 && len(apdu) == 4
	}
	return false
}

// guarded lets only harmless commands through.
type guarded struct{ reader.Card }

func (g guarded) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	if !Harmless(apdu) {
		return nil, jitsuin.Errorf(jitsuin.Internal, "probe-harmful", "a probe must not send %X", apdu[:min(len(apdu), 4)])
	}
	return g.Card.Transmit(ctx, apdu)
}
