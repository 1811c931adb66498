package minister

import (
	"context"
	"path/filepath"

	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/minister/api"
)

// TicketLink asks the running office of a configuration file for an official's sign-in ticket, as the office itself, and gives the
// address that a browser opens. It reads the office's key, so it works on its own machine.
func TicketLink(ctx context.Context, configPath, official string) (string, error) {
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
	self, directory, err := c.Identify()
	if err != nil {
		return "", err
	}
	remote := httpapi.NewRemote(self, directory, c.Instance)
	defer remote.Close()
	t, err := api.Client{Remote: remote}.Ticket(ctx, official)
	if err != nil {
		return "", err
	}
	office, err := directory.Lookup(c.Instance)
	return office.Origin + t.Link(""), err
}
