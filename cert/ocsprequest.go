package cert

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"math/big"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// CertID names a certificate to a responder (RFC 6960 §4.1.1): hashes of its issuer's name and key,
// and its serial number. Hash is crypto.SHA1, which is customary and not about security here, or crypto.SHA256.
type CertID struct {
	Hash     crypto.Hash
	NameHash []byte
	KeyHash  []byte
	Serial   *big.Int
}

// NewCertID names the certificate with this serial number of this issuer.
func NewCertID(h crypto.Hash, issuer *x509.Certificate, serial *big.Int) (CertID, error) {
	bits, ok := subjectPublicKey(issuer.RawSubjectPublicKeyInfo)
	if !ok || h != crypto.SHA1 && h != crypto.SHA256 {
		return CertID{}, ocspError("a certificate is named by SHA-1 or SHA-256 hashes")
	}
	return CertID{Hash: h, NameHash: sumOf(h, issuer.RawSubject), KeyHash: sumOf(h, bits), Serial: serial}, nil
}

func sumOf(h crypto.Hash, b []byte) []byte {
	if h == crypto.SHA256 {
		sum := sha256.Sum256(b)
		return sum[:]
	}
	sum := sha1.Sum(b)
	return sum[:]
}

// ByIssuer tells whether id names a certificate of this issuer: the hashes of name and key both agree.
func (id CertID) ByIssuer(issuer *x509.Certificate) bool {
	want, err := NewCertID(id.Hash, issuer, id.Serial)
	return err == nil && bytes.Equal(id.NameHash, want.NameHash) && bytes.Equal(id.KeyHash, want.KeyHash)
}

// Equal tells whether both name the same certificate in the same way.
func (id CertID) Equal(o CertID) bool {
	return id.Hash == o.Hash && bytes.Equal(id.NameHash, o.NameHash) && bytes.Equal(id.KeyHash, o.KeyHash) && id.Serial.Cmp(o.Serial) == 0
}

// Nonces have 1 to 128 octets (RFC 9654 §2.1); ask with 32.
const maxNonce = 128

// OCSPRequest is a request for the status of some certificates of at most maxOCSPSingles. A signature on a request is
// read over: whether production asks for one is unsure, and this system's responders do not.
type OCSPRequest struct {
	IDs   []CertID
	Nonce []byte // nil for none
}

const (
	maxOCSPRequest  = 4 << 10  // octets
	maxOCSPResponse = 64 << 10 // octets
	maxOCSPSingles  = 16
)

func ocspError(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "ocsp-form", format, args...)
}

const (
	hashIDSHA1   = "\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00"
	hashIDSHA256 = "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
	oidNonceDER  = "\x2b\x06\x01\x05\x05\x07\x30\x01\x02"
	oidBasicDER  = "\x2b\x06\x01\x05\x05\x07\x30\x01\x01"
)

var (
	oidNonce     = []int{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidOCSPBasic = []int{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
)

func (id CertID) add(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if id.Hash == crypto.SHA256 {
			b.AddBytes([]byte(hashIDSHA256))
		} else {
			b.AddBytes([]byte(hashIDSHA1))
		}
		b.AddASN1OctetString(id.NameHash)
		b.AddASN1OctetString(id.KeyHash)
		b.AddASN1BigInt(id.Serial)
	})
}

func readCertID(in *cryptobyte.String) (id CertID, ok bool) {
	var body, alg, name, key cryptobyte.String
	id.Serial = new(big.Int)
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Element(&alg, cbasn1.SEQUENCE) ||
		!body.ReadASN1(&name, cbasn1.OCTET_STRING) || !body.ReadASN1(&key, cbasn1.OCTET_STRING) ||
		!body.ReadASN1Integer(id.Serial) || !body.Empty() || id.Serial.BitLen() > 20*8 {
		return id, false
	}
	id.NameHash, id.KeyHash = name, key
	switch string(alg) {
	case hashIDSHA1, "\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a":
		id.Hash = crypto.SHA1
	case hashIDSHA256, "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01":
		id.Hash = crypto.SHA256
	default:
		return id, true // a hash that is not known names no issuer
	}
	return id, len(name) == id.Hash.Size() && len(key) == id.Hash.Size()
}

