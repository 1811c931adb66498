package platformtest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// Browser is somebody in front of the platform's own pages, and the holder to which these lead them.
type Browser struct {
	HTTP *http.Client // keeps cookies and follows no redirect

	w *World
}

// Browser gives a browser that knows nothing yet.
func (w *World) Browser() *Browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &Browser{w: w, HTTP: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Page is what came: the status, where it leads, the body.
type Page struct {
	Status   int
	Location string
	Body     string
}

func (b *Browser) do(req *http.Request) Page {
	b.w.t.Helper()
	resp, err := b.HTTP.Do(req)
	b.w.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	b.w.must(err)
	return Page{resp.StatusCode, resp.Header.Get("Location"), string(body)}
}

func (b *Browser) at(link string) string {
	if u, err := url.Parse(link); err == nil && u.Host == "" {
		return b.w.Origin + link
	}
	return link
}

// Open gets a page of the platform, and goes on where it leads elsewhere.
func (b *Browser) Open(link string) Page {
	b.w.t.Helper()
	for range 5 {
		req, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, b.at(link), nil)
		b.w.must(err)
		p := b.do(req)
		if p.Location == "" {
			return p
		}
		link = p.Location
	}
	b.w.t.Fatal("the pages lead in a circle")
	return Page{}
}

// Get gets a page and stays where it leads.
func (b *Browser) Get(link string) Page {
	b.w.t.Helper()
	req, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, b.at(link), nil)
	b.w.must(err)
	return b.do(req)
}

// Post sends a form, and stays where it leads.
func (b *Browser) Post(path string, form url.Values) Page {
	b.w.t.Helper()
	return b.PostFrom(b.w.Origin, path, form)
}

// PostFrom is Post from a page of an origin.
func (b *Browser) PostFrom(origin, path string, form url.Values) Page {
	b.w.t.Helper()
	req, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, b.at(path), bytes.NewBufferString(form.Encode()))
	b.w.must(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", origin)
	return b.do(req)
}

// Errand sends a form that leads to a holder, answers there with a person's card, and comes back to what is shown then.
func (b *Browser) Errand(path string, form url.Values, who *Person) Page {
	b.w.t.Helper()
	away := b.Post(path, form)
	if away.Status != http.StatusSeeOther {
		b.w.t.Fatalf("%s led nowhere: HTTP %d %s", path, away.Status, away.Body)
	}
	return b.Open(b.w.Answered(away.Location, who))
}

// Answered plays a holder: it opens the request to which an address of a holder's page leads, signs with the person's card, posts
// the answer, and gives the address to return to.
func (w *World) Answered(open string, who *Person) (back string) {
	w.t.Helper()
	claims := w.OpenRequest(open)
	status, taken := w.Post(claims, w.AnswerOf(claims, who))
	if status != http.StatusOK {
		w.t.Fatalf("the answer was not taken: HTTP %d", status)
	}
	return taken.ReturnURL
}

// AnswerOf signs what a request asks for with a person's card.
func (w *World) AnswerOf(claims api.RequestClaims, who *Person) api.HolderAnswer {
	w.t.Helper()
	a := api.HolderAnswer{Txn: claims.Txn, State: claims.State}
	if claims.Act == api.ActLogin {
		signed, err := claims.Challenge.ToSign().Sign(who.Auth.Cert, who.Auth.Key)
		w.must(err)
		a.Certificate, a.Signature, a.DigestAlg = signed.Certificate.Raw, signed.Signature, signed.DigestAlg
		a.Items = who.loginItems(claims.Items, jitsuin.DateOf(w.Platform.Clock.Now()))
	} else {
		a.Certificate = who.Sign.Cert.Raw
		a.Documents = []api.AnswerDocument{{Name: claims.Documents[0].Name, MediaType: "application/pdf", Content: w.SignForm(claims.Documents[0].HRef, who)}}
	}
	return a
}

// loginItems gives what a holder reads of a person's card for a login.
func (p *Person) loginItems(asked []string, today jitsuin.Date) map[string]string {
	all := map[string]string{"name": p.Items.Name, "address": p.Items.Address, "birth_date": p.Items.BirthDate.String(), "sex": string(p.Items.Sex)}
	out := map[string]string{}
	for _, name := range asked {
		v, ok := all[name]
		if !ok {
			v = fmt.Sprint(jitsuin.DateOf(p.Items.BirthDate.Start().AddDate(api.AgeOver(name), 0, 0)).Compare(today) <= 0)
		}
		out[name] = v
	}
	return out
}

// OpenRequest fetches and checks the request to which an address of a holder's page leads.
func (w *World) OpenRequest(open string) api.RequestClaims {
	w.t.Helper()
	u, err := url.Parse(open)
	w.must(err)
	raw := w.fetch(u.Query().Get("request_uri"))
	claims, err := api.OpenRequest(string(raw), func(string) (*ecdsa.PublicKey, error) { return &w.callers[ID].Key.PublicKey, nil }, time.Now())
	w.must(err)
	return claims
}

// SignForm fetches a form, fills it in from the person's certificate and signs it inside itself.
func (w *World) SignForm(link string, who *Person) []byte {
	w.t.Helper()
	f, err := form.Parse(w.fetch(link))
	w.must(err)
	now := w.Platform.Clock.Now()
	typed := map[string]string{}
	for _, d := range f.Fields {
		if d.From == form.FromPerson && len(d.Options) > 0 {
			typed[d.Name] = d.Options[0].Value
		}
	}
	filled, err := form.Fill(f, who.Items, typed, jitsuin.DateOf(now))
	w.must(err)
	document, err := filled.PDF()
	w.must(err)
	signed, err := (&pades.Signer{Certificate: who.Sign.Cert, Key: who.Sign.Key}).Sign(context.Background(), document, pades.Options{At: now, Name: who.Items.Name})
	w.must(err)
	return signed
}

// PostAnswer posts a holder's answer and gives the status and where it leads.
func (w *World) PostAnswer(claims api.RequestClaims, a api.HolderAnswer) (status int, back string) {
	w.t.Helper()
	status, taken := w.Post(claims, a)
	return status, taken.ReturnURL
}

// Post posts a holder's answer and gives the status and what the holder is told.
func (w *World) Post(claims api.RequestClaims, a api.HolderAnswer) (status int, taken api.AnswerTaken) {
	w.t.Helper()
	body, err := json.Marshal(a)
	w.must(err)
	resp, err := http.Post(claims.ResponseURI, "application/json", bytes.NewReader(body))
	w.must(err)
	defer resp.Body.Close()
	w.must(json.NewDecoder(resp.Body).Decode(&taken))
	return resp.StatusCode, taken
}

func (w *World) fetch(link string) []byte {
	w.t.Helper()
	resp, err := http.Get(link)
	w.must(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	w.must(err)
	if resp.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: HTTP %d %s", link, resp.StatusCode, raw)
	}
	return raw
}
