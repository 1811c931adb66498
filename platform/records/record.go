package records

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
)

// head is the row of a record without its attachment.
type head struct {
	api.RecordHead
	tenant string
}

const headColumns = `id, tenant, COALESCE(verification, ''), kind, law, made_at, keep_until, about, purpose, user_id, account, cases, complete, complete_by, held, entries, head`

func scanHead(s store.Scanner) (h head, err error) {
	var made int64
	var until, cases, by string
	var complete, held int
	if err = s.Scan(&h.ID, &h.tenant, &h.Verification, &h.Kind, &h.Law, &made, &until, &h.About, &h.Purpose, &h.User, &h.Account,
		&cases, &complete, &by, &held, &h.Entries, &h.Head); err != nil {
		return h, err
	}
	h.MadeAt, h.Complete, h.Held, h.Cases = store.Time(made), complete == 1, held > 0, splitCases(cases)
	if by != "" {
		day, err := jitsuin.ParseDate(by)
		if err != nil {
			return h, fmt.Errorf("the stored record: %w", err)
		}
		h.CompleteBy = &day
	}
	return h, h.KeepUntil.UnmarshalText([]byte(until))
}

func joinCases(cases []rules.RecordCase) string {
	all := make([]string, len(cases))
	for i, c := range cases {
		all[i] = string(c)
	}
	return strings.Join(all, ",")
}

func splitCases(text string) (cases []rules.RecordCase) {
	for _, c := range strings.Split(text, ",") {
		if c != "" {
			cases = append(cases, rules.RecordCase(c))
		}
	}
	return cases
}

// madeOn is the day whose law says what the record must have.
func (h head) madeOn() jitsuin.Date { return jitsuin.DateOf(h.MadeAt) }

// keeping gives the rule by which the record is kept: that of the day on which it was made.
func (h head) keeping() (rules.KeepingRule, error) { return rules.KeepingOf(h.Kind, h.madeOn()) }

func errUnknown() error {
	return jitsuin.Errorf(jitsuin.NotFound, "record-unknown", "there is no such record of yours")
}

// getHead gives a tenant's record; another tenant's, and one that never was, are NotFound alike.
func getHead(tx *store.Tx, tenant string, id jitsuin.ID) (h head, err error) {
	h, err = scanHead(tx.QueryRow(`SELECT `+headColumns+` FROM vault_records WHERE tenant = $1 AND id = $2 AND entries > 0`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return h, errUnknown()
	}
	return h, err
}

// Head gives what a list tells of a tenant's record.
func Head(tx *store.Tx, tenant string, id jitsuin.ID) (api.RecordHead, error) {
	h, err := getHead(tx, tenant, id)
	return h.RecordHead, err
}

// OfCheck gives the head of the record that was made from a tenant's check; ok is false where there is none, or no more.
func OfCheck(tx *store.Tx, tenant string, verification jitsuin.ID) (r api.RecordHead, ok bool, err error) {
	h, err := scanHead(tx.QueryRow(`SELECT `+headColumns+` FROM vault_records WHERE tenant = $1 AND verification = $2`, tenant, verification))
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return h.RecordHead, err == nil, err
}

// entriesOf gives everything that was written into a record, the oldest first.
func entriesOf(tx *store.Tx, tenant string, record jitsuin.ID) ([]api.RecordEntry, error) {
	return store.Collect(func(s store.Scanner) (e api.RecordEntry, err error) {
		var body []byte
		if err = s.Scan(&body); err != nil {
			return e, err
		}
		return e, json.Unmarshal(body, &e)
	})(tx.Query(`SELECT body FROM record_entries WHERE tenant = $1 AND record = $2 ORDER BY n`, tenant, record))
}

// standing gives the newest value of each member, in the order in which they first came.
func standing(entries []api.RecordEntry) []api.RecordItem {
	items, at := []api.RecordItem{}, map[string]int{}
	for _, e := range entries {
		for _, i := range e.Items {
			n, had := at[i.Key]
			if !had {
				at[i.Key] = len(items)
				items = append(items, i)
				continue
			}
			items[n] = i
		}
	}
	return items
}

// gaps lists what the law of the day asks for and the items do not have.
func gaps(kind rules.Record, on jitsuin.Date, cases []rules.RecordCase, items []api.RecordItem) []api.RecordGap {
	has := map[string]bool{}
	for _, i := range items {
		has[i.Key] = i.Value != ""
	}
	missing := []api.RecordGap{}
	for _, m := range rules.MembersOf(kind, on, cases...) {
		if !has[m.Key] {
			missing = append(missing, api.RecordGap{Key: m.Key, Text: m.Text, Law: m.Source.Citation(), Sure: m.Source.Confidence})
		}
	}
	return missing
}

// Read gives a tenant's record as it stands.
func Read(tx *store.Tx, tenant string, id jitsuin.ID) (r api.FullRecord, err error) {
	h, err := getHead(tx, tenant, id)
	if err != nil {
		return r, err
	}
	r = api.FullRecord{RecordHead: h.RecordHead}
	if r.List, err = entriesOf(tx, tenant, id); err != nil {
		return r, err
	}
	if err := api.CheckEntries(id, h.Head, r.List); err != nil {
		return r, jitsuin.Errorf(jitsuin.Internal, "record-changed", "the stored record %s: %w", id, err)
	}
	r.Items = standing(r.List)
	r.Missing = gaps(h.Kind, h.madeOn(), h.Cases, r.Items)
	if r.Contracts, err = contractsOf(tx, tenant, id); err != nil {
		return r, err
	}
	if r.Holds, err = holdsOf(tx, tenant, id); err != nil {
		return r, err
	}
	all, err := filesOf(tx, tenant, id)
	if err != nil {
		return r, err
	}
	r.Files = []api.RecordFile{}
	for _, f := range all {
		r.Files = append(r.Files, f.RecordFile)
	}
	k, err := h.keeping()
	if err != nil {
		return r, err
	}
	r.Keeping = api.RecordKeeping{Rule: k.ID, Text: k.Text, Law: k.Source.Citation(), Years: k.N, Start: k.Start, Until: h.KeepUntil}
	return r, nil
}

// Missing lists what the law asks for and a tenant's record does not have yet.
func Missing(tx *store.Tx, tenant string, id jitsuin.ID) ([]api.RecordGap, error) {
	h, err := getHead(tx, tenant, id)
	if err != nil {
		return nil, err
	}
	all, err := entriesOf(tx, tenant, id)
	return gaps(h.Kind, h.madeOn(), h.Cases, standing(all)), err
}
