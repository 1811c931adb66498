package platform

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/office"
)

// Two people register a tenant as a deemed verifier (みなし署名検証者), and two change the terms on which it is served: its contract,
// whom the office writes to, how its checks ask for status, and its quota.

func (p *Platform) officeTermsRoutes() {
	p.officePage("GET /office/tenants/new", office.RegisterTenant, func(w http.ResponseWriter, r *http.Request) error {
		return p.showNewTenant(w, r, http.StatusOK, newTenantForm(nil))
	})
	p.officePage("POST /office/tenants/new", office.RegisterTenant, p.postNewTenant)
	p.officePage("POST /office/tenants/{id}/terms", office.ChangeTerms, p.postTerms)
	p.sensitive(office.RegisterTenant, office.Effect{Mark: p.markNewTenant, Show: showNewTenantFacts, Do: p.enrolProposed})
	p.sensitive(office.ChangeTerms, p.tenantEffect(
		func(_ *store.Tx, t *tenant, one office.Proposal) error { return t.withTerms(one) },
		func(t tenant, one office.Proposal) ([]office.Fact, error) {
			after := t
			err := after.withTerms(one)
			return append(t.terms(factTermsNow), after.terms(factTerms)...), err
		},
		func(_ *store.Tx, t *tenant, one office.Proposal, _ times) error { return t.withTerms(one) }))
}

var (
	factTerms    = web.Pair{JA: "変更後の条件", EN: "Terms afterwards"}
	factTermsNow = web.Pair{JA: "今の条件", EN: "Terms now"}
	factID       = web.Pair{JA: "登録名", EN: "Id"}
	factContract = web.Pair{JA: "委託契約", EN: "Contract"}
)

// terms says in one line each on which terms the tenant is served.
func (t tenant) terms(label web.Pair) []office.Fact {
	quota := "–"
	if t.quota != (api.Quota{}) {
		quota = strconv.Itoa(t.quota.PerSecond) + "/s, " + strconv.Itoa(t.quota.Burst)
	}
	all := []string{contractText(t.contract), strings.Join(strings.Fields(t.contact.Name+" "+t.contact.Email+" "+t.contact.Phone), " "), t.validity, quota}
	return []office.Fact{{Label: label, Value: strings.Join(all, " | ")}}
}

// contractText says a contract in one line.
func contractText(c api.Contract) string {
	if c.Number == "" {
		return "–"
	}
	until := ""
	if !c.Until.IsZero() {
		until = c.Until.String()
	}
	text := c.Number + " (" + c.Since.String() + " – " + until + ")"
	if c.PINless {
		text += " + かざし利用 (PIN-less use)"
	}
	return text
}

// termFields are the fields of the terms; they are the same where a tenant is new.
func termFields() []web.Field {
	return []web.Field{
		{Name: "contract", Label: "office.terms.contract", Help: "office.terms.contract.help", Kind: web.TextField, Need: true, Max: 100, Width: "medium"},
		{Name: "since", Label: "office.terms.since", Kind: web.DateField, Need: true, Width: "medium"},
		{Name: "until", Label: "office.terms.until", Help: "office.terms.until.help", Kind: web.DateField, Width: "medium"},
		{Name: "entrusts", Label: "office.terms.entrusts", Kind: web.CheckField, Need: true},
		{Name: "pinless", Label: "office.terms.pinless", Kind: web.CheckField},
		{Name: "contact", Label: "office.terms.contact", Kind: web.TextField, Max: 100},
		{Name: "email", Label: "office.terms.email", Kind: web.TextField, Max: 200},
		{Name: "phone", Label: "office.terms.phone", Kind: web.TextField, Max: 40, Width: "medium"},
		{Name: "validity", Label: "office.terms.validity", Kind: web.ChoiceField, Width: "medium", Options: []web.Option{
			{Value: "ocsp", Label: "office.tenant.validity.ocsp"}, {Value: "crl", Label: "office.tenant.validity.crl"}}},
		{Name: "per-second", Label: "office.terms.per-second", Help: "office.terms.per-second.help", Kind: web.TextField, Numeric: true, Max: 7, Width: "narrow"},
		{Name: "burst", Label: "office.terms.burst", Kind: web.TextField, Numeric: true, Max: 7, Width: "narrow"},
	}
}

func termsForm(values url.Values) *web.Form {
	return web.NewForm(values, append(termFields(), reasonNamed("terms-reason"))...)
}

