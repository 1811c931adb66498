package records

import (
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
)

// fixed are the members that say what the check found: nothing that happens later changes them.
var fixed = []string{rules.MemberReceivedAt, rules.MemberCheckedOn, rules.MemberMethod, rules.MemberCertificate, rules.MemberDocument, rules.MemberAttachment}

// Amend adds to a tenant's record what changed or was missing (付記). What was written stays.
func Amend(tx *store.Tx, tenant string, id jitsuin.ID, a api.Amendment, at time.Time) (api.RecordHead, error) {
	h, err := getHead(tx, tenant, id)
	if err != nil {
		return h.RecordHead, err
	}
	items, err := h.itemsOf(a.Items, func(key string) bool { return slices.Contains(fixed, key) }, "items")
	if err != nil {
		return h.RecordHead, err
	}
	before := len(h.Cases)
	if err := h.addCases(a.Cases); err != nil {
		return h.RecordHead, err
	}
	if len(items) == 0 && len(h.Cases) == before {
		return h.RecordHead, jitsuin.Errorf(jitsuin.Invalid, "amendment-empty", "the amendment says nothing").At("items")
	}
	e := api.RecordEntry{At: at, Who: tenant, By: a.By, Why: api.EntryAmended, Reason: a.Reason, Items: items, Cases: h.Cases[before:]}
	return h.add(tx, e)
}

// add appends an entry and what follows from it.
func (h head) add(tx *store.Tx, e api.RecordEntry) (api.RecordHead, error) {
	e.Record, e.N, e.Prev, e.At = h.ID, h.Entries+1, h.Head, e.At.UTC()
	if e.Items == nil {
		e.Items = []api.RecordItem{}
	}
	var err error
	if e.Hash, err = e.Sum(); err != nil {
		return h.RecordHead, err
	}
	if err := putEntry(tx, h.tenant, e); err != nil {
		return h.RecordHead, err
	}
	h.Entries, h.Head = e.N, e.Hash
	all, err := entriesOf(tx, h.tenant, h.ID)
	if err != nil {
		return h.RecordHead, err
	}
	items := standing(all)
	h.Complete = len(gaps(h.Kind, h.madeOn(), h.Cases, items)) == 0
	h.Account = valueOf(items, rules.MemberAccount)
	if err := h.keepAgain(tx, jitsuin.DateOf(e.At)); err != nil {
		return h.RecordHead, err
	}
	complete := 0
	if h.Complete {
		complete = 1
	}
	_, err = tx.Exec(`UPDATE vault_records SET account = $1, cases = $2, complete = $3, keep_until = $4, entries = $5, head = $6 WHERE tenant = $7 AND id = $8`,
		h.Account, joinCases(h.Cases), complete, h.KeepUntil.String(), h.Entries, h.Head, h.tenant, h.ID)
	return h.RecordHead, err
}

// keepAgain computes the last day anew: from the last contract to end, or of a book from the day of its last entry.
func (h *head) keepAgain(tx *store.Tx, entered jitsuin.Date) error {
	k, err := h.keeping()
	if err != nil {
		return err
	}
	switch {
	case k.CountsFromContract():
		contracts, err := contractsOf(tx, h.tenant, h.ID)
		if err != nil {
			return err
		}
		h.KeepUntil = jitsuin.Date{}
		var ends []jitsuin.Date
		for _, c := range contracts {
			if c.EndedOn.IsZero() {
				return nil
			}
			ends = append(ends, c.EndedOn)
		}
		h.KeepUntil = k.UntilLatest(ends...)
	case h.Kind == rules.RecordAntique:
		h.KeepUntil = k.Until(entered)
	}
	return nil
}

func contractsOf(tx *store.Tx, tenant string, record jitsuin.ID) ([]api.RecordContract, error) {
	all, err := store.Collect(func(s store.Scanner) (c api.RecordContract, err error) {
		var ended string
		if err = s.Scan(&c.Contract, &ended); err != nil {
			return c, err
		}
		return c, c.EndedOn.UnmarshalText([]byte(ended))
	})(tx.Query(`SELECT contract, ended_on FROM record_contracts WHERE tenant = $1 AND record = $2 ORDER BY contract`, tenant, record))
	if all == nil {
		all = []api.RecordContract{}
	}
	return all, err
}

// putContract writes a contract; one that is there takes the day.
func putContract(tx *store.Tx, tenant string, record jitsuin.ID, contract string, ended jitsuin.Date) error {
	_, err := tx.Exec(`INSERT INTO record_contracts (tenant, record, contract, ended_on) VALUES ($1, $2, $3, $4)
		ON CONFLICT (record, contract) DO UPDATE SET ended_on = excluded.ended_on`, tenant, record, contract, ended.String())
	return err
}

// AddContract tells that a further contract rests on the check (取引時確認済みの取引): the record is kept for that one, too.
func AddContract(tx *store.Tx, tenant string, id jitsuin.ID, n api.ContractNote, at time.Time) (api.RecordHead, error) {
	h, contracts, err := byContract(tx, tenant, id)
	if err != nil {
		return h.RecordHead, err
	}
	if n.Contract == "" || !api.Printing(n.Contract) {
		return h.RecordHead, jitsuin.Errorf(jitsuin.Invalid, "contract-name", "a further contract has a number of yours").At("contract")
	}
	if slices.ContainsFunc(contracts, func(c api.RecordContract) bool { return c.Contract == n.Contract }) {
		return h.RecordHead, jitsuin.Errorf(jitsuin.Conflict, "contract-known", "the record has this contract already").At("contract")
	}
	if err := putContract(tx, tenant, id, n.Contract, jitsuin.Date{}); err != nil {
		return h.RecordHead, err
	}
	return h.add(tx, api.RecordEntry{At: at, Who: tenant, By: n.By, Why: api.EntryContract, Contract: n.Contract})
}

