package card

import (
	"encoding/binary"

	"github.com/jitsuin/jitsuin"
)

// Command is a command APDU (ISO 7816-4 §5.2). Le is how many bytes are expected at most:
// 0 none (no Le field), 256 the short "00", 65536 the extended "0000".
type Command struct {
	CLA, INS, P1, P2 byte
	Data             []byte
	Le               int
	Extended         bool // written, or to be written, with extended lengths
}

// ParseCommand reads a command APDU in short or extended form. Data aliases apdu.
func ParseCommand(apdu []byte) (Command, error) {
	if len(apdu) < 4 {
		return Command{}, jitsuin.Errorf(jitsuin.Invalid, "apdu-form", "a command APDU has at least four bytes, not %d", len(apdu))
	}
	c := Command{CLA: apdu[0], INS: apdu[1], P1: apdu[2], P2: apdu[3]}
	body := apdu[4:]
	ok := true
	switch {
	case len(body) == 0:
	case len(body) == 1:
		c.Le = maximum(int(body[0]), 256)
	case body[0] != 0:
		ok = c.split(body[1:], int(body[0]), 1)
	case len(body) == 3:
		c.Extended = true
		c.Le = maximum(int(binary.BigEndian.Uint16(body[1:])), 65536)
	case len(body) > 3:
		c.Extended = true
		lc := int(binary.BigEndian.Uint16(body[1:]))
		ok = lc > 0 && c.split(body[3:], lc, 2)
	default:
		ok = false
	}
	if !ok {
		return Command{}, jitsuin.Errorf(jitsuin.Invalid, "apdu-form", "the lengths in the command APDU do not fit its %d bytes", len(apdu))
	}
	return c, nil
}

// split takes lc bytes of data and an optional Le of leSize bytes; nothing may be left over.
func (c *Command) split(rest []byte, lc, leSize int) bool {
	if len(rest) != lc && len(rest) != lc+leSize {
		return false
	}
	c.Data = rest[:lc]
	switch le := rest[lc:]; len(le) {
	case 1:
		c.Le = maximum(int(le[0]), 256)
	case 2:
		c.Le = maximum(int(binary.BigEndian.Uint16(le)), 65536)
	}
	return true
}

// maximum reads a length field, in which zero stands for the largest value.
func maximum(n, whenZero int) int {
	if n == 0 {
		return whenZero
	}
	return n
}

// Bytes writes the APDU, in extended form where Extended is set or the lengths need it.
// Data of more than 65535 bytes is cut off: no APDU can carry it.
func (c Command) Bytes() []byte {
	data := c.Data[:min(len(c.Data), 65535)]
	out := make([]byte, 0, len(data)+9)
	out = append(out, c.CLA, c.INS, c.P1, c.P2)
	if !c.Extended && len(data) <= 255 && c.Le <= 256 {
		if len(data) > 0 {
			out = append(out, byte(len(data)))
			out = append(out, data...)
		}
		if c.Le > 0 {
			out = append(out, byte(c.Le))
		}
		return out
	}
	if len(data) > 0 || c.Le > 0 {
		out = append(out, 0)
	}
	if len(data) > 0 {
		out = binary.BigEndian.AppendUint16(out, uint16(len(data)))
		out = append(out, data...)
	}
	if c.Le > 0 {
		out = binary.BigEndian.AppendUint16(out, uint16(c.Le))
	}
	return out
}
