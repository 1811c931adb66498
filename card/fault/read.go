package fault

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

// maxCertificate is the most that a certificate EF is read or replaced with.
const maxCertificate = 8 << 10

// applications are the names that place tells apart.
var applications = []string{card.AIDJPKI, card.AIDText, card.AIDVisual, card.AIDResident, card.AIDCommon, card.AIDIssuer}

// place is what is selected, as far as the shim can tell from what passes.
type place struct {
	app string // AID, "" after a reset
	ef  uint16 // 0 for none
}

// follow takes note of what a command has selected.
func (p *place) follow(c card.Command, response []byte) {
	_, sw, _ := card.SplitResponse(response)
	switch {
	case c.CLA&0x0F != 0:
	case c.INS == insSelect && c.P1 == 0x04 && sw == card.SWOK:
		for _, aid := range applications {
			if strings.HasPrefix(aid, string(c.Data)) {
				p.app, p.ef = aid, 0
				return
			}
		}
		p.app, p.ef = "", 0
	case c.INS == insSelect && c.P1 == 0x02 && sw == card.SWOK && len(c.Data) == 2:
		p.ef = binary.BigEndian.Uint16(c.Data)
	case sw == card.SWFileNotFound || sw == card.SWWrongP1P2:
	default:
		p.byShortName(c)
	}
}

// byShortName takes note of a file that a command named by its short identifier.
func (p *place) byShortName(c card.Command) {
	reference := c.P2
	switch c.INS {
	case insRead:
		reference = c.P1
	case 0xB2: // READ RECORD
		reference = 0x80 | c.P2>>3
	case insVerify, 0x24, insSign, insAuth, 0x32:
	default:
		return
	}
	if reference&0xE0 == 0x80 && reference != 0x80 {
		p.ef = uint16(reference & 0x1F)
	}
}

// kindFile gives the certificate EF of a kind.
func kindFile(kind jitsuin.CertKind) (uint16, error) {
	files, err := card.FilesOf(kind)
	return files.Certificate, err
}

// readChanged gives what READ BINARY would answer if the file were another. Every other answer, and that to
// a file which is not concerned, passes as it is. The caller holds s.mu.
func (s *Shim) readChanged(c card.Command, response []byte) []byte {
	_, sw, _ := card.SplitResponse(response)
	if c.INS != insRead || c.CLA != 0 || sw != card.SWOK && sw != card.SWWrongOffset || !s.concerned() {
		return response
	}
	content := s.whole()
	if len(content) == 0 {
		return response
	}
	s.change(content)
	if der := s.substitute(); der != nil {
		content = der
	}
	offset := int(c.P1)<<8 | int(c.P2)
	if c.P1&0x80 != 0 {
		offset = int(c.P2)
	}
	if offset >= len(content) {
		return []byte{byte(card.SWWrongOffset >> 8), byte(card.SWWrongOffset & 0xFF)}
	}
	return append(bytes.Clone(content[offset:min(offset+c.Le, len(content))]), 0x90, 0x00)
}

// whole reads the current EF from its beginning. The reader, who may read a piece, may read all of it.
func (s *Shim) whole() (content []byte) {
	for len(content) < 0x7F00 {
		piece, sw, _ := card.SplitResponse(s.chip.Transmit(card.Command{INS: insRead, P1: byte(len(content) >> 8), P2: byte(len(content)), Le: 256}.Bytes()))
		if sw != card.SWOK || len(piece) == 0 {
			return content
		}
		content = append(content, piece...)
	}
	return content
}

// tampered are the EFs in which TamperedFile changes a bit.
var tampered = map[string][]uint16{
	card.AIDJPKI:   {card.FileSignCert, card.FileAuthCert, card.FileNextMyNumber, card.FileNextItems},
	card.AIDText:   {card.FileTextMyNumber, card.FileTextItems},
	card.AIDVisual: {card.FileVisualAge, card.FileVisualFace, card.FileVisualMyNumber},
}

// concerned tells whether the fault changes the current EF.
func (s *Shim) concerned() bool {
	switch s.setting.Name {
	case TamperedFile:
		for _, id := range tampered[s.place.app] {
			if id == s.place.ef {
				return true
			}
		}
	case WrongDigest:
		return s.place == place{card.AIDText, card.FileTextAuthentic} || s.place == place{card.AIDJPKI, card.FileNextAuthentic}
	case ExpiredCertificate:
		return s.substitute() != nil
	}
	return false
}

// change changes the content of the current EF in place.
func (s *Shim) change(content []byte) {
	switch s.setting.Name {
	case TamperedFile:
		content[len(content)-1] ^= 1
	case WrongDigest:
		for _, tag := range []string{"\xDF\x31\x20", "\xDF\x32\x20"} { // each with 32 bytes of a SHA-256
			if i := bytes.Index(content, []byte(tag)); i >= 0 && i+len(tag) < len(content) {
				content[i+len(tag)] ^= 1
			}
		}
	}
}

// substitute gives the certificate that stands in for the current EF, nil for none.
func (s *Shim) substitute() []byte {
	if s.setting.Name != ExpiredCertificate || s.place.app != card.AIDJPKI {
		return nil
	}
	for kind, der := range s.setting.Certificates {
		if file, err := kindFile(kind); err == nil && file == s.place.ef {
			return der
		}
	}
	return nil
}
