package jukinet

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jukinet/api"
)

// maxTaken is how many notices one answer has.
const maxTaken = 200

type takenIn struct {
	After string `query:"after" doc:"EPOCH.N in the caller's feed"`
}
type takenOut struct{ Body api.TakenList }

// offerTaken gives a municipality that was restored from a backup its own notices back. Nobody else gets them.
func (n *Network) offerTaken() {
	httpapi.Register(n.API, httpapi.Operation{ID: "taken-notices", Method: http.MethodGet, Path: "/notices", Summary: "A municipality's own notices, after a position",
		Policy: httpapi.Roles(townRole)}, func(ctx context.Context, in *takenIn) (*takenOut, error) {
		after, err := jitsuin.ParsePosition(in.After)
		if err != nil {
			return nil, err
		}
		town := strings.TrimPrefix(httpapi.CallerOf(ctx).ID, townRole+":")
		out := &takenOut{api.TakenList{Notices: []api.Taken{}}}
		err = n.DB.View(ctx, func(tx *store.Tx) error {
			out.Body.Notices = []api.Taken{}
			found, err := takenAfter(tx, town, after)
			out.Body.Notices = append(out.Body.Notices, found...)
			return err
		})
		return out, err
	})
}

func takenAfter(tx *store.Tx, town string, after jitsuin.Position) ([]api.Taken, error) {
	return store.Collect(func(s store.Scanner) (t api.Taken, err error) {
		var body, now, state string
		if err := s.Scan(&t.Position.Epoch, &t.Position.N, &body, &now, &state); err != nil {
			return t, err
		}
		if now != town && state != string(jitsuin.Moving) {
			t.Now = jitsuin.MunicipalityCode(now)
		}
		return t, json.Unmarshal([]byte(body), &t.Notice)
	})(tx.Query(`SELECT l.epoch, l.n, l.body, p.municipality, p.state FROM notice_log l JOIN person p ON p.subject = l.subject
		WHERE l.municipality = $1 AND (l.epoch > $2 OR (l.epoch = $2 AND l.n > $3)) ORDER BY l.epoch, l.n LIMIT $4`,
		town, after.Epoch, after.N, maxTaken))
}
