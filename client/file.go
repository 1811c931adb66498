package client

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
)

// Settings are what a program needs to call a platform as a tenant, as `jitsuin tenant new` writes them (JSON). There is
// no secret in them: Key names the file of the private key, PEM, relative to the folder of the settings.
type Settings struct {
	Origin   string `json:"origin"`   // of the platform
	Platform string `json:"platform"` // its instance, the audience of assertions
	Tenant   string `json:"tenant"`
	Key      string `json:"key"`
}

// Open makes the client that a file with Settings describes. Nothing is sent yet. Errors: Invalid "client-settings",
// "client-key", and those of New.
func Open(path string) (*Client, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "client-settings", "settings: %w", err)
	}
	var s Settings
	if err := json.Unmarshal(raw, &s); err != nil || s.Tenant == "" || s.Platform == "" || s.Key == "" {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "client-settings", "%s has no origin, platform, tenant and key", path)
	}
	if !filepath.IsAbs(s.Key) {
		s.Key = filepath.Join(filepath.Dir(path), s.Key)
	}
	key, err := readKey(s.Key)
	if err != nil {
		return nil, err
	}
	return New(s.Origin, s.Platform, s.Tenant, key)
}

// readKey reads a private key as PKCS#8, or as openssl ecparam writes it (SEC 1).
func readKey(path string) (*ecdsa.PrivateKey, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "client-key", "key: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "client-key", "%s is no PEM file", path)
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "client-key", "%s holds no P-256 private key", path)
	}
	return key, nil
}
