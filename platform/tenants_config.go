package platform

import (
	"runtime"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/fair"
)

// QuotaConfig is how many requests a tenant may send for whom the office has set no quota.
type QuotaConfig struct {
	// PerSecond is that number in the long run: 100, and for a stand-alone verifier as good as no limit. Burst is
	// how many may come at once after a pause: twice as many. Where several processes serve one database, each
	// counts for itself.
	PerSecond int `yaml:"per_second,omitempty" check:"not-negative"`
	Burst     int `yaml:"burst,omitempty" check:"not-negative"`
}

// ChecksConfig shares what this machine can do among the tenants. The limits are of one process.
type ChecksConfig struct {
	// AtOnce is how many checks run at a time: four for each processor, for a check also waits for the status
	// origin and the disk. PerTenant is how many of them may be one tenant's: one for each processor, and for a
	// stand-alone verifier all. Those that come round first are whose tenants had no turn for longest.
	AtOnce    int `yaml:"at_once,omitempty" check:"not-negative"`
	PerTenant int `yaml:"per_tenant,omitempty" check:"not-negative"`
	// Waiting is how many more of one tenant's may wait for their turn: 200. Others are refused with 429.
	Waiting int `yaml:"waiting,omitempty" check:"not-negative"`
}

// SandboxConfig lets anybody make a tenant for trying things out. It belongs where all people are invented.
type SandboxConfig struct {
	// Open offers POST /v1/sandbox/tenants, takes a tenant that is registered again as changed, and checks for tenants that have no contract.
	Open bool `yaml:"open,omitempty"`
	// Registrar lets one call of the role operator register a tenant and change its terms, which two people of the office do
	// elsewhere: a country makes its first tenants so. Open implies it.
	Registrar bool `yaml:"registrar,omitempty"`
	// Tenants is how many there may be at a time: 200. PerHour is how many are made in an hour: 60.
	Tenants int `yaml:"tenants,omitempty" check:"not-negative"`
	PerHour int `yaml:"per_hour,omitempty" check:"not-negative"`
	// Days is after how many days of wall time one ends that nobody has used: 30.
	Days int `yaml:"days,omitempty" check:"not-negative"`
}

func (q QuotaConfig) api() api.Quota { return api.Quota{PerSecond: q.PerSecond, Burst: q.Burst} }

// noLimit is a quota that nobody reaches.
const noLimit = 1_000_000

// fillTenants puts the defaults of what concerns tenants in.
func (c *Config) fillTenants() error {
	perSecond, perTenant := 100, runtime.GOMAXPROCS(0)
	if c.Standalone {
		perSecond, perTenant = noLimit, noLimit
	}
	or := func(at *int, value int) {
		if *at == 0 {
			*at = value
		}
	}
	or(&c.Quota.PerSecond, perSecond)
	or(&c.Quota.Burst, 2*c.Quota.PerSecond)
	or(&c.Checks.AtOnce, 4*runtime.GOMAXPROCS(0))
	or(&c.Checks.PerTenant, min(perTenant, c.Checks.AtOnce))
	or(&c.Checks.Waiting, 200)
	or(&c.Sandbox.Tenants, 200)
	or(&c.Sandbox.PerHour, 60)
	or(&c.Sandbox.Days, 30)
	if c.Standalone && c.Sandbox.Open {
		return jitsuin.Errorf(jitsuin.Invalid, "config", "a stand-alone verifier has one tenant and makes no others").At("sandbox.open")
	}
	return nil
}

// newQueue makes the queue in which tenants wait for their turn.
func (c *Config) newQueue() *fair.Queue {
	return fair.New(fair.Limits{Places: c.Checks.AtOnce, Each: c.Checks.PerTenant, Waiting: c.Checks.Waiting})
}

// or gives a, or b where a is "".
func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
