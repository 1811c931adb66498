package xpath

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

const document = `<a xmlns:p="urn:p" n="1"><b Id="x" n="2">one</b><p:b n="3"><c>two</c><b><c n="4"/></b></p:b><!-- c --><d p:k="v">7</d><名前>実印</名前></a>`

var declared = map[string]string{"p": "urn:p", "q": "urn:q"}

func resolve(prefix string) (string, bool) {
	uri, ok := declared[prefix]
	return uri, ok
}

func context1(t testing.TB, text string) Context {
	t.Helper()
	tree, err := xmltree.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Context{Tree: tree, Here: tree.FirstElement(tree.Root()), Budget: NewBudget(),
		ID: func(id string) (xmltree.ID, bool) { return tree.FirstElement(tree.Root()), id == "x" }}
}

// paths gives the paths of what an expression finds.
func paths(t testing.TB, c Context, e string) string {
	t.Helper()
	x, err := Compile(e, resolve)
	if err != nil {
		return err.Error()
	}
	nodes, err := x.Nodes(c)
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, n := range nodes {
		all = append(all, c.Tree.Path(n))
	}
	return strings.Join(all, " ")
}

func TestNodes(t *testing.T) {
	c := context1(t, document)
	for e, want := range map[string]string{
		"/":                               "/",
		"/a":                              "/a",
		"//b":                             "/a/b /a/p:b/b",
		"//p:b":                           "/a/p:b",
		"//p:*":                           "/a/p:b",
		"//q:b":                           "",
		"/a/*[2]":                         "/a/p:b",
		"/*/*[local-name()='b']":          "/a/b /a/p:b",
		"/descendant::*[name()='p:b']":    "/a/p:b",
		"//b[@n]":                         "/a/b",
		"//*[@n > 2]":                     "/a/p:b /a/p:b/b/c",
		"//*[@p:k='v']":                   "/a/d",
		"//c/..":                          "/a/p:b /a/p:b/b",
		"//c/ancestor::*":                 "/a /a/p:b /a/p:b/b",
		"//c/ancestor::*[1]":              "/a/p:b /a/p:b/b",
		"(//c/ancestor::*)[1]":            "/a",
		"//c[last()]":                     "/a/p:b/c /a/p:b/b/c",
		"(//c)[last()]":                   "/a/p:b/b/c",
		"//b | //d":                       "/a/b /a/p:b/b /a/d",
		"id('x')":                         "/a/b",
		"here()/following-sibling::*[1]":  "/a/p:b",
		"//d/preceding-sibling::*[1]":     "/a/p:b",
		"//*[. = 'one']":                  "/a/b",
		"//*[starts-with(.,'tw')]":        "/a/p:b /a/p:b/c",
		"//*[count(*) = 2]":               "/a/p:b",
		"//*[not(*) and not(@n)]":         "/a/p:b/c /a/d /a/名前",
		"//d[. + 1 = 8 and . div 7 = 1]":  "/a/d",
		"//d[. * 2 = 14][number() - 7=0]": "/a/d",
		"//名前[contains(.,'印')]":           "/a/名前",
		"//*[namespace-uri()='urn:p']":    "/a/p:b",
		"//b[true()][string-length(.)]":   "the function string-length",
		"//and":                           "",
		"//text()":                        "the node test text",
		"//@n":                            "an expression that gives attributes",
		"1 + 1":                           "an expression that gives no nodes",
		"//r:b":                           "a prefix that is not declared",
		"$x":                              "an expression that is not XPath",
		"//b[":                            "an expression that is not XPath",
		"//namespace::*":                  "the axis namespace",
		"document('x')":                   "the function document",
		"not(1":                           "an expression without the ')' that belongs there",
	} {
		if got := paths(t, c, e); got != want {
			t.Errorf("%s: %s, not %s", e, got, want)
		}
	}
}

// xmllint finds as many nodes with the same expressions.
func TestXmllintFindsTheSame(t *testing.T) {
	file := filepath.Join(t.TempDir(), "d.xml")
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	c := context1(t, document)
	for _, e := range []string{"//b", "//*", "//*[@n]", "//*[@n > 1]/..", "//*[2]", "//*[last()]", "//*/ancestor-or-self::*[2]", "//b/following-sibling::*", "//*[count(.//*) > 1]",
		"//*[not(ancestor::*[@n = 3])]", "(//*)[position() mod 2 = 1]", "//*[local-name() = 'b' or @*]", "//d | //c | //b", "//*[normalize-space(.) = 'two']", "//*[. < 8]", "//*[@n != 2]",
		"/a/descendant-or-self::*[not(self::a)]", "//c/preceding-sibling::*", "//*[boolean(@n) = true()]", "//*[- @n = -1]"} {
		x, err := Compile(e, resolve)
		if err != nil {
			t.Fatal(e, err)
		}
		nodes, err := x.Nodes(c)
		if err != nil {
			t.Fatal(e, err)
		}
		out, err := signtest.Judge(t, "xmllint", "--xpath", "count("+e+")", file)
		if err != nil || strings.TrimSpace(out) != fmt.Sprint(len(nodes)) {
			t.Errorf("%s: %d, theirs %s %v", e, len(nodes), out, err)
		}
	}
}

// What says the same of an element and its attributes is told apart from what does not.
func TestInherited(t *testing.T) {
	for e, want := range map[string]bool{
		"not(ancestor-or-self::p:b)":                                                            true,
		"ancestor-or-self::p:b and not(ancestor-or-self::q:c[@n])":                              true,
		"count(ancestor-or-self::p:b | here()/ancestor::p:b[1]) > count(ancestor-or-self::p:b)": true,
		"true()":                   true,
		"/a":                       true,
		"self::p:b":                false,
		"ancestor::p:b":            false,
		"ancestor-or-self::node()": false,
		"not(@n)":                  false,
		"name() = 'b'":             false,
		"count(ancestor-or-self::p:b) = 1 or parent::p:b": false,
	} {
		x, err := Compile(e, resolve)
		if err != nil || x.Inherited() != want {
			t.Errorf("%s: %v", e, err)
		}
	}
}

// An expression that would take long is given up.
func TestBudget(t *testing.T) {
	c := context1(t, "<a>"+strings.Repeat("<b/>", 20_000)+"</a>")
	x, err := Compile("//*[count(//*[count(//*) > 1]) > 1]", resolve)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Nodes(c); jitsuin.KindOf(err) != jitsuin.Unsupported {
		t.Errorf("%v", err)
	}
	for _, e := range []string{strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000), strings.Repeat("-", 1000) + "1", strings.Repeat("//a", 2000), strings.Repeat("a[", 100) + "1" + strings.Repeat("]", 100)} {
		if _, err := Compile(e, resolve); err == nil {
			t.Errorf("%.20s… is read", e)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, e := range []string{"//b[@n > 1]", "not(ancestor-or-self::p:b)", "count(//* | id('x')) = 2 or - 1 < 3", "here()/..[1]//c", "//*[name()=\"p:b\"]/@*"} {
		f.Add(e)
	}
	f.Fuzz(func(t *testing.T, e string) {
		x, err := Compile(e, resolve)
		if err != nil {
			return
		}
		c := context1(t, document)
		c.Budget = &Budget{100_000}
		_, _ = x.Nodes(c)
		_, _ = x.True(c, c.Tree.Root())
		x.Inherited()
	})
}
