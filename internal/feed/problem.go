package feed

import (
	"encoding/json"
	"net/http"

	"github.com/jitsuin/jitsuin"
)

// writeProblem answers with err as a problem of RFC 9457. Messages of unforeseen errors stay inside.
func writeProblem(w http.ResponseWriter, _ *http.Request, err error) {
	kind := jitsuin.KindOf(err)
	problem := struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
		Code   string `json:"code,omitempty"`
	}{Title: kind.String(), Status: status(kind), Code: jitsuin.CodeOf(err)}
	if kind != jitsuin.Internal {
		problem.Detail = err.Error()
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(problem.Status)
	json.NewEncoder(w).Encode(problem) // a reader that has gone away is not worth a word
}

func status(kind jitsuin.Kind) int {
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
	case jitsuin.Limited:
		return http.StatusTooManyRequests
	case jitsuin.Unsupported:
		return http.StatusNotImplemented
	case jitsuin.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
