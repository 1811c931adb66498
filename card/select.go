package card

import (
	"encoding/binary"
)

// selectFile is SELECT (00 A4). P1 04 selects an application by its name or the beginning of
// it, P1 02 an EF of the current application. Selecting the current application again keeps its
// security status (see Switches), selecting another clears it.
func (c *Chip) selectFile(cmd Command) ([]byte, SW) {
	switch cmd.P1 {
	case 0x00:
		return c.selectMaster(cmd)
	case 0x02, 0x04:
	default:
		return nil, SWWrongP1P2
	}
	next, ok := occurrence(cmd.P2)
	if !ok {
		return nil, SWWrongP1P2
	}
	if cmd.P1 == 0x02 {
		return c.selectEF(cmd, next)
	}
	return c.selectApplication(cmd, next)
}

// occurrence reads P2: 00 and 0C first or only occurrence with and without file control
// information, 02 and 0E the next one.
func occurrence(p2 byte) (next, ok bool) {
	return p2&0x02 != 0, p2&^0x0E == 0 && (p2&0x0C == 0x00 || p2&0x0C == 0x0C)
}

// selectMaster is SELECT of a master file, which this card does not have: after a reset 6A86,
// with an application selected 9000 and nothing happens (observed on a test card).
func (c *Chip) selectMaster(cmd Command) ([]byte, SW) {
	if len(cmd.Data) > 0 {
		return nil, SWFileNotFound
	}
	if c.session.app == c.image.Applications[0] {
		return nil, SWWrongP1P2
	}
	return nil, SWOK
}

func (c *Chip) selectApplication(cmd Command, next bool) ([]byte, SW) {
	if len(cmd.Data) == 0 || len(cmd.Data) > 16 {
		return nil, SWWrongLength
	}
	app := c.image.application(cmd.Data)
	if app == nil || next {
		return nil, SWFileNotFound
	}
	if app != c.session.app || c.image.Switches.ReselectClears {
		c.forget()
		c.session.app = app
	}
	c.session.ef = nil
	return control(cmd, 0x84, app.AID), SWOK
}

func (c *Chip) selectEF(cmd Command, next bool) ([]byte, SW) {
	if len(cmd.Data) != 2 {
		return nil, SWWrongLength
	}
	f := c.session.app.file(binary.BigEndian.Uint16(cmd.Data))
	if f == nil || next {
		return nil, SWFileNotFound
	}
	c.session.ef = f
	return control(cmd, 0x83, cmd.Data), SWOK
}

// control gives file control information (6F) with the name, where it is asked for.
func control(cmd Command, tag byte, name []byte) []byte {
	if cmd.P2&0x0C != 0 || cmd.Le < len(name)+4 {
		return nil
	}
	return append([]byte{0x6F, byte(len(name) + 2), tag, byte(len(name))}, name...)
}

// byReference finds the file that P2 of a command names: 80 the current EF, 80|sfi the file
// with that short identifier, which then is current. Nil and the status word where it is not.
func (c *Chip) byReference(p2 byte) (*file, SW) {
	switch {
	case p2 == 0x80 && c.session.ef == nil:
		return nil, SWNoCurrentEF
	case p2 == 0x80:
		return c.session.ef, SWOK
	case p2&0xE0 != 0x80:
		return nil, SWWrongP1P2
	}
	f := c.session.app.file(uint16(p2 & 0x1F))
	if f == nil {
		return nil, SWFileNotFound
	}
	c.session.ef = f
	return f, SWOK
}

// binaryPlace reads P1 and P2 of READ and UPDATE BINARY: a 15-bit offset in the current EF, or
// (first bit set) a short identifier and an 8-bit offset.
func (c *Chip) binaryPlace(cmd Command) (*file, int, SW) {
	if cmd.P1&0x80 == 0 {
		f, sw := c.byReference(0x80)
		return f, int(cmd.P1)<<8 | int(cmd.P2), sw
	}
	f, sw := c.byReference(cmd.P1)
	return f, int(cmd.P2), sw
}

// readBinary is READ BINARY (00 B0). It gives up to Le bytes, fewer at the end of the file, and
// 6B00 from there on (see Switches).
func (c *Chip) readBinary(cmd Command) ([]byte, SW) {
	if len(cmd.Data) > 0 || cmd.Le == 0 {
		return nil, SWWrongLength
	}
	f, offset, sw := c.binaryPlace(cmd)
	switch {
	case sw != SWOK:
		return nil, sw
	case f.Kind != transparent:
		return nil, SWIncompatibleFile
	case !c.mayRead(f):
		return nil, SWSecurityStatus
	}
	content := c.session.app.content(f)
	if offset == len(content) && c.image.Switches.EmptyAtEnd {
		return nil, SWOK
	}
	if offset >= len(content) {
		return nil, SWWrongOffset
	}
	return content[offset:min(offset+cmd.Le, len(content))], SWOK
}

// mayRead tells whether f can be read now.
func (c *Chip) mayRead(f *file) bool {
	free := c.image.Switches.FreeSignCertificate && f.Certificate && f.Certifies == FileSignKey
	return free || c.session.allows(f.Read)
}
