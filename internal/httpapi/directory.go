package httpapi

import (
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
)

// Instance is one running actor: its name, where it is reached and the key it signs with.
type Instance struct {
	ID     string            `json:"id"`               // "municipality:91201"; the part before the colon is its role
	Origin string            `json:"origin,omitempty"` // "http://127.0.84.11:8400"; empty for one that only calls
	Keys   []jose.JSONWebKey `json:"keys"`             // public P-256 keys
}

// RoleOf gives the role of an instance id: the part before the colon.
func RoleOf(id string) string {
	role, _, _ := strings.Cut(id, ":")
	return role
}

// Directory is the signed list of instances. The file is read again when it changes; a changed
// file whose signature is wrong is refused and the last good list stays in force.
type Directory struct {
	path string
	key  *ecdsa.PublicKey

	mu      sync.Mutex
	looked  time.Time
	stamp   string
	entries map[string]Instance
}

// SignDirectory makes the directory file's content: a compact JWS (ES256) over the JSON list.
func SignDirectory(key *ecdsa.PrivateKey, list []Instance) ([]byte, error) {
	slices.SortFunc(list, func(a, b Instance) int { return strings.Compare(a.ID, b.ID) })
	body, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("encode directory: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("jitsuin-directory+jws"))
	if err != nil {
		return nil, fmt.Errorf("directory signer: %w", err)
	}
	jws, err := signer.Sign(body)
	if err != nil {
		return nil, fmt.Errorf("sign directory: %w", err)
	}
	s, err := jws.CompactSerialize()
	return []byte(s + "\n"), err
}

// OpenDirectory reads a directory file and checks it against the pinned key of the country's operator.
func OpenDirectory(path string, pinned *ecdsa.PublicKey) (*Directory, error) {
	d := &Directory{path: path, key: pinned}
	if err := d.reload(); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Directory) reload() error {
	info, err := os.Stat(d.path)
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	stamp := fmt.Sprint(info.ModTime().UnixNano(), info.Size())
	if stamp == d.stamp {
		return nil
	}
	raw, err := os.ReadFile(d.path)
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	entries, err := readEntries(raw, d.path, d.key)
	if err != nil {
		return err
	}
	d.entries, d.stamp = entries, stamp
	return nil
}

func readEntries(raw []byte, path string, key *ecdsa.PublicKey) (map[string]Instance, error) {
	jws, err := jose.ParseSignedCompact(strings.TrimSpace(string(raw)), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, fmt.Errorf("directory %s is no JWS: %w", path, err)
	}
	body, err := jws.Verify(key)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Denied, "directory-signature", "the directory %s is not signed by the operator's key: %w", path, err)
	}
	var list []Instance
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("directory %s: %w", path, err)
	}
	entries := map[string]Instance{}
	for _, i := range list {
		entries[i.ID] = i
	}
	return entries, nil
}

// ReadDirectory checks the content of a directory file that was taken along, name for errors. It stays as it is.
func ReadDirectory(raw []byte, name string, pinned *ecdsa.PublicKey) (*Directory, error) {
	entries, err := readEntries(raw, name, pinned)
	return &Directory{key: pinned, entries: entries}, err
}

// Lookup gives an instance by its id.
func (d *Directory) Lookup(id string) (Instance, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.path != "" && time.Since(d.looked) > time.Second {
		d.looked = time.Now()
		d.reload() // a directory that has become unreadable leaves the last good one in force
	}
	if i, ok := d.entries[id]; ok {
		return i, nil
	}
	return Instance{}, jitsuin.Errorf(jitsuin.NotFound, "instance-unknown", "no instance %q is in the directory", id)
}

// Role lists the instances of a role in the order of their ids.
func (d *Directory) Role(role string) []Instance {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Instance
	for id, i := range d.entries {
		if RoleOf(id) == role {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b Instance) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// All lists every instance in the order of ids.
func (d *Directory) All() []Instance {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.SortedFunc(maps.Values(d.entries), func(a, b Instance) int { return strings.Compare(a.ID, b.ID) })
}

// Identity is who this process is when it calls others: an instance id and its private key.
type Identity struct {
	ID  string
	Key *ecdsa.PrivateKey
}

// Public gives the directory's entry for the identity.
func (i Identity) Public(origin string) Instance {
	return Instance{ID: i.ID, Origin: origin, Keys: []jose.JSONWebKey{{Key: &i.Key.PublicKey, Algorithm: string(jose.ES256), Use: "sig"}}}
}

var errNoKey = errors.New("no key")
