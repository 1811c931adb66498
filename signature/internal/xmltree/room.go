package xmltree

import (
	"bytes"
	"sync"
)

// rooms keeps the arrays of trees that were given back: making and collecting them anew would cost
// as much as reading.
var rooms sync.Pool

// maxKept is how many nodes the arrays have at most that are kept.
const maxKept = 1 << 16

// room gives an empty tree its arrays, large enough for most documents of that many tags.
func (t *Tree) room() {
	tags := bytes.Count(t.text, []byte("<")) // two of them to an element, which has two texts at most
	nodes, attrs := min(tags+tags/2, MaxNodes)+16, min(bytes.Count(t.text, []byte("=")), MaxAttributes)
	if kept, ok := rooms.Get().(*Tree); ok {
		t.nodes, t.attrs, t.decls = kept.nodes[:0], kept.attrs[:0], kept.decls[:0]
	}
	if cap(t.nodes) < nodes {
		t.nodes = make([]node, 0, nodes)
	}
	if cap(t.attrs) < attrs {
		t.attrs = make([]attribute, 0, attrs)
	}
	t.nodes = append(t.nodes, node{parent: None, to: int32(len(t.text))})
	t.decls = append(t.decls, declaration{})
}

// Free gives the arrays of t back for other documents. Neither t nor anything that still reads it may be
// used afterwards; a tree that is never given back is collected like all memory.
func (t *Tree) Free() {
	if cap(t.nodes) <= maxKept && cap(t.attrs) <= maxKept && cap(t.decls) <= maxKept {
		clear(t.decls) // they hold strings
		rooms.Put(&Tree{nodes: t.nodes, attrs: t.attrs, decls: t.decls})
	}
	*t = Tree{root: None}
}
