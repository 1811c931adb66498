package verifier

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// Bounds of the folders of certificates.
const (
	maxCertificateFiles = 1000
	maxCertificateFile  = 4 << 20
)

// readCertificates reads every file of a folder that has the name of a certificate: PEM with one or more, or DER with
// one. Only certificates of authorities are taken; any other is an error, since it would not do what its being there
// seems to say. With needed, a folder without any is an error, too.
func readCertificates(folder, member string, needed bool) ([]*x509.Certificate, error) {
	if folder == "" {
		return nil, nil
	}
	wrong := func(format string, args ...any) error {
		return jitsuin.Errorf(jitsuin.Invalid, "certificates", member+": "+format, args...).At(member)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, wrong("the folder cannot be read: %w", err)
	}
	if len(entries) > maxCertificateFiles {
		return nil, wrong("%s has more than %d files", folder, maxCertificateFiles)
	}
	var all []*x509.Certificate
	for _, e := range entries {
		if e.IsDir() || !slices.Contains([]string{".pem", ".crt", ".cer", ".der"}, strings.ToLower(filepath.Ext(e.Name()))) {
			continue
		}
		some, err := certificatesOf(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, wrong("%s: %w", e.Name(), err)
		}
		for _, c := range some {
			switch {
			case !c.IsCA && c.BasicConstraintsValid || c.Version >= 3 && !c.BasicConstraintsValid:
				return nil, wrong("%s: %s is no certificate of an authority", e.Name(), c.Subject)
			case slices.ContainsFunc(all, c.Equal):
				continue
			}
			all = append(all, c)
		}
	}
	if needed && len(all) == 0 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "certificates", "%s: %s has no certificate: nobody would be trusted", member, folder).At(member).
			WithHint("put the certificates of the authorities there, as .pem, .crt, .cer or .der")
	}
	return all, nil
}

func certificatesOf(path string) ([]*x509.Certificate, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxCertificateFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(raw) > maxCertificateFile:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "certificate-large", "the file is larger than %d bytes", maxCertificateFile)
	case !bytes.Contains(raw, []byte("-----BEGIN")):
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
		return nil, jitsuin.Errorf(jitsuin.Invalid, "certificate-none", "there is no certificate in it")
	}
	return all, nil
}
