package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/sealed"
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
)

// OpenFile opens the signer in the folder dir and makes the keys of want that are not there yet
// (a new folder, a new kind of key). A wrong passphrase is Denied.
func OpenFile(dir, passphrase string, want map[string]Algorithm) (*File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("signer folder: %w", err)
	}
	keys, err := sealed.Open(filepath.Join(dir, keysFile), passphrase)
	if err != nil {
		return nil, err
	}
	f := &File{keys: keys}
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
		if err := sealed.Write(filepath.Join(dir, keysFile), passphrase, f.keys); err != nil {
			return nil, err
		}
	}
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
