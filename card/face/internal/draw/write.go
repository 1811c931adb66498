package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/draw"
	"math"
	"strconv"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/vector"
)

// SVG writes the sheet as a file that needs nothing else; unit is the unit of its size ("mm"). title is what a
// screen reader says first, description what it can say on.
func (c *Canvas) SVG(unit, title, description string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s%s" height="%s%s" viewBox="0 0 %s %s" role="img">`,
		number(c.W), unit, number(c.H), unit, number(c.W), number(c.H))
	b.WriteString("\n<title>")
	xml.EscapeText(&b, []byte(title)) // a buffer takes everything
	b.WriteString("</title>\n<desc>")
	xml.EscapeText(&b, []byte(description))
	b.WriteString("</desc>\n<defs>\n")
	c.defs(&b)
	b.WriteString("</defs>\n")
	for _, i := range c.items {
		paint := fmt.Sprintf(`fill="#%02x%02x%02x"`, i.fill.R, i.fill.G, i.fill.B)
		if i.fill.A != 255 {
			paint += fmt.Sprintf(` fill-opacity="%s"`, number(float64(i.fill.A)/255))
		}
		if len(i.path) > 0 {
			fmt.Fprintf(&b, "<path %s d=\"%s\"/>\n", paint, i.path.data(1))
		}
		if len(i.glyphs) == 0 {
			continue
		}
		fmt.Fprintf(&b, "<g %s>", paint)
		for _, g := range i.glyphs {
			fmt.Fprintf(&b, `<use href="#g%d" transform="translate(%s %s) scale(%s)"/>`, g.index, number(g.at.X), number(g.at.Y), strconv.FormatFloat(i.size/1000, 'g', 5, 64))
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// defs writes each glyph once, in thousandths of the em.
func (c *Canvas) defs(b *bytes.Buffer) {
	seen := map[sfnt.GlyphIndex]bool{}
	for _, i := range c.items {
		for _, g := range i.glyphs {
			if !seen[g.index] {
				seen[g.index] = true
				fmt.Fprintf(b, "<path id=\"g%d\" d=\"%s\"/>\n", g.index, g.outline.data(1000))
			}
		}
	}
}

// data writes the outlines as SVG does.
func (p Path) data(scale float64) string {
	var b bytes.Buffer
	write := func(points ...Point) {
		for i, q := range points {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(number(q.X*scale) + " " + number(q.Y*scale))
		}
	}
	for i, s := range p {
		if s.op == 'M' && i > 0 {
			b.WriteByte('Z')
		}
		b.WriteByte(s.op)
		switch s.op {
		case 'C':
			write(s.p[:]...)
		case 'Q':
			write(s.p[1:]...)
		default:
			write(s.p[2])
		}
	}
	b.WriteByte('Z')
	return b.String()
}

// number writes two decimals at most.
func number(f float64) string {
	return strconv.FormatFloat(math.Round(f*100)/100+0, 'f', -1, 64) // +0: no -0
}

// Image gives the sheet in pixels, so many a unit.
func (c *Canvas) Image(perUnit float64) *image.NRGBA {
	size := image.Pt(int(math.Round(c.W*perUnit)), int(math.Round(c.H*perUnit)))
	sheet := image.NewRGBA(image.Rectangle{Max: size})
	var r vector.Rasterizer
	for _, i := range c.items {
		paint(sheet, &r, i, perUnit)
	}
	out := image.NewNRGBA(sheet.Rect)
	draw.Draw(out, out.Rect, sheet, image.Point{}, draw.Src)
	return out
}

// paint fills one item, looking no further than its box.
func paint(sheet *image.RGBA, r *vector.Rasterizer, i item, perUnit float64) {
	path := append(Path(nil), i.path...)
	for _, g := range i.glyphs {
		path = append(path, g.outline.Map(func(q Point) Point { return Point{g.at.X + q.X*i.size, g.at.Y + q.Y*i.size} })...)
	}
	path = path.Map(func(p Point) Point { return Point{p.X * perUnit, p.Y * perUnit} })
	low, high := path.bounds()
	box := image.Rect(int(math.Floor(low.X)), int(math.Floor(low.Y)), int(math.Ceil(high.X)), int(math.Ceil(high.Y))).Intersect(sheet.Rect)
	if box.Empty() {
		return
	}
	r.Reset(box.Dx(), box.Dy())
	at := func(p Point) (x, y float32) {
		return float32(p.X - float64(box.Min.X)), float32(p.Y - float64(box.Min.Y))
	}
	for n, s := range path {
		x0, y0 := at(s.p[0])
		x1, y1 := at(s.p[1])
		x2, y2 := at(s.p[2])
		switch s.op {
		case 'M':
			if n > 0 {
				r.ClosePath()
			}
			r.MoveTo(x2, y2)
		case 'L':
			r.LineTo(x2, y2)
		case 'Q':
			r.QuadTo(x1, y1, x2, y2)
		case 'C':
			r.CubeTo(x0, y0, x1, y1, x2, y2)
		}
	}
	r.ClosePath()
	r.Draw(sheet, box, image.NewUniform(i.fill), image.Point{})
}
