package pdf

// atom reads a number, a reference, or a word.
func (p *parser) atom() (Object, error) {
	start := p.pos
	w := p.word()
	if n, ok := digits(w); ok {
		if ref, ok := p.reference(n); ok {
			return ref, nil
		}
		return int64(n), nil
	}
	switch string(w) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if o, ok := number(w); ok {
		return o, nil
	}
	p.pos = start
	return nil, malformed(start, "neither a number nor a word that is known")
}

// reference reads "gen R" after num.
func (p *parser) reference(num int) (Ref, bool) {
	after := p.pos
	if p.pos < len(p.buf) && class[p.buf[p.pos]] == white {
		p.space()
		// One look ahead decides in most cases: no digit, no reference.
		if p.pos < len(p.buf) && hexValue[p.buf[p.pos]] < 10 {
			if gen, ok := digits(p.word()); ok && p.pos < len(p.buf) && class[p.buf[p.pos]] == white {
				p.space()
				if w := p.word(); len(w) == 1 && w[0] == 'R' && num <= maxNumber && gen <= maxGeneration {
					return Ref{num, gen}, true
				}
			}
		}
	}
	p.pos = after
	return Ref{}, false
}

// number reads a signed integer or a real.
func number(w []byte) (Object, bool) {
	s := w
	negative := false
	if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
		negative, s = s[0] == '-', s[1:]
	}
	if n, ok := digits(s); ok {
		if negative {
			n = -n
		}
		return int64(n), true
	}
	value, scale, point, any := 0.0, 1.0, false, false
	for _, c := range s {
		switch {
		case c == '.' && !point:
			point = true
		case c < '0' || c > '9':
			return nil, false
		default:
			any = true
			if value = value*10 + float64(c-'0'); point {
				scale *= 10
			}
		}
	}
	if !any || len(s) > 40 {
		return nil, false
	}
	if value /= scale; negative {
		value = -value
	}
	return value, true
}
