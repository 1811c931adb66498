package openid

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Errors that a client is told have the code of their specification.
const (
	invalidRequest         = "invalid_request"
	invalidClient          = "invalid_client"
	invalidGrant           = "invalid_grant"
	unauthorizedClient     = "unauthorized_client"
	unsupportedGrant       = "unsupported_grant_type"
	unsupportedResponse    = "unsupported_response_type"
	invalidScope           = "invalid_scope"
	accessDenied           = "access_denied"
	loginRequired          = "login_required"
	consentRequired        = "consent_required"
	interactionRequired    = "interaction_required"
	requestNotSupported    = "request_not_supported"
	requestURINotSupported = "request_uri_not_supported"
	invalidRequestURI      = "invalid_request_uri"
	invalidDPoP            = "invalid_dpop_proof"
	invalidToken           = "invalid_token"
	unmetRequirements      = "unmet_authentication_requirements"
	invalidRedirect        = "invalid_redirect_uri"
	invalidMetadata        = "invalid_client_metadata"
	unavailable            = "temporarily_unavailable"
	serverError            = "server_error"
)

var specified = map[string]bool{invalidRequest: true, invalidClient: true, invalidGrant: true, unauthorizedClient: true, unsupportedGrant: true, unsupportedResponse: true,
	invalidScope: true, accessDenied: true, loginRequired: true, consentRequired: true, interactionRequired: true, requestNotSupported: true, requestURINotSupported: true,
	invalidRequestURI: true, invalidDPoP: true, invalidToken: true, unmetRequirements: true, invalidRedirect: true, invalidMetadata: true}

// fault is an error of a client's, with the code that its specification has for it.
func fault(code, format string, args ...any) error {
	kind := jitsuin.Invalid
	if code == invalidClient || code == invalidToken {
		kind = jitsuin.Unauthenticated
	}
	return jitsuin.Errorf(kind, code, format, args...)
}

// described gives what a client is told of an error, and the HTTP status: nothing of the text of one that is our own.
func described(err error) (code, description string, status int) {
	if e, ok := errors.AsType[*jitsuin.Error](err); ok {
		switch {
		case specified[e.Code] && e.Kind == jitsuin.Unauthenticated:
			return e.Code, e.Message, http.StatusUnauthorized
		case specified[e.Code]:
			return e.Code, e.Message, http.StatusBadRequest
		case e.Kind == jitsuin.Limited:
			return unavailable, e.Message, http.StatusTooManyRequests
		case e.Kind == jitsuin.Unavailable:
			return unavailable, "try again later", http.StatusServiceUnavailable
		case e.Code == signUnknown:
			return "not_found", e.Message, http.StatusNotFound // the state's word for it is not known to us
		case e.Kind == jitsuin.Denied || e.Kind == jitsuin.NotFound:
			return unauthorizedClient, e.Message, http.StatusBadRequest
		case e.Kind == jitsuin.Invalid || e.Kind == jitsuin.Conflict:
			return invalidRequest, e.Message, http.StatusBadRequest
		}
	}
	return serverError, "something failed here that is not your fault", http.StatusInternalServerError
}

// answered makes a handler of one that answers JSON; its error is answered as RFC 6749 §5.2 says.
func (p *Provider) answered(most int64, h func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, most)
		w.Header().Set("Access-Control-Allow-Origin", "*") // nothing here is decided by a cookie
		if r.Method == http.MethodOptions {
			w.Header().Set("Access-Control-Allow-Headers", "authorization, content-type, dpop")
			w.Header().Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if err := h(w, r); err != nil {
			p.refuse(w, r, err)
		}
	})
}

const maxBody = 64 << 10

// refuse answers an error at the endpoints that clients call.
func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, err error) {
	code, description, status := described(err)
	if status >= 500 {
		p.Log.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "err", err)
	}
	switch code {
	case invalidClient:
		if r.Header.Get("Authorization") != "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="jitsuin"`)
		}
	case invalidToken, invalidDPoP:
		scheme := "Bearer"
		if dpop, _ := schemeOf(r); dpop {
			scheme = "DPoP"
		}
		w.Header().Set("WWW-Authenticate", scheme+` error="`+code+`"`)
	}
	maps.Copy(w.Header(), httpapi.ProblemOf(r.Context(), err).GetHeaders()) // Retry-After
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}

// Refuse answers what the API in front of us refuses.
func (p *Provider) Refuse(w http.ResponseWriter, r *http.Request, err error) { p.refuse(w, r, err) }

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// single gives the values of a form in which no parameter comes twice (RFC 6749 §3.1).
func single(values map[string][]string) (map[string]string, error) {
	out := map[string]string{}
	for name, all := range values {
		if len(all) > 1 {
			return nil, fault(invalidRequest, "the parameter %s comes more than once", name)
		}
		if len(all) == 1 && all[0] != "" {
			out[name] = all[0]
		}
	}
	return out, nil
}
