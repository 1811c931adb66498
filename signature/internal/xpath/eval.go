package xpath

import (
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// MaxWork is how many nodes one Budget lets evaluations look at.
const MaxWork = 8_000_000

// Budget is what evaluations may still cost; the zero value is used up. NewBudget gives a full one.
type Budget struct{ left int }

// NewBudget gives a budget of MaxWork.
func NewBudget() *Budget { return &Budget{MaxWork} }

// Expression is a compiled expression.
type Expression struct{ tree expression }

// Compile reads an expression. resolve gives the namespaces of prefixes. What is malformed or not
// provided is refused with the kind Unsupported.
func Compile(text string, resolve func(prefix string) (uri string, ok bool)) (*Expression, error) {
	if len(text) > maxLength {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "xpath", "an expression of more than %d octets", maxLength)
	}
	p := &parser{in: lex(text), resolve: resolve}
	if p.in == nil {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "xpath", "an expression that is not XPath")
	}
	e := p.expression(0)
	if p.err == nil && p.peek().kind != 0 {
		p.fail("something after the expression")
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Expression{e}, nil
}

// Context is where expressions are evaluated.
type Context struct {
	Tree   *xmltree.Tree
	Here   xmltree.ID                                 // the element that bears the expression; None where it is in another tree
	ID     func(id string) (n xmltree.ID, found bool) // elements by Id; nil: none
	Budget *Budget
}

// refusal ends an evaluation and says why.
type refusal string

const (
	tooLong   refusal = "an expression that takes too long"
	wrongType refusal = "an expression that takes something for nodes that is none"
)

// Nodes evaluates e at the document and gives the nodes, in document order. An expression of another type, one that
// gives attributes, and one that costs too much are errors of the kind Unsupported.
func (e *Expression) Nodes(c Context) (nodes []xmltree.ID, err error) {
	defer c.recover(&err)
	v := e.tree.eval(&context{Context: c, node: node{0, -1}, position: 1, size: 1})
	if v.kind != isNodes {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "xpath", "an expression that gives no nodes")
	}
	for _, n := range v.nodes {
		if n.attr >= 0 {
			return nil, jitsuin.Errorf(jitsuin.Unsupported, "xpath", "an expression that gives attributes")
		}
		nodes = append(nodes, n.id)
	}
	return nodes, nil
}

// True evaluates e at a node and gives it as a boolean.
func (e *Expression) True(c Context, at xmltree.ID) (yes bool, err error) {
	defer c.recover(&err)
	return e.tree.eval(&context{Context: c, node: node{at, -1}, position: 1, size: 1}).boolean(), nil
}

func (c *Context) recover(err *error) {
	switch r := recover().(type) {
	case nil:
	case refusal:
		*err = jitsuin.Errorf(jitsuin.Unsupported, "xpath", "%s", string(r))
	default:
		panic(r)
	}
}

// Inherited tells whether e says the same of an element and of its attributes and namespaces: all its relative paths
// begin with ancestors named by name, so it looks at nothing that differs between them.
func (e *Expression) Inherited() bool { return inherited(e.tree) }

func inherited(e expression) bool {
	switch e := e.(type) {
	case literal, number:
		return true
	case negation:
		return inherited(e.of)
	case binary:
		return inherited(e.left) && inherited(e.right)
	case call:
		if f := functions[e.name]; f.context && len(e.args) == 0 {
			return false
		}
		return !slices.ContainsFunc(e.args, func(a expression) bool { return !inherited(a) })
	case path:
		switch {
		case e.absolute:
			return true
		case e.from != nil:
			return inherited(e.from)
		}
		return len(e.steps) > 0 && e.steps[0].axis == "ancestor-or-self" && !e.steps[0].node
	}
	return false
}

// node is a node or the attr-th attribute of an element.
type node struct {
	id   xmltree.ID
	attr int32 // -1 for a node
}

func (n node) compare(o node) int {
	if n.id != o.id {
		return int(n.id) - int(o.id)
	}
	return int(n.attr) - int(o.attr)
}

// context is one evaluation at one node.
type context struct {
	Context
	node           node
	position, size int
}

func (c *context) spend(n int) {
	if c.Budget.left -= n; c.Budget.left < 0 {
		panic(tooLong)
	}
}

func (l literal) eval(*context) value { return value{kind: isString, text: string(l)} }
func (n number) eval(*context) value  { return value{kind: isNumber, number: float64(n)} }

func (n negation) eval(c *context) value {
	return value{kind: isNumber, number: -n.of.eval(c).toNumber(c)}
}

