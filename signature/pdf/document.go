package pdf

import (
	"bytes"

	"github.com/jitsuin/jitsuin"
)

// Bounds of a document's frame.
const (
	tailWindow  = 2048     // bytes from the end in which the last startxref must stand
	maxFiller   = 64       // bytes of white space after %%EOF that still belong to a revision
	maxWork     = 64 << 20 // bytes of objects that are parsed for one document, repetitions counted
	maxLookups  = 1 << 24  // sections that are asked where an object lies, repetitions counted
	maxCached   = 1 << 17  // elements of parsed objects that are kept
	maxUnpacked = 6 << 20  // bytes of decoded object streams that are kept
)

// Document is a PDF file as read: its bytes, its revisions and what has been parsed so far. It
// keeps b and is not safe for use by several goroutines at once.
type Document struct {
	bytes     []byte
	sections  []*section // oldest first
	revisions []Revision // oldest first

	work, decoded, lookups, rowBytes int // spent so far

	depth         int // of lengths that refer to objects
	objects       map[key]Object
	elements      int // of what objects holds
	unpacked      map[key]*objectStream
	unpackedBytes int
}

// Revision is a file state that ends with its own startxref and %%EOF (ISO 32000-2 §7.5.6).
type Revision struct {
	End       int // byte after %%EOF; white space may follow before the next revision begins
	Filler    int // bytes of that white space, at most 64
	StartXRef int // what its startxref says
	XRef      int // first byte of its cross-reference section
	Stream    bool
	sections  int // sections of this and all older revisions
}

// Read reads the frame of a PDF file: the chain of cross-reference sections from the last startxref
// on, and the revisions that they make. Objects are parsed when they are asked for. Nothing is
// repaired: a file whose last lines, cross-references or trailers do not fit together is Invalid
// (code pdf-malformed), for two readers would take it differently. An encrypted file is Unsupported.
// b must not change while the Document is used.
func Read(b []byte) (*Document, error) {
	d := &Document{bytes: b}
	if !header(b) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-malformed", "the file does not begin with %%PDF-1.n or %%PDF-2.n")
	}
	last, err := d.lastStartXRef()
	if err != nil {
		return nil, err
	}
	if err := d.chain(last); err != nil {
		return nil, err
	}
	for _, s := range d.sections {
		if s.trailer.Has("Encrypt") {
			return nil, jitsuin.Errorf(jitsuin.Unsupported, "pdf-encrypted", "the file is encrypted").
				WithHint("save it without a password before it is signed or verified")
		}
	}
	return d, nil
}

// Like tells whether b looks like a PDF file, well-formed or not: its mark stands near the beginning.
func Like(b []byte) bool {
	return bytes.Contains(b[:min(len(b), 1024)], []byte("%PDF-"))
}

// header tells whether b begins with %PDF-1.n or %PDF-2.n. Bytes before it are not allowed: readers
// differ on whether they shift every place in the file.
func header(b []byte) bool {
	return len(b) > 8 && string(b[:5]) == "%PDF-" && (b[5] == '1' || b[5] == '2') && b[6] == '.' && b[7] >= '0' && b[7] <= '9'
}

// end is a startxref that has been read with its %%EOF.
type end struct {
	at     int // place of the word startxref
	value  int
	eof    int // byte after %%EOF
	filler int
}

// readEnd reads "startxref N %%EOF" at the place.
func (d *Document) readEnd(at int) (end, error) {
	p := &parser{buf: d.bytes, pos: at}
	e := end{at: at}
	if !bytes.HasPrefix(d.bytes[at:], []byte("startxref")) {
		return e, malformed(at, "startxref is missing after a trailer")
	}
	p.pos += len("startxref")
	p.white()
	n, ok := digits(p.word())
	if !ok {
		return e, malformed(p.pos, "startxref has no number")
	}
	e.value = n
	p.white()
	if !bytes.HasPrefix(p.buf[p.pos:], []byte("%%EOF")) {
		return e, malformed(p.pos, "%%%%EOF is missing after startxref")
	}
	e.eof = p.pos + len("%%EOF")
	for p.pos = e.eof; p.pos < len(p.buf) && e.filler < maxFiller && class[p.buf[p.pos]] == white; p.pos++ {
		e.filler++
	}
	return e, nil
}

// lastStartXRef finds the end of the file.
func (d *Document) lastStartXRef() (end, error) {
	from := max(0, len(d.bytes)-tailWindow)
	i := bytes.LastIndex(d.bytes[from:], []byte("startxref"))
	if i < 0 {
		return end{}, malformed(len(d.bytes), "the last startxref is missing")
	}
	return d.readEnd(from + i)
}

