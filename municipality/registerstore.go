package municipality

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

const recordColumns = `subject, household, name, address, birth_date, sex, my_number, resident_code,
	nationality, stay, stay_until, adult_ward, state, departs_on, destination, arrived_at, continued_use, card, revision`

func scanRecord(s store.Scanner) (r record, err error) {
	var subject, household, sex, number, code, state, destination, arrived, card, born, departs, stayUntil string
	var continued, ward int64
	err = s.Scan(&subject, &household, &r.Items.Name, &r.Items.Address, &born, &sex, &number, &code,
		&r.Standing.Nationality, &r.Standing.Stay, &stayUntil, &ward, &state, &departs, &destination, &arrived, &continued, &card, &r.Revision)
	if err != nil {
		return record{}, err
	}
	r.Subject, r.Household, r.Card = jitsuin.ID(subject), jitsuin.ID(household), jitsuin.ID(card)
	r.Items.Sex, r.State = jitsuin.Sex(sex), jitsuin.ResidentState(state)
	r.MyNumber, r.ResidentCode = jitsuin.MyNumber(number), jitsuin.ResidentCode(code)
	r.Destination, r.ArrivedAt, r.ContinuedUse = jitsuin.MunicipalityCode(destination), jitsuin.MunicipalityCode(arrived), continued != 0
	r.Standing.AdultWard = ward != 0
	return r, errors.Join(r.Items.BirthDate.UnmarshalText([]byte(born)), r.Standing.StayUntil.UnmarshalText([]byte(stayUntil)), r.DepartsOn.UnmarshalText([]byte(departs)))
}

// readRecord gives the record of a person, nil where there is none.
func readRecord(tx *store.Tx, subject jitsuin.ID) (*record, error) {
	r, err := scanRecord(tx.QueryRow(`SELECT `+recordColumns+` FROM resident WHERE subject = $1`, string(subject)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a resident record: %w", err)
	}
	return &r, nil
}

// number is how the database has a truth value.
func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// saveRecord stores the record under its next revision.
func saveRecord(tx *store.Tx, r record) error {
	_, err := tx.Exec(`INSERT INTO resident (`+recordColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
		ON CONFLICT (subject) DO UPDATE SET household = excluded.household, name = excluded.name, address = excluded.address,
		birth_date = excluded.birth_date, sex = excluded.sex, my_number = excluded.my_number, resident_code = excluded.resident_code,
		nationality = excluded.nationality, stay = excluded.stay, stay_until = excluded.stay_until, adult_ward = excluded.adult_ward,
		state = excluded.state, departs_on = excluded.departs_on, destination = excluded.destination, arrived_at = excluded.arrived_at,
		continued_use = excluded.continued_use, card = excluded.card, revision = excluded.revision`,
		string(r.Subject), string(r.Household), r.Items.Name, r.Items.Address, r.Items.BirthDate.String(), string(r.Items.Sex),
		r.MyNumber.Reveal(), r.ResidentCode.Reveal(), r.Standing.Nationality, string(r.Standing.Stay), r.Standing.StayUntil.String(),
		number(r.Standing.AdultWard), string(r.State), r.DepartsOn.String(), string(r.Destination), string(r.ArrivedAt),
		number(r.ContinuedUse), string(r.Card), r.Revision+1)
	if err != nil {
		return fmt.Errorf("store a resident record: %w", err)
	}
	return nil
}

// findResidents searches the persons who are on the register now, by name and date of birth.
func findResidents(tx *store.Tx, name, born string, limit int) ([]record, error) {
	return store.Collect(scanRecord)(tx.Query(`SELECT `+recordColumns+` FROM resident
		WHERE state = $1 AND ($2 = '' OR name = $2) AND ($3 = '' OR birth_date = $3)
		ORDER BY name, birth_date, subject LIMIT $4`, string(jitsuin.Present), name, born, limit))
}

func exists(tx *store.Tx, query string, args ...any) (bool, error) {
	var n int
	err := tx.QueryRow(`SELECT COUNT(*) FROM (`+query+` LIMIT 1) AS found`, args...).Scan(&n)
	return n > 0, err
}

func householdExists(tx *store.Tx, household jitsuin.ID) (bool, error) {
	return exists(tx, `SELECT 1 FROM resident WHERE household = $1 AND state = $2`, string(household), string(jitsuin.Present))
}

func twinExists(tx *store.Tx, f jitsuin.FourItems) (bool, error) {
	return exists(tx, `SELECT 1 FROM resident WHERE name = $1 AND birth_date = $2 AND address = $3 AND sex = $4 AND state = $5`,
		f.Name, f.BirthDate.String(), f.Address, string(f.Sex), string(jitsuin.Present))
}

// logChange keeps who recorded what, and items and standing before it.
func logChange(tx *store.Tx, r api.ChangeRequest, c jitsuin.Change, before *record, after record, recordedAt int64) error {
	was := ""
	if before != nil {
		text, err := json.Marshal(struct {
			jitsuin.FourItems
			Standing jukinet.Standing `json:"standing,omitzero"`
		}{before.Items, before.Standing})
		if err != nil {
			return fmt.Errorf("encode items: %w", err)
		}
		was = string(text)
	}
	_, err := tx.Exec(`INSERT INTO change_log (subject, revision, cause, occurred_on, notice_due, clerk, request_id, before, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		string(c.Subject), after.Revision+1, string(c.Cause), c.OccurredOn.String(), noticeDue(r).String(), r.Clerk, c.RequestID, was, recordedAt)
	return err
}

// setCard notes the card that a person has; it is no change of the record.
func setCard(tx *store.Tx, subject, card jitsuin.ID) error {
	_, err := tx.Exec(`UPDATE resident SET card = $2 WHERE subject = $1`, string(subject), string(card))
	return err
}

// saveCertificate keeps a moving-out certificate. The same one again does not become unused again.
func saveCertificate(tx *store.Tx, c jukinet.Transfer) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode a moving-out certificate: %w", err)
	}
	_, err = tx.Exec(`INSERT INTO moving_certificate (subject, body, used) VALUES ($1, $2, 0)
		ON CONFLICT (subject) DO UPDATE SET body = excluded.body, used = 0 WHERE moving_certificate.body <> excluded.body`,
		string(c.Subject), string(body))
	tx.Notify(caseSignal) // the counter's list shows it
	return err
}

