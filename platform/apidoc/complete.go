// Package apidoc completes the platform's description of itself: it adds to each operation of the OpenAPI document which
// errors it has, and examples of request and answer, and gives the document in the form in which the page /docs shows it.
//
// It owns words about operations and nothing of what they do. It must never say an error that no code makes: a test
// looks each one up in the sources.
package apidoc

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Failure is an error that an operation may answer with, as a problem document (RFC 9457).
type Failure struct {
	Status int
	Code   string
	When   string
}

// common are the errors of operations by what they have.
var (
	ofAll    = []Failure{{500, "internal", "Something failed that is not the caller's fault; the log has it under the request id."}, {503, "timeout", "The request took too long or was given up."}}
	ofInput  = []Failure{{400, "request-form", "A member or parameter does not have the form of the schema; errors names each."}}
	ofTokens = []Failure{{401, "token-missing", "There is no access token."}, {401, "token", "The access token has expired, or is none of ours."}}
	ofRoles  = []Failure{{403, "not-for-this-caller", "The operation is for other callers."}}
	ofOnce   = []Failure{{400, "idempotency-key-missing", "There is no Idempotency-Key (8 to 64 letters, digits, - and _)."},
		{409, "idempotency-key-reused", "The Idempotency-Key was used for another request within the last seven days."}}
	ofStanding = []Failure{{403, "accreditation-over", "The platform's accreditation has ended: nothing is verified."},
		{503, "accreditation-suspended", "The minister has suspended the accreditation: keep the request and send it again with the same key."},
		{503, "accreditation-unknown", "The platform has not heard that it is accredited."}}
	ofChecks = slices.Concat(ofStanding, []Failure{{503, "anchors-missing", "The authorities' certificates are not here yet."},
		{503, "links-unavailable", "J-LIS cannot be asked whose certificate it is; nobody was accepted and no user was made. Repeat later with the same key."}})
)

// own are the errors of single operations beyond those.
var own = map[string][]Failure{
	"verify": append([]Failure{
		{400, "purpose", "The purpose is no word of rules.Purposes."}, {400, "purpose-kind", "The purpose is not served by a signature."},
		{400, "signature-missing", "There is neither a signature nor a document that holds one."}, {400, "document-too-large", "More than 16 MiB."},
		{400, "document-and-digest", "Both were sent."}, {400, "at-future", "The instant asked about is to come."},
		{400, "digest-length", "The digest is none of SHA-256, SHA-384 or SHA-512."}, {400, "digest-format", "A digest stands for the document of CMS and time-stamps only."},
		{400, "digest-embedded", "The signature embeds its document."}, {400, "file-twice", "Two files have one name."},
		{501, "several-signers", "More than one person signed."}, {501, "items-unreadable", "The certificate does not say who signed."},
		{503, "user-ambiguous", "The certificate is linked to more than one user; the operator must look at this."}}, ofChecks...),
	"verification":        {{404, "verification-unknown", "There is no such verification of yours."}},
	"verification-report": {{404, "verification-unknown", "There is no such verification of yours."}},
	"login-challenge":     append([]Failure{{403, "origin-not-registered", "The origin is not one that you registered."}, {400, "challenge-form", "A member of the challenge is not sound."}}, ofStanding...),
	"login": append([]Failure{{404, "challenge-unknown", "There is no such challenge of yours."}, {409, "challenge-used", "The challenge was answered before."},
		{410, "challenge-expired", "The challenge has expired: begin anew."}}, ofChecks...),
	"holder-request":       {{403, "origin-not-registered", "The origin is not one that you registered."}},
	"make-adapter-token":   {{400, "token-scopes", "The scopes are not verify, legacy-nonce or both."}, {400, "token-name", "The name has characters that do not print."}, {429, "tokens-many", "Twenty tokens are in force."}},
	"revoke-adapter-token": {{404, "token-unknown", "There is no such adapter token of yours."}},
}

// told finds errors that an operation's own description names, such as "404 record-unknown".
var told = regexp.MustCompile(`\b([45][0-9][0-9]) ([a-z]+(?:-[a-z]+)+)\b`)

// Failures gives the errors of an operation by status, each once.
func Failures(op *huma.Operation) []Failure {
	all := slices.Clone(ofAll)
	if op.RequestBody != nil || len(op.Parameters) > 0 {
		all = append(all, ofInput...)
	}
	if len(op.Security) > 0 {
		all = append(append(all, ofTokens...), ofRoles...)
	}
	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "Idempotency-Key" }) {
		all = append(all, ofOnce...)
	}
	all = append(all, own[op.OperationID]...)
	for _, m := range told.FindAllStringSubmatch(op.Description, -1) {
		status, _ := strconv.Atoi(m[1])
		if !slices.ContainsFunc(all, func(f Failure) bool { return f.Code == m[2] }) {
			all = append(all, Failure{status, m[2], "See the description."})
		}
	}
	slices.SortStableFunc(all, func(a, b Failure) int { return cmp.Compare(a.Status, b.Status) })
	return all
}

