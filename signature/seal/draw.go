package seal

import (
	"bytes"
	"fmt"
	"math"
)

// Measures in thousandths of the side of the seal.
const (
	ringWidth  = 42
	inkSpread  = 11  // how far ink runs beyond an outline, each side
	discRadius = 432 // of the disc that the name fills
)

// kappa makes a cubic curve a quarter of a circle.
const kappa = 0.5522847

// Content gives the operators (ISO 32000-2 §8.5) that draw the seal, #c8102e, into a square of side points whose
// lower left corner is the origin. It needs no resource.
func (s *Seal) Content(side float64) []byte {
	var b bytes.Buffer
	scale := side / 1000
	fmt.Fprintf(&b, "q %.5f 0 0 %.5f 0 0 cm\n0.784 0.063 0.180 rg\n0.784 0.063 0.180 RG\n1 j\n1 J\n", scale, scale)
	radius := 500 - ringWidth/2.
	fmt.Fprintf(&b, "%d w\n", ringWidth)
	circle(&b, radius)
	b.WriteString("s\n")
	fmt.Fprintf(&b, "%d w\n", 2*inkSpread)
	for i, c := range s.cells() {
		o := outlineOf(s.name[i])
		if s.name[i] == 'ー' && !s.latin {
			o = o.upright()
		}
		for j, p := range bent(o.fitted(c)) {
			if !p.begins {
				fmt.Fprintf(&b, "%s %s %s c\n", on(p.c1), on(p.c2), on(p.to))
				continue
			}
			if j > 0 {
				b.WriteString("h ")
			}
			fmt.Fprintf(&b, "%s m\n", on(p.to))
		}
		b.WriteString("b\n")
	}
	b.WriteString("Q\n")
	return b.Bytes()
}

// on writes a point of the disc as whole thousandths of the side.
func on(p point) string {
	return fmt.Sprintf("%d %d", int(math.Round(500+p.x*discRadius)), int(math.Round(500+p.y*discRadius)))
}

func circle(b *bytes.Buffer, r float64) {
	k := r * kappa
	fmt.Fprintf(b, "%.0f 500 m\n", 500+r)
	for _, c := range [][6]float64{{r, k, k, r, 0, r}, {-k, r, -r, k, -r, 0}, {-r, -k, -k, -r, 0, -r}, {k, -r, r, -k, r, 0}} {
		for _, v := range c {
			fmt.Fprintf(b, "%.0f ", 500+v)
		}
		b.WriteString("c\n")
	}
}
