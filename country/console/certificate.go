package console

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// Drawn is a certificate as the template "certificate" draws it: what a person reads on it, its raw
// fields, and, where it was asked for, its status. It is made by Draw and holds no secret, but a
// signature certificate's four items are personal: it is shown only where they may be seen.
type Drawn struct {
	Kind        string // sign, auth, ca or ocsp; "" for a certificate outside the profiles
	Items       *cert.Items
	Issuer      string // in Japanese where the certificate has it so
	Number      string // 発行番号 in the short form that people compare
	From, Until jitsuin.Date
	NotBefore   time.Time
	NotAfter    time.Time
	Key         string // such as RSA 2048
	Fingerprint string // SHA-256 of the public key, the first 8 bytes
	Status      *Standing
	Fields      []RawField
	Extensions  []Extension
	Link        string // of its own page, "" for none
	ID          string // see certificateID

	der []byte
}

// Standing is what was learnt of a certificate's status.
type Standing struct {
	State       string // good, revoked, expired or unknown
	Reason      jitsuin.RevocationReason
	EffectiveAt time.Time // civil time at which it lost effect
	RecordedAt  time.Time // civil time at which J-LIS recorded that; zero where that is not known
	Answer      *OCSPAnswer
}

// Alive tells that it can be used now.
func (s *Standing) Alive() bool { return s != nil && s.State == stateGood }

// Dead tells that it can never be used again.
func (s *Standing) Dead() bool {
	return s != nil && (s.State == stateRevoked || s.State == stateExpired)
}

const (
	stateGood    = string(cert.Good)
	stateRevoked = string(cert.Revoked)
	stateUnknown = string(cert.Unknown)
	stateExpired = "expired"
)

// RawField is one field of a certificate outside its extensions. Label is a key of the catalogue.
type RawField struct {
	Name  string // as the standard writes it
	Label string
	Lines []string
}

// Extension is one extension of a certificate. Meaning is a key of the catalogue.
type Extension struct {
	OID, Name, Meaning string
	Critical           bool
	Lines              []string
	Hex                string
}

// Draw reads a certificate for drawing. It judges nothing. The error is that of cert.Parse.
func Draw(der []byte) (*Drawn, error) {
	c, err := cert.Parse(der)
	if err != nil {
		return nil, err
	}
	d := &Drawn{Kind: kindOf(c), NotBefore: c.NotBefore, NotAfter: c.NotAfter, From: jitsuin.DateOf(c.NotBefore), Until: jitsuin.DateOf(c.NotAfter),
		Issuer: issuerText(c), Key: keyText(c.PublicKey), ID: certificateID(der), der: der}
	if items, err := cert.ItemsOf(c); err == nil {
		d.Items = &items
	}
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	d.Fingerprint = grouped(hex.EncodeToString(sum[:8]), 4, " ")
	d.Number = shortNumber(d.Kind, c.SerialNumber.Bytes())
	d.Fields, d.Extensions = rawFields(c), extensionsOf(c)
	return d, nil
}

func kindOf(c *x509.Certificate) string {
	if kind, ok := cert.KindOf(c); ok {
		return string(kind)
	}
	switch {
	case c.IsCA:
		return "ca"
	case len(c.ExtKeyUsage) == 1 && c.ExtKeyUsage[0] == x509.ExtKeyUsageOCSPSigning:
		return "ocsp"
	}
	return ""
}

// shortNumber writes a serial number as the deck does, with a letter for the kind: S for signatures, R for
// authentication (利用者証明). It has the first and last four hex digits, which is enough to tell two apart by eye.
func shortNumber(kind string, serial []byte) string {
	letter := map[string]string{"sign": "S", "auth": "R", "ca": "CA", "ocsp": "OCSP"}[kind]
	digits := strings.ToUpper(hex.EncodeToString(serial))
	if len(digits) > 10 {
		digits = digits[:4] + "…" + digits[len(digits)-4:]
	}
	return strings.TrimSpace(letter + " " + digits)
}

// certificateID names a certificate in the console's URLs. It is derived from the whole certificate, so it is not
// the serial number and does not give it away.
func certificateID(der []byte) string {
	sum := sha256.Sum256(append([]byte("jitsuin console certificate\x00"), der...))
	return hex.EncodeToString(sum[:16])
}

// PEM gives the certificate as text.
func (d *Drawn) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.der})
}

func keyText(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return k.Curve.Params().Name
	}
	return fmt.Sprintf("%T", key)
}

// grouped puts a separator after every n characters.
func grouped(s string, n int, sep string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%n == 0 {
			b.WriteString(sep)
		}
		b.WriteRune(r)
	}
	return b.String()
}