// termsFormOf has the terms as they are.
func termsFormOf(t api.Tenant) *web.Form {
	f := termsForm(nil)
	if c := t.Contract; c != nil {
		f.Set("contract", c.Number)
		f.Set("since", c.Since.String())
		f.Set("entrusts", "on")
		if c.PINless {
			f.Set("pinless", "on")
		}
		if !c.Until.IsZero() {
			f.Set("until", c.Until.String())
		}
	}
	if c := t.Contact; c != nil {
		f.Set("contact", c.Name)
		f.Set("email", c.Email)
		f.Set("phone", c.Phone)
	}
	f.Set("validity", t.Validity)
	if t.OwnQuota {
		f.Set("per-second", strconv.Itoa(t.Quota.PerSecond))
		f.Set("burst", strconv.Itoa(t.Quota.Burst))
	}
	return f
}

func newTenantForm(values url.Values) *web.Form {
	fields := []web.Field{
		{Name: "id", Label: "office.new.id", Help: "office.new.id.help", Kind: web.TextField, Need: true, Max: 64, Width: "medium"},
		{Name: "name", Label: "office.new.name", Kind: web.TextField, Need: true, Max: 100},
		{Name: "name-en", Label: "office.new.name-en", Kind: web.TextField, Max: 200},
		{Name: "origins", Label: "office.new.origins", Help: "office.origins.new.help", Kind: web.TextField, Max: 2000},
		{Name: "key", Label: "office.key.new", Help: "office.key.new.help", Kind: web.TextField, Need: true, Max: 2000},
	}
	return web.NewForm(values, append(append(fields, termFields()...), reasonField)...)
}

// newTerms are the body of a proposal of other terms.
type newTerms struct {
	Contract api.Contract `json:"contract"`
	Contact  api.Contact  `json:"contact"`
	Validity string       `json:"validity"`
	Quota    api.Quota    `json:"quota"` // zero: the platform's
}

// newTenant is the body of a proposal of a tenant.
type newTenant struct {
	newTerms
	Name    string   `json:"name"`
	NameEN  string   `json:"name_en"`
	Origins []string `json:"origins"`
	Key     newKey   `json:"key"`
}

// readTerms reads the fields of the terms, and notes at each what is wrong with it.
func readTerms(f *web.Form) newTerms {
	t := newTerms{Contract: api.Contract{Number: f.Get("contract"), Since: f.Date("since"), Until: f.Date("until"), PINless: f.Checked("pinless")},
		Contact: api.Contact{Name: f.Get("contact"), Email: f.Get("email"), Phone: f.Get("phone")}, Validity: f.Get("validity")}
	if f.Checked("entrusts") {
		t.Contract.Entrusts = []string{api.EntrustReceiving, api.EntrustValidity}
	}
	if !t.Contract.Until.IsZero() && t.Contract.Until.Before(t.Contract.Since) {
		f.Wrong("until", "office.terms.until.wrong")
	}
	perSecond, burst := f.Get("per-second"), f.Get("burst")
	if perSecond == "" && burst == "" {
		return t
	}
	for name, at := range map[string]*int{"per-second": &t.Quota.PerSecond, "burst": &t.Quota.Burst} {
		n, err := strconv.Atoi(f.Get(name))
		if err != nil || n < 1 || n > noLimit {
			f.Wrong(name, "office.terms.quota.wrong")
		}
		*at = n
	}
	return t
}

// withTerms gives the tenant the terms of a proposal.
func (t *tenant) withTerms(one office.Proposal) error {
	var body newTerms
	if err := one.Decode(&body); err != nil {
		return err
	}
	if t.state == api.TenantEnded {
		return jitsuin.Errorf(jitsuin.Conflict, "tenant-ended", "%s has ended; nothing of it is changed any more", t.id)
	}
	t.contract, t.contact, t.validity, t.quota = body.Contract, body.Contact, body.Validity, body.Quota
	return t.check()
}

// tenant makes a tenant of the proposal.
func (n newTenant) tenant(id string, today jitsuin.Date) tenant {
	return tenant{id: id, name: n.Name, nameEN: n.NameEN, origins: n.Origins, firstKey: n.Key.DER, deemedSince: today, state: api.TenantActive,
		contact: n.Contact, contract: n.Contract, validity: n.Validity, quota: n.Quota}
}

