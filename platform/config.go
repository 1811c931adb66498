package platform

import (
	"log/slog"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Config is the verifier's configuration. What New does with a zero value stands at each member.
type Config struct {
	actor.Config `yaml:",inline"`
	// Minister, JLIS and Status are the neighbours' instances: minister:1, jlis:1, status:1.
	Minister string `yaml:"minister,omitempty" check:"instance=minister,listed"`
	JLIS     string `yaml:"jlis,omitempty" check:"instance=jlis,listed"`
	Status   string `yaml:"status,omitempty" check:"instance=status,listed"`
	// Office is the office that receives status data, for the notification to J-LIS (届出): the instance.
	Office string `yaml:"office,omitempty"`

	// Application is the file with the application for accreditation (認定申請): who applies, and for each criterion what is
	// done and the documents that show it. It is read when an operator files or amends the application.
	Application string `yaml:"application,omitempty" check:"file"`

	// Anchors are files with CA certificates (DER), trusted as they are. Without any, Authorities
	// are fetched from J-LIS once, at the first start, and pinned.
	Anchors []string `yaml:"anchors,omitempty" check:"file"`
	// Authorities are the paths of the CA certificates at J-LIS: /ca/sign.cer and /ca/auth.cer.
	Authorities []string `yaml:"authorities,omitempty"`

	// Validity is how status is asked (有効性確認): ocsp, one question per check, or crl. A tenant may have its own way.
	Validity string `yaml:"validity,omitempty" check:"one-of=ocsp|crl"`
	// OCSPPath and CRLPath are where the status origin answers: /ocsp and /crl/{kind}?issuer={issuer};
	// {kind} is sign or auth, {issuer} the key identifier of the CA in hex.
	OCSPPath string `yaml:"ocsp_path,omitempty"`
	CRLPath  string `yaml:"crl_path,omitempty"`

	// ChallengeLife is how long a login challenge lasts, wall time: two minutes.
	ChallengeLife time.Duration `yaml:"challenge_life,omitempty" check:"not-negative"`

	// Holder is the instance whose pages lead to a card: holder:1.
	Holder string `yaml:"holder,omitempty" check:"instance=holder,listed"`
	// RequestLife is how long a request to the holder may be answered, wall time: api.RequestLife. For a login
	// it is never longer than a challenge may last.
	RequestLife time.Duration `yaml:"request_life,omitempty" check:"not-negative"`

	// ReportKey is a PEM file with the private key and the certificates with which PDF reports are signed.
	// Without one a key with a certificate of its own making is drawn once, and lies in the state folder.
	ReportKey string `yaml:"report_key,omitempty" check:"file"`
	// TSA is the instance that stamps PDF reports with the time, tsa:1; empty for none.
	TSA string `yaml:"tsa,omitempty" check:"instance=tsa,listed"`

	// OtherDevices has each login at a client ask the person first whether this device or another one answers, by a QR code. Without it
	// a login for no data goes straight to the holder; pages that are shown anyway offer another device always.
	OtherDevices bool `yaml:"other_devices,omitempty"`
	// TLSLogin is the port at which a browser logs in by showing the card's certificate itself.
	TLSLogin TLSLoginConfig `yaml:"tls_login,omitempty"`

	// Operators is about the people of the office and where they sit.
	Operators OperatorsConfig `yaml:"operators,omitempty"`
	// Quota, Checks and Sandbox are about tenants: what each may ask for, how they share this machine, and who may
	// become one.
	Quota   QuotaConfig   `yaml:"quota,omitempty"`
	Checks  ChecksConfig  `yaml:"checks,omitempty"`
	Sandbox SandboxConfig `yaml:"sandbox,omitempty"`

	// Standalone makes this a verifier of its own: Tenant is the only one, and none are registered.
	Standalone bool         `yaml:"standalone,omitempty"`
	Tenant     TenantConfig `yaml:"tenant,omitempty"`

	// Webhooks says how events are pushed to tenants.
	Webhooks WebhookConfig `yaml:"webhooks,omitempty"`
	// Queue says how checks are made that wait: of batches, and of what residents submit.
	Queue QueueConfig `yaml:"queue,omitempty"`
	// CopyDays is how many civil days a document that a resident submitted is kept for its tenant to fetch: seven. The resident
	// is told the number.
	CopyDays int `yaml:"copy_days,omitempty" check:"not-negative"`

	// Log defaults to slog.Default.
	Log *slog.Logger `yaml:"-"`
	// Store are further options of the database, for tests.
	Store []store.Option `yaml:"-"`
}

// TenantConfig is the one tenant of a stand-alone verifier.
type TenantConfig struct {
	// ID is the tenant as a caller, such as tenant:securities-1.
	ID string `yaml:"id"`
	// Name and NameEN are what a person is told who is asked to sign or log in.
	Name   string `yaml:"name"`
	NameEN string `yaml:"name_en,omitempty"`
	// Origins are the web origins that it logs people in at.
	Origins   []string `yaml:"origins"`
	PublicKey string   `yaml:"public_key"` // PEM file of a P-256 public key
}

// Ways to ask for status.
const (
	ValidityOCSP = "ocsp"
	ValidityCRL  = "crl"
)

// Resolve makes relative paths absolute and says what is missing.
func (c *Config) Resolve(base string) error {
	for i := range c.Anchors {
		actor.ResolvePaths(base, &c.Anchors[i])
	}
	actor.ResolvePaths(base, &c.Tenant.PublicKey, &c.ReportKey, &c.Application, &c.TLSLogin.Certificate, &c.TLSLogin.Key)
	return c.Config.Resolve(base)
}

// fill puts the defaults in.
func (c *Config) fill() error {
	for _, d := range []struct {
		p *string
		v string
	}{{&c.Minister, "minister:1"}, {&c.JLIS, "jlis:1"}, {&c.Status, "status:1"}, {&c.Holder, "holder:1"}, {&c.Office, c.Instance}, {&c.Validity, ValidityOCSP},
		{&c.OCSPPath, "/ocsp"}, {&c.CRLPath, "/crl/{kind}?issuer={issuer}"}} {
		if *d.p == "" {
			*d.p = d.v
		}
	}
	if len(c.Authorities) == 0 {
		c.Authorities = []string{"/ca/sign.cer", "/ca/auth.cer"}
	}
	if c.ChallengeLife == 0 {
		c.ChallengeLife = 2 * time.Minute
	}
	if c.RequestLife == 0 {
		c.RequestLife = api.RequestLife
	}
	c.Webhooks.fill()
	c.Queue.fill()
	if c.CopyDays == 0 {
		c.CopyDays = 7
	}
	switch {
	case c.Validity != ValidityOCSP && c.Validity != ValidityCRL:
		return jitsuin.Errorf(jitsuin.Invalid, "config", "validity is ocsp or crl, not %q", c.Validity).At("validity")
	case c.Standalone && (c.Tenant.ID == "" || c.Tenant.PublicKey == ""):
		return jitsuin.Errorf(jitsuin.Invalid, "config", "a stand-alone verifier needs its tenant's id and public key").At("tenant")
	}
	if err := c.TLSLogin.fill(); err != nil {
		return err
	}
	return c.fillTenants()
}
