package cert

import (
	"bytes"
	"crypto/x509"
	"hash/maphash"
	"math/big"
	"time"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// CRL is a parsed revocation list that keeps the octets it was read from and no slice of entries.
// ParseCRL has checked the form of everything, but no signature: see Verify. A CRL is safe for
// concurrent reading.
type CRL struct {
	Raw            []byte
	RawTBS         []byte
	RawIssuer      []byte
	Algorithm      x509.SignatureAlgorithm
	Signature      []byte
	ThisUpdate     time.Time
	NextUpdate     time.Time // zero if absent
	Number         *big.Int  // nil if absent
	AuthorityKeyID []byte
	Count          int // entries

	scope    *crlScope
	base     *big.Int // baseCRLNumber; nil for a complete list
	freshest bool     // it points to deltas
	foreign  bool     // entries name other issuers than the list's
	unusable string   // why the list may answer for nothing, though well formed
	breach   string   // a MUST of RFC 5280 §5 that it breaks
	entries  []byte
	index    []uint32 // open addressing, offset+1 into entries
	seed     maphash.Seed
}

const maxCRL = 1 << 31 // octets

func crlError(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "crl-form", format, args...)
}

// ParseCRL reads one DER CertificateList and checks the form of every entry in one pass without allocating.
// The result refers to der. The error is of kind Invalid with the code "crl-form".
func ParseCRL(der []byte) (*CRL, error) {
	if len(der) > maxCRL {
		return nil, crlError("a revocation list has at most %d octets", maxCRL)
	}
	c := &CRL{Raw: der}
	in := cryptobyte.String(der)
	var outer, tbs, alg cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Element(&tbs, cbasn1.SEQUENCE) ||
		!outer.ReadASN1Element(&alg, cbasn1.SEQUENCE) || !outer.ReadASN1BitStringAsBytes(&c.Signature) || !outer.Empty() {
		return nil, crlError("not a DER revocation list")
	}
	c.RawTBS, c.Algorithm = tbs, signatureAlgorithm(alg)
	var body cryptobyte.String
	tbs.ReadASN1(&body, cbasn1.SEQUENCE) // was read as an element above
	if err := c.parseTBS(body, alg); err != nil {
		return nil, err
	}
	if c.foreign && c.scope == nil {
		return nil, crlError("an entry names another issuer in a list that is not indirect")
	}
	return c, nil
}

func (c *CRL) parseTBS(body, outerAlg cryptobyte.String) error {
	version := int64(0)
	if body.PeekASN1Tag(cbasn1.INTEGER) && (!body.ReadASN1Integer(&version) || version != 1) {
		return crlError("the version of a revocation list is 2, or absent")
	}
	var alg, issuer cryptobyte.String
	if !body.ReadASN1Element(&alg, cbasn1.SEQUENCE) || !bytes.Equal(alg, outerAlg) {
		return crlError("the two signature algorithms differ")
	}
	if !body.ReadASN1Element(&issuer, cbasn1.SEQUENCE) || len(issuer) == 2 || !nameForm(issuer) {
		return crlError("the issuer is malformed, or there is none")
	}
	c.RawIssuer = issuer
	var ok bool
	if c.ThisUpdate, ok = readTime(&body); !ok {
		return crlError("thisUpdate is malformed")
	}
	if body.PeekASN1Tag(cbasn1.UTCTime) || body.PeekASN1Tag(cbasn1.GeneralizedTime) {
		if c.NextUpdate, ok = readTime(&body); !ok {
			return crlError("nextUpdate is malformed")
		}
	}
	if body.PeekASN1Tag(cbasn1.SEQUENCE) {
		var list cryptobyte.String
		if !body.ReadASN1(&list, cbasn1.SEQUENCE) || list.Empty() {
			return crlError("the list of entries is malformed, or present and empty")
		}
		if c.entries = list; !c.scanEntries(version == 1) {
			return crlError("entry %d is malformed", c.Count+1)
		}
	}
	if body.PeekASN1Tag(explicit(0)) {
		if err := c.parseExtensions(&body, version); err != nil {
			return err
		}
	}
	if !body.Empty() {
		return crlError("there is something after the end of the list")
	}
	return nil
}

// scanEntries checks the form of all entries and counts them.
func (c *CRL) scanEntries(v2 bool) bool {
	rest := cryptobyte.String(c.entries)
	for !rest.Empty() {
		e, ok := readEntry(&rest)
		if !ok || e.hasExtensions && !v2 {
			return false
		}
		if e.critical && c.unusable == "" {
			c.unusable = "an entry has a critical extension that is not understood"
		}
		c.foreign = c.foreign || e.issuer != nil
		c.Count++
	}
	return true
}

// rawEntry is one entry as it stands in the list.
type rawEntry struct {
	serial        []byte // contents of the INTEGER
	at            time.Time
	reason        int
	issuer        []byte // Name of certificateIssuer, nil if the issuer is that of the entry before
	hasExtensions bool
	critical      bool // an extension that is not understood
}

func readEntry(rest *cryptobyte.String) (e rawEntry, ok bool) {
	var body, serial cryptobyte.String
	if !rest.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&serial, cbasn1.INTEGER) || !minimalInteger(serial) {
		return e, false
	}
	e.serial = serial
	if e.at, ok = readTime(&body); !ok {
		return e, false
	}
	if body.Empty() {
		return e, true
	}
	var exts cryptobyte.String
	if !body.ReadASN1(&exts, cbasn1.SEQUENCE) || exts.Empty() || !body.Empty() {
		return e, false
	}
	e.hasExtensions = true
	return e, e.readExtensions(exts)
}