func (x path) eval(c *context) value {
	c.spend(1)
	nodes := []node{c.node}
	switch {
	case x.from != nil:
		v := x.from.eval(c)
		if v.kind != isNodes {
			panic(wrongType)
		}
		nodes = v.nodes
		for _, f := range x.filters {
			nodes = c.keep(nodes, f)
		}
	case x.absolute:
		nodes = []node{{0, -1}}
	}
	for i := range x.steps {
		nodes = c.step(nodes, &x.steps[i])
	}
	return value{kind: isNodes, nodes: nodes}
}

// step walks one step from each of nodes and gives what is met, once each, in document order.
func (c *context) step(nodes []node, s *step) []node {
	var all []node
	for _, n := range nodes {
		met := c.walk(n, s)
		for _, p := range s.predicates {
			met = c.keep(met, p)
		}
		if reverse[s.axis] {
			slices.Reverse(met)
		}
		all = append(all, met...)
	}
	if len(nodes) > 1 {
		if !slices.IsSortedFunc(all, node.compare) {
			c.spend(len(all))
			slices.SortFunc(all, node.compare)
		}
		all = slices.Compact(all)
	}
	return all
}

// reverse are the axes whose positions count backwards.
var reverse = map[string]bool{"ancestor": true, "ancestor-or-self": true, "preceding-sibling": true}

// keep applies a predicate: a number is a position (XPath 1.0 §2.4).
func (c *context) keep(nodes []node, predicate expression) []node {
	var kept []node
	inner := *c
	inner.size = len(nodes)
	for i, n := range nodes {
		inner.node, inner.position = n, i+1
		v := predicate.eval(&inner)
		if v.kind == isNumber && v.number == float64(i+1) || v.kind != isNumber && v.boolean() {
			kept = append(kept, n)
		}
	}
	return kept
}

// walk gives the nodes of an axis that pass the node test, in the order of the axis.
func (c *context) walk(n node, s *step) (met []node) {
	t := c.Tree
	take := func(id xmltree.ID) {
		c.spend(1)
		if c.passes(id, s) {
			met = append(met, node{id, -1})
		}
	}
	if n.attr >= 0 { // an attribute has a parent and no children
		switch s.axis {
		case "self", "descendant-or-self", "ancestor-or-self":
			if s.node {
				met = append(met, n)
			}
		}
		if s.axis == "parent" || s.axis == "ancestor" || s.axis == "ancestor-or-self" {
			take(n.id)
		}
		if s.axis != "ancestor" && s.axis != "ancestor-or-self" {
			return met
		}
	}
	switch s.axis {
	case "self":
		take(n.id)
	case "child":
		for k := t.FirstChild(n.id); k != xmltree.None; k = t.Next(k) {
			take(k)
		}
	case "descendant", "descendant-or-self":
		from := n.id
		if s.axis == "descendant" {
			from++
		}
		for k := from; k < t.End(n.id); k++ {
			take(k)
		}
	case "parent":
		if up := t.Parent(n.id); up != xmltree.None {
			take(up)
		}
	case "ancestor", "ancestor-or-self":
		up := n.id
		if s.axis == "ancestor" || n.attr >= 0 {
			up = t.Parent(up)
		}
		for ; up != xmltree.None; up = t.Parent(up) {
			take(up)
		}
	case "following-sibling":
		for k := t.Next(n.id); k != xmltree.None; k = t.Next(k) {
			take(k)
		}
	case "preceding-sibling":
		if up := t.Parent(n.id); up != xmltree.None {
			for k := t.FirstChild(up); k != n.id; k = t.Next(k) {
				take(k)
			}
			slices.Reverse(met)
		}
	case "attribute":
		met = c.attributes(n.id, s)
	}
	return met
}

// passes applies the node test; the principal kind of all axes but attribute is the element.
func (c *context) passes(n xmltree.ID, s *step) bool {
	if s.node {
		return true
	}
	if c.Tree.Kind(n) != xmltree.Element {
		return false
	}
	if _, local := c.Tree.Name(n); s.local != "" && string(local) != s.local {
		return false
	}
	return s.anySpace || c.Tree.Space(n) == s.space
}

func (c *context) attributes(n xmltree.ID, s *step) (met []node) {
	if c.Tree.Kind(n) != xmltree.Element {
		return nil
	}
	for i := range c.Tree.Attributes(n) {
		c.spend(1)
		space, local, _ := c.Tree.AttributeAt(n, i)
		if s.node || (s.local == "" || string(local) == s.local) && (s.anySpace || space == s.space) {
			met = append(met, node{n, int32(i)})
		}
	}
	return met
}
