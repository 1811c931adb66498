package jukinet

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/rules"
)

const personColumns = `subject, prefecture, municipality, state, name, address, birth_date, sex,
	my_number, resident_code, destination, departs_on, continued_use`

func scanPerson(s store.Scanner) (p person, err error) {
	var subject, prefecture, town, state, born, sex, number, code, destination, departs string
	var continued int64
	err = s.Scan(&subject, &prefecture, &town, &state, &p.Items.Name, &p.Items.Address, &born, &sex,
		&number, &code, &destination, &departs, &continued)
	if err != nil {
		return person{}, err
	}
	p.Subject, p.Municipality, p.State = jitsuin.ID(subject), jitsuin.MunicipalityCode(town), jitsuin.ResidentState(state)
	p.Items.Sex, p.MyNumber, p.ResidentCode = jitsuin.Sex(sex), jitsuin.MyNumber(number), jitsuin.ResidentCode(code)
	p.Destination, p.ContinuedUse = jitsuin.MunicipalityCode(destination), continued != 0
	return p, errors.Join(p.Items.BirthDate.UnmarshalText([]byte(born)), p.DepartsOn.UnmarshalText([]byte(departs)))
}

// readPerson gives what is known of a person, nil where nothing is.
func readPerson(tx *store.Tx, subject jitsuin.ID) (*person, error) {
	p, err := scanPerson(tx.QueryRow(`SELECT `+personColumns+` FROM person WHERE subject = $1`, string(subject)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a person: %w", err)
	}
	return &p, nil
}

func savePerson(tx *store.Tx, p person) error {
	continued := 0
	if p.ContinuedUse {
		continued = 1
	}
	_, err := tx.Exec(`INSERT INTO person (`+personColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (subject) DO UPDATE SET prefecture = excluded.prefecture, municipality = excluded.municipality, state = excluded.state,
		name = excluded.name, address = excluded.address, birth_date = excluded.birth_date, sex = excluded.sex,
		my_number = excluded.my_number, resident_code = excluded.resident_code, destination = excluded.destination,
		departs_on = excluded.departs_on, continued_use = excluded.continued_use`,
		string(p.Subject), p.Municipality.Prefecture(), string(p.Municipality), string(p.State), p.Items.Name, p.Items.Address,
		p.Items.BirthDate.String(), string(p.Items.Sex), p.MyNumber.Reveal(), p.ResidentCode.Reveal(), string(p.Destination),
		p.DepartsOn.String(), continued)
	if err != nil {
		return fmt.Errorf("store a person: %w", err)
	}
	return nil
}

// checkUnique refuses a number that another person has, or that is designated to another town.
func checkUnique(tx *store.Tx, n api.Notice) error {
	var number, code int
	err := tx.QueryRow(`SELECT COALESCE(SUM(CASE WHEN my_number = $1 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN resident_code = $2 THEN 1 ELSE 0 END), 0)
		FROM person WHERE (my_number = $1 OR resident_code = $2) AND subject <> $3`,
		n.MyNumber.Reveal(), n.ResidentCode.Reveal(), string(n.Subject)).Scan(&number, &code)
	switch {
	case err != nil:
		return err
	case number > 0:
		return jitsuin.Errorf(jitsuin.Conflict, "my-number-in-use", "another person has this My Number").At("my_number")
	case code > 0:
		return jitsuin.Errorf(jitsuin.Conflict, "resident-code-in-use", "another person has this resident code").At("resident_code")
	}
	var owner string
	err = tx.QueryRow(`SELECT municipality FROM designated WHERE resident_code = $1 AND used = 0`, n.ResidentCode.Reveal()).Scan(&owner)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil && owner != string(n.Municipality) {
		err = jitsuin.Errorf(jitsuin.Conflict, "resident-code-designated", "this resident code is designated to municipality %s", owner).At("resident_code")
	}
	return err
}

// isKnown tells whether this very notice of the town, the same act, was taken in before. After the town's
// database was restored a notice can come a second time: by the snapshot of a new epoch, or sent again in
// it. Where the network has later ones of the person, which the town has lost, what the network knows stays.
func isKnown(tx *store.Tx, c api.Notice, e feed.Event) (bool, error) {
	c.Standing = api.Standing{} // only passed on
	body, err := json.Marshal(c)
	if err != nil {
		return false, fmt.Errorf("encode a notice: %w", err)
	}
	var n int
	err = tx.QueryRow(`SELECT COUNT(*) FROM notice_log WHERE subject = $1 AND municipality = $2 AND body = $3
		AND (epoch < $4 OR (epoch = $4 AND n = $5))`, string(c.Subject), string(c.Municipality), string(body), e.Epoch, e.N).Scan(&n)
	return n > 0, err
}

// logNotice keeps the notice; the one before it now has an end to its retention.
func (n *Network) logNotice(tx *store.Tx, c api.Notice, e feed.Event) error {
	now := n.Clock.Now()
	today := jitsuin.DateOf(now)
	rule, err := rules.KeepingOf(rules.RecordNetwork, today)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE notice_log SET keep_until = $2 WHERE subject = $1 AND keep_until = ''`, string(c.Subject), rule.Until(today).String())
	if err != nil {
		return err
	}
	c.Standing = api.Standing{} // only passed on
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode a notice: %w", err)
	}
	_, err = tx.Exec(`INSERT INTO notice_log (subject, municipality, epoch, n, cause, occurred_on, body, recorded_at, keep_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '')`,
		string(c.Subject), string(c.Municipality), e.Epoch, e.N, string(c.Cause), c.OccurredOn.String(), string(body), store.Micros(now))
	return err
}

// raise records how far a town's feed was passed on; false where it has not advanced.
func raise(tx *store.Tx, town jitsuin.MunicipalityCode, high jitsuin.Position) (bool, error) {
	r, err := tx.Exec(`INSERT INTO passed_on (municipality, epoch, n) VALUES ($1, $2, $3)
		ON CONFLICT (municipality) DO UPDATE SET epoch = excluded.epoch, n = excluded.n
		WHERE excluded.epoch > passed_on.epoch OR (excluded.epoch = passed_on.epoch AND excluded.n > passed_on.n)`,
		string(town), high.Epoch, high.N)
	if err != nil {
		return false, err
	}
	changed, err := r.RowsAffected()
	return changed > 0, err
}