func addNonce(b *cryptobyte.Builder, tag cbasn1.Tag, nonce []byte) {
	if nonce == nil {
		return
	}
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			extension{oidNonce, false, octetString(nonce)}.add(b)
		})
	})
}

// readNonceExtensions reads Extensions of a request or response: the nonce, and whether another is critical.
func readNonceExtensions(in cryptobyte.String) (nonce []byte, critical, ok bool) {
	var exts cryptobyte.String
	if !in.ReadASN1(&exts, cbasn1.SEQUENCE) || !in.Empty() || exts.Empty() {
		return nil, false, false
	}
	for !exts.Empty() {
		id, crit, value, ok := readExtension(&exts)
		if !ok {
			return nil, false, false
		}
		if string(id) != oidNonceDER {
			critical = critical || crit
			continue
		}
		v := cryptobyte.String(value)
		var octets cryptobyte.String
		if nonce != nil || !v.ReadASN1(&octets, cbasn1.OCTET_STRING) || !v.Empty() || len(octets) == 0 || len(octets) > maxNonce {
			return nil, false, false
		}
		nonce = octets
	}
	return nonce, critical, true
}

// Marshal gives the DER of an unsigned OCSPRequest.
func (r OCSPRequest) Marshal() []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, id := range r.IDs {
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { id.add(b) })
					}
				})
				addNonce(b, explicit(2), r.Nonce)
			})
		})
	})
}

// ParseOCSPRequest reads a DER OCSPRequest of at most 4 KiB and 16 certificates. A nonce of 0 or more than 128
// octets and unknown critical extensions are refused. The error is of kind Invalid with the code
// "ocsp-form", to be answered with malformedRequest.
func ParseOCSPRequest(der []byte) (*OCSPRequest, error) {
	in := cryptobyte.String(der)
	var outer, tbs, list cryptobyte.String
	if len(der) > maxOCSPRequest || !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!outer.SkipOptionalASN1(explicit(0)) || !outer.Empty() {
		return nil, ocspError("not an OCSP request of at most %d octets", maxOCSPRequest)
	}
	if !tbs.SkipOptionalASN1(explicit(0)) || !tbs.SkipOptionalASN1(explicit(1)) || !tbs.ReadASN1(&list, cbasn1.SEQUENCE) {
		return nil, ocspError("the OCSP request is malformed")
	}
	r := &OCSPRequest{}
	for !list.Empty() {
		var one, exts cryptobyte.String
		var present bool
		if len(r.IDs) == maxOCSPSingles || !list.ReadASN1(&one, cbasn1.SEQUENCE) {
			return nil, ocspError("an OCSP request asks for 1 to %d certificates", maxOCSPSingles)
		}
		id, ok := readCertID(&one)
		if !ok || !one.ReadOptionalASN1(&exts, &present, explicit(0)) || !one.Empty() {
			return nil, ocspError("the identifier of certificate %d is malformed", len(r.IDs)+1)
		}
		if present {
			if _, critical, ok := readNonceExtensions(exts); !ok || critical {
				return nil, ocspError("an extension of the OCSP request is malformed or not understood")
			}
		}
		r.IDs = append(r.IDs, id)
	}
	var exts cryptobyte.String
	var present, critical bool
	if len(r.IDs) == 0 || !tbs.ReadOptionalASN1(&exts, &present, explicit(2)) || !tbs.Empty() {
		return nil, ocspError("the OCSP request is malformed")
	}
	if present {
		var ok bool
		if r.Nonce, critical, ok = readNonceExtensions(exts); !ok || critical {
			return nil, ocspError("an extension of the OCSP request is malformed or not understood")
		}
	}
	return r, nil
}
