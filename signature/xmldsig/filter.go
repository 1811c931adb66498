package xmldsig

import (
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// filter is the XPath filtering transform (XMLDSig 1.1 §6.6.3).
func (v *verification) filter(x data, s *Signature, t transform) (data, error) {
	x, err := v.nodes(x)
	if err != nil {
		return x, err
	}
	n := v.d.Tree.FirstElement(t.node)
	expression, ok := v.d.Tree.Content(n)
	if !v.d.Tree.Is(n, Namespace, "XPath") || v.d.Tree.NextElement(n) != xmltree.None || !ok {
		return x, fail(cms.FaultFormat, "an XPath transform without one expression")
	}
	prefix, found := strings.CutPrefix(compact(string(expression)), "not(ancestor-or-self::")
	prefix, closed := strings.CutSuffix(prefix, ":Signature)")
	if found && closed && isNCName(prefix) {
		if uri, ok := v.d.Tree.Resolve(n, prefix); ok && uri == Namespace {
			return v.withoutSignatures(x), nil
		}
	}
	return x, fail(cms.FaultUnsupported, "the XPath expression "+clip(string(expression)))
}

// filter2 is the XPath Filter 2.0 transform.
func (v *verification) filter2(x data, s *Signature, t transform) (data, error) {
	return x, fail(cms.FaultUnsupported, "XPath Filter 2.0")
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

// compact takes white space out of an expression that has none that matters.
func compact(s string) string { return strings.Join(strings.Fields(s), "") }

func isNCName(s string) bool { return s != "" && !strings.ContainsAny(s, ":()[]/@*|'\" ") }
