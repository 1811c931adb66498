package cert

import (
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// readKnown reads the value of an extension that is known, already known to be one DER value.
func (d *details) readKnown(e extensionSet, value cryptobyte.String) bool {
	switch e {
	case extAKI:
		return d.readAKI(value)
	case extSKI:
		var id cryptobyte.String
		ok := value.ReadASN1(&id, cbasn1.OCTET_STRING) && value.Empty() && len(id) > 0
		d.keyID = id
		return ok
	case extKeyUsage:
		return d.readKeyUsage(value)
	case extBasic:
		return d.readBasic(value)
	case extEKU:
		return d.readPurposes(value)
	case extSAN, extIAN:
		return d.readNames(e, value)
	case extPolicies:
		return d.readPolicies(value)
	case extMappings:
		return d.readMappings(value)
	case extPolicyConstraints:
		return d.readPolicyConstraints(value)
	case extInhibitAny:
		return readSkip(&value, &d.inhibit) && value.Empty()
	case extNameConstraints:
		d.constraints = parseNameConstraints(value)
		return d.constraints != nil
	case extCRLDP, extFreshest:
		_, ok := parsePoints(value)
		return ok
	case extAIA, extSIA:
		return accessForm(value)
	case extNoCheck:
		return string(value) == "\x05\x00"
	}
	return value.PeekASN1Tag(cbasn1.SEQUENCE)
}

// readAKI is RFC 5280 §4.2.1.1: all fields optional, issuer and serial number together.
func (d *details) readAKI(value cryptobyte.String) bool {
	var body, key, issuer, serial cryptobyte.String
	var hasKey, hasIssuer, hasSerial, ok bool
	if !value.ReadASN1(&body, cbasn1.SEQUENCE) || !value.Empty() || !body.ReadOptionalASN1(&key, &hasKey, implicit(0)) ||
		!body.ReadOptionalASN1(&issuer, &hasIssuer, explicit(1)) || !body.ReadOptionalASN1(&serial, &hasSerial, implicit(2)) || !body.Empty() {
		return false
	}
	if hasIssuer != hasSerial || hasSerial && !minimalInteger(serial) || hasKey && len(key) == 0 {
		return false
	}
	if hasIssuer {
		if d.issuerName, ok = readGeneralNames(issuer); !ok {
			return false
		}
	}
	d.issuerKey, d.issuerSN = key, serial
	d.breaks(!hasKey, "its authorityKeyIdentifier has no keyIdentifier")
	return true
}

func (d *details) readKeyUsage(value cryptobyte.String) (ok bool) {
	var body cryptobyte.String
	if !value.ReadASN1(&body, cbasn1.BIT_STRING) || !value.Empty() {
		return false
	}
	// Trailing zero bits are a matter of form, no bit at all says nothing.
	d.keyUsage, ok = namedBitsOf(body)
	if ok {
		return true
	}
	if !bitStringForm(body) || len(body) < 2 {
		return false
	}
	for i, b := range body[1:min(len(body), 3)] {
		for j := range 8 {
			if b&(0x80>>j) != 0 {
				d.keyUsage |= 1 << (8*i + j)
			}
		}
	}
	d.malforms(true, "its key usage has trailing zero bits")
	return d.keyUsage != 0
}

// readBasic refuses a path length that is not a number of certificates. The default FALSE written out is so common that
// everybody reads it.
func (d *details) readBasic(value cryptobyte.String) bool {
	var body cryptobyte.String
	if !value.ReadASN1(&body, cbasn1.SEQUENCE) || !value.Empty() {
		return false
	}
	if body.PeekASN1Tag(cbasn1.BOOLEAN) && !body.ReadASN1Boolean(&d.isCA) {
		return false
	}
	if body.PeekASN1Tag(cbasn1.INTEGER) && !readNumber(&body, cbasn1.INTEGER, &d.pathLen) {
		return false
	}
	return body.Empty()
}

// readNumber reads INTEGER (0..MAX); what is larger than a path can be becomes maxNumber.
func readNumber(in *cryptobyte.String, tag cbasn1.Tag, to *int) bool {
	var body cryptobyte.String
	if !in.ReadASN1(&body, tag) || !minimalInteger(body) || body[0]&0x80 != 0 {
		return false
	}
	*to = maxNumber
	if len(body) <= 2 {
		*to = 0
		for _, b := range body {
			*to = *to<<8 | int(b)
		}
	}
	return true
}

// maxNumber stands for every number of certificates that no path reaches.
const maxNumber = 1 << 16

func readSkip(in *cryptobyte.String, to *int) bool { return readNumber(in, cbasn1.INTEGER, to) }

func (d *details) readPurposes(value cryptobyte.String) bool {
	var body, id cryptobyte.String
	if !value.ReadASN1(&body, cbasn1.SEQUENCE) || !value.Empty() || body.Empty() {
		return false
	}
	for !body.Empty() {
		if !body.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) {
			return false
		}
		d.purposes = append(d.purposes, string(id))
	}
	return true
}

