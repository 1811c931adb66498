package jukinet

import (
	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/rules"
)

// person is what the network holds of one person.
type person struct {
	Subject      jitsuin.ID
	Municipality jitsuin.MunicipalityCode
	State        jitsuin.ResidentState
	Items        jitsuin.FourItems
	MyNumber     jitsuin.MyNumber
	ResidentCode jitsuin.ResidentCode
	// Destination and DepartsOn are those of the departure, for Moving; DepartsOn for Abroad too.
	Destination  jitsuin.MunicipalityCode
	DepartsOn    jitsuin.Date
	ContinuedUse bool
}

// of makes the person's record from a notice.
func of(n api.Notice) person {
	p := person{Subject: n.Subject, Municipality: n.Municipality, State: n.State, Items: n.Items, MyNumber: n.MyNumber,
		ResidentCode: n.ResidentCode, ContinuedUse: n.ContinuedUse}
	if n.Cause == jitsuin.CauseMoveOut {
		p.Destination, p.DepartsOn = n.Destination, n.OccurredOn
	}
	return p
}

// checkNotice tells whether a notice that town has sent can follow on the record before, which is nil
// for somebody unknown. Its errors park the notice: what is missing may still come by the feed of
// another town, and then it is applied.
func checkNotice(town jitsuin.MunicipalityCode, n api.Notice, before *person) error {
	if n.Municipality != town {
		return jitsuin.Errorf(jitsuin.Denied, "not-this-town", "municipality %s speaks for %s", town, n.Municipality)
	}
	if err := rules.CheckMyNumber(n.MyNumber); err != nil {
		return err
	}
	if err := rules.CheckResidentCode(n.ResidentCode); err != nil {
		return err
	}
	items := jitsuin.FourItems{}
	if before != nil {
		items = before.Items
	} else if !enters(n.Cause) {
		return errUnknown(n.Cause)
	}
	if _, err := rules.Effect(n.Change, items); err != nil {
		return err
	}
	if (n.State == jitsuin.Moving) != (n.Destination != "") {
		return jitsuin.Errorf(jitsuin.Invalid, "destination", "a departure within the country, and no other notice, names its destination").At("destination")
	}
	if before == nil {
		return nil
	}
	if err := checkPlace(town, n.Cause, before); err != nil {
		return err
	}
	return checkNumbers(n, before)
}

func errUnknown(c jitsuin.Cause) error {
	return jitsuin.Errorf(jitsuin.NotFound, "person-unknown", "the cause %q needs a person whom the network knows", c)
}

// enters tells whether a cause can begin the record of somebody whom the network does not know.
func enters(c jitsuin.Cause) bool { return c == jitsuin.CauseBirth || c == jitsuin.CauseEntered }

// checkPlace tells whether the town may say this of the person now. The right to speak for somebody
// is handed over by a departure that names the destination, and taken up by the arrival there; so
// at any time there is one town whose notice can come next, whatever order the feeds arrive in.
func checkPlace(town jitsuin.MunicipalityCode, c jitsuin.Cause, before *person) error {
	if c == jitsuin.CauseMoveIn {
		return checkMoveIn(town, before)
	}
	if before.Municipality != town {
		return jitsuin.Errorf(jitsuin.Conflict, "not-held-here", "municipality %s does not hold this person", town)
	}
	if !mayFollow(c, before.State) {
		return jitsuin.Errorf(jitsuin.Conflict, "person-state", "the cause %q cannot follow on the state %q", c, before.State)
	}
	return nil
}

func checkMoveIn(town jitsuin.MunicipalityCode, before *person) error {
	switch {
	case before.State == jitsuin.Abroad && before.Municipality == town:
		return nil // back from abroad
	case before.State == jitsuin.Moving && before.Destination == town:
		return nil
	case before.State == jitsuin.Present && before.Municipality != town, before.State == jitsuin.Moving:
		return jitsuin.Errorf(jitsuin.Conflict, "departure-missing", "no departure to municipality %s has come yet", town)
	}
	return jitsuin.Errorf(jitsuin.Conflict, "person-state", "nobody moves in from the state %q", before.State)
}

// mayFollow tells in which states a person can be before a notice of their own town.
func mayFollow(c jitsuin.Cause, before jitsuin.ResidentState) bool {
	switch c {
	case jitsuin.CauseEntered:
		return before == jitsuin.Deleted
	case jitsuin.CauseMoveOut, jitsuin.CauseDeleted, jitsuin.CauseMoveWithin, jitsuin.CauseCodeRequested, jitsuin.CauseCodeOfficial:
		return before == jitsuin.Present
	case jitsuin.CauseMinorCorrection, jitsuin.CauseAmended:
		return before == jitsuin.Present || before == jitsuin.Abroad
	case jitsuin.CauseDeath:
		return before == jitsuin.Present || before == jitsuin.Moving || before == jitsuin.Abroad
	}
	return false
}

// checkNumbers holds the numbers of a known person fixed: My Number always, the resident code but
// for the causes that change it.
func checkNumbers(n api.Notice, before *person) error {
	changes := n.Cause == jitsuin.CauseCodeRequested || n.Cause == jitsuin.CauseCodeOfficial
	switch {
	case n.MyNumber != before.MyNumber:
		return jitsuin.Errorf(jitsuin.Conflict, "my-number-differs", "the person has another My Number").At("my_number")
	case changes == (n.ResidentCode == before.ResidentCode):
		return jitsuin.Errorf(jitsuin.Conflict, "resident-code-differs", "the resident code changes by its own causes and by no other").At("resident_code")
	}
	return nil
}
