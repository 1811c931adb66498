package municipality

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
)

// TicketLink asks the running town of a configuration file for a clerk's sign-in ticket, as its counter,
// and gives the link that signs in: good for two minutes, and once. It needs the files that the
// configuration names, so it works on the town's own machine.
func TicketLink(ctx context.Context, configPath, clerk string) (string, error) {
	var c Config
	if err := actor.Load(configPath, &c); err != nil {
		return "", err
	}
	base, err := filepath.Abs(filepath.Dir(configPath))
	if err != nil {
		return "", err
	}
	if err := c.Resolve(base); err != nil {
		return "", err
	}
	if c.Counter == nil {
		return "", jitsuin.Errorf(jitsuin.Invalid, "config", "%s has no section counter, so the town has no pages", configPath).At("counter")
	}
	_, directory, err := c.Identify()
	if err != nil {
		return "", err
	}
	town, err := c.Counter.Client(directory, jitsuin.MunicipalityCode(strings.TrimPrefix(c.Instance, "municipality:")))
	if err != nil {
		return "", err
	}
	defer town.Close()
	t, err := town.Ticket(ctx, clerk)
	if err != nil {
		return "", err
	}
	self, err := directory.Lookup(c.Instance)
	return self.Origin + t.Link(""), err
}
