package tour

import (
	"context"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// counter is one municipality's counter with its terminal.
type counter struct {
	code        jitsuin.MunicipalityCode
	town        string // the municipality's instance
	api         town.Client
	application jitsuin.ID // the case at hand
}

func newCounter(f country.Folder, code jitsuin.MunicipalityCode) (counter, error) {
	r, err := f.Remote(country.Counter(code), country.Town(code))
	return counter{code: code, town: country.Town(code), api: town.Client{Remote: r}}, err
}

const longest = 20 * time.Second

// await waits until the case at hand has come to the state want, or was refused.
func (c *counter) await(ctx context.Context, want town.ApplicationState) (town.Application, error) {
	deadline := time.Now().Add(longest)
	var since town.ApplicationState
	for {
		app, err := c.api.Application(ctx, c.application, since, 5*time.Second)
		switch {
		case err != nil:
			return app, err
		case app.State == want:
			return app, nil
		case app.State == town.Refused:
			return app, jitsuin.Errorf(jitsuin.Conflict, app.Code, "the application was refused: %s", app.Reason)
		case time.Now().After(deadline):
			return app, jitsuin.Errorf(jitsuin.Unavailable, "application-late", "the application is still %s after %v", app.State, longest)
		}
		since = app.State
	}
}

// addressIn invents an address in a municipality from that of a household there.
func (s *story) addressIn(code jitsuin.MunicipalityCode) string {
	for _, h := range s.sample.Households {
		if h.Municipality == code {
			if i := strings.IndexAny(h.Address, "０１２３４５６７８９"); i > 0 {
				return h.Address[:i] + "９９番９９号"
			}
		}
	}
	return ""
}
