package cert

import (
	"bytes"
	"crypto/x509"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// details is what path validation reads in one certificate. They are read from its octets, strictly: what
// crypto/x509 passes over decides here. form and breach are the first departure from DER or the syntax of RFC 5280 §4, and
// the first MUST of §4 that the certificate breaks although no step of §6 looks at it, "" if none; only
// strict reading and strict validation mind.
type details struct {
	cert         *x509.Certificate
	version      int
	selfIssued   bool
	emptySubject bool
	present      extensionSet
	critical     extensionSet
	unknown      bool // a critical extension that is not processed
	qualified    bool // a policy qualifier that is not known
	form, breach string
	strict       bool

	isCA       bool
	pathLen    int    // -1: not limited
	keyUsage   uint16 // bit n is KeyUsage (n); 0 if absent
	purposes   []string
	altNames   []byte        // GeneralNames of subjectAltName; see names
	keyID      []byte        // subjectKeyIdentifier
	issuerKey  []byte        // keyIdentifier of authorityKeyIdentifier
	issuerSN   []byte        // authorityCertSerialNumber
	issuerName []generalName // authorityCertIssuer

	policies  []string // contents of OBJECT IDENTIFIERs
	anyPolicy bool
	mappings  []policyMapping
	explicit  int // requireExplicitPolicy, inhibitPolicyMapping, inhibitAnyPolicy; -1 if absent
	mapping   int
	inhibit   int

	constraints *nameConstraints
}

// Bits of keyUsage (RFC 5280 §4.2.1.3).
const (
	bitDigitalSignature = 1 << 0
	bitCertSign         = 1 << 5
	bitCRLSign          = 1 << 6
)

// extensionSet has one bit for each extension that is read.
type extensionSet uint32

const (
	extAKI extensionSet = 1 << iota
	extSKI
	extKeyUsage
	extPolicies
	extMappings
	extSAN
	extIAN
	extDirectory
	extBasic
	extNameConstraints
	extPolicyConstraints
	extEKU
	extCRLDP
	extInhibitAny
	extFreshest
	extAIA
	extSIA
	extNoCheck
)

// extensionOf knows an extension by the contents of its OBJECT IDENTIFIER.
func extensionOf(id []byte) extensionSet {
	if len(id) == 3 && id[0] == 0x55 && id[1] == 0x1d {
		return standardExtensions[id[2]]
	}
	switch string(id) {
	case "\x2b\x06\x01\x05\x05\x07\x01\x01":
		return extAIA
	case "\x2b\x06\x01\x05\x05\x07\x01\x0b":
		return extSIA
	case "\x2b\x06\x01\x05\x05\x07\x30\x01\x05":
		return extNoCheck
	}
	return 0
}

var standardExtensions = [256]extensionSet{9: extDirectory, 14: extSKI, 15: extKeyUsage, 17: extSAN, 18: extIAN, 19: extBasic, 30: extNameConstraints,
	31: extCRLDP, 32: extPolicies, 33: extMappings, 35: extAKI, 36: extPolicyConstraints, 37: extEKU, 46: extFreshest, 54: extInhibitAny}

// has tells whether the certificate has the extension.
func (d *details) has(e extensionSet) bool { return d.present&e != 0 }

func (d *details) malforms(rule bool, what string) {
	if rule && d.form == "" {
		d.form = what
	}
}

func (d *details) breaks(rule bool, what string) {
	if rule && d.breach == "" {
		d.breach = what
	}
}

// readDetails reads c; problem says what is malformed, "" if nothing is. Strictly, it also reads what crypto/x509 has
// read already, to see whether that was too lenient, and what no question depends on.
func readDetails(c *x509.Certificate, strict bool) (d *details, problem string) {
	d = &details{cert: c, strict: strict, pathLen: -1, explicit: -1, mapping: -1, inhibit: -1}
	in := cryptobyte.String(c.Raw)
	var outer, tbs, outerAlg, sig cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!outer.ReadASN1Element(&outerAlg, cbasn1.SEQUENCE) || !outer.ReadASN1(&sig, cbasn1.BIT_STRING) || !outer.Empty() {
		return nil, "it is not a certificate"
	}
	if len(sig) == 0 || sig[0] != 0 {
		return nil, "its signature is not a whole number of octets"
	}
	if problem = d.readTBS(tbs, outerAlg); problem != "" {
		return nil, problem
	}
	d.judgeForm()
	return d, ""
}

func (d *details) readTBS(tbs, outerAlg cryptobyte.String) string {
	if problem := d.readVersion(&tbs); problem != "" {
		return problem
	}
	var serial, alg, issuer, validity, subject, key cryptobyte.String
	if !tbs.ReadASN1(&serial, cbasn1.INTEGER) || !minimalInteger(serial) || !tbs.ReadASN1Element(&alg, cbasn1.SEQUENCE) ||
		!tbs.ReadASN1Element(&issuer, cbasn1.SEQUENCE) || !tbs.ReadASN1(&validity, cbasn1.SEQUENCE) ||
		!tbs.ReadASN1Element(&subject, cbasn1.SEQUENCE) || !tbs.ReadASN1Element(&key, cbasn1.SEQUENCE) {
		return "its fields are malformed"
	}
	if !bytes.Equal(alg, outerAlg) {
		return "the signature algorithms inside and outside differ"
	}
	d.malforms(d.strict && !plainAlgorithm(alg), "the parameters of its signature algorithm are not those of the standard")
	if serial[0]&0x80 != 0 {
		return "its serial number is negative"
	}
	d.malforms(len(serial) == 1 && serial[0] == 0, "its serial number is zero")
	d.malforms(len(serial) > maxSerial, "its serial number has more than 20 octets")
	if problem := readValidity(validity); problem != "" {
		return problem
	}
	if len(issuer) == 2 {
		return "it has no issuer"
	}
	for _, name := range []cryptobyte.String{issuer, subject} {
		if !d.strict {
			break
		}
		if !nameForm(name) {
			return "a name in it is malformed"
		}
		d.malforms(!printableNames(name), "a PrintableString in a name has other characters")
	}
	d.emptySubject, d.selfIssued = len(subject) == 2, SameName(issuer, subject)
	return d.readRest(tbs)
}

// maxSerial is the longest serial number, with its leading zero octet (RFC 5280 §4.1.2.2).
const maxSerial = 20

func (d *details) readVersion(tbs *cryptobyte.String) string {
	if !tbs.PeekASN1Tag(explicit(0)) {
		d.version = 1
		return ""
	}
	var wrapped cryptobyte.String
	var v int
	if !tbs.ReadASN1(&wrapped, explicit(0)) || !wrapped.ReadASN1Integer(&v) || !wrapped.Empty() || v != 1 && v != 2 {
		return "its version is not one that exists, or the default written out"
	}
	d.version = v + 1
	return ""
}

// readValidity checks the form of both instants: with seconds, without fractions, in UTC (RFC 5280 §4.1.2.5). A year
// before 2050 as GeneralizedTime is accepted: it can be misread by nobody, and suites call it valid.
func readValidity(in cryptobyte.String) string {
	for range 2 {
		if _, ok := readTime(&in); !ok {
			return "its validity is malformed"
		}
	}
	if !in.Empty() {
		return "its validity is malformed"
	}
	return ""
}

// readRest reads unique identifiers and extensions.
func (d *details) readRest(tbs cryptobyte.String) string {
	for _, n := range []uint8{1, 2} {
		var id cryptobyte.String
		var present bool
		if !tbs.ReadOptionalASN1(&id, &present, implicit(n)) || present && (d.version < 2 || !bitStringForm(id)) {
			return "a unique identifier is malformed, or stands in a certificate of version 1"
		}
	}
	if tbs.Empty() {
		return ""
	}
	var wrapped, list cryptobyte.String
	if d.version != 3 || !tbs.ReadASN1(&wrapped, explicit(3)) || !tbs.Empty() ||
		!wrapped.ReadASN1(&list, cbasn1.SEQUENCE) || !wrapped.Empty() || list.Empty() {
		return "its extensions are malformed, or stand in a certificate that is not of version 3"
	}
	var seen [][]byte
	for !list.Empty() {
		d.malforms(d.strict && falseWritten(list), "an extension writes out that it is not critical")
		id, critical, value, ok := readExtension(&list)
		if !ok || !oidForm(id) {
			return "an extension is malformed"
		}
		for _, have := range seen {
			if bytes.Equal(have, id) {
				return "an extension stands twice"
			}
		}
		if seen = append(seen, id); len(seen) > maxExtensions {
			return "it has too many extensions"
		}
		if problem := d.readExtension(id, critical, value); problem != "" {
			return problem
		}
	}
	return ""
}

// falseWritten tells whether the next extension has critical FALSE, which is the default and not written in DER.
func falseWritten(list cryptobyte.String) bool {
	var body, id cryptobyte.String
	return list.ReadASN1(&body, cbasn1.SEQUENCE) && body.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) && bytes.HasPrefix(body, []byte{1, 1, 0})
}

