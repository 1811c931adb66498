package country

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
)

// ProgressOf asks an actor how far its feeds have come.
func (f Folder) ProgressOf(ctx context.Context, id string) (actor.Progress, error) {
	r, err := f.Remote(Country, id)
	if err != nil {
		return actor.Progress{}, err
	}
	defer r.Close()
	return httpapi.Do[actor.Progress](ctx, r, "GET", "/feeds", "", nil)
}

// CaughtUp tells whether everything that a municipality has recorded so far has had its effect at J-LIS.
func CaughtUp(ctx context.Context, f Folder, code jitsuin.MunicipalityCode) (bool, error) {
	town, err := f.ProgressOf(ctx, Town(code))
	if err != nil {
		return false, err
	}
	network, err := f.ProgressOf(ctx, Jukinet)
	if err != nil || network.AppliedOf(Town(code), jukinet.TopicResidents).Compare(town.SentIn(jukinet.TopicResidents)) < 0 {
		return false, err
	}
	agency, err := f.ProgressOf(ctx, JLIS)
	if err != nil {
		return false, err
	}
	return agency.AppliedOf(Jukinet, jukinet.TopicToJLIS).Compare(network.SentIn(jukinet.TopicToJLIS)) >= 0, nil
}
