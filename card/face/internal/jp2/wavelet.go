package jp2

import "image"

type bandKind int

const (
	bandLL bandKind = iota
	bandHL          // high across, low down
	bandLH
	bandHH
)

// band is a part of the coefficients; stride is the distance of its rows in data.
type band struct {
	kind         bandKind
	data         []int32
	w, h, stride int
}

// transform gives the wavelet's coefficients, each level's low part in the upper left corner.
func transform(m *image.Gray, w, h int) []int32 {
	c := make([]int32, w*h)
	for y := range h {
		for x := range w {
			c[y*w+x] = int32(m.GrayAt(m.Rect.Min.X+x, m.Rect.Min.Y+y).Y) - 128
		}
	}
	line := make([]int32, max(w, h))
	lw, lh := w, h
	for range levels {
		for x := range lw { // down comes first: the order matters to the rounding
			split(c[x:], lh, w, line)
		}
		for y := range lh {
			split(c[y*w:], lw, 1, line)
		}
		lw, lh = (lw+1)/2, (lh+1)/2
	}
	return c
}

// split takes one line of n values apart, in place: the low half, then the high half (F.4.8.1).
func split(c []int32, n, stride int, tmp []int32) {
	if n == 1 {
		return
	}
	x := tmp[:n]
	for i := range n {
		x[i] = c[i*stride]
	}
	for i := 1; i < n; i += 2 {
		right := i + 1
		if right == n {
			right = i - 1
		}
		x[i] -= (x[i-1] + x[right]) >> 1
	}
	for i := 0; i < n; i += 2 {
		left, right := i-1, i+1
		if left < 0 {
			left = right
		}
		if right >= n {
			right = left
		}
		x[i] += (x[left] + x[right] + 2) >> 2
	}
	low := (n + 1) / 2
	for i := range n {
		if i%2 == 0 {
			c[i/2*stride] = x[i]
		} else {
			c[(low+i/2)*stride] = x[i]
		}
	}
}

// resolutions gives the bands of each packet, the coarsest first.
func resolutions(c []int32, w, h int) [][]band {
	var out [][]band
	for l := levels; l >= 0; l-- {
		lw, lh := ceilShift(w, l), ceilShift(h, l)
		if l == levels {
			out = append(out, []band{{bandLL, c, lw, lh, w}})
			continue
		}
		hw, hh := ceilShift(w, l+1), ceilShift(h, l+1) // size of the low part
		out = append(out, []band{
			{bandHL, c[min(hw, len(c)):], lw - hw, hh, w},
			{bandLH, c[min(hh*w, len(c)):], hw, lh - hh, w},
			{bandHH, c[min(hh*w+hw, len(c)):], lw - hw, lh - hh, w},
		})
	}
	return out
}

func ceilShift(n, by int) int { return (n + 1<<by - 1) >> by }
