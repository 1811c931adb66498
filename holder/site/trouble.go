package site

import (
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
)

// troublePage says what is wrong with the card of a flow that goes on: the request is not answered, and nothing was signed.
type troublePage struct {
	about
	Words   web.Words
	Retry   string // where the same card is tried again; "" where that does not help
	Problem *httpapi.Problem
}

// troubles are the codes of what can be wrong with a card, and whether the same one may do when it is tried again.
var troubles = map[string]bool{
	"card-gone": true, "card-missing": true, "card-in-use": true, "card-lent": true, "card-changed": true, "card-memory": true,
	"card-key-differs": false, "card-signature": false, "card-digest": false, "card-copied": false, "card-application": false, "card-file": false,
	"card-data": false, "card-status": false, "card-function": false, "card-conditions": false, "card-old": false, "card-unknown": false,
	"card-not-handed-over": false,
}

// trouble shows an error that is about the card as a page of the flow's, from which the person goes on with the same card, with another, or
// back to the site. Any other error is given back.
func (s *Site) trouble(w http.ResponseWriter, r *http.Request, f *flow, err error) error {
	again, known := troubles[jitsuin.CodeOf(err)]
	if err == nil || !known || f.answer != nil || f.notExpired() != nil {
		return err
	}
	f.closeCard()
	p := httpapi.ProblemOf(r.Context(), err)
	if p.Status >= http.StatusInternalServerError && jitsuin.KindOf(err) != jitsuin.Unavailable {
		s.Log.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "err", err)
	}
	t := troublePage{about: s.about(f, "pin"), Words: web.Explain(web.LangOf(r), err), Problem: p}
	if own := "holder.trouble." + jitsuin.CodeOf(err); web.Has(own) {
		t.Words.Next = web.Text(web.LangOf(r), own)
	}
	if again {
		t.Retry = f.path(f.stage())
	}
	s.pages.Page(w, r, p.Status, "trouble", t)
	return nil
}
