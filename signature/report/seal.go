package report

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// Sealer signs reports with the verifier's own key, so that a report is evidence of the check: by law
// nothing else may be (公的個人認証法52条 keeps revocation data for the check itself).
type Sealer struct {
	Certificate *x509.Certificate
	Others      []*x509.Certificate // authorities' certificates, embedded beside it
	Key         crypto.Signer
	List        []byte          // the revocation list (DER) of the authority, where there is one; not embedded
	Stamper     cms.Timestamper // nil: the report states its time and nothing proves it
}

// SealedPDF writes the report as PDF does and signs it: PAdES B-B, with a Stamper B-T, certified so that
// nothing may be added. at is the time that the signature claims.
func (d *Document) SealedPDF(ctx context.Context, lang string, s *Sealer, at time.Time) ([]byte, error) {
	pdf, err := d.PDF(lang)
	if err != nil {
		return nil, err
	}
	signer := &pades.Signer{Certificate: s.Certificate, Others: s.Others, Key: s.Key, Stamper: s.Stamper}
	return signer.Sign(ctx, pdf, pades.Options{At: at, Name: d.MadeBy, Reason: labels["title"].in(lang), Certify: pades.NoChanges})
}

// ReadSealer reads the key of a verifier from PEM: one private key (PKCS #8, PKCS #1 or SEC 1) and its
// certificate, then those of authorities, and perhaps a revocation list. A certificate of JPKI for logging in is refused with kind Denied.
func ReadSealer(text []byte) (*Sealer, error) {
	bad := func(format string, args ...any) error {
		return jitsuin.Errorf(jitsuin.Invalid, "report-key", format, args...).WithHint("a PEM file with the private key and its certificate")
	}
	s := &Sealer{}
	for block, rest := pem.Decode(bytes.TrimSpace(text)); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			c, err := cert.Parse(block.Bytes)
			if err != nil {
				return nil, bad("a certificate cannot be read: %w", err)
			}
			if s.Certificate == nil {
				s.Certificate = c
			} else {
				s.Others = append(s.Others, c)
			}
		case "X509 CRL":
			s.List = block.Bytes
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			if s.Key != nil {
				return nil, bad("there are two private keys")
			}
			if s.Key = privateKey(block); s.Key == nil {
				return nil, bad("the private key cannot be read")
			}
		}
	}
	if s.Key == nil || s.Certificate == nil {
		return nil, bad("the private key or its certificate is missing")
	}
	if k, ok := s.Key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !k.Equal(s.Certificate.PublicKey) {
		return nil, bad("the first certificate is not that of the key")
	}
	if kind, _ := cert.KindOf(s.Certificate); kind == jitsuin.AuthCert {
		return nil, jitsuin.Errorf(jitsuin.Denied, "wrong-kind", "a certificate for user authentication does not sign documents")
	}
	return s, nil
}

// privateKey reads a key in one of its three forms, nil where it is none of them.
func privateKey(block *pem.Block) crypto.Signer {
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		key, err = x509.ParseECPrivateKey(block.Bytes)
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil
	}
	return signer
}

// documentSigning is the purpose of a certificate that signs documents (RFC 9336).
var documentSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}

// sealerYears is for how long a certificate of NewSealer holds: longer than records are kept.
const sealerYears = 20

// NewSealer makes a key on P-256 for a verifier that has none from an authority, with a certificate below
// a root of its own. The root's key signs this one certificate and one revocation list, which names
// nobody, and is gone: nothing can be revoked any more, and a key that was stolen has to be announced by
// other means. Who relies on the reports gets the root (the last of Others) and the list from the
// verifier. The second result is what ReadSealer reads.
func NewSealer(name string, from time.Time) (*Sealer, []byte, error) {
	from = from.UTC().Truncate(time.Second).Add(-time.Minute)
	until := from.AddDate(sealerYears, 0, 0)
	subject := func(cn string) pkix.Name {
		return pkix.Name{Country: []string{"JP"}, Organization: []string{"Jitsuin verification reports"}, CommonName: cn}
	}
	root, rootKey, err := certified(&x509.Certificate{Subject: subject(name + " root"), NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true}, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	leaf, key, err := certified(&x509.Certificate{Subject: subject(name), NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, UnknownExtKeyUsage: []asn1.ObjectIdentifier{documentSigning}, BasicConstraintsValid: true}, root, rootKey)
	if err != nil {
		return nil, nil, err
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: until}, root, rootKey)
	if err != nil {
		return nil, nil, err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	var text []byte
	for _, b := range []pem.Block{{Type: "PRIVATE KEY", Bytes: raw}, {Type: "CERTIFICATE", Bytes: leaf.Raw}, {Type: "CERTIFICATE", Bytes: root.Raw}, {Type: "X509 CRL", Bytes: list}} {
		text = append(text, pem.EncodeToMemory(&b)...)
	}
	s, err := ReadSealer(text)
	return s, text, err
}

// certified draws a key and makes its certificate, signed by by, or by itself where that is nil.
func certified(template, issuer *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126)); err != nil {
		return nil, nil, err
	}
	if by == nil {
		issuer, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), by)
	if err != nil {
		return nil, nil, err
	}
	c, err := x509.ParseCertificate(der)
	return c, key, err
}
