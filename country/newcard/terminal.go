package newcard

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/reader"
)

const (
	terminalName = "terminal.pem"
	pemTerminal  = "JITSUIN TERMINAL CERTIFICATE"
	pemKey       = "PRIVATE KEY"
)

// newTerminal makes a counter's terminal.
func newTerminal(authority *ecdsa.PrivateKey) (reader.Terminal, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return reader.Terminal{}, err
	}
	certificate, err := card.IssueTerminalCertificate(rand.Reader, authority, card.RoleCounter, &key.PublicKey)
	return reader.Terminal{Certificate: certificate, Key: key}, err
}

func writeTerminal(path string, t reader.Terminal) error {
	key, err := x509.MarshalPKCS8PrivateKey(t.Key)
	if err != nil {
		return err
	}
	defer clear(key)
	b := append(pem.EncodeToMemory(&pem.Block{Type: pemTerminal, Bytes: t.Certificate}), pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: key})...)
	return os.WriteFile(path, b, 0o600)
}

// TerminalOf reads the terminal that the chip in a folder trusts. NotFound "terminal-missing" where there
// is none, as in the folder of a country's card.
func TerminalOf(dir string) (t reader.Terminal, err error) {
	b, err := os.ReadFile(filepath.Join(dir, terminalName))
	if dir == "" || errors.Is(err, fs.ErrNotExist) {
		return t, jitsuin.Errorf(jitsuin.NotFound, "terminal-missing", "there is no counter's terminal for this card").
			WithHint("PINs of a country's cards are set at a municipality's counter")
	}
	if err != nil {
		return t, err
	}
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case pemTerminal:
			t.Certificate = block.Bytes
		case pemKey:
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if own, ok := key.(*ecdsa.PrivateKey); ok && err == nil {
				t.Key = own
			}
		}
	}
	if t.Key == nil || t.Certificate == nil {
		return t, jitsuin.Errorf(jitsuin.Invalid, "terminal-damaged", "the terminal in %s cannot be read", dir)
	}
	return t, nil
}

// SetPIN sets a PIN through the terminal, as a counter does for one that is blocked or forgotten.
func SetPIN(ctx context.Context, channel reader.Channel, t reader.Terminal, kind jitsuin.CertKind, pin jitsuin.PIN) error {
	j, err := reader.SelectJPKI(ctx, channel)
	if err == nil {
		err = j.Authenticate(ctx, t)
	}
	if err == nil {
		err = j.ResetPIN(ctx, kind, pin)
	}
	return err
}
