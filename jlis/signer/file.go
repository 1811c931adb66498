package signer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"filippo.io/age"

	"github.com/jitsuin/jitsuin"
)

// Algorithm of a key that is to be made.
type Algorithm string

const (
	RSA2048 Algorithm = "rsa-2048"
	P256    Algorithm = "p-256"
	P384    Algorithm = "p-384"
)

// File is a signer whose keys lie in one file, encrypted with a passphrase (age, scrypt), beside
// the journal. It is for the sandbox: a real CA has its keys in an HSM.
type File struct {
	keys    map[string]crypto.Signer
	journal *journal
}

const (
	keysFile    = "keys.pem.age"
	journalFile = "signatures.jsonl"
	// The passphrase is random and long, so scrypt need not be slow.
	scryptWork = 12
)

// OpenFile opens the signer in the folder dir and makes the keys of want that are not there yet
// (a new folder, a new kind of key). A wrong passphrase is Denied.
func OpenFile(dir, passphrase string, want map[string]Algorithm) (*File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("signer folder: %w", err)
	}
	f := &File{keys: map[string]crypto.Signer{}}
	if err := f.load(filepath.Join(dir, keysFile), passphrase); err != nil {
		return nil, err
	}
	made := false
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if f.keys[name] != nil {
			continue
		}
		key, err := newKey(want[name])
		if err != nil {
			return nil, fmt.Errorf("make key %s: %w", name, err)
		}
		f.keys[name], made = key, true
	}
	if made {
		if err := f.save(dir, passphrase); err != nil {
			return nil, err
		}
	}
	var err error
	if f.journal, err = openJournal(filepath.Join(dir, journalFile)); err != nil {
		return nil, err
	}
	return f, syncDir(dir)
}

func newKey(a Algorithm) (crypto.Signer, error) {
	switch a {
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case P256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case P384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	return nil, jitsuin.Errorf(jitsuin.Unsupported, "key-algorithm", "no key algorithm %q", a)
}

func (f *File) load(path, passphrase string) error {
	sealed, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("signer keys: %w", err)
	}
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return fmt.Errorf("signer passphrase: %w", err)
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), id)
	if err != nil {
		return jitsuin.Errorf(jitsuin.Denied, "signer-passphrase", "the keys in %s do not open: %w", path, err).
			WithHint("the passphrase is not the one they were sealed with")
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return jitsuin.Errorf(jitsuin.Denied, "signer-keys", "the keys in %s were changed: %w", path, err)
	}
	for block, rest := pem.Decode(plain); block != nil; block, rest = pem.Decode(rest) {
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		s, ok := key.(crypto.Signer)
		if err != nil || !ok {
			return jitsuin.Errorf(jitsuin.Invalid, "signer-keys", "key %q in %s cannot be read", block.Headers["Name"], path)
		}
		f.keys[block.Headers["Name"]] = s
	}
	return nil
}

func (f *File) save(dir, passphrase string) error {
	var plain bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(f.keys)) {
		der, err := x509.MarshalPKCS8PrivateKey(f.keys[name])
		if err != nil {
			return fmt.Errorf("encode key %s: %w", name, err)
		}
		pem.Encode(&plain, &pem.Block{Type: "PRIVATE KEY", Headers: map[string]string{"Name": name}, Bytes: der})
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return fmt.Errorf("signer passphrase: %w", err)
	}
	to.SetWorkFactor(scryptWork)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to)
	if err != nil {
		return fmt.Errorf("seal keys: %w", err)
	}
	if _, err = w.Write(plain.Bytes()); err == nil {
		err = w.Close()
	}
	if err != nil {
		return fmt.Errorf("seal keys: %w", err)
	}
	tmp := filepath.Join(dir, keysFile+".new")
	if err := writeSynced(tmp, sealed.Bytes()); err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	return os.Rename(tmp, filepath.Join(dir, keysFile))
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Public gives a public key by name.
func (f *File) Public(key string) (crypto.PublicKey, error) {
	k, ok := f.keys[key]
	if !ok {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "signer-key", "the signer has no key %q", key)
	}
	return k.Public(), nil
}

// Sign signs tbs; see Signer.
func (f *File) Sign(ctx context.Context, key string, purpose Purpose, tbs []byte) ([]byte, Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, Receipt{}, err
	}
	k, ok := f.keys[key]
	if !ok {
		return nil, Receipt{}, jitsuin.Errorf(jitsuin.NotFound, "signer-key", "the signer has no key %q", key)
	}
	serial, err := check(purpose, tbs)
	if err != nil {
		return nil, Receipt{}, err
	}
	receipt, err := f.journal.record(Receipt{Key: key, Purpose: purpose, Digest: sha256.Sum256(tbs), Serial: serial})
	if err != nil {
		return nil, Receipt{}, err
	}
	sig, err := sign(k, purpose, tbs)
	return sig, receipt, err
}

// Last gives the newest receipt.
func (f *File) Last() Receipt { return f.journal.last() }

// Since lists the receipts above counter.
func (f *File) Since(counter uint64) ([]Receipt, error) { return f.journal.since(counter), nil }

// NewEpoch raises the epoch, at least to the one given.
func (f *File) NewEpoch(atLeast uint32) (uint32, error) { return f.journal.newEpoch(atLeast) }

// Close closes the journal.
func (f *File) Close() error { return f.journal.file.Close() }
