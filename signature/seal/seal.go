package seal

import (
	"strings"
	"unicode"

	"github.com/jitsuin/jitsuin"
)

// MaxName is the longest name on a seal, in characters.
const MaxName = 12

// geta stands for a character that the font cannot show, as printers have it.
const geta = '〓'

// Seal is a round red seal with a name. Make one with New.
type Seal struct {
	name    []rune // as it is drawn
	missing []rune
	latin   bool
}

// Family gives the family name of a full name as certificates have it: what stands before the first space. A
// name without a space is given whole.
func Family(full string) string {
	if words := strings.Fields(full); len(words) > 0 { // the ideographic space is one
		return words[0]
	}
	return ""
}

// New makes a seal with a name of 1 to MaxName characters without spaces: one to four stand upright, in columns
// from the right; more make more columns. Latin letters stand in rows. A character that the font does not have, or
// that asks for another form of itself by a variation selector, is drawn as 〓: Missing tells which. Every other
// name is refused with Invalid "seal-name".
func New(name string) (*Seal, error) {
	s := &Seal{latin: true}
	wrong := jitsuin.Errorf(jitsuin.Invalid, "seal-name", "a seal has a name of 1 to %d characters without spaces", MaxName)
	for _, r := range name {
		switch {
		case unicode.Is(unicode.Variation_Selector, r) && len(s.name) > 0:
			s.replaceLast()
			continue
		case !unicode.IsGraphic(r) || unicode.IsSpace(r) || unicode.IsMark(r) && len(s.name) == 0 || r == unicode.ReplacementChar:
			return nil, wrong
		}
		s.latin = s.latin && r < 0x2000
		s.name = append(s.name, r)
		if outlineOf(r) == nil {
			s.replaceLast()
		}
	}
	if len(s.name) == 0 || len(s.name) > MaxName {
		return nil, wrong
	}
	return s, nil
}

func (s *Seal) replaceLast() {
	last := &s.name[len(s.name)-1]
	if *last != geta {
		s.missing = append(s.missing, *last)
	}
	*last = geta
}

// Missing lists the characters that stand as 〓.
func (s *Seal) Missing() []rune { return s.missing }

// cell is the place of one character on the square from -1 to 1, y upwards.
type cell struct{ left, bottom, right, top float64 }

// gap is between two cells.
const gap = 0.12

// cells gives the places of n characters: in columns from the right, each from above; Latin letters in rows.
func (s *Seal) cells() []cell {
	n := len(s.name)
	if s.latin {
		return rows(n)
	}
	columns := 1
	switch {
	case n > 6:
		columns = 3
	case n > 3:
		columns = 2
	}
	wide := map[int]float64{1: .82, 2: .7, 3: .6}[n]
	if columns > 1 {
		wide = .9
	}
	tall := .84
	if n == 1 {
		tall = .8
	}
	var all []cell
	for c := range columns {
		right := wide - float64(c)*2*wide/float64(columns)
		left := right - 2*wide/float64(columns)
		count := (n - len(all) + columns - c - 1) / (columns - c)
		for r := range count {
			top := tall - float64(r)*2*tall/float64(count)
			all = append(all, cell{left, top - 2*tall/float64(count), right, top}.inside(columns, count))
		}
	}
	return all
}

// rows are the places of Latin letters.
func rows(n int) []cell {
	lines := (n + 4) / 5
	var all []cell
	for l := range lines {
		count := (n - len(all) + lines - l - 1) / (lines - l)
		tall := min(.8, .5*float64(lines))
		wide := .86
		top := tall - float64(l)*2*tall/float64(lines)
		for i := range count {
			left := -wide + float64(i)*2*wide/float64(count)
			all = append(all, cell{left, top - 2*tall/float64(lines), left + 2*wide/float64(count), top}.inside(count, lines))
		}
	}
	return all
}

// inside leaves the gap to the neighbours.
func (c cell) inside(columns, rows int) cell {
	if columns > 1 {
		c.left, c.right = c.left+gap/2, c.right-gap/2
	}
	if rows > 1 {
		c.bottom, c.top = c.bottom+gap/2, c.top-gap/2
	}
	return c
}
