package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/internal/ber"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of what Parse accepts, beside those on size (64 MiB), depth and number of elements.
// A document too large to be embedded is signed detached.
const (
	MaxSigners      = 32 // over the content; and as many countersignatures
	MaxNesting      = 4  // countersignatures on countersignatures
	MaxCertificates = 128
	maxLists        = 128      // pieces of revocation information
	maxCertificate  = 64 << 10 // octets of one certificate
	maxAttributes   = 128      // in one set
	maxValues       = 64       // of one attribute
	maxOID          = 64       // octets of an object identifier
	maxSerial       = 64       // octets of a serial number
	maxHeader       = 6        // octets of the tag and length of anything that is read
)

// Content types.
var (
	OIDData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
)

// OIDTSTInfo is the content type of a time-stamp token (RFC 3161 §2.4.2).
var OIDTSTInfo = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}

// headOfTimeStamp is how far into a file the content type of a time-stamp token stands at most.
const headOfTimeStamp = 512

// IsTimeStamp tells whether b is a time-stamp token, or a response (RFC 3161 §2.4.2). It reads as
// little as it can and judges nothing.
func IsTimeStamp(b []byte) bool {
	in := cryptobyte.String(b)
	var body, status cryptobyte.String
	if in.ReadASN1(&body, cbasn1.SEQUENCE) && body.ReadASN1(&status, cbasn1.SEQUENCE) && status.PeekASN1Tag(cbasn1.INTEGER) {
		return true // PKIStatusInfo comes first; a ContentInfo begins with an object identifier
	}
	if !bytes.Contains(b[:min(len(b), headOfTimeStamp)], derTSTInfo) {
		return false
	}
	der, err := ber.Definite(b)
	if err != nil {
		return true // the reader of time-stamps will say what is wrong
	}
	in = der
	var content, encap cryptobyte.String
	return in.ReadASN1(&body, cbasn1.SEQUENCE) && body.SkipASN1(cbasn1.OBJECT_IDENTIFIER) && body.ReadASN1(&content, explicit(0)) &&
		content.ReadASN1(&body, cbasn1.SEQUENCE) && body.SkipASN1(cbasn1.INTEGER) && body.SkipASN1(cbasn1.SET) &&
		body.ReadASN1(&encap, cbasn1.SEQUENCE) && bytes.HasPrefix(encap, derTSTInfo)
}

// derTSTInfo is the DER of OIDTSTInfo.
var derTSTInfo = []byte("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04")

// SignedData is the structure of RFC 5652 §5.1 as read. Nothing in it is verified.
type SignedData struct {
	Version      int
	ContentType  asn1.ObjectIdentifier
	Embedded     bool   // the content is inside
	Content      []byte // the embedded content; empty content is Embedded with no bytes
	Certificates []*x509.Certificate
	Unread       int // embedded certificates of a form that is not read
	Signers      []*SignerInfo
	DER          bool // as read, with definite and minimal lengths throughout
	members      members
	counters     int // countersignatures in all
	bare         bool
	hashed       map[crypto.Hash]*[2]map[string]bool // see sums
}

// SignerInfo is one signature (RFC 5652 §5.3) as read. The signer is named by Issuer and Serial,
// or by KeyID.
type SignerInfo struct {
	Version            int
	Issuer             []byte // DER of the issuer's name, nil where KeyID names the signer
	Serial             *big.Int
	KeyID              []byte // subject key identifier
	DigestAlgorithm    Algorithm
	SignatureAlgorithm Algorithm
	Value              []byte
	HasSigned          bool // signed attributes are present
	Signed             []Attribute
	Unsigned           []Attribute
	Countersigners     []*SignerInfo               // those who countersign this signature (RFC 5652 §11.4)
	parent             *SignerInfo                 // what this one countersigns
	hashed             map[indexed]map[string]bool // see unsignedSums
	inOrder            bool                        // the signed attributes stand in the order of DER
	signedDER          []byte                      // SET OF Attribute in DER, what the signature covers (RFC 5652 §5.4)
	members            signerMembers
}

// Parse reads one SignedData in a ContentInfo (RFC 5652 §3), BER or DER, that fills b. Errors are
// *jitsuin.Error: kind Unsupported for another content type or form, kind Invalid for what
// is not CMS at all.
func Parse(b []byte) (*SignedData, error) { return parse(b, false) }

// parse is Parse; bare leaves the certificates unread.
func parse(b []byte, bare bool) (*SignedData, error) {
	der, err := ber.Definite(b)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "cms-malformed", "not readable as ASN.1: %w", err)
	}
	in := cryptobyte.String(der)
	var info, explicit0, body cryptobyte.String
	var contentType asn1.ObjectIdentifier
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !readOID(&info, &contentType) {
		return nil, malformed("not a ContentInfo")
	}
	if !contentType.Equal(oidSignedData) {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "cms-content-type", "the content type is %s, not signed data", contentType)
	}
	if !info.ReadASN1(&explicit0, explicit(0)) || !info.Empty() ||
		!explicit0.ReadASN1(&body, cbasn1.SEQUENCE) || !explicit0.Empty() {
		return nil, malformed("not a ContentInfo with one content")
	}
	sd := &SignedData{bare: bare, DER: len(der) == len(b) && (len(b) == 0 || &der[0] == &b[0])}
	if err := sd.read(body); err != nil {
		return nil, err
	}
	return sd, nil
}

