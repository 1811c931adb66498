package platform

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/platform/openid"
	"github.com/jitsuin/jitsuin/platform/tlslogin"
	"github.com/jitsuin/jitsuin/signature"
)

// The OpenID provider as a part of the platform: package openid has the protocol, here is who may log whom in, and what of a card's answer
// becomes a user.

const (
	errandOpenID  = "openid"
	openidPurpose = "ログイン"
)

// openOpenID readies the provider.
func (p *Platform) openOpenID(ctx context.Context) error {
	p.openid = &openid.Provider{DB: p.DB, Host: openidHost{p}, Origin: p.origin(), Log: p.Log, Key: p.Self.Key, Registration: p.cfg.Sandbox.Open && !p.cfg.Standalone, Secure: p.secure(), Presents: p.tlsLogin(), Chooses: p.cfg.OtherDevices, Now: time.Now}
	if err := p.openid.Open(ctx); err != nil {
		return err
	}
	p.errands.Handle(errandOpenID, errand.Handler{Look: p.lookOpenID, Decide: p.decideOpenID, Present: p.presentOpenID, Elsewhere: true, Land: p.openidLands, Arrive: p.openidArrives})
	p.errands.Handle(errandSign, errand.Handler{Decide: p.decideSign, Ended: p.signEnded, Land: p.openidLands, Arrive: p.openidArrives})
	p.Go("logout tokens", p.openid.SendLogouts)
	p.Every(10*time.Minute, "logins that are over", p.openid.Clean)
	return nil
}

// OpenID gives the provider, to who turns its keys.
func (p *Platform) OpenID() *openid.Provider { return p.openid }

// decideOpenID judges what a holder answers to a login at a client of a tenant's.
func (p *Platform) decideOpenID(ctx context.Context, v errand.Visit, a api.HolderAnswer) (outcome, result string, err error) {
	l, _ := v.Looked.(*openid.Login)
	switch {
	case l == nil:
		return string(openid.TooLate), "", nil
	case l.Done:
		return string(openid.Welcome), "", nil
	}
	known, leave, err := p.turn(ctx, l.Tenant)
	if err != nil {
		return "", "", err
	}
	defer leave()
	anchors, err := p.trusted()
	if err != nil {
		return "", "", err
	}
	leaf, err := cert.Parse(a.Certificate)
	if err != nil || v.Challenge == nil {
		return string(openid.Refused), unattended(a), nil
	}
	validity := p.validityFor(known, l)
	if err := a.CheckItems(l.Items); err != nil {
		return "", "", err
	}
	if err := p.openid.Take(l, a.Items); err != nil {
		return "", "", err
	}
	accept := func(tx *store.Tx, user string) error {
		if err := l.Accept(tx, user); err != nil {
			return err
		}
		return v.Note(tx, string(openid.Welcome), "")
	}
	return p.concludeOpenID(withTerms(ctx, terms{accept: accept}), l, v, validity, leaf, a, anchors)
}

// lookOpenID gives the login that an answer or a certificate shown is for, nil where its time is over. An error where it may not be judged now.
func (p *Platform) lookOpenID(tx *store.Tx, v errand.Visit) (any, error) {
	l, err := p.openid.Pending(tx, jitsuin.ID(v.About), v.Txn)
	switch {
	case jitsuin.CodeOf(err) == "login-unknown":
		return (*openid.Login)(nil), nil
	case err != nil || l.Done:
		return l, err
	}
	return l, mayVerifyOn(tx, jitsuin.DateOf(p.Clock.Now()))
}

// validityFor is how status is asked for a login: as the tenant has it, or as the client asked.
func (p *Platform) validityFor(known tenant, l *openid.Login) string {
	if l.CRL {
		return ValidityCRL
	}
	return p.validityOf(known)
}

