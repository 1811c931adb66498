package xpath

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// kind is one of the four types of XPath.
type kind uint8

const (
	isNodes kind = iota
	isBoolean
	isNumber
	isString
)

// value is a value of one of them.
type value struct {
	kind   kind
	nodes  []node
	yes    bool
	number float64
	text   string
}

func truth(b bool) value { return value{kind: isBoolean, yes: b} }

func (v value) boolean() bool {
	switch v.kind {
	case isNodes:
		return len(v.nodes) > 0
	case isBoolean:
		return v.yes
	case isNumber:
		return v.number != 0 && !math.IsNaN(v.number)
	}
	return v.text != ""
}

func (v value) toString(c *context) string {
	switch v.kind {
	case isNodes:
		if len(v.nodes) == 0 {
			return ""
		}
		return c.stringOf(v.nodes[0])
	case isBoolean:
		return strconv.FormatBool(v.yes)
	case isNumber:
		if v.number == 0 {
			return "0"
		}
		return strings.Replace(strconv.FormatFloat(v.number, 'f', -1, 64), "Inf", "Infinity", 1)
	}
	return v.text
}

func (v value) toNumber(c *context) float64 {
	switch v.kind {
	case isBoolean:
		if v.yes {
			return 1
		}
		return 0
	case isNumber:
		return v.number
	}
	return parseNumber(v.toString(c))
}

// parseNumber reads a number as XPath writes it (§4.4): digits, a point, a minus, and nothing else.
func parseNumber(s string) float64 {
	s = strings.Trim(s, " \t\r\n")
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.Trim(s, "0123456789.-") != "" {
		return math.NaN()
	}
	return f
}

// stringOf gives the string value of a node (XPath 1.0 §5).
func (c *context) stringOf(n node) string {
	if n.attr >= 0 {
		_, _, v := c.Tree.AttributeAt(n.id, int(n.attr))
		c.spend(1 + len(v)/64)
		return v
	}
	from, to := c.Tree.Span(n.id)
	c.spend(int(c.Tree.End(n.id)-n.id) + (to-from)/64)
	return string(c.Tree.StringValue(nil, n.id))
}

func (b binary) eval(c *context) value {
	switch b.op {
	case "or":
		return truth(b.left.eval(c).boolean() || b.right.eval(c).boolean())
	case "and":
		return truth(b.left.eval(c).boolean() && b.right.eval(c).boolean())
	}
	left, right := b.left.eval(c), b.right.eval(c)
	switch b.op {
	case "|":
		if left.kind != isNodes || right.kind != isNodes {
			panic(wrongType)
		}
		all := slices.Concat(left.nodes, right.nodes)
		c.spend(len(all))
		slices.SortFunc(all, node.compare)
		return value{kind: isNodes, nodes: slices.Compact(all)}
	case "=", "!=", "<", "<=", ">", ">=":
		return truth(c.compare(b.op, left, right))
	}
	x, y := left.toNumber(c), right.toNumber(c)
	switch b.op {
	case "+":
		x += y
	case "-":
		x -= y
	case "*":
		x *= y
	case "div":
		x /= y
	default:
		x = math.Mod(x, y)
	}
	return value{kind: isNumber, number: x}
}

// compare compares (XPath 1.0 §3.4): of nodes, whether any does.
func (c *context) compare(op string, left, right value) bool {
	switch {
	case left.kind == isNodes && right.kind != isBoolean:
		for _, n := range left.nodes {
			if c.compare(op, value{kind: isString, text: c.stringOf(n)}, right) {
				return true
			}
		}
		return false
	case right.kind == isNodes && left.kind != isBoolean:
		for _, n := range right.nodes {
			if c.compare(op, left, value{kind: isString, text: c.stringOf(n)}) {
				return true
			}
		}
		return false
	}
	if op != "=" && op != "!=" {
		x, y := left.toNumber(c), right.toNumber(c)
		switch op {
		case "<":
			return x < y
		case "<=":
			return x <= y
		case ">":
			return x > y
		}
		return x >= y
	}
	var same bool
	switch {
	case left.kind == isBoolean || right.kind == isBoolean:
		same = left.boolean() == right.boolean()
	case left.kind == isNumber || right.kind == isNumber:
		same = left.toNumber(c) == right.toNumber(c)
	default:
		same = left.toString(c) == right.toString(c)
	}
	return same == (op == "=")
}

// function is one of the core library (XPath 1.0 §4), or here().
type function struct {
	least, most int
	context     bool // without arguments it speaks of the context node
	do          func(c *context, args []value) value
}

var functions map[string]function

