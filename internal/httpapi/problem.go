package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/jitsuin/jitsuin"
)

// Problem is an RFC 9457 problem document. Kind and Code are for programs, Detail says what
// and where, Hint what to do next.
type Problem struct {
	Type      string              `json:"type" example:"urn:jitsuin:error:four-items-differ"`
	Title     string              `json:"title"`
	Status    int                 `json:"status"`
	Detail    string              `json:"detail,omitempty"`
	Kind      string              `json:"kind"`
	Code      string              `json:"code"`
	Hint      string              `json:"hint,omitempty"`
	Field     string              `json:"field,omitempty"`
	RequestID string              `json:"request_id,omitempty"`
	Errors    []*huma.ErrorDetail `json:"errors,omitempty" doc:"each member at fault, where there are several"`

	later time.Duration // when to come again, 0 where nobody knows
}

// later is an error that says when the caller may come again.
type later struct {
	error
	after time.Duration
}

// Unwrap gives the error itself.
func (l later) Unwrap() error { return l.error }

// Later says with err when the caller may come again: the header Retry-After (RFC 9110 §10.2.3), in whole
// seconds, rounded up.
func Later(err error, after time.Duration) error { return later{err, after} }

// GetHeaders gives the headers of the answer, for huma.
func (p *Problem) GetHeaders() http.Header {
	if p.later <= 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(int((p.later + time.Second - 1) / time.Second))}}
}

// Error gives the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus gives the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType names the media type of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

var statusOf = map[jitsuin.Kind]int{
	jitsuin.Invalid: 400, jitsuin.Unauthenticated: 401, jitsuin.Denied: 403, jitsuin.NotFound: 404,
	jitsuin.Conflict: 409, jitsuin.Locked: 423, jitsuin.Revoked: 410, jitsuin.Expired: 410,
	jitsuin.Limited: 429, jitsuin.Unsupported: 501, jitsuin.Unavailable: 503, jitsuin.Internal: 500,
}

// kindOfStatus is the reverse, for answers that are no problem document of ours.
func kindOfStatus(status int) jitsuin.Kind {
	switch status {
	case 401:
		return jitsuin.Unauthenticated
	case 403:
		return jitsuin.Denied
	case 404:
		return jitsuin.NotFound
	case 409:
		return jitsuin.Conflict
	case 423:
		return jitsuin.Locked
	case 429:
		return jitsuin.Limited
	case 501:
		return jitsuin.Unsupported
	case 502, 503, 504:
		return jitsuin.Unavailable
	}
	if status >= 400 && status < 500 {
		return jitsuin.Invalid
	}
	return jitsuin.Internal
}

// ProblemOf translates err. An error that is not a jitsuin.Error, or is Internal, shows the
// caller nothing of its text, an Unavailable one nothing of a cause that is no jitsuin.Error (which
// names databases, addresses and files): the log has it under the request id.
func ProblemOf(ctx context.Context, err error) *Problem {
	e, ok := errors.AsType[*jitsuin.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		e = jitsuin.Errorf(jitsuin.Unavailable, "timeout", "the request took too long or was given up")
	case !ok || e.Kind == jitsuin.Internal:
		e = jitsuin.Errorf(jitsuin.Internal, "internal", "something failed here that is not your fault").
			WithHint("nothing was changed by the step that failed; quote the request id when you ask for help")
	}
	var when later
	errors.As(err, &when)
	return &Problem{later: when.after, Type: "urn:jitsuin:error:" + e.Code, Title: strings.ReplaceAll(e.Kind.String(), "-", " "),
		Status: statusOf[e.Kind], Detail: shown(e), Kind: e.Kind.String(), Code: e.Code, Hint: e.Hint,
		Field: e.Field, RequestID: RequestID(ctx)}
}

// shown is the message that a caller may read.
func shown(e *jitsuin.Error) string {
	if e.Kind != jitsuin.Unavailable || e.Err == nil || jitsuin.CodeOf(e.Err) != "" {
		return e.Message
	}
	return strings.TrimRight(strings.TrimSuffix(e.Message, e.Err.Error()), ": ")
}

// WriteError answers err as a problem document and logs what the caller is not shown.
func WriteError(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	p := ProblemOf(r.Context(), err)
	observeProblem(r.Context(), p)
	if p.Status >= 500 && log != nil {
		log.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "err", err)
	}
	maps.Copy(w.Header(), p.GetHeaders())
	w.Header().Set("Content-Type", p.ContentType(""))
	w.Header().Set("Cache-Control", "no-store")
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

// newProblem is what the schema validation answers with.
func newProblem(status int, message string, errs ...error) huma.StatusError {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	p := &Problem{Type: "urn:jitsuin:error:request-form", Title: http.StatusText(status), Status: status,
		Detail: message, Kind: kindOfStatus(status).String(), Code: "request-form"}
	for _, err := range errs {
		var d *huma.ErrorDetail
		if errors.As(err, &d) {
			// The value is left out on purpose: it may hold a PIN or a number.
			p.Errors = append(p.Errors, &huma.ErrorDetail{Message: d.Message, Location: d.Location})
		}
	}
	if len(p.Errors) > 0 {
		p.Field = strings.TrimPrefix(p.Errors[0].Location, "body.")
		p.Detail = p.Errors[0].Location + ": " + p.Errors[0].Message
	}
	return p
}

// kindNamed gives the kind of a name, or otherwise where there is none.
func kindNamed(name string, otherwise jitsuin.Kind) jitsuin.Kind {
	for k := jitsuin.Internal; k <= jitsuin.Unavailable; k++ {
		if k.String() == name {
			return k
		}
	}
	return otherwise
}

// DecodeProblem turns an answer of status >= 400 back into the error that the callee had.
func DecodeProblem(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var p Problem
	if json.Unmarshal(body, &p) == nil && p.Code != "" {
		return &jitsuin.Error{Kind: kindNamed(p.Kind, kindOfStatus(resp.StatusCode)), Code: p.Code, Message: p.Detail, Hint: p.Hint, Field: p.Field}
	}
	return jitsuin.Errorf(kindOfStatus(resp.StatusCode), "http-status", "%s answered %s", resp.Request.URL.Host, resp.Status)
}
