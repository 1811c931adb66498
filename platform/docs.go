package platform

import (
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/apidoc"
)

// docsPage is what the page /docs is made from.
type docsPage struct {
	Origin string
	Groups []apidoc.Group
}

// docPages completes the OpenAPI document with errors and examples, and offers it as a page and as llms.txt. It belongs
// after the last route.
func (p *Platform) docPages() {
	var page func() docsPage // made when it is first asked for: most platforms of tests never are
	var short func() string
	p.API.Describe(func(doc *huma.OpenAPI) {
		apidoc.Complete(doc)
		page = sync.OnceValue(func() docsPage { return docsPage{p.origin(), apidoc.Page(doc, p.origin())} })
		short = sync.OnceValue(func() string { return apidoc.LLMs(doc, p.origin()) })
	})
	everybody := httpapi.Public("the API is described to everybody")
	p.site.Handle(p.API, "GET /docs", everybody, func(w http.ResponseWriter, r *http.Request) error {
		p.site.Page(w, r, http.StatusOK, "docs", page())
		return nil
	})
	p.API.Raw("GET /llms.txt", everybody, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=300")
		w.Write([]byte(short()))
	}))
}