// read reads the members of SignedData.
func (sd *SignedData) read(in cryptobyte.String) error {
	var digests, signers cryptobyte.String
	if !in.ReadASN1Integer(&sd.Version) || !in.ReadASN1(&digests, cbasn1.SET) {
		return malformed("version or digest algorithms are missing")
	}
	sd.members.version = sd.Version
	for !digests.Empty() {
		element, ok := readElement(&digests, cbasn1.SEQUENCE)
		if !ok || len(sd.members.digests) == MaxSigners {
			return malformed("the digest algorithms are not readable, or more than %d", MaxSigners)
		}
		sd.members.digests = append(sd.members.digests, element)
	}
	if sd.Version < 1 || sd.Version > 5 {
		return jitsuin.Errorf(jitsuin.Unsupported, "cms-version", "version %d of SignedData is not known", sd.Version)
	}
	if err := sd.readContent(&in); err != nil {
		return err
	}
	var certificates, lists cryptobyte.String
	var hasCertificates, hasLists bool
	if !in.ReadOptionalASN1(&certificates, &hasCertificates, explicit(0)) ||
		!in.ReadOptionalASN1(&lists, &hasLists, explicit(1)) || !in.ReadASN1(&signers, cbasn1.SET) || !in.Empty() {
		return malformed("certificates, lists or signers are not where they belong")
	}
	if err := sd.readCertificates(certificates); err != nil {
		return err
	}
	if err := sd.readLists(lists); err != nil {
		return err
	}
	for !signers.Empty() {
		if len(sd.Signers) == MaxSigners {
			return malformed("more than %d signers", MaxSigners)
		}
		s, err := readSigner(&signers)
		if err == nil {
			err = sd.readCountersigners(s, 1)
		}
		if err != nil {
			return err
		}
		sd.Signers = append(sd.Signers, s)
		sd.members.signers = append(sd.members.signers, s.members)
	}
	return sd.limitStamps()
}

func (sd *SignedData) limitStamps() error {
	n := 0
	for _, s := range sd.All() {
		s.tokens(func(StampKind, []byte, []byte, []byte) { n++ })
	}
	if n > MaxStamps {
		return jitsuin.Errorf(jitsuin.Unsupported, "cms-stamps", "more than %d time-stamps", MaxStamps)
	}
	return nil
}

// readContent reads EncapsulatedContentInfo (RFC 5652 §5.2).
func (sd *SignedData) readContent(in *cryptobyte.String) error {
	var whole, encap, content cryptobyte.String
	if !in.ReadASN1Element(&whole, cbasn1.SEQUENCE) {
		return malformed("the encapsulated content is missing")
	}
	sd.members.encap = whole
	if !whole.ReadASN1(&encap, cbasn1.SEQUENCE) || !readOID(&encap, &sd.ContentType) ||
		!encap.ReadOptionalASN1(&content, &sd.Embedded, explicit(0)) || !encap.Empty() {
		return malformed("the encapsulated content is not readable")
	}
	if !sd.Embedded {
		return nil
	}
	if !content.PeekASN1Tag(cbasn1.OCTET_STRING) {
		return jitsuin.Errorf(jitsuin.Unsupported, "cms-content-form", "the content is no octet string, as in PKCS #7 before CMS")
	}
	if !content.ReadASN1Bytes(&sd.Content, cbasn1.OCTET_STRING) || !content.Empty() {
		return malformed("the encapsulated content is not one octet string")
	}
	return nil
}

// readCertificates reads CertificateSet (RFC 5652 §10.2.3). A certificate that cannot be read is
// counted, not fatal: it may be one that no signer needs.
func (sd *SignedData) readCertificates(in cryptobyte.String) error {
	for n := 0; !in.Empty(); n++ {
		var element cryptobyte.String
		var tag cbasn1.Tag
		if n == MaxCertificates {
			return malformed("more than %d certificates", MaxCertificates)
		}
		if !in.ReadAnyASN1Element(&element, &tag) {
			return malformed("the set of certificates is not readable")
		}
		sd.members.certificates = append(sd.members.certificates, element)
		if sd.bare {
			continue
		}
		if c := readCertificate(element, tag); c != nil {
			sd.Certificates = append(sd.Certificates, c)
		} else {
			sd.Unread++
		}
	}
	return nil
}

// readLists reads RevocationInfoChoices (RFC 5652 §10.2.1) as far as taking it apart.
func (sd *SignedData) readLists(in cryptobyte.String) error {
	for !in.Empty() {
		var element cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadAnyASN1Element(&element, &tag) || len(sd.members.lists) == maxLists {
			return malformed("the revocation information is not readable, or more than %d", maxLists)
		}
		sd.members.lists = append(sd.members.lists, element)
	}
	return nil
}

