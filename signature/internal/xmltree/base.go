package xmltree

import "strings"

// fixBase gives n, whose parent is not in the set, the xml:base that the ancestors left out above it
// and it itself amount to (C14N 1.1 §2.4, "xml:base").
func (c *canonicaliser) fixBase(n *node) {
	t := c.t
	var chain []attribute // n's own first, then upwards
	find := func(n *node) {
		for _, a := range t.attrs[n.attr : n.attr+int32(n.attrs)] {
			if a.space == spaceXML && string(t.text[a.at+4:a.at+int32(a.name)]) == "base" {
				chain = append(chain, a)
			}
		}
	}
	find(n)
	own := len(chain)
	for up := n.parent; up > 0; up = t.nodes[up].parent {
		if c.set.Keep != nil && up >= c.set.Top && c.set.Keep.Has(up) {
			break
		}
		find(&t.nodes[up])
	}
	if len(chain) == own {
		return
	}
	base := t.value(&chain[len(chain)-1])
	for i := len(chain) - 2; i >= 0; i-- {
		base = joinURI(base, t.value(&chain[i]))
	}
	c.attrs = append(c.attrs, written{attribute: chain[0], fixed: true, text: base}) // "": not written
}

// uriParts are the five parts of RFC 3986 §3; has… tell an empty part from none.
type uriParts struct {
	scheme, authority, path, query string
	hasAuthority, hasQuery         bool
}

// splitURI splits as RFC 3986 appendix B does, without the fragment.
func splitURI(s string) (u uriParts) {
	s, _, _ = strings.Cut(s, "#")
	s, u.query, u.hasQuery = strings.Cut(s, "?")
	if i := strings.IndexAny(s, ":/"); i > 0 && s[i] == ':' {
		u.scheme, s = s[:i], s[i+1:]
	}
	if rest, ok := strings.CutPrefix(s, "//"); ok {
		u.hasAuthority = true
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			i = len(rest)
		}
		u.authority, s = rest[:i], rest[i:]
	}
	u.path = s
	return u
}

// joinURI resolves ref against base by RFC 3986 §5.2 with the changes of C14N 1.1 appendix A: base
// may be relative, ".." that leads above it is kept, and fragments fall away.
func joinURI(base, ref string) string {
	if base == ".." || strings.HasSuffix(base, "/..") {
		base += "/"
	}
	b, r := splitURI(base), splitURI(ref)
	u := r
	switch {
	case r.scheme != "":
	case r.hasAuthority:
		u.scheme = b.scheme
	default:
		u.scheme, u.authority, u.hasAuthority = b.scheme, b.authority, b.hasAuthority
		switch {
		case r.path == "":
			u.path = b.path
			if !r.hasQuery {
				u.query, u.hasQuery = b.query, b.hasQuery
			}
		case strings.HasPrefix(r.path, "/"):
		default:
			u.path = mergePath(b, r.path)
		}
	}
	u.path = removeDots(u.path)
	var s strings.Builder
	if u.scheme != "" {
		s.WriteString(u.scheme + ":")
	}
	if u.hasAuthority {
		s.WriteString("//" + u.authority)
	}
	s.WriteString(u.path)
	if u.hasQuery {
		s.WriteString("?" + u.query)
	}
	return s.String()
}

// mergePath puts a relative path in place of the last segment of the base (RFC 3986 §5.2.3).
func mergePath(b uriParts, path string) string {
	if b.hasAuthority && b.path == "" {
		return "/" + path
	}
	return b.path[:strings.LastIndexByte(b.path, '/')+1] + path
}

// removeDots takes "." and ".." out of a path, and doubled slashes; ".." at the head of a relative
// path stay (C14N 1.1 appendix A).
func removeDots(path string) string {
	rooted := strings.HasPrefix(path, "/")
	var kept []string
	segments := strings.Split(path, "/")
	folder := false // whether the path ends in a slash
	for i, s := range segments {
		last := i == len(segments)-1
		folder = s == "" || s == "." || s == ".."
		switch s {
		case "":
			continue
		case ".":
		case "..":
			if len(kept) > 0 && kept[len(kept)-1] != ".." {
				kept = kept[:len(kept)-1]
			} else if !rooted {
				kept = append(kept, "..")
			}
		default:
			kept = append(kept, s)
			folder = !last
		}
	}
	out := strings.Join(kept, "/")
	if rooted {
		out = "/" + out
	}
	if folder && len(kept) > 0 {
		out += "/"
	}
	return out
}
