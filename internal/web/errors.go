package web

import (
	"maps"
	"net/http"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// errorPage is what an error's page says: what happened, what it means, what to do next.
type errorPage struct {
	Title, Means, Next string
	Problem            *httpapi.Problem // for developers
	Back               string
}

// Error writes an error as a page. Codes that the catalogue knows ("errors.CODE.title", .means, .next) have
// their own words, all others those of their kind ("errors.kind-KIND.…"); the bare problem stands in a fold.
func (s *Site) Error(w http.ResponseWriter, r *http.Request, err error) {
	p := httpapi.ProblemOf(r.Context(), err)
	if p.Status >= 500 {
		s.o.Log.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "err", err)
	}
	maps.Copy(w.Header(), p.GetHeaders())
	v := s.view(r)
	words := Explain(v.Lang, err)
	v.Data = errorPage{Title: words.Title, Means: words.Means, Next: words.Next, Problem: p, Back: s.backFrom(r)}
	s.write(w, r, p.Status, "error", v)
}

// Words explain an error to a person.
type Words struct{ Title, Means, Next string }

// Explain gives the words for an error in a language.
func Explain(l Lang, err error) Words {
	stem := "errors." + strings.ToLower(jitsuin.CodeOf(err))
	if !Has(stem + ".title") {
		stem = "errors.kind-" + jitsuin.KindOf(err).String()
	}
	return Words{Text(l, stem+".title"), Text(l, stem+".means"), Text(l, stem+".next")}
}
