package pdf

import (
	"bytes"

	"github.com/jitsuin/jitsuin"
)

// key names one object of one section: the same key always means the same bytes.
type key struct {
	section *section
	num     int
}

// View is the document as it was at the end of one revision.
type View struct {
	doc *Document
	rev int
}

// Revisions lists the file's states, oldest first.
func (d *Document) Revisions() []Revision { return d.revisions }

// At gives the view of revision i, counted from 0; older revisions are part of it, newer ones are not.
func (d *Document) At(i int) View { return View{d, i} }

// Current gives the view that a reader shows.
func (d *Document) Current() View { return View{d, len(d.revisions) - 1} }

// Revision says which revision v shows.
func (v View) Revision() int { return v.rev }

// Trailer gives the newest trailer of v. Of a linearised file it is that of the first section.
func (v View) Trailer() *Dict { return v.top().trailer }

// top is the section that v's startxref points to.
func (v View) top() *section {
	r := v.doc.revisions[v.rev]
	s := v.doc.sections[r.sections-1]
	return s
}

// Size gives the number that is free for a new object: above all that any section or /Size names.
func (v View) Size() int {
	size := 1
	for _, s := range v.doc.sections[:v.doc.revisions[v.rev].sections] {
		for _, one := range []*section{s, s.hybrid} {
			if one == nil || one.load() != nil {
				continue // what cannot be read is refused where it is asked for
			}
			if n, ok := one.trailer.Get("Size").(int64); ok && n <= maxNumber {
				size = max(size, int(n))
			}
			if len(one.subs) > 0 {
				last := one.subs[len(one.subs)-1]
				size = max(size, last.first+last.count)
			}
		}
	}
	return size
}

// where finds the section that decides on object num in v. ok is false where none does.
func (v View) where(num int) (*section, location, bool, error) {
	for i := v.doc.revisions[v.rev].sections - 1; i >= 0; i-- {
		s := v.doc.sections[i]
		if v.doc.lookups++; v.doc.lookups > maxLookups {
			return nil, location{}, false, jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "too many look-ups of objects in too many revisions")
		}
		l, ok, err := s.find(num)
		if err != nil {
			return nil, l, false, err
		}
		if ok {
			return s, l, true, nil
		}
	}
	return nil, location{}, false, nil
}

// Object gives the object that ref names in v; null where there is none. The result is shared and
// must not be changed.
func (v View) Object(ref Ref) (Object, error) {
	s, l, ok, err := v.where(ref.Num)
	if err != nil || !ok || l.kind == free {
		return nil, err
	}
	k := key{s, ref.Num}
	if o, ok := v.doc.objects[k]; ok {
		return o, v.generation(ref, l)
	}
	if err := v.generation(ref, l); err != nil {
		return nil, err
	}
	o, elements, err := v.doc.load(s, l, ref.Num)
	if err != nil {
		return nil, err
	}
	v.doc.keep(k, o, elements)
	return o, nil
}

// at gives the object of a number, whatever its generation; null where there is none.
func (v View) at(num int) (Object, error) {
	_, l, ok, err := v.where(num)
	if err != nil || !ok || l.kind == free {
		return nil, err
	}
	return v.Object(Ref{num, generationOf(l)})
}

// generation refuses a reference to another generation than the one in use: some readers show the
// object, others show nothing.
func (v View) generation(ref Ref, l location) error {
	gen := 0
	if l.kind == plain {
		gen = l.b
	}
	if gen != ref.Gen {
		return malformed(l.a, "object %d is referred to with generation %d and has %d", ref.Num, ref.Gen, gen)
	}
	return nil
}

// keep caches a parsed object.
func (d *Document) keep(k key, o Object, elements int) {
	if d.objects == nil || d.elements+elements > maxCached {
		d.objects, d.elements = map[key]Object{}, 0
	}
	d.objects[k] = o
	d.elements += elements + 4
}

// Resolve follows o to the object that it refers to. A reference to a reference is not allowed.
func (v View) Resolve(o Object) (Object, error) {
	ref, ok := o.(Ref)
	if !ok {
		return o, nil
	}
	o, err := v.Object(ref)
	if _, again := o.(Ref); again {
		return nil, malformed(0, "object %d is itself a reference", ref.Num)
	}
	return o, err
}

