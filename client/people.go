package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

// What is known of users, and what is asked and told about them.
type (
	KnownUser         = api.KnownUser
	Users             = api.Users
	ForgottenUser     = api.ForgottenUser
	StatusCheck       = api.StatusCheck
	StatusChecks      = api.StatusChecks
	Subscriptions     = api.Subscriptions
	CertificateChange = api.CertificateChange
	ConsentRequest    = api.ConsentRequest
	Words             = api.Words
	Consent           = api.Consent
	ConsentEntry      = api.ConsentEntry
	ConsentChange     = api.ConsentChange
	LatestItems       = api.LatestItems
)

// Status of a StatusCheck.
const (
	StatusGood    = api.StatusGood
	StatusRevoked = api.StatusRevoked
	StatusExpired = api.StatusExpired
	StatusUnknown = api.StatusUnknown
)

// drawn gives a request id, a fresh one for "".
func drawn(requestID string) string {
	if requestID == "" {
		return NewRequestID()
	}
	return requestID
}

// userPath refuses what is no id before it becomes part of an address.
func userPath(id, rest string) (string, error) {
	if _, err := jitsuin.ParseID(id); err != nil {
		return "", err
	}
	return "/v1/users/" + id + rest, nil
}

// Users gives a hundred users of this tenant after an id, "" from the beginning.
func (c *Client) Users(ctx context.Context, after string) (Users, error) {
	return httpapi.Do[Users](ctx, c.remote, http.MethodGet, "/v1/users?"+url.Values{"after": {after}}.Encode(), "", nil)
}

// User gives a user of this tenant; NotFound for any other.
func (c *Client) User(ctx context.Context, id string) (KnownUser, error) {
	path, err := userPath(id, "")
	if err != nil {
		return KnownUser{}, err
	}
	return httpapi.Do[KnownUser](ctx, c.remote, http.MethodGet, path, "", nil)
}

// ForgetUser has a user forgotten, and tells which records stay because the law keeps them.
func (c *Client) ForgetUser(ctx context.Context, requestID, id string) (ForgottenUser, error) {
	path, err := userPath(id, "")
	if err != nil {
		return ForgottenUser{}, err
	}
	return httpapi.Do[ForgottenUser](ctx, c.remote, http.MethodDelete, path, drawn(requestID), nil)
}

// CheckStatus asks whether the certificate on which what is known of a user rests is still in force (現況確認), and since when and why not.
// purpose is recorded, and the person can read it.
func (c *Client) CheckStatus(ctx context.Context, requestID, user, purpose string) (StatusCheck, error) {
	path, err := userPath(user, "/status-checks")
	if err != nil {
		return StatusCheck{}, err
	}
	return httpapi.Do[StatusCheck](ctx, c.remote, http.MethodPost, path, drawn(requestID), api.StatusRequest{Purpose: purpose})
}

// CheckStatuses is CheckStatus about up to a hundred users.
func (c *Client) CheckStatuses(ctx context.Context, requestID string, users []string, purpose string) (StatusChecks, error) {
	return httpapi.Do[StatusChecks](ctx, c.remote, http.MethodPost, "/v1/status-checks", drawn(requestID), api.StatusBatch{Users: users, Purpose: purpose})
}

// CheckVerificationStatus is CheckStatus about the certificate behind a verification, where no user was named.
func (c *Client) CheckVerificationStatus(ctx context.Context, requestID string, verification jitsuin.ID, purpose string) (StatusCheck, error) {
	if _, err := jitsuin.ParseID(string(verification)); err != nil {
		return StatusCheck{}, err
	}
	return httpapi.Do[StatusCheck](ctx, c.remote, http.MethodPost, "/v1/verifications/"+string(verification)+"/status-checks", drawn(requestID), api.StatusRequest{Purpose: purpose})
}

// Subscribe has this tenant told by events when a certificate of the users lapses: api.EventCertificateLapsed with a CertificateChange.
func (c *Client) Subscribe(ctx context.Context, requestID string, users []string, purpose string) (Subscriptions, error) {
	return httpapi.Do[Subscriptions](ctx, c.remote, http.MethodPost, "/v1/subscriptions", drawn(requestID), api.SubscriptionRequest{Users: users, Purpose: purpose})
}

// Unsubscribe ends that for a user.
func (c *Client) Unsubscribe(ctx context.Context, requestID, user string) (KnownUser, error) {
	path, err := userPath(user, "/subscription")
	if err != nil {
		return KnownUser{}, err
	}
	return httpapi.Do[KnownUser](ctx, c.remote, http.MethodDelete, path, drawn(requestID), nil)
}

// AskConsent has the text of a consent to the latest four items made: lead the person's browser to Open. What came of it is told by an event
// with a ConsentChange, and by Consent.
func (c *Client) AskConsent(ctx context.Context, requestID string, r ConsentRequest) (Consent, error) {
	return httpapi.Do[Consent](ctx, c.remote, http.MethodPost, "/v1/consents", drawn(requestID), r)
}

// Consent gives a consent of this tenant with its ledger.
func (c *Client) Consent(ctx context.Context, id jitsuin.ID) (Consent, error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return Consent{}, err
	}
	return httpapi.Do[Consent](ctx, c.remote, http.MethodGet, "/v1/consents/"+string(id), "", nil)
}

// Consents gives the consents of a user, the latest first.
func (c *Client) Consents(ctx context.Context, user string) ([]Consent, error) {
	path, err := userPath(user, "/consents")
	if err != nil {
		return nil, err
	}
	out, err := httpapi.Do[api.Consents](ctx, c.remote, http.MethodGet, path, "", nil)
	return out.Consents, err
}

// LatestItems asks for what is new of a user's four items under a consent that is in force. The platform keeps none of it: store what is new before
// the request id is forgotten, for only with it does the same answer come again, within a week, without being charged twice.
func (c *Client) LatestItems(ctx context.Context, requestID, user string, consent jitsuin.ID) (LatestItems, error) {
	path, err := userPath(user, "/latest-items")
	if err != nil {
		return LatestItems{}, err
	}
	return httpapi.Do[LatestItems](ctx, c.remote, http.MethodPost, path, drawn(requestID), api.LatestRequest{Consent: consent})
}
