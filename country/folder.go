package country

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Folder is the data folder of a country (./jitsuin-data). What lies where:
//
//	country.json          what the country was made with
//	directory.jws         the signed list of instances; operator.pub.pem is the key it is pinned to
//	config/ID.yaml        one configuration file per actor, as `jitsuin serve` reads it;
//	                      config/.generated has them as they were written
//	actors/ID/            database and state of one actor, opened by it alone
//	cards/                the chips, opened by the card host alone
//	secrets/              private keys and the passphrase, readable by the owner only
//	application/          the platform's application for accreditation with its documents
//	residents/CODE.jsonl  the sample residents that a municipality imports at its first start
type Folder string

// Facts are what a country was made with.
type Facts struct {
	Format  int       `json:"format"` // of the folder; 2
	Seed    uint64    `json:"seed"`
	Listen  string    `json:"listen"`
	Made    time.Time `json:"made"`    // wall time
	Civil   time.Time `json:"civil"`   // civil time at that moment
	Cadence string    `json:"cadence"` // how status is published: immediate or official
	Version string    `json:"version"`
	Layout  string    `json:"layout"` // digest of what was last written into the folder, see layout
}

// FolderFormat rises when a release lays a folder out so that the one before would not understand it.
//
//	1  the first release
//	2  config/.generated keeps the configuration files as they were written; country.json has the layout
const FolderFormat = 2

// Path joins names onto the folder.
func (f Folder) Path(names ...string) string {
	return filepath.Join(append([]string{string(f)}, names...)...)
}

// fileName makes an instance id fit for a file system.
func fileName(id string) string { return strings.ReplaceAll(id, ":", "-") }

// ConfigPath is the configuration file of an actor.
func (f Folder) ConfigPath(id string) string { return f.Path("config", fileName(id)+".yaml") }

// KeyPath is the private key of an instance.
func (f Folder) KeyPath(id string) string { return f.Path("secrets", "keys", fileName(id)+".pem") }

// Facts reads country.json; NotFound where there is no country.
func (f Folder) Facts() (Facts, error) {
	var facts Facts
	if _, err := os.Stat(f.Restoring()); err == nil {
		return facts, jitsuin.Errorf(jitsuin.Unavailable, "restore-unfinished", "%s is half restored", string(f)).
			WithHint("run the same jitsuin restore again")
	}
	raw, err := os.ReadFile(f.Path("country.json"))
	if errors.Is(err, os.ErrNotExist) {
		return facts, jitsuin.Errorf(jitsuin.NotFound, "no-country", "there is no country in %s", string(f)).
			WithHint("make one with: jitsuin up --data %s", string(f))
	}
	if err == nil {
		err = json.Unmarshal(raw, &facts)
	}
	if err != nil {
		return facts, jitsuin.Errorf(jitsuin.Invalid, "country-facts", "%s cannot be read: %w", f.Path("country.json"), err)
	}
	if facts.Format > FolderFormat {
		return facts, jitsuin.Errorf(jitsuin.Unsupported, "folder-newer", "%s was made by a newer release (format %d, this one knows %d)", string(f), facts.Format, FolderFormat).
			WithHint("run the release that last ran it, or a later one; nothing was changed")
	}
	return facts, nil
}

// Restoring is the file that lies in a folder while a backup is being put back; such a folder does not open.
func (f Folder) Restoring() string { return f.Path("restoring") }

// Lock keeps a second process from running the same country. The lock goes with the process.
func (f Folder) Lock() (unlock func(), err error) {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	lock := flock.New(f.Path(lockFile), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	if !locked {
		lock.Close()
		return nil, jitsuin.Errorf(jitsuin.Conflict, "country-running", "a country runs in %s already", string(f)).
			WithHint("stop it (Ctrl-C where it runs), or choose another folder with --data")
	}
	return func() { lock.Close() }, nil
}

// lockFile stays when a country is removed: whoever waits for the lock waits for this very file.
const lockFile = "lock"

// Locked tells whether a process runs this country. It takes the lock for an instant, so it is not for asking
// again and again beside a country that is about to start; false where that
// cannot be told.
func (f Folder) Locked() bool {
	if _, err := os.Stat(f.Path(lockFile)); err != nil {
		return false
	}
	lock := flock.New(f.Path(lockFile))
	defer lock.Close()
	free, err := lock.TryRLock()
	return err == nil && !free
}

// Identity reads an instance's id and key, to call actors as that instance.
func (f Folder) Identity(id string) (httpapi.Identity, error) {
	key, err := actor.ReadKey(f.KeyPath(id))
	return httpapi.Identity{ID: id, Key: key}, err
}

// Directory opens the country's directory.
func (f Folder) Directory() (*httpapi.Directory, error) {
	pinned, err := actor.ReadPublicKey(f.Path("operator.pub.pem"))
	if err != nil {
		return nil, err
	}
	return httpapi.OpenDirectory(f.Path("directory.jws"), pinned)
}

// TimeAuthority gives the address of the country's time-stamping authority.
func (f Folder) TimeAuthority() (string, error) {
	if _, err := f.Facts(); err != nil {
		return "", err
	}
	d, err := f.Directory()
	if err != nil {
		return "", err
	}
	who, err := d.Lookup(TSA)
	if err != nil {
		return "", jitsuin.Errorf(jitsuin.NotFound, "no-time-authority", "the country in %s has no time-stamping authority: %w", string(f), err).
			WithHint("jitsuin up makes one; --tsa names another")
	}
	return who.Origin, nil
}

// Remote is the way from one instance of this country to another.
func (f Folder) Remote(from, to string) (*httpapi.Remote, error) {
	self, err := f.Identity(from)
	if err != nil {
		return nil, err
	}
	d, err := f.Directory()
	if err != nil {
		return nil, err
	}
	return httpapi.NewRemote(self, d, to), nil
}

// keyOf reads an instance's key, or makes it. Who asks at the same time gets the same one.
func (f Folder) keyOf(id string) (httpapi.Identity, error) {
	path := f.KeyPath(id)
	if _, err := os.Stat(path); err == nil {
		return f.Identity(id)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return httpapi.Identity{}, err
	}
	key, err := actor.NewKey()
	if err != nil {
		return httpapi.Identity{}, err
	}
	content, err := actor.EncodeKey(key)
	if err == nil {
		err = keep(path, content, 0o600)
	}
	if err != nil {
		return httpapi.Identity{}, err
	}
	return f.Identity(id)
}

// makeSecret draws a random secret, once: the passphrase of sealed keys, the key for making chips.
func (f Folder) makeSecret(name string) error {
	path := f.Path("secrets", name)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	var b [24]byte
	rand.Read(b[:])
	return keep(path, []byte(base64.RawURLEncoding.EncodeToString(b[:])+"\n"), 0o600)
}

// Reset removes a country, and only something that is one.
func (f Folder) Reset() error {
	entries, err := os.ReadDir(string(f))
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name() == lockFile })
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if _, err := os.Stat(f.Path("country.json")); err != nil {
		return jitsuin.Errorf(jitsuin.Conflict, "not-a-country", "%s holds something else than a country and is not removed", string(f))
	}
	unlock, err := f.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, e := range entries {
		if err := os.RemoveAll(f.Path(e.Name())); err != nil {
			return fmt.Errorf("reset: %w", err)
		}
	}
	return nil
}
