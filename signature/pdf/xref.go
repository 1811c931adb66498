package pdf

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/jitsuin/jitsuin"
)

// Bounds of the cross-reference.
const (
	maxSections    = 512     // sections of all revisions
	maxSubsections = 1 << 16 // subsections of one section
	maxNumber      = 1<<23 - 1
	maxGeneration  = 65535
	entrySize      = 20 // bytes of an entry in a table (ISO 32000-2 §7.5.4)
)

// location says where an object lies. kind is that of cross-reference streams (§7.5.8.3).
type location struct {
	kind int // one of the constants below
	a, b int
}

const (
	free   = iota // a is 0, b the next generation
	plain         // at byte a with generation b
	packed        // in object stream a at index b
)

// section is one cross-reference section: a table with its trailer, or a stream.
type section struct {
	at, end  int // first byte, and byte after the trailer or the stream object
	trailer  *Dict
	subs     []subsection // in ascending order
	stream   bool
	width    [3]int   // of the fields in a stream's rows
	number   int      // object number of the stream
	hybrid   *section // of /XRefStm
	revision int

	decode func() ([]byte, error) // rows of a stream, until they are asked for for the first time
}

// subsection is a run of entries; rows are read when they are asked for.
type subsection struct {
	first, count int
	rows         []byte
}

// find gives the entry of an object in this section, the stream of a hybrid section included. Where
// table and stream of a hybrid section put an object in two places readers differ, so that is refused.
func (s *section) find(num int) (location, bool, error) {
	own, ok, err := s.findOwn(num)
	if err != nil || s.hybrid == nil {
		return own, ok, err
	}
	hidden, has, err := s.hybrid.findOwn(num)
	switch {
	case err != nil || !has:
		return own, ok, err
	case ok && own.kind != free && own != hidden:
		return own, ok, malformed(s.at, "table and stream of a hybrid section differ on object %d", num)
	}
	return hidden, true, nil
}

func (s *section) findOwn(num int) (location, bool, error) {
	if err := s.load(); err != nil {
		return location{}, false, err
	}
	i, found := slices.BinarySearchFunc(s.subs, num, func(sub subsection, n int) int {
		switch {
		case n < sub.first:
			return 1
		case n >= sub.first+sub.count:
			return -1
		}
		return 0
	})
	if !found {
		return location{}, false, nil
	}
	l, err := s.entry(s.subs[i].rows, num-s.subs[i].first)
	return l, err == nil, err
}

// entry reads one row.
func (s *section) entry(rows []byte, i int) (location, error) {
	if !s.stream {
		return tableEntry(rows[i*entrySize:][:entrySize], s.at)
	}
	size := s.width[0] + s.width[1] + s.width[2]
	b := rows[i*size:][:size]
	l := location{kind: plain}
	if s.width[0] > 0 {
		l.kind = bigEndian(b[:s.width[0]])
	}
	l.a = bigEndian(b[s.width[0]:][:s.width[1]])
	l.b = bigEndian(b[s.width[0]+s.width[1]:])
	if l.kind != plain && l.kind != packed { // §7.5.8.3: other types are references to null
		l = location{}
	}
	return l, nil
}

func bigEndian(b []byte) int {
	n := 0
	for _, c := range b {
		n = n<<8 | int(c)
	}
	return n
}

// tableEntry reads "nnnnnnnnnn ggggg n" with its two bytes of end of line.
func tableEntry(b []byte, at int) (location, error) {
	offset, ok1 := digits(b[:10])
	gen, ok2 := digits(b[11:16])
	if !ok1 || !ok2 || b[10] != ' ' || b[16] != ' ' || class[b[18]] != white || class[b[19]] != white {
		return location{}, malformed(at, "an entry of the cross-reference table is broken")
	}
	switch b[17] {
	case 'n':
		return location{plain, offset, gen}, nil
	case 'f':
		return location{}, nil
	}
	return location{}, malformed(at, "an entry of the cross-reference table is neither n nor f")
}

// readSection reads the section at byte at, which must end before end.
func (d *Document) readSection(at, end int) (*section, error) {
	if at < 0 || at >= end {
		return nil, malformed(at, "a cross-reference lies outside its revision")
	}
	p := &parser{buf: d.bytes[:end], pos: at}
	p.white()
	s := &section{at: p.pos}
	var err error
	if bytes.HasPrefix(p.buf[p.pos:], []byte("xref")) {
		p.pos += len("xref")
		err = s.readTable(p)
	} else {
		s.stream = true
		err = d.readXRefStream(p, s)
	}
	if err != nil {
		return nil, err
	}
	if key, ok := s.trailer.Duplicate(); ok {
		return nil, malformed(s.at, "a trailer has /%s twice", key)
	}
	return s, s.sort()
}

// readTable reads a table (§7.5.4) and its trailer.
func (s *section) readTable(p *parser) error {
	for !p.keyword("trailer") {
		from, ok1 := p.integer()
		count, ok2 := p.integer()
		if !ok1 || !ok2 || from > maxNumber || count > maxNumber+1-from {
			return malformed(p.pos, "a subsection of the cross-reference table is broken")
		}
		if len(s.subs) == maxSubsections {
			return jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "a cross-reference has more than %d subsections", maxSubsections)
		}
		p.white()
		if err := s.readRows(p, from, count); err != nil {
			return err
		}
	}
	p.space()
	if !bytes.HasPrefix(p.buf[p.pos:], []byte("<<")) {
		return malformed(p.pos, "the trailer is no dictionary")
	}
	var err error
	s.trailer, err = p.dict()
	s.end = p.pos
	return err
}

