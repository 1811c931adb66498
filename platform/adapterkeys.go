package platform

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/files"
)

// Lives of a key that certificates are encrypted with, wall time: how long it is the first that is published, and how long
// it is published after that and opens what was encrypted with it. Both are our choice.
const (
	adapterKeyLife  = 30 * 24 * time.Hour
	adapterKeyAfter = 7 * 24 * time.Hour
)

// adapterKeyFile has the keys, in the state folder.
const adapterKeyFile = "adapter-keys.json"

// adapterKeys are the key pairs of the platform for the adapter that takes encrypted certificates (idp.Keys). The first is drawn
// when somebody asks for it. Two processes of one platform share the state folder, and so the file.
type adapterKeys struct {
	path string
	now  func() time.Time

	mu   sync.Mutex
	keys []adapterKey // the latest first
}

type adapterKey struct {
	MadeAt time.Time       `json:"made_at"`
	Key    jose.JSONWebKey `json:"key"`
}

func (p *Platform) newAdapterKeys() *adapterKeys {
	return &adapterKeys{path: filepath.Join(p.cfg.State, adapterKeyFile), now: time.Now}
}

// current gives the keys that are in use, with a fresh one in front when it is time.
func (k *adapterKeys) current() ([]adapterKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if len(k.keys) == 0 || now.Sub(k.keys[0].MadeAt) >= adapterKeyLife {
		if err := k.renew(now); err != nil {
			return nil, err
		}
	}
	for len(k.keys) > 1 && now.Sub(k.keys[len(k.keys)-2].MadeAt) >= adapterKeyAfter {
		k.keys = k.keys[:len(k.keys)-1] // its successor has been the first for long enough
	}
	return k.keys, nil
}

// renew reads the file, and draws and writes a key where that has none that is fresh.
func (k *adapterKeys) renew(now time.Time) error {
	raw, err := os.ReadFile(k.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	k.keys = nil
	if err == nil {
		if err := json.Unmarshal(raw, &k.keys); err != nil {
			return jitsuin.Errorf(jitsuin.Internal, "adapter-keys", "the file with the adapter's keys cannot be read: %w", err)
		}
	}
	if len(k.keys) > 0 && now.Sub(k.keys[0].MadeAt) < adapterKeyLife {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	fresh := adapterKey{now.UTC().Truncate(time.Second), jose.JSONWebKey{Key: key, KeyID: string(jitsuin.NewID()), Algorithm: string(jose.RSA_OAEP_256), Use: "enc"}}
	k.keys = append([]adapterKey{fresh}, k.keys...)
	if raw, err = json.Marshal(k.keys[:min(len(k.keys), 2)]); err != nil {
		return err
	}
	return files.Replace(k.path, raw, 0o600)
}

// Public implements idp.Keys.
func (k *adapterKeys) Public(context.Context) (set jose.JSONWebKeySet, err error) {
	keys, err := k.current()
	for _, key := range keys {
		set.Keys = append(set.Keys, key.Key.Public())
	}
	return set, err
}

// Open implements idp.Keys. Clients name no key, so each that is in use is tried.
func (k *adapterKeys) Open(_ context.Context, jwe string) ([]byte, error) {
	e, err := jose.ParseEncryptedCompact(jwe, []jose.KeyAlgorithm{jose.RSA_OAEP_256}, []jose.ContentEncryption{jose.A256GCM, jose.A128CBC_HS256})
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "jwe-form", "the certificate is no compact JWE by RSA-OAEP-256 with A256GCM or A128CBC-HS256")
	}
	keys, err := k.current()
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if plain, err := e.Decrypt(key.Key.Key); err == nil {
			return plain, nil
		}
	}
	return nil, jitsuin.Errorf(jitsuin.Invalid, "jwe-key", "the certificate was not encrypted with a key of ours that is in use").
		WithHint("read /key/jwks.json again")
}
