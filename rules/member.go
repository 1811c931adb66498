package rules

import (
	"slices"

	"github.com/jitsuin/jitsuin"
)

// RecordCase is a case in which a member of a record is asked for.
type RecordCase string

const (
	CaseAlways      RecordCase = "always"       // every natural person who comes by herself or himself
	CaseJPKI        RecordCase = "jpki"         // identified by a signature with the signature certificate
	CaseForeignPEP  RecordCase = "foreign-pep"  // 外国PEPs
	CaseAgent       RecordCase = "agent"        // 代表者等 acts for the customer
	CaseLegalEntity RecordCase = "legal-entity" // 法人
	CaseHighRisk    RecordCase = "high-risk"    // 厳格な取引時確認
	CaseAlias       RecordCase = "alias"        // another name than one's own is used
	CasePaper       RecordCase = "paper"        // identified by a paper (本人確認書類)
	CasePosted      RecordCase = "posted"       // papers are posted or handed over (取引関係文書)
	CaseStay        RecordCase = "stay"         // a foreigner's period of stay is checked
	CaseRental      RecordCase = "rental"       // 貸与
	CaseStateBody   RecordCase = "state-body"   // 国等
	CaseTransfer    RecordCase = "transfer"     // 財産移転
)

// RecordMember is a member that a record must have in a case. Key is its name in the record. The ID of its Rule is
// "record-" and Key for a confirmation record, and has the record's name between them for any other.
type RecordMember struct {
	Record Record
	Key    string
	Case   RecordCase
	Rule
}

// Keys of members.
const (
	MemberCheckedBy   = "checked-by"
	MemberMadeBy      = "made-by"
	MemberReceivedAt  = "received-at"
	MemberDeclaredAt  = "declared-at"
	MemberTransaction = "transaction"
	MemberMethod      = "method"
	MemberName        = "name"
	MemberResidence   = "residence"
	MemberBirthDate   = "birth-date"
	MemberPurpose     = "purpose"
	MemberOccupation  = "occupation"
	MemberAccount     = "account-number"
	MemberForeignPEP  = "foreign-pep"
	MemberAttachment  = "attachment"

	MemberCheckedOn   = "checked-on"
	MemberCertificate = "certificate"
	MemberDevices     = "devices"
	MemberTelephone   = "telephone-numbers"
	MemberTradedOn    = "traded-on"
	MemberGoods       = "goods"
	MemberFeatures    = "features"
	MemberAge         = "age"
	MemberValue       = "value"
	MemberTransfer    = "transfer"
	MemberDocument    = "document"
	MemberService     = "service"
)

// RecordMembers lists the members of every record that a recipient of signatures makes, record by record, in the
// order of its regulation.
func RecordMembers() []RecordMember {
	return slices.Concat(confirmationMembers(), transactionMembers(), mobileMembers(), antiqueMembers(), archiveMembers())
}

// MembersOf gives the members that a record made on a day must have in the cases. CaseAlways is always among them.
// A record of which no regulation is recorded here has none.
func MembersOf(record Record, on jitsuin.Date, cases ...RecordCase) []RecordMember {
	var all []RecordMember
	for _, m := range RecordMembers() {
		if m.Record == record && (m.Case == CaseAlways || slices.Contains(cases, m.Case)) && m.InForce.Covers(on) {
			all = append(all, m)
		}
	}
	return all
}

// HasMember tells whether a record may have the member in any case, on a day.
func HasMember(record Record, key string, on jitsuin.Date) bool {
	return slices.ContainsFunc(RecordMembers(), func(m RecordMember) bool {
		return m.Record == record && m.Key == key && m.InForce.Covers(on)
	})
}

// CasesOf gives the cases that the purpose of a signature brings with it.
func CasesOf(p Purpose) []RecordCase {
	if p == PurposeMobileRental {
		return []RecordCase{CaseJPKI, CaseRental}
	}
	return []RecordCase{CaseJPKI}
}

// CasesFor lists the cases that members of a record know, in no particular order and each once.
func CasesFor(record Record) (all []RecordCase) {
	for _, m := range RecordMembers() {
		if m.Record == record && !slices.Contains(all, m.Case) {
			all = append(all, m.Case)
		}
	}
	return all
}

// CompleteBy gives the last day on which a record of the cases is completed that was begun on a day; ok is false
// where the law only says at once (直ちに, 速やかに).
func CompleteBy(record Record, begun jitsuin.Date, cases ...RecordCase) (last jitsuin.Date, ok bool) {
	if record != RecordMobile || !slices.Contains(cases, CaseRental) {
		return last, false
	}
	return begun.AddDays(mustRentalRecord.n(begun)), true
}