// Operations gives all operations in the order of their paths.
func Operations(doc *huma.OpenAPI) (all []*huma.Operation) {
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				all = append(all, op)
			}
		}
	}
	slices.SortFunc(all, func(a, b *huma.Operation) int {
		return cmp.Or(cmp.Compare(groupOf(a.Path), groupOf(b.Path)), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return all
}

// groupOf gives the topic of a path: its first segment below /v1.
func groupOf(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(path, "/v1"), "/"), "/")
	return name
}

// Complete adds errors, tags and examples to every operation of the document. It belongs after the last route.
func Complete(doc *huma.OpenAPI) {
	addToken(doc)
	for _, op := range Operations(doc) {
		op.Tags = []string{groupOf(op.Path)}
		for _, p := range op.Parameters {
			if p.Name == "Idempotency-Key" && p.Description == "" {
				p.Description = "names the act: 8 to 64 letters, digits, - and _, best 128 random bits in hex; sent again with the same request it gives the same answer, for seven days"
			}
		}
		byStatus := map[int][]Failure{}
		for _, f := range Failures(op) {
			byStatus[f.Status] = append(byStatus[f.Status], f)
		}
		if op.OperationID != "token" {
			for status, list := range byStatus {
				op.Responses[strconv.Itoa(status)] = problemResponse(doc, status, list)
			}
			delete(op.Responses, "default")
		}
		addExamples(doc.Components.Schemas, op)
	}
}

func problemResponse(doc *huma.OpenAPI, status int, list []Failure) *huma.Response {
	var codes []any
	text := http.StatusText(status) + ", by code:"
	for _, f := range list {
		codes = append(codes, f.Code)
		text += fmt.Sprintf("\n- `%s`: %s", f.Code, f.When)
	}
	first := list[0]
	return &huma.Response{Description: text, Content: map[string]*huma.MediaType{"application/problem+json": {
		Schema: &huma.Schema{AllOf: []*huma.Schema{{Ref: "#/components/schemas/Problem"}, {Type: huma.TypeObject, Properties: map[string]*huma.Schema{"code": {Type: huma.TypeString, Enum: codes}}}}},
		Example: map[string]any{"type": "urn:jitsuin:error:" + first.Code, "title": http.StatusText(status), "status": status, "detail": first.When,
			"kind": kinds[status], "code": first.Code, "request_id": exampleID}}}}
}

// kinds are the kinds of errors by status.
var kinds = map[int]string{400: "invalid", 401: "unauthenticated", 403: "denied", 404: "not-found", 409: "conflict", 410: "expired", 423: "locked",
	429: "limited", 500: "internal", 501: "unsupported", 503: "unavailable"}

// addToken describes POST /token, which speaks OAuth and not JSON.
func addToken(doc *huma.OpenAPI) {
	text := func(s string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: s} }
	op := &huma.Operation{OperationID: "token", Method: http.MethodPost, Path: "/token", Summary: "Buy an access token of five minutes",
		Description: "private_key_jwt by the JWT bearer grant (RFC 7523): the assertion is a JWT signed with ES256 by the tenant's key; iss and sub are the tenant, aud the platform's instance, iat and exp at most five minutes apart, jti used once.\n\nAccess: Everybody: the assertion in the body is the proof.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": {
			Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"grant_type", "assertion"}, Properties: map[string]*huma.Schema{
				"grant_type": {Type: huma.TypeString, Enum: []any{"urn:ietf:params:oauth:grant-type:jwt-bearer"}}, "assertion": text("the signed JWT, compact")}},
			Example: map[string]any{"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOi….MEUCIQ…"}}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "The token, for the header Authorization: Bearer", Content: map[string]*huma.MediaType{"application/json": {
				Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"access_token", "token_type", "expires_in"}, Properties: map[string]*huma.Schema{
					"access_token": text("a JWT of the platform's"), "token_type": text("Bearer"), "expires_in": {Type: huma.TypeInteger, Description: "seconds"}}},
				Example: map[string]any{"access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.…", "token_type": "Bearer", "expires_in": 300}}}},
			"400": {Description: "An OAuth error (RFC 6749 §5.2): invalid_request, unsupported_grant_type or invalid_grant", Content: map[string]*huma.MediaType{"application/json": {
				Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"error"}, Properties: map[string]*huma.Schema{
					"error": text("invalid_request, unsupported_grant_type, invalid_grant"), "error_description": text("what is wrong, in English")}},
				Example: map[string]any{"error": "invalid_grant", "error_description": "the assertion has been used before"}}}}}}
	if doc.Paths["/token"] == nil {
		doc.AddOperation(op)
	}
}
