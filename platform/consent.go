package platform

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/signature/form"
)

// Consents to be told the latest four items. The platform makes the prescribed text; the person signs it at their holder; the signed
// document goes from the holder to this platform and on to J-LIS, which keeps it and supplies under it. The firm never gets the certificate, and
// the platform keeps of the document neither bytes nor items: the text, the consent's number at J-LIS, and the ledger.

func (p *Platform) consentRoutes() {
	tenants := httpapi.Roles(roleTenant)
	httpapi.Register(p.API, httpapi.Operation{ID: "draw-consent", Method: http.MethodPost, Path: "/v1/consents", Status: http.StatusCreated,
		Summary:     "Make the text of a consent to the latest four items, and the request to sign it (最新4情報提供の同意)",
		Description: "Lead the person's browser to open; it comes back to return_url with ?consent=ID. What came of it is told by an event and at GET /v1/consents/{id}. Needs the header Idempotency-Key. Errors: user-unknown, origin-not-registered.",
		Policy:      tenants}, p.postConsent)
	httpapi.Register(p.API, httpapi.Operation{ID: "consent", Method: http.MethodGet, Path: "/v1/consents/{id}", Summary: "A consent of yours with its ledger", Policy: tenants}, p.getConsent)
	httpapi.Register(p.API, httpapi.Operation{ID: "consents", Method: http.MethodGet, Path: "/v1/users/{id}/consents", Summary: "The consents of a user of yours",
		Description: "The latest first. Error: user-unknown.", Policy: tenants}, p.getConsents)
	httpapi.Register(p.API, httpapi.Operation{ID: "latest-items", Method: http.MethodPost, Path: "/v1/users/{id}/latest-items", Status: http.StatusCreated,
		Summary: "Ask for what is new of a user's four items (最新4情報提供)",
		Description: "Under a consent that is in force. What is new is told from what you were told last, or from the newest certificate that you have checked. Needs the header Idempotency-Key; repeated within seven days, the answer is the same and costs nothing more. " +
			"Errors: user-unknown, consent-unknown, consent-withdrawn, consent-expired, consent-drawn, consent-refused, person-left.",
		Policy: tenants}, p.postLatest)
	p.API.Raw("GET /v1/consents/{id}/form", httpapi.Public("the text that is to be signed names nobody; who has its number may have it"), http.HandlerFunc(p.serveConsentForm))
	p.API.Raw("GET /v1/consents/{id}/withdrawal-form", httpapi.Public("the text that is to be signed names nobody; who has its number may have it"), http.HandlerFunc(p.serveWithdrawalForm))
	p.errands.Handle(errandConsent, errand.Handler{Decide: p.decideConsent, Ended: p.consentCancelled, Arrive: p.consentArrives})
	p.At(clock.Job{Name: "consents", Next: p.nextConsent, Fire: p.consentsDue})
}

const errandConsent = "consent"

// consent is a row of the table.
type consent struct {
	api.Consent
	tenant    string
	form      []byte
	returnURL string
	agency    jitsuin.ID
}

const consentColumns = `id, tenant, user_id, service, service_en, purpose, form, return_url, state, agency, given_on, last_day, remind_on`

func scanConsent(s store.Scanner) (c consent, err error) {
	var given, last, remind string
	err = s.Scan(&c.ID, &c.tenant, &c.User, &c.Service.JA, &c.Service.EN, &c.Purpose, &c.form, &c.returnURL, &c.State, &c.agency, &given, &last, &remind)
	if err != nil {
		return c, err
	}
	c.Ledger = []api.ConsentEntry{}
	return c, errors.Join(c.GivenOn.UnmarshalText([]byte(given)), c.LastDay.UnmarshalText([]byte(last)), c.Remind.UnmarshalText([]byte(remind)))
}

func errConsentUnknown() error {
	return jitsuin.Errorf(jitsuin.NotFound, "consent-unknown", "there is no such consent of yours")
}

