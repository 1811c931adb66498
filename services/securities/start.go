package securities

import (
	"context"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Purposes that a person is told by their holder.
const (
	openPurpose   = "総合証券口座の開設の申込み"
	openPurposeEN = "Application for a general securities account"
	loginPurpose  = "証券口座へのログイン"
	loginPurposeE = "Login to your securities account"
)

// visitCookie binds what was begun at the holder to the browser that began it. It comes along when the holder
// leads back, so it is Lax; it is worth nothing but together with the code of the return.
const visitCookie = "securities_visit"

const visitLife = time.Hour

// Start is what a program gets that begins an application.
type Start struct {
	Number string `json:"number" doc:"of the application"`
	client.MadeRequest
}

// start draws an application, and a request that leads the browser with the cookie had to its holder.
func (f *Firm) start(ctx context.Context, had string) (started, error) {
	a := application{Number: newNumber(), DrawnAt: f.Clock.Now()}
	a.form = newForm(a.Number)
	encoded, err := encodeForm(a.form)
	if err != nil {
		return started{}, err
	}
	sum := sha256.Sum256(encoded)
	ask := api.HolderRequest{Act: api.ActSign, Purpose: openPurpose, PurposeEN: openPurposeEN, Items: a.form.Items(),
		Documents: []api.RequestDocument{{Name: a.form.Title.JA, MediaType: api.MediaTypeForm, SHA256: sum[:], HRef: f.cfg.Origin + "/applications/" + a.Number + "/form"}}}
	s, r, err := f.ask(ctx, ask, had)
	if err != nil {
		return started{}, err
	}
	s.application, r.application, a.ExpiresAt = a, a.Number, s.made.ExpiresAt
	s.ExpiresAt = a.ExpiresAt
	return s, f.DB.Update(ctx, func(tx *store.Tx) error {
		if err := putApplication(tx, a, encoded); err != nil {
			return err
		}
		return putRequest(tx, r)
	})
}

// startAtHolder begins a login that the holder answers.
func (f *Firm) startAtHolder(ctx context.Context, had string) (started, error) {
	s, r, err := f.ask(ctx, api.HolderRequest{Act: api.ActLogin, Purpose: loginPurpose, PurposeEN: loginPurposeE}, had)
	if err != nil {
		return started{}, err
	}
	return s, f.DB.Update(ctx, func(tx *store.Tx) error { return putRequest(tx, r) })
}

// ask has the platform make a request. A browser that began something before keeps its cookie, so that two
// windows do not disturb each other.
func (f *Firm) ask(ctx context.Context, r api.HolderRequest, had string) (started, request, error) {
	r.Origin, r.ResponseURI, r.State = f.cfg.Origin, f.cfg.Origin+"/answers", newToken()
	made, err := f.platform.Request(ctx, "", r)
	if err != nil {
		return started{}, request{}, err
	}
	s := started{made: made, browser: had}
	if len(had) != len(newToken()) {
		s.browser = newToken()
	}
	return s, newRequest(made, r.Act, r.State, s.browser, ""), nil
}

func (f *Firm) visit(browser string) http.Cookie {
	c := f.cookie(visitCookie, browser, visitLife)
	c.SameSite = http.SameSiteLaxMode
	return c
}

type applicationIn struct {
	Visit string `cookie:"securities_visit"`
}

type applicationOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Start
}

// postApplication begins an application for a program that leads its person to the holder itself.
func (f *Firm) postApplication(ctx context.Context, in *applicationIn) (*applicationOut, error) {
	s, err := f.start(ctx, in.Visit)
	if err != nil {
		return nil, err
	}
	return &applicationOut{f.visit(s.browser), Start{s.Number, s.made}}, nil
}

// serveForm gives the form of an application as it was drawn. Whoever knows the number may have it: it
// names nobody.
func (f *Firm) serveForm(w http.ResponseWriter, r *http.Request) error {
	var encoded []byte
	err := f.DB.View(r.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT form FROM applications WHERE number = $1`, r.PathValue("number")).Scan(&encoded)
	})
	if err != nil {
		return notFound(err, jitsuin.Errorf(jitsuin.NotFound, "application-unknown", "there is no application with this number"))
	}
	w.Header().Set("Content-Type", api.MediaTypeForm)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err = w.Write(encoded)
	return err
}
