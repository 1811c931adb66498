package tsa

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/files"
	"github.com/jitsuin/jitsuin/internal/sealed"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// Validity of certificates, in years of civil time, which a sandbox moves by years. A unit is followed by
// the next while its certificate still holds for unitRenew, so that every token can be checked for that
// long. Certified services do the same with ten years and some months.
const (
	rootYears = 60
	unitYears = 20
	unitRenew = 10
)

// The sandbox's policy for time-stamps: this project's choice, beside the two for certificates (cert.Sandbox).
const sandboxPolicy = "1.2.392.200149.8.5.1.0.40"

// Names that nobody can take for those of a real authority.
var (
	rootName = pkix.Name{Country: []string{"JP"}, Organization: []string{"JPKI-TEST"}, OrganizationalUnit: []string{"SANDBOX, not an accredited authority"}, CommonName: "Sandbox Time-Stamping Root"}
	unitName = "Sandbox Time-Stamping Unit "
)

const (
	rootKey  = "root"
	unitKey  = "unit-"
	keysFile = "keys.pem.age"
)

// house is the authority's keys and certificates: a folder with keys.pem.age, root.cer and unit-N.cer.
type house struct {
	dir, passphrase string
	keys            map[string]crypto.Signer
	root            *x509.Certificate
	unit            *x509.Certificate // the newest
	number          int               // of unit
}

// openHouse opens the folder, and makes root and first unit where they are not there. now is civil time.
func openHouse(dir, passphrase string, now time.Time) (*house, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keys of the authority: %w", err)
	}
	keys, err := sealed.Open(filepath.Join(dir, keysFile), passphrase)
	if err != nil {
		return nil, err
	}
	h := &house{dir: dir, passphrase: passphrase, keys: keys}
	if h.root, err = h.certificate(rootKey, func(key crypto.PublicKey) (*x509.Certificate, error) { return rootTemplate(key, now) }); err != nil {
		return nil, err
	}
	for h.number = 1; h.keys[unitKey+strconv.Itoa(h.number+1)] != nil; h.number++ {
	}
	if err := h.openUnit(now); err != nil {
		return nil, err
	}
	return h, h.renew(now)
}

// openUnit reads the certificate of the unit with the present number, or has it made.
func (h *house) openUnit(now time.Time) (err error) {
	name := unitKey + strconv.Itoa(h.number)
	h.unit, err = h.certificate(name, func(key crypto.PublicKey) (*x509.Certificate, error) { return h.unitTemplate(key, now) })
	return err
}

// renewal is when the next unit is made; ok is false where the root ends first.
func (h *house) renewal() (due time.Time, ok bool) {
	return h.unit.NotAfter.AddDate(-unitRenew, 0, 0), h.unit.NotAfter.Before(h.root.NotAfter)
}

// renew makes the next unit where it is due, with a key of its own.
func (h *house) renew(now time.Time) error {
	if due, ok := h.renewal(); !ok || now.Before(due) {
		return nil
	}
	h.number++
	return h.openUnit(now)
}

// certificate reads the certificate of a key, or makes key and certificate. The key is durable before
// there is a certificate for it.
func (h *house) certificate(name string, template func(crypto.PublicKey) (*x509.Certificate, error)) (*x509.Certificate, error) {
	if h.keys[name] == nil {
		curve := elliptic.P256()
		if name == rootKey {
			curve = elliptic.P384()
		}
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make the key %s: %w", name, err)
		}
		h.keys[name] = key
		if err := sealed.Write(filepath.Join(h.dir, keysFile), h.passphrase, h.keys); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(h.dir, name+".cer")
	der, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if der, err = h.issue(name, template); err == nil {
			err = files.Replace(path, der, 0o600)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("certificate of the authority: %w", err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		return nil, err
	}
	if own, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !own.Equal(h.keys[name].Public()) {
		return nil, jitsuin.Errorf(jitsuin.Conflict, "tsa-certificate", "%s is not the certificate of the key %s", path, name).
			WithHint("put keys and certificates back from one backup, as a pair")
	}
	return c, nil
}

// issue signs a certificate with the root's key.
func (h *house) issue(name string, template func(crypto.PublicKey) (*x509.Certificate, error)) ([]byte, error) {
	public := h.keys[name].Public()
	t, err := template(public)
	if err != nil {
		return nil, err
	}
	serial := make([]byte, 16)
	rand.Read(serial)
	serial[0] = serial[0]&0x7f | 0x40 // positive, and always of the same length
	t.SerialNumber = new(big.Int).SetBytes(serial)
	if t.SubjectKeyId, err = cert.KeyID(public); err != nil {
		return nil, err
	}
	issuer := h.root
	if issuer == nil {
		issuer = t
	}
	return x509.CreateCertificate(rand.Reader, t, issuer, public, h.keys[rootKey])
}

// beginOf lets a certificate begin an hour early, for clocks that are not quite the same.
func beginOf(now time.Time) time.Time { return now.UTC().Truncate(time.Second).Add(-time.Hour) }

func rootTemplate(_ crypto.PublicKey, now time.Time) (*x509.Certificate, error) {
	begin := beginOf(now)
	return &x509.Certificate{Subject: rootName, NotBefore: begin, NotAfter: begin.AddDate(rootYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}, nil
}

// unitTemplate is RFC 3161 §2.3: the purpose alone, and critical.
func (h *house) unitTemplate(_ crypto.PublicKey, now time.Time) (*x509.Certificate, error) {
	begin := beginOf(now)
	purpose, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		return nil, err
	}
	end := begin.AddDate(unitYears, 0, 0)
	if end.After(h.root.NotAfter) {
		end = h.root.NotAfter
	}
	name := rootName
	name.CommonName = unitName + strconv.Itoa(h.number)
	return &x509.Certificate{Subject: name, NotBefore: begin, NotAfter: end, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: purpose}}}, nil
}

// issuer makes tokens of the present unit.
func (h *house) issuer(policy asn1.ObjectIdentifier, accuracy time.Duration) *tsp.Issuer {
	return &tsp.Issuer{Certificate: h.unit, Others: []*x509.Certificate{h.root}, Key: h.keys[unitKey+strconv.Itoa(h.number)], Policy: policy,
		Accuracy: tsp.Accuracy(accuracy)}
}
