package actor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/config"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Config is what every actor is told by its configuration file (YAML). Relative paths are relative
// to the file's folder. An unknown member is an error that names its line.
type Config struct {
	// Instance is the actor's name in the directory, such as municipality:91201.
	Instance string `yaml:"instance" check:"required,instance,listed"`
	// Listen is HOST:PORT. TLS is needed off loopback: put a terminating proxy there.
	Listen string `yaml:"listen" check:"required,hostport"`
	// Metrics is HOST:PORT where GET /metrics shows the actor's figures to its operator; empty for nowhere.
	// It is never the address of Listen, and nobody but the operator should reach it.
	Metrics string `yaml:"metrics,omitempty" check:"hostport"`
	// Database is an SQLite file, or postgres://….
	Database string `yaml:"database" check:"required,database"`
	// State is a folder for what must not lie in the database: high-water marks, journals.
	State string `yaml:"state" check:"required"`
	// Key is the PEM file of the instance's private key (PKCS#8, P-256).
	Key string `yaml:"key" check:"required,private-key"`
	// Directory is the signed list of instances, DirectoryKey the operator's public key (PEM).
	Directory    string `yaml:"directory" check:"required,file"`
	DirectoryKey string `yaml:"directory_key" check:"required,public-key"`
	// Clock names the instance whose clock feed moves civil time; without one civil time is wall time.
	Clock string `yaml:"clock,omitempty" check:"instance=country,listed"`
	// ClockOffset is how far civil time is ahead of wall time before the first event of that feed.
	ClockOffset time.Duration `yaml:"clock_offset,omitempty" check:"not-negative"`
	// Trace has the actor remember its latest exchanges, bodies included but for secrets and personal
	// numbers, and show them to the console (GET /trace). For a sandbox, where all people are invented.
	Trace bool `yaml:"trace,omitempty"`

	// Restoring opens an actor whose restore is not finished, to finish it. The file never says so.
	Restoring bool `yaml:"-"`
}

// Shared gives the part that all actors have.
func (c Config) Shared() Config { return c }

// Load reads a configuration file into c, a struct that embeds Config inline. What is wrong is said with
// file, line, column and member; nothing is opened or made.
func Load(path string, c any) error {
	_, err := config.Read(path, c)
	return err
}

// LoadChecked is Load, and looks at every value and at the files that are named.
func LoadChecked(path string, c any) error {
	f, err := config.Read(path, c)
	if err != nil {
		return err
	}
	return f.Check(c)
}

// Resolve makes the paths of c absolute (relative to the folder base) and says what is missing.
func (c *Config) Resolve(base string) error {
	ResolvePaths(base, &c.Database, &c.State, &c.Key, &c.Directory, &c.DirectoryKey)
	for name, v := range map[string]string{"instance": c.Instance, "listen": c.Listen, "database": c.Database, "state": c.State,
		"key": c.Key, "directory": c.Directory, "directory_key": c.DirectoryKey} {
		if v == "" {
			return jitsuin.Errorf(jitsuin.Invalid, "config", "the configuration lacks %q", name).At(name)
		}
	}
	if c.Metrics == c.Listen {
		return jitsuin.Errorf(jitsuin.Invalid, "config", "metrics has the address of listen").At("metrics").
			WithHint("the figures are for the operator alone and need an address of their own")
	}
	return nil
}

// ResolvePaths makes relative paths absolute; empty ones, URLs and databases in memory stay.
func ResolvePaths(base string, paths ...*string) {
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) && !strings.Contains(*p, ":") {
			*p = filepath.Join(base, *p)
		}
	}
}

// NewKey makes a private key for an instance.
func NewKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// EncodeKey gives a private key as PKCS#8 PEM.
func EncodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// WriteKey stores a private key as EncodeKey gives it, readable by its owner only.
func WriteKey(path string, key *ecdsa.PrivateKey) error {
	content, err := EncodeKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// WritePublicKey stores a public key as PEM.
func WritePublicKey(path string, key *ecdsa.PublicKey) error {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}

func readPEM(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "key-read", "key: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "key-form", "%s is no PEM file", path)
	}
	return block.Bytes, nil
}

// ReadKey reads what WriteKey wrote.
func ReadKey(path string) (*ecdsa.PrivateKey, error) {
	der, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	key, ok := any.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "key-form", "%s holds no P-256 private key in PKCS#8", path)
	}
	return key, nil
}

// ReadPublicKey reads what WritePublicKey wrote.
func ReadPublicKey(path string) (*ecdsa.PublicKey, error) {
	der, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	any, err := x509.ParsePKIXPublicKey(der)
	key, ok := any.(*ecdsa.PublicKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "key-form", "%s holds no P-256 public key", path)
	}
	return key, nil
}

// Identify reads the instance's key and the directory that the configuration names.
func (c *Config) Identify() (httpapi.Identity, *httpapi.Directory, error) {
	key, err := ReadKey(c.Key)
	if err != nil {
		return httpapi.Identity{}, nil, err
	}
	pinned, err := ReadPublicKey(c.DirectoryKey)
	if err != nil {
		return httpapi.Identity{}, nil, err
	}
	d, err := httpapi.OpenDirectory(c.Directory, pinned)
	return httpapi.Identity{ID: c.Instance, Key: key}, d, err
}

// Peek reads the shared members of a configuration file, whatever else it has.
func Peek(path string, c *Config) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "config-read", "configuration: %w", err)
	}
	if err := yaml.Unmarshal(raw, c); err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "config", "%s: %s", path, yaml.FormatError(err, false, true))
	}
	return nil
}
