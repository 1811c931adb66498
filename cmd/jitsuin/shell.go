package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/atr"
	"github.com/jitsuin/jitsuin/card/explain"
	"github.com/jitsuin/jitsuin/card/probe"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder"
)

// maxLine is a line with an extended command in hex with spaces.
const maxLine = 4 * 65550

// shell speaks with a card line by line.
type shell struct {
	face    *ui.Face
	card    reader.Card // shows what passes
	pins    holder.PINSource
	careful bool // only harmless commands in hex
}

func newShell(face *ui.Face, on opened, pins holder.PINSource, changes bool) *shell {
	return &shell{face: face, card: explain.Trace(on.channel, face.Out, face.Lang), pins: pins, careful: !on.place.Ours() && !changes}
}

// isSlip tells whether an error is about what was typed or what the card answered, after which the shell goes on.
func isSlip(err error) bool {
	switch jitsuin.KindOf(err) {
	case jitsuin.Invalid, jitsuin.NotFound, jitsuin.Denied, jitsuin.Locked, jitsuin.Unauthenticated, jitsuin.Conflict, jitsuin.Unsupported:
		return true
	}
	return false
}

// names of applications, as the shell takes them.
var applicationNames = map[string]string{"jpki": card.AIDJPKI, "text": card.AIDText, "visual": card.AIDVisual, "resident": card.AIDResident,
	"common": card.AIDCommon, "issuer": card.AIDIssuer}

// line does one line. What the card refuses is shown and no error.
func (s *shell) line(ctx context.Context, line string) (quit bool, err error) {
	words := strings.Fields(line)
	if len(words) == 0 || strings.HasPrefix(line, "#") {
		return false, nil
	}
	argument := strings.Join(words[1:], "")
	switch words[0] {
	case "quit", "exit":
		return true, nil
	case "help":
		_, err = fmt.Fprintln(s.face.Out, shellHelp)
	case "atr":
		err = s.atr(ctx)
	case "reset":
		err = s.card.Reset(ctx)
	case "power":
		if err = s.card.Power(ctx, false); err == nil {
			err = s.card.Power(ctx, true)
		}
	case "verify":
		err = s.verify(ctx, jitsuin.CertKind(argument))
	case "read":
		err = s.read(ctx, argument)
	case "select", "file", "record", "tries", "data", "challenge":
		var c card.Command
		if c, err = named(words[0], argument); err == nil {
			_, _, err = s.send(ctx, c.Bytes())
		}
	default:
		err = s.raw(ctx, strings.Join(words, ""))
	}
	return false, err
}

// named makes the command that a word stands for.
func named(word, argument string) (card.Command, error) {
	switch word {
	case "select":
		aid := []byte(applicationNames[argument])
		if len(aid) == 0 {
			var err error
			if aid, err = hex.DecodeString(argument); err != nil || len(aid) == 0 || len(aid) > 16 {
				return card.Command{}, ui.Usage("%q is no application: jpki, text, visual, resident, common, issuer, or 1 to 16 bytes in hex", argument)
			}
		}
		return card.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: aid}, nil
	case "tries":
		return card.Command{INS: 0x20, P2: 0x80}, nil
	case "challenge":
		return card.Command{INS: 0x84, Le: 8}, nil
	case "record":
		n, err := strconv.ParseUint(argument, 10, 8)
		if err != nil {
			return card.Command{}, ui.Usage("a record has a number from 1 to 254")
		}
		return card.Command{INS: 0xB2, P1: byte(n), P2: 0x04, Le: 256}, nil
	}
	id, err := strconv.ParseUint(argument, 16, 16)
	if err != nil || len(argument) != 4 {
		return card.Command{}, ui.Usage("%s takes four hex digits, not %q", word, argument)
	}
	if word == "data" {
		return card.Command{INS: 0xCA, P1: byte(id >> 8), P2: byte(id), Le: 65536, Extended: true}, nil
	}
	return card.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: binary.BigEndian.AppendUint16(nil, uint16(id))}, nil
}

func (s *shell) send(ctx context.Context, apdu []byte) ([]byte, card.SW, error) {
	response, err := s.card.Transmit(ctx, apdu)
	if err != nil {
		return nil, 0, err
	}
	data, sw, ok := card.SplitResponse(response)
	if !ok {
		return nil, 0, jitsuin.Errorf(jitsuin.Unavailable, "card-gone", "the card gave no status word")
	}
	return data, sw, nil
}

// raw sends what is written in hex.
func (s *shell) raw(ctx context.Context, digits string) error {
	apdu, err := hex.DecodeString(digits)
	if err != nil {
		return ui.Usage("this is neither a command of the shell nor hex; help shows the commands")
	}
	defer clear(apdu)
	if len(apdu) < 4 {
		return ui.Usage("a command APDU has at least four bytes")
	}
	if s.careful && !probe.Harmless(apdu) {
		return ui.Usage("this could change the card or cost a try").WithHint("--changes sends it all the same; a blocked PIN is unblocked at a municipality's counter only")
	}
	_, _, err = s.send(ctx, apdu)
	return err
}

// read reads the selected file from its beginning.
func (s *shell) read(ctx context.Context, argument string) error {
	size := 0x8000
	if argument != "" {
		n, err := strconv.ParseUint(argument, 10, 15)
		if err != nil || n == 0 {
			return ui.Usage("read takes a number of bytes")
		}
		size = int(n)
	}
	for at := 0; at < size; {
		c := card.Command{INS: 0xB0, P1: byte(at >> 8), P2: byte(at), Le: min(size-at, 256)}
		data, sw, err := s.send(ctx, c.Bytes())
		if err != nil {
			return err
		}
		if sw != card.SWOK || len(data) < c.Le {
			return nil
		}
		at += len(data)
	}
	return nil
}

// verify asks a person for the PIN, once, with the tries that are left.
func (s *shell) verify(ctx context.Context, kind jitsuin.CertKind) error {
	if !kind.Valid() {
		return ui.Usage("verify sign, or verify auth")
	}
	c, err := holder.On(ctx, "", s.card)
	if err != nil {
		return err
	}
	return c.Verify(ctx, kind, s.pins)
}

func (s *shell) atr(ctx context.Context) error {
	b, err := s.card.ATR(ctx)
	if err != nil {
		return err
	}
	known, _ := atr.Find(b)
	_, err = fmt.Fprintf(s.face.Out, "%X %s\n", b, strings.TrimSpace(known.Name+" "+known.What))
	return err
}
