package face

import (
	"image/color"
	"math"

	"github.com/jitsuin/jitsuin/card/face/internal/draw"
)

// Colours of our own: nothing of a real card's.
var (
	ink    = draw.Hex(0x1b2340)
	soft   = draw.Hex(0x59617d)
	white  = draw.Hex(0xffffff)
	amber  = draw.Hex(0xffd43d)
	indigo = draw.Hex(0x2b3f7c)
	teal   = draw.Hex(0x1f6466)
	seal   = draw.Hex(0xc8102e) // for marks of a municipality alone
	line   = draw.Hex(0xb9c1da)
)

const (
	corner = 3.18
	band   = 6.4 // height of the head
	margin = 4.0
)

// blank is an empty side: ground, lattice, head, and what says that it is a sample.
func blank(paper, accent color.NRGBA, title string) *draw.Canvas {
	c := draw.New(Width, Height)
	c.Fill(paper, draw.Round(0, 0, Width, Height, corner))
	c.Fill(draw.Thin(accent, .13), lattice()...)
	const k = corner * (1 - .5522847)
	c.Fill(accent, draw.Path{}.Move(0, band).Line(0, corner).Cube(0, k, k, 0, corner, 0).Line(Width-corner, 0).Cube(Width-k, 0, Width, k, Width, corner).Line(Width, band))
	x := c.Text(margin, 4.4, 3.1, white, title)
	c.Text(x+2, 4.4, 3.1, amber, "見本")
	right(c, Width-margin, 4.3, 2.4, white, "SAMPLE ・ JPKI-TEST")
	return c
}

// lattice is three families of lines, like woven bamboo (籠目), inside the side.
func lattice() (lines []draw.Path) {
	const gap, inset, width = 3.6, 1.2, .16
	low, high := draw.Point{X: inset, Y: band}, draw.Point{X: Width - inset, Y: Height - inset}
	for _, degrees := range []float64{0, 60, 120} {
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		for n := -40; n < 40; n++ { // the line of points whose distance along the normal is n gaps
			at := draw.Point{X: Width/2 - sin*float64(n)*gap, Y: Height/2 + cos*float64(n)*gap}
			if a, b, ok := clip(at, cos, sin, low, high); ok {
				lines = append(lines, draw.Stroke(a.X, a.Y, b.X, b.Y, width))
			}
		}
	}
	return lines
}

// clip gives the part of a line that lies in a box.
func clip(at draw.Point, dx, dy float64, low, high draw.Point) (a, b draw.Point, ok bool) {
	from, to := math.Inf(-1), math.Inf(1)
	for _, axis := range [2][4]float64{{at.X, dx, low.X, high.X}, {at.Y, dy, low.Y, high.Y}} {
		p, d, l, h := axis[0], axis[1], axis[2], axis[3]
		if math.Abs(d) < 1e-9 {
			if p < l || p > h {
				return a, b, false
			}
			continue
		}
		s, e := (l-p)/d, (h-p)/d
		from, to = max(from, min(s, e)), min(to, max(s, e))
	}
	if to-from < .5 {
		return a, b, false
	}
	return draw.Point{X: at.X + dx*from, Y: at.Y + dy*from}, draw.Point{X: at.X + dx*to, Y: at.Y + dy*to}, true
}

// sample writes across a finished side that it is one.
func sample(c *draw.Canvas, accent color.NRGBA) {
	middle := draw.Point{X: Width / 2, Y: (Height + band) / 2}
	const size = 24.0
	w := draw.Width("見　本", size)
	c.Fill(draw.Thin(accent, .1), draw.Outline(middle.X-w/2, middle.Y+size*.37, size, "見　本").Turn(middle, -16))
	small := "この図は見本です。本物のカードではなく、身分の証明になりません。 SAMPLE, NOT A REAL CARD ・ JPKI-TEST"
	c.Text((Width-draw.Width(small, 1.15))/2, Height-.75, 1.15, soft, small)
}

// right writes a text that ends at x.
func right(c *draw.Canvas, x, y, size float64, fill color.NRGBA, s string) {
	c.Text(x-draw.Width(s, size), y, size, fill, s)
}

// fitted writes a text into a box, as large as it goes from most down to least, and gives the last base line.
func fitted(c *draw.Canvas, x, y, w, h, most, least float64, fill color.NRGBA, s string) float64 {
	const lead = 1.16
	size, lines := draw.Fit(s, most, least, lead, w, h)
	y += size * .88
	for i, text := range lines {
		if i > 0 {
			y += size * lead
		}
		c.Text(x, y, size, fill, text)
	}
	return y
}

// label writes what a value is, small.
func label(c *draw.Canvas, x, y float64, s string) { c.Text(x, y, 1.8, soft, s) }

// mark is the mark of a municipality's head (職印) as a drawing: the text in a frame, in columns from the right. It is no
// picture of a real seal, and says 見本.
func mark(c *draw.Canvas, x, y, side float64, head string) {
	shown, _ := draw.Visible(head + "見本")
	text := []rune(shown)
	rows := int(math.Ceil(math.Sqrt(float64(len(text)))))
	columns := (len(text) + rows - 1) / rows
	c.Fill(seal, draw.Frame(x, y, side, side, side*.055))
	cell := side * .86 / float64(rows)
	for i, r := range text {
		cx := x + side*.93 - side*.86/float64(columns)*(float64(i/rows)+.5)
		cy := y + side*.07 + cell*float64(i%rows)
		c.Text(cx-cell*.47, cy+cell*.85, cell*.94, seal, string(r))
	}
}