func (p *Platform) concludeOpenID(ctx context.Context, l *openid.Login, v errand.Visit, validity string, leaf *x509.Certificate, a api.HolderAnswer, anchors []*x509.Certificate) (outcome, result string, err error) {
	ctx = httpapi.WithCaller(ctx, httpapi.Caller{ID: l.Tenant, Role: roleTenant})
	done, err := p.judgeLogin(ctx, l.Tenant, validity, *v.Challenge, leaf, api.LoginRequest{Certificate: a.Certificate, Signature: a.Signature, DigestAlg: a.DigestAlg}, anchors)
	switch code := jitsuin.CodeOf(err); {
	case err != nil && (code == "challenge-expired" || code == "challenge-early"):
		return string(openid.TooLate), "", nil
	case err != nil:
		return "", "", err
	case done.Report.Verdict != signature.Passed:
		return string(openidRefusals[ownRefusal(leaf, &done.Report)]), unattended(a), nil
	case done.User == nil:
		return string(openid.Refused), unattended(a), nil
	}
	return string(openid.Welcome), "", nil
}

// openidRefusals are the outcomes of what ownRefusal says.
var openidRefusals = map[string]openid.Outcome{tlslogin.Revoked: openid.Revoked, tlslogin.Expired: openid.Expired, tlslogin.Unsure: openid.Unsure, ownNotAccepted: openid.Refused}

// unattendedResult is the result of an errand that came to nothing while nobody sat at the browser.
const unattendedResult = "unattended"

func unattended(a api.HolderAnswer) string {
	if a.Unattended {
		return unattendedResult
	}
	return ""
}

// openidLands notes what a browser's way back changes.
func (p *Platform) openidLands(r *http.Request, tx *store.Tx, v errand.Visit) (any, error) {
	if v.Act == errand.ActPresent && v.Outcome != string(openid.Welcome) {
		return nil, nil // it chooses again
	}
	o := openid.Outcome(v.Outcome)
	switch v.Outcome {
	case errand.Cancelled:
		o = openid.Declined
	case errand.Late, errand.SecretLate:
		o = openid.TooLate
	case errand.SecretWrong:
		o = openid.Unproven
	case errand.HolderFailed:
		o = openid.Failed
	}
	return p.openid.Land(r, tx, jitsuin.ID(v.About), v.Txn, o)
}

// openidArrives leads a browser from its holder on to the client.
func (p *Platform) openidArrives(w http.ResponseWriter, r *http.Request, v errand.Visit) error {
	landed, ok := v.Landed.(openid.Landed)
	if !ok {
		return p.openid.ChooseAgain(w, r, jitsuin.ID(v.About), v.Outcome)
	}
	return p.openid.Arrive(w, r, landed, v.Result != unattendedResult)
}

// openidHost is the platform as the provider sees it.
type openidHost struct{ p *Platform }

// Begin implements openid.Host.
func (h openidHost) Begin(w http.ResponseWriter, r *http.Request, a openid.Ask) error {
	who, err := h.p.askerOf(r.Context(), a)
	if err != nil {
		return err
	}
	begin := h.p.errands.Begin
	if a.Elsewhere {
		begin = h.p.errands.BeginElsewhere
	}
	return begin(w, r, errand.Request{Name: errandOpenID, About: string(a.Request), Act: api.ActLogin, Client: &who,
		Purpose: openidPurpose, PurposeEN: "To log in", Items: a.Items, With: a.With})
}

// askerOf gives who asks as the person is told: the client of the tenant's, with the tenant.
func (p *Platform) askerOf(ctx context.Context, a openid.Ask) (api.RequestClient, error) {
	who, err := p.firmOf(ctx, a.Tenant)
	if err != nil {
		return who, err
	}
	if ja, en := a.Client.Names(); ja != "" && ja != who.NameJA && api.Printing(ja) && api.Printing(en) {
		who.NameJA, who.NameEN = ja+"（"+who.NameJA+"）", en+" ("+who.NameEN+")"
	}
	return who, nil
}

// Present implements openid.Host.
func (h openidHost) Present(w http.ResponseWriter, r *http.Request, request jitsuin.ID) error {
	return h.p.beginPresent(w, r, errand.Request{Name: errandOpenID, About: string(request)})
}

