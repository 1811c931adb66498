// Package jp2 writes a grey picture as a lossless JPEG 2000 file (ISO/IEC 15444-1, the JP2 format), which is how a
// chip keeps the photo. It owns just that: 8 bits of grey, the reversible 5/3 wavelet, one tile, one quality layer,
// one precinct a resolution. It reads nothing; the tests have OpenJPEG read what it wrote.
package jp2

import (
	"encoding/binary"
	"image"

	"github.com/jitsuin/jitsuin"
)

const (
	levels    = 3  // of the wavelet
	blockSide = 64 // of a code block, in coefficients
	guardBits = 2
	most      = 4096 // pixels of a side
)

// Encode gives the JP2 file of a picture of 1 to 4096 pixels a side. The same picture gives the same bytes.
func Encode(m *image.Gray) ([]byte, error) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if w < 1 || h < 1 || w > most || h > most {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "picture-size", "a picture has 1 to %d pixels a side, not %d × %d", most, w, h)
	}
	u32 := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	file := box("jP  ", []byte{0x0D, 0x0A, 0x87, 0x0A})
	file = append(file, box("ftyp", []byte("jp2 \x00\x00\x00\x00jp2 "))...)
	header := box("ihdr", append(append(u32(h), u32(w)...), 0, 1, 7, 7, 0, 0))   // one component of 8 bits
	header = append(header, box("colr", append([]byte{1, 0, 0}, u32(17)...))...) // 17: grey
	file = append(file, box("jp2h", header)...)
	return append(file, box("jp2c", codestream(m, w, h))...), nil
}

func box(kind string, content []byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(content))), kind...), content...)
}

// segment is a marker segment: its length counts itself and what follows.
func segment(marker uint16, fields ...any) []byte {
	out := binary.BigEndian.AppendUint16(nil, marker)
	var body []byte
	for _, f := range fields {
		body, _ = binary.Append(body, binary.BigEndian, f) // fixed-size integers always fit
	}
	return append(binary.BigEndian.AppendUint16(out, uint16(2+len(body))), body...)
}

// codestream writes the markers of annex A and the packets, one a resolution.
func codestream(m *image.Gray, w, h int) []byte {
	out := []byte{0xFF, 0x4F} // SOC
	x, y := uint32(w), uint32(h)
	out = append(out, segment(0xFF51, uint16(0), x, y, uint32(0), uint32(0), x, y, uint32(0), uint32(0), uint16(1), uint8(7), uint8(1), uint8(1))...)
	// COD: no precincts, LRCP, one layer, no component transform; blocks of 2^(4+2), plain style, 5/3.
	out = append(out, segment(0xFF52, uint8(0), uint8(0), uint16(1), uint8(0), uint8(levels), uint8(4), uint8(4), uint8(0), uint8(1))...)
	exponents := []uint8{exponent(bandLL) << 3}
	for range levels {
		exponents = append(exponents, exponent(bandHL)<<3, exponent(bandLH)<<3, exponent(bandHH)<<3)
	}
	out = append(out, segment(0xFF5C, uint8(guardBits<<5), exponents)...)
	var packets []byte
	for _, bands := range resolutions(transform(m, w, h), w, h) {
		packets = append(packets, packet(bands)...)
	}
	out = append(out, segment(0xFF90, uint16(0), uint32(12+2+len(packets)), uint8(0), uint8(1))...)
	out = append(append(out, 0xFF, 0x93), packets...)
	return append(out, 0xFF, 0xD9)
}

// exponent is the number of bits that a coefficient of a kind of band can need, sign left out.
func exponent(k bandKind) uint8 {
	return 8 + map[bandKind]uint8{bandLL: 0, bandHL: 1, bandLH: 1, bandHH: 2}[k]
}

// packet writes the header of annex B.10 and the bytes of the code blocks.
func packet(bands []band) []byte {
	var head bitWriter
	var body []byte
	head.bit(1) // not empty
	for _, b := range bands {
		across, down := (b.w+blockSide-1)/blockSide, (b.h+blockSide-1)/blockSide
		if across*down == 0 {
			continue
		}
		planes := guardBits + int(exponent(b.kind)) - 1
		included, zeroes := newTagTree(across, down), newTagTree(across, down)
		blocks := make([]codeBlock, 0, across*down)
		for i := range across * down {
			c := b.block(i%across*blockSide, i/across*blockSide)
			if c.planes > 0 {
				included.set(i, 0)
			}
			zeroes.set(i, planes-c.planes)
			blocks = append(blocks, c)
		}
		for i, c := range blocks {
			included.write(&head, i, 1)
			if c.planes == 0 {
				continue
			}
			zeroes.write(&head, i, planes+1)
			writePasses(&head, 3*c.planes-2, len(c.data))
			body = append(body, c.data...)
		}
	}
	return append(head.finish(), body...)
}

// writePasses writes how many coding passes a block has, and how many bytes.
func writePasses(w *bitWriter, passes, length int) {
	switch {
	case passes == 1:
		w.bit(0)
	case passes == 2:
		w.bits(0b10, 2)
	case passes <= 5:
		w.bits(0b11<<2+passes-3, 4)
	case passes <= 36:
		w.bits(0b1111<<5+passes-6, 9)
	default:
		w.bits(0b111111111<<7+passes-37, 16)
	}
	width, log := 3, 0
	for passes>>(log+1) > 0 {
		log++
	}
	for length>>(width+log) > 0 {
		w.bit(1)
		width++
	}
	w.bit(0)
	w.bits(length, width+log)
}
