package console

import (
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	platform "github.com/jitsuin/jitsuin/platform/api"
)

// officeRoles are the duties at the platform for which the console invites residents, with what they are called there. The last one
// goes with no other.
var officeRoles = []struct{ Role, Name string }{
	{"administrator", "管理者"}, {"tenant-desk", "テナント担当"}, {"records-desk", "記録担当"}, {"operations", "運用担当"}, {"auditor", "監査担当"},
}

// officeRole is one of them for the page, with the key of its text.
type officeRole struct{ Role, Key string }

func (d *desk) officeChoice() (all []officeRole) {
	for _, r := range officeRoles {
		all = append(all, officeRole{r.Role, "office.role." + r.Role})
	}
	return all
}

// openOffice invites a resident to work at the platform and leads the browser to the invitation, where they log in with their own card. They
// are called there by their duty: a line of the operation log never has what stands on a card.
func (d *desk) openOffice(w http.ResponseWriter, r *http.Request) error {
	subject, err := jitsuin.ParseID(r.PathValue("subject"))
	if err != nil {
		return err
	}
	if _, err := d.person(r.Context(), subject); err != nil {
		return err
	}
	for _, role := range officeRoles {
		if r.PostForm.Get("role") != role.Role {
			continue
		}
		i, err := httpapi.Do[platform.Invitation](r.Context(), d.Remote(country.Platform), http.MethodPost, "/office/invitations", "",
			platform.InvitationRequest{Name: "見本 " + role.Name + " " + string(subject[:4]), Roles: []string{role.Role}, Reason: "試験環境のコンソールから / from the sandbox's console"})
		if err != nil {
			return err
		}
		http.Redirect(w, r, d.originOf(country.Platform)+i.Link(), http.StatusSeeOther)
		return nil
	}
	return jitsuin.Errorf(jitsuin.Invalid, "office-role", "there is no such duty at the platform").At("role")
}
