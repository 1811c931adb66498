package xmldsig

import (
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
	"github.com/jitsuin/jitsuin/signature/internal/xpath"
)

// filter is the XPath filtering transform (XMLDSig 1.1 §6.6.3). Of its expressions those are provided that say
// the same of an element and its attributes and namespaces, which here go with the element.
func (v *verification) filter(x data, t transform) (data, error) {
	x, err := v.nodes(x)
	if err != nil {
		return x, err
	}
	n := v.d.Tree.FirstElement(t.node)
	if !v.d.Tree.Is(n, Namespace, "XPath") || v.d.Tree.NextElement(n) != xmltree.None {
		return x, fail(cms.FaultFormat, "an XPath transform without one expression")
	}
	text, e, err := v.compile(n)
	if err != nil {
		return x, err
	}
	if v.exceptSignatures(n, text) {
		return v.withoutSignatures(x), nil
	}
	if !e.Inherited() {
		return x, fail(cms.FaultUnsupported, "the XPath expression "+clip(text))
	}
	keep := x.tree.NewBits()
	c := v.context(x, n)
	for i := x.set.Top; i < x.tree.End(x.set.Top); i++ {
		if x.set.Keep != nil && !x.set.Keep.Has(i) {
			continue
		}
		yes, err := e.True(c, i)
		if err != nil {
			return x, fail(cms.FaultUnsupported, err.Error())
		}
		if yes {
			keep.Set(i)
		}
	}
	x.set.Keep = keep
	return x, nil
}

// compile reads the expression that an element bears, with the namespaces in scope there.
func (v *verification) compile(n xmltree.ID) (text string, e *xpath.Expression, err error) {
	content, ok := v.d.Tree.Content(n)
	if !ok {
		return "", nil, fail(cms.FaultFormat, "an XPath expression that is not plain text")
	}
	e, err = xpath.Compile(string(content), func(prefix string) (string, bool) { return v.d.Tree.Resolve(n, prefix) })
	if err != nil {
		err = fail(cms.FaultUnsupported, "in the XPath expression "+clip(string(content))+": "+err.Error())
	}
	return string(content), e, err
}

func (v *verification) context(x data, n xmltree.ID) xpath.Context {
	if v.d.budget == nil {
		v.d.budget = xpath.NewBudget()
	}
	c := xpath.Context{Tree: x.tree, Here: xmltree.None, Budget: v.d.budget}
	if x.own {
		c.Here = n
		c.ID = func(id string) (xmltree.ID, bool) {
			at, err := v.d.ByID(id)
			return at, err == nil
		}
	}
	return c
}

// filter2 is the XPath Filter 2.0 transform: subtrees are intersected with, taken from and added to the whole
// document, and what of the nodes lies in that stays.
func (v *verification) filter2(x data, t transform) (data, error) {
	x, err := v.nodes(x)
	if err != nil {
		return x, err
	}
	tree := v.d.Tree
	var keep xmltree.Bits // nil: all
	out := slices.Clone(x.set.Without)
	filters := 0
	for n := tree.FirstElement(t.node); n != xmltree.None; n = tree.NextElement(n) {
		filters++
		how, _ := tree.Attribute(n, "", "Filter")
		if !tree.Is(n, xpathFilter2, "XPath") || how != "intersect" && how != "subtract" && how != "union" {
			return x, fail(cms.FaultFormat, "an XPath filter that is none")
		}
		_, e, err := v.compile(n)
		if err != nil {
			return x, err
		}
		found, err := e.Nodes(v.context(x, n))
		if err != nil {
			return x, fail(cms.FaultUnsupported, err.Error())
		}
		if how == "subtract" && keep == nil && tree.NextElement(n) == xmltree.None {
			out = append(out, found...) // the usual one, which needs no set of nodes
			break
		}
		keep = apply(x.tree, keep, how, found)
	}
	if filters == 0 {
		return x, fail(cms.FaultFormat, "an XPath filter without an expression")
	}
	slices.Sort(out)
	x.set.Without = slices.Compact(out)
	if keep != nil && x.set.Keep != nil {
		for i := range keep {
			keep[i] &= x.set.Keep[i]
		}
	}
	if keep != nil {
		x.set.Keep = keep
	}
	return x, nil
}

// apply combines a set of nodes (nil: all) with the subtrees at found, which are in document order.
func apply(t *xmltree.Tree, keep xmltree.Bits, how string, found []xmltree.ID) xmltree.Bits {
	these := t.NewBits()
	next := xmltree.ID(0)
	for _, n := range found {
		for i := max(n, next); i < t.End(n); i++ {
			these.Set(i)
		}
		next = max(next, t.End(n))
	}
	for i := range these {
		all := ^uint64(0)
		if keep != nil {
			all = keep[i]
		}
		switch how {
		case "intersect":
			these[i] &= all
		case "subtract":
			these[i] = all &^ these[i]
		default:
			these[i] |= all
		}
	}
	return these
}

// exceptSignatures tells whether an expression is the one that everybody writes: not(ancestor-or-self::ds:Signature).
func (v *verification) exceptSignatures(n xmltree.ID, text string) bool {
	prefix, found := strings.CutPrefix(strings.Join(strings.Fields(text), ""), "not(ancestor-or-self::")
	prefix, closed := strings.CutSuffix(prefix, ":Signature)")
	uri, bound := v.d.Tree.Resolve(n, prefix)
	return found && closed && bound && uri == Namespace
}

// withoutSignatures takes every ds:Signature out.
func (v *verification) withoutSignatures(x data) data {
	for n := x.tree.Parent(x.set.Top); n > 0; n = x.tree.Parent(n) {
		if x.tree.Is(n, Namespace, "Signature") {
			x.set.Without = []xmltree.ID{x.set.Top}
			return x
		}
	}
	out := slices.Clone(x.set.Without)
	for n := x.set.Top; n < x.tree.End(x.set.Top); {
		if x.tree.Is(n, Namespace, "Signature") {
			out = append(out, n)
			n = x.tree.End(n)
			continue
		}
		n++
	}
	slices.Sort(out)
	x.set.Without = slices.Compact(out)
	return x
}
