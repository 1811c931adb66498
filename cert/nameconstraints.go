package cert

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// nameConstraints are those of one CA certificate (RFC 5280 §4.2.1.10). Every form of name is kept;
// forms that cannot be compared refuse whatever has such a name.
type nameConstraints struct {
	permitted, excluded []subtree
}

// subtree is the base of a GeneralSubtree; minimum and maximum must be absent.
type subtree struct {
	generalName
	text   string   // of the forms that are text, in lower case but for a mailbox
	folded []string // of directoryName
}

// maxNameChecks bounds comparisons of names with constraints in one path.
const maxNameChecks = 1 << 19

// parseNameConstraints gives nil for what is malformed.
func parseNameConstraints(value cryptobyte.String) *nameConstraints {
	var body, permitted, excluded cryptobyte.String
	var hasPermitted, hasExcluded bool
	if !value.ReadASN1(&body, cbasn1.SEQUENCE) || !value.Empty() || body.Empty() ||
		!body.ReadOptionalASN1(&permitted, &hasPermitted, explicit(0)) || !body.ReadOptionalASN1(&excluded, &hasExcluded, explicit(1)) || !body.Empty() {
		return nil
	}
	c := &nameConstraints{}
	var ok1, ok2 bool
	c.permitted, ok1 = readSubtrees(permitted, hasPermitted)
	c.excluded, ok2 = readSubtrees(excluded, hasExcluded)
	if !ok1 || !ok2 {
		return nil
	}
	return c
}

func readSubtrees(in cryptobyte.String, present bool) (list []subtree, ok bool) {
	if !present {
		return nil, true
	}
	for !in.Empty() {
		var one, value cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadAnyASN1(&value, &tag) || !one.Empty() {
			return nil, false
		}
		s := subtree{generalName: generalName{tag, value}}
		if !s.exists() || !s.prepare() {
			return nil, false
		}
		list = append(list, s)
	}
	return list, len(list) > 0
}

// prepare checks the syntax of a base and folds it for comparison.
func (s *subtree) prepare() (ok bool) {
	text := string(s.value)
	switch s.tag {
	case nameDNS:
		s.text = strings.ToLower(text)
		return text == "" || hostName(text)
	case nameURI:
		s.text = strings.ToLower(text)
		return hostName(strings.TrimPrefix(text, "."))
	case nameEmail:
		if local, host, ok := mailbox(text); ok {
			s.text = local + "@" + strings.ToLower(host)
			return true
		}
		s.text = strings.ToLower(text)
		return text == "" || hostName(strings.TrimPrefix(text, "."))
	case nameIP:
		return (len(text) == 8 || len(text) == 32) && contiguous(s.value[len(text)/2:])
	case nameDirectory:
		s.folded, ok = foldName(s.value)
		return ok
	}
	return true
}

// contiguous tells whether a mask is ones and then zeros (RFC 4632 §3.1).
func contiguous(mask []byte) bool {
	zero := false
	for _, b := range mask {
		for i := range 8 {
			one := b&(0x80>>i) != 0
			if one && zero {
				return false
			}
			zero = !one
		}
	}
	return true
}

// subjectName is a name that constraints are held against.
type subjectName struct {
	generalName
	folded []string
}

// constrainedNames lists the names of a certificate: its subject, the mail addresses in it, its alternative names,
// and for a leaf without dNSName each common name that reads as a host, since there are those who take it for one.
func constrainedNames(d *details, leaf bool) (names []subjectName, ok bool) {
	alternatives, ok := d.names()
	if !ok {
		return nil, false
	}
	if !d.emptySubject {
		folded, _ := foldName(d.cert.RawSubject)
		names = append(names, subjectName{generalName: generalName{nameDirectory, d.cert.RawSubject}, folded: folded})
		for _, mail := range attributes(d.cert.RawSubject, oidMailDER) {
			names = append(names, subjectName{generalName: generalName{nameEmail, []byte(mail)}})
		}
	}
	for _, n := range alternatives {
		s := subjectName{generalName: n}
		if n.tag == nameDirectory {
			s.folded, _ = foldName(n.value)
		}
		names = append(names, s)
	}
	if leaf && !slices.ContainsFunc(alternatives, func(n generalName) bool { return n.tag == nameDNS }) {
		for _, cn := range attributes(d.cert.RawSubject, "\x55\x04\x03") {
			if strings.Contains(cn, ".") && hostName(strings.TrimPrefix(cn, "*.")) {
				names = append(names, subjectName{generalName: generalName{nameDNS, []byte(cn)}})
			}
		}
	}
	return names, true
}

