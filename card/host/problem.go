package host

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/jitsuin/jitsuin"
)

// problem is an error on the wire (RFC 9457).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Kind   string `json:"kind"`
	Code   string `json:"code"`
	Hint   string `json:"hint,omitempty"`
	Field  string `json:"field,omitempty"`
}

func statusOf(kind jitsuin.Kind) int {
	switch kind {
	case jitsuin.Invalid:
		return http.StatusBadRequest
	case jitsuin.Unauthenticated:
		return http.StatusUnauthorized
	case jitsuin.Denied:
		return http.StatusForbidden
	case jitsuin.NotFound:
		return http.StatusNotFound
	case jitsuin.Conflict:
		return http.StatusConflict
	case jitsuin.Locked:
		return http.StatusLocked
	case jitsuin.Revoked, jitsuin.Expired:
		return http.StatusGone
	case jitsuin.Limited:
		return http.StatusTooManyRequests
	case jitsuin.Unsupported:
		return http.StatusNotImplemented
	case jitsuin.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// writeProblem tells an Error as it is, and of any other error only that there was one.
func writeProblem(w http.ResponseWriter, err error) {
	p := problem{Kind: jitsuin.Internal.String(), Detail: "the card host failed"}
	if e, ok := errors.AsType[*jitsuin.Error](err); ok && e.Kind != jitsuin.Internal {
		p = problem{Kind: e.Kind.String(), Code: e.Code, Detail: e.Message, Hint: e.Hint, Field: e.Field}
	}
	p.Status = statusOf(jitsuin.KindOf(err))
	p.Title = http.StatusText(p.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone, if this fails
}

// readProblem makes the error again on the client's side.
func readProblem(response *http.Response) error {
	var p problem
	if err := json.NewDecoder(io.LimitReader(response.Body, maxBody)).Decode(&p); err != nil || p.Kind == "" {
		return jitsuin.Errorf(jitsuin.Unavailable, "host-answer", "the card host answered with status %d", response.StatusCode)
	}
	for kind := jitsuin.Internal; kind <= jitsuin.Unavailable; kind++ {
		if kind.String() == p.Kind {
			return &jitsuin.Error{Kind: kind, Code: p.Code, Message: p.Detail, Hint: p.Hint, Field: p.Field}
		}
	}
	return jitsuin.Errorf(jitsuin.Internal, p.Code, "%s", p.Detail)
}
