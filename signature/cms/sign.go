package cms

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Signer makes signatures with one key. Key is asked for a signature over a digest, with the hash
// as options: RSASSA-PKCS1-v1_5 with SHA-256 for an RSA key of 2048 bits or more, ECDSA in DER with
// SHA-384 for P-384 and SHA-256 for P-256. A card's key is such a crypto.Signer.
type Signer struct {
	Certificate      *x509.Certificate   // the signer's; embedded
	Others           []*x509.Certificate // CA certificates to embed beside it
	Key              crypto.Signer
	Rand             io.Reader             // nil: the system's
	ContentType      asn1.ObjectIdentifier // what the content is; nil: plain data (id-data)
	OmitCertificates bool                  // embed none at all; the reader must have them (RFC 3161 §2.4.1, certReq)
	// OmitTime leaves signing-time out: in a PDF the claimed time stands in the signature dictionary
	// (EN 319 142-1 §5.2). at of the functions below is then not looked at.
	OmitTime bool
}

// Detached signs content as ContentType and gives the SignedData without it, in DER, as CAdES B-B
// (EN 319 122-1 §6): content-type, message-digest, signing-time at and signing-certificate-v2
// are signed. The content is streamed. Errors of the key and of the reader are passed on.
func (s *Signer) Detached(ctx context.Context, content io.Reader, at time.Time) ([]byte, error) {
	return s.sign(ctx, content, nil, at)
}

// Embedded is Detached with the content inside.
func (s *Signer) Embedded(ctx context.Context, content []byte, at time.Time) ([]byte, error) {
	if content == nil {
		content = []byte{}
	}
	return s.sign(ctx, bytes.NewReader(content), content, at)
}

// DetachedDigest is Detached where the content lies elsewhere and only its digest came here, made with
// SuiteHash of the key. Whoever signs so cannot know what is signed; a digest of another length is refused
// with Invalid "digest".
func (s *Signer) DetachedDigest(digest []byte, at time.Time) ([]byte, error) {
	su, err := s.check(at)
	if err != nil {
		return nil, err
	}
	if len(digest) != su.hash.Size() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "digest", "the digest has %d octets and not the %d of %s", len(digest), su.hash.Size(), su.hash)
	}
	return s.signDigest(su, digest, nil, at)
}

// suite is what a key signs with.
type suite struct {
	hash       crypto.Hash
	oid        asn1.ObjectIdentifier
	parameters []byte
	scheme     scheme
}

// SuiteHash gives the hash that a key signs with, as Signer describes. The error is of kind
// Unsupported for every other key.
func SuiteHash(key crypto.PublicKey) (crypto.Hash, error) {
	su, err := suiteOf(key)
	return su.hash, err
}

// digest gives the identifier of the suite's hash.
func (su suite) digest() Algorithm {
	a, _ := HashAlgorithm(su.hash)
	return a
}

func suiteOf(key crypto.PublicKey) (suite, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits >= minRSA && bits <= maxRSA {
			return suite{crypto.SHA256, oidRSASHA256, derNull, scheme{family: familyRSA}}, nil
		}
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return suite{crypto.SHA256, oidECSHA256, nil, scheme{family: familyECDSA}}, nil
		case elliptic.P384():
			return suite{crypto.SHA384, oidECSHA384, nil, scheme{family: familyECDSA}}, nil
		}
	}
	return suite{}, jitsuin.Errorf(jitsuin.Unsupported, "signing-key", "signatures are not made with a key %s", keyName(key))
}

// sign makes the structure; embedded is nil for a detached signature.
func (s *Signer) sign(ctx context.Context, content io.Reader, embedded []byte, at time.Time) ([]byte, error) {
	su, err := s.check(at)
	if err != nil {
		return nil, err
	}
	d, err := (&SignedData{}).digestWith(ctx, content, []crypto.Hash{su.hash})
	if err != nil {
		return nil, err
	}
	return s.signDigest(su, d.Sum(su.hash), embedded, at)
}

func (s *Signer) signDigest(su suite, digest, embedded []byte, at time.Time) ([]byte, error) {
	contentType := s.ContentType
	if contentType == nil {
		contentType = OIDData
	}
	fixed, err := s.value(su, contentType, digest, at)
	if err != nil {
		return nil, err
	}
	return s.encode(su, contentType, fixed, embedded)
}

