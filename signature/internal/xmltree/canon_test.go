package xmltree

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// canonical gives the canonical form of a set as a string.
func canonical(t testing.TB, tree *Tree, s Set, m Method) string {
	t.Helper()
	var b bytes.Buffer
	if err := tree.Canonical(&b, s, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func mustParse(t testing.TB, document string) *Tree {
	t.Helper()
	tree, err := Parse([]byte(document))
	if err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	return tree
}

// firstDifference shows where two forms part.
func firstDifference(a, b string) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	from := max(0, i-40)
	return fmt.Sprintf("at %d:\n ours   …%q\n theirs …%q", i, a[from:min(len(a), i+60)], b[from:min(len(b), i+60)])
}

// xmllint writes canonical forms with comments; it is asked about whole documents.
func TestXmllintWritesTheSameForms(t *testing.T) {
	const documents = 300
	dir := t.TempDir()
	var trees []*Tree
	var files []string
	for i := range documents {
		text := makeDocument(uint64(i), i%3 == 0)
		trees = append(trees, mustParse(t, text))
		files = append(files, filepath.Join(dir, fmt.Sprint(i, ".xml")))
		if err := os.WriteFile(files[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for option, m := range map[string]Method{"--c14n": {}, "--c14n11": {Eleven: true}, "--exc-c14n": {Exclusive: true}} {
		t.Run(option, func(t *testing.T) {
			m.Comments = true
			theirs, err := signtest.Judge(t, "xmllint", append([]string{option}, files...)...)
			if err != nil {
				t.Fatal(err, theirs)
			}
			var ours strings.Builder
			for i, tree := range trees {
				one := canonical(t, tree, Set{Comments: true}, m)
				if rest := theirs[min(ours.Len(), len(theirs)):]; !strings.HasPrefix(rest, one) {
					t.Fatalf("document %d: %s\n%s", i, firstDifference(one, rest[:min(len(rest), len(one)+100)]), tree.Source())
				}
				ours.WriteString(one)
			}
			if ours.Len() != len(theirs) {
				t.Fatalf("ours has %d octets, theirs %d", ours.Len(), len(theirs))
			}
		})
	}
}

// unlike finds what goxmldsig is known to write otherwise, and xmllint as we do: it has no inheritance
// of xml:lang and the others, keeps white space in attributes, and writes xmlns="" where none is needed.
var unlike = regexp.MustCompile(`xml:|tab\there|line\nend|xmlns ?= ?(""|'')`)

// prefixed finds two attributes with prefixes side by side.
var prefixed = regexp.MustCompile(`[\pL_]:[\pL]+="[^"]*" [\pL]+:[\pL]+="`)

// goxmldsig's canonicalisers are asked about every element by itself.
func TestGoxmldsigWritesTheSameForms(t *testing.T) {
	compared := 0
	for i := range 400 {
		text := makeDocument(uint64(1000+i), false)
		if unlike.MatchString(text) {
			continue
		}
		tree := mustParse(t, text)
		for m, theirs := range map[*Method]dsig.Canonicalizer{
			{Exclusive: true}:                 dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(""),
			{Exclusive: true, Comments: true}: dsig.MakeC14N10ExclusiveWithCommentsCanonicalizerWithPrefixList(""),
			{}:                                dsig.MakeC14N10RecCanonicalizer(), {Comments: true}: dsig.MakeC14N10WithCommentsCanonicalizer(),
			{Eleven: true}: dsig.MakeC14N11Canonicalizer(),
		} {
			doc := etree.NewDocument()
			if err := doc.ReadFromString(text); err != nil {
				t.Fatal(err)
			}
			want, err := theirs.Canonicalize(doc.Root())
			if err != nil {
				t.Fatal(err)
			}
			got := canonical(t, tree, Set{Top: tree.Root(), Comments: true}, *m)
			if prefixed.MatchString(got) {
				continue // it sorts them by prefix
			}
			if got != string(want) {
				t.Fatalf("%+v %s\n%s", *m, firstDifference(got, string(want)), text)
			}
			compared++
		}
	}
	if compared < 100 {
		t.Fatalf("only %d forms were compared", compared)
	}
}

// A canonical form is its own canonical form, and what is read from it is the same.
func TestCanonicalFormsAreStable(t *testing.T) {
	for i := range 300 {
		tree := mustParse(t, makeDocument(uint64(i), i%2 == 0))
		for _, m := range []Method{{}, {Comments: true}, {Eleven: true}, {Exclusive: true}, {Exclusive: true, Comments: true}} {
			once := canonical(t, tree, Set{Comments: true}, m)
			twice := canonical(t, mustParse(t, once), Set{Comments: true}, m)
			if once != twice {
				t.Fatalf("%+v %s\n%s", m, firstDifference(twice, once), tree.Source())
			}
		}
	}
}

// The fast ways and the slow one write the same.
func TestShortCutsChangeNothing(t *testing.T) {
	for i := range 200 {
		document := makeDocument(uint64(5000+i), false)
		if i%2 == 0 { // one that is canonical already: the short cut is taken
			document = canonical(t, mustParse(t, document), Set{Comments: true}, Method{Comments: true})
		}
		tree, slow := mustParse(t, document), mustParse(t, document)
		for n := range slow.nodes {
			slow.nodes[n].form = dirty | hasComment
		}
		for _, m := range []Method{{}, {Comments: true}, {Eleven: true}, {Exclusive: true}, {Exclusive: true, Prefixes: []string{"a", ""}}} {
			for top := ID(0); int(top) < tree.Len(); top++ {
				if k := tree.Kind(top); k != Document && k != Element {
					continue
				}
				s := Set{Top: top, Comments: true}
				if inside := top + 2; inside < tree.End(top) {
					s.Without = []ID{inside}
				}
				fast, want := canonical(t, tree, s, m), canonical(t, slow, s, m)
				if fast != want {
					t.Fatalf("%+v %v %s\n%s", m, s, firstDifference(fast, want), document)
				}
				s.Keep = tree.NewBits()
				for n := range tree.Len() {
					s.Keep.Set(ID(n))
				}
				if kept := canonical(t, tree, s, m); kept != want {
					t.Fatalf("with Keep: %+v %s\n%s", m, firstDifference(kept, want), document)
				}
			}
		}
	}
}

// Cases from the specifications, whose forms stand there.
func TestFormsOfTheSpecifications(t *testing.T) {
	cases := []struct {
		name, document, at string
		m                  Method
		want               string
	}{
		{"C14N 1.0 §3.1, comments left out", "<?xml version=\"1.0\"?>\n\n<?xml-stylesheet   href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n\n<doc>Hello, world!<!-- Comment 1 --></doc>\n\n<?pi-without-data     ?>\n\n<!-- Comment 2 -->\n\n<!-- Comment 3 -->", "",
			Method{}, "<?xml-stylesheet href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n<doc>Hello, world!</doc>\n<?pi-without-data?>"},
		{"C14N 1.0 §3.1, with comments", "<doc>Hello, world!<!-- Comment 1 --></doc>\n\n<?pi-without-data     ?>\n\n<!-- Comment 2 -->\n\n<!-- Comment 3 -->", "",
			Method{Comments: true}, "<doc>Hello, world!<!-- Comment 1 --></doc>\n<?pi-without-data?>\n<!-- Comment 2 -->\n<!-- Comment 3 -->"},
		{"C14N 1.0 §3.4, characters", `<doc><text>First line&#x0d;&#10;Second line</text><value>&#x32;</value><compute><![CDATA[value>"0" && value<"10" ?"valid":"error"]]></compute><compute expr='value>"0" &amp;&amp; value&lt;"10" ?"valid":"error"'>valid</compute><norm attr=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; '/></doc>`, "",
			Method{}, "<doc><text>First line&#xD;\nSecond line</text><value>2</value><compute>value&gt;\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"</compute><compute expr=\"value>&quot;0&quot; &amp;&amp; value&lt;&quot;10&quot; ?&quot;valid&quot;:&quot;error&quot;\">valid</compute><norm attr=\" '    &#xD;&#xA;&#x9;   ' \"></norm></doc>"},
		{"Exclusive §2.2, in its context", `<n0:pdu xmlns:n0='http://a.example' xmlns:n1="http://b.example" xml:lang="ja"><n1:elem2 xmlns:n0="http://a.example" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"/></n1:elem2></n0:pdu>`, "elem2",
			Method{Exclusive: true}, `<n1:elem2 xmlns:n1="http://b.example" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>`},
		{"inclusive, in its context", `<n0:pdu xmlns:n0='http://a.example' xmlns:n1="http://b.example" xml:lang="ja" xml:space="preserve"><n1:elem2 xml:lang="en"/></n0:pdu>`, "elem2",
			Method{}, `<n1:elem2 xmlns:n0="http://a.example" xmlns:n1="http://b.example" xml:lang="en" xml:space="preserve"></n1:elem2>`},
		{"inclusive 1.0 takes xml:id over", `<a xml:id="i" xml:base="b/"><c xml:base="d"/></a>`, "c", Method{}, `<c xml:base="d" xml:id="i"></c>`},
		{"inclusive 1.1 does not, and joins xml:base", `<a xml:id="i" xml:base="http://e.jp/b/"><c xml:base="../d"/></a>`, "c", Method{Eleven: true}, `<c xml:base="http://e.jp/d"></c>`},
		{"exclusive with a prefix list", `<a xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q"><b><c p:x="1"/></b></a>`, "b",
			Method{Exclusive: true, Prefixes: []string{"q"}}, `<b xmlns="urn:d" xmlns:q="urn:q"><c xmlns:p="urn:p" p:x="1"></c></b>`},
		{"a namespace with an ampersand", `<a xmlns="http://example.jp/?x=1&amp;y=見本"/>`, "", Method{}, `<a xmlns="http://example.jp/?x=1&amp;y=見本"></a>`},
		{"the default namespace taken back", `<a xmlns="urn:d"><b xmlns=""><c/></b></a>`, "", Method{Exclusive: true}, `<a xmlns="urn:d"><b xmlns=""><c></c></b></a>`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tree := mustParse(t, c.document)
			s := Set{Comments: true}
			for n := range tree.Len() {
				if _, local := tree.Name(ID(n)); c.at != "" && tree.Kind(ID(n)) == Element && string(local) == c.at {
					s.Top = ID(n)
				}
			}
			if got := canonical(t, tree, s, c.m); got != c.want {
				t.Error(firstDifference(got, c.want))
			}
		})
	}
}

// Arrays that were given back make no document into another one.
func TestGivenBack(t *testing.T) {
	for i := range 100 {
		text := makeDocument(uint64(i), i%3 == 0)
		fresh := mustParse(t, text)
		want := canonical(t, fresh, Set{Comments: true}, Method{Comments: true})
		again := mustParse(t, text)
		if got := canonical(t, again, Set{Comments: true}, Method{Comments: true}); got != want {
			t.Fatal(firstDifference(got, want))
		}
		again.Free()
		if again.Len() != 0 {
			t.Fatal("what was given back is still there")
		}
	}
}
