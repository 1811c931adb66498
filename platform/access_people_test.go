package platform_test

import (
	"maps"

	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

func init() {
	maps.Copy(access, map[string]string{
		"GET /assets/":                              everybody,
		"POST /errands/answers":                     everybody, // txn and state are the proof
		"GET /errands/return":                       everybody, // the one-time code and the browser's cookie are
		"GET /errands/screen/{txn}":                 everybody, // the cookie of the browser that began decides
		"POST /errands/screen/{txn}":                everybody,
		"GET /errands/screen/{txn}/wait":            everybody,
		"POST /errands/screen/{txn}/stop":           everybody,
		"POST /errands/screen/{txn}/again":          everybody,
		"GET /me":                                   everybody, // the session cookie decides
		"POST /me/login":                            everybody,
		"POST /me/logout":                           everybody,
		"POST /me/consents/{id}/withdrawal":         everybody,
		"POST /me/children":                         everybody,
		"POST /me/children/{id}/end":                everybody,
		"POST /me/logins/{id}/end":                  everybody,
		"GET /v1/users":                             tenants,
		"GET /v1/users/{id}":                        tenants,
		"DELETE /v1/users/{id}":                     tenants,
		"GET /v1/users/{id}/status-checks":          tenants,
		"POST /v1/users/{id}/status-checks":         tenants,
		"POST /v1/status-checks":                    tenants,
		"POST /v1/subscriptions":                    tenants,
		"DELETE /v1/users/{id}/subscription":        tenants,
		"POST /v1/verifications/{id}/status-checks": tenants,
		"POST /v1/consents":                         tenants,
		"GET /v1/consents/{id}":                     tenants,
		"GET /v1/users/{id}/consents":               tenants,
		"POST /v1/users/{id}/latest-items":          tenants,
		"GET /v1/consents/{id}/form":                everybody, // whoever is to sign its text; it names nobody
		"GET /v1/consents/{id}/withdrawal-form":     everybody,
	})
}

// peopleThings are things of users: v is a check of theirs.
func peopleThings(b *bank, a httpapi.Identity, v api.Verification) map[string]thing {
	gone, err := b.verifyAs(a, b.signed(b.Agency.Resident("忘野　れい")))
	if err != nil {
		b.t.Fatal(err)
	}
	user, why := v.User.ID, api.StatusRequest{Purpose: "現況の確認"}
	consent := b.consents(a, b.Agency.Resident("沢渡　太郎"))
	return map[string]thing{
		"GET /v1/users/{id}":                        {id: user},
		"DELETE /v1/users/{id}":                     {id: gone.User.ID},
		"GET /v1/users/{id}/status-checks":          {id: user},
		"POST /v1/users/{id}/status-checks":         {id: user, body: why},
		"DELETE /v1/users/{id}/subscription":        {id: user},
		"POST /v1/verifications/{id}/status-checks": {id: string(v.ID), body: why},
		"GET /v1/users/{id}/consents":               {id: user},
		"GET /v1/consents/{id}":                     {id: string(consent.ID)},
		"POST /v1/users/{id}/latest-items":          {id: consent.User, body: api.LatestRequest{Consent: consent.ID}},
	}
}
