package platform

import (
	"context"
	"net/http"
	"path/filepath"

	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

// InviteLink asks the running platform of a configuration file to invite somebody, as the platform itself, and gives the link that the
// invited person opens. It needs the files that the configuration names, so it works on the platform's own machine.
func InviteLink(ctx context.Context, configPath string, r api.InvitationRequest) (string, error) {
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
	i, err := httpapi.Do[api.Invitation](ctx, remote, http.MethodPost, "/office/invitations", "", r)
	if err != nil {
		return "", err
	}
	own, err := directory.Lookup(c.Instance)
	return own.Origin + i.Link(), err
}
