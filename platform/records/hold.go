package records

import (
	"database/sql"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

const holdColumns = `id, record, tenant, reason, placed_by, placed_at, asked_by, asked_why, released_by, released_at`

func scanHold(s store.Scanner) (h api.Hold, err error) {
	var placed, released int64
	if err = s.Scan(&h.ID, &h.Record, &h.Tenant, &h.Reason, &h.PlacedBy, &placed, &h.AskedBy, &h.AskedWhy, &h.ReleasedBy, &released); err != nil {
		return h, err
	}
	h.PlacedAt, h.State = store.Time(placed), api.HoldOn
	switch {
	case released != 0:
		at := store.Time(released)
		h.ReleasedAt, h.State = &at, api.HoldReleased
	case h.AskedBy != "":
		h.State = api.HoldAsked
	}
	return h, nil
}

func holdsOf(tx *store.Tx, tenant string, record jitsuin.ID) ([]api.Hold, error) {
	all, err := store.Collect(scanHold)(tx.Query(`SELECT `+holdColumns+` FROM record_holds WHERE tenant = $1 AND record = $2 ORDER BY placed_at, id`, tenant, record))
	if all == nil {
		all = []api.Hold{}
	}
	return all, err
}

// maxHolds is how many holds are listed at a time.
const maxHolds = 500

// Holds lists the holds that are on, of one tenant or, for "", of all.
func Holds(tx *store.Tx, tenant string) ([]api.Hold, error) {
	all, err := store.Collect(scanHold)(tx.Query(`SELECT `+holdColumns+` FROM record_holds WHERE ($1 = '' OR tenant = $1) AND released_at = 0
		ORDER BY placed_at, id LIMIT $2`, tenant, maxHolds))
	if all == nil {
		all = []api.Hold{}
	}
	return all, err
}

// GetHold gives a hold on a record of a tenant, or of any for "".
func GetHold(tx *store.Tx, tenant string, id jitsuin.ID) (api.Hold, error) {
	h, err := scanHold(tx.QueryRow(`SELECT `+holdColumns+` FROM record_holds WHERE id = $1 AND ($2 = '' OR tenant = $2)`, id, tenant))
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "hold-unknown", "there is no such hold of yours")
	}
	return h, err
}

// Place puts a hold on a record of a tenant, or of any for "": it is not destroyed, however long its time is over.
func Place(tx *store.Tx, tenant, by string, record, id jitsuin.ID, reason string, at time.Time) (api.Hold, error) {
	h := api.Hold{ID: id, Record: record, State: api.HoldOn, Reason: reason, PlacedBy: by, PlacedAt: at}
	err := tx.QueryRow(`SELECT tenant FROM vault_records WHERE id = $1 AND ($2 = '' OR tenant = $2) AND entries > 0`, record, tenant).Scan(&h.Tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return h, errUnknown()
	}
	if err != nil {
		return h, err
	}
	if _, err = tx.Exec(`INSERT INTO record_holds (`+holdColumns+`) VALUES ($1, $2, $3, $4, $5, $6, '', '', '', 0)`,
		h.ID, h.Record, h.Tenant, h.Reason, h.PlacedBy, store.Micros(at)); err != nil {
		return h, err
	}
	return h, count(tx, h.Tenant, record, 1)
}

func count(tx *store.Tx, tenant string, record jitsuin.ID, by int) error {
	_, err := tx.Exec(`UPDATE vault_records SET held = held + $1 WHERE tenant = $2 AND id = $3`, by, tenant, record)
	return err
}

func errReleased() error {
	return jitsuin.Errorf(jitsuin.Conflict, "hold-released", "the hold has ended already")
}

// Ask notes that a tenant asks for the end of a hold on its record. That ends nothing: two people of the platform do.
func Ask(tx *store.Tx, tenant string, id jitsuin.ID, reason string) (api.Hold, error) {
	h, err := GetHold(tx, tenant, id)
	if err != nil {
		return h, err
	}
	if h.State == api.HoldReleased {
		return h, errReleased()
	}
	h.AskedBy, h.AskedWhy, h.State = tenant, reason, api.HoldAsked
	_, err = tx.Exec(`UPDATE record_holds SET asked_by = $1, asked_why = $2 WHERE tenant = $3 AND id = $4`, h.AskedBy, h.AskedWhy, tenant, id)
	return h, err
}

// End ends a hold by two people of the platform.
func End(tx *store.Tx, id jitsuin.ID, first, second string, at time.Time) (api.Hold, error) {
	h, err := GetHold(tx, "", id)
	if err != nil {
		return h, err
	}
	if h.State == api.HoldReleased {
		return h, errReleased()
	}
	h.ReleasedBy, h.ReleasedAt, h.State = first+", "+second, &at, api.HoldReleased
	if _, err = tx.Exec(`UPDATE record_holds SET released_by = $1, released_at = $2 WHERE tenant = $3 AND id = $4`, h.ReleasedBy, store.Micros(at), h.Tenant, id); err != nil {
		return h, err
	}
	return h, count(tx, h.Tenant, h.Record, -1)
}
