// Package ber turns BER into DER-shaped bytes so that everything behind it reads definite,
// minimal lengths only. It owns the outer shape of ASN.1 (X.690 §8.1, §8.7, §8.23): indefinite
// lengths, long-winded lengths and strings sent in pieces. It never looks at what a value means
// and never reorders anything.
package ber

import (
	"errors"
	"fmt"
)

// Bounds of what Definite accepts. A signed document with a whole evidence archive inside needs
// some thirty levels and a few ten thousand elements.
const (
	MaxSize     = 64 << 20 // bytes of one structure
	MaxDepth    = 64       // elements inside elements
	MaxElements = 1 << 20  // elements in all
)

// ErrLimit marks input that is refused for its size, depth or number of elements.
var ErrLimit = errors.New("beyond the limits")

// Definite reads exactly one BER element that fills b and returns the same element with
// definite, minimal lengths and with octet and character strings in one piece. DER comes back as
// b itself, uncopied. Time and memory are linear in len(b).
func Definite(b []byte) ([]byte, error) {
	if len(b) > MaxSize {
		return nil, fmt.Errorf("%d bytes, at most %d are read: %w", len(b), MaxSize, ErrLimit)
	}
	m := measurer{in: b}
	end, _, _, err := m.element(0, len(b), 0)
	switch {
	case err != nil:
		return nil, err
	case end != len(b):
		return nil, fmt.Errorf("%d bytes after the end of the structure", len(b)-end)
	case !m.rewrite:
		return b, nil
	}
	m = measurer{in: b, note: true}
	_, h, size, _ := m.element(0, len(b), 0)
	w := writer{in: b, sizes: m.sizes, out: make([]byte, 0, h.id+lengthOctets(size)+size)}
	w.element(0)
	return w.out, nil
}

// header is the identifier and length octets of one element.
type header struct {
	id          int // octets of the identifier
	size        int // octets of identifier and length together
	length      int // octets of the contents; -1 for the indefinite form
	tag         int // number of a universal tag, -1 for any other
	constructed bool
	minimal     bool // the length is written as DER writes it
}

// endOfContents tells whether h is the mark that closes an indefinite length.
func (h header) endOfContents() bool { return h.tag == 0 }

// inPieces tells whether h opens a string that BER sends in several pieces.
func (h header) inPieces() bool {
	return h.constructed && (h.tag == 4 || h.tag == 12 || h.tag >= 18 && h.tag <= 30)
}

// readHeader reads the header of the element that starts at b[0].
func readHeader(b []byte) (header, error) {
	if len(b) < 2 {
		return header{}, errors.New("the structure ends inside an element")
	}
	h := header{id: 1, tag: -1, constructed: b[0]&0x20 != 0, minimal: true}
	if b[0]&0xc0 == 0 {
		h.tag = int(b[0] & 0x1f)
	}
	if b[0]&0x1f == 0x1f { // a tag number of several octets
		h.tag = -1
		for {
			if h.id > 4 || h.id >= len(b) {
				return header{}, errors.New("a tag number is too long")
			}
			h.id++
			if b[h.id-1]&0x80 == 0 {
				break
			}
		}
	}
	if h.id >= len(b) {
		return header{}, errors.New("the structure ends inside an element")
	}
	return h.readLength(b)
}

// readLength reads the length octets that follow the identifier (X.690 §8.1.3).
func (h header) readLength(b []byte) (header, error) {
	first := b[h.id]
	h.size = h.id + 1
	switch {
	case first < 0x80:
		h.length = int(first)
		return h, nil
	case first == 0x80:
		if !h.constructed {
			return header{}, errors.New("a primitive element has no end")
		}
		h.length, h.minimal = -1, false
		return h, nil
	case first == 0xff:
		return header{}, errors.New("a length of reserved form")
	}
	n := int(first & 0x7f)
	if h.size+n > len(b) {
		return header{}, errors.New("the structure ends inside a length")
	}
	for _, octet := range b[h.size : h.size+n] {
		if h.length > MaxSize {
			return header{}, errors.New("a length is longer than the structure")
		}
		h.length = h.length<<8 | int(octet)
	}
	h.size += n
	h.minimal = lengthOctets(h.length) == n+1
	return h, nil
}

// lengthOctets counts the octets of a minimal length.
func lengthOctets(n int) int {
	octets := 1
	if n >= 0x80 {
		for ; n > 0; n >>= 8 {
			octets++
		}
	}
	return octets
}

