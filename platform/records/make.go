package records

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
)

// Check is what the platform knows of a check that accepted a signature.
type Check struct {
	Verification jitsuin.ID
	Record       jitsuin.ID // of an earlier release; else it is drawn
	Tenant       string
	Reading      rules.Reading // of the purpose, on the civil day
	At           time.Time     // civil: signed data and certificate were received
	Leaf         *x509.Certificate
	Digest       string // of the signed data, hex
	Signature    []byte // without the signed data
	Status       []byte
	Document     []byte // the signed data, where they came whole; kept only if the tenant wants it
}

// Draft is a record on its way into the vault.
type Draft struct {
	head      head
	entry     api.RecordEntry
	contract  *string
	signature []byte
	leaf      []byte
	status    []byte
	document  []byte
}

// ID is the record's.
func (d *Draft) ID() jitsuin.ID { return d.head.ID }

// New drafts the record that the law asks for after a check; nil where it asks for none. What the tenant says is checked
// against the members of the record: kind Invalid, with the key.
func New(c Check, facts *api.RecordFacts) (*Draft, error) {
	if len(c.Reading.Keep) == 0 {
		if facts != nil {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "record-none", "no law asks for a record of the purpose %q", c.Reading.Purpose).At("record")
		}
		return nil, nil
	}
	if facts == nil {
		facts = &api.RecordFacts{}
	}
	k, on := c.Reading.Keep[0], jitsuin.DateOf(c.At)
	d := &Draft{signature: c.Signature, leaf: c.Leaf.Raw, status: c.Status}
	if c.Record == "" {
		c.Record = jitsuin.NewID()
	}
	d.head = head{api.RecordHead{ID: c.Record, Kind: k.Record, Purpose: c.Reading.Purpose, Verification: c.Verification, MadeAt: c.At,
		Law: k.Source.Citation().JA, Cases: rules.CasesOf(c.Reading.Purpose)}, c.Tenant}
	if err := d.head.addCases(facts.Cases); err != nil {
		return nil, err
	}
	if facts.KeepDocument {
		if c.Document == nil {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "document-missing", "the signed data were not sent, so they cannot be kept").At("record.keep_document")
		}
		d.document = c.Document
	}
	if last, ok := rules.CompleteBy(k.Record, on, d.head.Cases...); ok {
		d.head.CompleteBy = &last
	}
	if !k.CountsFromContract() {
		d.head.KeepUntil = k.Until(on)
	} else if facts.Contract != "" {
		d.contract = &facts.Contract
	}
	own, err := d.found(c)
	if err != nil {
		return nil, err
	}
	given, err := d.head.itemsOf(facts.Items, func(key string) bool { return hasKey(own, key) }, "record.items")
	if err != nil {
		return nil, err
	}
	d.entry = api.RecordEntry{Record: d.head.ID, N: 1, At: c.At, Who: c.Tenant, Why: api.EntryMade, Items: append(own, given...),
		Cases: d.head.Cases, Contract: facts.Contract, Salt: string(jitsuin.NewID())}
	return d, d.close()
}

// close computes what follows from the first entry.
func (d *Draft) close() (err error) {
	d.head.Complete = len(gaps(d.head.Kind, d.head.madeOn(), d.head.Cases, d.entry.Items)) == 0
	d.head.Account = valueOf(d.entry.Items, rules.MemberAccount)
	d.entry.At = d.entry.At.UTC()
	d.entry.Hash, err = d.entry.Sum()
	d.head.Entries, d.head.Head = 1, d.entry.Hash
	return err
}

func valueOf(items []api.RecordItem, key string) string {
	for _, i := range items {
		if i.Key == key {
			return i.Value
		}
	}
	return ""
}

func hasKey(items []api.RecordItem, key string) bool {
	return slices.ContainsFunc(items, func(i api.RecordItem) bool { return i.Key == key })
}

// addCases takes in cases that the kind of record knows.
func (h *head) addCases(cases []rules.RecordCase) error {
	for _, c := range cases {
		if !slices.Contains(rules.CasesFor(h.Kind), c) {
			return jitsuin.Errorf(jitsuin.Invalid, "record-case", "a record of the kind %q knows no case %q", h.Kind, c).At("cases")
		}
		if !slices.Contains(h.Cases, c) {
			h.Cases = append(slices.Clone(h.Cases), c)
		}
	}
	return nil
}

const maxValue = 1000 // characters of one member

// itemsOf reads what a tenant says, in the order of the regulation. Members of the platform's own finding are refused.
func (h head) itemsOf(given map[string]string, ours func(key string) bool, at string) (items []api.RecordItem, err error) {
	for key, value := range given {
		switch {
		case !rules.HasMember(h.Kind, key, h.madeOn()):
			return nil, jitsuin.Errorf(jitsuin.Invalid, "record-member", "a record of the kind %q has no member %q", h.Kind, key).At(at)
		case ours(key):
			return nil, jitsuin.Errorf(jitsuin.Invalid, "record-member-found", "the member %q is what the check found, and not for the tenant to say", key).At(at)
		case value == "" || len([]rune(value)) > maxValue || !api.Printing(value):
			return nil, jitsuin.Errorf(jitsuin.Invalid, "record-value", "the member %q has between 1 and %d characters that print", key, maxValue).At(at)
		}
	}
	for _, m := range rules.RecordMembers() {
		if value, ok := given[m.Key]; ok && m.Record == h.Kind {
			items = append(items, api.RecordItem{Key: m.Key, Value: value})
		}
	}
	return items, nil
}

