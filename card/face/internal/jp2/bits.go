package jp2

// bitWriter writes packet headers: after an octet FF comes one whose highest bit is 0 (B.10.1).
type bitWriter struct {
	out  []byte
	cur  byte
	used int
	room int // bits of cur, 8 or 7; 0 before the first
}

func (w *bitWriter) bit(b int) {
	if w.room == 0 {
		w.room = 8
	}
	w.cur = w.cur<<1 | byte(b)
	if w.used++; w.used == w.room {
		w.out = append(w.out, w.cur)
		w.room = 8
		if w.cur == 0xFF {
			w.room = 7
		}
		w.cur, w.used = 0, 0
	}
}

func (w *bitWriter) bits(v, n int) {
	for i := n - 1; i >= 0; i-- {
		w.bit(v >> i & 1)
	}
}

// finish fills the last octet with zeroes; a header does not end in FF.
func (w *bitWriter) finish() []byte {
	for w.used > 0 || w.room == 7 {
		w.bit(0)
	}
	return w.out
}

// tagTree codes a small table of numbers so that what neighbours have in common is said once (B.10.2).
type tagTree struct{ nodes []tagNode }

type tagNode struct {
	parent     int // -1 at the root
	value, low int
	known      bool
}

// unset is more than any value that is written.
const unset = 999

func newTagTree(w, h int) *tagTree {
	t := &tagTree{}
	for {
		next, across := len(t.nodes)+w*h, (w+1)/2
		for i := range w * h {
			parent := next + i/w/2*across + i%w/2
			if w*h == 1 {
				parent = -1
			}
			t.nodes = append(t.nodes, tagNode{parent: parent, value: unset})
		}
		if w*h == 1 {
			return t
		}
		w, h = across, (h+1)/2
	}
}

// set gives a leaf its value; each node above has the least of what is below.
func (t *tagTree) set(leaf, value int) {
	for i := leaf; i >= 0 && t.nodes[i].value > value; i = t.nodes[i].parent {
		t.nodes[i].value = value
	}
}

// write tells whether a leaf's value is below the threshold, and which it is.
func (t *tagTree) write(w *bitWriter, leaf, threshold int) {
	var path []int
	for i := leaf; i >= 0; i = t.nodes[i].parent {
		path = append(path, i)
	}
	low := 0
	for i := len(path) - 1; i >= 0; i-- {
		n := &t.nodes[path[i]]
		low = max(low, n.low)
		for low < threshold {
			if low >= n.value {
				if !n.known {
					w.bit(1)
					n.known = true
				}
				break
			}
			w.bit(0)
			low++
		}
		n.low = low
	}
}
