package seal

import (
	"math"
	"sync"

	"github.com/hajimehoshi/ebiten/v2/examples/resources/fonts"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// point is a place; y goes upwards.
type point struct{ x, y float64 }

// step is a part of an outline: it begins one at end, or goes on to end in a cubic curve (a straight line is one too).
type step struct {
	begins   bool
	c1, c2   point
	from, to point
}

// outline is that of a glyph, in em, with its box.
type outline struct {
	steps     []step
	low, high point
}

// the font is M+ 1p, that of signed forms too. It is part of the program: if it does not parse, the program is broken.
var theFont = sync.OnceValue(func() *sfnt.Font {
	f, err := sfnt.Parse(fonts.MPlus1pRegular_ttf)
	if err != nil {
		panic("font of the seal: " + err.Error())
	}
	return f
})

// outlineOf gives the outline of a character, nil where the font has none.
func outlineOf(r rune) *outline {
	var buffer sfnt.Buffer
	index, err := theFont().GlyphIndex(&buffer, r)
	if err != nil || index == 0 {
		return nil
	}
	segments, err := theFont().LoadGlyph(&buffer, index, fixed.I(1000), nil)
	if err != nil || len(segments) == 0 {
		return nil
	}
	o := &outline{}
	var at point
	for _, s := range segments {
		var p [3]point
		for i, a := range s.Args {
			p[i] = point{float64(a.X) / 64000, -float64(a.Y) / 64000}
		}
		next := step{from: at}
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			next.begins, next.to = true, p[0]
		case sfnt.SegmentOpLineTo:
			next.c1, next.c2, next.to = between(at, p[0], 1./3), between(at, p[0], 2./3), p[0]
		case sfnt.SegmentOpQuadTo:
			next.c1, next.c2, next.to = between(at, p[0], 2./3), between(p[1], p[0], 2./3), p[1]
		case sfnt.SegmentOpCubeTo:
			next.c1, next.c2, next.to = p[0], p[1], p[2]
		}
		at = next.to
		o.steps = append(o.steps, next)
	}
	return o.boxed()
}

// boxed gives the outline with its box, which the ends of all steps make.
func (o *outline) boxed() *outline {
	o.low, o.high = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, s := range o.steps {
		o.low = point{min(o.low.x, s.to.x), min(o.low.y, s.to.y)}
		o.high = point{max(o.high.x, s.to.x), max(o.high.y, s.to.y)}
	}
	return o
}

// upright turns the sign of a long vowel (ー), which stands upright in columns.
func (o *outline) upright() *outline {
	turn := func(p point) point { return point{p.y, -p.x} }
	turned := &outline{}
	for _, s := range o.steps {
		turned.steps = append(turned.steps, step{s.begins, turn(s.c1), turn(s.c2), turn(s.from), turn(s.to)})
	}
	return turned.boxed()
}

// between gives the point at part of the way from a to b.
func between(a, b point, part float64) point {
	return point{a.x + (b.x-a.x)*part, a.y + (b.y-a.y)*part}
}

// split cuts a curve into two halves (de Casteljau).
func (s step) split() (a, b step) {
	p, q, r := between(s.from, s.c1, .5), between(s.c1, s.c2, .5), between(s.c2, s.to, .5)
	t, u := between(p, q, .5), between(q, r, .5)
	middle := between(t, u, .5)
	return step{from: s.from, c1: p, c2: t, to: middle}, step{from: middle, c1: u, c2: r, to: s.to}
}

// fitted gives the steps of a glyph stretched into a cell. A glyph that is much lower or narrower than its em
// (一, ー, i) is stretched only as if it were least of it.
func (o *outline) fitted(c cell) []step {
	const least = 0.62
	low, high := widen(o.low, o.high, least)
	place := func(p point) point {
		return point{c.left + (p.x-low.x)/(high.x-low.x)*(c.right-c.left), c.bottom + (p.y-low.y)/(high.y-low.y)*(c.top-c.bottom)}
	}
	all := make([]step, len(o.steps))
	for i, s := range o.steps {
		all[i] = step{s.begins, place(s.c1), place(s.c2), place(s.from), place(s.to)}
	}
	return all
}

func widen(low, high point, least float64) (point, point) {
	if w := high.x - low.x; w < least {
		low.x, high.x = low.x-(least-w)/2, high.x+(least-w)/2
	}
	if h := high.y - low.y; h < least {
		low.y, high.y = low.y-(least-h)/2, high.y+(least-h)/2
	}
	return low, high
}

// bent gives steps bent from the square to the disc, so that the name fills the round as a carved one does. Long
// steps are cut first, for a straight line becomes a curve.
func bent(steps []step) []step {
	const longest = 0.25
	var all []step
	for _, s := range steps {
		pieces := []step{s}
		if !s.begins && math.Hypot(s.to.x-s.from.x, s.to.y-s.from.y) > longest {
			a, b := s.split()
			a1, a2 := a.split()
			b1, b2 := b.split()
			pieces = []step{a1, a2, b1, b2}
		}
		for _, p := range pieces {
			all = append(all, step{p.begins, bend(p.c1), bend(p.c2), bend(p.from), bend(p.to)})
		}
	}
	return all
}

// bend maps the square from -1 to 1 on the unit disc along ellipses, most of the way.
func bend(p point) point {
	const part = 0.85
	round := point{p.x * math.Sqrt(1-p.y*p.y/2), p.y * math.Sqrt(1-p.x*p.x/2)}
	return between(p, round, part)
}
