package contents

import (
	"encoding/binary"

	"github.com/jitsuin/jitsuin"
)

// length writes a BER length in its shortest form.
func length(n int) []byte {
	switch {
	case n < 0x80:
		return []byte{byte(n)}
	case n < 0x100:
		return []byte{0x81, byte(n)}
	}
	return []byte{0x82, byte(n >> 8), byte(n)}
}

// object writes a data object with a tag of one or two bytes.
func object(tag uint16, value []byte) []byte { return objectAs(tag, length(len(value)), value) }

// long writes a data object whose length has three bytes, needed or not.
func long(tag uint16, value []byte) []byte {
	return objectAs(tag, []byte{0x82, byte(len(value) >> 8), byte(len(value))}, value)
}

func objectAs(tag uint16, length, value []byte) []byte {
	b := make([]byte, 0, 5+len(value))
	if tag > 0xFF {
		b = append(b, byte(tag>>8))
	}
	return append(append(append(b, byte(tag)), length...), value...)
}

// scanner reads data objects one after the other. It remembers where it is in the file and the
// first thing that was wrong.
type scanner struct {
	file  string // for errors
	whole []byte
	at    int // of what comes next
	end   int
	err   error
}

func newScanner(file string, b []byte) *scanner { return &scanner{file: file, whole: b, end: len(b)} }

// bad notes what is wrong and where; the first one stays.
func (s *scanner) bad(format string, args ...any) {
	if s.err == nil {
		s.err = badContent(s.file, s.at, format, args...)
	}
}

func badContent(file string, at int, format string, args ...any) error {
	args = append([]any{file, at}, args...)
	return jitsuin.Errorf(jitsuin.Invalid, "card-content", "%s, byte %d: "+format, args...)
}

// next reads one object that must have this tag: its value, and where it begins.
func (s *scanner) next(tag uint16) (value []byte, begin int) {
	begin = s.at
	head := object(tag, nil)
	head = head[:len(head)-1]
	if s.err != nil {
		return nil, begin
	}
	if s.at+len(head) > s.end || string(s.whole[s.at:s.at+len(head)]) != string(head) {
		s.bad("no object %X", head)
		return nil, begin
	}
	s.at += len(head)
	n, ok := s.length()
	if !ok || n > s.end-s.at {
		s.bad("the length of object %X is wrong", head)
		return nil, begin
	}
	value = s.whole[s.at : s.at+n]
	s.at += n
	return value, begin
}

// length reads a length of one to three bytes; longer than needed is taken, as cards have it.
func (s *scanner) length() (int, bool) {
	if s.at >= s.end {
		return 0, false
	}
	first := s.whole[s.at]
	s.at++
	more := 0
	switch first {
	case 0x81:
		more = 1
	case 0x82:
		more = 2
	default:
		return int(first), first < 0x80
	}
	if s.at+more > s.end {
		return 0, false
	}
	n := 0
	for range more {
		n = n<<8 | int(s.whole[s.at])
		s.at++
	}
	return n, true
}

// inside limits reading to the value of the file's one object, and leaves what comes after it to
// filler.
func (s *scanner) inside(tag uint16) {
	value, _ := s.next(tag)
	if s.err == nil {
		s.end, s.at = s.at, s.at-len(value)
	}
}

// done wants that everything was read, and after the object nothing but filler.
func (s *scanner) done(filler byte, most int) error {
	if s.err == nil && s.at != s.end {
		s.bad("more than was expected")
	}
	rest := s.whole[s.end:]
	if s.err == nil && len(rest) > most {
		s.bad("%d bytes follow", len(rest))
	}
	for _, b := range rest {
		if b != filler {
			s.bad("what follows is no filler")
		}
	}
	return s.err
}

// fixed reads an object whose value has n bytes.
func (s *scanner) fixed(tag uint16, n int) []byte {
	value, _ := s.next(tag)
	if s.err == nil && len(value) != n {
		s.bad("object %04X has %d bytes, not %d", tag, len(value), n)
	}
	return value
}

// withOffsets writes a file whose first object is a table of where the others begin, counted from
// the file's first byte. The header's own length counts too, so it is found by trying.
func withOffsets(file, table uint16, objects [][]byte) []byte {
	var body []byte
	for _, o := range objects {
		body = append(body, o...)
	}
	tableSize := len(object(table, make([]byte, 2*len(objects))))
	header := len(object(file, nil)) - 1 + len(length(tableSize+len(body)))
	var offsets []byte
	at := header + tableSize
	for _, o := range objects {
		offsets = binary.BigEndian.AppendUint16(offsets, uint16(at))
		at += len(o)
	}
	return object(file, append(object(table, offsets), body...))
}

// offsets reads the table and wants that it says where the objects really begin.
func (s *scanner) offsets(table []byte, begins ...int) {
	if s.err == nil && len(table) != 2*len(begins) {
		s.bad("the table of offsets has %d bytes, not %d", len(table), 2*len(begins))
	}
	for i, begin := range begins {
		if s.err == nil && int(binary.BigEndian.Uint16(table[2*i:])) != begin {
			s.bad("offset %d of the table says %d, the object begins at %d", i+1, binary.BigEndian.Uint16(table[2*i:]), begin)
		}
	}
}
