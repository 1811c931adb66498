package xmldsig

import (
	"crypto"
	_ "crypto/sha1" // read in old documents; never makes a signature pass
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// Namespaces of the elements that are read.
const (
	Namespace   = "http://www.w3.org/2000/09/xmldsig#"
	namespace11 = "http://www.w3.org/2009/xmldsig11#"
	more2001    = "http://www.w3.org/2001/04/xmldsig-more#"
	more2007    = "http://www.w3.org/2007/05/xmldsig-more#"
	more2021    = "http://www.w3.org/2021/04/xmldsig-more#"
	xmlenc      = "http://www.w3.org/2001/04/xmlenc#"
	wsu         = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
)

// Canonical forms and transforms by their identifiers (XMLDSig 1.1 §6).
const (
	C14N           = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	C14N11         = "http://www.w3.org/2006/12/xml-c14n11"
	Exclusive      = "http://www.w3.org/2001/10/xml-exc-c14n#"
	withComments   = "WithComments"
	enveloped      = Namespace + "enveloped-signature"
	base64Decoding = Namespace + "base64"
	xpathFilter    = "http://www.w3.org/TR/1999/REC-xpath-19991116"
	xpathFilter2   = "http://www.w3.org/2002/06/xmldsig-filter2"
)

// Types of references that mean something here (XMLDSig 1.1 §4.4.3.1).
const (
	TypeManifest = Namespace + "Manifest"
	TypeObject   = Namespace + "Object"
)

var canonicalForms = map[string]xmltree.Method{
	C14N: {}, C14N + "#" + withComments: {Comments: true},
	C14N11: {Eleven: true}, C14N11 + "#" + withComments: {Eleven: true, Comments: true},
	Exclusive: {Exclusive: true}, Exclusive + withComments: {Exclusive: true, Comments: true},
}

// Canonicalization gives the canonical form that an identifier names, without a prefix list.
func Canonicalization(uri string) (m xmltree.Method, ok bool) {
	m, ok = canonicalForms[uri]
	return m, ok
}

var digests = map[string]crypto.Hash{
	Namespace + "sha1": crypto.SHA1, more2001 + "sha224": crypto.SHA224, xmlenc + "sha256": crypto.SHA256,
	more2001 + "sha384": crypto.SHA384, xmlenc + "sha512": crypto.SHA512,
	more2007 + "sha3-224": crypto.SHA3_224, more2007 + "sha3-256": crypto.SHA3_256,
	more2007 + "sha3-384": crypto.SHA3_384, more2007 + "sha3-512": crypto.SHA3_512,
}

// DigestOf gives the hash that the identifier of a DigestMethod names. fault is FaultForbidden for MD5
// and FaultUnsupported for one that is not provided.
func DigestOf(uri string) (h crypto.Hash, fault cms.Fault) {
	switch h = digests[uri]; {
	case h != 0:
		return h, ""
	case uri == more2001+"md5":
		return 0, cms.FaultForbidden
	}
	return 0, cms.FaultUnsupported
}

// weakHash tells whether digests with h prove too little today.
func weakHash(h crypto.Hash) bool {
	return h == crypto.SHA1 || h == crypto.SHA224 || h == crypto.SHA3_224
}

// scheme is a signature algorithm.
type scheme struct {
	family string
	hash   crypto.Hash
	fault  cms.Fault // why it is not computed, "" where it is
}

// Families of signature algorithms, by the names that reports show.
const (
	familyRSA     = "RSASSA-PKCS1-v1_5"
	familyPSS     = "RSASSA-PSS"
	familyECDSA   = "ECDSA"
	familyDSA     = "DSA"
	familyEdDSA   = "Ed25519"
	familyEdCtx   = "Ed25519ctx"
	familyEdPH    = "Ed25519ph"
	familyEd448   = "Ed448"
	familyEd448PH = "Ed448ph"
	familyHMAC    = "HMAC"
	familyUnknown = ""
)

var schemes = map[string]scheme{
	Namespace + "rsa-sha1": {familyRSA, crypto.SHA1, ""}, more2001 + "rsa-sha224": {familyRSA, crypto.SHA224, ""},
	more2001 + "rsa-sha256": {familyRSA, crypto.SHA256, ""}, more2001 + "rsa-sha384": {familyRSA, crypto.SHA384, ""},
	more2001 + "rsa-sha512": {familyRSA, crypto.SHA512, ""}, more2001 + "rsa-md5": {familyRSA, 0, cms.FaultForbidden},
	more2007 + "sha1-rsa-MGF1": {familyPSS, crypto.SHA1, ""}, more2007 + "sha224-rsa-MGF1": {familyPSS, crypto.SHA224, ""},
	more2007 + "sha256-rsa-MGF1": {familyPSS, crypto.SHA256, ""}, more2007 + "sha384-rsa-MGF1": {familyPSS, crypto.SHA384, ""},
	more2007 + "sha512-rsa-MGF1": {familyPSS, crypto.SHA512, ""}, more2007 + "sha3-224-rsa-MGF1": {familyPSS, crypto.SHA3_224, ""},
	more2007 + "sha3-256-rsa-MGF1": {familyPSS, crypto.SHA3_256, ""}, more2007 + "sha3-384-rsa-MGF1": {familyPSS, crypto.SHA3_384, ""},
	more2007 + "sha3-512-rsa-MGF1": {familyPSS, crypto.SHA3_512, ""}, more2007 + "rsa-pss": {familyPSS, crypto.SHA256, ""},
	more2001 + "ecdsa-sha1": {familyECDSA, crypto.SHA1, ""}, more2001 + "ecdsa-sha224": {familyECDSA, crypto.SHA224, ""},
	more2001 + "ecdsa-sha256": {familyECDSA, crypto.SHA256, ""}, more2001 + "ecdsa-sha384": {familyECDSA, crypto.SHA384, ""},
	more2001 + "ecdsa-sha512": {familyECDSA, crypto.SHA512, ""}, more2021 + "ecdsa-sha3-224": {familyECDSA, crypto.SHA3_224, ""},
	more2021 + "ecdsa-sha3-256": {familyECDSA, crypto.SHA3_256, ""}, more2021 + "ecdsa-sha3-384": {familyECDSA, crypto.SHA3_384, ""},
	more2021 + "ecdsa-sha3-512": {familyECDSA, crypto.SHA3_512, ""},
	Namespace + "dsa-sha1":      {familyDSA, crypto.SHA1, ""}, namespace11 + "dsa-sha256": {familyDSA, crypto.SHA256, ""},
	more2021 + "eddsa-ed25519": {familyEdDSA, crypto.SHA512, ""}, more2021 + "eddsa-ed25519ctx": {familyEdCtx, crypto.SHA512, ""},
	more2021 + "eddsa-ed25519ph": {familyEdPH, crypto.SHA512, ""},
	more2021 + "eddsa-ed448":     {familyEd448, crypto.SHA512, ""}, more2021 + "eddsa-ed448ph": {familyEd448PH, crypto.SHA512, ""},
	Namespace + "hmac-sha1": {familyHMAC, 0, cms.FaultUnsupported}, more2001 + "hmac-md5": {familyHMAC, 0, cms.FaultForbidden},
}