func (d *details) readNames(e extensionSet, value cryptobyte.String) bool {
	var body cryptobyte.String
	if !value.ReadASN1(&body, cbasn1.SEQUENCE) || !value.Empty() || body.Empty() {
		return false
	}
	if e == extSAN {
		d.altNames = body
	}
	if !d.strict {
		return true
	}
	names, ok := readGeneralNames(body)
	for _, n := range names {
		d.breaks(e == extSAN && !n.wellFormed(), "a name in its subjectAltName is not of the form of its kind")
	}
	return ok
}

// names reads the subjectAltName, which is needed only where names are constrained.
func (d *details) names() ([]generalName, bool) {
	if d.altNames == nil {
		return nil, true
	}
	return readGeneralNames(d.altNames)
}

func accessForm(value cryptobyte.String) bool {
	var body cryptobyte.String
	if !value.ReadASN1(&body, cbasn1.SEQUENCE) || !value.Empty() || body.Empty() {
		return false
	}
	for !body.Empty() {
		var one, id cryptobyte.String
		if !body.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) {
			return false
		}
		if names, ok := readGeneralNames(one); !ok || len(names) != 1 {
			return false
		}
	}
	return true
}

type policyMapping struct{ from, to string }

const anyPolicyDER = "\x55\x1d\x20\x00"

func (d *details) readPolicies(value cryptobyte.String) bool {
	var body cryptobyte.String
	if !value.ReadASN1(&body, cbasn1.SEQUENCE) || !value.Empty() || body.Empty() {
		return false
	}
	var seen map[string]bool // from the second one on
	for first := true; !body.Empty(); first = false {
		var one, id, qualifiers cryptobyte.String
		if !body.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) || seen[string(id)] {
			return false
		}
		if !first || !body.Empty() {
			if seen == nil {
				seen = map[string]bool{}
			}
			seen[string(id)] = true
		}
		if !one.Empty() && (!one.ReadASN1(&qualifiers, cbasn1.SEQUENCE) || !one.Empty() || !d.readQualifiers(qualifiers)) {
			return false
		}
		if string(id) == anyPolicyDER {
			d.anyPolicy = true
		} else {
			d.policies = append(d.policies, string(id))
		}
	}
	return true
}

// readQualifiers knows CPS pointers and user notices (§4.2.1.4).
func (d *details) readQualifiers(in cryptobyte.String) bool {
	if in.Empty() {
		return false
	}
	for !in.Empty() {
		var one, id, value cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) ||
			!one.ReadAnyASN1Element(&value, &tag) || !one.Empty() {
			return false
		}
		d.qualified = d.qualified || string(id) != "\x2b\x06\x01\x05\x05\x07\x02\x01" && string(id) != "\x2b\x06\x01\x05\x05\x07\x02\x02"
	}
	return true
}

// readMappings is RFC 5280 §4.2.1.5: nothing is mapped to or from anyPolicy.
func (d *details) readMappings(value cryptobyte.String) bool {
	var body cryptobyte.String
	if !value.ReadASN1(&body, cbasn1.SEQUENCE) || !value.Empty() || body.Empty() {
		return false
	}
	for !body.Empty() {
		var one, from, to cryptobyte.String
		if !body.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&from, cbasn1.OBJECT_IDENTIFIER) ||
			!one.ReadASN1(&to, cbasn1.OBJECT_IDENTIFIER) || !one.Empty() {
			return false
		}
		d.mappings = append(d.mappings, policyMapping{string(from), string(to)})
	}
	return true
}

func (d *details) readPolicyConstraints(value cryptobyte.String) bool {
	var body cryptobyte.String
	if !value.ReadASN1(&body, cbasn1.SEQUENCE) || !value.Empty() || body.Empty() {
		return false
	}
	if body.PeekASN1Tag(implicit(0)) && !readNumber(&body, implicit(0), &d.explicit) {
		return false
	}
	if body.PeekASN1Tag(implicit(1)) && !readNumber(&body, implicit(1), &d.mapping) {
		return false
	}
	return body.Empty()
}
