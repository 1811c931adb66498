package municipality

import (
	"github.com/jitsuin/jitsuin"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// record is one resident record (住民票). A record of somebody who left stays (除票).
type record struct {
	Subject      jitsuin.ID
	Household    jitsuin.ID
	Items        jitsuin.FourItems
	MyNumber     jitsuin.MyNumber
	ResidentCode jitsuin.ResidentCode
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
	return api.Resident{Subject: r.Subject, Items: r.Items, Household: r.Household, Municipality: town, State: r.State, Card: r.Card}
}

// notice is what the registry network is told of a change that led to the record.
func (r record) notice(c jitsuin.Change) jukinet.Notice {
	return jukinet.Notice{Change: c, MyNumber: r.MyNumber, ResidentCode: r.ResidentCode, Destination: r.Destination}
}

func errUnknownResident() error {
	return jitsuin.Errorf(jitsuin.NotFound, "resident-unknown", "this town's register has no such person").At("subject")
}
