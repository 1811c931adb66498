// Package sealed keeps private keys in one file that is encrypted with a passphrase (age, scrypt). It
// owns the form of that file and knows nothing of what the keys are for. It is for the sandbox: a real
// authority has its keys in an HSM.
package sealed

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"filippo.io/age"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/files"
)

// scryptWork is low because passphrases are random and long.
const scryptWork = 12

// maxFile bounds the file that is read.
const maxFile = 1 << 20

// Open reads the keys by name, none where the file is not there. A wrong passphrase, or a file that
// was changed, is Denied.
func Open(path, passphrase string) (map[string]crypto.Signer, error) {
	keys := map[string]crypto.Signer{}
	box, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return keys, nil
	}
	if err != nil {
		return nil, fmt.Errorf("signer keys: %w", err)
	}
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("signer passphrase: %w", err)
	}
	r, err := age.Decrypt(bytes.NewReader(box), id)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Denied, "signer-passphrase", "the keys in %s do not open: %w", path, err).
			WithHint("the passphrase is not the one they were sealed with")
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxFile))
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Denied, "signer-keys", "the keys in %s were changed: %w", path, err)
	}
	for block, rest := pem.Decode(plain); block != nil; block, rest = pem.Decode(rest) {
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		s, ok := key.(crypto.Signer)
		if err != nil || !ok {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "signer-keys", "key %q in %s cannot be read", block.Headers["Name"], path)
		}
		keys[block.Headers["Name"]] = s
	}
	return keys, nil
}

// Write puts the keys into the file, whole and durable, in place of what is there.
func Write(path, passphrase string, keys map[string]crypto.Signer) error {
	var plain bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		der, err := x509.MarshalPKCS8PrivateKey(keys[name])
		if err != nil {
			return fmt.Errorf("encode key %s: %w", name, err)
		}
		if err := pem.Encode(&plain, &pem.Block{Type: "PRIVATE KEY", Headers: map[string]string{"Name": name}, Bytes: der}); err != nil {
			return fmt.Errorf("encode key %s: %w", name, err)
		}
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return fmt.Errorf("signer passphrase: %w", err)
	}
	to.SetWorkFactor(scryptWork)
	var box bytes.Buffer
	w, err := age.Encrypt(&box, to)
	if err != nil {
		return fmt.Errorf("seal keys: %w", err)
	}
	if _, err = w.Write(plain.Bytes()); err == nil {
		err = w.Close()
	}
	if err != nil {
		return fmt.Errorf("seal keys: %w", err)
	}
	return files.Replace(path, box.Bytes(), 0o600)
}
