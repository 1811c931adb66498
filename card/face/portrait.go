package face

import (
	"image/color"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face/internal/draw"
)

// a portrait is drawn on a sheet of this size.
const (
	portraitWidth  = 96
	portraitHeight = 120
)

// ageClass is how old a portrait looks.
type ageClass int

const (
	toddler ageClass = iota // 1 to 3
	child                   // to 12
	teen                    // to 19
	adult                   // to 64
	senior
)

func classOf(age int) ageClass {
	switch {
	case age <= 3:
		return toddler
	case age <= 12:
		return child
	case age <= 19:
		return teen
	case age <= 64:
		return adult
	}
	return senior
}

// looks are the choices that make a portrait.
type looks struct {
	class                                ageClass
	feminine                             bool
	skin, hair, clothes, collar, ground  color.NRGBA
	face                                 float64 // half the width of the head
	top, chin                            float64
	style                                int
	glasses, beard, freckles, tie, bangs bool
	brow, mouth                          float64
}

var (
	skins     = []uint32{0xf7d9bd, 0xf2cda9, 0xeabf97, 0xdcaa80, 0xb98258, 0x8d5f3f}
	hairs     = []uint32{0x1f1b1a, 0x2b211d, 0x3a2a22, 0x51392b, 0x6d4a33}
	greyHairs = []uint32{0x77777a, 0x9a9a9d, 0xbcbcbf, 0xd9d9dc, 0x55555a}
	cloths    = []uint32{0x2f4a73, 0x39424e, 0x2f6b5d, 0x7a3e4d, 0x5d4a80, 0x3f7ea6, 0x8a6a3c, 0x46515c}
	brights   = []uint32{0xe8a33c, 0x4fa08b, 0xd9737e, 0x5b93d1, 0x9a7ac0, 0xc8b23f}
	grounds   = []uint32{0xd9e6f2, 0xe3e9dc, 0xefe6d8, 0xe6e0ee, 0xdbeae8, 0xeceff3}
)

// looksOf draws a person's looks by lot. The order of the draws is part of what makes a portrait the same for ever.
func looksOf(p Person) looks {
	l := newLot(p.ID)
	pick := func(from []uint32) color.NRGBA { return draw.Hex(from[l.under(len(from))]) }
	k := looks{class: classOf(p.age()), feminine: p.Items.Sex == jitsuin.Female}
	coin, skin := l.chance(50), l.under(100)
	if p.Items.Sex != jitsuin.Male && p.Items.Sex != jitsuin.Female {
		k.feminine = coin
	}
	k.skin = draw.Hex(skins[min(skin/24, 3)])
	if skin >= 94 {
		k.skin = draw.Hex(skins[4+skin%2])
	}
	black, grey, dark, bright := pick(hairs), pick(greyHairs), pick(cloths), pick(brights)
	k.hair, k.clothes, k.collar, k.ground = black, dark, draw.Hex(0xfafafa), pick(grounds)
	k.face, k.top, k.chin = l.between(21.5, 24.5), l.between(27, 29), l.between(80, 84)
	k.style, k.brow, k.mouth = l.under(12), l.between(-1, 1), l.between(4.5, 7)
	spectacled, bearded, freckled, tied := l.under(100), l.under(100), l.under(100), l.chance(55)
	k.bangs = l.chance(60)
	switch k.class {
	case toddler:
		k.face, k.chin, k.clothes = k.face+3, k.chin-3, bright
	case child:
		k.face, k.chin, k.clothes = k.face+1.5, k.chin-2, bright
		k.glasses, k.freckles = spectacled < 10, freckled < 25
	case teen:
		k.glasses = spectacled < 22
	case adult:
		k.glasses, k.beard = spectacled < 30, bearded < 12 && !k.feminine
	case senior:
		k.hair, k.glasses, k.beard = grey, spectacled < 60, bearded < 18 && !k.feminine
	}
	k.tie = tied && !k.feminine && k.class >= teen
	return k
}

