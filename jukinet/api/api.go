// Package api is what other actors see of the registry network (住民基本台帳ネットワーク):
// the bodies of its change feeds, and what it gives back to a municipality that has lost its own. It owns wire
// types and the client, and nothing else.
package api

import (
	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
)

// Topics and event types. The network reads topic Residents of every municipality and sends one
// topic per recipient: ToJLIS to J-LIS, ToTown to each municipality.
const (
	TopicResidents = "residents" // sent by each municipality, read by the network
	TopicToJLIS    = "jlis"      // sent by the network, read by J-LIS

	TypeNotice    = "juki.notice"     // municipality → network: Notice
	TypeChange    = "juki.change"     // network → J-LIS: jitsuin.Change, without any number
	TypeHighWater = "juki.high-water" // network → J-LIS: HighWater; all notices up to it have been passed on
	TypeTransfer  = "juki.transfer"   // network → the new municipality: Transfer (転出証明書情報)
	TypeArrived   = "juki.arrived"    // network → the old municipality: Arrived (転入通知)
	TypeNumbers   = "juki.numbers"    // network → municipality: Numbers, to be given to new residents
)

// TopicToTown is the topic of the network's events for one municipality.
func TopicToTown(m jitsuin.MunicipalityCode) string { return "town-" + string(m) }

// Notice is what a municipality tells the network of one resident (本人確認情報の通知,
// Basic Resident Registration Act art. 30-6): the change with the whole record after it, and
// the two numbers. It goes to the network and to nobody else.
type Notice struct {
	jitsuin.Change
	MyNumber     jitsuin.MyNumber     `json:"my_number"`
	ResidentCode jitsuin.ResidentCode `json:"resident_code"`
	// Destination is, for a move out within the country, where the resident said they go.
	Destination jitsuin.MunicipalityCode `json:"destination,omitempty"`
	// Standing is, for a move out within the country, passed on to the destination. It is no
	// identification data: the network does not keep it.
	Standing Standing `json:"standing,omitzero"`
}

// Standing is what a resident register has of a person besides identification data that decides
// which card and certificates the law lets them have (Basic Resident Registration Act art. 30-45
// for foreign residents). The zero value is a Japanese national who is no adult ward.
type Standing struct {
	Nationality string       `json:"nationality,omitempty"` // ISO 3166-1 alpha-2; "" or "JP" for nationals
	Stay        rules.Stay   `json:"stay,omitempty"`
	StayUntil   jitsuin.Date `json:"stay_until,omitzero"` // the last day of a limited stay
	AdultWard   bool         `json:"adult_ward,omitempty"`
}

// HighWater says that every notice of the municipality up to Position has been passed on to J-LIS
// before this event; a notice that is parked, and all after it, are not covered.
type HighWater struct {
	Municipality jitsuin.MunicipalityCode `json:"municipality"`
	Position     jitsuin.Position         `json:"position"`
}

// Transfer is a moving-out certificate (転出証明書情報): what the new municipality needs for the entry.
type Transfer struct {
	Subject      jitsuin.ID               `json:"subject"`
	From         jitsuin.MunicipalityCode `json:"from"`
	PlannedOn    jitsuin.Date             `json:"planned_on"`
	Items        jitsuin.FourItems        `json:"items"`
	MyNumber     jitsuin.MyNumber         `json:"my_number"`
	ResidentCode jitsuin.ResidentCode     `json:"resident_code"`
	Standing     Standing                 `json:"standing,omitzero"`
}

// Arrived tells the old municipality that the resident has been entered elsewhere (転入通知).
type Arrived struct {
	Subject jitsuin.ID               `json:"subject"`
	At      jitsuin.MunicipalityCode `json:"at"`
	On      jitsuin.Date             `json:"on"`
}

// NumbersSubject is the feed subject of a town's Numbers.
const NumbersSubject = "numbers"

// Numbers are the numbers set aside for the new residents of one municipality: resident codes are
// designated to each municipality beforehand (Basic Resident Registration Act art. 30-2), and each
// comes with the My Number of the person who will have it. The event carries all that the network
// has not seen in use, so the newest one is the whole stock.
type Numbers struct {
	Pairs []NumberPair `json:"pairs"`
}

// NumberPair is what one new resident gets.
type NumberPair struct {
	MyNumber     jitsuin.MyNumber     `json:"my_number"`
	ResidentCode jitsuin.ResidentCode `json:"resident_code"`
}
