package pdf

// text executes the operators of text (ISO 32000-2 §9).
func (e *execution) text(op string) {
	s := &e.s
	switch op {
	case "BT":
		s.textm, s.linem = identity, identity
	case "Tc":
		s.char = e.num(0)
	case "Tw":
		s.word = e.num(0)
	case "Tz":
		s.scale = e.num(0) / 100
	case "TL":
		s.leading = e.num(0)
	case "Ts":
		s.rise = e.num(0)
	case "Tr":
		n := e.num(0)
		s.unpainted = n == 3 || n == 7
	case "Tf":
		if len(e.args) == 2 {
			name, _ := e.args[0].(Name)
			s.font, s.size = e.fontOf(name), e.num(1)
		}
	case "Tm":
		s.linem = e.matrix()
		s.textm = s.linem
	case "Td":
		s.move(e.num(0), e.num(1))
	case "TD":
		s.leading = -e.num(1)
		s.move(e.num(0), e.num(1))
	case "T*":
		s.move(0, -s.leading)
	case "Tj", "TJ":
		e.show(e.last())
	case "'":
		s.move(0, -s.leading)
		e.show(e.last())
	case "\"":
		s.word, s.char = e.num(0), e.num(1)
		s.move(0, -s.leading)
		e.show(e.last())
	}
}

func (e *execution) last() Object {
	if len(e.args) == 0 {
		return nil
	}
	return e.args[len(e.args)-1]
}

// move begins a new line.
func (s *state) move(x, y float64) {
	s.linem = matrix{1, 0, 0, 1, x, y}.times(s.linem)
	s.textm = s.linem
}

// show paints a string, or an array of strings and shifts.
func (e *execution) show(o Object) {
	switch o := o.(type) {
	case String:
		e.showString(o.Bytes())
	case Array:
		for _, one := range o {
			if t, ok := one.(String); ok {
				e.showString(t.Bytes())
			} else if n, ok := float(one); ok {
				e.s.textm = matrix{1, 0, 0, 1, -n / 1000 * e.s.size * e.s.scale, 0}.times(e.s.textm)
			}
		}
	}
}

// showString marks the bounds of a string: from its first glyph to the end of its last, and somewhat
// more than a line high.
func (e *execution) showString(b []byte) {
	s := &e.s
	width := 0.0
	if s.font == nil {
		s.font = &fontWidths{bytes: 1}
	}
	for i := 0; i < len(b); i += s.font.bytes {
		width += s.font.width(b[i])*s.size + s.char
		if b[i] == ' ' && s.font.bytes == 1 {
			width += s.word
		}
	}
	width *= s.scale
	if !s.unpainted && len(b) > 0 {
		const below, above = -0.35, 1.1
		m := s.textm.times(s.ctm)
		e.m.mark(m.box(min(0, width), s.rise+below*s.size, max(0, width), s.rise+above*s.size), &e.m.out.texts)
	}
	s.textm = matrix{1, 0, 0, 1, width, 0}.times(s.textm)
}

// fontWidths gives the widths of a font's glyphs in ems. Where they are not known a glyph is taken to be one em wide.
type fontWidths struct {
	bytes int // of one code
	first int
	known []float64
}

func (f *fontWidths) width(code byte) float64 {
	if i := int(code) - f.first; f.bytes == 1 && i >= 0 && i < len(f.known) && f.known[i] > 0 {
		return f.known[i]
	}
	return 1
}

// fontOf reads the widths of a simple font; glyphs of others are an em wide.
func (e *execution) fontOf(name Name) *fontWidths {
	f := &fontWidths{bytes: 1}
	v := e.m.v
	fonts, err := v.Dict(e.resources.Get("Font"))
	if err != nil {
		return f
	}
	font, err := v.Dict(fonts.Get(name))
	if err != nil || font == nil {
		return f
	}
	if encoding := font.Get("Encoding"); font.Get("Subtype") == Name("Type0") {
		if encoding == Name("Identity-H") || encoding == Name("Identity-V") {
			f.bytes = 2
		}
		return f
	}
	first, _ := font.Get("FirstChar").(int64)
	widths, err := v.Array(font.Get("Widths"))
	if err != nil || len(widths) > 256 || font.Get("Subtype") == Name("Type3") {
		return f
	}
	f.first = int(first)
	for _, w := range widths {
		n, _ := float(w)
		f.known = append(f.known, n/1000)
	}
	return f
}
