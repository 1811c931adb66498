package tsa

import (
	"encoding/asn1"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Config is the authority's configuration. What New does with a zero value stands at each member.
type Config struct {
	actor.Config `yaml:",inline"`
	// PassphraseFile holds what the authority's keys are sealed with. They lie in STATE/authority.
	PassphraseFile string `yaml:"passphrase_file" check:"required,file"`
	// Policy is the object identifier of the policy under which tokens are issued:
	// 1.2.392.200149.8.5.1.0.40, this project's choice for sandboxes.
	Policy string `yaml:"policy,omitempty"`
	// NTP lists time servers, such as ntp.nict.jp:123. Each is asked about once a minute, and nothing is
	// stamped while one of them differs by a second or has not answered for ten minutes. Without any,
	// only a wall clock that is set while the authority runs is noticed.
	NTP []string `yaml:"ntp,omitempty" check:"hostport"`

	// Sources are further second sources of time.
	Sources []Source `yaml:"-"`
	// Clocks looks at the machine's clocks; nil is the machine's own.
	Clocks func() Reading `yaml:"-"`
	// Rand gives serial numbers; nil is the system's.
	Rand io.Reader `yaml:"-"`
	// Log defaults to slog.Default.
	Log *slog.Logger `yaml:"-"`
	// Store are further options of the database, for tests.
	Store []store.Option `yaml:"-"`
}

// Resolve makes relative paths absolute and says what is missing.
func (c *Config) Resolve(base string) error {
	actor.ResolvePaths(base, &c.PassphraseFile)
	return c.Config.Resolve(base)
}

// Folder is where the authority has its keys and certificates.
func (c *Config) Folder() string { return filepath.Join(c.State, "authority") }

// Keys is the file of sealed keys in it.
func (c *Config) Keys() string { return filepath.Join(c.Folder(), keysFile) }

// policy reads the object identifier.
func (c *Config) policy() (oid asn1.ObjectIdentifier, err error) {
	text := c.Policy
	if text == "" {
		text = sandboxPolicy
	}
	for _, part := range strings.Split(text, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "config", "%q is no object identifier", text).At("policy")
		}
		oid = append(oid, n)
	}
	if _, err := asn1.Marshal(oid); err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "config", "%q is no object identifier", text).At("policy")
	}
	return oid, nil
}

func (c *Config) passphrase() (string, error) {
	raw, err := os.ReadFile(c.PassphraseFile)
	if err != nil {
		return "", jitsuin.Errorf(jitsuin.Invalid, "config", "the passphrase of the authority's keys: %w", err).At("passphrase_file")
	}
	return strings.TrimSpace(string(raw)), nil
}