// maxExtensions of one certificate; comparing them is quadratic.
const maxExtensions = 64

func (d *details) readExtension(id []byte, critical bool, value cryptobyte.String) string {
	e := extensionOf(id)
	if e == 0 {
		d.unknown = d.unknown || critical
		return ""
	}
	d.present |= e
	if critical {
		d.critical |= e
	}
	if !d.strict && e&leftToX509 != 0 {
		return ""
	}
	if !strictDER(value, maxDepth) || !d.readKnown(e, value) {
		return "its " + extensionNames[e] + " is malformed"
	}
	return ""
}

// leftToX509 are extensions that crypto/x509 reads and that decide nothing by themselves.
const leftToX509 = extIAN | extDirectory | extCRLDP | extFreshest | extAIA | extSIA

var extensionNames = map[extensionSet]string{extAKI: "authorityKeyIdentifier", extSKI: "subjectKeyIdentifier", extKeyUsage: "keyUsage",
	extPolicies: "certificatePolicies", extMappings: "policyMappings", extSAN: "subjectAltName", extIAN: "issuerAltName",
	extDirectory: "subjectDirectoryAttributes", extBasic: "basicConstraints", extNameConstraints: "nameConstraints",
	extPolicyConstraints: "policyConstraints", extEKU: "extKeyUsage", extCRLDP: "cRLDistributionPoints", extInhibitAny: "inhibitAnyPolicy",
	extFreshest: "freshestCRL", extAIA: "authorityInfoAccess", extSIA: "subjectInfoAccess", extNoCheck: "ocsp-nocheck"}

