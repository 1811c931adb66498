package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/jitsuin/jitsuin"
)

// Bare puts a signature value as a card gives it, made over a digest with h and nothing else, into detached
// SignedData without signed attributes (RFC 5652 §5.4: the value is over the content itself), so that it is judged and kept
// like every other signature. Nothing is checked here but whether the key can have made it: RSA with SHA-256,
// SHA-384 or SHA-512, ECDSA with the hash of its curve; else the error is of kind Unsupported.
func Bare(certificate *x509.Certificate, h crypto.Hash, value []byte) ([]byte, error) {
	digest, ok := HashAlgorithm(h)
	su := suite{hash: h, oid: pkcs1(1), parameters: derNull}
	switch key := certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		ok = ok && (h == crypto.SHA256 || h == crypto.SHA384 || h == crypto.SHA512)
	case *ecdsa.PublicKey:
		own, err := suiteOf(key)
		ok = ok && err == nil && own.hash == h && (key.Curve == elliptic.P256() || key.Curve == elliptic.P384())
		su.oid, su.parameters = own.oid, nil
	default:
		ok = false
	}
	if !ok {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "signing-key", "a key %s does not sign digests with %s here", keyName(certificate.PublicKey), HashName(h))
	}
	var b cryptobyte.Builder
	b.AddASN1Int64(1)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(certificate.RawIssuer)
		b.AddASN1BigInt(certificate.SerialNumber)
	})
	addAlgorithm(&b, digest.OID, nil)
	addAlgorithm(&b, su.oid, su.parameters)
	b.AddASN1OctetString(value)
	fixed, err := b.Bytes()
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "certificate", "the certificate's issuer and serial number cannot be written: %w", err)
	}
	m := members{version: 1, digests: [][]byte{digest.element()}, certificates: [][]byte{certificate.Raw}, signers: []signerMembers{{fixed: fixed}}}
	if m.encap, err = encapsulated(OIDData, nil); err != nil {
		return nil, err
	}
	return m.write()
}
