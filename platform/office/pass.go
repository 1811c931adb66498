package office

import (
	"database/sql"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Outcome is what a login came to.
type Outcome string

// The outcomes that are the office's own; a holder that gave no answer has those of package errand.
const (
	Welcome     Outcome = "welcome"
	Stranger    Outcome = "stranger"     // nobody of the office, and not invited
	Gone        Outcome = "gone"         // somebody who has left
	Uninvited   Outcome = "uninvited"    // the invitation cannot be used any more
	Known       Outcome = "known"        // invited, and works here already
	Revoked     Outcome = "revoked"      // the certificate
	Expired     Outcome = "expired"      //
	NotAccepted Outcome = "not-accepted" // the answer, for another reason
	Unknowable  Outcome = "unknowable"   // the certificate's status could not be had
)

// ByUser gives the person of a user of the platform's own sector, and whether there is one; they may have left.
func ByUser(tx *store.Tx, user string) (Person, bool, error) {
	if user == "" {
		return Person{}, false, nil
	}
	p, err := byUser(tx, user)
	return p, p.ID != "", err
}

// PutPass notes that a login has passed, until the browser comes back.
func PutPass(tx *store.Tx, txn, person jitsuin.ID, certificate []byte, wall time.Time) error {
	_, err := tx.Exec(`INSERT INTO office_pass (txn, person, certificate, made_at) VALUES ($1, $2, $3, $4) ON CONFLICT (txn) DO NOTHING`,
		txn, person, certificate, store.Micros(wall))
	return err
}

// UsePass begins the session of a login that has passed, under a token that the caller has drawn, once. Errors: Conflict
// "return-used", Denied "person-gone" for who was cut off between the card and the page.
func UsePass(tx *store.Tx, txn jitsuin.ID, token, terminal string, wall time.Time) (Person, error) {
	var id jitsuin.ID
	var certificate []byte
	err := tx.QueryRow(`SELECT person, certificate FROM office_pass WHERE txn = $1`, txn).Scan(&id, &certificate)
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, jitsuin.Errorf(jitsuin.Conflict, "return-used", "this address has been used")
	}
	if err != nil {
		return Person{}, err
	}
	if _, err := tx.Exec(`DELETE FROM office_pass WHERE txn = $1`, txn); err != nil {
		return Person{}, err
	}
	p, err := PersonOf(tx, id)
	if err == nil && !p.Works() {
		err = jitsuin.Errorf(jitsuin.Denied, "person-gone", "this person does not work here any more")
	}
	if err != nil {
		return p, err
	}
	return p, BeginSession(tx, token, id, terminal, certificate, wall)
}
