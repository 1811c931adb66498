package fetch

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Place is an address with lists.
type Place struct {
	LDAP      bool
	Secure    bool   // ldaps
	Host      string // HOST:PORT of an LDAP server
	DN        string
	Attribute string // certificateRevocationList;binary
	Scope     int    // of package ldap
	Filter    string
}

// ParseURL reads http(s)://… and ldap(s)://HOST/DN?ATTRIBUTE?SCOPE?FILTER (RFC 4516). What is left out is
// certificateRevocationList;binary, base and (objectClass=*). Extensions, and names and passwords in the address, are refused.
func ParseURL(text string) (Place, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Place{}, errors.New("the address cannot be read")
	case u.Host == "":
		return Place{}, errors.New("the address names no host")
	case u.User != nil || u.Fragment != "":
		return Place{}, errors.New("the address has a user or a fragment in it")
	case u.Scheme == "http" || u.Scheme == "https":
		return Place{}, nil
	case u.Scheme != "ldap" && u.Scheme != "ldaps":
		return Place{}, fmt.Errorf("there is no kind of source %q", u.Scheme)
	}
	p := Place{LDAP: true, Secure: u.Scheme == "ldaps", Host: u.Host, Attribute: "certificateRevocationList;binary", Filter: "(objectClass=*)"}
	if u.Port() == "" {
		p.Host += map[bool]string{false: ":389", true: ":636"}[p.Secure]
	}
	if p.DN = strings.TrimPrefix(u.Path, "/"); p.DN == "" {
		return p, errors.New("the address names no entry: ldap://HOST/DN")
	}
	if _, err := ldap.ParseDN(p.DN); err != nil {
		return p, errors.New("the name of the entry in the address is no distinguished name")
	}
	return p, p.query(u.RawQuery)
}

func (p *Place) query(raw string) error {
	parts := strings.Split(raw, "?")
	if len(parts) > 3 {
		return errors.New("the address has extensions, which are not provided")
	}
	for i, part := range parts {
		v, err := url.PathUnescape(part)
		if err != nil {
			return errors.New("the address cannot be read")
		}
		if v == "" {
			continue
		}
		switch i {
		case 0:
			base, option, _ := strings.Cut(v, ";")
			if !isListAttribute(base) || option != "" && !strings.EqualFold(option, "binary") {
				return fmt.Errorf("%q is no attribute with revocation lists", v)
			}
			p.Attribute = v
		case 1:
			scope, known := map[string]int{"base": ldap.ScopeBaseObject, "one": ldap.ScopeSingleLevel, "sub": ldap.ScopeWholeSubtree}[strings.ToLower(v)]
			if !known {
				return fmt.Errorf("%q is no scope: base, one or sub", v)
			}
			p.Scope = scope
		case 2:
			if _, err := ldap.CompileFilter(v); err != nil {
				return fmt.Errorf("%q is no filter", v)
			}
			p.Filter = v
		}
	}
	return nil
}

// isListAttribute knows the attributes of RFC 4523 that hold complete lists.
func isListAttribute(name string) bool {
	return strings.EqualFold(name, "certificateRevocationList") || strings.EqualFold(name, "authorityRevocationList")
}

// public is an address as it may be shown: without a password, which ParseURL refuses anyway.
func public(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(an address that cannot be read)"
	}
	return u.Redacted()
}
