package xmltree

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/cputime"
)

// Each document has a near copy that is refused.
func TestWhatIsNotWellFormedIsRefused(t *testing.T) {
	cases := map[string][2]string{ // name: read, refused
		"element closed":               {"<a></a>", "<a>"},
		"names match":                  {"<a></a>", "<a></b>"},
		"names match to the end":       {"<ab></ab>", "<ab></a>"},
		"end tag not longer":           {"<a></a>", "<a></ab>"},
		"one document element":         {"<a/>", "<a/><b/>"},
		"an element at all":            {"<a/>", "<!-- a -->"},
		"nothing after":                {"<a/>\n", "<a/>x"},
		"nothing before":               {"\n<a/>", "x<a/>"},
		"empty":                        {"<a/>", ""},
		"declaration first":            {`<?xml version="1.0"?><a/>`, ` <?xml version="1.0"?><a/>`},
		"declaration with version":     {`<?xml version="1.0"?><a/>`, `<?xml encoding="UTF-8"?><a/>`},
		"declaration in order":         {`<?xml version="1.0" encoding="UTF-8"?><a/>`, `<?xml version="1.0" standalone="no" encoding="UTF-8"?><a/>`},
		"declaration once":             {`<?xml version="1.0"?><a/>`, `<?xml version="1.0"?><?xml version="1.0"?><a/>`},
		"standalone yes or no":         {`<?xml version="1.0" standalone="no"?><a/>`, `<?xml version="1.0" standalone="maybe"?><a/>`},
		"no document type":             {`<a/>`, `<!DOCTYPE a><a/>`},
		"no document type inside":      {`<a/>`, `<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>`},
		"no document type after":       {`<a/>`, `<a/><!DOCTYPE a>`},
		"entity":                       {"<a>&amp;</a>", "<a>&e;</a>"},
		"entity in full":               {"<a>&amp;</a>", "<a>&amp</a>"},
		"lone ampersand":               {"<a>&#38; </a>", "<a>& </a>"},
		"entity in an attribute":       {`<a b="&lt;"/>`, `<a b="&e;"/>`},
		"character reference":          {"<a>&#x9;</a>", "<a>&#x8;</a>"},
		"reference to NUL":             {"<a>&#32;</a>", "<a>&#0;</a>"},
		"reference to a surrogate":     {"<a>&#xD7FF;</a>", "<a>&#xD800;</a>"},
		"reference beyond Unicode":     {"<a>&#x10FFFF;</a>", "<a>&#x110000;</a>"},
		"reference that overflows":     {"<a>&#x41;</a>", "<a>&#x100000041;</a>"},
		"reference with capital X":     {"<a>&#x41;</a>", "<a>&#X41;</a>"},
		"reference with a sign":        {"<a>&#65;</a>", "<a>&#+65;</a>"},
		"control character":            {"<a>\t</a>", "<a>\x01</a>"},
		"NUL":                          {"<a> </a>", "<a>\x00</a>"},
		"noncharacter":                 {"<a>\uFFFD</a>", "<a>\uFFFE</a>"},
		"UTF-8":                        {"<a>é</a>", "<a>\xE9</a>"},
		"UTF-8, shortest form":         {"<a>/</a>", "<a>\xC0\xAF</a>"},
		"UTF-8, no surrogates":         {"<a>\xED\x9F\xBF</a>", "<a>\xED\xA0\x80</a>"},
		"less-than in an attribute":    {`<a b="&lt;"/>`, `<a b="<"/>`},
		"attribute quoted":             {`<a b="c"/>`, `<a b=c/>`},
		"attribute with a value":       {`<a b=""/>`, `<a b/>`},
		"attributes apart":             {`<a b="" c=""/>`, `<a b=""c=""/>`},
		"attributes once":              {`<a b="" c=""/>`, `<a b="" b=""/>`},
		"attributes once, far apart":   {`<a b="" c="" d="" bb=""/>`, `<a b="" c="" d="" b=""/>`},
		"attributes once by namespace": {`<a xmlns:p="u" xmlns:q="v" p:b="" q:b=""/>`, `<a xmlns:p="u" xmlns:q="u" p:b="" q:b=""/>`},
		"declarations once":            {`<a xmlns:p="u" xmlns:q="u"/>`, `<a xmlns:p="u" xmlns:p="u"/>`},
		"declarations of xml once":     {`<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>`, `<a xmlns:xml="http://www.w3.org/XML/1998/namespace" xmlns:xml="http://www.w3.org/XML/1998/namespace"/>`},
		"default declared once":        {`<a xmlns="u"/>`, `<a xmlns="u" xmlns="u"/>`},
		"prefix declared":              {`<p:a xmlns:p="u"/>`, `<p:a/>`},
		"prefix declared here":         {`<a xmlns:p="u"><p:b/></a>`, `<a><b xmlns:p="u"/><p:b/></a>`},
		"attribute's prefix declared":  {`<a xml:lang="ja"/>`, `<a p:lang="ja"/>`},
		"prefix not taken back":        {`<a xmlns:p="u"/>`, `<a xmlns:p=""/>`},
		"xml bound to its own":         {`<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>`, `<a xmlns:xml="urn:other"/>`},
		"others not bound to xml's":    {`<a xmlns:p="urn:p"/>`, `<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>`},
		"xmlns not declared":           {`<a xmlns:p="urn:p"/>`, `<a xmlns:xmlns="urn:p"/>`},
		"xmlns not bound":              {`<a xmlns:p="urn:p"/>`, `<a xmlns:p="http://www.w3.org/2000/xmlns/"/>`},
		"xmlns no element":             {`<xml:a/>`, `<xmlns:a/>`},
		"one colon":                    {`<p:a xmlns:p="u"/>`, `<p:a:b xmlns:p="u"/>`},
		"colon not first":              {`<p:a xmlns:p="u"/>`, `<:a/>`},
		"colon not last":               {`<p:a xmlns:p="u"/>`, `<p: xmlns:p="u"/>`},
		"name begins with a letter":    {`<a1/>`, `<1a/>`},
		"local name likewise":          {`<p:a1 xmlns:p="u"/>`, `<p:1a xmlns:p="u"/>`},
		"no space before a name":       {`<a/>`, `< a/>`},
		"no comment in a comment":      {`<a><!-- - --></a>`, `<a><!-- -- --></a>`},
		"comment without third dash":   {`<a><!-- --></a>`, `<a><!-- ---></a>`},
		"comment ends":                 {`<a><!-- --></a>`, `<a><!-- -></a>`},
		"section ends":                 {`<a><![CDATA[]]></a>`, `<a><![CDATA[]></a>`},
		"no section outside":           {`<a><![CDATA[ ]]></a>`, `<![CDATA[ ]]><a/>`},
		"no end of section in a text":  {`<a>]]&gt;</a>`, `<a>]]></a>`},
		"instruction ends":             {`<a><?p?></a>`, `<a><?p></a>`},
		"instruction not called xml":   {`<a><?xm l?></a>`, `<a><?xml l?></a>`},
		"nor XML":                      {`<a><?xm l?></a>`, `<a><?XmL l?></a>`},
		"instruction without colon":    {`<a><?p-q?></a>`, `<a><?p:q?></a>`},
		"tag ends":                     {`<a/>`, `<a/`},
		"encoding as declared":         {`<?xml version="1.0" encoding="utf-8"?><a/>`, `<?xml version="1.0" encoding="UTF-16"?><a/>`},
		"half a character of UTF-16":   {"\xFF\xFE<\x00a\x00/\x00>\x00", "\xFF\xFE<\x00a\x00/\x00>"},
		"surrogates in pairs":          {"\xFE\xFF\x00<\x00a\x00>\xD8\x42\xDF\xB7\x00<\x00/\x00a\x00>", "\xFE\xFF\x00<\x00a\x00>\xD8\x42\x00<\x00/\x00a\x00>"},
		"Shift_JIS as declared":        {"<?xml version='1.0' encoding='Shift_JIS'?><a>\x8E\xC0\x88\xF3</a>", "<?xml version='1.0' encoding='Shift_JIS'?><a>\x8E\xC0\x88</a>"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(c[0])); err != nil {
				t.Errorf("%q is refused: %v", c[0], err)
			}
			_, err := Parse([]byte(c[1]))
			if jitsuin.KindOf(err) != jitsuin.Invalid || jitsuin.CodeOf(err) == "" {
				t.Errorf("%q: %v", c[1], err)
			}
		})
	}
}

