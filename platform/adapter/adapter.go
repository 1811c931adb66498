// Package adapter holds what the adapters to the APIs of others have in common: code that was written
// for another platform's API runs against this one, for the tenant that its token names. The packages
// below it each translate one API: verifyv2 and idp.
//
// They own wire forms and nothing else: nothing is judged, counted or kept here. What comes in goes to a Desk,
// which is the platform's own story, and what it says goes out in the other API's words.
// They must never keep a certificate, a document or the four items.
package adapter

import (
	"context"
	"crypto"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

// Role is the role of a caller with an adapter's token: no route but the adapters' own admits it.
const Role = "adapter"

// Signed is a signature as a card gives it: a value over a digest, with the certificate beside it.
type Signed struct {
	Certificate *x509.Certificate
	Value       []byte
	Hash        crypto.Hash
	Digest      []byte // of what was signed
	Content     []byte // what was signed, nil where it stays with the tenant
}

// Who says whether the person must be, or must not be, a user of the tenant already.
type Who int

// Who may be behind a signature that passes.
const (
	Anybody  Who = iota
	Newcomer     // else the error is Conflict "user-known"
	Known        // else the error is NotFound "user-unknown", and no user is made
	Unnamed      // it is not asked who it is: no user is named or made
)

// Certificate names a certificate to the tenant: by a random id of its own, never by its serial number.
type Certificate struct {
	ID    jitsuin.ID
	Kind  jitsuin.CertKind
	Since time.Time // first seen by this tenant through an adapter, civil time
}

// Outcome is a check and what came of it. User is nil where nobody was accepted.
type Outcome struct {
	ID          jitsuin.ID
	CheckedAt   time.Time // civil time
	Report      signature.Report
	User        *api.User
	UserSince   time.Time // when the tenant first saw the user, civil time
	Certificate *Certificate
	Hash        crypto.Hash // 0 where it is not known any more
	Digest      []byte
	Value       []byte // nil where it is not kept
}

// Desk is the platform as the adapters see it. The tenant is the caller of the context. Every error
// is, or wraps, a *jitsuin.Error.
type Desk interface {
	// Document has a signature with the signature certificate checked, kept and logged as POST /v1/verifications does.
	// What is wrong with it is a report. Called again with the context's Idempotency-Key it gives the first answer.
	// With Content, that is a nonce, and taken once as by Nonce.
	Document(ctx context.Context, s Signed, who Who) (Outcome, error)
	// Nonce has a login checked in which the authentication key signed a nonce of the tenant's own. A nonce is taken
	// once: again it is Unauthenticated "nonce-used", but with the same Idempotency-Key the first answer.
	Nonce(ctx context.Context, s Signed, who Who) (Outcome, error)
	// Check gives a check of the tenant again.
	Check(ctx context.Context, id jitsuin.ID) (Outcome, error)
	// Find gives the check that a user of the tenant was last accepted by, of a document before a login, or the last in which
	// the certificate of that name was accepted; one of the two is "". NotFound "subject-unknown" for any other.
	Find(ctx context.Context, user, certificate jitsuin.ID) (Outcome, error)
	// Standing looks now at the certificate on which that check rests (現況確認), and records the look.
	Standing(ctx context.Context, user, certificate jitsuin.ID) (api.StatusCheck, error)
	// Items reads the items of the signature certificate in the tenant's record of a check, which is logged; nil where there is no
	// record, or no more.
	Items(ctx context.Context, check jitsuin.ID) (*cert.Items, error)
}

// Grant is what a token allows.
type Grant struct {
	Tenant  string
	Token   jitsuin.ID
	Scopes  []string // api.ScopeVerify, api.ScopeLegacyNonce
	Purpose string   // what signatures are for, in a word of rules.Purposes
}

type grantKey struct{}

// With puts what the caller's token allows into a context, and the caller.
func With(ctx context.Context, g Grant) context.Context {
	return httpapi.WithCaller(context.WithValue(ctx, grantKey{}, g), httpapi.Caller{ID: g.Tenant, Role: Role})
}

// GrantOf gives what the caller's token allows.
func GrantOf(ctx context.Context) Grant {
	g, _ := ctx.Value(grantKey{}).(Grant)
	return g
}

// Need refuses callers whose token has not the scope.
func Need(ctx context.Context, scope string) error {
	if slices.Contains(GrantOf(ctx).Scopes, scope) {
		return nil
	}
	return jitsuin.Errorf(jitsuin.Denied, "adapter-scope", "the token has not the scope %s", scope).
		WithHint("the tenant makes a token with it at POST /v1/adapter-tokens")
}

// Tenants is the policy of the adapters' routes.
func Tenants() httpapi.Policy {
	return httpapi.Checked("Tenants with an adapter token (POST /v1/adapter-tokens)", func(_ context.Context, c httpapi.Caller) error {
		if c.Role == Role {
			return nil
		}
		return jitsuin.Errorf(jitsuin.Unauthenticated, "adapter-token", "this needs an adapter token of a tenant")
	})
}

// TokenOf gives the token that a request brings: as a Bearer token, or as the password of Basic, which is how clients
// send it that have no other way than user information in the address that they are configured with.
func TokenOf(r *http.Request) (token string, ok bool) {
	if _, password, basic := r.BasicAuth(); basic {
		return password, true
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// Once gives a context with an Idempotency-Key: the one that it has, or a fresh one.
func Once(ctx context.Context) context.Context {
	if httpapi.IdempotencyKey(ctx) != "" {
		return ctx
	}
	return httpapi.WithIdempotencyKey(ctx, string(jitsuin.NewID()))
}
