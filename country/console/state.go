package console

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// state is how one actor is, as it says itself.
type state struct {
	ID, Name, Role string
	Origin         string
	Wrong          []string // empty means well
}

// roles are those that the console shows, in the order of the map.
var roles = []string{"municipality", "jukinet", "jlis", "status", "minister", "platform", "tsa", "service", "holder", "cards", "country"}

// look asks every actor at the same time how it is.
func (c *Console) look(ctx context.Context) []state {
	var all []state
	for _, role := range roles {
		for _, i := range c.Directory.Role(role) {
			all = append(all, state{ID: i.ID, Name: c.cfg.Names[i.ID], Role: role, Origin: i.Origin})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var asked sync.WaitGroup
	for i := range all {
		asked.Go(func() { all[i].Wrong = wrongWith(ctx, all[i].Origin) })
	}
	asked.Wait()
	return all
}

// wrongWith gives what an actor says is wrong with it; empty means well.
func wrongWith(ctx context.Context, origin string) []string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, origin+"/readyz", nil)
	if err != nil {
		return []string{err.Error()}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return []string{"no answer"}
	}
	defer resp.Body.Close()
	var state struct {
		Wrong map[string]string `json:"wrong"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&state); err != nil {
		return []string{"no answer that can be read"}
	}
	var wrong []string
	for what, why := range state.Wrong {
		wrong = append(wrong, what+": "+why)
	}
	slices.SortFunc(wrong, strings.Compare)
	return wrong
}
