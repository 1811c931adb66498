package jp2

import "math/bits"

// codeBlock is a coded block: how many planes of bits it has (none where all is zero), and its octets.
type codeBlock struct {
	planes int
	data   []byte
}

const (
	significant uint8 = 1 << iota
	negative
	visited
	refined
)

// coder codes one block plane by plane (annex D). Flags have a border of one all round.
type coder struct {
	mq       *mq
	kind     bandKind
	w, h     int
	mag      []uint32
	flags    []uint8
	fw       int // width of flags
	plane    int
	neighbor [8]int // offsets: W E N S, then the four diagonals
}

// block codes the block of a band that begins at x, y.
func (b band) block(x, y int) codeBlock {
	c := &coder{mq: newMQ(), kind: b.kind, w: min(blockSide, b.w-x), h: min(blockSide, b.h-y)}
	c.fw = c.w + 2
	c.mag, c.flags = make([]uint32, c.w*c.h), make([]uint8, c.fw*(c.h+2))
	c.neighbor = [8]int{-1, 1, -c.fw, c.fw, -c.fw - 1, -c.fw + 1, c.fw - 1, c.fw + 1}
	var all uint32
	for j := range c.h {
		for i := range c.w {
			v := b.data[(y+j)*b.stride+x+i]
			if v < 0 {
				v = -v
				c.flags[c.at(i, j)] |= negative
			}
			c.mag[j*c.w+i] = uint32(v)
			all |= uint32(v)
		}
	}
	planes := bits.Len32(all)
	for c.plane = planes - 1; c.plane >= 0; c.plane-- {
		if c.plane < planes-1 {
			c.scan(c.propagate)
			c.scan(c.refine)
		}
		c.cleanUp()
	}
	return codeBlock{planes, c.mq.flush()}
}

func (c *coder) at(x, y int) int           { return (y+1)*c.fw + x + 1 }
func (c *coder) bitAt(x, y int) uint8      { return uint8(c.mag[y*c.w+x] >> c.plane & 1) }
func (c *coder) is(f int, flag uint8) bool { return c.flags[f]&flag != 0 }

// scan visits the block in stripes of four rows, column by column.
func (c *coder) scan(visit func(x, y int)) {
	for top := 0; top < c.h; top += 4 {
		for x := range c.w {
			for y := top; y < min(top+4, c.h); y++ {
				visit(x, y)
			}
		}
	}
}

// sums counts the significant neighbours: beside, above and below, diagonal.
func (c *coder) sums(f int) (h, v, d int) {
	n := func(from, to int) (s int) {
		for _, o := range c.neighbor[from:to] {
			s += int(c.flags[f+o] & significant)
		}
		return s
	}
	return n(0, 2), n(2, 4), n(4, 8)
}

// zeroContext is table D.1.
func (c *coder) zeroContext(f int) int {
	h, v, d := c.sums(f)
	if c.kind == bandHH {
		hv := min(h+v, 2)
		switch {
		case d >= 3:
			return 8
		case d == 2:
			return 6 + min(hv, 1)
		case d == 1:
			return 3 + hv
		}
		return hv
	}
	if c.kind == bandHL {
		h, v = v, h
	}
	switch {
	case h == 2:
		return 8
	case h == 1 && v >= 1:
		return 7
	case h == 1:
		return 5 + min(d, 1)
	case v > 0:
		return 2 + v
	}
	return min(d, 2)
}

// sign codes the sign of a coefficient that has just become significant (tables D.2, D.3).
func (c *coder) sign(f int) {
	part := func(a, b int) (s int) {
		for _, o := range []int{a, b} {
			switch c.flags[f+o] & (significant | negative) {
			case significant:
				s++
			case significant | negative:
				s--
			}
		}
		return max(-1, min(s, 1))
	}
	h, v := part(c.neighbor[0], c.neighbor[1]), part(c.neighbor[2], c.neighbor[3])
	var flip uint8
	if h < 0 || h == 0 && v < 0 {
		h, v, flip = -h, -v, 1
	}
	var bit uint8
	if c.is(f, negative) {
		bit = 1
	}
	c.mq.encode(ctxSign+3*h+v, bit^flip)
	c.flags[f] |= significant
}

// propagate is the significance propagation pass.
func (c *coder) propagate(x, y int) {
	f := c.at(x, y)
	if c.is(f, significant) {
		return
	}
	ctx := c.zeroContext(f)
	if ctx == 0 {
		return
	}
	bit := c.bitAt(x, y)
	c.mq.encode(ctx, bit)
	if bit == 1 {
		c.sign(f)
	}
	c.flags[f] |= visited
}

// refine is the magnitude refinement pass.
func (c *coder) refine(x, y int) {
	f := c.at(x, y)
	if !c.is(f, significant) || c.is(f, visited) {
		return
	}
	ctx := ctxRefine
	if c.is(f, refined) {
		ctx = ctxRefine + 2
	} else if h, v, d := c.sums(f); h+v+d > 0 {
		ctx = ctxRefine + 1
	}
	c.mq.encode(ctx, c.bitAt(x, y))
	c.flags[f] |= refined
}

// cleanUp is the pass that codes what the others left, whole columns of zeroes at once.
func (c *coder) cleanUp() {
	for top := 0; top < c.h; top += 4 {
		for x := range c.w {
			y, found := top, false
			if c.quiet(x, top) {
				run := 0
				for run < 4 && c.bitAt(x, top+run) == 0 {
					run++
				}
				if run == 4 {
					c.mq.encode(ctxRun, 0)
					continue
				}
				c.mq.encode(ctxRun, 1)
				c.mq.encode(ctxUniform, uint8(run>>1))
				c.mq.encode(ctxUniform, uint8(run&1))
				y, found = top+run, true
			}
			for ; y < min(top+4, c.h); y++ {
				c.clean(x, y, found)
				found = false
			}
		}
	}
	for i := range c.flags {
		c.flags[i] &^= visited
	}
}

// clean codes one coefficient in the clean-up pass; found says that its bit is known to be 1.
func (c *coder) clean(x, y int, found bool) {
	f := c.at(x, y)
	if c.is(f, significant) || c.is(f, visited) {
		return
	}
	bit := c.bitAt(x, y)
	if !found {
		c.mq.encode(c.zeroContext(f), bit)
	}
	if bit == 1 {
		c.sign(f)
	}
}

// quiet tells whether a column of four has nothing significant in it or around it.
func (c *coder) quiet(x, top int) bool {
	if top+4 > c.h {
		return false
	}
	for y := top; y < top+4; y++ {
		if f := c.at(x, y); c.flags[f]&(significant|visited) != 0 || c.zeroContext(f) != 0 {
			return false
		}
	}
	return true
}
