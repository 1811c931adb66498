package card

import (
	"bytes"
	"slices"
)

// recordPlace reads P1 and P2 of READ and UPDATE RECORD: P1 is the record's number from 1, the
// first five bits of P2 a short identifier or 0 for the current EF, the rest 100 for "the record
// P1" or 101 for "all from P1 on", which this card understands and does not provide.
func (c *Chip) recordPlace(cmd Command) (*file, SW) {
	reference := byte(0x80)
	if sfi := cmd.P2 >> 3; sfi != 0 {
		reference |= sfi
	}
	switch cmd.P2 & 0x07 {
	case 0x04:
	case 0x05:
		return nil, SWFunction
	default:
		return nil, SWWrongP1P2
	}
	f, sw := c.byReference(reference)
	switch {
	case sw != SWOK:
		return nil, sw
	case f.Kind != recordFile:
		return nil, SWIncompatibleFile
	case cmd.P1 == 0:
		return nil, SWRecordNotFound
	}
	return f, SWOK
}

// readRecord is READ RECORD (00 B2). The whole record or nothing: an Le that is smaller gives 6700.
func (c *Chip) readRecord(cmd Command) ([]byte, SW) {
	if len(cmd.Data) > 0 || cmd.Le == 0 {
		return nil, SWWrongLength
	}
	f, sw := c.recordPlace(cmd)
	switch {
	case sw != SWOK:
		return nil, sw
	case !c.session.allows(f.Read):
		return nil, SWSecurityStatus
	case int(cmd.P1) > len(f.Records):
		return nil, SWRecordNotFound
	}
	record := f.Records[cmd.P1-1]
	if cmd.Le < len(record) {
		return nil, SWWrongLength
	}
	return record, SWOK
}

// updateRecord is UPDATE RECORD (80 DC), ours: it replaces a record, or adds the one after the last.
func (c *Chip) updateRecord(cmd Command) ([]byte, SW) {
	if c.session.terminal == "" {
		return nil, SWSecurityStatus
	}
	f, sw := c.recordPlace(cmd)
	switch {
	case sw != SWOK:
		return nil, sw
	case !slices.Contains(f.Write, c.session.terminal):
		return nil, SWSecurityStatus
	case len(cmd.Data) == 0:
		return nil, SWWrongLength
	case int(cmd.P1) > len(f.Records)+1:
		return nil, SWRecordNotFound
	}
	records := slices.Clone(f.Records)
	if int(cmd.P1) > len(records) {
		records = append(records, nil)
	}
	records[cmd.P1-1] = bytes.Clone(cmd.Data)
	if len(slices.Concat(records...)) > f.Max {
		return nil, SWNoSpace
	}
	f.Records = records
	if !c.store() {
		return nil, SWMemoryFailure
	}
	return nil, SWOK
}

// getData is GET DATA (00 CA): the value of a data object of the issuer's domain, whole; an Le that
// is smaller gives 6700. 6A88 where there is no such object.
func (c *Chip) getData(cmd Command) ([]byte, SW) {
	if len(cmd.Data) > 0 {
		return nil, SWWrongLength
	}
	i := c.session.app.object(cmd)
	if i < 0 {
		return nil, SWReferencedNotFound
	}
	value := c.session.app.Objects[i].Value
	if cmd.Le < len(value) {
		return nil, SWWrongLength
	}
	return value, SWOK
}

// object finds the data object that P1 and P2 name, -1 for none.
func (a *application) object(cmd Command) int {
	tag := uint16(cmd.P1)<<8 | uint16(cmd.P2)
	return slices.IndexFunc(a.Objects, func(o object) bool { return o.Tag == tag })
}

// maxObject is the room of a data object, and maxObjects how many there may be.
const (
	maxObject  = 1024
	maxObjects = 16
)

// putData is PUT DATA (80 DA), ours: production writes a data object of the issuer's domain.
func (c *Chip) putData(cmd Command) ([]byte, SW) {
	app := c.session.app
	switch {
	case c.session.terminal != RoleProduction:
		return nil, SWSecurityStatus
	case app != c.image.Applications[0]:
		return nil, SWConditions
	case len(cmd.Data) == 0:
		return nil, SWWrongLength
	case len(cmd.Data) > maxObject:
		return nil, SWNoSpace
	}
	if i := app.object(cmd); i >= 0 {
		app.Objects[i].Value = bytes.Clone(cmd.Data)
	} else if len(app.Objects) == maxObjects {
		return nil, SWNoSpace
	} else {
		app.Objects = append(app.Objects, object{uint16(cmd.P1)<<8 | uint16(cmd.P2), bytes.Clone(cmd.Data)})
	}
	if !c.store() {
		return nil, SWMemoryFailure
	}
	return nil, SWOK
}