func (e *rawEntry) readExtensions(exts cryptobyte.String) bool {
	reasons := 0
	for !exts.Empty() {
		id, critical, value, ok := readExtension(&exts)
		if !ok {
			return false
		}
		switch string(id) {
		case "\x55\x1d\x15": // reasonCode
			if reasons++; reasons > 1 || len(value) != 3 || value[0] != 0x0a || value[1] != 1 {
				return false
			}
			if e.reason = int(value[2]); e.reason == 7 || e.reason > 10 {
				return false
			}
		case "\x55\x1d\x18": // invalidityDate: of no consequence here
		case "\x55\x1d\x1d": // certificateIssuer
			if e.issuer != nil || !e.readIssuer(value) {
				return false
			}
		default:
			e.critical = e.critical || critical
		}
	}
	return true
}

// readIssuer takes the directory name of a certificateIssuer (RFC 5280 §5.3.3).
func (e *rawEntry) readIssuer(value cryptobyte.String) bool {
	var body cryptobyte.String
	if !value.ReadASN1(&body, cbasn1.SEQUENCE) || !value.Empty() {
		return false
	}
	names, ok := readGeneralNames(body)
	for _, n := range names {
		if n.tag == nameDirectory && e.issuer == nil {
			e.issuer = n.value
		}
	}
	return ok && e.issuer != nil
}

// readExtension reads one Extension; id are the contents of its OBJECT IDENTIFIER.
func readExtension(in *cryptobyte.String) (id []byte, critical bool, value []byte, ok bool) {
	var body, oid, octets cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) {
		return nil, false, nil, false
	}
	if body.PeekASN1Tag(cbasn1.BOOLEAN) && !body.ReadASN1Boolean(&critical) {
		return nil, false, nil, false
	}
	ok = body.ReadASN1(&octets, cbasn1.OCTET_STRING) && body.Empty()
	return oid, critical, octets, ok
}

func minimalInteger(b []byte) bool {
	return len(b) == 1 || len(b) > 1 && !(b[0] == 0 && b[1]&0x80 == 0) && !(b[0] == 0xff && b[1]&0x80 != 0)
}

// readTime reads UTCTime YYMMDDhhmmssZ or GeneralizedTime YYYYMMDDhhmmssZ (RFC 5280 §4.1.2.5).
func readTime(in *cryptobyte.String) (time.Time, bool) {
	var body cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&body, &tag) || len(body) < 13 || body[len(body)-1] != 'Z' {
		return time.Time{}, false
	}
	digits := body[:len(body)-1]
	for _, d := range digits {
		if d < '0' || d > '9' {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(digits[i]-'0')*10 + int(digits[i+1]-'0') }
	var year int
	switch {
	case tag == cbasn1.UTCTime && len(digits) == 12:
		if year = 1900 + two(0); year < 1950 {
			year += 100
		}
		digits = digits[2:]
	case tag == cbasn1.GeneralizedTime && len(digits) == 14:
		year = two(0)*100 + two(2)
		digits = digits[4:]
	default:
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(two(0)), two(2), two(4), two(6), two(8), 0, time.UTC)
	exists := int(t.Month()) == two(0) && t.Day() == two(2) && t.Hour() == two(4) && t.Minute() == two(6) && t.Second() == two(8)
	return t, exists
}

func (c *CRL) parseExtensions(body *cryptobyte.String, version int64) error {
	var wrapped, exts cryptobyte.String
	if version != 1 || !body.ReadASN1(&wrapped, explicit(0)) || !wrapped.ReadASN1(&exts, cbasn1.SEQUENCE) || !wrapped.Empty() || exts.Empty() {
		return crlError("the extensions are malformed")
	}
	seen := map[string]bool{}
	for !exts.Empty() {
		id, critical, value, ok := readExtension(&exts)
		if !ok || seen[string(id)] {
			return crlError("an extension is malformed or stands twice")
		}
		seen[string(id)] = true
		switch string(id) {
		case "\x55\x1d\x14": // cRLNumber
			c.Number, ok = readCRLNumber(value)
			c.breaks(critical, "its number is critical")
		case "\x55\x1d\x1b": // deltaCRLIndicator
			c.base, ok = readCRLNumber(value)
			c.breaks(!critical, "its deltaCRLIndicator is not critical")
		case "\x55\x1d\x23": // authorityKeyIdentifier
			ok = c.parseAKI(value)
		case "\x55\x1d\x1c": // issuingDistributionPoint
			ok = c.parseScope(value)
			c.breaks(!critical, "its issuingDistributionPoint is not critical")
		case "\x55\x1d\x2e": // freshestCRL: deltas are taken from what is at hand
			_, ok = parsePoints(value)
			c.freshest = ok
		default:
			if critical && c.unusable == "" {
				c.unusable = "the list has a critical extension that is not understood"
			}
		}
		if !ok {
			return crlError("an extension is malformed")
		}
	}
	c.breaks(c.Number == nil, "it has no number")
	if c.foreign && (c.scope == nil || !c.scope.indirect) {
		return crlError("an entry names another issuer in a list that is not indirect")
	}
	return nil
}

func (c *CRL) breaks(rule bool, what string) {
	if rule && c.breach == "" {
		c.breach = what
	}
}

func readCRLNumber(value []byte) (*big.Int, bool) {
	in, n := cryptobyte.String(value), new(big.Int)
	ok := in.ReadASN1Integer(n) && in.Empty() && n.Sign() >= 0 && n.BitLen() <= 159
	return n, ok
}

func (c *CRL) parseAKI(value []byte) bool {
	in := cryptobyte.String(value)
	var body, id cryptobyte.String
	var present bool
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadOptionalASN1(&id, &present, implicit(0)) {
		return false
	}
	c.AuthorityKeyID = id
	return true
}
