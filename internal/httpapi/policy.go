package httpapi

import (
	"context"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Caller is who asks, as the access token proved it. The zero value is nobody.
type Caller struct {
	ID   string // an instance such as "municipality:91201", or a client that the actor knows itself
	Role string // the part of ID before the colon
	Key  string // the id of the key that the token was bought with, "" where keys have none
}

type ctxKey int

const (
	callerKey ctxKey = iota
	requestIDKey
	idempotencyKey
	observedKey
	terminalKey
)

// CallerOf gives who asks in this request.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey).(Caller)
	return c
}

// WithCaller puts work under a caller: what a task does later for somebody who asked for it. Requests have theirs from
// their access token.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey, c)
}

// Policy decides whether a caller may use a route. Every route has one; there is no default.
type Policy struct {
	doc    string
	public bool
	check  func(ctx context.Context, c Caller) error
}

// Doc says in words who may come.
func (p Policy) Doc() string { return p.doc }

// Public lets everybody in; why says for the reader that this was meant.
func Public(why string) Policy { return Policy{doc: "Everybody: " + why, public: true} }

// Roles lets in instances of the roles named.
func Roles(roles ...string) Policy {
	return Policy{doc: "Instances of " + strings.Join(roles, ", "), check: func(_ context.Context, c Caller) error {
		if slices.Contains(roles, c.Role) {
			return nil
		}
		return jitsuin.Errorf(jitsuin.Denied, "not-for-this-caller", "%s may not use this", c.ID)
	}}
}

// Checked lets in those for whom check gives nil; doc says who they are.
func Checked(doc string, check func(ctx context.Context, c Caller) error) Policy {
	return Policy{doc: doc, check: check}
}

// Allow tells whether the caller may come in; nil means yes.
func (p Policy) Allow(ctx context.Context, c Caller) error {
	if p.public {
		return nil
	}
	if c.ID == "" {
		return jitsuin.Errorf(jitsuin.Unauthenticated, "token-missing", "this needs an access token").
			WithHint("buy one at POST /token with a signed assertion (RFC 7523)")
	}
	return p.check(ctx, c)
}
