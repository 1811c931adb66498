// Package verifyv2 is the shape of the API "Verify v2" of PocketSign: code that calls its VerificationService,
// UserService and CertificateService by the Connect protocol runs against this platform, with the adapter's
// address as base URL and an adapter token as Bearer token.
//
// It owns the wire form. What is known of it is what its maker publishes on the web: names of
// services, methods, members and enumerations, in JSON. The numbers of its protobuf fields are not among
// that, so messages are taken and given as JSON (Connect's application/json, the form that clients in
// TypeScript use by default and clients in Go after connect.WithProtoJSON); binary protobuf and gRPC are refused
// with 415, which the protocol has for that. It must never guess a number.
package verifyv2

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/jitsuin/jitsuin"
)

// maxBody is the largest request, in bytes: a certificate, a signature and a digest.
const maxBody = 64 << 10

// codes translate kinds of errors to Connect's codes.
var codes = map[jitsuin.Kind]string{
	jitsuin.Invalid: "invalid_argument", jitsuin.Unauthenticated: "unauthenticated", jitsuin.Denied: "permission_denied",
	jitsuin.NotFound: "not_found", jitsuin.Conflict: "failed_precondition", jitsuin.Locked: "failed_precondition",
	jitsuin.Revoked: "failed_precondition", jitsuin.Expired: "failed_precondition", jitsuin.Limited: "resource_exhausted",
	jitsuin.Unsupported: "unimplemented", jitsuin.Unavailable: "unavailable", jitsuin.Internal: "internal",
}

// statuses are the HTTP statuses of Connect's codes (connectrpc.com/docs/protocol, "Error Codes").
var statuses = map[string]int{
	"invalid_argument": 400, "failed_precondition": 400, "unauthenticated": 401, "permission_denied": 403, "not_found": 404,
	"resource_exhausted": 429, "internal": 500, "unimplemented": 501, "unavailable": 503,
}

// reasons are the words of the API for errors of ours (its ErrorReason), by code. Other errors carry no detail.
var reasons = map[string]string{
	"certificate-form":  "ERROR_REASON_INVALID_CERTIFICATE",
	"certificate-kind":  "ERROR_REASON_UNSUPPORTED_CERTIFICATE",
	"signing-key":       "ERROR_REASON_UNSUPPORTED_CERTIFICATE",
	"status-unknown":    "ERROR_REASON_OCSP_REQUEST_FAILED",
	"links-unavailable": "ERROR_REASON_ASSOCIATED_CERTIFICATE_NOT_EXISTS",
	"chain":             "ERROR_REASON_UNSUPPORTED_CERTIFICATE",
}

type connectError struct {
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Details []connectDetail `json:"details,omitempty"`
}

// connectDetail is a google.protobuf.Any in Connect's form: the value is the binary message in base64.
type connectDetail struct {
	Type  string            `json:"type"`
	Value string            `json:"value"`
	Debug map[string]string `json:"debug,omitempty"`
}

// domain is that of ErrorInfo: whose reasons these are.
const domain = "jitsuin"

// errorInfo makes a google.rpc.ErrorInfo (reason = 1, domain = 2).
func errorInfo(reason string) connectDetail {
	raw := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), reason)
	raw = protowire.AppendString(protowire.AppendTag(raw, 2, protowire.BytesType), domain)
	return connectDetail{Type: "google.rpc.ErrorInfo", Value: base64.RawStdEncoding.EncodeToString(raw),
		Debug: map[string]string{"reason": reason, "domain": domain}}
}

