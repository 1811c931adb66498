package office

import (
	"database/sql"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
)

// Wall times of a session.
const (
	SessionLife = 8 * time.Hour    // a working day
	SessionIdle = 30 * time.Minute // a terminal that was left alone
	seenEvery   = time.Minute      // how exactly the last use is noted
)

// Session is a person at a terminal.
type Session struct {
	Hash        string // of the token: what the database knows
	Person      Person
	Terminal    string
	Certificate []byte    // DER of the authentication certificate that let them in
	BegunAt     time.Time // wall, like all of these
	SeenAt      time.Time
	CheckedAt   time.Time // when the certificate was last told to be good
}

// Over tells whether the session's time is over.
func (s Session) Over(now time.Time) bool {
	return now.Sub(s.BegunAt) >= SessionLife || now.Sub(s.SeenAt) >= SessionIdle
}

// BeginSession makes the session of a person who has shown their card, under a token that the caller has drawn.
func BeginSession(tx *store.Tx, token string, person jitsuin.ID, terminal string, certificate []byte, wall time.Time) error {
	_, err := tx.Exec(`INSERT INTO office_session (token, person, terminal, certificate, begun_at, seen_at, checked_at) VALUES ($1, $2, $3, $4, $5, $5, $5)`,
		web.Hash(token), person, terminal, certificate, store.Micros(wall))
	return err
}

const sessionColumns = `s.token, s.terminal, s.certificate, s.begun_at, s.seen_at, s.checked_at, p.id, p.user_id, p.name, p.roles, p.since, p.left_at`

type prefixed struct {
	store.Scanner
	first []any
}

func (p prefixed) Scan(rest ...any) error { return p.Scanner.Scan(append(p.first, rest...)...) }

func scanSession(row store.Scanner) (s Session, err error) {
	var begun, seen, checked int64
	s.Person, err = scanPerson(prefixed{row, []any{&s.Hash, &s.Terminal, &s.Certificate, &begun, &seen, &checked}})
	s.BegunAt, s.SeenAt, s.CheckedAt = store.Time(begun), store.Time(seen), store.Time(checked)
	return s, err
}

// SessionOf gives the session of a token with its person as they are now, so that who leaves or loses a role does so at once.
// Errors: Unauthenticated "no-session" where there is none, its time is over, or the person does not work here any more.
func SessionOf(tx *store.Tx, token string, now time.Time) (Session, error) {
	s, err := scanSession(tx.QueryRow(`SELECT `+sessionColumns+` FROM office_session s JOIN office_person p ON p.id = s.person WHERE s.token = $1`, web.Hash(token)))
	if errors.Is(err, sql.ErrNoRows) || err == nil && (s.Over(now) || !s.Person.Works()) {
		return Session{}, jitsuin.Errorf(jitsuin.Unauthenticated, "no-session", "nobody is logged in, or the session is over")
	}
	return s, err
}

// Stale tells whether the last use of a session is to be noted.
func (s Session) Stale(now time.Time) bool { return now.Sub(s.SeenAt) > seenEvery }

// Seen notes the last use of a session.
func Seen(tx *store.Tx, hash string, now time.Time) error {
	_, err := tx.Exec(`UPDATE office_session SET seen_at = $1 WHERE token = $2`, store.Micros(now), hash)
	return err
}

// Checked notes that the certificate of a session was good.
func Checked(tx *store.Tx, hash string, now time.Time) error {
	_, err := tx.Exec(`UPDATE office_session SET checked_at = $1 WHERE token = $2`, store.Micros(now), hash)
	return err
}

// EndSession ends a session by the hash of its token, and tells whether there was one.
func EndSession(tx *store.Tx, hash string) (bool, error) {
	done, err := tx.Exec(`DELETE FROM office_session WHERE token = $1`, hash)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// Unchecked gives the sessions whose certificates were last asked about before a time.
func Unchecked(tx *store.Tx, before time.Time) ([]Session, error) {
	return store.Collect(scanSession)(tx.Query(`SELECT `+sessionColumns+` FROM office_session s JOIN office_person p ON p.id = s.person WHERE s.checked_at < $1 ORDER BY s.checked_at, s.token`, store.Micros(before)))
}

// Sessions counts the open sessions of each person.
func Sessions(tx *store.Tx, now time.Time) (map[jitsuin.ID]int, error) {
	open := map[jitsuin.ID]int{}
	people, err := store.Collect(func(s store.Scanner) (id jitsuin.ID, err error) { err = s.Scan(&id); return id, err })(
		tx.Query(`SELECT person FROM office_session WHERE begun_at > $1 AND seen_at > $2`, store.Micros(now.Add(-SessionLife)), store.Micros(now.Add(-SessionIdle))))
	for _, id := range people {
		open[id]++
	}
	return open, err
}

// Forget drops sessions and passes that are over, and invitations that nobody used, a while after their end.
func Forget(tx *store.Tx, now time.Time) error {
	for _, s := range []struct {
		text string
		args []any
	}{
		{`DELETE FROM office_session WHERE begun_at <= $1 OR seen_at <= $2`, []any{store.Micros(now.Add(-SessionLife)), store.Micros(now.Add(-SessionIdle))}},
		{`DELETE FROM office_pass WHERE made_at < $1`, []any{store.Micros(now.Add(-time.Hour))}},
		{`DELETE FROM office_invitation WHERE person = '' AND expires_at < $1`, []any{store.Micros(now.Add(-30 * 24 * time.Hour))}},
	} {
		if _, err := tx.Exec(s.text, s.args...); err != nil {
			return err
		}
	}
	return nil
}
