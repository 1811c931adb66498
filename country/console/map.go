package console

import (
	"net/http"

	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// mapPages registers the first page.
func (c *Console) mapPages() {
	c.site.Handle(c.API, "GET /{$}", httpapi.Public("the map shows no resident"), c.showMap)
}

func (c *Console) showMap(w http.ResponseWriter, r *http.Request) error {
	c.site.Page(w, r, http.StatusOK, "map", map[string]any{"Actors": c.look(r.Context())})
	return nil
}
