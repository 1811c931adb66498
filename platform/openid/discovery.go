package openid

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// discovery is what the issuer says of itself (OpenID Connect Discovery §3, RFC 8414).
func (p *Provider) discovery(i issuer) map[string]any {
	auth := []string{AuthKey, AuthBasic, AuthPost, AuthPublic}
	d := map[string]any{
		"issuer": p.url(i, ""), "authorization_endpoint": p.url(i, i.authorize), "token_endpoint": p.url(i, i.token), "userinfo_endpoint": p.url(i, i.userinfo),
		"jwks_uri": p.url(i, i.certs), "pushed_authorization_request_endpoint": p.url(i, i.pushed), "end_session_endpoint": p.url(i, i.endSession),
		"scopes_supported":         []string{scopeOpenID, "profile", "name", "address", "birthdate", "gender"},
		"response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"}, "grant_types_supported": []string{"authorization_code"},
		"acr_values_supported": acrs, "subject_types_supported": []string{"pairwise"}, "id_token_signing_alg_values_supported": []string{"ES256"},
		"token_endpoint_auth_methods_supported": auth, "token_endpoint_auth_signing_alg_values_supported": names(assertionAlgs),
		"claim_types_supported": []string{"normal"}, "claims_parameter_supported": true,
		"claims_supported": []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "name", "address", "birthdate", "gender",
			"age_over_18", "age_over_20", "age_over_65"},
		"request_parameter_supported": false, "request_uri_parameter_supported": false, "require_pushed_authorization_requests": false,
		"code_challenge_methods_supported": []string{"S256"}, "dpop_signing_alg_values_supported": names(assertionAlgs),
		"authorization_response_iss_parameter_supported": true, "backchannel_logout_supported": true, "backchannel_logout_session_supported": true,
		"prompt_values_supported": []string{"none", "login", "consent", "select_account"}, "ui_locales_supported": []string{"ja", "en"},
		"service_documentation": p.Origin + "/docs",
	}
	if i.state {
		d["scopes_supported"] = append(d["scopes_supported"].([]string), scopeSign)
		d["grant_types_supported"] = []string{grantCode, grantClient}
	}
	if p.Registration {
		d["registration_endpoint"] = p.url(i, i.register)
	}
	return d
}

func (p *Provider) serveDiscovery(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, _ *http.Request) error {
		writeKept(w, p.discovery(i))
		return nil
	}
}

// writeKept writes what others may keep for a while.
func writeKept(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(keysMaxAge))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	json.NewEncoder(w).Encode(v)
}

// Route is one of the provider's; Why says why it is open, as every route's policy does.
type Route struct {
	Pattern, Why string
	Handler      http.Handler
	// FromOutside says that pages of others send browsers and forms here.
	FromOutside bool
}

// Paths are what the provider's routes begin with.
func Paths() (all []string) {
	for _, i := range issuers {
		all = append(all, i.path+"/")
	}
	return append(all, signPath)
}

// Routes gives all that the provider answers.
func (p *Provider) Routes() (all []Route) {
	for _, i := range issuers {
		all = append(all, p.routesOf(i)...)
	}
	const token = "the access token is the proof"
	return append(all, Route{"POST " + signPath, token, p.answered(maxSignBody, p.startSigning), true},
		Route{"GET " + signPath + "/{id}/result", token, p.answered(maxBody, p.signResult(stateIssuer())), false},
		Route{"GET " + signPath + "/{id}/document/{key}", "the key in the address, which only a signed request names, is the proof", p.answered(maxBody, p.signDocument), false})
}

func (p *Provider) routesOf(i issuer) (all []Route) {
	const published, proof, pages = "what the provider is, is published", "the client proves itself in the request", "whoever has a card may log in"
	json := func(why string, h func(http.ResponseWriter, *http.Request) error, patterns ...string) {
		for _, pattern := range patterns {
			all = append(all, Route{pattern, why, p.answered(maxBody, h), !strings.HasPrefix(pattern, "GET")})
		}
	}
	page := func(outside bool, h func(http.ResponseWriter, *http.Request) error, patterns ...string) {
		for _, pattern := range patterns {
			all = append(all, Route{pattern, pages, p.Host.Wrap(h), outside})
		}
	}
	json(published, p.serveDiscovery(i), "GET "+i.path+"/.well-known/openid-configuration")
	json(published, p.serveKeys, "GET "+i.path+i.certs)
	page(true, p.authorize(i), "GET "+i.path+i.authorize, "POST "+i.path+i.authorize)
	page(false, p.showConsent(i), "GET "+i.path+"/consent")
	page(false, p.takeConsent(i), "POST "+i.path+"/consent")
	page(false, p.showRefused(i), "GET "+i.path+"/refused")
	page(false, p.tryAgain(i), "POST "+i.path+"/again")
	if p.offersChoice() {
		page(false, p.showChoice(i), "GET "+i.path+"/choose")
		page(false, p.byHolder(i), "POST "+i.path+"/choose")
	}
	if p.Presents {
		page(true, p.byTLS(i), "GET "+i.path+"/choose/tls")
	}
	json(proof, p.pushedRequest(i), "POST "+i.path+i.pushed)
	json(proof, p.token(i), "POST "+i.path+i.token, "OPTIONS "+i.path+i.token)
	json("the access token is the proof", p.userinfo(i), "GET "+i.path+i.userinfo, "POST "+i.path+i.userinfo, "OPTIONS "+i.path+i.userinfo)
	page(true, p.endSession(i), "GET "+i.path+i.endSession, "POST "+i.path+i.endSession)
	page(false, p.confirmLogout(i), "POST "+i.path+"/logout-confirmed")
	json("the registration token of the client is the proof", p.managed, "GET "+i.path+i.register+"/{client}", "PUT "+i.path+i.register+"/{client}", "DELETE "+i.path+i.register+"/{client}")
	if p.Registration {
		json("in a sandbox all people are invented", p.registerClient, "POST "+i.path+i.register)
		if !i.state {
			page(false, p.clientForm, "GET "+i.path+"/clients")
			page(false, p.clientMade, "POST "+i.path+"/clients")
		}
	}
	return all
}
