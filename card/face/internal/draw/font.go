package draw

import (
	"image/color"
	"strings"
	"sync"

	"github.com/hajimehoshi/ebiten/v2/examples/resources/fonts"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// face is the font M+ 1p, that of signed forms too. Outlines are kept, in units of 1/1000 em.
type face struct {
	mu     sync.Mutex
	font   *sfnt.Font
	buffer sfnt.Buffer
	glyphs map[rune]*glyph // nil: the font has none
}

type glyph struct {
	index   sfnt.GlyphIndex
	advance float64 // in em
	outline Path    // in em
}

type placed struct {
	*glyph
	at Point // of the origin, on the base line
}

// the font is parsed once, when something is drawn first. It is part of the program: if it does not parse, the
// program is broken.
var theFace = sync.OnceValue(func() *face {
	f, err := sfnt.Parse(fonts.MPlus1pRegular_ttf)
	if err != nil {
		panic("font of the card: " + err.Error())
	}
	return &face{font: f, glyphs: map[rune]*glyph{}}
})

// glyph gives the glyph of a character, nil where the font has none.
func (f *face) glyph(r rune) *glyph {
	f.mu.Lock()
	defer f.mu.Unlock()
	if g, ok := f.glyphs[r]; ok {
		return g
	}
	g := f.load(r)
	f.glyphs[r] = g
	return g
}

func (f *face) load(r rune) *glyph {
	index, err := f.font.GlyphIndex(&f.buffer, r)
	if err != nil || index == 0 {
		return nil
	}
	em := fixed.I(1000)
	advance, err := f.font.GlyphAdvance(&f.buffer, index, em, font.HintingNone)
	if err != nil {
		return nil
	}
	segments, err := f.font.LoadGlyph(&f.buffer, index, em, nil)
	if err != nil {
		return nil
	}
	g := &glyph{index: index, advance: float64(advance) / 64000}
	at := func(p fixed.Point26_6) (x, y float64) { return float64(p.X) / 64000, float64(p.Y) / 64000 }
	for _, s := range segments {
		x0, y0 := at(s.Args[0])
		x1, y1 := at(s.Args[1])
		x2, y2 := at(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			g.outline = g.outline.Move(x0, y0)
		case sfnt.SegmentOpLineTo:
			g.outline = g.outline.Line(x0, y0)
		case sfnt.SegmentOpQuadTo:
			g.outline = g.outline.Quad(x0, y0, x1, y1)
		case sfnt.SegmentOpCubeTo:
			g.outline = g.outline.Cube(x0, y0, x1, y1, x2, y2)
		}
	}
	return g
}

// Geta stands for a character that the font cannot show (代替文字), as printers have it.
const Geta = '〓'

// Visible gives a text as it can be shown: a character without a glyph becomes 〓, and so does a character
// with a variation selector behind it, for the font has only one form of it. marks has a 1 for each
// character of the result that stands for another, else a 0.
func Visible(s string) (shown, marks string) {
	var out, m strings.Builder
	last := rune(-1)
	flush := func() {
		if last < 0 {
			return
		}
		mark := byte('0')
		if theFace().glyph(last) == nil {
			last, mark = Geta, '1'
		}
		out.WriteRune(last)
		m.WriteByte(mark)
	}
	for _, r := range s {
		if r >= 0xE0100 && r <= 0xE01EF || r >= 0xFE00 && r <= 0xFE0F {
			if last >= 0 {
				last = 0xFFFFF // no font has it
			}
			continue
		}
		flush()
		last = r
	}
	flush()
	return out.String(), m.String()
}

// Width is that of a text in units, for a size of the em.
func Width(s string, size float64) float64 {
	s, _ = Visible(s)
	w := 0.0
	for _, r := range s {
		w += theFace().glyph(r).advance
	}
	return w * size
}

// Text writes on a base line that begins at x, y, and gives where the text ends.
func (c *Canvas) Text(x, y, size float64, fill color.NRGBA, s string) float64 {
	s, _ = Visible(s)
	run := item{fill: fill, size: size}
	for _, r := range s {
		g := theFace().glyph(r)
		if len(g.outline) > 0 {
			run.glyphs = append(run.glyphs, placed{g, Point{x, y}})
		}
		x += g.advance * size
	}
	if len(run.glyphs) > 0 {
		c.items = append(c.items, run)
	}
	return x
}

// Outline gives a text as outlines, its base line beginning at x, y.
func Outline(x, y, size float64, s string) (p Path) {
	s, _ = Visible(s)
	for _, r := range s {
		g := theFace().glyph(r)
		p = append(p, g.outline.Map(func(q Point) Point { return Point{x + q.X*size, y + q.Y*size} })...)
		x += g.advance * size
	}
	return p
}

// never begins or ends a line, as far as it can be helped.
const (
	notFirst = "、。，．・ー）」』】々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.)-"
	notLast  = "（「『【("
)

// Wrap breaks a text into lines of at most width. Words of Latin letters stay whole where they fit.
func Wrap(s string, size, width float64) []string { return newSetting(s).wrap(size, width) }

// setting is a text that is measured once and broken at several sizes.
type setting struct {
	text    []rune
	advance []float64 // in em
}

func newSetting(s string) setting {
	s, _ = Visible(s)
	t := setting{text: []rune(s)}
	for _, r := range t.text {
		t.advance = append(t.advance, theFace().glyph(r).advance)
	}
	return t
}

func (t setting) wrap(size, width float64) []string {
	var lines []string
	from, used := 0, 0.0
	for i, r := range t.text {
		used += t.advance[i] * size
		if i == from || used <= width {
			continue
		}
		cut := t.cut(from, i)
		lines = append(lines, strings.TrimRight(string(t.text[from:cut]), " 　"))
		from, used = cut, 0
		if r == ' ' || r == '　' {
			from = i + 1
		}
		for j := from; j <= i; j++ {
			used += t.advance[j] * size
		}
	}
	return append(lines, string(t.text[from:]))
}

// cut gives where the next line begins when the character at i does not fit into that which begins at from.
func (t setting) cut(from, i int) int {
	if space := lastSpace(t.text[from:i]); t.text[i] < 0x2000 && space > 0 {
		return from + space + 1
	}
	if i-from > 1 && (strings.ContainsRune(notFirst, t.text[i]) || strings.ContainsRune(notLast, t.text[i-1])) {
		return i - 1
	}
	return i
}

func lastSpace(line []rune) int {
	for i := len(line) - 1; i >= 0; i-- {
		if line[i] == ' ' || line[i] == '　' {
			return i
		}
	}
	return -1
}

// Fit gives the greatest size from most down to least at which a text fits a box, and its lines at that size.
// What does not fit even at the least size is given all the same.
func Fit(s string, most, least, lead, width, height float64) (float64, []string) {
	step, text := (most-least)/24, newSetting(s)
	for size := most; ; size -= step {
		lines := text.wrap(size, width)
		if float64(len(lines)-1)*lead*size+size <= height || size-step < least {
			return size, lines
		}
	}
}
