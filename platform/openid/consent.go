package openid

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// consentPage is what the page shows that asks which of a person's data a client may have.
type consentPage struct {
	Login        jitsuin.ID
	JA, EN       string // who asks
	Origin       string
	Claims       []Wanted
	Action, Deny string
}

// pending gives the login of a page of ours that goes on with it, to the browser that began it and to nobody else.
func (p *Provider) pending(r *http.Request, i issuer, id string) (c client, q request, err error) {
	if c, q, err = p.unanswered(r, i, id); err == nil && q.params.Signing != "" {
		err = errRequestUnknown
	}
	return c, q, err
}

// unanswered is pending for a signature too.
func (p *Provider) unanswered(r *http.Request, i issuer, id string) (c client, q request, err error) {
	if q, err = p.request(r.Context(), jitsuin.ID(id)); err != nil {
		return c, q, err
	}
	if q.browser != browserOf(r) || q.issuer.path != i.path || q.takenAt == 0 || q.session != "" {
		return c, q, errRequestUnknown
	}
	c, err = p.client(r.Context(), q.client)
	return c, q, err
}

func (p *Provider) showConsent(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, q, err := p.pending(r, i, r.URL.Query().Get("login"))
		if err != nil {
			return err
		}
		ja, en, err := p.namesOf(r, c)
		if err != nil {
			return err
		}
		u, err := url.Parse(q.params.RedirectURI)
		if err != nil {
			return err
		}
		p.Host.Page(w, r, http.StatusOK, "openid-consent", consentPage{Login: q.id, JA: ja, EN: en, Origin: u.Scheme + "://" + u.Host, Claims: q.params.Claims,
			Action: i.path + "/consent", Deny: p.denied(q)})
		return nil
	}
}

// namesOf gives who asks, as people are told: the client's own name with the firm's, or the firm's alone.
func (p *Provider) namesOf(r *http.Request, c client) (ja, en string, err error) {
	if ja, en, err = p.Host.Firm(r.Context(), c.tenant); err != nil {
		return "", "", err
	}
	if cja, cen := c.meta.Names(); cja != "" && cja != ja {
		ja, en = cja+"（"+ja+"）", cen+" ("+en+")"
	}
	return ja, en, nil
}

// takeConsent takes what the person agreed to, and leads on to the holder.
func (p *Provider) takeConsent(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, q, err := p.pending(r, i, r.PostForm.Get("login"))
		if err != nil {
			return err
		}
		var agreed []Wanted
		ask := Ask{Elsewhere: r.PostForm.Get("way") == elsewhere}
		for _, claim := range q.params.Claims {
			if r.PostForm.Has("claim-" + claim.Name) {
				agreed = append(agreed, claim)
				h, _ := item(claim.Name)
				ask.Items = append(ask.Items, h)
			}
		}
		if err := p.agree(r, q, agreed); err != nil {
			return err
		}
		return p.away(w, r, c, q, ask)
	}
}

// agree notes what a person agreed to give.
func (p *Provider) agree(r *http.Request, q request, agreed []Wanted) error {
	q.params.Agreed = agreed
	raw, err := json.Marshal(q.params)
	if err != nil {
		return err
	}
	var claims []string
	for _, a := range agreed {
		claims = append(claims, a.Name)
	}
	return p.DB.Update(r.Context(), func(tx *store.Tx) error {
		if _, err := tx.Exec(`UPDATE openid_requests SET params = $1 WHERE id = $2 AND tenant = $3 AND session = ''`, string(raw), q.id, q.tenant); err != nil {
			return err
		}
		return p.Host.Record(r.Context(), tx, q.tenant, "openid-claims-agreed", string(q.id), map[string]string{"client": q.client, "claims": strings.Join(claims, " ")})
	})
}
