package platform

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature/report"
)

func (p *Platform) routes() {
	p.peopleRoutes()
	tenants := httpapi.Roles(roleTenant)
	p.tenantsRoutes()
	httpapi.Register(p.API, httpapi.Operation{ID: "verify", Method: http.MethodPost, Path: "/v1/verifications", Status: http.StatusCreated,
		MaxBody: maxVerificationBody, Turn: p.callersTurn, Summary: "Check a signed document",
		Description: "CMS and CAdES, PDF, XML, time-stamps and JWS are read; the answer is one and the same. A bad signature is a report with a verdict, not an error. Needs the header Idempotency-Key; repeating a request gives the same answer.",
		Policy:      tenants}, p.postVerification)
	httpapi.Register(p.API, httpapi.Operation{ID: "verification", Method: http.MethodGet, Path: "/v1/verifications/{id}",
		Summary: "A check of yours again", Description: "Without the four items: those are answered once, and read from the record later (GET /v1/records/{id}).", Policy: tenants}, p.getVerification)
	httpapi.Register(p.API, httpapi.Operation{ID: "verification-report", Method: http.MethodGet, Path: "/v1/verifications/{id}/report",
		Summary:     "The report on a check of yours, for people or programs",
		Description: "A page, a PDF with the data attached and signed by this verifier (its certificate is at /report.cer), text, or data (its schema is at /report.schema.json), in Japanese or English. Without a format the header Accept decides, without a language Accept-Language.",
		Policy:      tenants}, p.getReport)
	p.frontRoutes()
	p.API.Raw("GET /report.schema.json", httpapi.Public("the form of reports is published"), http.HandlerFunc(serveSchema))
	p.API.Raw("GET /report.cer", httpapi.Public("whoever relies on a signed report needs the certificate"), http.HandlerFunc(p.serveSealer))
	p.API.Raw("GET /report.crl", httpapi.Public("whoever relies on a signed report asks whether its certificate was revoked"), http.HandlerFunc(p.serveSealerList))
	httpapi.Register(p.API, httpapi.Operation{ID: "login-challenge", Method: http.MethodPost, Path: "/v1/login-challenges", Status: http.StatusCreated,
		Summary: "Draw a login challenge", Description: "It is short-lived and answered once. With pinless it is for a terminal that asks for no PIN (かざし利用), which is open to specified verifiers by their contract alone (error pinless-not-entitled); the answer then says pinless: the card was there, and who held it is not known. It is never a login with acr aal3 and never an identity verification.", Policy: tenants}, p.postChallenge)
	httpapi.Register(p.API, httpapi.Operation{ID: "login", Method: http.MethodPost, Path: "/v1/logins", Status: http.StatusCreated,
		Summary: "Check the answer to a login challenge", Description: "The answer carries no four items. A login, and items that the holder read from the card for it, never make an identity-verification record: that takes the signature certificate over the transaction (/v1/verifications).", Policy: tenants}, p.postLogin)
	httpapi.Register(p.API, httpapi.Operation{ID: "holder-request", Method: http.MethodPost, Path: "/v1/holder-requests", Status: http.StatusCreated,
		Summary:     "Make a signed request that leads a person's browser to their card",
		Description: "The answer goes from the holder to response_uri. Of a login, the challenge's id is the request's txn. A login may ask for items (name, address, birth_date, sex, age_over_N): the person reads them from the card with its own PIN and agrees for this one time; the holder checks the issuer's signature. They are the holder's word, good for filling in forms, and no identity verification. Needs the header Idempotency-Key.",
		Policy:      tenants}, p.postHolderRequest)
	p.accreditationRoutes()
	p.adapterRoutes()
	p.openidRoutes()
	p.API.Raw("GET /v1/holder-requests/{txn}", httpapi.Public("a signed request is fetched by whoever was led to it"), http.HandlerFunc(p.serveRequest))
	p.resultRoutes()
	p.recordRoutes()
}

type verificationIn struct {
	Key  string `header:"Idempotency-Key"`
	Body api.VerificationRequest
}

// verificationOut may hold the four items, so it stays in no cache.
type verificationOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         api.Verification
}

func (p *Platform) postVerification(ctx context.Context, in *verificationIn) (*verificationOut, error) {
	v, err := p.verify(ctx, httpapi.CallerOf(ctx).ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &verificationOut{"no-store", v}, nil
}

type idIn struct {
	ID string `path:"id" maxLength:"64"`
}

func (p *Platform) getVerification(ctx context.Context, in *idIn) (*verificationOut, error) {
	v, err := p.verification(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &verificationOut{"no-store", v}, nil
}

type reportIn struct {
	ID       string `path:"id" maxLength:"64"`
	Format   string `query:"format" enum:"html,pdf,text,json" doc:"left out, the header Accept decides"`
	Lang     string `query:"lang" enum:"ja,en" doc:"left out, the header Accept-Language decides"`
	Purpose  string `query:"purpose" enum:"business,disclosure,authority,audit,dispute" doc:"for which your record is read, so that the report names the person; left out, it names nobody"`
	Accept   string `header:"Accept"`
	Language string `header:"Accept-Language"`
}

// reportOut may hold the four items, so it stays in no cache.
type reportOut struct {
	CacheControl string `header:"Cache-Control"`
	ContentType  string `header:"Content-Type"`
	Sniff        string `header:"X-Content-Type-Options"`
	Disposition  string `header:"Content-Disposition"`
	Body         []byte
}

func (p *Platform) getReport(ctx context.Context, in *reportIn) (*reportOut, error) {
	return p.render(ctx, httpapi.CallerOf(ctx).ID, in)
}

func serveSchema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/schema+json")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Write(report.Schema())
}

type challengeIn struct{ Body api.ChallengeRequest }

type challengeOut struct{ Body api.Challenge }

func (p *Platform) postChallenge(ctx context.Context, in *challengeIn) (*challengeOut, error) {
	c, err := p.challenge(ctx, httpapi.CallerOf(ctx).ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &challengeOut{c}, nil
}

type holderRequestIn struct {
	Key  string `header:"Idempotency-Key"`
	Body api.HolderRequest
}

type holderRequestOut struct{ Body api.MadeRequest }

func (p *Platform) postHolderRequest(ctx context.Context, in *holderRequestIn) (*holderRequestOut, error) {
	m, err := p.holderRequest(ctx, httpapi.CallerOf(ctx).ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &holderRequestOut{m}, nil
}

type loginIn struct{ Body api.LoginRequest }

type loginOut struct{ Body api.Login }

func (p *Platform) postLogin(ctx context.Context, in *loginIn) (*loginOut, error) {
	l, err := p.login(ctx, httpapi.CallerOf(ctx).ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &loginOut{l}, nil
}