// consentOf gives a tenant's consent with its ledger; another's, and one that never was, are NotFound alike.
func consentOf(tx *store.Tx, tenant string, id jitsuin.ID) (consent, error) {
	c, err := scanConsent(tx.QueryRow(`SELECT `+consentColumns+` FROM consents WHERE tenant = $1 AND id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return c, errConsentUnknown()
	}
	if err != nil {
		return c, err
	}
	entries, err := store.Collect(func(s store.Scanner) (e api.ConsentEntry, err error) {
		var at int64
		err = s.Scan(&at, &e.Act, &e.Detail)
		e.At = store.Time(at).UTC()
		return e, err
	})(tx.Query(`SELECT at, act, detail FROM consent_entries WHERE tenant = $1 AND consent = $2 ORDER BY n`, tenant, id))
	c.Ledger = append(c.Ledger, entries...)
	return c, err
}

// note appends to a consent's ledger.
func note(tx *store.Tx, c consent, at time.Time, act, detail string) error {
	_, err := tx.Exec(`INSERT INTO consent_entries (consent, n, tenant, at, act, detail)
		SELECT $1, COALESCE(MAX(n), 0) + 1, $2, $3, $4, $5 FROM consent_entries WHERE tenant = $2 AND consent = $1`, c.ID, c.tenant, store.Micros(at), act, detail)
	return err
}

type consentIn struct {
	Key  string `header:"Idempotency-Key" json:"-"`
	Body api.ConsentRequest
}

type consentOut struct{ Body api.Consent }

// postConsent makes the text and the request to sign it.
func (p *Platform) postConsent(ctx context.Context, in *consentIn) (*consentOut, error) {
	const operation = "draw-consent"
	before, err := httpapi.Once(ctx, p.DB, operation, in.Body, func(*store.Tx) (api.Consent, error) { return api.Consent{}, errNew })
	if !errors.Is(err, errNew) {
		if err != nil {
			return nil, err
		}
		return &consentOut{before}, nil
	}
	c, encoded, err := p.newConsent(ctx, httpapi.CallerOf(ctx).ID, in.Body)
	if err != nil {
		return nil, err
	}
	made, err := p.askConsent(ctx, c, encoded)
	if err != nil {
		return nil, err
	}
	now := p.Clock.Now()
	out, err := httpapi.Once(ctx, p.DB, operation, in.Body, func(tx *store.Tx) (api.Consent, error) {
		if _, err := knownUser(tx, c.tenant, c.User); err != nil {
			return api.Consent{}, err
		}
		if err := putConsent(tx, c, now, made.ExpiresAt); err != nil {
			return api.Consent{}, err
		}
		kept, err := consentOf(tx, c.tenant, c.ID)
		if err != nil {
			return api.Consent{}, err
		}
		kept.Open = made.Open
		return kept.Consent, audit.Record(ctx, tx, now, audit.Line{Act: "consent-drawn", Subject: string(c.ID), Tenant: c.tenant, Detail: map[string]string{"user": c.User}})
	})
	if err != nil {
		return nil, err
	}
	return &consentOut{out}, nil
}

// newConsent draws a consent with the form that is to be signed.
func (p *Platform) newConsent(ctx context.Context, tenant string, in api.ConsentRequest) (c consent, encoded []byte, err error) {
	if err := p.mayVerify(ctx); err != nil {
		return c, nil, err
	}
	back, err := url.Parse(in.ReturnURL)
	if err != nil || back.Host == "" || back.User != nil || back.Fragment != "" {
		return c, nil, jitsuin.Errorf(jitsuin.Invalid, "return-url", "the address to return to is an absolute URL at an origin of yours").At("return_url")
	}
	if err := p.mayAskFrom(ctx, tenant, back.Scheme+"://"+back.Host); err != nil {
		return c, nil, err
	}
	err = p.DB.View(ctx, func(tx *store.Tx) error { _, err := knownUser(tx, tenant, in.User); return err })
	if err != nil {
		return c, nil, err
	}
	who, err := p.requestClient(ctx, tenant, p.origin())
	if err != nil {
		return c, nil, err
	}
	a, _, err := p.accreditation(ctx)
	if err != nil {
		return c, nil, err
	}
	c = consent{Consent: api.Consent{ID: jitsuin.NewID(), User: in.User, Service: in.Service, Purpose: in.Purpose, State: api.ConsentDrawn}, tenant: tenant, returnURL: in.ReturnURL}
	f := jlis.ConsentForm(jlis.ConsentText{Number: string(c.ID), Recipient: form.Text{JA: who.NameJA, EN: who.NameEN}, Verifier: a.Name, VerifierID: p.Config.Instance,
		Service: form.Text(in.Service), Purpose: in.Purpose, Contact: in.Contact})
	if err := f.Check(); err != nil {
		return c, nil, err
	}
	c.form, err = json.Marshal(f)
	return c, c.form, err
}

// askConsent makes the request to sign a consent, on behalf of the tenant.
func (p *Platform) askConsent(ctx context.Context, c consent, encoded []byte) (api.MadeRequest, error) {
	who, err := p.requestClient(ctx, c.tenant, p.origin())
	if err != nil {
		return api.MadeRequest{}, err
	}
	sum := sha256.Sum256(encoded)
	return p.errands.Start(ctx, errand.Request{Name: errandConsent, About: aboutConsent(c.tenant, c.ID), Act: api.ActSign, Client: &who,
		Purpose: "最新の氏名・住所等の提供への同意", PurposeEN: "Consent to the supply of your latest name, address and other items", Items: []string{form.ItemName},
		Documents: []api.RequestDocument{{Name: "最新の4情報の提供に関する同意書", MediaType: api.MediaTypeForm, SHA256: sum[:], HRef: p.origin() + "/v1/consents/" + string(c.ID) + "/form"}}}, "")
}

func putConsent(tx *store.Tx, c consent, now, expires time.Time) error {
	_, err := tx.Exec(`INSERT INTO consents (id, tenant, user_id, service, service_en, purpose, form, return_url, state, agency, kind, serial, drawn_at, expires_at, given_on, last_day, remind_on, keep_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', '', $10, $11, '', '', '', '')`,
		c.ID, c.tenant, c.User, c.Service.JA, c.Service.EN, c.Purpose, string(c.form), c.returnURL, c.State, store.Micros(now), store.Micros(expires))
	if err != nil {
		return err
	}
	return note(tx, c, now, "drawn", "")
}

type idOfConsent struct {
	ID string `path:"id" maxLength:"64"`
}

func (p *Platform) getConsent(ctx context.Context, in *idOfConsent) (*consentOut, error) {
	out := &consentOut{}
	err := p.DB.View(ctx, func(tx *store.Tx) error {
		c, err := consentOf(tx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID))
		out.Body = c.Consent
		return err
	})
	return out, err
}

type consentsOut struct{ Body api.Consents }

func (p *Platform) getConsents(ctx context.Context, in *idOfConsent) (*consentsOut, error) {
	tenant := httpapi.CallerOf(ctx).ID
	out := &consentsOut{api.Consents{Consents: []api.Consent{}}}
	err := p.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := knownUser(tx, tenant, in.ID); err != nil {
			return err
		}
		all, err := store.Collect(scanConsent)(tx.Query(`SELECT `+consentColumns+` FROM consents WHERE tenant = $1 AND user_id = $2 ORDER BY drawn_at DESC, id`, tenant, in.ID))
		for _, c := range all {
			if c, err = consentOf(tx, tenant, c.ID); err != nil {
				return err
			}
			out.Body.Consents = append(out.Body.Consents, c.Consent)
		}
		return err
	})
	return out, err
}

// consentForm gives a consent by its number alone: for who is to sign its text.
func (p *Platform) consentForm(ctx context.Context, id string) (c consent, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) {
		c, err = scanConsent(tx.QueryRow(`/* every tenant: the number of a consent is its secret, and the text names nobody */ SELECT `+consentColumns+` FROM consents WHERE id = $1`, id))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "consent-unknown", "there is no consent with this number")
	}
	return c, err
}

func (p *Platform) serveConsentForm(w http.ResponseWriter, r *http.Request) {
	c, err := p.consentForm(r.Context(), r.PathValue("id"))
	p.serveForm(w, r, c.form, err)
}

func (p *Platform) serveForm(w http.ResponseWriter, r *http.Request, encoded []byte, err error) {
	if err != nil {
		httpapi.WriteError(w, r, p.Log, err)
		return
	}
	w.Header().Set("Content-Type", api.MediaTypeForm)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(encoded)
}
