package tsp

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"math/big"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of what is read.
const (
	MaxRequest    = 4 << 10   // octets of a request
	MaxResponse   = 512 << 10 // octets of a response
	MaxToken      = 1 << 20   // octets of a token that lies in a document, evidence of status beside it
	maxInteger    = 64        // octets of a nonce or a serial number
	maxOID        = 64        // octets of an object identifier
	maxExtensions = 16
	maxTexts      = 16  // sentences of a status
	maxText       = 512 // octets of one that are kept
)

// Media types (RFC 3161 §3.4).
const (
	QueryType = "application/timestamp-query"
	ReplyType = "application/timestamp-reply"
)

// OIDTSTInfo is id-ct-TSTInfo, the content type of a token (RFC 3161 §2.4.2).
var OIDTSTInfo = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}

// hashes are what an imprint may be made with. SHA-1 is read and never asked for or stamped.
var hashes = []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA1}

// Imprint is MessageImprint: what is stamped, as its digest. Hash is 0 where the algorithm is not
// one of SHA-1, SHA-256, SHA-384 and SHA-512; Algorithm then still names it.
type Imprint struct {
	Hash      crypto.Hash
	Algorithm cms.Algorithm
	Sum       []byte
}

// NewImprint makes the imprint of a digest.
func NewImprint(h crypto.Hash, sum []byte) (Imprint, error) {
	a, ok := cms.HashAlgorithm(h)
	if !ok || len(sum) != h.Size() {
		return Imprint{}, jitsuin.Errorf(jitsuin.Invalid, "tsp-imprint", "an imprint is a digest with SHA-256, SHA-384 or SHA-512, in its whole length")
	}
	return Imprint{Hash: h, Algorithm: a, Sum: sum}, nil
}

// Equal tells whether both are digests of the same algorithm and value.
func (i Imprint) Equal(other Imprint) bool {
	return i.Algorithm.OID.Equal(other.Algorithm.OID) && bytes.Equal(i.Sum, other.Sum)
}

// name gives the algorithm as standards write it, or its identifier.
func (i Imprint) name() string {
	if i.Hash != 0 {
		return cms.HashName(i.Hash)
	}
	return i.Algorithm.OID.String()
}

// Extension is one extension of a request or of a TSTInfo.
type Extension struct {
	ID       asn1.ObjectIdentifier
	Critical bool
	Value    []byte
}

func readImprint(in *cryptobyte.String) (i Imprint, ok bool) {
	var body, algorithm, parameters cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&algorithm, cbasn1.SEQUENCE) ||
		!readOID(&algorithm, &i.Algorithm.OID) ||
		!algorithm.Empty() && (!algorithm.ReadAnyASN1Element(&parameters, &tag) || !algorithm.Empty()) ||
		!body.ReadASN1Bytes(&i.Sum, cbasn1.OCTET_STRING) || !body.Empty() {
		return i, false
	}
	i.Algorithm.Parameters = parameters
	plain := len(parameters) == 0 || bytes.Equal(parameters, []byte{5, 0})
	for _, h := range hashes {
		if a, _ := cms.HashAlgorithm(h); plain && a.OID.Equal(i.Algorithm.OID) {
			i.Hash = h
		}
	}
	return i, i.Hash == 0 || len(i.Sum) == i.Hash.Size()
}

func addImprint(b *cryptobyte.Builder, i Imprint) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(i.Algorithm.OID)
			b.AddBytes(i.Algorithm.Parameters)
		})
		b.AddASN1OctetString(i.Sum)
	})
}

// readExtensions reads the contents of Extensions (RFC 5280 §4.1).
func readExtensions(in cryptobyte.String) (all []Extension, ok bool) {
	if in.Empty() { // SIZE (1..MAX)
		return nil, false
	}
	for !in.Empty() {
		var body cryptobyte.String
		var e Extension
		if len(all) == maxExtensions || !in.ReadASN1(&body, cbasn1.SEQUENCE) || !readOID(&body, &e.ID) ||
			body.PeekASN1Tag(cbasn1.BOOLEAN) && !body.ReadASN1Boolean(&e.Critical) ||
			!body.ReadASN1Bytes(&e.Value, cbasn1.OCTET_STRING) || !body.Empty() {
			return nil, false
		}
		for _, other := range all {
			if other.ID.Equal(e.ID) {
				return nil, false
			}
		}
		all = append(all, e)
	}
	return all, true
}

// readOptionalInteger reads an INTEGER of usual length where one is next.
func readOptionalInteger(in *cryptobyte.String) (n *big.Int, ok bool) {
	if !in.PeekASN1Tag(cbasn1.INTEGER) {
		return nil, true
	}
	return readInteger(in)
}

func readInteger(in *cryptobyte.String) (n *big.Int, ok bool) {
	var element cryptobyte.String
	n = new(big.Int)
	ok = in.ReadASN1Element(&element, cbasn1.INTEGER) && len(element) <= maxInteger+2 && element.ReadASN1Integer(n)
	return n, ok
}

func readOID(in *cryptobyte.String, oid *asn1.ObjectIdentifier) bool {
	var element cryptobyte.String
	return in.ReadASN1Element(&element, cbasn1.OBJECT_IDENTIFIER) && len(element) <= maxOID &&
		element.ReadASN1ObjectIdentifier(oid)
}

// sameNumber compares two optional integers.
func sameNumber(a, b *big.Int) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Cmp(b) == 0
}

// implicit is the tag [n] in place of another.
func implicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific() }

// explicit is the tag [n] around something.
func explicit(n uint8) cbasn1.Tag { return implicit(n).Constructed() }

func malformed(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "tsp-malformed", format, args...)
}
