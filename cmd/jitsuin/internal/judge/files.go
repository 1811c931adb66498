package judge

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
	"github.com/jitsuin/jitsuin/status"
)

// Bounds of the files that are named beside the signature.
const (
	maxPEM    = 4 << 20 // of a file with certificates
	maxFolder = 1000    // files in a folder of certificates
	maxCRL    = 512 << 20
	maxOCSP   = 64 << 10
)

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Certificates reads the files and folders of an option: PEM with one or more certificates, or DER with one.
func Certificates(option string, names []string) ([]*x509.Certificate, error) {
	return (&named{}).certificates(option, names)
}

// certificates reads files and folders: PEM with one or more certificates, or DER with one. option
// names the option in errors. A file without a certificate, and a folder without one, is a usage error.
func (n *named) certificates(option string, names []string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		read := certificatesOf
		switch {
		case info.IsDir():
			read = certificatesIn
		case option == "--intermediates" && n.takesKey(name):
			continue
		}
		some, err := read(option, name)
		if err != nil && !n.forgives(err) {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// takesKey takes a bare public key (PEM, PKIX) in the place of a certificate, or that of a certificate which is not
// well-formed: with it integrity can be told, and not whose signature it is.
func (n *named) takesKey(name string) bool {
	raw, err := readFile(name, maxPEM)
	if err != nil {
		return false
	}
	block, rest := pem.Decode(raw)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return false
	}
	if _, err := cert.Parse(block.Bytes); err != nil && block.Type == "CERTIFICATE" {
		key := xmldsig.KeyInside(block.Bytes)
		if key != nil {
			n.keys = append(n.keys, key)
		}
		return key != nil
	}
	if block.Type != "PUBLIC KEY" {
		return false
	}
	key, err := xmldsig.ParseKey(block.Bytes)
	if err == nil {
		n.keys = append(n.keys, key)
	}
	return err == nil
}

// forgives notes what is wrong with a file and goes on without it, where that is wanted.
func (n *named) forgives(err error) bool {
	if n.Lenient && jitsuin.KindOf(err) == jitsuin.Invalid {
		n.unread = append(n.unread, err.Error())
		return true
	}
	return false
}

// certificatesIn reads every file of a folder that has the name of a certificate.
func certificatesIn(option, dir string) ([]*x509.Certificate, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(entries) > maxFolder {
		return nil, ui.Usage("%s %s: the folder has more than %d files", option, dir, maxFolder)
	}
	var all []*x509.Certificate
	for _, e := range entries {
		if e.IsDir() || !slices.Contains([]string{".pem", ".crt", ".cer", ".der"}, filepath.Ext(e.Name())) {
			continue
		}
		some, err := certificatesOf(option, filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return nil, ui.Usage("%s %s: the folder has no certificate", option, dir).
			WithHint("certificates are files that end in .pem, .crt, .cer or .der")
	}
	return all, nil
}

func certificatesOf(option, name string) ([]*x509.Certificate, error) {
	raw, err := readFile(name, maxPEM)
	if err != nil {
		return nil, err
	}
	all, err := parseCertificates(raw)
	if err != nil {
		return nil, ui.Usage("%s %s: %v", option, name, err)
	}
	return all, nil
}

// parseCertificates reads DER, or every CERTIFICATE of a PEM file; other blocks are passed over,
// but a file that has none is an error.
func parseCertificates(raw []byte) ([]*x509.Certificate, error) {
	if !bytes.Contains(raw, []byte("-----BEGIN")) {
		c, err := cert.Parse(raw)
		return []*x509.Certificate{c}, err
	}
	var all []*x509.Certificate
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := cert.Parse(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	return all, nil
}

// openStatus reads revocation lists and OCSP responses. An OCSP response that is an error itself is no
// answer, and no reason to stop. What is read now may speak of an instant that is past; nothing is known of
// one to come.
func (n *named) openStatus() error {
	if len(n.CRLs)+len(n.OCSPs) == 0 {
		return nil
	}
	n.files = &status.Files{Clock: func() time.Time { return n.Now }}
	for _, name := range n.CRLs {
		raw, err := readFile(name, maxCRL)
		if err != nil {
			return err
		}
		if err := n.files.AddCRL(raw); err != nil && !n.forgives(err) {
			return ui.Usage("--crl %s: %v", name, err)
		}
	}
	for _, name := range n.OCSPs {
		raw, err := readFile(name, maxOCSP)
		if err != nil {
			return err
		}
		if err := n.files.AddOCSP(raw); err != nil && jitsuin.KindOf(err) != jitsuin.Unavailable && !n.forgives(err) {
			return ui.Usage("--ocsp %s: %v", name, err)
		}
	}
	return nil
}

func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	if n, err := io.Copy(&b, io.LimitReader(f, limit+1)); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	} else if n > limit {
		return nil, ui.Usage("%s has more than %d bytes", name, limit)
	}
	return b.Bytes(), nil
}