// readRows takes count entries as they lie. Each row is checked when it is asked for, so looking at
// the last one here is enough to see that the rows are 20 bytes long.
func (s *section) readRows(p *parser, from, count int) error {
	if count == 0 {
		return nil
	}
	if size := count * entrySize; p.pos+size <= len(p.buf) {
		rows := p.buf[p.pos : p.pos+size]
		if _, err := tableEntry(rows[size-entrySize:], p.pos); err == nil {
			s.subs = append(s.subs, subsection{from, count, rows})
			p.pos += size
			return nil
		}
	}
	return s.copyRows(p, from, count)
}

// copyRows brings rows with another end of line than two bytes into shape.
func (s *section) copyRows(p *parser, from, count int) error {
	const bare = entrySize - 2
	if count*(bare+1) > len(p.buf)-p.pos+1 {
		return malformed(p.pos, "a subsection of the cross-reference table is cut short")
	}
	rows := make([]byte, 0, count*entrySize)
	for range count {
		p.white()
		if p.pos+bare > len(p.buf) {
			return malformed(p.pos, "the cross-reference table has no end")
		}
		rows = append(append(rows, p.buf[p.pos:p.pos+bare]...), ' ', '\n')
		if _, err := tableEntry(rows[len(rows)-entrySize:], p.pos); err != nil {
			return err
		}
		p.pos += bare
	}
	s.subs = append(s.subs, subsection{from, count, rows})
	return nil
}

// readXRefStream reads a cross-reference stream (§7.5.8).
func (d *Document) readXRefStream(p *parser, s *section) error {
	num, _, err := p.header()
	if err != nil {
		return err
	}
	s.number = num
	o, err := d.body(p, nil)
	if err != nil {
		return err
	}
	s.end = p.pos
	st, ok := o.(*Stream)
	if !ok || st.Dict.Get("Type") != Name("XRef") {
		return malformed(s.at, "what startxref points to is no cross-reference")
	}
	s.trailer = st.Dict
	s.decode = func() ([]byte, error) {
		data, err := d.decode(st, nil)
		if d.rowBytes += len(data); d.rowBytes > maxRowBytes {
			return nil, jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "cross-reference streams of more than %d bytes", maxRowBytes)
		}
		return data, err
	}
	return s.readWidths(st.Dict)
}

// load decodes the rows of a cross-reference stream. Older ones are often never asked for.
func (s *section) load() error {
	if s.decode == nil {
		return nil
	}
	data, err := s.decode()
	if err != nil {
		return err
	}
	s.decode = nil
	if err := s.readIndex(s.trailer, data); err != nil {
		return err
	}
	return s.sort()
}

// readWidths reads /W.
func (s *section) readWidths(dict *Dict) error {
	w, _ := dict.Get("W").(Array)
	if len(w) != 3 {
		return malformed(s.at, "a cross-reference stream has no /W of three numbers")
	}
	for i, o := range w {
		n, ok := o.(int64)
		if !ok || n < 0 || n > 8 {
			return malformed(s.at, "a cross-reference stream has fields of a width that is not read")
		}
		s.width[i] = int(n)
	}
	if s.width[1] == 0 {
		return malformed(s.at, "a cross-reference stream has no places in it")
	}
	return nil
}

// readIndex cuts the rows into subsections as /Index says.
func (s *section) readIndex(dict *Dict, data []byte) error {
	index, ok := dict.Get("Index").(Array)
	if !ok {
		index = Array{int64(0), dict.Get("Size")}
	}
	size := s.width[0] + s.width[1] + s.width[2]
	if len(index)%2 != 0 || len(index) > 2*maxSubsections {
		return malformed(s.at, "the /Index of a cross-reference stream is broken")
	}
	for i := 0; i < len(index); i += 2 {
		first, ok1 := index[i].(int64)
		count, ok2 := index[i+1].(int64)
		if !ok1 || !ok2 || first < 0 || count < 0 || first+count > maxNumber+1 || int(count)*size > len(data) {
			return malformed(s.at, "the /Index of a cross-reference stream does not fit its rows")
		}
		if count > 0 {
			s.subs = append(s.subs, subsection{int(first), int(count), data[:int(count)*size]})
		}
		data = data[int(count)*size:]
	}
	return nil
}

// sort puts the subsections in order and refuses those that overlap.
func (s *section) sort() error {
	byFirst := func(a, b subsection) int { return cmp.Compare(a.first, b.first) }
	if !slices.IsSortedFunc(s.subs, byFirst) {
		slices.SortFunc(s.subs, byFirst)
	}
	for i := 1; i < len(s.subs); i++ {
		if s.subs[i].first < s.subs[i-1].first+s.subs[i-1].count {
			return malformed(s.at, "a cross-reference names object %d twice", s.subs[i].first)
		}
	}
	return nil
}
