package tlslogin

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/files"
)

const (
	ownLife  = 365 * 24 * time.Hour
	ownAgain = 30 * 24 * time.Hour // what must be left at a start
	// ownName is the subject of a certificate of our own making. It says what it is, to whoever looks at it in a browser's warning.
	ownName = "FOR TESTS ONLY, not a certificate of any authority (試験用・認証局の証明書ではありません)"
)

// Loopback tells whether a host is this machine, under whatever name.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// DrawOwn sees to it that path holds a certificate and key for a host of this machine, in one PEM file: what lies there where it is for the
// host and lasts for another month, else one that is drawn now. It is for a sandbox: nobody has a reason to trust it but who drew it.
func DrawOwn(path, host string, now time.Time) error {
	if !Loopback(host) {
		return jitsuin.Errorf(jitsuin.Invalid, "config", "for %s a certificate is needed; one of our own making is for this machine alone", host).At("tls_login.certificate")
	}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if b, _ := pem.Decode(old); b != nil {
		if c, err := x509.ParseCertificate(b.Bytes); err == nil && c.VerifyHostname(host) == nil && now.Add(ownAgain).Before(c.NotAfter) {
			return nil
		}
	}
	text, err := draw(host, now)
	if err != nil {
		return err
	}
	return files.Replace(path, text, 0o600)
}

func draw(host string, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "jitsuin sandbox", Organization: []string{ownName}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(ownLife), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true}
	if ip := net.ParseIP(host); ip != nil {
		t.IPAddresses = []net.IP{ip}
	} else {
		t.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, b := range []*pem.Block{{Type: "CERTIFICATE", Bytes: der}, {Type: "PRIVATE KEY", Bytes: private}} {
		if err := pem.Encode(&out, b); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
