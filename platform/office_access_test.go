package platform_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/office"
)

// officeActs are the routes for people of the office, each with the act that its policy asks for.
var officeActs = map[string]office.Act{
	"GET /office/{$}":                        office.SeeOverview,
	"GET /office/duties":                     office.SeeOverview,
	"GET /office/approvals":                  office.SeeApprovals,
	"GET /office/approvals/{id}":             office.SeeApprovals,
	"POST /office/approvals/{id}":            office.SeeApprovals,
	"GET /office/people":                     office.SeePeople,
	"GET /office/people/{id}":                office.SeePeople,
	"GET /office/invite":                     office.InvitePerson,
	"POST /office/invite":                    office.InvitePerson,
	"POST /office/invitations/{id}/withdraw": office.InvitePerson,
	"POST /office/people/{id}/roles":         office.ChangeRoles,
	"POST /office/people/{id}/end":           office.EndPerson,
	"GET /office/tenants":                    office.SeeTenants,
	"GET /office/tenants/{id}":               office.SeeTenants,
	"POST /office/tenants/{id}/suspend":      office.SuspendTenant,
	"POST /office/tenants/{id}/lift":         office.LiftTenant,
	"POST /office/tenants/{id}/end":          office.EndTenant,
	"POST /office/tenants/{id}/keys":         office.AddKey,
	"POST /office/tenants/{id}/keys/end":     office.EndKey,
	"POST /office/tenants/{id}/origins":      office.ChangeOrigins,
	"GET /office/log":                        office.SeeLog,
	"GET /office/records":                    office.SeeRecords,
	"POST /office/records":                   office.SeeRecords,
	"GET /office/tenants/new":                office.RegisterTenant,
	"POST /office/tenants/new":               office.RegisterTenant,
	"POST /office/tenants/{id}/terms":        office.ChangeTerms,
	"GET /office/holds":                      office.SeeRecords,
	"POST /office/holds":                     office.PlaceHold,
	"POST /office/holds/{id}/release":        office.ReleaseHold,
}

// The rows of the table access that are the office's: no instance and no tenant comes in by its token.
func init() {
	maps.Copy(access, map[string]string{"GET /office": everybody, "GET /office/login": everybody, "POST /office/login": everybody, "POST /office/leave": everybody,
		"GET /office/join": everybody, "POST /office/invitations": "country"})
	for route := range officeActs {
		access[route] = nobody
	}
}

// Each page is asked by a person of each role: the table of duties lets in, and nothing else does.
func TestEveryPageAndEveryDuty(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	for _, role := range office.Roles {
		s := b.joined("係 "+string(role), string(role))
		for _, route := range slices.Sorted(maps.Keys(officeActs)) {
			method, path := split(route)
			may := slices.Contains(office.DutyOf(officeActs[route]).May, role)
			var status int
			var page string
			if path = fill(path, string(jitsuin.NewID())); method == http.MethodGet {
				status, page = s.get(path)
			} else {
				status, page = s.post(path, nil)
			}
			switch refused := status == http.StatusForbidden && strings.Contains(page, "not-your-duty"); {
			case may && (refused || status == http.StatusUnauthorized || status >= 500):
				t.Errorf("%s refuses %s: %d", route, role, status)
			case !may && !refused:
				t.Errorf("%s lets %s in: %d", route, role, status)
			}
		}
	}
}

// Every route whose policy names people of the office is in the list above, so that none is left out of the trial.
func TestNoPageOfTheOfficeIsForgotten(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	for _, r := range b.Platform.API.Routes() {
		name := strings.TrimSpace(r.Method + " " + r.Path)
		if _, listed := officeActs[name]; strings.HasPrefix(r.Policy, "People of the office") && !listed {
			t.Errorf("%s is not tried with every role", name)
		}
	}
}

// What the table of duties says takes two people has an effect, and nothing else has one.
func TestEveryActOfTwoPeopleHasAnEffect(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	var want []string
	for _, d := range office.Duties {
		if d.Two() {
			want = append(want, string(d.Act))
		}
	}
	got := platform.SensitiveActs(b.Platform)
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("effects %v, duties %v", got, want)
	}
}
