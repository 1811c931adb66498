package platform

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/files"
)

// Documents that wait to be checked or fetched lie in the database under a key that does not: who reads the database, or
// a backup of it alone, reads no document.

// copiesKeyFile is the key of documents that are kept for a while, in the state folder: 32 bytes in hex.
const copiesKeyFile = "copies.key"

// copies seals documents and opens them. AES-256-GCM with a random nonce; tenant and id are bound in, so that what is put
// into another row does not open.
type copies struct{ aead cipher.AEAD }

// openCopies reads the key, or draws one. Without the key that they were sealed with, documents that wait are lost.
func (p *Platform) openCopies() (copies, error) {
	path := filepath.Join(p.cfg.State, copiesKeyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, 32)
		rand.Read(key) // never fails
		text = []byte(hex.EncodeToString(key) + "\n")
		err = files.Keep(path, text, 0o600)
	}
	if err != nil {
		return copies{}, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return copies{}, jitsuin.Errorf(jitsuin.Invalid, "copies-key", "%s is no key of 32 bytes in hex", path)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return copies{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return copies{aead}, err
}

func copyLabel(tenant string, id jitsuin.ID) []byte {
	return []byte("jitsuin-copy\x00" + tenant + "\x00" + string(id))
}

// seal draws a nonce, so it is called outside of transactions.
func (c copies) seal(tenant string, id jitsuin.ID, plain []byte) []byte {
	return c.aead.Seal(nil, nil, plain, copyLabel(tenant, id))
}

func (c copies) open(tenant string, id jitsuin.ID, sealed []byte) ([]byte, error) {
	plain, err := c.aead.Open(nil, nil, sealed, copyLabel(tenant, id))
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Internal, "copy-sealed", "a document that waits does not open with the key in %s", copiesKeyFile)
	}
	return plain, nil
}
