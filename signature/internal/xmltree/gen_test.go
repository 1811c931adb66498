package xmltree

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// maker writes random documents that are well-formed and spelt in every way that is allowed.
type maker struct {
	r  *rand.Rand
	b  strings.Builder
	cr bool // line ends with carriage returns
}

func makeDocument(seed uint64, cr bool) string {
	m := maker{r: rand.New(rand.NewPCG(seed, 7)), cr: cr}
	m.b.WriteString(m.pick("", `<?xml version="1.0"?>`, "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n"))
	m.b.WriteString(m.pick("", "\n", "<!-- before -->", "<?before it?>\n<!--x-->", "<?empty?>"))
	m.element(0, []string{""})
	m.b.WriteString(m.pick("", "\n", "<!-- after -->\n<?after    spaced  ?>"))
	return m.b.String()
}

func (m *maker) pick(s ...string) string { return s[m.r.IntN(len(s))] }

func (m *maker) space() string {
	if m.cr {
		return m.pick(" ", "\n", "  ", "\r\n", "\t")
	}
	return m.pick(" ", " ", " ", "\n", "  ", "\t")
}

var (
	prefixes = []string{"a", "b", "c", "見本"}
	spaces   = []string{"urn:a", "urn:b", "http://example.jp/x", "urn:x-mihon:1"} // xmllint writes no '&' right in them
	locals   = []string{"x", "yy", "構成情報", "z-1", "_w"}
)

// element writes an element; scope are the prefixes that are bound there.
func (m *maker) element(depth int, scope []string) {
	decls := map[string]string{}
	for range m.r.IntN(3) {
		decls[m.pick(prefixes...)] = m.pick(spaces...)
	}
	if m.r.IntN(4) == 0 {
		decls[""] = m.pick("", "urn:default", "urn:a")
	}
	scope = append([]string{}, scope...)
	var parts []string
	for p, uri := range decls {
		scope = append(scope, p)
		name := "xmlns"
		if p != "" {
			name += ":" + p
		}
		parts = append(parts, name+m.quoted(uri))
	}
	parts = append(parts, m.attributes(scope)...)
	m.r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	name := m.name(scope)
	m.b.WriteString("<" + name)
	for _, p := range parts {
		m.b.WriteString(m.space() + p)
	}
	if m.r.IntN(5) == 0 {
		m.b.WriteString(m.pick("/>", " />"))
		return
	}
	m.b.WriteString(m.pick(">", ">", " >"))
	for range m.r.IntN(6) {
		m.child(depth, scope)
	}
	m.b.WriteString("</" + name + m.pick(">", ">", " >"))
}

func (m *maker) quoted(value string) string {
	return m.pick("=", "=", " = ") + m.pick(`"`+value+`"`, `"`+value+`"`, "'"+value+"'")
}

func (m *maker) name(scope []string) string {
	p := m.pick(scope...)
	if p != "" {
		p += ":"
	}
	return p + m.pick(locals...)
}

func (m *maker) attributes(scope []string) (parts []string) {
	used := map[string]bool{}
	for range m.r.IntN(4) {
		local := m.pick("k", "l", "Id", "属性")
		if used[local] {
			continue // two prefixes may be bound to one namespace
		}
		used[local] = true
		if p := m.pick(scope...); p != "" {
			local = p + ":" + local
		}
		value := m.pick("", "v", "a&amp;b", "&lt;x>", "t&#9;u&#10;v&#xD;w", "two  words", "tab\there", "line\nend", "&quot;q&quot;", "&apos;", "名前", "&#x5B9F;&#21360;")
		if m.cr {
			value += "\r\n"
		}
		parts = append(parts, local+m.quoted(value))
	}
	if m.r.IntN(6) == 0 {
		parts = append(parts, m.pick(`xml:lang="ja"`, `xml:space='preserve'`, `xml:base="http://example.jp/a/b/"`, `xml:base="../c?q"`, fmt.Sprintf(`xml:id="i%d"`, m.r.Uint32())))
	}
	return parts
}

func (m *maker) child(depth int, scope []string) {
	switch m.r.IntN(8) {
	case 0, 1, 2:
		if depth < 6 {
			m.element(depth+1, scope)
		}
	case 3:
		m.b.WriteString(m.pick("<!---->", "<!-- a comment - with < and & -->", "<?pi?>", "<?pi  data ?>", "<?pi data?>"))
	case 4:
		m.b.WriteString(m.pick("<![CDATA[]]>", "<![CDATA[<a>&amp;]] >]]>", "<![CDATA[x]]>"))
	default:
		text := m.pick("text", "\n  ", "a &amp; b", "&lt;tag&gt;", "1 > 0", "&#13;", "&#xD;\n", "日本語&#x3042;", "]]", "&quot;&apos;", "𠮷")
		if m.cr {
			text += m.pick("\r\n", "\r", "\r\r\n")
		}
		m.b.WriteString(text)
	}
}
