package rules

import (
	"strings"
	"testing"
)

func keysOf(all []RecordMember) (keys []string) {
	for _, m := range all {
		keys = append(keys, m.Key)
	}
	return keys
}

func TestAConfirmationRecordsMembers(t *testing.T) {
	has := func(all []RecordMember, key string) bool {
		for _, m := range all {
			if m.Key == key {
				return true
			}
		}
		return false
	}
	own := MembersOf(RecordConfirmation, d(t, "2026-11-25"), CaseJPKI)
	for _, key := range []string{MemberCheckedBy, MemberMadeBy, MemberReceivedAt, MemberDeclaredAt, MemberTransaction, MemberMethod, MemberName,
		MemberResidence, MemberBirthDate, MemberPurpose, MemberOccupation, MemberAccount, MemberAttachment} {
		if !has(own, key) {
			t.Errorf("the record lacks %q", key)
		}
	}
	if len(own) != 13 {
		t.Errorf("%d members: %v", len(own), keysOf(own))
	}
	if !has(MembersOf(RecordConfirmation, d(t, "2016-10-01"), CaseForeignPEP), MemberForeignPEP) || has(MembersOf(RecordConfirmation, d(t, "2016-09-30"), CaseForeignPEP), MemberForeignPEP) {
		t.Error("foreign PEPs are recorded since 1 October 2016")
	}
	// The 24 items of 2013 are all there, with the three kinds of data of item xiv as three members.
	items := map[string]bool{}
	for _, m := range RecordMembers() {
		if _, rest, ok := strings.Cut(m.Source.Note, "Item "); ok && m.Record == RecordConfirmation {
			item, _, _ := strings.Cut(rest, " ")
			items[item] = true
		}
	}
	if n := confirmationItems.n(d(t, "2016-09-30")); len(items) != n || n != 24 || confirmationItems.n(d(t, "2016-10-01")) != 31 {
		t.Errorf("%d items of the %d of 2013: %v", len(items), n, items)
	}
	seen := map[string]bool{}
	for _, m := range RecordMembers() {
		id := "record-" + string(m.Record) + "-" + m.Key
		if m.Record == RecordConfirmation {
			id = "record-" + m.Key
		}
		if seen[m.ID] || m.ID != id {
			t.Errorf("%q stands twice, or has another ID than %q", m.ID, id)
		}
		seen[m.ID] = true
	}
}

// The records of the other acts, item by item as their articles have them.
func TestTheMembersOfTheOtherRecords(t *testing.T) {
	for _, c := range []struct {
		record Record
		cases  []RecordCase
		want   string
	}{
		{RecordMobile, CasesOf(PurposeMobile), "checked-by made-by checked-on name residence birth-date method certificate"},
		{RecordMobile, CasesOf(PurposeMobileRental), "checked-by made-by checked-on name residence birth-date method certificate devices telephone-numbers"},
		{RecordAntique, CasesOf(PurposeAntique), "traded-on goods features residence name occupation age method"},
		{RecordTransaction, nil, "account-number traded-on transaction value"},
		{RecordTransaction, []RecordCase{CaseTransfer}, "account-number traded-on transaction value transfer"},
		{RecordLinkedNumber, nil, "account-number traded-on transaction"},
		{RecordContract, CasesOf(PurposeContract), "document received-at name method attachment"},
		{RecordConsent, CasesOf(PurposeLatestItems), "received-at name service document attachment"},
		{RecordCRL, nil, ""},
	} {
		if got := strings.Join(keysOf(MembersOf(c.record, d(t, "2026-11-25"), c.cases...)), " "); got != c.want {
			t.Errorf("%s %v: %s, want %s", c.record, c.cases, got, c.want)
		}
	}
	if !HasMember(RecordMobile, MemberTelephone, d(t, "2026-11-25")) || HasMember(RecordAntique, MemberTelephone, d(t, "2026-11-25")) ||
		HasMember(RecordConfirmation, MemberForeignPEP, d(t, "2016-09-30")) {
		t.Error("what a record may have")
	}
}

func TestByWhenARecordIsComplete(t *testing.T) {
	for begun, want := range map[string]string{"2026-11-25": "2026-11-28", "2028-02-27": "2028-03-01", "2027-02-27": "2027-03-02", "2026-12-31": "2027-01-03"} {
		if last, ok := CompleteBy(RecordMobile, d(t, begun), CasesOf(PurposeMobileRental)...); !ok || last != d(t, want) {
			t.Errorf("a rental of %s: %s, want %s", begun, last, want)
		}
	}
	if _, ok := CompleteBy(RecordMobile, d(t, "2026-11-25"), CasesOf(PurposeMobile)...); ok {
		t.Error("a carrier has three days")
	}
}

func TestComingOfAge(t *testing.T) {
	for _, c := range []struct {
		birth, on string
		adult     bool
		age       int
	}{
		{"2003-03-31", "2022-03-31", false, 20}, {"2002-03-31", "2022-03-31", true, 20},
		{"2004-04-01", "2022-04-01", true, 18}, {"2004-04-02", "2022-04-01", false, 18}, {"2008-11-25", "2026-11-25", true, 18},
	} {
		if adult, age := IsAdult(d(t, c.birth), d(t, c.on)); adult != c.adult || age != c.age {
			t.Errorf("born %s, on %s: %v at %d", c.birth, c.on, adult, age)
		}
	}
}