// chain follows /Prev from the last section to the first and cuts the sections into revisions.
func (d *Document) chain(last end) error {
	at, limit := last.value, last.at
	var revisions []Revision // newest first
	var sections []*section  // newest first
	for {
		if len(sections) > maxSections {
			return jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "the file has more than %d cross-reference sections", maxSections)
		}
		s, err := d.readOne(at, limit)
		if err != nil {
			return err
		}
		group, prev, more, err := d.linearised(s, limit)
		if err != nil {
			return err
		}
		e, err := d.endOf(group, at, min(len(d.bytes), limit+len("startxref")))
		switch {
		case err != nil:
			return err
		case len(sections) == 0 && e.at != last.at:
			return malformed(e.at, "between the last cross-reference and its startxref stands another")
		case len(sections) > 0 && e.eof > limit:
			return malformed(limit, "a cross-reference lies inside an older revision")
		}
		sections = append(sections, group...)
		revisions = append(revisions, Revision{End: e.eof, Filler: e.filler, StartXRef: at, XRef: s.at, Stream: s.stream, sections: len(group)})
		if !more {
			break
		}
		at, limit = prev, s.at
	}
	return d.order(revisions, sections)
}

// order puts what chain found oldest first.
func (d *Document) order(revisions []Revision, sections []*section) error {
	n := 0
	for i := len(revisions) - 1; i >= 0; i-- {
		r := revisions[i]
		n += r.sections
		r.sections = n
		d.revisions = append(d.revisions, r)
	}
	for i := len(sections) - 1; i >= 0; i-- {
		d.sections = append(d.sections, sections[i])
	}
	from := 0
	hybrids := map[int]bool{}
	for i, r := range d.revisions {
		for _, s := range d.sections[from:r.sections] {
			s.revision = i
			if s.hybrid == nil {
				continue
			}
			if hybrids[s.hybrid.at] {
				if err := d.copied(s, max(i-1, 0)); err != nil {
					return err
				}
				s.hybrid = nil
				continue
			}
			hybrids[s.hybrid.at] = true
		}
		from = r.sections
	}
	return nil
}

// copied looks at an /XRefStm that was copied from the trailer of an older revision. Some readers go by
// it before that revision's successors, so nothing of it may be out of date.
func (d *Document) copied(s *section, before int) error {
	rows := 0
	if err := s.hybrid.load(); err != nil {
		return err
	}
	for _, sub := range s.hybrid.subs {
		if rows += sub.count; rows > maxRows {
			return jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "more than %d rows of cross-references", maxRows)
		}
		for i := range sub.count {
			l, err := s.hybrid.entry(sub.rows, i)
			if err != nil {
				return err
			}
			own, has, err := s.findOwn(sub.first + i)
			if err != nil {
				return err
			}
			if l.kind == free || has && own.kind != free {
				continue
			}
			_, now, ok, err := View{d, before}.where(sub.first + i)
			if err != nil {
				return err
			}
			if !ok || now != l {
				return malformed(s.at, "/XRefStm points to an older revision's stream, which brings back object %d", sub.first+i)
			}
		}
	}
	return nil
}

// readOne reads a section and the stream of a hybrid one.
func (d *Document) readOne(at, limit int) (*section, error) {
	s, err := d.readSection(at, limit)
	if err != nil {
		return nil, err
	}
	where, ok := s.trailer.Get("XRefStm").(int64)
	if !ok || s.stream {
		return s, nil
	}
	if s.hybrid, err = d.readSection(int(where), limit); err != nil {
		return nil, err
	}
	if !s.hybrid.stream {
		return nil, malformed(int(where), "/XRefStm does not point to a stream")
	}
	return s, nil
}

// linearised gives the sections of the revision that s begins, newest first, and where the older
// revision's section lies. In a linearised file (annex F) the first section stands at the beginning
// and its /Prev points forward to the other half.
func (d *Document) linearised(s *section, limit int) (group []*section, prev int, more bool, err error) {
	group = []*section{s}
	prev, more, err = s.prev()
	if err != nil || !more || prev < s.at {
		return group, prev, more, err
	}
	other, err := d.readOne(prev, limit)
	if err != nil {
		return nil, 0, false, err
	}
	if other.trailer.Has("Prev") || other.at <= s.end {
		return nil, 0, false, malformed(prev, "/Prev points forward, and the file is not linearised")
	}
	return append(group, other), 0, false, nil
}

// prev reads /Prev.
func (s *section) prev() (int, bool, error) {
	if !s.trailer.Has("Prev") {
		return 0, false, nil
	}
	n, ok := s.trailer.Get("Prev").(int64)
	if !ok || n < 0 {
		return 0, false, malformed(s.at, "/Prev is no place in the file")
	}
	return int(n), true, nil
}

// endOf reads the startxref that closes a revision: the next one after its last section, which must
// name its first one. What stands between belongs to the revision and is nothing that is read.
func (d *Document) endOf(group []*section, at, limit int) (end, error) {
	from := group[len(group)-1].end
	i := bytes.Index(d.bytes[from:limit], []byte("startxref"))
	if i < 0 {
		return end{}, malformed(from, "startxref is missing after a trailer")
	}
	e, err := d.readEnd(from + i)
	if err == nil && e.value != at {
		return e, malformed(e.at, "startxref says %d where %d was expected", e.value, at)
	}
	return e, err
}