// readCertificate gives the unused moving-out certificate of a person, or nil.
func readCertificate(tx *store.Tx, subject jitsuin.ID) (*jukinet.Transfer, error) {
	var body string
	err := tx.QueryRow(`SELECT body FROM moving_certificate WHERE subject = $1 AND used = 0`, string(subject)).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := &jukinet.Transfer{}
	return c, json.Unmarshal([]byte(body), c)
}

// useCertificate marks it used; the numbers in it are in the register now.
func useCertificate(tx *store.Tx, subject jitsuin.ID) error {
	_, err := tx.Exec(`UPDATE moving_certificate SET used = 1 WHERE subject = $1`, string(subject))
	return err
}

// markArrived notes that a person who left has been entered elsewhere (転入通知). A person who is
// on the register again meanwhile is left alone: the message is of an earlier departure.
func markArrived(tx *store.Tx, a jukinet.Arrived) error {
	_, err := tx.Exec(`UPDATE resident SET arrived_at = $2 WHERE subject = $1 AND state = $3`,
		string(a.Subject), string(a.At), string(jitsuin.Moving))
	return err
}

// stockNumbers adds numbers that are not in stock yet; used ones stay used.
func stockNumbers(tx *store.Tx, n jukinet.Numbers) error {
	for _, p := range n.Pairs {
		_, err := tx.Exec(`INSERT INTO number_stock (resident_code, my_number, used) VALUES ($1, $2, 0) ON CONFLICT (resident_code) DO NOTHING`,
			p.ResidentCode.Reveal(), p.MyNumber.Reveal())
		if err != nil {
			return err
		}
	}
	return nil
}

// nextNumbers gives the next unused pair, or nil; takeNumbers marks it used.
func nextNumbers(tx *store.Tx) (*jukinet.NumberPair, error) {
	var code, number string
	err := tx.QueryRow(`SELECT resident_code, my_number FROM number_stock WHERE used = 0 ORDER BY resident_code LIMIT 1`).Scan(&code, &number)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &jukinet.NumberPair{MyNumber: jitsuin.MyNumber(number), ResidentCode: jitsuin.ResidentCode(code)}, err
}

func takeNumbers(tx *store.Tx, p *jukinet.NumberPair) error {
	_, err := tx.Exec(`UPDATE number_stock SET used = 1 WHERE resident_code = $1`, p.ResidentCode.Reveal())
	return err
}
