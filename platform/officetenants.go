package platform

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

const tenantsShown = 50

// tenantUse is how much a tenant has had checked lately.
type tenantUse struct {
	Documents, Logins, Refused int64
}

// tenantRow is a tenant as the office sees it.
type tenantRow struct {
	api.Tenant
	Use tenantUse
}

// useDays is for how long back the use of a tenant is counted.
const useDays = 30

func (p *Platform) tenantsPage(w http.ResponseWriter, r *http.Request) error {
	after := r.URL.Query().Get("after")
	var rows []tenantRow
	more := ""
	since := store.Micros(p.Clock.Now().AddDate(0, 0, -useDays))
	err := p.DB.View(r.Context(), func(tx *store.Tx) error {
		found, err := store.Collect(scanTenantRow)(tx.Query(`SELECT id, name, name_en, origins, deemed_since FROM tenants WHERE id > $1 ORDER BY id LIMIT $2`, after, tenantsShown+1))
		if err != nil {
			return err
		}
		if rows, more = found, ""; len(found) > tenantsShown {
			rows = found[:tenantsShown]
			more = rows[tenantsShown-1].ID
		}
		for i := range rows {
			if rows[i].Use, err = useOf(tx, rows[i].ID, since); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.showOffice(w, r, http.StatusOK, "office-tenants", map[string]any{"Tenants": rows, "More": more, "Days": useDays, "Back": after != ""})
}

func (p *Platform) tenantPage(w http.ResponseWriter, r *http.Request) error {
	var row tenantRow
	since := store.Micros(p.Clock.Now().AddDate(0, 0, -useDays))
	err := p.DB.View(r.Context(), func(tx *store.Tx) (err error) {
		if row, err = scanTenantRow(tx.QueryRow(`SELECT id, name, name_en, origins, deemed_since FROM tenants WHERE id = $1`, r.PathValue("id"))); err == nil {
			row.Use, err = useOf(tx, row.ID, since)
		}
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = errUnknownTenant()
	}
	if err != nil {
		return err
	}
	return p.showOffice(w, r, http.StatusOK, "office-tenant", map[string]any{"T": row, "Days": useDays})
}

func scanTenantRow(s store.Scanner) (t tenantRow, err error) {
	var origins []byte
	var since string
	if err := s.Scan(&t.ID, &t.Name, &t.NameEN, &origins, &since); err != nil {
		return t, err
	}
	if t.DeemedSince, err = jitsuin.ParseDate(since); err != nil {
		return t, err
	}
	return t, json.Unmarshal(origins, &t.Origins)
}

// useOf counts a tenant's checks since a civil time.
func useOf(tx *store.Tx, tenant string, since int64) (u tenantUse, err error) {
	err = tx.QueryRow(`SELECT COALESCE(SUM(CASE WHEN sort = $3 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN sort = $4 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN user_id = '' THEN 1 ELSE 0 END), 0) FROM checks WHERE tenant = $1 AND checked_at >= $2`,
		tenant, since, sortDocument, sortLogin).Scan(&u.Documents, &u.Logins, &u.Refused)
	return u, err
}
