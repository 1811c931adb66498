package card

import (
	"bytes"
	"crypto/x509"
	"slices"
)

// updateBinary is UPDATE BINARY (80 D6), ours. An ordinary EF is changed in place; a
// certificate EF takes one whole certificate, see the package's doc.
func (c *Chip) updateBinary(cmd Command) ([]byte, SW) {
	if c.session.terminal == "" {
		return nil, SWSecurityStatus
	}
	f, offset, sw := c.binaryPlace(cmd)
	switch {
	case sw != SWOK:
		return nil, sw
	case f.Kind != transparent:
		return nil, SWIncompatibleFile
	case !slices.Contains(f.Write, c.session.terminal):
		return nil, SWSecurityStatus
	case len(cmd.Data) == 0:
		return nil, SWWrongLength
	case f.Certificate:
		return nil, c.stageCertificate(f, offset, cmd.Data)
	case offset > len(f.Content):
		return nil, SWWrongOffset
	case offset+len(cmd.Data) > f.Max:
		return nil, SWNoSpace
	}
	f.Content = slices.Concat(f.Content[:offset], cmd.Data, f.Content[min(offset+len(cmd.Data), len(f.Content)):])
	if !c.store() {
		return nil, SWMemoryFailure
	}
	return nil, SWOK
}

// replaceBinary is UPDATE BINARY with the odd instruction (80 D7), ours: the current EF then has the
// data of this command, which may be of extended length, and nothing else. One store does it.
func (c *Chip) replaceBinary(cmd Command) ([]byte, SW) {
	if cmd.P1 != 0 || cmd.P2 != 0 {
		return nil, SWWrongP1P2
	}
	f, sw := c.byReference(0x80)
	switch {
	case sw != SWOK:
		return nil, sw
	case f.Kind != transparent || f.Certificate:
		return nil, SWIncompatibleFile
	case !slices.Contains(f.Write, c.session.terminal):
		return nil, SWSecurityStatus
	case len(cmd.Data) == 0:
		return nil, SWWrongLength
	case len(cmd.Data) > f.Max:
		return nil, SWNoSpace
	}
	f.Content = bytes.Clone(cmd.Data)
	if !c.store() {
		return nil, SWMemoryFailure
	}
	return nil, SWOK
}

func (c *Chip) unstage() {
	c.session.staged, c.session.stagedEF = nil, nil
}

// stageCertificate takes the next piece of a certificate and commits it when it is complete.
// After any refusal the writing starts again at offset 0.
func (c *Chip) stageCertificate(f *file, offset int, data []byte) SW {
	s := &c.session
	if offset == 0 {
		s.staged, s.stagedEF = nil, f
	}
	if s.stagedEF != f || offset != len(s.staged) {
		c.unstage()
		return SWWrongOffset
	}
	if offset+len(data) > f.Max {
		c.unstage()
		return SWNoSpace
	}
	s.staged = append(s.staged, data...)
	if len(s.staged) < 4 {
		return SWOK
	}
	// Clients read the first four bytes and take the length from the last two.
	size := 4 + int(s.staged[2])<<8 + int(s.staged[3])
	switch {
	case s.staged[0] != 0x30 || s.staged[1] != 0x82 || len(s.staged) > size:
		c.unstage()
		return SWWrongData
	case size > f.Max:
		c.unstage()
		return SWNoSpace
	case len(s.staged) < size:
		return SWOK
	}
	certificate := s.staged
	c.unstage()
	return c.commitCertificate(f, certificate)
}

// commitCertificate stores a whole certificate, and with it, where it carries the pending key,
// makes that key the active one. One Store does both.
func (c *Chip) commitCertificate(f *file, der []byte) SW {
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return SWWrongData
	}
	if f.Certifies != 0 {
		holder := c.session.app.file(f.Certifies)
		switch {
		case holder == nil || holder.Key == nil:
			return SWReferencedNotFound
		case holder.Key.Pending.carries(parsed.PublicKey):
			holder.Key.Active, holder.Key.Pending = holder.Key.Pending, nil
		case !holder.Key.Active.carries(parsed.PublicKey):
			return SWWrongData
		}
	}
	f.Content = der
	if !c.store() {
		return SWMemoryFailure
	}
	return SWOK
}