func init() { // evaluating calls looks in the map itself
	text := func(s string) value { return value{kind: isString, text: s} }
	count := func(n int) value { return value{kind: isNumber, number: float64(n)} }
	functions = map[string]function{
		"not":      {1, 1, false, func(_ *context, a []value) value { return truth(!a[0].boolean()) }},
		"true":     {0, 0, false, func(*context, []value) value { return truth(true) }},
		"false":    {0, 0, false, func(*context, []value) value { return truth(false) }},
		"boolean":  {1, 1, false, func(_ *context, a []value) value { return truth(a[0].boolean()) }},
		"position": {0, 0, true, func(c *context, _ []value) value { return count(c.position) }},
		"last":     {0, 0, true, func(c *context, _ []value) value { return count(c.size) }},
		"count":    {1, 1, false, func(_ *context, a []value) value { return count(len(nodesOf(a[0]))) }},
		"here":     {0, 0, false, here},
		"id":       {1, 1, false, byID},
		"string":   {0, 1, true, func(c *context, a []value) value { return text(c.argument(a).toString(c)) }},
		"number": {0, 1, true, func(c *context, a []value) value {
			return value{kind: isNumber, number: c.argument(a).toNumber(c)}
		}},
		"name":          {0, 1, true, func(c *context, a []value) value { return text(c.nameOf(a, true)) }},
		"local-name":    {0, 1, true, func(c *context, a []value) value { return text(c.nameOf(a, false)) }},
		"namespace-uri": {0, 1, true, namespaceURI},
		"starts-with": {2, 2, false, func(c *context, a []value) value {
			return truth(strings.HasPrefix(a[0].toString(c), a[1].toString(c)))
		}},
		"contains": {2, 2, false, func(c *context, a []value) value {
			return truth(strings.Contains(a[0].toString(c), a[1].toString(c)))
		}},
		"normalize-space": {0, 1, true, func(c *context, a []value) value {
			return text(strings.Join(strings.FieldsFunc(c.argument(a).toString(c), func(r rune) bool { return r < 0x80 && strings.ContainsRune(" \t\r\n", r) }), " "))
		}},
	}
}

func (f call) eval(c *context) value {
	c.spend(1)
	args := make([]value, len(f.args))
	for i, a := range f.args {
		args[i] = a.eval(c)
	}
	return functions[f.name].do(c, args)
}

// nodesOf gives the nodes of a value, which must be nodes.
func nodesOf(v value) []node {
	if v.kind != isNodes {
		panic(wrongType)
	}
	return v.nodes
}

// argument gives the one argument, or the context node.
func (c *context) argument(args []value) value {
	if len(args) > 0 {
		return args[0]
	}
	return value{kind: isNodes, nodes: []node{c.node}}
}

// nameOf gives the name of the first node of the argument, "" for what has none.
func (c *context) nameOf(args []value, qualified bool) string {
	nodes := nodesOf(c.argument(args))
	if len(nodes) == 0 || nodes[0].id == 0 {
		return ""
	}
	n := nodes[0]
	if n.attr >= 0 {
		_, local, _ := c.Tree.AttributeAt(n.id, int(n.attr))
		if qualified {
			panic(refusal("the prefix of an attribute's name"))
		}
		return string(local)
	}
	if k := c.Tree.Kind(n.id); k != xmltree.Element && k != xmltree.Instruction {
		return ""
	}
	prefix, local := c.Tree.Name(n.id)
	if qualified && len(prefix) > 0 {
		return string(prefix) + ":" + string(local)
	}
	return string(local)
}

func namespaceURI(c *context, args []value) value {
	v := value{kind: isString}
	if nodes := nodesOf(c.argument(args)); len(nodes) > 0 {
		if n := nodes[0]; n.attr >= 0 {
			v.text, _, _ = c.Tree.AttributeAt(n.id, int(n.attr))
		} else if c.Tree.Kind(n.id) == xmltree.Element {
			v.text = c.Tree.Space(n.id)
		}
	}
	return v
}

// here gives the element that bears the expression (XMLDSig 1.1 §6.6.3).
func here(c *context, _ []value) value {
	if c.Here == xmltree.None {
		panic(refusal("here() in another document"))
	}
	return value{kind: isNodes, nodes: []node{{c.Here, -1}}}
}

// byID gives elements by their Ids (XPath 1.0 §4.1).
func byID(c *context, args []value) value {
	v := value{kind: isNodes}
	if c.ID == nil || args[0].kind == isNodes {
		panic(refusal("id() of nodes, or in another document"))
	}
	for _, id := range strings.Fields(args[0].toString(c)) {
		if n, found := c.ID(id); found {
			v.nodes = append(v.nodes, node{n, -1})
		}
	}
	slices.SortFunc(v.nodes, node.compare)
	v.nodes = slices.Compact(v.nodes)
	return v
}