// readElement reads one whole element with its header.
func readElement(in *cryptobyte.String, tag cbasn1.Tag) ([]byte, bool) {
	var element cryptobyte.String
	ok := in.ReadASN1Element(&element, tag)
	return element, ok
}

// readCertificate gives nil for anything but an X.509 certificate of usual size.
func readCertificate(element []byte, tag cbasn1.Tag) *x509.Certificate {
	if tag != cbasn1.SEQUENCE || len(element) > maxCertificate {
		return nil
	}
	c, err := x509.ParseCertificate(element)
	if err != nil {
		return nil
	}
	return c
}

// readSigner reads one SignerInfo.
func readSigner(in *cryptobyte.String) (*SignerInfo, error) {
	s := &SignerInfo{}
	var body, signed, unsigned cryptobyte.String
	var hasUnsigned, ok1, ok2 bool
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		return nil, malformed("a signer is not readable")
	}
	whole := body
	if !body.ReadASN1Integer(&s.Version) {
		return nil, malformed("a signer's version is not readable")
	}
	if s.Version != 1 && s.Version != 3 {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "cms-version", "version %d of SignerInfo is not known", s.Version)
	}
	if !s.readIdentifier(&body) {
		return nil, malformed("a signer identifier is not readable")
	}
	s.DigestAlgorithm, ok1 = readAlgorithm(&body)
	if !ok1 || !body.ReadOptionalASN1(&signed, &s.HasSigned, explicit(0)) {
		return nil, malformed("a signer's digest algorithm or signed attributes are not readable")
	}
	s.SignatureAlgorithm, ok2 = readAlgorithm(&body)
	if !ok2 || !body.ReadASN1Bytes(&s.Value, cbasn1.OCTET_STRING) {
		return nil, malformed("a signer's signature is not readable")
	}
	s.members.fixed = whole[:len(whole)-len(body)]
	if !body.ReadOptionalASN1(&unsigned, &hasUnsigned, explicit(1)) || !body.Empty() {
		return nil, malformed("a signer's unsigned attributes are not readable")
	}
	if err := s.readSigned(signed); err != nil {
		return nil, err
	}
	var err error
	if s.Unsigned, s.members.unsigned, err = readAttributes(unsigned); err != nil {
		return nil, err
	}
	return s, nil
}

// readSigned reads the signed attributes and notes them as the SET OF in DER that is signed (RFC 5652
// §5.4), whatever the order in which they came.
func (s *SignerInfo) readSigned(signed cryptobyte.String) error {
	var elements [][]byte
	var err error
	if s.Signed, elements, err = readAttributes(signed); err != nil || !s.HasSigned {
		return err
	}
	s.inOrder = slices.IsSortedFunc(elements, bytes.Compare)
	for _, a := range s.Signed {
		s.inOrder = s.inOrder && slices.IsSortedFunc(a.Values, bytes.Compare)
	}
	if s.inOrder {
		s.signedDER = make([]byte, 0, len(signed)+maxHeader)
		b := cryptobyte.NewBuilder(s.signedDER)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(signed) })
		s.signedDER, err = b.Bytes()
	} else {
		s.signedDER, err = encodeAttributes(s.Signed)
	}
	if err != nil {
		return malformed("signed attributes cannot be written in DER")
	}
	return nil
}

// readIdentifier reads SignerIdentifier.
func (s *SignerInfo) readIdentifier(in *cryptobyte.String) bool {
	if in.PeekASN1Tag(implicit(0)) {
		return in.ReadASN1Bytes(&s.KeyID, implicit(0))
	}
	var body, issuer cryptobyte.String
	s.Serial = new(big.Int)
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Element(&issuer, cbasn1.SEQUENCE) ||
		len(body) > maxSerial || !body.ReadASN1Integer(s.Serial) || !body.Empty() {
		return false
	}
	s.Issuer = issuer
	return true
}

// readAlgorithm reads one AlgorithmIdentifier.
func readAlgorithm(in *cryptobyte.String) (a Algorithm, ok bool) {
	var body, parameters cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !readOID(&body, &a.OID) {
		return a, false
	}
	if !body.Empty() && (!body.ReadAnyASN1Element(&parameters, &tag) || !body.Empty()) {
		return a, false
	}
	a.Parameters = parameters
	return a, true
}

// readOID reads an object identifier of usual length; each octet of a longer one would cost eight.
func readOID(in *cryptobyte.String, oid *asn1.ObjectIdentifier) bool {
	var element cryptobyte.String
	return in.ReadASN1Element(&element, cbasn1.OBJECT_IDENTIFIER) && len(element) <= maxOID &&
		element.ReadASN1ObjectIdentifier(oid)
}

// explicit is the tag [n] around something; implicit the tag [n] in place of a primitive one.
func explicit(n uint8) cbasn1.Tag { return implicit(n).Constructed() }
func implicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific() }

func malformed(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "cms-malformed", format, args...)
}
