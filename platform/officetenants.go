package platform

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/office"
)

func (p *Platform) officeTenantRoutes() {
	p.officePage("GET /office/tenants", office.SeeTenants, p.tenantsPage)
	p.officePage("GET /office/tenants/{id}", office.SeeTenants, func(w http.ResponseWriter, r *http.Request) error {
		return p.showTenant(w, r, http.StatusOK, tenantForms{})
	})
	p.officePage("POST /office/tenants/{id}/suspend", office.SuspendTenant, p.postSuspend)
	p.officePage("POST /office/tenants/{id}/lift", office.LiftTenant, p.postTenantProposal(office.LiftTenant))
	p.officePage("POST /office/tenants/{id}/end", office.EndTenant, p.postTenantProposal(office.EndTenant))
	p.officePage("POST /office/tenants/{id}/keys", office.AddKey, p.postOfficeKey)
	p.officePage("POST /office/tenants/{id}/keys/end", office.EndKey, p.postOfficeKeyEnd)
	p.officePage("POST /office/tenants/{id}/origins", office.ChangeOrigins, p.postOrigins)
	p.officeTermsRoutes()
	p.tenantActs()
}

func (p *Platform) tenantsPage(w http.ResponseWriter, r *http.Request) error {
	after := r.URL.Query().Get("after")
	list, err := p.tenantList(r.Context(), after)
	if err != nil {
		return err
	}
	return p.showOffice(w, r, http.StatusOK, "office-tenants", map[string]any{"Tenants": list.Tenants, "More": list.Next, "Back": after != "", "May": mayHere(r, office.RegisterTenant)})
}

// tenantForms are the forms of a tenant's page; those that are nil are empty.
type tenantForms struct{ State, Key, EndKey, Origins, Terms *web.Form }

// reasonNamed gives the field of the reason a name of its own, so that each form of a page has its labels.
func reasonNamed(name string) web.Field {
	f := reasonField
	f.Name = name
	return f
}

func stateForm(values url.Values) *web.Form { return web.NewForm(values, reasonNamed("state-reason")) }

func keyForm(values url.Values) *web.Form {
	return web.NewForm(values, web.Field{Name: "key", Label: "office.key.new", Help: "office.key.new.help", Kind: web.TextField, Need: true, Max: 2000}, reasonNamed("key-reason"))
}

func endKeyForm(values url.Values, keys []api.TenantKey) *web.Form {
	var good []web.Option
	for _, k := range keys {
		if k.EndedAt == nil {
			good = append(good, web.Option{Value: k.KID, Text: k.KID})
		}
	}
	return web.NewForm(values, web.Field{Name: "kid", Label: "office.key.end", Kind: web.ChoiceField, Options: good, Need: true, Width: "medium"}, reasonNamed("end-key-reason"))
}

func originsForm(values url.Values) *web.Form {
	return web.NewForm(values, web.Field{Name: "origins", Label: "office.origins.new", Help: "office.origins.new.help", Kind: web.TextField, Max: 2000}, reasonNamed("origins-reason"))
}

// showTenant is a tenant's page with the forms for what the person may do.
func (p *Platform) showTenant(w http.ResponseWriter, r *http.Request, status int, f tenantForms) error {
	t, err := p.tenantShown(r.Context(), r.PathValue("id"), forOffice)
	if err != nil {
		return err
	}
	today := jitsuin.DateOf(p.Clock.Now())
	used, err := p.usage(r.Context(), t.ID, jitsuin.Date{Year: today.Year, Month: today.Month, Day: 1}, today, false)
	if err != nil {
		return err
	}
	hook := pushView{}
	if err := p.DB.View(r.Context(), func(tx *store.Tx) (err error) { hook, err = pushOf(tx, t.ID); return err }); err != nil {
		return err
	}
	if f.State == nil {
		f.State = stateForm(nil)
	}
	if f.Key == nil {
		f.Key = keyForm(nil)
	}
	if f.EndKey == nil {
		f.EndKey = endKeyForm(nil, t.Keys)
	}
	if f.Origins == nil {
		f.Origins = originsForm(nil)
		f.Origins.Set("origins", strings.Join(t.Origins, " "))
	}
	if f.Terms == nil {
		f.Terms = termsFormOf(t)
	}
	may := map[string]bool{"Suspend": t.State == api.TenantActive && mayHere(r, office.SuspendTenant), "Lift": t.State == api.TenantSuspended && mayHere(r, office.LiftTenant),
		"End": t.State != api.TenantEnded && mayHere(r, office.EndTenant), "Key": t.State != api.TenantEnded && mayHere(r, office.AddKey),
		"EndKey": t.State != api.TenantEnded && mayHere(r, office.EndKey), "Origins": t.State != api.TenantEnded && mayHere(r, office.ChangeOrigins),
		"Terms": t.State != api.TenantEnded && mayHere(r, office.ChangeTerms)}
	return p.showOffice(w, r, status, "office-tenant", map[string]any{"T": t, "Used": used, "Push": hook, "F": f, "May": may, "Said": r.URL.Query().Get("said")})
}

