package municipality

import (
	"strings"

	"github.com/jitsuin/jitsuin"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

// moveIn enters somebody who came from another town with the moving-out certificate, or somebody
// of this town who comes back from abroad (転入).
func moveIn(r api.ChangeRequest, s situation) (record, error) {
	if r.Subject == "" {
		return record{}, jitsuin.Errorf(jitsuin.Invalid, "subject-missing", "a move-in needs the person whom the moving-out certificate names").At("subject")
	}
	if strings.TrimSpace(r.Address) == "" {
		return record{}, jitsuin.Errorf(jitsuin.Invalid, "address-missing", "a move-in needs the new address").At("address")
	}
	after := record{Subject: r.Subject, Household: s.NewHousehold, State: jitsuin.Present}
	switch b := s.Before; {
	case b != nil && b.State == jitsuin.Present:
		return record{}, jitsuin.Errorf(jitsuin.Conflict, "already-resident", "this person is on the register already").At("subject")
	case b != nil && b.State == jitsuin.Dead:
		return record{}, jitsuin.Errorf(jitsuin.Conflict, "resident-state", "a person whose record is %q cannot move in", b.State)
	case s.Certificate != nil:
		after.Items, after.MyNumber, after.ResidentCode = s.Certificate.Items, s.Certificate.MyNumber, s.Certificate.ResidentCode
		after.Standing = s.Certificate.Standing
	case b != nil && b.State == jitsuin.Abroad: // the record here has all that the certificate would tell
		after.Items, after.MyNumber, after.ResidentCode, after.Standing = b.Items, b.MyNumber, b.ResidentCode, b.Standing
		if r.OccurredOn.Before(b.DepartsOn) {
			return record{}, jitsuin.Errorf(jitsuin.Invalid, "date-before-departure", "the return cannot lie before the departure on %s", b.DepartsOn).At("occurred_on")
		}
	default:
		return record{}, jitsuin.Errorf(jitsuin.Conflict, "moving-certificate-missing", "no moving-out certificate of this person has come").
			WithHint("the town of the last address records the departure to this town first")
	}
	if b := s.Before; b != nil {
		after.Revision, after.Card = b.Revision, b.Card
	}
	after.Items.Address = r.Address
	return after, notBeforeBirth(r, after.Items)
}

// birth enters a newborn (出生).
func birth(r api.ChangeRequest, s situation) (record, error) {
	after, err := firstEntry(r, s)
	if err == nil && after.Items.BirthDate != r.OccurredOn {
		err = jitsuin.Errorf(jitsuin.Invalid, "birth-date", "the day of a birth is the date of birth").At("occurred_on")
	}
	return after, err
}

// enter is an official entry (職権記載等): of somebody whom no register has, or of somebody of this
// register whose record was deleted officially.
func enter(r api.ChangeRequest, s situation) (record, error) {
	if r.Subject == "" {
		return firstEntry(r, s)
	}
	after, err := s.of(r, jitsuin.Deleted)
	if err != nil {
		return record{}, err
	}
	if r.Items == nil {
		return record{}, errItemsMissing()
	}
	after.State, after.Items = jitsuin.Present, *r.Items
	return after, notBeforeBirth(r, after.Items)
}

func errItemsMissing() error {
	return jitsuin.Errorf(jitsuin.Invalid, "items-missing", "this needs the four items").At("items")
}

func firstEntry(r api.ChangeRequest, s situation) (record, error) {
	switch {
	case r.Subject != "":
		return record{}, jitsuin.Errorf(jitsuin.Invalid, "subject-given", "somebody entered for the first time has no identifier yet").At("subject")
	case r.Items == nil:
		return record{}, errItemsMissing()
	case s.Twin:
		return record{}, jitsuin.Errorf(jitsuin.Conflict, "resident-exists", "somebody with these four items is on the register already").At("items")
	}
	if err := r.Items.Check(); err != nil {
		return record{}, err
	}
	if s.Numbers == nil {
		return record{}, jitsuin.Errorf(jitsuin.Unavailable, "numbers-exhausted", "the numbers set aside for this town are used up").
			WithHint("the registry network sends more; try again shortly")
	}
	after := record{Subject: s.NewSubject, Household: s.NewHousehold, Items: *r.Items, State: jitsuin.Present,
		MyNumber: s.Numbers.MyNumber, ResidentCode: s.Numbers.ResidentCode}
	return after, notBeforeBirth(r, after.Items)
}

// moveOut ends the residence here: to another town, or abroad (転出). That the notice came late is
// noted; that continued use of the card was asked for late is refused, because the law ends the
// card then.
func moveOut(r api.ChangeRequest, s situation) (record, error) {
	after, err := s.of(r, jitsuin.Present)
	if err != nil {
		return record{}, err
	}
	switch {
	case r.Abroad == (r.Destination != ""):
		return record{}, jitsuin.Errorf(jitsuin.Invalid, "destination", "a departure is either abroad or to one municipality").At("destination")
	case r.Abroad:
		if r.ContinuedUse {
			if err := checkContinuedUse(r, s); err != nil {
				return record{}, err
			}
		}
		after.State = jitsuin.Abroad
	case r.ContinuedUse:
		return record{}, jitsuin.Errorf(jitsuin.Invalid, "continued-use", "only a departure abroad can keep a card in use abroad").At("continued_use")
	case r.Destination == s.Town:
		return record{}, jitsuin.Errorf(jitsuin.Invalid, "destination", "a move within the municipality is no departure").
			WithHint("record it as a move within").At("destination")
	case !s.IsTown(r.Destination):
		return record{}, jitsuin.Errorf(jitsuin.Invalid, "destination", "%q is no municipality of this country", r.Destination).At("destination")
	default:
		after.State = jitsuin.Moving
	}
	after.DepartsOn, after.Destination, after.ContinuedUse = r.OccurredOn, r.Destination, r.ContinuedUse
	return after, notBeforeBirth(r, after.Items)
}

func checkContinuedUse(r api.ChangeRequest, s situation) error {
	last, ok := rules.ContinuedUseDeadline(r.OccurredOn)
	switch {
	case !ok:
		return jitsuin.Errorf(jitsuin.Invalid, "continued-use-too-early", "on %s cards could not stay in use abroad", r.OccurredOn).At("continued_use")
	case s.Today.After(last):
		return jitsuin.Errorf(jitsuin.Expired, "continued-use-late", "continued use abroad had to be asked for by %s, the day before departure", last).
			WithHint("record the departure without it; a new card is free for a while").At("continued_use")
	}
	return nil
}

// death ends the record (死亡). Somebody who has left and is entered nowhere yet is still this town's.
func death(r api.ChangeRequest, s situation) (record, error) {
	after, err := s.of(r, jitsuin.Present, jitsuin.Moving, jitsuin.Abroad)
	if err != nil {
		return record{}, err
	}
	after.State, after.Destination, after.ContinuedUse = jitsuin.Dead, "", false
	return after, notBeforeBirth(r, after.Items)
}

// deleteRecord is an official deletion (職権消除等).
func deleteRecord(r api.ChangeRequest, s situation) (record, error) {
	after, err := s.of(r, jitsuin.Present)
	after.State = jitsuin.Deleted
	return after, err
}

// moveWithin changes the address within the town (転居).
func moveWithin(r api.ChangeRequest, s situation) (record, error) {
	after, err := s.of(r, jitsuin.Present)
	switch {
	case err != nil:
		return record{}, err
	case strings.TrimSpace(r.Address) == "":
		return record{}, jitsuin.Errorf(jitsuin.Invalid, "address-missing", "a move needs the new address").At("address")
	case r.Address == after.Items.Address:
		return record{}, jitsuin.Errorf(jitsuin.Conflict, "nothing-changed", "this is the address in the register").At("address")
	}
	after.Items.Address = r.Address
	return after, notBeforeBirth(r, after.Items)
}

// amend is a minor correction (軽微な修正) or an official amendment (職権修正等), such as a new name by
// marriage or a longer stay. Which items a minor correction may touch is decided by rules.Effect.
func amend(r api.ChangeRequest, s situation) (record, error) {
	after, err := s.of(r, jitsuin.Present, jitsuin.Abroad)
	switch {
	case err != nil:
		return record{}, err
	case r.Items == nil && r.Standing == nil:
		return record{}, errItemsMissing()
	}
	was := after
	if r.Items != nil {
		after.Items = *r.Items
	}
	if r.Standing != nil {
		after.Standing = jukinet.Standing(*r.Standing)
	}
	if after == was {
		return record{}, jitsuin.Errorf(jitsuin.Conflict, "nothing-changed", "the register has these items already").At("items")
	}
	return after, notBeforeBirth(r, after.Items)
}

// newCode replaces the resident code (住民票コードの変更) by the next one in stock.
func newCode(r api.ChangeRequest, s situation) (record, error) {
	after, err := s.of(r, jitsuin.Present)
	switch {
	case err != nil:
		return record{}, err
	case s.Numbers == nil:
		return record{}, jitsuin.Errorf(jitsuin.Unavailable, "numbers-exhausted", "the codes set aside for this town are used up").
			WithHint("the registry network sends more; try again shortly")
	}
	after.ResidentCode = s.Numbers.ResidentCode
	return after, nil
}