// measurer is the first pass: it checks the nesting. Where something is to be written it goes
// through again and notes the size that the contents of each constructed element will have, in the order in
// which the elements begin.
type measurer struct {
	in       []byte
	note     bool
	sizes    []int32
	elements int
	rewrite  bool
}

// element measures the element at pos, which must end at or before limit. It returns the position
// behind it, its header and the size that its contents will have.
func (m *measurer) element(pos, limit, depth int) (end int, h header, size int, err error) {
	if h, err = readHeader(m.in[pos:limit]); err != nil {
		return 0, h, 0, fmt.Errorf("at byte %d: %w", pos, err)
	}
	m.elements++
	switch {
	case depth > MaxDepth:
		err = fmt.Errorf("at byte %d: more than %d levels: %w", pos, MaxDepth, ErrLimit)
	case m.elements > MaxElements:
		err = fmt.Errorf("more than %d elements: %w", MaxElements, ErrLimit)
	case h.endOfContents():
		err = fmt.Errorf("at byte %d: an end without a beginning", pos)
	case h.length > limit-pos-h.size:
		err = fmt.Errorf("at byte %d: an element reaches beyond its surroundings", pos)
	case h.constructed && h.tag == 3:
		err = fmt.Errorf("at byte %d: a bit string in pieces is not read", pos)
	}
	if err != nil {
		return 0, h, 0, err
	}
	if !h.minimal || h.inPieces() {
		m.rewrite = true
	}
	if !h.constructed {
		return pos + h.size + h.length, h, h.length, nil
	}
	slot := len(m.sizes)
	if m.note {
		m.sizes = append(m.sizes, 0)
	}
	end, size, err = m.contents(h, pos, limit, depth)
	if m.note {
		m.sizes[slot] = int32(size)
	}
	return end, h, size, err
}

// contents measures what is inside the constructed element h at pos.
func (m *measurer) contents(h header, pos, limit, depth int) (end, size int, err error) {
	if h.length >= 0 {
		limit = pos + h.size + h.length
	}
	at := pos + h.size
	for h.length < 0 || at < limit {
		if h.length < 0 && limit-at >= 2 && m.in[at] == 0 && m.in[at+1] == 0 {
			return at + 2, size, nil
		}
		next, inner, n, err := m.element(at, limit, depth+1)
		switch {
		case err != nil:
			return 0, 0, err
		case !h.inPieces():
			size += inner.id + lengthOctets(n) + n
		case inner.tag == 4 || inner.tag == h.tag:
			size += n
		default:
			return 0, 0, fmt.Errorf("at byte %d: a piece of another type inside a string", at)
		}
		at = next
	}
	return at, size, nil
}

// writer is the second pass.
type writer struct {
	in    []byte
	sizes []int32
	out   []byte
}

// element writes the element at pos and returns the position behind it. The first pass has
// checked everything, so nothing can fail here.
func (w *writer) element(pos int) int {
	h, _ := readHeader(w.in[pos:])
	if !h.constructed {
		w.header(pos, h, h.length)
		w.out = append(w.out, w.in[pos+h.size:pos+h.size+h.length]...)
		return pos + h.size + h.length
	}
	w.header(pos, h, int(w.sizes[0]))
	return w.contents(h, pos, h.inPieces())
}

// contents writes what is inside the constructed element h at pos; bare leaves the headers out.
func (w *writer) contents(h header, pos int, bare bool) int {
	w.sizes = w.sizes[1:]
	at, end := pos+h.size, pos+h.size+h.length
	for h.length < 0 || at < end {
		if h.length < 0 && w.in[at] == 0 && w.in[at+1] == 0 {
			return at + 2
		}
		if !bare {
			at = w.element(at)
			continue
		}
		p, _ := readHeader(w.in[at:])
		if p.constructed {
			at = w.contents(p, at, true)
			continue
		}
		w.out = append(w.out, w.in[at+p.size:at+p.size+p.length]...)
		at += p.size + p.length
	}
	return at
}

// header writes identifier and length; a string in pieces becomes primitive.
func (w *writer) header(pos int, h header, length int) {
	id := w.in[pos : pos+h.id]
	w.out = append(w.out, id...)
	if h.inPieces() {
		w.out[len(w.out)-h.id] &^= 0x20
	}
	if length < 0x80 {
		w.out = append(w.out, byte(length))
		return
	}
	octets := lengthOctets(length) - 1
	w.out = append(w.out, 0x80|byte(octets))
	for i := octets - 1; i >= 0; i-- {
		w.out = append(w.out, byte(length>>(8*i)))
	}
}
