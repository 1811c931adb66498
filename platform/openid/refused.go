package openid

import (
	"net/http"
	"net/url"

	"github.com/jitsuin/jitsuin"
)

// refusedPage is what the page shows that says why a certificate was not accepted.
type refusedPage struct {
	Login       jitsuin.ID
	JA, EN      string // who asks
	Origin      string
	Words       string // the stem of its title and what to do next
	Later       bool   // the card may be in order: the same one may be tried again
	Again, Back string // Again is "" for a signature, whose transaction is over
}

// explain leads the browser to the page that says why a certificate was not accepted. It has an address of its own, so that it can be loaded
// again after the way back from the holder was used up.
func (p *Provider) explain(w http.ResponseWriter, r *http.Request, q request, o Outcome) error {
	values := url.Values{"login": {string(q.id)}, "outcome": {string(o)}}
	if q.params.Lang != "" {
		values.Set("lang", q.params.Lang)
	}
	http.Redirect(w, r, p.url(q.issuer, "/refused?"+values.Encode()), http.StatusSeeOther)
	return nil
}

func (p *Provider) showRefused(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, q, err := p.unanswered(r, i, r.URL.Query().Get("login"))
		if err != nil {
			return err
		}
		o := Outcome(r.URL.Query().Get("outcome"))
		words := p.Host.Words(string(o), q.params.Signing != "")
		if words == "" {
			return errRequestUnknown
		}
		ja, en, err := p.namesOf(r, c)
		if err != nil {
			return err
		}
		u, err := url.Parse(q.params.RedirectURI)
		if err != nil {
			return err
		}
		page := refusedPage{Login: q.id, JA: ja, EN: en, Origin: u.Scheme + "://" + u.Host, Words: words, Later: o == Unsure,
			Back: p.answerAt(q.issuer, q.params.RedirectURI, q.params.State, errorAnswer(o.told()))}
		if q.params.Signing == "" {
			page.Again = i.path + "/again"
		}
		p.Host.Page(w, r, http.StatusOK, "openid-refused", page)
		return nil
	}
}

// tryAgain begins the same login once more, with another card or the same: what the person agreed to give is asked for again by the holder.
func (p *Provider) tryAgain(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, q, err := p.pending(r, i, r.PostForm.Get("login"))
		if err != nil {
			return err
		}
		if err := p.standing(r.Context(), c.tenant); err != nil {
			return err
		}
		ask := Ask{Elsewhere: r.PostForm.Get("way") == elsewhere}
		if !ask.Elsewhere && p.offersChoice() && len(q.params.Claims) == 0 {
			return p.choose(w, r, q, "")
		}
		for _, a := range q.params.Agreed {
			h, _ := item(a.Name)
			ask.Items = append(ask.Items, h)
		}
		return p.away(w, r, c, q, ask)
	}
}
