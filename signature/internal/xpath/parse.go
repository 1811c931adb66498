package xpath

import (
	"strconv"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Limits on expressions.
const (
	maxLength = 4096 // octets
	maxDepth  = 32   // expressions inside one another
	maxSteps  = 64   // of one path
)

// expression is a node of the syntax tree.
type expression interface {
	eval(c *context) value
}

// The kinds of expressions.
type (
	literal  string
	number   float64
	negation struct{ of expression }
	binary   struct {
		op          string
		left, right expression
	}
	call struct {
		name string
		args []expression
	}
	path struct {
		from     expression // nil: the context node, or the document where absolute
		absolute bool
		filters  []expression // predicates of from
		steps    []step
	}
	step struct {
		axis       string
		space      string
		local      string // "" any name
		anySpace   bool
		node       bool // node(): any kind
		predicates []expression
	}
)

var axes = map[string]bool{"child": true, "descendant": true, "descendant-or-self": true, "self": true, "parent": true,
	"ancestor": true, "ancestor-or-self": true, "attribute": true, "following-sibling": true, "preceding-sibling": true}

// parser reads tokens into a tree. The first error stays.
type parser struct {
	in      []token
	at      int
	depth   int
	resolve func(prefix string) (uri string, ok bool)
	err     error
}

func (p *parser) fail(what string) {
	if p.err == nil {
		p.err = jitsuin.Errorf(jitsuin.Unsupported, "xpath", "%s", what)
	}
}

func (p *parser) peek() token {
	if p.err != nil {
		return token{}
	}
	return p.in[p.at]
}

// accept takes the next token where it is the symbol.
func (p *parser) accept(text string) bool {
	t := p.peek()
	if t.text != text || t.kind == '"' || t.kind == 0 {
		return false
	}
	p.at++
	return true
}

func (p *parser) want(text string) {
	if !p.accept(text) {
		p.fail("an expression without the '" + text + "' that belongs there")
	}
}

// levels are the binary operators from loose to tight (XPath 1.0 §3.5).
var levels = [][]string{{"or"}, {"and"}, {"=", "!="}, {"<=", "<", ">=", ">"}, {"+", "-"}, {"*", "div", "mod"}}

func (p *parser) expression(level int) expression {
	if level == 0 {
		if p.depth++; p.depth > maxDepth {
			p.fail("an expression with too many others inside")
		}
		defer func() { p.depth-- }()
	}
	if level == len(levels) {
		if p.accept("-") {
			if p.depth++; p.depth > maxDepth {
				p.fail("an expression with too many others inside")
				return nil
			}
			defer func() { p.depth-- }()
			return negation{p.expression(level)}
		}
		return p.union()
	}
	left := p.expression(level + 1)
	for p.err == nil {
		op := ""
		for _, o := range levels[level] {
			if t := p.peek(); t.text == o && t.kind != '"' && t.kind != 'n' && t.kind != 'w' {
				op = o
				p.at++
				break
			}
		}
		if op == "" {
			break
		}
		left = binary{op, left, p.expression(level + 1)}
	}
	return left
}

func (p *parser) union() expression {
	left := p.path()
	for p.accept("|") {
		left = binary{"|", left, p.path()}
	}
	return left
}

// path reads a location path, or a primary expression with what follows it (XPath 1.0 §2, §3.3).
func (p *parser) path() expression {
	x := path{}
	t := p.peek()
	switch {
	case p.accept("//"):
		x.absolute = true
		x.steps = append(x.steps, step{axis: "descendant-or-self", node: true})
		p.steps(&x)
		return x
	case p.accept("/"):
		x.absolute = true
		if n := p.peek(); n.kind == 'n' || n.kind == 'w' || n.kind == '@' || n.kind == '.' {
			p.steps(&x)
		}
		return x
	case t.kind == '"':
		p.at++
		return literal(t.text)
	case t.kind == '#':
		p.at++
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			p.fail("a number that is none")
		}
		return number(f)
	case t.kind == '(':
		p.at++
		x.from = p.expression(0)
		p.want(")")
	case t.kind == 'n' && p.at+1 < len(p.in) && p.in[p.at+1].kind == '(' && t.text != "node" && !kindTest(t.text):
		x.from = p.call()
	default:
		p.steps(&x)
		return x
	}
	x.filters = p.predicates()
	switch {
	case p.accept("//"):
		x.steps = append(x.steps, step{axis: "descendant-or-self", node: true})
		p.steps(&x)
	case p.accept("/"):
		p.steps(&x)
	case len(x.filters) == 0:
		return x.from
	}
	return x
}

func kindTest(name string) bool {
	return name == "text" || name == "comment" || name == "processing-instruction"
}

func (p *parser) call() expression {
	name := p.peek().text
	p.at += 2
	c := call{name: name}
	if !p.accept(")") {
		for p.err == nil {
			c.args = append(c.args, p.expression(0))
			if !p.accept(",") {
				break
			}
		}
		p.want(")")
	}
	f, known := functions[name]
	if !known || len(c.args) < f.least || len(c.args) > f.most {
		p.fail("the function " + name)
	}
	return c
}

// steps reads the steps of a path.
func (p *parser) steps(x *path) {
	for p.err == nil {
		x.steps = append(x.steps, p.step())
		if len(x.steps) > maxSteps {
			p.fail("a path of too many steps")
		}
		switch {
		case p.accept("//"):
			x.steps = append(x.steps, step{axis: "descendant-or-self", node: true})
		case p.accept("/"):
		default:
			return
		}
	}
}

func (p *parser) step() (s step) {
	switch {
	case p.accept(".."):
		return step{axis: "parent", node: true}
	case p.accept("."):
		return step{axis: "self", node: true}
	}
	s.axis = "child"
	if p.accept("@") {
		s.axis = "attribute"
	} else if t := p.peek(); t.kind == 'n' && p.in[p.at+1].kind == ':' {
		s.axis = t.text
		p.at += 2
	}
	if !axes[s.axis] {
		p.fail("the axis " + s.axis)
	}
	p.test(&s)
	s.predicates = p.predicates()
	return s
}

// test reads a node test.
func (p *parser) test(s *step) {
	t := p.peek()
	switch {
	case t.kind == 'n' && p.in[p.at+1].kind == '(':
		p.at += 2
		p.want(")")
		s.node = t.text == "node"
		if !s.node {
			p.fail("the node test " + t.text)
		}
		return
	case t.kind == 'w' && t.text == "*":
		s.anySpace = true
	case t.kind == 'n', t.kind == 'w':
		prefix, local, found := strings.Cut(t.text, ":")
		if !found {
			s.local = t.text
			break
		}
		uri, ok := p.resolve(prefix)
		if !ok {
			p.fail("a prefix that is not declared")
		}
		s.space = uri
		if local != "*" {
			s.local = local
		}
	default:
		p.fail("an expression that is not XPath")
	}
	p.at++
}

func (p *parser) predicates() (all []expression) {
	for p.accept("[") {
		all = append(all, p.expression(0))
		p.want("]")
	}
	return all
}
