package cert

import (
	"bytes"
	"net/netip"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// generalName is one GeneralName (RFC 5280 §4.2.1.6): its tag and contents.
type generalName struct {
	tag   cbasn1.Tag
	value []byte
}

// Tags of the forms of GeneralName. directoryName is explicit because Name is a CHOICE.
var (
	nameOther     = explicit(0)
	nameEmail     = implicit(1)
	nameDNS       = implicit(2)
	nameX400      = explicit(3)
	nameDirectory = explicit(4)
	nameEDI       = explicit(5)
	nameURI       = implicit(6)
	nameIP        = implicit(7)
	nameID        = implicit(8)
)

// readGeneralNames reads GeneralNames without their SEQUENCE: at least one name, each of a form that exists.
func readGeneralNames(in cryptobyte.String) (names []generalName, ok bool) {
	for !in.Empty() {
		var value cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadAnyASN1(&value, &tag) {
			return nil, false
		}
		n := generalName{tag, value}
		if !n.exists() {
			return nil, false
		}
		names = append(names, n)
	}
	return names, len(names) > 0
}

// exists checks the form as far as ASN.1 goes.
func (n generalName) exists() bool {
	switch n.tag {
	case nameEmail, nameDNS, nameURI:
		return allOctets(n.value, func(b byte) bool { return b < 0x80 })
	case nameDirectory:
		return nameForm(n.value)
	case nameIP, nameX400, nameEDI:
		return true
	case nameID:
		return oidForm(n.value)
	case nameOther:
		in := cryptobyte.String(n.value)
		var id, value cryptobyte.String
		return in.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) && in.ReadASN1(&value, explicit(0)) && in.Empty()
	}
	return false
}

// wellFormed checks what the text of a name must be like in a subjectAltName (RFC 5280 §4.2.1.6).
func (n generalName) wellFormed() bool {
	text := string(n.value)
	switch n.tag {
	case nameDNS:
		return hostName(strings.TrimPrefix(text, "*.")) && !strings.HasPrefix(text, ".")
	case nameEmail:
		_, _, ok := mailbox(text)
		return ok
	case nameURI:
		scheme, rest, ok := strings.Cut(text, ":")
		return ok && scheme != "" && rest != "" && allOctets(n.value, func(b byte) bool { return b > ' ' && b < 0x7f })
	case nameIP:
		return len(n.value) == 4 || len(n.value) == 16
	case nameDirectory:
		return len(n.value) > 2
	}
	return true
}

// mailbox takes an address of RFC 5321 apart. A local part in quotes is not read further.
func mailbox(text string) (local, host string, ok bool) {
	at := strings.LastIndexByte(text, '@')
	if at <= 0 || !hostName(text[at+1:]) {
		return "", "", false
	}
	local = text[:at]
	if len(local) > 2 && local[0] == '"' && local[len(local)-1] == '"' {
		return local, text[at+1:], !strings.ContainsAny(local[1:len(local)-1], "\"\\\r\n\x00")
	}
	for _, b := range []byte(local) {
		if b <= ' ' || b >= 0x7f || strings.IndexByte("\"(),:;<>@[\\]", b) >= 0 {
			return "", "", false
		}
	}
	return local, text[at+1:], true
}

// hostName checks the preferred name syntax of RFC 1034 §3.5 as RFC 1123 §2.1 relaxes it: labels of letters,
// digits and hyphens. A name whose last label is a number would be an address.
func hostName(s string) bool {
	if len(s) == 0 || len(s) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, b := range []byte(label) {
			if !('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-') {
				return false
			}
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != ""
}

// uriHost gives the host of a URI that has an authority with a name, not an address.
func uriHost(uri string) (host string, ok bool) {
	_, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return "", false
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		rest = rest[:i]
	}
	if _, err := netip.ParseAddr(strings.Trim(rest, "[]")); err == nil {
		return "", false
	}
	return rest, hostName(rest)
}

func (n generalName) equal(o generalName) bool {
	if n.tag == nameDirectory && o.tag == nameDirectory {
		return SameName(n.value, o.value)
	}
	return n.tag == o.tag && bytes.Equal(n.value, o.value)
}
