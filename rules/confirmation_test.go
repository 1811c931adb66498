package rules

import "testing"

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
	own := MembersOf(d(t, "2026-11-25"), CaseJPKI)
	for _, key := range []string{MemberCheckedBy, MemberMadeBy, MemberReceivedAt, MemberDeclaredAt, MemberTransaction, MemberMethod, MemberName,
		MemberResidence, MemberBirthDate, MemberPurpose, MemberOccupation, MemberAccount, MemberAttachment} {
		if !has(own, key) {
			t.Errorf("the record lacks %q", key)
		}
	}
	if len(own) != 13 {
		t.Errorf("%d members: %v", len(own), keysOf(own))
	}
	if !has(MembersOf(d(t, "2016-10-01"), CaseForeignPEP), MemberForeignPEP) || has(MembersOf(d(t, "2016-09-30"), CaseForeignPEP), MemberForeignPEP) {
		t.Error("foreign PEPs are recorded since 1 October 2016")
	}
	seen := map[string]bool{}
	for _, m := range RecordMembers() {
		if seen[m.Key] || m.ID != "record-"+m.Key {
			t.Errorf("%q stands twice, or has another ID", m.Key)
		}
		seen[m.Key] = true
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