// notCritical must not be marked critical (RFC 5280 §4.2.1, §4.2.2); alwaysCritical must. policyConstraints must too, but for
// requireExplicitPolicy 0 alone: suites older than the rule have it either way and call it valid, and it is enforced either way.
const (
	notCritical    = extAKI | extSKI | extDirectory | extFreshest | extAIA | extSIA
	alwaysCritical = extNameConstraints | extInhibitAny
)

// judgeForm finds breaches that take more than one field to see.
func (d *details) judgeForm() {
	c := d.cert
	d.breaks(d.critical&notCritical != 0, "an extension is critical that must not be")
	d.breaks(d.present&alwaysCritical&^d.critical != 0, "an extension is not critical that must be")
	d.breaks(d.has(extPolicyConstraints) && d.critical&extPolicyConstraints == 0 && (d.explicit != 0 || d.mapping >= 0), "policyConstraints are not critical")
	d.breaks(c.NotAfter.Before(c.NotBefore), "it ends before it begins")
	d.breaks(d.isCA && d.emptySubject, "a CA without a name")
	d.breaks(!d.isCA && d.keyUsage&bitCertSign != 0, "keyCertSign without being a CA")
	d.breaks(!d.isCA && d.has(extNameConstraints|extPolicyConstraints|extMappings|extInhibitAny), "constraints in a certificate that is not a CA's")
	d.malforms(d.emptySubject && (!d.has(extSAN) || d.critical&extSAN == 0), "a subject without a name needs a critical subjectAltName")
}

// processed are the extensions that are understood when critical: those of §6, and those that concern
// status, which is judged from what is at hand.
const processed = extKeyUsage | extPolicies | extMappings | extSAN | extIAN | extBasic | extNameConstraints | extPolicyConstraints |
	extEKU | extInhibitAny | extCRLDP | extAKI | extSKI | extFreshest | extNoCheck

// unprocessed tells whether something critical is not understood; of critical policies that is every qualifier.
func (d *details) unprocessed() bool {
	return d.unknown || d.critical&^processed != 0 || d.qualified && d.critical&extPolicies != 0
}

// plainAlgorithm refuses parameters that RFC 4055 and RFC 5758 do not have. What is not in the table, such as
// RSASSA-PSS, was read by crypto/x509 together with its parameters.
func plainAlgorithm(der []byte) bool {
	if signatureAlgorithm(der) != x509.UnknownSignatureAlgorithm {
		return true
	}
	in := cryptobyte.String(der)
	var body, id cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Element(&id, cbasn1.OBJECT_IDENTIFIER) {
		return false
	}
	for _, a := range algorithmIDs {
		if len(a.der) > 2+len(id) && a.der[2:2+len(id)] == string(id) {
			return false
		}
	}
	return true
}

// validAt tells on which side of the validity the instant lies: -1 before, 1 after.
func (d *details) validAt(at time.Time) int {
	switch {
	case at.Before(d.cert.NotBefore):
		return -1
	case at.After(d.cert.NotAfter):
		return 1
	}
	return 0
}
