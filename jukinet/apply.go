package jukinet

import (
	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jukinet/api"
)

// numbersSignal is given when a designated number was seen in use.
const numbersSignal = "jukinet.numbers"

// apply gives a notice of a town its effect: record, log, the change for J-LIS and word to the
// towns concerned, all in the transaction that moves the cursor.
func (n *Network) apply(tx *store.Tx, town jitsuin.MunicipalityCode, e feed.Event) error {
	if e.Type != api.TypeNotice {
		return jitsuin.Errorf(jitsuin.Unsupported, "event-type", "events of type %q are not known here", e.Type)
	}
	var c api.Notice
	if err := e.Decode(&c); err != nil {
		return err
	}
	if string(c.Subject) != e.Subject {
		return jitsuin.Errorf(jitsuin.Invalid, "subject-differs", "event %s speaks of another person than it says", e.Position())
	}
	if known, err := isKnown(tx, c, e); err != nil || known {
		return err
	}
	before, err := readPerson(tx, c.Subject)
	if err != nil {
		return err
	}
	if err := checkNotice(town, c, before); err != nil {
		return err
	}
	if err := checkUnique(tx, c); err != nil {
		return err
	}
	if err := savePerson(tx, of(c)); err != nil {
		return err
	}
	if err := n.logNotice(tx, c, e); err != nil {
		return err
	}
	if err := markUsed(tx, c); err != nil {
		return err
	}
	return n.passOn(tx, c, before, e)
}

// passOn tells J-LIS of the change without any number, and the towns of a move.
func (n *Network) passOn(tx *store.Tx, c api.Notice, before *person, e feed.Event) error {
	origin := &feed.Origin{Actor: townRole + ":" + string(c.Municipality), Epoch: e.Epoch, N: e.N}
	tell := func(topic, kind string, body any) error {
		_, err := feed.Append(tx, feed.Draft{Topic: topic, Subject: string(c.Subject), Type: kind, Body: body,
			RecordedAt: n.Clock.Now(), Origin: origin})
		return err
	}
	if err := tell(api.TopicToJLIS, api.TypeChange, c.Change); err != nil {
		return err
	}
	switch {
	case c.State == jitsuin.Moving:
		return tell(api.TopicToTown(c.Destination), api.TypeTransfer, api.Transfer{Subject: c.Subject, From: c.Municipality,
			PlannedOn: c.OccurredOn, Items: c.Items, MyNumber: c.MyNumber, ResidentCode: c.ResidentCode, Standing: c.Standing})
	case c.Cause == jitsuin.CauseMoveIn && before != nil && before.Municipality != c.Municipality:
		return tell(api.TopicToTown(before.Municipality), api.TypeArrived,
			api.Arrived{Subject: c.Subject, At: c.Municipality, On: c.OccurredOn})
	}
	return nil
}

// passedOn tells J-LIS how far a town's notices have been passed on, when it is further than before.
func (n *Network) passedOn(tx *store.Tx, town jitsuin.MunicipalityCode, high jitsuin.Position) error {
	if high.N == 0 && high.Epoch <= 1 {
		return nil // it would cover nothing; of a later epoch it covers all that came before
	}
	advanced, err := raise(tx, town, high)
	if err != nil || !advanced {
		return err
	}
	_, err = feed.Append(tx, feed.Draft{Topic: api.TopicToJLIS, Subject: string(town), Type: api.TypeHighWater,
		Body: api.HighWater{Municipality: town, Position: high}, RecordedAt: n.Clock.Now()})
	return err
}
