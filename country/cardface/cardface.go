// Package cardface puts together what is printed on a resident's card from what the municipalities know: who
// handed the card over, what the register said when it was made, what was recorded since, which certificates are on it.
//
// It owns that reading and nothing else. It asks through the interface of the counters, changes nothing, and what no
// municipality knows is left out of the drawing; only 通称 and 旧氏, which no register of this country keeps yet, come
// from the sample. It never asks for My Number.
package cardface

import (
	"crypto/x509"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/country/people"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// Known is what one municipality knows of a person. Record is nil where it has none.
type Known struct {
	Record  *town.Resident
	Cases   []town.Application
	Changes []town.RecordedChange
}

// Printed is a card and what it is made from.
type Printed struct {
	face.Card
	ID     jitsuin.ID               // of the card
	Issuer jitsuin.MunicipalityCode // who handed it over
}

// Of gives the card that was handed to a person last, nil where none was. Its face has the items as they were when
// the certificates on it were first issued; each later change of them, minor corrections aside, is a note by the
// municipality that recorded it.
func Of(sample people.Country, subject jitsuin.ID, known map[jitsuin.MunicipalityCode]Known) (*Printed, error) {
	handed, code := lastCard(known)
	if handed == nil {
		return nil, nil
	}
	p := &Printed{ID: handed.Card, Issuer: code}
	made, err := p.certificates(known)
	if err != nil {
		return nil, err
	}
	m, _, _ := sample.MunicipalityOf(code)
	p.Person = face.Person{ID: subject, PhotoOn: jitsuin.DateOf(made)}
	for _, r := range sample.Residents {
		if r.ID == subject {
			p.Alias, p.OldSurname = r.Alias, r.OldSurname
		}
	}
	p.Head, p.Expires = face.HeadOf(m.Name), handed.CardExpires
	p.Number, p.SecurityCode = handed.CardNumber, handed.SecurityCode
	p.Number, p.SecurityCode = handed.CardNumber, handed.SecurityCode
	p.history(sample, known, made)
	return p, nil
}

// lastCard gives the case of the card that was handed over last, and where.
func lastCard(known map[jitsuin.MunicipalityCode]Known) (last *town.Application, at jitsuin.MunicipalityCode) {
	for code, k := range known {
		for i, c := range k.Cases {
			if c.Type == town.NewCard && c.State == town.Done && c.Card != "" && (last == nil || c.UpdatedAt.After(last.UpdatedAt)) {
				last, at = &k.Cases[i], code
			}
		}
	}
	return last, at
}

// certificates reads until when those on the card are good, and gives when the first of them was issued: the
// moment from which on the card's face is fixed.
func (p *Printed) certificates(known map[jitsuin.MunicipalityCode]Known) (made time.Time, err error) {
	latest := map[jitsuin.CertKind]time.Time{}
	for _, k := range known {
		for _, c := range k.Cases {
			if c.Card != p.ID {
				continue
			}
			for _, told := range c.Certificates {
				parsed, err := x509.ParseCertificate(told.Certificate)
				if err != nil {
					return made, jitsuin.Errorf(jitsuin.Internal, "certificate-form", "a certificate of the card cannot be read: %w", err)
				}
				if made.IsZero() || parsed.NotBefore.Before(made) {
					made = parsed.NotBefore
				}
				if parsed.NotBefore.After(latest[told.Kind]) {
					latest[told.Kind] = parsed.NotBefore
					until := jitsuin.DateOf(parsed.NotAfter)
					if told.Kind == jitsuin.SignCert {
						p.SignUntil = until
					} else {
						p.AuthUntil = until
					}
				}
			}
		}
	}
	return made, nil
}

// recorded is a change and where it was recorded.
type recorded struct {
	town.RecordedChange
	at jitsuin.MunicipalityCode
}

// unwritten are changes that no municipality writes on a card: who moves out has the new address written where they
// arrive, and the card of who died is over.
var unwritten = []jitsuin.Cause{jitsuin.CauseMoveOut, jitsuin.CauseDeath, jitsuin.CauseDeleted}

// history finds the items when the card was made, and what was written on it since.
func (p *Printed) history(sample people.Country, known map[jitsuin.MunicipalityCode]Known, made time.Time) {
	var all []recorded
	for code, k := range known {
		for _, c := range k.Changes {
			if c.RecordedAt.After(made) {
				all = append(all, recorded{c, code})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b recorded) int { return a.RecordedAt.Compare(b.RecordedAt) })
	now := present(known)
	items := itemsBefore(all, now)
	p.Items = items
	for i, c := range all {
		after := itemsBefore(all[i+1:], now)
		if c.Cause == jitsuin.CauseMinorCorrection {
			items = after
			continue
		}
		if slices.Contains(unwritten, c.Cause) {
			continue
		}
		m, _, _ := sample.MunicipalityOf(c.at)
		for _, text := range face.Written(items, after) {
			p.Notes = append(p.Notes, face.Note{On: jitsuin.DateOf(c.RecordedAt), Text: text, By: face.HeadOf(m.Name)})
		}
		items = after
	}
}

// itemsBefore gives the items before the first of some changes; the present ones where none tells.
func itemsBefore(changes []recorded, now jitsuin.FourItems) jitsuin.FourItems {
	for _, c := range changes {
		if c.Before != nil {
			return *c.Before
		}
	}
	return now
}

// present gives the items as the register has them: of the municipality where the person is, or else of that with
// the latest change.
func present(known map[jitsuin.MunicipalityCode]Known) (items jitsuin.FourItems) {
	var latest time.Time
	for _, k := range known {
		if k.Record == nil {
			continue
		}
		if k.Record.State == jitsuin.Present {
			return k.Record.Items
		}
		var at time.Time
		for _, c := range k.Changes {
			if c.RecordedAt.After(at) {
				at = c.RecordedAt
			}
		}
		if items.Name == "" || at.After(latest) {
			items, latest = k.Record.Items, at
		}
	}
	return items
}
