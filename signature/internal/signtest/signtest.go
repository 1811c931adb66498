// Package signtest makes throwaway keys and certificates for the tests of package signature and
// those below it, and finds the outside judges. Nothing but tests imports it.
package signtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Now is the instant at which the throwaway certificates are in their prime.
var Now = time.Date(2026, 11, 24, 3, 4, 5, 0, time.UTC)

// Identity is a certificate with its key.
type Identity struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// PKI is one root with leaves below it.
type PKI struct{ Root, RSA, Other, P384 Identity }

// New gives the PKI of this test binary, made once: keys are dear.
func New(t testing.TB) *PKI {
	t.Helper()
	p, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var shared = sync.OnceValues(func() (*PKI, error) {
	var p PKI
	var err error
	if p.Root, err = identity("Throwaway Root", nil, 2048, nil); err != nil {
		return nil, err
	}
	if p.RSA, err = identity("Hanako", &p.Root, 2048, nil); err != nil {
		return nil, err
	}
	if p.Other, err = identity("Taro", &p.Root, 2048, nil); err != nil {
		return nil, err
	}
	p.P384, err = identity("Jiro", &p.Root, 384, nil)
	return &p, err
})

// Leaf issues a leaf below issuer for an existing key; change may alter the template.
func Leaf(t testing.TB, issuer Identity, key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	c, err := issue("Leaf", issuer.Certificate, issuer.Key, key.Public(), change)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// NewIdentity makes a leaf with a key of its own: bits is an RSA length, or 256, 384 or 521 for ECDSA.
func NewIdentity(t testing.TB, issuer Identity, bits int, change func(*x509.Certificate)) Identity {
	t.Helper()
	i, err := identity("Leaf", &issuer, bits, change)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func identity(name string, issuer *Identity, bits int, change func(*x509.Certificate)) (Identity, error) {
	key, err := newKey(bits)
	if err != nil {
		return Identity{}, err
	}
	if issuer != nil {
		c, err := issue(name, issuer.Certificate, issuer.Key, key.Public(), change)
		return Identity{c, key}, err
	}
	c, err := issue(name, nil, key, key.Public(), func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	})
	return Identity{c, key}, err
}

func newKey(bits int) (crypto.Signer, error) {
	switch bits {
	case 256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case 384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case 521:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, bits)
}

// issue makes a certificate; issuer nil makes it self-signed.
func issue(name string, issuer *x509.Certificate, signer crypto.Signer, key crypto.PublicKey, change func(*x509.Certificate)) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Country: []string{"JP"}, CommonName: name},
		NotBefore:    time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), // wide: some judges ask the real clock
		NotAfter:     time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	template.SubjectKeyId = serial.Bytes()[:8]
	if change != nil {
		change(template)
	}
	if issuer == nil {
		issuer = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Judge runs an outside program and gives its combined output. A missing program skips the test,
// loudly, except where CI=true, where it fails.
func Judge(t testing.TB, program string, args ...string) (output string, err error) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the judge %s is not installed", program)
		}
		t.Skipf("SKIPPED: the judge %s is not installed; nobody outside has looked at this", program)
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	return string(out), err
}

// Write puts data in a file of the test's own folder and gives its path.
func Write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// WritePEM writes certificates to a PEM file.
func WritePEM(t testing.TB, name string, certificates ...*x509.Certificate) string {
	t.Helper()
	var all []byte
	for _, c := range certificates {
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return Write(t, name, all)
}

// WriteKey writes a private key to a PEM file.
func WriteKey(t testing.TB, name string, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return Write(t, name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// List makes an empty revocation list of ca, fresh at Now.
func List(ca Identity) ([]byte, error) {
	return x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1),
		ThisUpdate: Now.Add(-time.Hour), NextUpdate: Now.Add(24 * time.Hour)}, ca.Certificate, ca.Key)
}
