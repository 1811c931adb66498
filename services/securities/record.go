package securities

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/form"
)

// Why an entry was added to a confirmation record.
const (
	whyOpened  = "opened"
	whyChanged = "changed"
)

// Record is the confirmation record (確認記録) of an account. It grows by entries; none is ever changed
// (rules: record-appended).
type Record struct {
	Account string  `json:"account"`
	Entries []Entry `json:"entries" doc:"the first is the record itself, later ones note what has changed"`
	Keeping Keeping `json:"keeping"`
}

// Entry is one addition to a confirmation record.
type Entry struct {
	N           int            `json:"n"`
	MadeAt      time.Time      `json:"made_at" doc:"civil time"`
	Why         string         `json:"why" enum:"opened,changed"`
	Application string         `json:"application" doc:"number of the signed application from which it was made"`
	Members     []RecordMember `json:"members"`
}

// RecordMember is one member of the record. Key is a key of rules.RecordMembers.
type RecordMember struct {
	Key   string     `json:"key"`
	Value rules.Text `json:"value"`
}

// Keeping says how long a record is kept.
type Keeping struct {
	Years int          `json:"years" doc:"from the day after the contract ends"`
	Rule  rules.Text   `json:"rule"`
	Law   rules.Text   `json:"law"`
	Until jitsuin.Date `json:"until_if_ended_today" doc:"the last day, if the contract ended on the civil day of the answer"`
}

// keepingOf computes how long a confirmation record is kept by the law of a day.
func keepingOf(on jitsuin.Date) (Keeping, error) {
	k, err := rules.KeepingOf(rules.RecordConfirmation, on)
	if err != nil {
		return Keeping{}, err
	}
	return Keeping{Years: k.N, Rule: k.Text, Law: k.Source.Citation(), Until: k.Until(on)}, nil
}

// cases are those of this firm's customers: natural persons for themselves, identified by their card, who
// declare whether they are foreign PEPs.
var cases = []rules.RecordCase{rules.CaseJPKI, rules.CaseForeignPEP}

// members makes the members of a record in the order of the regulation. One that the regulation asks for
// and that would be empty is an error: no account is opened without its record.
func (o opening) members() ([]RecordMember, error) {
	today := jitsuin.DateOf(o.at)
	values, err := o.values(today)
	if err != nil {
		return nil, err
	}
	var all []RecordMember
	for _, m := range rules.MembersOf(rules.RecordConfirmation, today, cases...) {
		v := values[m.Key]
		if v.JA == "" || v.EN == "" {
			return nil, jitsuin.Errorf(jitsuin.Internal, "record-incomplete", "the confirmation record would lack %q", m.Key)
		}
		all = append(all, RecordMember{m.Key, v})
	}
	return all, nil
}

// told are the members that only the firm knows: the same stand in its own record and in that of its vault at the
// platform. by is who is in charge, account what the record is found by.
func told(filled form.Filled, by, account string) map[string]rules.Text {
	return map[string]rules.Text{
		rules.MemberCheckedBy:   same(by),
		rules.MemberMadeBy:      {JA: "口座開設システム（自動作成、責任者: " + by + "）", EN: "Account opening system (made by itself; in charge: " + by + ")"},
		rules.MemberDeclaredAt:  same(filled.Date.String()),
		rules.MemberTransaction: {JA: "総合証券口座の開設（金融商品取引契約の締結）", EN: "Opening a general securities account"},
		rules.MemberPurpose:     chosen(filled, fieldPurpose),
		rules.MemberOccupation:  chosen(filled, fieldOccupation),
		rules.MemberAccount:     same(account),
		rules.MemberForeignPEP:  chosen(filled, fieldPEP),
	}
}

// facts are what the platform is told for the record of the check. The account has no number yet, so that record is
// found by the application's.
func facts(filled form.Filled, by, number string) *client.RecordFacts {
	f := &client.RecordFacts{Items: map[string]string{}, Cases: []rules.RecordCase{rules.CaseForeignPEP}}
	for key, text := range told(filled, by, number) {
		if text.JA != "" {
			f.Items[key] = text.JA
		}
	}
	return f
}

