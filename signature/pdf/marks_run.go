package pdf

import "math"

// execution is one content stream being read.
type execution struct {
	m         *marker
	resources *Dict
	s         state
	saved     []state
	args      []Object
}

// num gives operand i as a number.
func (e *execution) num(i int) float64 {
	if i < 0 || i >= len(e.args) {
		return 0
	}
	f, _ := float(e.args[i])
	return f
}

func (e *execution) matrix() matrix {
	return matrix{e.num(0), e.num(1), e.num(2), e.num(3), e.num(4), e.num(5)}
}

// do executes one operator, as far as it matters where something is painted.
func (e *execution) do(op string) {
	s := &e.s
	switch op {
	case "q":
		if len(e.saved) == maxStates {
			e.m.hit = true
			return
		}
		e.saved = append(e.saved, *s)
	case "Q":
		if n := len(e.saved); n > 0 {
			path := s.segments
			*s, e.saved = e.saved[n-1], e.saved[:n-1]
			s.segments = path[:0]
		}
	case "cm":
		s.ctm = e.matrix().times(s.ctm)
	case "w":
		s.width = e.num(0)
	case "g", "rg", "k", "sc", "scn", "cs":
		s.fill = e.isWhite(op)
	case "G", "RG", "K", "SC", "SCN", "CS":
		s.stroke = e.isWhite(op)
	case "Do":
		e.xobject()
	case "sh":
		e.m.hit = true // it fills the clip, which is not followed
	default:
		if !e.path(op) {
			e.text(op)
		}
	}
}

// isWhite tells whether a colour operator chooses white.
func (e *execution) isWhite(op string) bool {
	want := map[string][]float64{"g": {1}, "G": {1}, "rg": {1, 1, 1}, "RG": {1, 1, 1}, "k": {0, 0, 0, 0}, "K": {0, 0, 0, 0}}[op]
	if want == nil || len(want) != len(e.args) {
		return false
	}
	for i, w := range want {
		if e.num(i) != w {
			return false
		}
	}
	return true
}

// path executes the operators that make and paint paths; false for any other operator.
func (e *execution) path(op string) bool {
	s := &e.s
	at := func(i int) [2]float64 { return s.ctm.point(e.num(i), e.num(i+1)) }
	switch op {
	case "m":
		s.start, s.last = at(0), at(0)
	case "l":
		s.line(at(0))
	case "c":
		s.curve(at(0), at(2), at(4))
	case "v", "y":
		s.curve(at(0), at(0), at(2))
	case "h":
		s.line(s.start)
	case "re":
		x, y, w, h := e.num(0), e.num(1), e.num(2), e.num(3)
		s.start, s.last = s.ctm.point(x, y), s.ctm.point(x, y)
		for _, p := range [][2]float64{{x + w, y}, {x + w, y + h}, {x, y + h}, {x, y}} {
			s.line(s.ctm.point(p[0], p[1]))
		}
	case "S", "s":
		e.paint(false, true)
	case "f", "F", "f*":
		e.paint(true, false)
	case "B", "B*", "b", "b*":
		e.paint(true, true)
	case "n":
		e.paint(false, false)
	default:
		return false
	}
	return true
}

func (s *state) line(to [2]float64) { s.curve(s.last, to, to) }

// curve adds a piece of the path with its bounds.
func (s *state) curve(a, b, to [2]float64) {
	r := rect{s.last[0], s.last[1], s.last[0], s.last[1]}.with(a).with(b).with(to)
	if !s.pathHas {
		s.whole, s.pathHas = r, true
	}
	s.whole = s.whole.with([2]float64{r[0], r[1]}).with([2]float64{r[2], r[3]})
	if len(s.segments) < maxSegments {
		s.segments = append(s.segments, r)
	} else {
		s.tooBig = true
	}
	s.last = to
}

// paint marks the path and ends it. What is filled counts with its bounds, what is stroked piece by piece.
func (e *execution) paint(fill, stroke bool) {
	s := &e.s
	if s.pathHas {
		half := s.width / 2 * math.Sqrt(math.Abs(s.ctm[0]*s.ctm[3]-s.ctm[1]*s.ctm[2]))
		wide := func(r rect) rect {
			d := max(half, 0.5)
			return rect{r[0] - d, r[1] - d, r[2] + d, r[3] + d}
		}
		switch {
		case fill && !s.fill, stroke && !s.stroke && s.tooBig:
			e.m.mark(wide(s.whole), &e.m.out.shapes)
		case stroke && !s.stroke:
			for _, r := range s.segments {
				e.m.mark(wide(r), &e.m.out.shapes)
			}
		}
	}
	s.segments, s.pathHas, s.tooBig = s.segments[:0], false, false
}

// xobject executes Do: an image fills the unit square, a form is read.
func (e *execution) xobject() {
	var name Name
	if len(e.args) > 0 {
		name, _ = e.args[len(e.args)-1].(Name)
	}
	all, err := e.m.v.Dict(e.resources.Get("XObject"))
	if err != nil {
		e.m.hit = true
		return
	}
	o, err := e.m.v.Resolve(all.Get(name))
	st, ok := o.(*Stream)
	switch {
	case err != nil:
		e.m.hit = true
	case !ok:
	case st.Dict.Get("Subtype") != Name("Form"):
		e.m.mark(e.s.ctm.box(0, 0, 1, 1), &e.m.out.texts)
	default:
		e.form(st)
	}
}

// form reads a form XObject (§8.10).
func (e *execution) form(st *Stream) {
	v := e.m.v
	b, err := v.Decode(st)
	if err != nil {
		e.m.hit = true
		return
	}
	resources, err := v.Dict(st.Dict.Get("Resources"))
	if err != nil {
		e.m.hit = true
		return
	}
	if resources == nil {
		resources = e.resources
	}
	ctm := e.s.ctm
	if a, ok := st.Dict.Get("Matrix").(Array); ok && len(a) == 6 {
		var m matrix
		for i := range a {
			m[i], _ = float(a[i])
		}
		ctm = m.times(ctm)
	}
	e.m.run(b, resources, ctm)
}
