package terminal

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/files"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// Identity gives what chips trust a terminal by: its key and the certificate of J-LIS on it, from the
// files named. The key (PEM, as actor.WriteKey) and the certificate (DER) are made the first time and
// kept; programs that ask at the same moment get the same key.
func Identity(ctx context.Context, town api.Client, keyPath, certificatePath string) (reader.Terminal, error) {
	if _, err := os.Stat(keyPath); errors.Is(err, os.ErrNotExist) {
		if err := makeKey(keyPath); err != nil {
			return reader.Terminal{}, err
		}
	}
	key, err := actor.ReadKey(keyPath)
	if err != nil {
		return reader.Terminal{}, err
	}
	certificate, err := os.ReadFile(certificatePath)
	if err == nil {
		return reader.Terminal{Certificate: certificate, Key: key}, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return reader.Terminal{}, err
	}
	identity, err := Certify(ctx, town, key)
	if err != nil {
		return reader.Terminal{}, err
	}
	return identity, files.Replace(certificatePath, identity.Certificate, 0o600)
}

func makeKey(path string) error {
	key, err := actor.NewKey()
	if err != nil {
		return err
	}
	content, err := actor.EncodeKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return files.Keep(path, content, 0o600)
}