// pushView is how a tenant's webhook fares; no URL for none.
type pushView struct {
	URL, Problem string
	Tries        int
	Stopped      bool
	Waiting      int64
}

func pushOf(tx *store.Tx, tenant string) (v pushView, err error) {
	var stopped int
	found, err := store.Collect(func(s store.Scanner) (v pushView, err error) {
		err = s.Scan(&v.URL, &v.Problem, &v.Tries, &stopped, &v.Waiting)
		v.Stopped = stopped == 1
		return v, err
	})(tx.Query(`SELECT w.url, w.problem, w.tries, w.stopped, (SELECT COUNT(*) FROM tenant_events e WHERE e.tenant = w.tenant AND e.n > w.sent_n)
		FROM webhooks w WHERE w.tenant = $1`, tenant))
	if err == nil && len(found) == 1 {
		v = found[0]
	}
	return v, err
}

func toTenant(w http.ResponseWriter, r *http.Request, said string) error {
	seeOther(w, r, "/office/tenants/"+url.PathEscape(r.PathValue("id"))+"?said="+said)
	return nil
}

func toProposal(w http.ResponseWriter, r *http.Request, one office.Proposal, err error) error {
	if err == nil {
		seeOther(w, r, "/office/approvals/"+string(one.ID)+"?said=proposed")
	}
	return err
}

func (p *Platform) postSuspend(w http.ResponseWriter, r *http.Request) error {
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f := stateForm(r.PostForm)
	if !f.Check() {
		return p.showTenant(w, r, http.StatusUnprocessableEntity, tenantForms{State: f})
	}
	if err := p.suspendBy(ctx, r.PathValue("id"), f.Get("state-reason")); err != nil {
		return err
	}
	return toTenant(w, r, "suspended")
}

// postTenantProposal proposes an act that needs nothing but its reason.
func (p *Platform) postTenantProposal(a office.Act) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, err := actContext(r)
		if err != nil {
			return err
		}
		f := stateForm(r.PostForm)
		if !f.Check() {
			return p.showTenant(w, r, http.StatusUnprocessableEntity, tenantForms{State: f})
		}
		one, err := p.proposeTenant(ctx, a, r.PathValue("id"), struct{}{}, f.Get("state-reason"))
		return toProposal(w, r, one, err)
	}
}

// postOfficeKey proposes a key that the tenant has sent.
func (p *Platform) postOfficeKey(w http.ResponseWriter, r *http.Request) error {
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f := keyForm(r.PostForm)
	var k newKey
	if f.Check() {
		readKeyInto(f, &k)
	}
	if !f.OK() {
		return p.showTenant(w, r, http.StatusUnprocessableEntity, tenantForms{Key: f})
	}
	one, err := p.proposeTenant(ctx, office.AddKey, r.PathValue("id"), k, f.Get("key-reason"))
	return toProposal(w, r, one, err)
}

// asPEM puts the lines back that a field of one line has taken out of a PEM text.
func asPEM(text string) string {
	const begin, end = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
	inner, found := strings.CutPrefix(strings.TrimSpace(text), begin)
	inner, whole := strings.CutSuffix(inner, end)
	if !found || !whole {
		return text
	}
	return begin + "\n" + strings.Join(strings.Fields(inner), "") + "\n" + end + "\n"
}

func (p *Platform) postOfficeKeyEnd(w http.ResponseWriter, r *http.Request) error {
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	t, err := p.tenantShown(ctx, r.PathValue("id"), forOffice)
	if err != nil {
		return err
	}
	f := endKeyForm(r.PostForm, t.Keys)
	if !f.Check() {
		return p.showTenant(w, r, http.StatusUnprocessableEntity, tenantForms{EndKey: f})
	}
	if err := p.endKeyBy(ctx, t.ID, f.Get("kid"), f.Get("end-key-reason")); err != nil {
		return err
	}
	return toTenant(w, r, "key-ended")
}

func (p *Platform) postOrigins(w http.ResponseWriter, r *http.Request) error {
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f := originsForm(r.PostForm)
	body := newOrigins{Origins: strings.Fields(f.Get("origins"))}
	checkOrigins(f, body.Origins)
	if !f.Check() {
		return p.showTenant(w, r, http.StatusUnprocessableEntity, tenantForms{Origins: f})
	}
	one, err := p.proposeTenant(ctx, office.ChangeOrigins, r.PathValue("id"), body, f.Get("origins-reason"))
	return toProposal(w, r, one, err)
}