// Dict resolves o to a dictionary; nil where it is null. A stream is none.
func (v View) Dict(o Object) (*Dict, error) {
	o, err := v.Resolve(o)
	if err != nil || o == nil {
		return nil, err
	}
	if dict, ok := o.(*Dict); ok {
		return dict, nil
	}
	return nil, malformed(0, "an object is no dictionary where one belongs")
}

// Array resolves o to an array; nil where it is null.
func (v View) Array(o Object) (Array, error) {
	o, err := v.Resolve(o)
	if err != nil || o == nil {
		return nil, err
	}
	if a, ok := o.(Array); ok {
		return a, nil
	}
	return nil, malformed(0, "an object is no array where one belongs")
}

// load parses one object. The length of a stream, and the object stream that it may lie in, are
// looked up in the state of the revision that names it, so that the same entry always gives the
// same object; that one of these was replaced later is for the comparison of revisions to find.
func (d *Document) load(s *section, l location, num int) (Object, int, error) {
	v := View{d, s.revision}
	if l.kind == packed {
		return d.loadPacked(s, l, num, v)
	}
	limit := d.revisions[s.revision].End
	if l.a <= 0 || l.a >= limit {
		return nil, 0, malformed(l.a, "object %d lies outside the revision that names it", num)
	}
	p := &parser{buf: d.bytes[:limit], pos: l.a}
	p.white()
	n, gen, err := p.header()
	if err != nil {
		return nil, 0, err
	}
	if n != num || gen != l.b {
		return nil, 0, malformed(l.a, "here stands object %d %d where the cross-reference says %d %d", n, gen, num, l.b)
	}
	o, err := d.body(p, &v)
	return o, p.elements, err
}

// header reads "num gen obj".
func (p *parser) header() (num, gen int, err error) {
	at := p.pos
	num, ok1 := p.integer()
	gen, ok2 := p.integer()
	if !ok1 || !ok2 || !p.keyword("obj") || num > maxNumber || gen > maxGeneration {
		return 0, 0, malformed(at, "no object begins here")
	}
	return num, gen, nil
}

// body reads an object up to its endobj. v finds the length of a stream, nil where it must be direct.
func (d *Document) body(p *parser, v *View) (Object, error) {
	start := p.pos
	o, err := p.object()
	if d.work += p.pos - start; d.work > maxWork {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "the file makes us read more than %d bytes of objects", maxWork)
	}
	if err != nil {
		return nil, err
	}
	p.space()
	if dict, ok := o.(*Dict); ok && bytes.HasPrefix(p.buf[p.pos:], []byte("stream")) {
		if o, err = d.stream(p, dict, v); err != nil {
			return nil, err
		}
	}
	if !p.keyword("endobj") {
		return nil, malformed(p.pos, "endobj is missing")
	}
	return o, nil
}

// stream reads what follows a stream's dictionary (§7.3.8).
func (d *Document) stream(p *parser, dict *Dict, v *View) (*Stream, error) {
	p.pos += len("stream")
	switch {
	case bytes.HasPrefix(p.buf[p.pos:], []byte("\r\n")):
		p.pos += 2
	case bytes.HasPrefix(p.buf[p.pos:], []byte("\n")):
		p.pos++
	default:
		return nil, malformed(p.pos, "the word stream is not followed by an end of line")
	}
	length := dict.Get("Length")
	if ref, ok := length.(Ref); ok && v != nil {
		if d.depth++; d.depth > maxDepth {
			return nil, malformed(p.pos, "lengths of streams refer to each other")
		}
		o, err := v.Object(ref)
		d.depth--
		if err != nil {
			return nil, err
		}
		length = o
	}
	n, ok := length.(int64)
	if !ok || n < 0 || int(n) > len(p.buf)-p.pos {
		return nil, malformed(p.pos, "a stream has no length that fits")
	}
	st := &Stream{Dict: dict, Raw: p.buf[p.pos : p.pos+int(n)], At: p.pos}
	p.pos += int(n)
	if !p.keyword("endstream") {
		return nil, malformed(p.pos, "a stream's length does not lead to endstream")
	}
	return st, nil
}