// mayRegister refuses an id that is taken; an ended tenant's stays its own.
func mayRegister(tx *store.Tx, id string) error {
	switch _, err := getTenant(tx, id); {
	case jitsuin.KindOf(err) == jitsuin.NotFound:
		return nil
	case err != nil:
		return err
	}
	return jitsuin.Errorf(jitsuin.Conflict, "tenant-exists", "%s is registered already", id).At("id")
}

// markNewTenant stands for "there is no such tenant": there is nothing else that could change meanwhile.
func (p *Platform) markNewTenant(tx *store.Tx, one office.Proposal) (string, error) {
	return "", mayRegister(tx, one.Subject)
}

func showNewTenantFacts(_ *store.Tx, one office.Proposal) ([]office.Fact, error) {
	var n newTenant
	err := one.Decode(&n)
	t := n.tenant(one.Subject, jitsuin.Date{})
	facts := []office.Fact{{Label: factTenant, Value: strings.TrimSpace(t.name + " " + t.nameEN)}, {Label: factID, Value: t.id}, {Label: factContract, Value: contractText(t.contract)},
		{Label: factOrigins, Value: strings.Join(t.origins, " ")}, {Label: factKey, Value: n.Key.KID}}
	return append(facts, t.terms(factTerms)...), err
}

// enrolProposed registers the tenant of a proposal; the line of the decision is its line.
func (p *Platform) enrolProposed(_ context.Context, tx *store.Tx, one office.Proposal, wall time.Time) error {
	var n newTenant
	if err := one.Decode(&n); err != nil {
		return err
	}
	now := times{p.Clock.Now(), wall.UTC().Truncate(time.Microsecond)}
	t := n.tenant(one.Subject, jitsuin.DateOf(now.civil))
	if err := t.check(); err != nil {
		return err
	}
	return t.putNew(tx, n.Key.KID, now)
}

func (p *Platform) showNewTenant(w http.ResponseWriter, r *http.Request, status int, f *web.Form) error {
	return p.showOffice(w, r, status, "office-tenant-new", map[string]any{"Form": f})
}

func (p *Platform) postNewTenant(w http.ResponseWriter, r *http.Request) error {
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f := newTenantForm(r.PostForm)
	id, n := f.Get("id"), newTenant{newTerms: readTerms(f), Name: f.Get("name"), NameEN: f.Get("name-en"), Origins: strings.Fields(f.Get("origins"))}
	if !tenantForm.MatchString(id) {
		f.Wrong("id", "office.new.id.wrong")
	}
	checkOrigins(f, n.Origins)
	if f.Check() {
		readKeyInto(f, &n.Key)
	}
	if f.OK() {
		err := p.DB.View(ctx, func(tx *store.Tx) error { return mayRegister(tx, id) })
		if jitsuin.KindOf(err) == jitsuin.Conflict && err != nil {
			f.Wrong("id", "office.new.id.taken")
		} else if err != nil {
			return err
		} else if err := n.tenant(id, jitsuin.DateOf(p.Clock.Now())).check(); err != nil {
			f.WrongText("name", err.Error())
		}
	}
	if !f.OK() {
		return p.showNewTenant(w, r, http.StatusUnprocessableEntity, f)
	}
	one, err := p.propose(ctx, office.RegisterTenant, id, id, n, f.Get("reason"))
	return toProposal(w, r, one, err)
}

// checkOrigins notes an origin that is none.
func checkOrigins(f *web.Form, all []string) {
	for _, o := range all {
		if checkOrigin(o) != nil {
			f.Wrong("origins", "office.origins.wrong")
		}
	}
}

// readKeyInto reads the key of a form: a JWK, or PEM on one line or several.
func readKeyInto(f *web.Form, k *newKey) {
	asked := api.KeyRequest{PEM: asPEM(f.Get("key"))}
	if strings.HasPrefix(f.Get("key"), "{") {
		asked = api.KeyRequest{JWK: []byte(f.Get("key"))}
	}
	var err error
	if k.KID, k.DER, err = readKey(asked); err != nil {
		f.Wrong("key", "office.key.wrong")
	}
}

func (p *Platform) postTerms(w http.ResponseWriter, r *http.Request) error {
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f := termsForm(r.PostForm)
	body := readTerms(f)
	if !f.Check() {
		return p.showTenant(w, r, http.StatusUnprocessableEntity, tenantForms{Terms: f})
	}
	one, err := p.proposeTenant(ctx, office.ChangeTerms, r.PathValue("id"), body, f.Get("terms-reason"))
	return toProposal(w, r, one, err)
}