// portrait draws a person; nil where the card has no photo.
func portrait(p Person) *draw.Canvas {
	if !p.HasPhoto() {
		return nil
	}
	k, c := looksOf(p), draw.New(portraitWidth, portraitHeight)
	c.Fill(k.ground, draw.Rect(0, 0, portraitWidth, portraitHeight))
	k.hairBehind(c)
	k.body(c)
	k.head(c)
	k.features(c)
	k.hairInFront(c)
	if k.glasses {
		k.spectacles(c)
	}
	return c
}

// shade is a colour made darker (below 1) or lighter.
func shade(c color.NRGBA, by float64) color.NRGBA {
	f := func(v uint8) uint8 { return uint8(max(0, min(255, float64(v)*by))) }
	return color.NRGBA{f(c.R), f(c.G), f(c.B), c.A}
}

// middle is the axis of the face.
const middle = portraitWidth / 2

func (k looks) body(c *draw.Canvas) {
	wide := map[ageClass]float64{toddler: 28, child: 31, teen: 37, adult: 41, senior: 38}[k.class]
	if k.feminine {
		wide -= 3
	}
	neck := map[ageClass]float64{toddler: 8, child: 8, teen: 9.5, adult: 11, senior: 10}[k.class]
	if k.feminine {
		neck--
	}
	left, right := middle-wide, middle+wide
	c.Fill(k.clothes, draw.Path{}.Move(left, 120).Cube(left+1, 103, left+8, 99, middle-neck-4, 95).Line(middle+neck+4, 95).Cube(right-8, 99, right-1, 103, right, 120))
	c.Fill(shade(k.skin, .9), draw.Path{}.Move(middle-neck, 72).Line(middle+neck, 72).Line(middle+neck, 95).Quad(middle, 108, middle-neck, 95))
	if k.class < teen { // a round neckline
		c.Fill(shade(k.clothes, 1.2), draw.Path{}.Move(middle-neck-4, 95).Quad(middle, 112, middle+neck+4, 95).Line(middle+neck, 95).Quad(middle, 106, middle-neck, 95))
		return
	}
	depth := 109.0
	if k.style%2 == 1 && k.feminine {
		depth = 113
	}
	c.Fill(k.collar, draw.Polygon(draw.Point{X: middle - neck - 4, Y: 94}, draw.Point{X: middle - neck, Y: 92}, draw.Point{X: middle, Y: depth}, draw.Point{X: middle - 9, Y: 116}),
		draw.Polygon(draw.Point{X: middle + neck + 4, Y: 94}, draw.Point{X: middle + 9, Y: 116}, draw.Point{X: middle, Y: depth}, draw.Point{X: middle + neck, Y: 92}))
	if k.tie {
		c.Fill(shade(k.clothes, 1.5), draw.Polygon(draw.Point{X: middle - 3, Y: 106}, draw.Point{X: middle + 3, Y: 106}, draw.Point{X: middle + 4, Y: 120}, draw.Point{X: middle - 4, Y: 120}))
	}
}

// outline is that of the face, a little larger by grow.
func (k looks) outline(grow float64) draw.Path {
	w, jaw := k.face+grow, k.face*.62
	if k.feminine || k.class < teen {
		jaw = k.face * .5
	}
	eyes, chin := 54.0, k.chin+grow
	return draw.Path{}.Move(middle-w, eyes).Cube(middle-w, k.top-2-grow, middle+w, k.top-2-grow, middle+w, eyes).
		Cube(middle+w, eyes+13, middle+jaw+5, chin-4, middle+jaw*.6, chin-1).Quad(middle, chin+2.5, middle-jaw*.6, chin-1).
		Cube(middle-jaw-5, chin-4, middle-w, eyes+13, middle-w, eyes)
}

func (k looks) head(c *draw.Canvas) {
	for _, x := range []float64{middle - k.face, middle + k.face} {
		c.Fill(shade(k.skin, .95), draw.Ellipse(x, 58, 4, 6))
		c.Fill(shade(k.skin, .84), draw.Ellipse(x, 58, 1.8, 3.4))
	}
	c.Fill(k.skin, k.outline(0))
}

