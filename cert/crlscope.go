package cert

import (
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// crlScope is an issuingDistributionPoint (RFC 5280 §5.2.5).
type crlScope struct {
	raw              []byte
	names            []generalName // of the distribution point; nil if it has none
	relative         []byte        // RelativeDistinguishedName below the list's issuer, instead of names
	userOnly, caOnly bool
	attributeOnly    bool
	indirect         bool
	hasReasons       bool
	reasons          uint16 // bits of ReasonFlags
}

// allReasons are the bits 1 to 8 of ReasonFlags; bit 0 is unused.
const allReasons = 0x1fe

func (c *CRL) parseScope(value []byte) bool {
	in := cryptobyte.String(value)
	var body, dp, reasons cryptobyte.String
	var hasDP, ok bool
	s := &crlScope{raw: value}
	if !strictDER(value, maxDepth) || !in.ReadASN1(&body, cbasn1.SEQUENCE) || body.Empty() || !body.ReadOptionalASN1(&dp, &hasDP, explicit(0)) {
		return false
	}
	if hasDP {
		if s.names, s.relative, ok = readPointName(dp); !ok {
			return false
		}
	}
	if !readFlag(&body, 1, &s.userOnly) || !readFlag(&body, 2, &s.caOnly) || !body.ReadOptionalASN1(&reasons, &s.hasReasons, implicit(3)) ||
		!readFlag(&body, 4, &s.indirect) || !readFlag(&body, 5, &s.attributeOnly) || !body.Empty() {
		return false
	}
	if s.hasReasons {
		if s.reasons, ok = namedBitsOf(reasons); !ok {
			return false
		}
	}
	c.scope = s
	count := 0
	for _, only := range []bool{s.userOnly, s.caOnly, s.attributeOnly} {
		if only {
			count++
		}
	}
	return count <= 1
}

// readFlag reads [n] IMPLICIT BOOLEAN DEFAULT FALSE.
func readFlag(in *cryptobyte.String, n uint8, to *bool) bool {
	var v cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&v, &present, implicit(n)) || present && (len(v) != 1 || v[0] != 0 && v[0] != 0xff) {
		return false
	}
	*to = present && v[0] == 0xff
	return true
}

// excludes says why the list is not about a CA's certificate, or not about any other.
func (s *crlScope) excludes(ca bool) string {
	switch {
	case s.attributeOnly:
		return "the revocation list is for attribute certificates"
	case s.userOnly && ca || s.caOnly && !ca:
		return "the revocation list is for the other kind of certificates"
	}
	return ""
}

// distributionPoint is one DistributionPoint (RFC 5280 §4.2.1.13).
type distributionPoint struct {
	names      []generalName
	relative   []byte
	hasReasons bool
	reasons    uint16
	issuers    []generalName // cRLIssuer
}

// maxPoints of one certificate; each is compared with each list.
const maxPoints = 64

// parsePoints reads CRLDistributionPoints. A point has a name or an issuer of its list; with reasons alone it would say
// nothing.
func parsePoints(value []byte) (points []distributionPoint, ok bool) {
	in := cryptobyte.String(value)
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() || list.Empty() {
		return nil, false
	}
	for !list.Empty() {
		var one cryptobyte.String
		var p distributionPoint
		if len(points) == maxPoints || !list.ReadASN1(&one, cbasn1.SEQUENCE) || !p.read(one) {
			return nil, false
		}
		points = append(points, p)
	}
	return points, true
}

func (p *distributionPoint) read(in cryptobyte.String) (ok bool) {
	var name, reasons, issuers cryptobyte.String
	var hasName, hasIssuers bool
	if !in.ReadOptionalASN1(&name, &hasName, explicit(0)) || !in.ReadOptionalASN1(&reasons, &p.hasReasons, implicit(1)) ||
		!in.ReadOptionalASN1(&issuers, &hasIssuers, explicit(2)) || !in.Empty() || !hasName && !hasIssuers {
		return false
	}
	if hasName {
		if p.names, p.relative, ok = readPointName(name); !ok {
			return false
		}
	}
	if p.hasReasons {
		if p.reasons, ok = namedBitsOf(reasons); !ok {
			return false
		}
	}
	if hasIssuers {
		p.issuers, ok = readGeneralNames(issuers)
		return ok
	}
	return true
}

// readPointName reads a DistributionPointName: full names, or one relative name.
func readPointName(in cryptobyte.String) (names []generalName, relative []byte, ok bool) {
	var body cryptobyte.String
	if in.PeekASN1Tag(explicit(1)) {
		ok = in.ReadASN1(&body, explicit(1)) && in.Empty() && !body.Empty()
		return nil, body, ok
	}
	if !in.ReadASN1(&body, explicit(0)) || !in.Empty() {
		return nil, nil, false
	}
	names, ok = readGeneralNames(body)
	return names, nil, ok
}

// below makes the name that lies one RelativeDistinguishedName below another.
func below(name, relative []byte) generalName {
	in := cryptobyte.String(name)
	var rdns cryptobyte.String
	in.ReadASN1(&rdns, cbasn1.SEQUENCE) // a name that was read before
	return generalName{nameDirectory, build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(rdns)
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(relative) })
		})
	})}
}

// pointNames gives the names that a list of this point may go by: its own, else those of its list's issuer.
func (p *distributionPoint) pointNames(issuer []byte) []generalName {
	switch {
	case p.relative != nil:
		for _, n := range p.issuers {
			if n.tag == nameDirectory {
				issuer = n.value
			}
		}
		return []generalName{below(issuer, p.relative)}
	case p.names != nil:
		return p.names
	}
	return p.issuers
}