// values gives what the firm knows for each member of a record.
func (o opening) values(today jitsuin.Date) (map[string]rules.Text, error) {
	letter, err := rules.LetterOf(rules.PurposeAccount, today)
	if err != nil {
		return nil, err
	}
	who := *o.checked.Items
	received := o.signed.receivedAt.In(jitsuin.JST).Format(time.DateTime) + " JST"
	all := told(o.filled, o.by, o.account)
	maps.Copy(all, map[string]rules.Text{
		rules.MemberReceivedAt: same(received),
		rules.MemberMethod:     letter.Cited(),
		rules.MemberName:       same(who.Name),
		rules.MemberResidence:  same(who.Address),
		rules.MemberBirthDate:  same(who.BirthDate.String()),
		rules.MemberAttachment: o.attachment(),
	})
	return all, nil
}

func same(s string) rules.Text { return rules.Text{JA: s, EN: s} }

// chosen gives the label of the option that the person chose.
func chosen(filled form.Filled, field string) rules.Text {
	d, _ := filled.Form.Field(field)
	for _, option := range d.Options {
		if option.Value == filled.Values[field] {
			return rules.Text{JA: option.Label.JA, EN: option.Label.EN}
		}
	}
	return rules.Text{}
}

// attachment names what is kept with the record as it was received: the signed application with its
// signature here, and the evidence of the check in the firm's vault at the platform.
func (o opening) attachment() rules.Text {
	document := hexSum(o.signed.content)
	if o.signed.inside() {
		return rules.Text{
			JA: fmt.Sprintf("電子署名された申込書 %s（PDF、SHA-256 %s）。検証の記録 %s", o.Number, document, o.verification),
			EN: fmt.Sprintf("Signed application %s (PDF, SHA-256 %s); record of the check %s", o.Number, document, o.verification),
		}
	}
	cms := hexSum(o.signed.signature)
	return rules.Text{
		JA: fmt.Sprintf("申込書 %s（PDF、SHA-256 %s）及びその電子署名（CMS、SHA-256 %s）。検証の記録 %s", o.Number, document, cms, o.verification),
		EN: fmt.Sprintf("Application %s (PDF, SHA-256 %s) and its signature (CMS, SHA-256 %s); record of the check %s", o.Number, document, cms, o.verification),
	}
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// changing are the members that a customer's later document can change.
var changing = map[string]bool{rules.MemberName: true, rules.MemberResidence: true, rules.MemberBirthDate: true, rules.MemberPurpose: true,
	rules.MemberOccupation: true, rules.MemberForeignPEP: true}

// noteChanges adds a note to the record of somebody who has an account already, where what they signed now
// differs from what is recorded. What was recorded stays.
func (o opening) noteChanges(tx *store.Tx, account string) error {
	entries, err := entriesOf(tx, account)
	if err != nil {
		return err
	}
	recorded := map[string]rules.Text{}
	for _, e := range entries {
		for _, m := range e.Members {
			recorded[m.Key] = m.Value
		}
	}
	o.account = account
	now, err := o.members()
	if err != nil {
		return err
	}
	note := Entry{N: len(entries) + 1, MadeAt: o.at, Why: whyChanged, Application: o.Number}
	for _, m := range now {
		if changing[m.Key] && m.Value != recorded[m.Key] {
			note.Members = append(note.Members, m)
		}
	}
	if note.Members == nil {
		return nil
	}
	for _, m := range now { // who, when, by which document
		switch m.Key {
		case rules.MemberCheckedBy, rules.MemberMadeBy, rules.MemberReceivedAt, rules.MemberAttachment:
			note.Members = append(note.Members, m)
		}
	}
	return appendEntry(tx, account, note)
}

func appendEntry(tx *store.Tx, account string, e Entry) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO confirmation_records (account, n, made_at, body) VALUES ($1, $2, $3, $4)`, account, e.N, store.Micros(e.MadeAt), string(body))
	return err
}

// entriesOf gives the entries of an account's record, the oldest first.
func entriesOf(tx *store.Tx, account string) ([]Entry, error) {
	return store.Collect(func(s store.Scanner) (e Entry, err error) {
		var body []byte
		if err = s.Scan(&body); err != nil {
			return e, err
		}
		return e, json.Unmarshal(body, &e)
	})(tx.Query(`SELECT body FROM confirmation_records WHERE account = $1 ORDER BY n`, account))
}
