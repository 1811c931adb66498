package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/jitsuin/jitsuin/cert"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxCandidates is how many certificates with the signer's name and number are tried. CA
// generations may share a name, so more than one is possible.
const maxCandidates = 4

// findSigner finds the certificate that s names: by issuer and serial number or by subject key identifier,
// then by the signing-certificate attribute, then by try, which tells whether the value fits
// (nil: not to be tried). It records what it found.
func (sd *SignedData) findSigner(r *Result, s *SignerInfo, more []*x509.Certificate, try func(*x509.Certificate) error) {
	named := sd.named(s, more)
	if len(named) == 0 {
		r.add("signer-certificate", s.identifier(),
			fmt.Sprintf("not embedded and not given; %d embedded certificates are not readable", sd.Unread), FaultSigner)
		return
	}
	candidates := named
	if s.CAdES() {
		candidates = nil
		for _, c := range named {
			if s.refersTo(c) {
				candidates = append(candidates, c)
			}
		}
		r.pass("signing-certificate", "names the signer's certificate", yes(len(candidates) > 0, "that certificate"),
			len(candidates) > 0, FaultReference)
		if len(candidates) == 0 {
			candidates = named
		}
	}
	r.Certificate = candidates[0]
	for _, c := range candidates {
		if len(candidates) > 1 && try != nil && try(c) == nil {
			r.Certificate = c
			break
		}
	}
	r.add("signer-certificate", s.identifier(), "found", "")
}

// named gives the certificates that fit the signer identifier, without repetition.
func (sd *SignedData) named(s *SignerInfo, more []*x509.Certificate) []*x509.Certificate {
	var found []*x509.Certificate
	for _, list := range [][]*x509.Certificate{sd.Certificates, more} {
		for _, c := range list {
			if len(found) < maxCandidates && s.fits(c) && (len(found) == 0 || !found[len(found)-1].Equal(c)) {
				found = append(found, c)
			}
		}
	}
	return found
}

// fits tells whether c is a certificate that the signer identifier may mean.
func (s *SignerInfo) fits(c *x509.Certificate) bool {
	if s.Issuer == nil { // an empty identifier means nobody
		return len(s.KeyID) > 0 && bytes.Equal(s.KeyID, c.SubjectKeyId)
	}
	return s.Serial.Cmp(c.SerialNumber) == 0 && cert.SameName(s.Issuer, c.RawIssuer)
}

// identifier says how the signer is named, without the serial number.
func (s *SignerInfo) identifier() string {
	if s.Issuer == nil {
		return "subject key identifier " + hex.EncodeToString(s.KeyID[:min(len(s.KeyID), 32)])
	}
	return "issuer and serial number"
}

// refersTo tells whether every signing-certificate attribute of s names c first (RFC 5035 §3, §5;
// for version 1 RFC 2634 §5.4). An attribute that cannot be read names nothing.
func (s *SignerInfo) refersTo(c *x509.Certificate) bool {
	if v := s.value(oidSigningCertificate); v != nil && !essNames(v, c, true) {
		return false
	}
	if v := s.value(oidSigningCertificateV2); v != nil && !essNames(v, c, false) {
		return false
	}
	return true
}

// essNames reads SigningCertificate or SigningCertificateV2 and compares its first entry with c.
func essNames(in cryptobyte.String, c *x509.Certificate, version1 bool) bool {
	var body, certs, first, want, issuerSerial cryptobyte.String
	var hasIssuer bool
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1(&certs, cbasn1.SEQUENCE) ||
		!body.SkipOptionalASN1(cbasn1.SEQUENCE) || !body.Empty() || !certs.ReadASN1(&first, cbasn1.SEQUENCE) {
		return false
	}
	h := crypto.SHA256
	if version1 {
		h = crypto.SHA1
	} else if first.PeekASN1Tag(cbasn1.SEQUENCE) {
		a, ok := readAlgorithm(&first)
		named, err := a.hashOf()
		if !ok || err != nil {
			return false
		}
		h = named
	}
	if !first.ReadASN1(&want, cbasn1.OCTET_STRING) ||
		!first.ReadOptionalASN1(&issuerSerial, &hasIssuer, cbasn1.SEQUENCE) || !first.Empty() {
		return false
	}
	return bytes.Equal(want, sum(h, c.Raw)) && (!hasIssuer || issuerSerialNames(issuerSerial, c))
}

// issuerSerialNames compares IssuerSerial (RFC 5035 §5) with c. The hash has already bound the
// certificate; this refuses a reference that contradicts itself.
func issuerSerialNames(in cryptobyte.String, c *x509.Certificate) bool {
	var names, name, directory cryptobyte.String
	serial := new(big.Int)
	if !in.ReadASN1(&names, cbasn1.SEQUENCE) || !in.ReadASN1Integer(serial) ||
		!in.Empty() ||
		!names.ReadASN1(&name, explicit(4)) || !names.Empty() ||
		!name.ReadASN1Element(&directory, cbasn1.SEQUENCE) || !name.Empty() {
		return false
	}
	return serial.Cmp(c.SerialNumber) == 0 && cert.SameName(directory, c.RawIssuer)
}

// essCertificateV2 writes SigningCertificateV2 for c with h; SHA-256 is the default and left out.
func essCertificateV2(b *cryptobyte.Builder, c *x509.Certificate, h crypto.Hash) {
	a, _ := HashAlgorithm(h)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				if h != crypto.SHA256 {
					addAlgorithm(b, a.OID, nil)
				}
				b.AddASN1OctetString(sum(h, c.Raw))
			})
		})
	})
}

func addAlgorithm(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, parameters []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddBytes(parameters)
	})
}