// EndContract tells that a contract ended on a day. When all have, the record's last day is known. Told again, the
// newer day counts; both stand in the record.
func EndContract(tx *store.Tx, tenant string, id jitsuin.ID, n api.ContractNote, at time.Time) (api.RecordHead, error) {
	h, contracts, err := byContract(tx, tenant, id)
	if err != nil {
		return h.RecordHead, err
	}
	switch {
	case n.EndedOn.IsZero():
		return h.RecordHead, jitsuin.Errorf(jitsuin.Invalid, "ended-on-missing", "on which day did the contract end?").At("ended_on")
	case n.EndedOn.Before(h.madeOn()):
		return h.RecordHead, jitsuin.Errorf(jitsuin.Invalid, "ended-before", "the contract cannot have ended before the check for it, on %s", h.madeOn()).At("ended_on")
	case n.EndedOn.After(jitsuin.DateOf(at)):
		return h.RecordHead, jitsuin.Errorf(jitsuin.Invalid, "ended-future", "the contract has not ended yet: tell it when it has").At("ended_on")
	}
	switch known := slices.ContainsFunc(contracts, func(c api.RecordContract) bool { return c.Contract == n.Contract }); {
	case n.Contract == "" && len(contracts) == 1:
		n.Contract = contracts[0].Contract
	case !known && len(contracts) > 0:
		return h.RecordHead, jitsuin.Errorf(jitsuin.NotFound, "contract-unknown", "the record has no such contract").At("contract").
			WithHint("name one of the contracts that stand in the record")
	}
	if err := putContract(tx, tenant, id, n.Contract, n.EndedOn); err != nil {
		return h.RecordHead, err
	}
	return h.add(tx, api.RecordEntry{At: at, Who: tenant, By: n.By, Why: api.EntryEnd, Contract: n.Contract, EndedOn: &n.EndedOn})
}

// byContract gives a record whose time counts from the end of a contract, with its contracts.
func byContract(tx *store.Tx, tenant string, id jitsuin.ID) (h head, contracts []api.RecordContract, err error) {
	if h, err = getHead(tx, tenant, id); err != nil {
		return h, nil, err
	}
	k, err := h.keeping()
	if err != nil {
		return h, nil, err
	}
	if !k.CountsFromContract() {
		return h, nil, jitsuin.Errorf(jitsuin.Conflict, "record-without-contract", "the time of this record does not depend on a contract").
			WithHint("its last day is %s", h.KeepUntil)
	}
	contracts, err = contractsOf(tx, tenant, id)
	return h, contracts, err
}

// NewBeside drafts the record of a transaction, or the note that a known customer was recognised. The person's record is
// looked at in PutBeside.
func NewBeside(tenant string, n api.NewRecord, at time.Time) (*Draft, error) {
	if n.Kind != rules.RecordTransaction && n.Kind != rules.RecordLinkedNumber {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "record-kind", "a record of the kind %q comes from a check", n.Kind).At("kind")
	}
	today := jitsuin.DateOf(at)
	if n.On.IsZero() || n.On.After(today) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "record-on", "the day of the transaction is missing or to come").At("on")
	}
	k, err := rules.KeepingOf(n.Kind, today)
	if err != nil {
		return nil, err
	}
	d := &Draft{head: head{api.RecordHead{ID: jitsuin.NewID(), Kind: n.Kind, About: n.About, MadeAt: at, Law: k.Source.Citation().JA, KeepUntil: k.Until(n.On)}, tenant}}
	if d.head.KeepUntil.Before(today) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "record-on", "the time for which a record of that day is kept is over").At("on")
	}
	if err := d.head.addCases(n.Cases); err != nil {
		return nil, err
	}
	own := []api.RecordItem{{Key: rules.MemberTradedOn, Value: n.On.String()}}
	given, err := d.head.itemsOf(n.Items, func(key string) bool { return hasKey(own, key) }, "items")
	if err != nil {
		return nil, err
	}
	d.entry = api.RecordEntry{Record: d.head.ID, N: 1, At: at, Who: tenant, By: n.By, Why: api.EntryMade, Items: append(own, given...), Cases: d.head.Cases, Salt: string(jitsuin.NewID())}
	return d, d.close()
}

// PutBeside stores the record beside that of the person, which must be a confirmation record of the tenant. Where the
// tenant named no account, that of the person's record is taken.
func PutBeside(tx *store.Tx, d *Draft) (api.RecordHead, error) {
	person, err := getHead(tx, d.head.tenant, d.head.About)
	if err != nil {
		return d.head.RecordHead, err
	}
	if person.Kind != rules.RecordConfirmation {
		return d.head.RecordHead, jitsuin.Errorf(jitsuin.Conflict, "record-about", "the record of a transaction stands beside a confirmation record").At("about")
	}
	draft := *d // the transaction may run again
	if draft.head.Account == "" && person.Account != "" {
		draft.entry.Items = append(slices.Clone(draft.entry.Items), api.RecordItem{Key: rules.MemberAccount, Value: person.Account})
		if err := draft.close(); err != nil {
			return draft.head.RecordHead, err
		}
	}
	draft.head.User = person.User
	return draft.head.RecordHead, Put(tx, &draft, person.User)
}