// found gives the members that follow from the check, as far as the kind of record has them.
func (d *Draft) found(c Check) (items []api.RecordItem, err error) {
	who, err := cert.ItemsOf(c.Leaf)
	if err != nil {
		return nil, err
	}
	on := jitsuin.DateOf(c.At)
	method := c.Reading.Basis[len(c.Reading.Basis)-1].Cited()
	attached := d.attachment(c)
	values := map[string]api.RecordItem{
		rules.MemberName:        {Value: who.FourItems.Name},
		rules.MemberResidence:   {Value: who.FourItems.Address},
		rules.MemberBirthDate:   {Value: who.FourItems.BirthDate.String()},
		rules.MemberAge:         {Value: fmt.Sprint(rules.Age(who.FourItems.BirthDate, on))},
		rules.MemberReceivedAt:  {Value: c.At.In(jitsuin.JST).Format(time.DateTime) + " JST"},
		rules.MemberCheckedOn:   {Value: on.String()},
		rules.MemberMethod:      {Value: method.JA, EN: method.EN},
		rules.MemberCertificate: {Value: "署名用電子証明書 発行番号 " + serialOf(c.Leaf), EN: "Signature certificate, serial number " + serialOf(c.Leaf)},
		rules.MemberDocument:    {Value: "SHA-2 " + c.Digest},
		rules.MemberAttachment:  {Value: attached.JA, EN: attached.EN},
	}
	for _, m := range rules.MembersOf(d.head.Kind, on, rules.CasesFor(d.head.Kind)...) {
		if v, ok := values[m.Key]; ok && !hasKey(items, m.Key) {
			items = append(items, api.RecordItem{Key: m.Key, Value: v.Value, EN: v.EN})
		}
	}
	return items, nil
}

func serialOf(c *x509.Certificate) string {
	if s, ok := cert.SerialOf(c.SerialNumber); ok {
		return s.String()
	}
	return fmt.Sprintf("%x", c.SerialNumber)
}

// attachment names what is kept as it was received, by digest.
func (d *Draft) attachment(c Check) rules.Text {
	sum := func(name string, b []byte) string { return newFile(name, "", b).SHA256 }
	document := rules.Text{JA: "署名された情報（要約値 " + c.Digest + "）は事業者が保存", EN: "signed data with the digest " + c.Digest + ", kept by the business"}
	if d.document != nil {
		s := sum(FileDocument, d.document)
		document = rules.Text{JA: "署名された情報（SHA-256 " + s + "）", EN: "signed data (SHA-256 " + s + ")"}
	}
	sig, leaf, status := sum(FileSignature, c.Signature), sum(FileCertificate, c.Leaf.Raw), sum(FileStatus, c.Status)
	return rules.Text{
		JA: fmt.Sprintf("電子署名（SHA-256 %s）、署名用電子証明書（SHA-256 %s）、有効性確認の回答（SHA-256 %s）、%s", sig, leaf, status, document.JA),
		EN: fmt.Sprintf("signature (SHA-256 %s), signature certificate (SHA-256 %s), answer about its validity (SHA-256 %s), %s", sig, leaf, status, document.EN),
	}
}

// Put stores a draft for the tenant's user.
func Put(tx *store.Tx, d *Draft, user string) error {
	h := d.head
	by := ""
	if h.CompleteBy != nil {
		by = h.CompleteBy.String()
	}
	complete := 0
	if h.Complete {
		complete = 1
	}
	var verification any // null for a record that no check made
	if h.Verification != "" {
		verification = string(h.Verification)
	}
	_, err := tx.Exec(`INSERT INTO vault_records (id, tenant, verification, kind, law, made_at, keep_until, signature, certificate, status, document,
		about, purpose, user_id, account, cases, complete, complete_by, held, entries, head)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0, $19, $20)`,
		h.ID, h.tenant, verification, string(h.Kind), h.Law, store.Micros(h.MadeAt), h.KeepUntil.String(), notNil(d.signature), notNil(d.leaf), notNil(d.status), d.document,
		h.About, string(h.Purpose), user, h.Account, joinCases(h.Cases), complete, by, h.Entries, h.Head)
	if err != nil {
		return err
	}
	if d.contract != nil {
		if err := putContract(tx, h.tenant, h.ID, *d.contract, jitsuin.Date{}); err != nil {
			return err
		}
	}
	return putEntry(tx, h.tenant, d.entry)
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func putEntry(tx *store.Tx, tenant string, e api.RecordEntry) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO record_entries (tenant, record, n, body) VALUES ($1, $2, $3, $4)`, tenant, e.Record, e.N, string(body))
	return err
}
