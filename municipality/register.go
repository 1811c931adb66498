package municipality

import (
	"regexp"

	"github.com/jitsuin/jitsuin"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

var nationality = regexp.MustCompile(`^[A-Z]{2}$`)

// record is one resident record (住民票). A record of somebody who left stays (除票).
type record struct {
	Subject      jitsuin.ID
	Household    jitsuin.ID
	Items        jitsuin.FourItems
	MyNumber     jitsuin.MyNumber
	ResidentCode jitsuin.ResidentCode
	Standing     jukinet.Standing
	State        jitsuin.ResidentState
	// DepartsOn is the planned day of departure, for Moving and Abroad; Destination the town that
	// a resident in state Moving named; ArrivedAt the town that has entered them since.
	DepartsOn    jitsuin.Date
	Destination  jitsuin.MunicipalityCode
	ArrivedAt    jitsuin.MunicipalityCode
	ContinuedUse bool
	// Card is the card that was handed over here, or presented here.
	Card jitsuin.ID
	// Revision rises by one with every change; 0 is a record that was never stored.
	Revision int64
}

// resident is the record without the two numbers.
func (r record) resident(town jitsuin.MunicipalityCode) api.Resident {
	if r.ArrivedAt != "" {
		town = r.ArrivedAt
	}
	return api.Resident{Subject: r.Subject, Items: r.Items, Household: r.Household, Municipality: town, State: r.State, Standing: api.Standing(r.Standing), Card: r.Card,
		DepartsOn: r.DepartsOn, Revision: r.Revision}
}

// notice is what the registry network is told of a change that led to the record. The town that a
// resident moves to needs the standing too.
func (r record) notice(c jitsuin.Change) jukinet.Notice {
	n := jukinet.Notice{Change: c, MyNumber: r.MyNumber, ResidentCode: r.ResidentCode, Destination: r.Destination}
	if r.State == jitsuin.Moving {
		n.Standing = r.Standing
	}
	return n
}

// holder is what the right to a certificate depends on.
func (r record) holder() rules.Holder {
	return rules.Holder{Birth: r.Items.BirthDate, AdultWard: r.Standing.AdultWard}
}

// checkStanding refuses what contradicts itself: a stay belongs to a foreign nationality, and an end
// to a limited stay.
func checkStanding(s jukinet.Standing) error {
	national := s.Nationality == "" || s.Nationality == "JP"
	limited, ok := s.Stay.Limited()
	switch {
	case !national && !nationality.MatchString(s.Nationality):
		return jitsuin.Errorf(jitsuin.Invalid, "standing", "a nationality has two capital letters (ISO 3166-1)").At("nationality")
	case !ok || national != (s.Stay == rules.National):
		return jitsuin.Errorf(jitsuin.Invalid, "standing", "a foreign resident has one of the known statuses of residence, a national has none").At("stay")
	case limited == s.StayUntil.IsZero():
		return jitsuin.Errorf(jitsuin.Invalid, "standing", "a limited stay, and no other, has a last day").At("stay_until")
	}
	return nil
}

func errUnknownResident() error {
	return jitsuin.Errorf(jitsuin.NotFound, "resident-unknown", "this town's register has no such person").At("subject")
}
