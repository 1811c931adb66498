// Package draw is a sheet of filled shapes and text that becomes SVG and pixels alike. It owns outlines, the one
// font, and the two writers; what is drawn is not its matter. Text becomes outlines, so that a browser, a converter
// and our own pixels show the same, with whatever fonts a machine has.
package draw

import (
	"image/color"
	"math"
)

// Point is a place on the sheet, y downwards.
type Point struct{ X, Y float64 }

// segment is a step of an outline: 'M' and 'L' use p[2], 'Q' p[1:], 'C' all.
type segment struct {
	op byte
	p  [3]Point
}

// Path is closed outlines; what they wind around is filled (the nonzero rule).
type Path []segment

// Canvas is a sheet of W by H units, transparent until something is drawn.
type Canvas struct {
	W, H  float64
	items []item
}

// item is one filled thing: outlines, or a run of glyphs.
type item struct {
	fill   color.NRGBA
	path   Path
	size   float64 // of the glyphs, units per em
	glyphs []placed
}

// New gives an empty sheet.
func New(w, h float64) *Canvas { return &Canvas{W: w, H: h} }

// Fill draws outlines in one colour.
func (c *Canvas) Fill(fill color.NRGBA, paths ...Path) {
	var all Path
	for _, p := range paths {
		all = append(all, p...)
	}
	if len(all) > 0 {
		c.items = append(c.items, item{fill: fill, path: all})
	}
}

// Place draws another sheet on this one, its corner at x, y, enlarged by scale.
func (c *Canvas) Place(other *Canvas, x, y, scale float64) {
	for _, i := range other.items {
		moved := item{fill: i.fill, path: i.path.Map(func(p Point) Point { return Point{x + p.X*scale, y + p.Y*scale} }), size: i.size * scale}
		for _, g := range i.glyphs {
			moved.glyphs = append(moved.glyphs, placed{g.glyph, Point{x + g.at.X*scale, y + g.at.Y*scale}})
		}
		c.items = append(c.items, moved)
	}
}

// Hex gives the colour 0xRRGGBB.
func Hex(rgb uint32) color.NRGBA {
	return color.NRGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 255}
}

// Thin gives a colour that lets what is below shine through; part is from 0 to 1.
func Thin(c color.NRGBA, part float64) color.NRGBA {
	c.A = uint8(math.Round(255 * part))
	return c
}

// Move begins an outline.
func (p Path) Move(x, y float64) Path { return append(p, segment{'M', [3]Point{{}, {}, {x, y}}}) }

// Line goes straight on.
func (p Path) Line(x, y float64) Path { return append(p, segment{'L', [3]Point{{}, {}, {x, y}}}) }

// Quad goes on in a quadratic curve.
func (p Path) Quad(x1, y1, x, y float64) Path {
	return append(p, segment{'Q', [3]Point{{}, {x1, y1}, {x, y}}})
}

// Cube goes on in a cubic curve.
func (p Path) Cube(x1, y1, x2, y2, x, y float64) Path {
	return append(p, segment{'C', [3]Point{{x1, y1}, {x2, y2}, {x, y}}})
}

// Map moves every point.
func (p Path) Map(f func(Point) Point) Path {
	out := make(Path, len(p))
	for i, s := range p {
		out[i] = segment{s.op, [3]Point{f(s.p[0]), f(s.p[1]), f(s.p[2])}}
	}
	return out
}

// Turn turns the outlines about a point, clockwise.
func (p Path) Turn(about Point, degrees float64) Path {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return p.Map(func(q Point) Point {
		x, y := q.X-about.X, q.Y-about.Y
		return Point{about.X + x*cos - y*sin, about.Y + x*sin + y*cos}
	})
}

// bounds gives the box that holds all points.
func (p Path) bounds() (low, high Point) {
	low, high = Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, s := range p {
		first := map[byte]int{'M': 2, 'L': 2, 'Q': 1}[s.op]
		for _, q := range s.p[first:] {
			low, high = Point{min(low.X, q.X), min(low.Y, q.Y)}, Point{max(high.X, q.X), max(high.Y, q.Y)}
		}
	}
	return low, high
}

// Polygon joins points by straight lines.
func Polygon(points ...Point) (p Path) {
	for i, q := range points {
		if i == 0 {
			p = p.Move(q.X, q.Y)
		} else {
			p = p.Line(q.X, q.Y)
		}
	}
	return p
}

// Rect is an upright rectangle.
func Rect(x, y, w, h float64) Path {
	return Polygon(Point{x, y}, Point{x + w, y}, Point{x + w, y + h}, Point{x, y + h})
}

// kappa makes a cubic curve a quarter of a circle.
const kappa = 0.5522847

// Round is a rectangle with round corners.
func Round(x, y, w, h, r float64) Path {
	k, e, f := r*(1-kappa), x+w, y+h
	return Path{}.Move(x+r, y).Line(e-r, y).Cube(e-k, y, e, y+k, e, y+r).Line(e, f-r).Cube(e, f-k, e-k, f, e-r, f).
		Line(x+r, f).Cube(x+k, f, x, f-k, x, f-r).Line(x, y+r).Cube(x, y+k, x+k, y, x+r, y)
}

// Ellipse is one about cx, cy.
func Ellipse(cx, cy, rx, ry float64) Path {
	a, b := rx*kappa, ry*kappa
	return Path{}.Move(cx+rx, cy).Cube(cx+rx, cy+b, cx+a, cy+ry, cx, cy+ry).Cube(cx-a, cy+ry, cx-rx, cy+b, cx-rx, cy).
		Cube(cx-rx, cy-b, cx-a, cy-ry, cx, cy-ry).Cube(cx+a, cy-ry, cx+rx, cy-b, cx+rx, cy)
}

// Ring is the line of an ellipse.
func Ring(cx, cy, rx, ry, width float64) Path {
	inner := Ellipse(cx, cy, rx-width, ry-width).Map(func(p Point) Point { return Point{p.X, 2*cy - p.Y} }) // the other way round
	return append(Ellipse(cx, cy, rx, ry), inner...)
}

// Frame is the line of a rectangle, inside it.
func Frame(x, y, w, h, width float64) Path {
	return append(Rect(x, y, w, h), Polygon(Point{x + width, y + width}, Point{x + width, y + h - width}, Point{x + w - width, y + h - width}, Point{x + w - width, y + width})...)
}

// Stroke is a straight line of a width.
func Stroke(x1, y1, x2, y2, width float64) Path {
	length := math.Hypot(x2-x1, y2-y1)
	if length == 0 {
		return nil
	}
	dx, dy := (y2-y1)/length*width/2, -(x2-x1)/length*width/2
	return Polygon(Point{x1 + dx, y1 + dy}, Point{x2 + dx, y2 + dy}, Point{x2 - dx, y2 - dy}, Point{x1 - dx, y1 - dy})
}
