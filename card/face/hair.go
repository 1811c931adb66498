package face

import "github.com/jitsuin/jitsuin/card/face/internal/draw"

// hairBehind is what hangs down behind the head.
func (k looks) hairBehind(c *draw.Canvas) {
	w, dark := k.face, shade(k.hair, .88)
	if !k.feminine {
		return
	}
	switch style := k.style % 5; {
	case k.class == toddler:
	case style == 0: // long
		c.Fill(dark, draw.Path{}.Move(middle-w-5, 50).Cube(middle-w-8, 12, middle+w+8, 12, middle+w+5, 50).Line(middle+w+6, 106).Quad(middle, 112, middle-w-6, 106))
	case style == 1: // to the chin
		c.Fill(dark, draw.Path{}.Move(middle-w-5, 50).Cube(middle-w-8, 12, middle+w+8, 12, middle+w+5, 50).Quad(middle+w+8, 76, middle+w+1, 84).Line(middle-w-1, 84).Quad(middle-w-8, 76, middle-w-5, 50))
	case style == 2 && k.class < teen: // two tails
		for _, side := range []float64{-1, 1} {
			x := middle + side*(w+6)
			c.Fill(dark, draw.Path{}.Move(x-side*6, 48).Quad(x+side*10, 52, x+side*4, 92).Quad(x-side*5, 80, x-side*6, 48))
		}
	case style == 2: // a bun
		c.Fill(dark, draw.Ellipse(middle, 25, 11, 10))
	case style == 3: // a tail at one side
		c.Fill(dark, draw.Path{}.Move(middle+w-4, 40).Cube(middle+w+14, 46, middle+w+13, 90, middle+w+2, 104).Cube(middle+w+1, 84, middle+w-1, 66, middle+w-4, 40))
	case k.class >= adult: // waves
		for _, y := range []float64{42, 56, 70, 82} {
			c.Fill(dark, draw.Ellipse(middle-w-2, y, 8, 10), draw.Ellipse(middle+w+2, y, 8, 10))
		}
	}
}

// hairInFront is the hair on the head and on the forehead.
func (k looks) hairInFront(c *draw.Canvas) {
	switch {
	case k.class == toddler:
		k.cap(c, 38, 2)
		c.Fill(k.hair, draw.Path{}.Move(middle-5, 30).Quad(middle-2, 20, middle+6, 24).Quad(middle+1, 26, middle+4, 32))
	case k.feminine:
		k.fringe(c)
	case k.class == child:
		k.bowl(c)
	case k.class >= adult && k.style >= 9: // little hair left
		for _, side := range []float64{-1, 1} {
			x := middle + side*k.face
			c.Fill(k.hair, draw.Path{}.Move(x+side*2, 60).Cube(x+side*4, 46, x+side*1, 38, x-side*6, 35).Quad(x-side*3, 44, x-side*1.5, 52))
		}
	default:
		k.short(c)
	}
}

// cap covers the head down to a line.
func (k looks) cap(c *draw.Canvas, line, grow float64) {
	w := k.face + grow
	c.Fill(k.hair, draw.Path{}.Move(middle-w, 54).Cube(middle-w-1, k.top-6-grow, middle+w+1, k.top-6-grow, middle+w, 54).
		Quad(middle+w-3, line+6, middle+w-8, line).Quad(middle, line-5, middle-w+8, line).Quad(middle-w+3, line+6, middle-w, 54))
}

// short is the hair of most men: parted at one side, brushed up, or combed down.
func (k looks) short(c *draw.Canvas) {
	w, top := k.face+2.5, k.top-9
	sides := draw.Path{}.Move(middle-w, 58).Cube(middle-w-2, top, middle+w+2, top, middle+w, 58).Line(middle+w-3, 56)
	switch k.style % 3 {
	case 0:
		c.Fill(k.hair, sides.Quad(middle+w-3, 46, middle+w-6, 42).Quad(middle+4, 42, middle-8, 34).Quad(middle-w+6, 40, middle-w+3, 56))
	case 1:
		c.Fill(k.hair, sides.Quad(middle+w-3, 44, middle+w-9, 39).Quad(middle, 35, middle-w+9, 39).Quad(middle-w+3, 44, middle-w+3, 56))
	default:
		p := sides.Line(middle+w-4, 46)
		for i := range 5 { // teeth
			x := middle + w - 4 - float64(i)*(2*w-8)/5
			p = p.Line(x-(2*w-8)/10, 40+float64(i%2)).Line(x-(2*w-8)/5, 46)
		}
		c.Fill(k.hair, p.Line(middle-w+3, 56))
	}
}

// bowl is a boy's hair.
func (k looks) bowl(c *draw.Canvas) {
	w, top := k.face+3, k.top-9
	p := draw.Path{}.Move(middle-w, 60).Cube(middle-w-2, top, middle+w+2, top, middle+w, 60).Line(middle+w-3.5, 58)
	if k.bangs {
		c.Fill(k.hair, p.Quad(middle+w-4, 50, middle+w-5, 48).Quad(middle, 50.5, middle-w+5, 48).Quad(middle-w+4, 50, middle-w+3.5, 58))
		return
	}
	c.Fill(k.hair, p.Quad(middle+w-4, 46, middle+w-8, 41).Line(middle+5, 46).Line(middle+1, 40).Line(middle-6, 46).Line(middle-9, 40).Quad(middle-w+5, 46, middle-w+3.5, 58))
}

// fringe is a woman's hair above the face.
func (k looks) fringe(c *draw.Canvas) {
	w, top := k.face+3, k.top-9
	p := draw.Path{}.Move(middle-w, 62).Cube(middle-w-2, top, middle+w+2, top, middle+w, 62).Quad(middle+w-3, 56, middle+w-4.5, 49)
	switch {
	case k.bangs && k.class != senior:
		c.Fill(k.hair, p.Quad(middle, 45, middle-w+4.5, 49).Quad(middle-w+3, 56, middle-w, 62))
	case k.style%2 == 0:
		c.Fill(k.hair, p.Quad(middle+8, 46, middle-7, 34).Quad(middle-w+7, 40, middle-w+4.5, 49).Quad(middle-w+3, 56, middle-w, 62))
	default:
		c.Fill(k.hair, p.Quad(middle+w-8, 38, middle, 35).Quad(middle-w+8, 38, middle-w+4.5, 49).Quad(middle-w+3, 56, middle-w, 62))
	}
}
