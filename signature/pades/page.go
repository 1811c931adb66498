package pades

import (
	"fmt"
	"math"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/pdf"
)

// maxParents bounds the way from a page to the root of its tree.
const maxParents = 64

// page is one page with what it inherits.
type page struct {
	pdf.Page
	box    [4]float64 // what is shown of it: left, bottom, right, top
	rotate int        // 0, 90, 180 or 270, clockwise
}

// findPage finds page n, counted from 1: Invalid "pdf-page" where there is none.
func (s *source) findPage(n int) (*page, error) {
	pages, err := s.Pages()
	if err != nil {
		return nil, err
	}
	if n < 1 || n > len(pages) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-page", "the document has %d pages and no page %d", len(pages), n).At("page")
	}
	p := &page{Page: pages[n-1]}
	media, err := s.inherited(p.Dict, "MediaBox")
	if err != nil {
		return nil, err
	}
	box, err := s.numbers(media, 4, "/MediaBox")
	if err != nil {
		return nil, err
	}
	p.box = upright(box)
	crop, err := s.inherited(p.Dict, "CropBox")
	if err != nil {
		return nil, err
	}
	if crop != nil {
		if box, err = s.numbers(crop, 4, "/CropBox"); err != nil {
			return nil, err
		}
		c := upright(box)
		p.box = [4]float64{max(p.box[0], c[0]), max(p.box[1], c[1]), min(p.box[2], c[2]), min(p.box[3], c[3])}
	}
	turned, err := s.inherited(p.Dict, "Rotate")
	if err != nil {
		return nil, err
	}
	if degrees, ok := turned.(int64); ok {
		p.rotate = int((degrees%360 + 360) % 360)
	}
	if p.rotate%90 != 0 || !(p.box[2] > p.box[0] && p.box[3] > p.box[1]) {
		return nil, odd("a page has no area, or is turned by %d degrees", p.rotate)
	}
	return p, nil
}

// inherited gives an entry of a page, its own or that of a node above it (ISO 32000-2 §7.7.3.4), resolved.
func (s *source) inherited(page *pdf.Dict, key pdf.Name) (pdf.Object, error) {
	for range maxParents {
		if page == nil {
			return nil, nil
		}
		if page.Has(key) {
			return s.Resolve(page.Get(key))
		}
		var err error
		if page, err = s.Dict(page.Get("Parent")); err != nil {
			return nil, err
		}
	}
	return nil, odd("the tree of pages is deeper than %d", maxParents)
}

// upright puts the corners of a rectangle in order.
func upright(r []float64) [4]float64 {
	return [4]float64{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}
}

// place gives the rectangle of a square of side whose lower left corner a person sees at x, y; see Appearance. Invalid
// "pdf-page" where it would lie outside the page.
func (p *page) place(x, y, side float64) ([4]float64, error) {
	w, h := p.box[2]-p.box[0], p.box[3]-p.box[1]
	if p.rotate%180 != 0 {
		w, h = h, w
	}
	if x < 0 {
		x += w - side
	}
	if y < 0 {
		y += h - side
	}
	if !(x >= 0 && y >= 0 && x+side <= w && y+side <= h) {
		return [4]float64{}, jitsuin.Errorf(jitsuin.Invalid, "pdf-page",
			"a seal of %g points at %g,%g does not lie on the page, which is %g by %g", side, x, y, math.Round(w*10)/10, math.Round(h*10)/10).At("seal")
	}
	var left, bottom float64
	switch p.rotate {
	case 0:
		left, bottom = x, y
	case 90: // the page's left side is shown above
		left, bottom = h-y-side, x
	case 180:
		left, bottom = w-x-side, h-y-side
	case 270:
		left, bottom = y, w-x-side
	}
	left, bottom = left+p.box[0], bottom+p.box[1]
	return [4]float64{left, bottom, left + side, bottom + side}, nil
}

// rectangle writes a rectangle in hundredths of a point.
func rectangle(r [4]float64) raw {
	return raw(fmt.Sprintf("[%.2f %.2f %.2f %.2f]", r[0], r[1], r[2], r[3]))
}
