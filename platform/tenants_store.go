package platform

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/scope"
)

// tenant is a registered tenant as it is stored; its keys stand apart.
type tenant struct {
	id, name, nameEN string
	origins          []string
	firstKey         []byte // as it was registered; tenant_keys tells which are good
	deemedSince      jitsuin.Date
	state            string
	stateAt          time.Time // civil
	stateReason      string
	contact          api.Contact
	contract         api.Contract // no number: none
	validity         string       // "": the platform's
	quota            api.Quota    // zero: the platform's
	sandbox          bool
	expiresAt        time.Time // wall; zero for no end
}

const tenantColumns = `id, name, name_en, origins, public_key, deemed_since, state, state_at, state_reason, contact_name, contact_email, contact_phone,
	contract_number, contract_since, contract_until, validity, per_second, burst, sandbox, expires_at, contract_pinless`

func scanTenant(s store.Scanner) (t tenant, err error) {
	var origins, deemed, since, until string
	var stateAt, expires int64
	var sandbox, pinless int
	err = s.Scan(&t.id, &t.name, &t.nameEN, &origins, &t.firstKey, &deemed, &t.state, &stateAt, &t.stateReason, &t.contact.Name, &t.contact.Email, &t.contact.Phone,
		&t.contract.Number, &since, &until, &t.validity, &t.quota.PerSecond, &t.quota.Burst, &sandbox, &expires, &pinless)
	if err != nil {
		return t, err
	}
	t.stateAt, t.expiresAt, t.sandbox = store.Time(stateAt), store.Time(expires), sandbox == 1
	t.contract.PINless = pinless == 1
	if t.contract.Number != "" {
		t.contract.Entrusts = []string{api.EntrustReceiving, api.EntrustValidity} // no other contract is taken
	}
	return t, errors.Join(json.Unmarshal([]byte(origins), &t.origins), t.deemedSince.UnmarshalText([]byte(deemed)),
		t.contract.Since.UnmarshalText([]byte(since)), t.contract.Until.UnmarshalText([]byte(until)))
}

// getTenant gives a tenant; NotFound where there is none.
func getTenant(tx *store.Tx, id string) (tenant, error) {
	if id == "" {
		return tenant{}, errUnknownTenant()
	}
	t, err := scanTenant(scope.Of(tx, id).QueryRow(`SELECT ` + tenantColumns + ` FROM tenants WHERE id = $1`))
	if errors.Is(err, sql.ErrNoRows) {
		err = errUnknownTenant()
	}
	return t, err
}

// allTenants lists tenants by id, those behind after, at most limit; 0 for all. It is the office's, and the
// memory's.
func allTenants(tx *store.Tx, after string, limit int) ([]tenant, error) {
	if limit == 0 {
		return store.Collect(scanTenant)(tx.Query(`SELECT ` + tenantColumns + ` FROM tenants ORDER BY id`))
	}
	return store.Collect(scanTenant)(tx.Query(`SELECT `+tenantColumns+` FROM tenants WHERE id > $1 ORDER BY id LIMIT $2`, after, limit))
}

// put stores the tenant, new or changed, and has every process learn of it.
func (t tenant) put(tx *store.Tx) error {
	origins, err := json.Marshal(append([]string{}, t.origins...))
	if err != nil {
		return err
	}
	sandbox := 0
	if t.sandbox {
		sandbox = 1
	}
	pinless := 0
	if t.contract.PINless {
		pinless = 1
	}
	_, err = tx.Exec(`INSERT INTO tenants (`+tenantColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_en = excluded.name_en, origins = excluded.origins, state = excluded.state,
			state_at = excluded.state_at, state_reason = excluded.state_reason, contact_name = excluded.contact_name, contact_email = excluded.contact_email,
			contact_phone = excluded.contact_phone, contract_number = excluded.contract_number, contract_since = excluded.contract_since,
			contract_until = excluded.contract_until, validity = excluded.validity, per_second = excluded.per_second, burst = excluded.burst,
			sandbox = excluded.sandbox, expires_at = excluded.expires_at, contract_pinless = excluded.contract_pinless`,
		t.id, t.name, t.nameEN, string(origins), t.firstKey, t.deemedSince.String(), t.state, store.Micros(t.stateAt), t.stateReason, t.contact.Name, t.contact.Email, t.contact.Phone,
		t.contract.Number, t.contract.Since.String(), t.contract.Until.String(), t.validity, t.quota.PerSecond, t.quota.Burst, sandbox, store.Micros(t.expiresAt), pinless)
	if err != nil {
		return err
	}
	return tenantsChanged(tx)
}

const tenantsSignal = "platform.tenants"

// tenantsChanged has all processes read the tenants again.
func tenantsChanged(tx *store.Tx) error {
	tx.Notify(tenantsSignal)
	_, err := tx.Exec(`UPDATE tenant_changes SET n = n + 1 WHERE one = 1`)
	return err
}

// tenantKey is one of a tenant's keys as it is stored.
type tenantKey struct {
	tenant, kid string
	der         []byte
	addedAt     time.Time // wall; zero where it was there before keys had names
	endedAt     time.Time // wall; zero while it is good
}

func scanKey(s store.Scanner) (k tenantKey, err error) {
	var added, ended int64
	err = s.Scan(&k.tenant, &k.kid, &k.der, &added, &ended)
	k.addedAt, k.endedAt = store.Time(added), store.Time(ended)
	return k, err
}

// keysOf lists a tenant's keys, the latest first.
func keysOf(tx *store.Tx, id string) ([]tenantKey, error) {
	return store.Collect(scanKey)(scope.Of(tx, id).Query(`SELECT tenant, kid, public_key, added_at, ended_at FROM tenant_keys WHERE tenant = $1
		ORDER BY added_at DESC, kid`))
}

// goodKeys lists the keys of all tenants that have not ended, for the memory.
func goodKeys(tx *store.Tx) ([]tenantKey, error) {
	return store.Collect(scanKey)(tx.Query(`/* every tenant: what a process keeps in memory to admit requests */ SELECT tenant, kid, public_key, added_at, ended_at
		FROM tenant_keys WHERE ended_at = 0`))
}

func (k tenantKey) put(tx *store.Tx) error {
	_, err := scope.Of(tx, k.tenant).Exec(`INSERT INTO tenant_keys (tenant, kid, public_key, added_at, ended_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant, kid) DO UPDATE SET ended_at = excluded.ended_at`, k.kid, k.der, store.Micros(k.addedAt), store.Micros(k.endedAt))
	if err != nil {
		return err
	}
	return tenantsChanged(tx)
}
