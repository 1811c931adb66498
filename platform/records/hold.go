package records

import (
	"database/sql"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Actor is who asks for something with a hold. Operator tells that they work for the platform; a tenant acts on its own
// records alone.
type Actor struct {
	Name     string
	Operator bool
	Tenant   string // "" for an operator
}

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

// GetHold gives a hold that an actor may see.
func GetHold(tx *store.Tx, a Actor, id jitsuin.ID) (api.Hold, error) {
	h, err := scanHold(tx.QueryRow(`SELECT `+holdColumns+` FROM record_holds WHERE id = $1 AND ($2 = '' OR tenant = $2)`, id, a.Tenant))
	if errors.Is(err, sql.ErrNoRows) {
		err = errUnknownHold()
	}
	return h, err
}

func errUnknownHold() error {
	return jitsuin.Errorf(jitsuin.NotFound, "hold-unknown", "there is no such hold of yours")
}

// Place puts a hold on a record: it is not destroyed, however long its time is over.
func Place(tx *store.Tx, a Actor, record, id jitsuin.ID, reason string, at time.Time) (api.Hold, error) {
	var tenant string
	err := tx.QueryRow(`SELECT tenant FROM vault_records WHERE id = $1 AND ($2 = '' OR tenant = $2) AND entries > 0`, record, a.Tenant).Scan(&tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return api.Hold{}, errUnknown()
	}
	if err != nil {
		return api.Hold{}, err
	}
	h := api.Hold{ID: id, Record: record, Tenant: tenant, State: api.HoldOn, Reason: reason, PlacedBy: a.Name, PlacedAt: at}
	if _, err = tx.Exec(`INSERT INTO record_holds (`+holdColumns+`) VALUES ($1, $2, $3, $4, $5, $6, '', '', '', 0)`,
		h.ID, h.Record, h.Tenant, h.Reason, h.PlacedBy, store.Micros(at)); err != nil {
		return h, err
	}
	return h, count(tx, tenant, record, 1)
}

func count(tx *store.Tx, tenant string, record jitsuin.ID, by int) error {
	_, err := tx.Exec(`UPDATE vault_records SET held = held + $1 WHERE tenant = $2 AND id = $3`, by, tenant, record)
	return err
}

// Release asks for the end of a hold, or agrees to it where somebody else has asked. Two different persons are needed, and
// at least one works for the platform.
func Release(tx *store.Tx, a Actor, id jitsuin.ID, reason string, at time.Time) (h api.Hold, err error) {
	if h, err = GetHold(tx, a, id); err != nil {
		return h, err
	}
	tenant := h.Tenant
	var asker int
	if err = tx.QueryRow(`SELECT asked_operator FROM record_holds WHERE tenant = $1 AND id = $2`, tenant, id).Scan(&asker); err != nil {
		return h, err
	}
	switch {
	case h.State == api.HoldReleased:
		return h, jitsuin.Errorf(jitsuin.Conflict, "hold-released", "the hold has ended already")
	case h.State == api.HoldOn:
		operator := 0
		if a.Operator {
			operator = 1
		}
		h.AskedBy, h.AskedWhy, h.State = a.Name, reason, api.HoldAsked
		_, err = tx.Exec(`UPDATE record_holds SET asked_by = $1, asked_why = $2, asked_operator = $3 WHERE tenant = $4 AND id = $5`, a.Name, reason, operator, tenant, id)
		return h, err
	case h.AskedBy == a.Name:
		return h, jitsuin.Errorf(jitsuin.Denied, "second-person", "somebody else has to agree to the release").WithHint("it was asked for by you")
	case asker == 0 && !a.Operator:
		return h, jitsuin.Errorf(jitsuin.Denied, "second-person", "an operator of the platform has to agree to the release")
	}
	h.ReleasedBy, h.ReleasedAt, h.State = a.Name, &at, api.HoldReleased
	if _, err = tx.Exec(`UPDATE record_holds SET released_by = $1, released_at = $2 WHERE tenant = $3 AND id = $4`, a.Name, store.Micros(at), tenant, id); err != nil {
		return h, err
	}
	return h, count(tx, tenant, h.Record, -1)
}