const oidMailDER = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"

// checkNames holds the names of every certificate against the constraints of all CAs above it, the anchor among
// them (§6.1.3 b and c). Self-issued certificates are exempt but for the leaf. depth is that of the offender.
func checkNames(path []*details) (depth int, problem string) {
	checks, names := 0, make([][]subjectName, len(path))
	for i := len(path) - 1; i > 0; i-- {
		c := path[i].constraints
		if c == nil {
			continue
		}
		for j := i - 1; j >= 0; j-- {
			if path[j].selfIssued && j > 0 {
				continue
			}
			if names[j] == nil {
				var ok bool
				if names[j], ok = constrainedNames(path[j], j == 0); !ok {
					return j, "its names are malformed"
				}
			}
			for _, n := range names[j] {
				if checks += len(c.permitted) + len(c.excluded); checks > maxNameChecks {
					return j, "there are too many names and name constraints to compare"
				}
				if problem := c.judge(n); problem != "" {
					return j, problem
				}
			}
		}
	}
	return 0, ""
}

// judge says what is wrong with a name, "" if it may stand.
func (c *nameConstraints) judge(n subjectName) string {
	limited, inside := false, false
	for i := range c.permitted {
		s := &c.permitted[i]
		if s.tag != n.tag {
			continue
		}
		if !comparable(n) {
			return "a name is constrained that cannot be compared"
		}
		limited, inside = true, inside || s.contains(n, false)
	}
	if limited && !inside {
		return "a name is outside the permitted name constraints"
	}
	for i := range c.excluded {
		s := &c.excluded[i]
		if s.tag != n.tag {
			continue
		}
		if !comparable(n) {
			return "a name is constrained that cannot be compared"
		}
		if s.contains(n, true) {
			return "a name is excluded by name constraints"
		}
	}
	return ""
}

// comparable tells whether a name of a constrained form can be judged at all.
func comparable(n subjectName) bool {
	switch n.tag {
	case nameDNS, nameEmail, nameIP:
		return n.wellFormed()
	case nameURI:
		_, ok := uriHost(string(n.value))
		return ok
	case nameDirectory:
		return n.folded != nil
	}
	return false
}

// contains tells whether the name lies in the subtree. With excluding, also where it only may.
func (s *subtree) contains(n subjectName, excluding bool) bool {
	switch s.tag {
	case nameDNS:
		return s.containsHost(strings.ToLower(string(n.value)), excluding)
	case nameURI:
		host, _ := uriHost(string(n.value))
		return hostInside(s.text, strings.ToLower(host))
	case nameEmail:
		local, host, _ := mailbox(string(n.value))
		return s.containsMail(local, strings.ToLower(host), excluding)
	case nameIP:
		half := len(s.value) / 2
		if len(n.value) != half {
			return false
		}
		for i, b := range n.value {
			if (b^s.value[i])&s.value[half+i] != 0 {
				return false
			}
		}
		return true
	case nameDirectory:
		return len(s.folded) <= len(n.folded) && slices.Equal(s.folded, n.folded[:len(s.folded)])
	}
	return bytes.Equal(s.value, n.value)
}

// containsHost is for dNSName: a base holds itself and everything below. A wildcard is inside what all of its names are in,
// and excluded where one of them is.
func (s *subtree) containsHost(host string, excluding bool) bool {
	if s.text == "" || host == s.text || strings.HasSuffix(host, "."+s.text) {
		return true
	}
	rest, wild := strings.CutPrefix(host, "*.")
	if !wild || !excluding {
		return false
	}
	label, parent, _ := strings.Cut(s.text, ".")
	return label != "" && parent == rest
}

// hostInside is for URI and mail: .host holds what is below it, host only itself.
func hostInside(base, host string) bool {
	if strings.HasPrefix(base, ".") {
		return strings.HasSuffix(host, base) && len(host) > len(base)
	}
	return host == base
}

// containsMail compares local parts as they are; excluding, whatever their case.
func (s *subtree) containsMail(local, host string, excluding bool) bool {
	at := strings.LastIndexByte(s.text, '@')
	if at < 0 {
		return s.text == "" || hostInside(s.text, host)
	}
	if host != s.text[at+1:] {
		return false
	}
	return local == s.text[:at] || excluding && strings.EqualFold(local, s.text[:at])
}