func (k looks) features(c *draw.Canvas) {
	dark, apart, eyes := shade(k.hair, .8), k.face*.43, 57.0
	if k.class == senior {
		dark = draw.Hex(0x4a4a4d)
	}
	size := 2.3
	if k.class < teen {
		size, eyes = 2.9, 60
	}
	for _, side := range []float64{-1, 1} {
		x := middle + side*apart
		c.Fill(draw.Hex(0x2a211e), draw.Ellipse(x, eyes, size*.85, size))
		c.Fill(draw.Hex(0xffffff), draw.Ellipse(x+.7, eyes-.8, .7, .7))
		if k.feminine && k.class >= teen {
			c.Fill(dark, draw.Path{}.Move(x-side*2.8, eyes-1.8).Quad(x, eyes-4.4, x+side*3.8, eyes-2.4).Quad(x, eyes-3.2, x-side*2.8, eyes-1.8))
		}
		y, thick := eyes-7+k.brow, 1.5
		if !k.feminine && k.class >= teen {
			thick = 2.2
		}
		c.Fill(dark, draw.Path{}.Move(x-side*4, y+.6).Quad(x, y-2.2, x+side*5, y+.8).Quad(x, y-2.2+thick, x-side*4, y+.6))
		c.Fill(draw.Thin(draw.Hex(0xe58b7b), .28), draw.Ellipse(x+side*3, eyes+9, 4.4, 2.6))
		if k.class == senior {
			line := draw.Thin(shade(k.skin, .7), .8)
			c.Fill(line, draw.Path{}.Move(x-side*2, eyes+5).Quad(x+side*1, eyes+6.4, x+side*4, eyes+4.6).Quad(x+side*1, eyes+5.6, x-side*2, eyes+5))
			c.Fill(line, draw.Path{}.Move(middle+side*6, 66).Quad(middle+side*9.5, 69, middle+side*9, 73).Quad(middle+side*8.4, 69.4, middle+side*6, 66))
		}
		if k.freckles {
			for _, d := range []float64{1, 3.4, 5.6} {
				c.Fill(draw.Thin(shade(k.skin, .6), .6), draw.Ellipse(x+side*(d-2), eyes+6.5+d/4, .5, .5))
			}
		}
	}
	if k.beard {
		c.Fill(draw.Thin(k.hair, .8), draw.Path{}.Move(middle-12, 70).Quad(middle, 66, middle+12, 70).Quad(middle+14, 80, middle+7, k.chin).Quad(middle, k.chin+3, middle-7, k.chin).Quad(middle-14, 80, middle-12, 70))
	}
	c.Fill(shade(k.skin, .82), draw.Path{}.Move(middle-1.6, 65.4).Quad(middle, 67.6, middle+2.2, 65.2).Quad(middle, 66.4, middle-1.6, 65.4))
	y, lip := 73.0, draw.Hex(0xa9564c)
	if k.beard {
		lip = draw.Hex(0xd98a7c)
	}
	c.Fill(lip, draw.Path{}.Move(middle-k.mouth, y-1).Quad(middle, y+3.6, middle+k.mouth, y-1).Quad(middle, y+1.6, middle-k.mouth, y-1))
}

func (k looks) spectacles(c *draw.Canvas) {
	frame, apart, y := draw.Hex(0x3c3c40), k.face*.43, 57.0
	if k.class < teen {
		y = 60
	}
	for _, side := range []float64{-1, 1} {
		x := middle + side*apart
		c.Fill(draw.Thin(draw.Hex(0xffffff), .18), draw.Ellipse(x, y, 7.2, 6.2))
		c.Fill(frame, draw.Ring(x, y, 7.6, 6.6, 1), draw.Stroke(x+side*7.2, y-1, middle+side*k.face, y-2, 1))
	}
	c.Fill(frame, draw.Stroke(middle-apart+7, y-.6, middle+apart-7, y-.6, 1))
}
