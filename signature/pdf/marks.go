package pdf

import "math"

// Bounds of reading what a page shows.
const (
	maxOperators = 1 << 18  // of one page with its form XObjects
	maxContent   = 16 << 20 // bytes of one page with its form XObjects, repetitions counted
	maxForms     = 8        // form XObjects inside each other
	maxStates    = 64       // saved graphics states
	maxSegments  = 1 << 12  // of one path
)

// rect is a rectangle in the page's own space: left, bottom, right, top.
type rect [4]float64

func (r rect) meets(o rect) bool {
	return r[0] < o[2] && o[0] < r[2] && r[1] < o[3] && o[1] < r[3]
}

// matrix is a transformation as PDF writes it (ISO 32000-2 §8.3.3).
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// times gives the matrix that applies m first and then n.
func (m matrix) times(n matrix) matrix {
	return matrix{m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3], m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5]}
}

func (m matrix) point(x, y float64) [2]float64 {
	return [2]float64{x*m[0] + y*m[2] + m[4], x*m[1] + y*m[3] + m[5]}
}

// box gives the bounds of a rectangle after m.
func (m matrix) box(x0, y0, x1, y1 float64) rect {
	r := rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range [][2]float64{m.point(x0, y0), m.point(x0, y1), m.point(x1, y0), m.point(x1, y1)} {
		r = r.with(p)
	}
	return r
}

func (r rect) with(p [2]float64) rect {
	return rect{min(r[0], p[0]), min(r[1], p[1]), max(r[2], p[0]), max(r[3], p[1])}
}

// markings is what a page shows: where text and images stand, and where shapes are painted. Where that
// cannot be told it is everything. Bounds are taken wider than they are, never narrower, but for what
// is painted white and for text that is not painted at all.
type markings struct {
	texts, shapes []rect
	everything    bool
}

// maxMarks is how many rectangles are kept of one page; one of more counts as full.
const maxMarks = 1 << 16

// meets tells whether the page shows something in a rectangle; shapes count if they are asked for.
func (m *markings) meets(r rect, shapes bool) bool {
	if m.everything {
		return true
	}
	for _, one := range m.texts {
		if one.meets(r) {
			return true
		}
	}
	for _, one := range m.shapes {
		if shapes && one.meets(r) {
			return true
		}
	}
	return false
}

// marker reads what a page shows. hit ends the reading: the page counts as full.
type marker struct {
	v     View
	out   *markings
	hit   bool
	steps int
	bytes int
	depth int
}

// state is the part of the graphics state that decides where something is painted.
type state struct {
	ctm             matrix
	font            *fontWidths
	size, char      float64
	word, scale     float64
	leading, rise   float64
	unpainted       bool // text render mode 3 or 7
	fill, stroke    bool // white
	width           float64
	textm, linem    matrix
	segments        []rect
	start, last     [2]float64
	whole           rect // of the path
	pathHas, tooBig bool
}

// markings reads what a page shows.
func (v View) markings(page *Dict) *markings {
	m := &marker{v: v, out: &markings{}}
	resources, err := v.Dict(v.inherited(page, "Resources"))
	if err != nil {
		return &markings{everything: true}
	}
	content, ok := v.content(page)
	if !ok {
		return &markings{everything: true}
	}
	m.run(content, resources, identity)
	m.out.everything = m.hit
	return m.out
}

// content gives a page's content in one piece; false where it cannot be read.
func (v View) content(page *Dict) ([]byte, bool) {
	contents, err := v.Resolve(page.Get("Contents"))
	if err != nil {
		return nil, false
	}
	parts, ok := contents.(Array)
	if !ok {
		parts = Array{contents}
	}
	var all []byte
	for _, o := range parts {
		o, err := v.Resolve(o)
		if err != nil {
			return nil, false
		}
		st, ok := o.(*Stream)
		if o == nil {
			continue
		}
		if !ok {
			return nil, false
		}
		b, err := v.Decode(st)
		if err != nil || len(all)+len(b) > maxDecoded {
			return nil, false
		}
		all = append(append(all, b...), '\n')
	}
	return all, true
}

// inherited looks an entry up in a page and the nodes above it.
func (v View) inherited(page *Dict, key Name) Object {
	for range maxDepth {
		if page == nil || page.Has(key) {
			return page.Get(key)
		}
		up, err := v.Dict(page.Get("Parent"))
		if err != nil {
			return nil
		}
		page = up
	}
	return nil
}

// mark notes something painted: text and images, or shapes.
func (m *marker) mark(r rect, to *[]rect) {
	for _, f := range r {
		if math.IsNaN(f) {
			m.hit = true
		}
	}
	if len(*to) == maxMarks {
		m.hit = true
		return
	}
	*to = append(*to, r)
}

// run reads one content stream.
func (m *marker) run(b []byte, resources *Dict, ctm matrix) {
	m.bytes += len(b)
	if m.depth++; m.depth > maxForms || m.bytes > maxContent {
		m.hit = true
		return
	}
	defer func() { m.depth-- }()
	e := &execution{m: m, resources: resources, s: state{ctm: ctm, scale: 1, width: 1, textm: identity, linem: identity}}
	p := &parser{buf: b}
	for !m.hit {
		p.space()
		if p.pos >= len(p.buf) {
			return
		}
		if m.steps++; m.steps > maxOperators {
			m.hit = true
			return
		}
		op, operand, err := p.operand()
		switch {
		case err != nil:
			m.hit = true
		case op == "":
			if len(e.args) < 64 {
				e.args = append(e.args, operand)
			}
			p.elements = 0
		case op == "BI":
			m.hit = m.hit || !p.inlineImage()
			m.mark(e.s.ctm.box(0, 0, 1, 1), &m.out.texts)
			e.args = e.args[:0]
		default:
			e.do(op)
			e.args = e.args[:0]
		}
	}
}

// operand reads an operand, or an operator, which is a word of its own.
func (p *parser) operand() (op string, o Object, err error) {
	c := p.buf[p.pos]
	switch {
	case class[c] == regular && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.':
		w := string(p.word())
		switch w {
		case "true", "false", "null":
			return "", nil, nil
		}
		return w, nil, nil
	case class[c] == regular:
		o, ok := number(p.word())
		if !ok {
			return "", int64(0), nil
		}
		return "", o, nil
	case c == ')' || c == '>' || c == ']' || c == '{' || c == '}':
		p.pos++
		return "", nil, nil
	}
	o, err = p.object()
	return "", o, err
}

// inlineImage skips the data of an inline image up to EI; false where there is no end.
func (p *parser) inlineImage() bool {
	for i := p.pos; i+2 < len(p.buf); i++ {
		if p.buf[i] == 'E' && p.buf[i+1] == 'I' && class[p.buf[i-1]] == white && class[p.buf[i+2]] != regular {
			p.pos = i + 2
			return true
		}
	}
	return false
}
