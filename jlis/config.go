package jlis

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/signer"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/status"
)

// Config is the Agency's configuration. What New does with a zero value stands at each member.
type Config struct {
	actor.Config `yaml:",inline"`
	// Jukinet and Minister are the neighbours' instances: jukinet:1 and minister:1.
	Jukinet  string `yaml:"jukinet,omitempty" check:"instance=jukinet,listed"`
	Minister string `yaml:"minister,omitempty" check:"instance=minister,listed"`
	// PassphraseFile holds what the signer's keys are sealed with. Required unless Signer is given.
	PassphraseFile string `yaml:"passphrase_file,omitempty" check:"required,file"`
	// Suite is the algorithm suite of CA keys that are made: rsa2048-sha256.
	Suite cert.Suite `yaml:"suite,omitempty" check:"one-of=rsa2048-sha256|p384-sha384"`
	// Generation numbers the CA keys that issue: 1. A higher number makes a new generation at the
	// next start; the older ones go on answering for their certificates. Generations share a name.
	Generation int `yaml:"generation,omitempty" check:"range=1..1000"`
	// CAYears is the validity of CA certificates: 20. Real ones have 10; a sandbox whose civil
	// clock is moved by years needs longer.
	CAYears int `yaml:"ca_years,omitempty" check:"range=7..50"`
	// Places are the municipalities in romaji, as certificates name them; one that is missing
	// here gets no certificates.
	Places map[jitsuin.MunicipalityCode]Place `yaml:"places"`
	// ClientAuth puts the extended key usage clientAuth into authentication certificates, OCSP the
	// address of the responder into both; whether production does is not known, so neither is set.
	ClientAuth bool   `yaml:"client_auth,omitempty"`
	OCSP       string `yaml:"ocsp,omitempty"`
	// RevokeAtMoveOut ends signature certificates at 転出 instead of 転入, see rules.Practice.
	RevokeAtMoveOut bool `yaml:"revoke_at_move_out,omitempty"`
	// LostReports is how many reports of a lost card are taken from one address in an hour: five (rules.LostReportsAnHour).
	LostReports int `yaml:"lost_reports,omitempty" check:"range=1..1000"`
	// Status is the status origin, a second face with an identity of its own. Without a Listen
	// there is none.
	Status StatusConfig `yaml:"status"`

	// CardHost is the card host's instance, cards:1, and CardHostKeyFile holds the key with which
	// chips may be ordered there. Without them, and without Cards, there are no new cards.
	CardHost        string `yaml:"card_host,omitempty" check:"instance=cards,listed"`
	CardHostKeyFile string `yaml:"card_host_key_file,omitempty" check:"file"`

	// Cards is the card host, where it is in the same process.
	Cards host.Cards `yaml:"-"`
	// Signer has the CA's keys; nil opens the encrypted file STATE/signer. Keys are named by KeyNames.
	Signer signer.Signer `yaml:"-"`
	// Log defaults to slog.Default.
	Log *slog.Logger `yaml:"-"`
	// Store are further options of the database, for tests.
	Store []store.Option `yaml:"-"`
}

// Place is a municipality in romaji.
type Place struct {
	// Prefecture and Municipality are the names in romaji: Kumoi-ken, Asagirino-shi.
	Prefecture   string `yaml:"prefecture" check:"required"`
	Municipality string `yaml:"municipality" check:"required"`
}

// StatusConfig configures the status origin.
type StatusConfig struct {
	Instance string `yaml:"instance,omitempty" check:"instance=status,listed"` // status:1
	Listen   string `yaml:"listen,omitempty" check:"hostport"`
	Key      string `yaml:"key,omitempty" check:"private-key"` // PEM file of the instance's key
	// Cadence is when revocations become visible: immediate (at once) or official (OCSP at the
	// quarter hour, lists at midnight, by the civil clock).
	Cadence status.Cadence `yaml:"cadence,omitempty" check:"one-of=immediate|official"`
}

// Resolve makes relative paths absolute and says what is missing.
func (c *Config) Resolve(base string) error {
	for _, p := range []*string{&c.PassphraseFile, &c.Status.Key, &c.CardHostKeyFile} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(base, *p)
		}
	}
	return c.Config.Resolve(base)
}

// fill puts the defaults in.
func (c *Config) fill() error {
	set := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	set(&c.Jukinet, "jukinet:1")
	set(&c.Minister, "minister:1")
	set(&c.Status.Instance, "status:1")
	set((*string)(&c.Suite), string(cert.RSA2048SHA256))
	set((*string)(&c.Status.Cadence), string(status.Immediate))
	c.Generation = max(c.Generation, 1)
	if c.CAYears == 0 {
		c.CAYears = 20
	}
	if c.LostReports == 0 {
		c.LostReports = rules.LostReportsAnHour()
	}
	switch {
	case c.Suite != cert.RSA2048SHA256 && c.Suite != cert.P384SHA384:
		return jitsuin.Errorf(jitsuin.Invalid, "config", "there is no algorithm suite %q", c.Suite).At("suite")
	case c.Status.Cadence != status.Immediate && c.Status.Cadence != status.Official:
		return jitsuin.Errorf(jitsuin.Invalid, "config", "there is no cadence %q", c.Status.Cadence).At("status.cadence")
	case c.CAYears < 7 || c.CAYears > 50:
		return jitsuin.Errorf(jitsuin.Invalid, "config", "CA certificates are valid for 7 to 50 years").At("ca_years")
	}
	for code := range c.Places {
		if err := code.Check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) practice() rules.Practice {
	return rules.Practice{RevokeAtMoveOut: c.RevokeAtMoveOut}
}

const terminalKey = "terminal"

// KeyNames gives the keys that the signer must have, by name.
func (c *Config) KeyNames() map[string]signer.Algorithm {
	algorithm := signer.RSA2048
	if c.Suite == cert.P384SHA384 {
		algorithm = signer.P384
	}
	names := map[string]signer.Algorithm{terminalKey: signer.P256, faceRootKey: signer.RSA2048, faceKey: signer.RSA2048}
	for _, kind := range jitsuin.CertKinds {
		names[authorityName(kind, max(c.Generation, 1))] = algorithm
	}
	return names
}

// openCards takes the card host that is given, or goes to the one that is named; nil for none.
func (c *Config) openCards(d *httpapi.Directory) (host.Cards, error) {
	if c.Cards != nil || c.CardHost == "" {
		return c.Cards, nil
	}
	instance, err := d.Lookup(c.CardHost)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(c.CardHostKeyFile)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "config", "the card host's key: %w", err).At("card_host_key_file")
	}
	return host.Client(instance.Origin, host.ClientOptions{CreateKey: strings.TrimSpace(string(key)), Headers: httpapi.ActHeaders(c.Instance)})
}

// SignerFolder is where the file signer has its keys and its journal.
func (c *Config) SignerFolder() string { return filepath.Join(c.State, "signer") }

// openSigner opens the file signer, or takes the one given.
func (c *Config) openSigner() (signer.Signer, error) {
	if c.Signer != nil {
		return c.Signer, nil
	}
	passphrase, err := os.ReadFile(c.PassphraseFile)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "config", "the signer's passphrase: %w", err).At("passphrase_file")
	}
	return signer.OpenFile(c.SignerFolder(), strings.TrimSpace(string(passphrase)), c.KeyNames())
}