// value writes the signed attributes, has the key sign them, and gives SignerInfo from version to
// signature. contentType is nil for a countersignature.
func (s *Signer) value(su suite, contentType asn1.ObjectIdentifier, digest []byte, at time.Time) ([]byte, error) {
	attributes, err := s.attributes(su, contentType, digest, at)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "attribute", "write the signed attributes: %w", err)
	}
	what := covered{sum(su.hash, attributes), attributes}
	value, err := s.Key.Sign(s.random(), what.digest, su.hash)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if err := su.scheme.check(s.Certificate, su.hash, what, value); err != nil {
		return nil, jitsuin.Errorf(jitsuin.Conflict, "signing-key", "the signature does not fit the certificate: %w", err)
	}
	return s.fixed(su, attributes, value), nil
}

// check refuses what cannot become a signature before the key is used.
func (s *Signer) check(at time.Time) (suite, error) {
	if s.Certificate == nil || s.Key == nil {
		return suite{}, jitsuin.Errorf(jitsuin.Invalid, "signer", "a signature needs a certificate and a key")
	}
	if at.IsZero() && !s.OmitTime {
		return suite{}, jitsuin.Errorf(jitsuin.Invalid, "signing-time", "a signature needs its time")
	}
	own, ok := s.Certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !own.Equal(s.Key.Public()) {
		return suite{}, jitsuin.Errorf(jitsuin.Conflict, "signing-key", "the key does not belong to the certificate")
	}
	return suiteOf(s.Certificate.PublicKey)
}

func (s *Signer) random() io.Reader {
	if s.Rand != nil {
		return s.Rand
	}
	return rand.Reader
}

// attributes writes the signed attributes as the SET OF that is signed.
func (s *Signer) attributes(su suite, contentType asn1.ObjectIdentifier, digest []byte, at time.Time) ([]byte, error) {
	var all []Attribute
	var failed error
	add := func(oid asn1.ObjectIdentifier, write func(*cryptobyte.Builder)) {
		var b cryptobyte.Builder
		write(&b)
		value, err := b.Bytes()
		failed = errors.Join(failed, err)
		all = append(all, Attribute{Type: oid, Values: [][]byte{value}})
	}
	if contentType != nil {
		add(oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(contentType) })
	}
	add(oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest) })
	if !s.OmitTime {
		add(oidSigningTime, func(b *cryptobyte.Builder) { addTime(b, at) })
	}
	add(oidSigningCertificateV2, func(b *cryptobyte.Builder) { essCertificateV2(b, s.Certificate, su.hash) })
	if failed != nil {
		return nil, failed
	}
	return encodeAttributes(all)
}

// addTime writes a Time to whole seconds: UTCTime through 2049, GeneralizedTime from then on
// (RFC 5652 §11.3).
func addTime(b *cryptobyte.Builder, t time.Time) {
	t = t.UTC().Truncate(time.Second)
	if y := t.Year(); y >= 1950 && y < 2050 {
		b.AddASN1UTCTime(t)
		return
	}
	b.AddASN1GeneralizedTime(t)
}

// encode writes ContentInfo and SignedData in DER. The version is 1 for plain data and 3 for any
// other content (RFC 5652 §5.1: certificates only, signers by issuer and serial number).
func (s *Signer) encode(su suite, contentType asn1.ObjectIdentifier, fixed, embedded []byte) ([]byte, error) {
	m := members{version: 3, digests: [][]byte{su.digest().element()},
		certificates: s.certificates(), signers: []signerMembers{{fixed: fixed}}}
	if contentType.Equal(OIDData) {
		m.version = 1
	}
	var err error
	if m.encap, err = encapsulated(contentType, embedded); err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "content-type", "the content type cannot be written: %w", err)
	}
	return m.write()
}

// certificates gives the certificates to embed in the order of DER, each once.
func (s *Signer) certificates() [][]byte {
	if s.OmitCertificates {
		return nil
	}
	all := [][]byte{s.Certificate.Raw}
	for _, c := range s.Others {
		all = append(all, c.Raw)
	}
	slices.SortFunc(all, bytes.Compare)
	return slices.CompactFunc(all, bytes.Equal)
}

// fixed writes SignerInfo from version to signature. attributes is a SET OF; inside it stands as [0].
func (s *Signer) fixed(su suite, attributes, value []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1Int64(1)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(s.Certificate.RawIssuer)
		b.AddASN1BigInt(s.Certificate.SerialNumber)
	})
	addAlgorithm(&b, su.digest().OID, nil)
	b.AddUint8(uint8(explicit(0)))
	b.AddBytes(attributes[1:])
	addAlgorithm(&b, su.oid, su.parameters)
	b.AddASN1OctetString(value)
	return b.BytesOrPanic() // the identifiers are constants and the rest is octets
}
