package municipality

import (
	"github.com/jitsuin/jitsuin"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

// situation is all that a decision on a change rests on besides the request.
type situation struct {
	Town   jitsuin.MunicipalityCode
	Today  jitsuin.Date
	Before *record // nil where the register never had the person
	// Certificate is the unused moving-out certificate (転出証明書情報) of the person, or nil.
	Certificate *jukinet.Transfer
	// Numbers are the next ones in stock, nil where the stock is empty.
	Numbers *jukinet.NumberPair
	// NewSubject and NewHousehold are drawn for a first entry.
	NewSubject, NewHousehold jitsuin.ID
	// HouseholdExists tells that somebody present is in the household that the request names.
	HouseholdExists bool
	// Twin tells that somebody present has the very four items of a new entry.
	Twin bool
	// IsTown tells whether a code is a municipality of the country.
	IsTown func(jitsuin.MunicipalityCode) bool
}

// decide gives the record as it is after the change, or why the change is impossible. It changes nothing.
func decide(r api.ChangeRequest, s situation) (record, error) {
	if err := checkRequest(r, s); err != nil {
		return record{}, err
	}
	act, err := actOf(r.Cause)
	if err != nil {
		return record{}, err
	}
	after, err := act(r, s)
	if err != nil {
		return record{}, err
	}
	if r.Household != "" {
		if !s.HouseholdExists {
			return record{}, jitsuin.Errorf(jitsuin.NotFound, "household-unknown", "nobody present is in that household").At("household")
		}
		after.Household = r.Household
	}
	if r.Standing != nil {
		after.Standing = jukinet.Standing(*r.Standing)
	}
	before := jitsuin.FourItems{}
	if s.Before != nil {
		before = s.Before.Items
	}
	// The law's own test of the change: that cause, state and items agree.
	_, err = rules.Effect(changeOf(r, s, after, ""), before)
	return after, err
}

func actOf(c jitsuin.Cause) (func(api.ChangeRequest, situation) (record, error), error) {
	switch c {
	case jitsuin.CauseMoveIn:
		return moveIn, nil
	case jitsuin.CauseBirth:
		return birth, nil
	case jitsuin.CauseEntered:
		return enter, nil
	case jitsuin.CauseMoveOut:
		return moveOut, nil
	case jitsuin.CauseDeath:
		return death, nil
	case jitsuin.CauseDeleted:
		return deleteRecord, nil
	case jitsuin.CauseMoveWithin:
		return moveWithin, nil
	case jitsuin.CauseMinorCorrection, jitsuin.CauseAmended:
		return amend, nil
	case jitsuin.CauseCodeRequested, jitsuin.CauseCodeOfficial:
		return newCode, nil
	}
	return nil, jitsuin.Errorf(jitsuin.Invalid, "cause-unknown", "unknown cause %q", c).At("cause")
}

// changeOf is the change as it is told to others.
func changeOf(r api.ChangeRequest, s situation, after record, requestID string) jitsuin.Change {
	return jitsuin.Change{Subject: after.Subject, Cause: r.Cause, OccurredOn: r.OccurredOn, Municipality: s.Town,
		State: after.State, Items: after.Items, ContinuedUse: r.ContinuedUse, MinorRule: r.MinorRule, RequestID: requestID}
}

// checkRequest refuses what is wrong whatever the register says.
func checkRequest(r api.ChangeRequest, s situation) error {
	switch {
	case r.Revision != 0 && (s.Before == nil || s.Before.Revision != r.Revision):
		return jitsuin.Errorf(jitsuin.Conflict, "record-changed", "the record has changed since the clerk looked at it").
			WithHint("look at the record as it is now").At("revision")
	case r.OccurredOn.IsZero():
		return jitsuin.Errorf(jitsuin.Invalid, "date-missing", "the day of the change is missing").At("occurred_on")
	case r.OccurredOn.After(s.Today) && r.Cause != jitsuin.CauseMoveOut:
		return jitsuin.Errorf(jitsuin.Invalid, "date-in-future", "%s lies in the future; only a departure is recorded beforehand", r.OccurredOn).At("occurred_on")
	case (r.Abroad || r.Destination != "" || r.ContinuedUse) && r.Cause != jitsuin.CauseMoveOut:
		return jitsuin.Errorf(jitsuin.Invalid, "not-for-this-cause", "destination, abroad and continued use belong to a departure").At("cause")
	case r.MinorRule != 0 && r.Cause != jitsuin.CauseMinorCorrection:
		return jitsuin.Errorf(jitsuin.Invalid, "minor-rule", "only a minor correction names a case of art. 21-2").At("minor_rule")
	case r.Address != "" && r.Cause != jitsuin.CauseMoveIn && r.Cause != jitsuin.CauseMoveWithin:
		return jitsuin.Errorf(jitsuin.Invalid, "not-for-this-cause", "an address alone belongs to a move").At("address")
	case r.Items != nil && !takesItems(r.Cause):
		return jitsuin.Errorf(jitsuin.Invalid, "not-for-this-cause", "the cause %q takes no items", r.Cause).At("items")
	case r.Standing != nil && !takesStanding(r.Cause):
		return jitsuin.Errorf(jitsuin.Invalid, "not-for-this-cause", "the cause %q takes no standing", r.Cause).At("standing")
	case r.Household != "" && !joinsHousehold(r.Cause):
		return jitsuin.Errorf(jitsuin.Invalid, "not-for-this-cause", "the cause %q joins no household", r.Cause).At("household")
	}
	if r.Standing != nil {
		return checkStanding(jukinet.Standing(*r.Standing))
	}
	return nil
}

func takesStanding(c jitsuin.Cause) bool {
	switch c {
	case jitsuin.CauseBirth, jitsuin.CauseEntered, jitsuin.CauseMoveIn, jitsuin.CauseAmended:
		return true
	}
	return false
}

func takesItems(c jitsuin.Cause) bool {
	switch c {
	case jitsuin.CauseBirth, jitsuin.CauseEntered, jitsuin.CauseMinorCorrection, jitsuin.CauseAmended:
		return true
	}
	return false
}

func joinsHousehold(c jitsuin.Cause) bool {
	switch c {
	case jitsuin.CauseBirth, jitsuin.CauseEntered, jitsuin.CauseMoveIn, jitsuin.CauseMoveWithin:
		return true
	}
	return false
}

// of gives the record that a change amends, if its state is one of those that the cause can start from.
func (s situation) of(r api.ChangeRequest, from ...jitsuin.ResidentState) (record, error) {
	if r.Subject == "" {
		return record{}, jitsuin.Errorf(jitsuin.Invalid, "subject-missing", "the cause %q needs the person whom it concerns", r.Cause).At("subject")
	}
	if s.Before == nil {
		return record{}, errUnknownResident()
	}
	for _, state := range from {
		if s.Before.State == state && s.Before.ArrivedAt == "" {
			return *s.Before, nil
		}
	}
	if s.Before.ArrivedAt != "" {
		return record{}, jitsuin.Errorf(jitsuin.Conflict, "entered-elsewhere", "this person has been entered in %s", s.Before.ArrivedAt).
			WithHint("the change is recorded there")
	}
	return record{}, jitsuin.Errorf(jitsuin.Conflict, "resident-state", "this is impossible for a person whose record is %q", s.Before.State)
}

// notBeforeBirth refuses a day before the person was born.
func notBeforeBirth(r api.ChangeRequest, items jitsuin.FourItems) error {
	if r.OccurredOn.Before(items.BirthDate) {
		return jitsuin.Errorf(jitsuin.Invalid, "date-before-birth", "%s lies before the date of birth", r.OccurredOn).At("occurred_on")
	}
	return nil
}

// noticeDue gives the last day to notify the change; no date where no notice is owed.
func noticeDue(r api.ChangeRequest) jitsuin.Date {
	kind, ok := map[jitsuin.Cause]rules.Notice{jitsuin.CauseMoveIn: rules.NoticeMoveIn, jitsuin.CauseMoveWithin: rules.NoticeMoveWithin,
		jitsuin.CauseMoveOut: rules.NoticeMoveOut, jitsuin.CauseBirth: rules.NoticeBirth, jitsuin.CauseDeath: rules.NoticeDeath}[r.Cause]
	if !ok {
		return jitsuin.Date{}
	}
	due, err := rules.NoticeDeadline(kind, r.OccurredOn)
	if err != nil {
		return jitsuin.Date{}
	}
	return due
}
