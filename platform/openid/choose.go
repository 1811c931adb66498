package openid

import (
	"net/http"
	"net/url"

	"github.com/jitsuin/jitsuin"
)

// choosePage is what the page shows at which a person chooses how their card is reached.
type choosePage struct {
	Login             jitsuin.ID
	JA, EN            string // who asks
	Origin            string
	Words             string // of what came of the last try
	Holder, TLS, Deny string // TLS is "" where a browser cannot show the certificate itself
}

// elsewhere is what the forms say whose person answers on another device.
const elsewhere = "elsewhere"

// offersChoice tells whether a login for no data begins with a choice.
func (p *Provider) offersChoice() bool { return p.Presents || p.Chooses }

// choose leads the browser to the page of choice; outcome is what came of the last try, "" for none.
func (p *Provider) choose(w http.ResponseWriter, r *http.Request, q request, outcome string) error {
	values := url.Values{"login": {string(q.id)}}
	if outcome != "" {
		values.Set("outcome", outcome)
	}
	if q.params.Lang != "" {
		values.Set("lang", q.params.Lang)
	}
	http.Redirect(w, r, p.url(q.issuer, "/choose?"+values.Encode()), http.StatusSeeOther)
	return nil
}

// ChooseAgain takes a browser back whose certificate was not accepted: the person is told why, and may go the other way.
func (p *Provider) ChooseAgain(w http.ResponseWriter, r *http.Request, id jitsuin.ID, outcome string) error {
	q, err := p.request(r.Context(), id)
	if err != nil {
		return err
	}
	if q.browser != browserOf(r) {
		return jitsuin.Errorf(jitsuin.Denied, "return-browser", "another browser began this")
	}
	return p.choose(w, r, q, outcome)
}

// choosing is pending for a request that leaves the choice: one for a person's data goes by the page that asks for consent.
func (p *Provider) choosing(r *http.Request, i issuer, id string) (c client, q request, err error) {
	if c, q, err = p.pending(r, i, id); err == nil && len(q.params.Claims) > 0 {
		err = errRequestUnknown
	}
	return c, q, err
}

func (p *Provider) showChoice(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, q, err := p.choosing(r, i, r.URL.Query().Get("login"))
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
		page := choosePage{Login: q.id, JA: ja, EN: en, Origin: u.Scheme + "://" + u.Host,
			Words: p.Host.Words(r.URL.Query().Get("outcome"), false), Holder: i.path + "/choose", Deny: p.denied(q)}
		if p.Presents {
			page.TLS = i.path + "/choose/tls?" + url.Values{"login": {string(q.id)}}.Encode()
		}
		p.Host.Page(w, r, http.StatusOK, "openid-choose", page)
		return nil
	}
}

// byHolder leads the browser to the holder, or to the QR code with which another device gets there.
func (p *Provider) byHolder(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, q, err := p.choosing(r, i, r.PostForm.Get("login"))
		if err != nil {
			return err
		}
		return p.away(w, r, c, q, Ask{Elsewhere: r.PostForm.Get("way") == elsewhere})
	}
}

// byTLS leads the browser to where it shows the certificate itself. It is a link and no form: its redirects end at the client's address, and
// the addresses to which forms of ours may lead are few (Content-Security-Policy, form-action). Who leads a browser here has gained nothing
// that authorize would not do. Which of a person's data a client gets is read from the card by the holder alone.
func (p *Provider) byTLS(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		_, q, err := p.choosing(r, i, r.URL.Query().Get("login"))
		if err != nil {
			return err
		}
		return p.Host.Present(w, r, q.id)
	}
}

// denied is where a person goes who does not want to log in.
func (p *Provider) denied(q request) string {
	return p.answerAt(q.issuer, q.params.RedirectURI, q.params.State, errorAnswer(fault(accessDenied, "the person did not agree")))
}