// Words implements openid.Host.
func (h openidHost) Words(outcome string, signing bool) string {
	if signing {
		return outcomeWords(outcome, "openid.sign.", []string{string(openid.Revoked), string(openid.Expired), string(openid.Refused)})
	}
	for own, o := range openidRefusals {
		if outcome == string(o) {
			return outcomeWords(own, "me.login.", meOutcomes)
		}
	}
	return outcomeWords(outcome, "openid.choose.", []string{errand.Late})
}

// Spend implements openid.Host.
func (h openidHost) Spend(tenant string, proven bool) error {
	m := h.p.members.get(tenant)
	if m == nil {
		return errUnknownTenant()
	}
	return h.p.spend(m, proven)
}

// Standing implements openid.Host.
func (h openidHost) Standing(tx *store.Tx, tenant string) error {
	today := jitsuin.DateOf(h.p.Clock.Now())
	if err := mayVerifyOn(tx, today); err != nil {
		return err
	}
	_, err := h.p.mayCheck(tenant, today)
	return err
}

// Good implements openid.Host.
func (h openidHost) Good(ctx context.Context, tenant, user string) (bool, error) {
	var all []restsOn
	err := h.p.DB.View(ctx, func(tx *store.Tx) (err error) { all, err = newest(tx, tenant, user); return err })
	if err != nil {
		return false, err
	}
	for _, r := range all {
		if r.kind != jitsuin.AuthCert {
			continue
		}
		st, err := h.p.ask(ctx, r.held, h.p.cfg.Validity)
		if err != nil {
			return false, jitsuin.Errorf(jitsuin.Unavailable, "status-unknown", "it cannot be told now whether the certificate is in force")
		}
		return st.state == api.StatusGood, nil
	}
	return false, nil
}

// MayUse implements openid.Host.
func (h openidHost) MayUse(ctx context.Context, tenant, origin string) error {
	return h.p.mayAskFrom(ctx, tenant, origin)
}

// Firm implements openid.Host.
func (h openidHost) Firm(ctx context.Context, tenant string) (ja, en string, err error) {
	c, err := h.p.firmOf(ctx, tenant)
	return c.NameJA, c.NameEN, err
}

// firmOf gives a tenant as who asks at our origin, from memory where it is known there.
func (p *Platform) firmOf(ctx context.Context, id string) (api.RequestClient, error) {
	m := p.members.get(id)
	if m == nil {
		return p.requestClient(ctx, id, p.origin())
	}
	f := firm(m.tenant.name, m.tenant.nameEN)
	return api.RequestClient{ID: id, NameJA: f.JA, NameEN: f.EN, Origin: p.origin()}, nil
}

// NewTenant implements openid.Host: a tenant of the sandbox whose first key nobody has. Its registration token manages its client; whoever
// wants the API too makes a tenant with a key of their own.
func (h openidHost) NewTenant(ctx context.Context, m openid.Metadata) (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", err
	}
	ja, en := m.Names()
	if ja == "" {
		ja, en = "試験中のクライアント", "A client under test"
	}
	ctx = httpapi.WithIdempotencyKey(ctx, string(jitsuin.NewID()))
	made, err := h.p.makeSandboxTenant(ctx, api.SandboxRequest{Name: ja, NameEN: en, Origins: m.Origins(), KeyRequest: api.KeyRequest{PublicKey: der}})
	return made.Tenant.ID, err
}

// Record implements openid.Host. Who acts is who calls the API, else the client's tenant, else the platform.
func (h openidHost) Record(ctx context.Context, tx *store.Tx, tenant, act, subject string, detail map[string]string) error {
	l := audit.Line{Act: act, Subject: subject, Tenant: tenant, Detail: detail}
	if audit.Who(ctx) == "" {
		if l.Who = tenant; tenant == "" {
			l.Who = h.p.Self.ID
		}
	}
	return audit.Record(ctx, tx, h.p.Clock.Now(), l)
}

// Page implements openid.Host.
func (h openidHost) Page(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	h.p.site.Page(w, r, status, name, data)
}

// Wrap implements openid.Host.
func (h openidHost) Wrap(f func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return h.p.site.Wrap(f)
}

// Post implements openid.Host.
func (h openidHost) Post(ctx context.Context, address, mediaType, body string) error {
	_, err := h.p.webhooks.Post(ctx, address, mediaType, body)
	return err
}
