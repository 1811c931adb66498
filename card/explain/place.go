package explain

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/jitsuin/jitsuin/card"
)

// place is where a conversation stands: which application and file are current on the card.
type place struct {
	app *application
	ef  uint16 // 0: none
}

// follow moves on after a command that the card answered with sw.
func (p *place) follow(c card.Command, sw card.SW) {
	if sw != card.SWOK && sw&0xFF00 != 0x6100 && sw&0xFFF0 != card.SWTries {
		return
	}
	switch {
	case c.INS == 0xA4 && c.P1 == 0x04:
		p.app, p.ef = applicationOf(c.Data), 0
	case c.INS == 0xA4 && c.P1 == 0x02 && len(c.Data) == 2:
		p.ef = binary.BigEndian.Uint16(c.Data)
	default:
		if sfi := shortID(c); sfi != 0 {
			p.ef = sfi
		}
	}
}

// shortID gives the file that a command names by its short identifier, 0 where it names none.
func shortID(c card.Command) uint16 {
	switch c.INS {
	case 0xB0, 0xD6, 0xD7:
		if c.P1&0x80 != 0 {
			return uint16(c.P1 & 0x1F)
		}
	case 0xB2, 0xDC:
		return uint16(c.P2 >> 3)
	case 0x20, 0x24, 0x2C, 0x2A, 0x32, 0x46, 0x88:
		if c.P2&0x80 != 0 {
			return uint16(c.P2 & 0x1F)
		}
	}
	return 0
}

// means gives the file that a command is about, and false where it is about none.
func (p *place) means(c card.Command) (file, bool) {
	id := shortID(c)
	switch {
	case c.INS == 0xA4 && c.P1 == 0x02 && len(c.Data) == 2:
		id = binary.BigEndian.Uint16(c.Data)
	case c.INS == 0xA4:
		return file{}, false
	case id == 0 && atFile(c.INS):
		id = p.ef
	}
	if id == 0 {
		return file{}, false
	}
	f, ok := p.app.file(id)
	if !ok {
		f.id = id
	}
	return f, true
}

// atFile tells whether an instruction works on the current file.
func atFile(ins byte) bool {
	return strings.IndexByte("\xB0\xB2\xD6\xD7\xDC\x20\x24\x2C\x2A\x32\x46\x88", ins) >= 0
}

// header reads the first four bytes of a command whose rest cannot be, or was not, read.
func header(apdu []byte) card.Command {
	c, err := card.ParseCommand(apdu)
	if err != nil && len(apdu) >= 4 {
		return card.Command{CLA: apdu[0], INS: apdu[1], P1: apdu[2], P2: apdu[3]}
	}
	return c
}

// application is one on the card, as we know it.
type application struct {
	aid   string
	name  Text
	files []file
}

type file struct {
	id   uint16
	name Text
	// secret content is masked wherever it is read or written.
	secret bool
}

func (a *application) file(id uint16) (file, bool) {
	if a != nil {
		for _, f := range a.files {
			if f.id == id {
				return f, true
			}
		}
	}
	return file{}, false
}

// applicationOf finds an application by its identifier or a beginning of it; nil for one that we do
// not know.
func applicationOf(aid []byte) *application {
	if len(aid) == 0 {
		return nil
	}
	for i := range applications {
		if bytes.HasPrefix([]byte(applications[i].aid), aid) {
			return &applications[i]
		}
	}
	return nil
}