// What is beyond a limit is refused at once, and what is just within is read.
func TestLimits(t *testing.T) {
	wide := func(n int) string {
		var b strings.Builder
		b.WriteString("<a")
		for i := range n {
			fmt.Fprintf(&b, ` b%d=""`, i)
		}
		return b.String() + "/>"
	}
	scope := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `<a xmlns:p%d="u">`, i)
		}
		return b.String() + strings.Repeat("</a>", n)
	}
	for name, c := range map[string]struct{ within, beyond string }{
		"depth":      {strings.Repeat("<a>", MaxDepth) + strings.Repeat("</a>", MaxDepth), strings.Repeat("<a>", 1_000_000)},
		"attributes": {wide(MaxOwn), wide(MaxOwn + 1)},
		"scope":      {scope(MaxScope), scope(MaxScope + 1)},
		"nodes":      {"<a>" + strings.Repeat("<b/>", MaxNodes-2) + "</a>", "<a>" + strings.Repeat("<b/>", 2_000_000) + "</a>"},
		"name":       {"<" + strings.Repeat("a", MaxName) + "/>", "<" + strings.Repeat("a", 100_000) + "/>"},
		"input":      {"<a>" + strings.Repeat("x", 1_000_000) + "</a>", "<a>" + strings.Repeat("x", MaxInput) + "</a>"},
	} {
		t.Run(name, func(t *testing.T) {
			begun := cputime.Used()
			if _, err := Parse([]byte(c.within)); err != nil {
				t.Error(err)
			}
			if _, err := Parse([]byte(c.beyond)); err == nil {
				t.Error("it was read")
			}
			if took := cputime.Used() - begun; took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// One text in every encoding that is read gives one canonical form.
func TestEncodings(t *testing.T) {
	const want = "<a 名=\"印\">実印</a>"
	for name, document := range map[string]string{
		"UTF-8":                `<a 名="印">実印</a>`,
		"UTF-8 with a mark":    "\xEF\xBB\xBF<a 名='印'>実印</a>",
		"UTF-16LE":             "\xFF\xFE<\x00a\x00 \x00\x0D\x54=\x00'\x00\x70\x53'\x00>\x00\x9F\x5B\x70\x53<\x00/\x00a\x00>\x00",
		"Shift_JIS":            "<?xml version='1.0' encoding='Shift_JIS'?><a \x96\xBC='\x88\xF3'>\x8E\xC0\x88\xF3</a>",
		"EUC-JP":               "<?xml version='1.0' encoding='EUC-JP'?><a \xCC\xBE='\xB0\xF5'>\xBC\xC2\xB0\xF5</a>",
		"character references": "<?xml version='1.0' encoding='us-ascii'?><a \xE5\x90\x8D='&#x5370;'>&#x5B9F;&#21360;</a>",
	} {
		tree := mustParse(t, document)
		if got := canonical(t, tree, Set{}, Method{}); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	_, err := Parse([]byte("<?xml version='1.0' encoding='EBCDIC-CP-US'?><a/>"))
	if jitsuin.KindOf(err) != jitsuin.Unsupported {
		t.Errorf("an encoding that is not read: %v", err)
	}
}

// A tree says what stands in the document.
func TestTree(t *testing.T) {
	tree := mustParse(t, `<a xmlns="urn:d" xmlns:p="urn:p"><!-- c --><p:b Id="x&amp;y" p:Id="2">te<![CDATA[x<]]>t</p:b><p:b/></a>`)
	b := tree.FirstElement(tree.Root())
	if !tree.Is(b, "urn:p", "b") || tree.Is(b, "urn:d", "b") || tree.Path(b) != "/a/p:b[1]" {
		t.Errorf("%s", tree.Path(b))
	}
	if v, ok := tree.Attribute(b, "", "Id"); !ok || v != "x&y" {
		t.Errorf("%q %v", v, ok)
	}
	if v, ok := tree.Attribute(b, "urn:p", "Id"); !ok || v != "2" {
		t.Errorf("%q %v", v, ok)
	}
	if text, ok := tree.Content(b); !ok || string(text) != "tex<t" {
		t.Errorf("%q %v", text, ok)
	}
	if _, ok := tree.Content(tree.Root()); ok {
		t.Error("an element with elements has a text of its own")
	}
	if second := tree.NextElement(b); tree.Path(second) != "/a/p:b[2]" || tree.NextElement(second) != None {
		t.Error("the second element is not found")
	}
}