// Refuse answers an error in Connect's form; it is httpapi.Foreign.Refuse.
func Refuse(w http.ResponseWriter, _ *http.Request, err error) {
	c := connectError{Code: codes[jitsuin.KindOf(err)], Message: err.Error()}
	if e, ok := err.(*jitsuin.Error); ok && e.Hint != "" {
		c.Message += " (" + e.Hint + ")"
	}
	if reason := reasons[jitsuin.CodeOf(err)]; reason != "" {
		c.Details = append(c.Details, errorInfo(reason))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(statuses[c.Code])
	json.NewEncoder(w).Encode(c)
}

// method is one method of a service: it reads a request's members and gives the response.
type method func(ctx context.Context, in message) (any, error)

// unary serves a method by the unary Connect protocol.
func (s *Server) unary(m method) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		encoding := r.Header.Get("Content-Encoding")
		if err != nil || form != "application/json" || encoding != "" && encoding != "identity" {
			w.Header().Set("Accept-Post", "application/json")
			w.Header().Set("Accept-Encoding", "identity")
			http.Error(w, "messages are taken as application/json, not compressed; binary protobuf and gRPC are not provided", http.StatusUnsupportedMediaType)
			return
		}
		ctx, cancel, err := timeout(r)
		defer cancel()
		var out any
		if err == nil {
			var in message
			if in, err = readMessage(io.LimitReader(r.Body, maxBody+1)); err == nil {
				out, err = m(ctx, in)
			}
		}
		if err != nil {
			s.Problem(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(out)
	})
}

// timeout takes over the deadline that the caller has set, in milliseconds.
func timeout(r *http.Request) (context.Context, context.CancelFunc, error) {
	text := r.Header.Get("Connect-Timeout-Ms")
	if text == "" {
		return r.Context(), func() {}, nil
	}
	ms, err := strconv.ParseUint(text, 10, 64)
	if err != nil || len(text) > 10 {
		return r.Context(), func() {}, jitsuin.Errorf(jitsuin.Invalid, "timeout-form", "Connect-Timeout-Ms has at most ten digits")
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(ms)*time.Millisecond)
	return ctx, cancel, nil
}

// message is a protobuf message in JSON: members by their name in lowerCamelCase, or as the schema writes
// them; what is not known is left alone.
type message map[string]json.RawMessage

func readMessage(r io.Reader) (message, error) {
	raw, err := io.ReadAll(r)
	switch {
	case err != nil:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "request-form", "the request cannot be read")
	case len(raw) > maxBody:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "request-large", "a request has at most %d bytes", maxBody)
	}
	given := map[string]json.RawMessage{}
	if json.Unmarshal(raw, &given) != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "request-form", "the request is no JSON object")
	}
	m := message{}
	for name, value := range given {
		if string(value) != "null" {
			m[camel(name)] = value
		}
	}
	return m, nil
}

// camel gives the JSON name of a field.
func camel(name string) string {
	first, rest, _ := strings.Cut(name, "_")
	for word := range strings.SplitSeq(rest, "_") {
		if word != "" {
			first += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return first
}

func wrong(name, what string) error {
	return jitsuin.Errorf(jitsuin.Invalid, "request-form", "%s must be %s", name, what).At(name)
}

func (m message) text(name string) (s string, err error) {
	if raw, ok := m[name]; ok && json.Unmarshal(raw, &s) != nil {
		return "", wrong(name, "a string")
	}
	return s, nil
}

func (m message) flag(name string) (b bool, err error) {
	if raw, ok := m[name]; ok && json.Unmarshal(raw, &b) != nil {
		return false, wrong(name, "true or false")
	}
	return b, nil
}

// octets reads a field of type bytes: base64 of either alphabet, with or without padding, as protobuf's JSON allows.
func (m message) octets(name string) ([]byte, error) {
	s, err := m.text(name)
	if err != nil {
		return nil, err
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, wrong(name, "base64")
	}
	return raw, nil
}

// word reads a field of an enumeration by its name. Its numbers are as little known as those of fields.
func (m message) word(name, otherwise string) (string, error) {
	s, err := m.text(name)
	if err != nil {
		return "", wrong(name, "the name of a value")
	}
	if s == "" {
		return otherwise, nil
	}
	return s, nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
