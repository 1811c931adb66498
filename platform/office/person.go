package office

import (
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Person is somebody who works at the platform, or did.
type Person struct {
	ID    jitsuin.ID
	Name  string // as the invitation has it
	Roles []Role
	Since time.Time // civil
	Left  time.Time // civil; zero while they work here

	user string // in the platform's own sector
}

// Works tells whether the person works here now.
func (p Person) Works() bool { return p.ID != "" && p.Left.IsZero() }

// May tells whether the person may do an act, or propose it where two people are needed.
func (p Person) May(a Act) bool { return p.Works() && Any(p.Roles, DutyOf(a).May) }

// MaySecond tells whether the person may approve what another has proposed.
func (p Person) MaySecond(a Act) bool { return p.Works() && Any(p.Roles, DutyOf(a).Second) }

// Caller gives the person as a caller of the API.
func (p Person) Caller() string { return "person:" + string(p.ID) }

// Signed gives the name for the operation log: two people of one name stay two.
func (p Person) Signed() string { return p.Name + " (person:" + string(p.ID[:12]) + ")" }

// CheckRoles refuses a set of roles that nobody may have. Errors: Invalid "roles".
func CheckRoles(roles []Role) error {
	wrong := func(format string, args ...any) error {
		return jitsuin.Errorf(jitsuin.Invalid, "roles", format, args...).At("roles")
	}
	if len(roles) == 0 {
		return wrong("a person has at least one role")
	}
	for i, r := range roles {
		if !slices.Contains(Roles, r) || slices.Contains(roles[:i], r) {
			return wrong("%q is no role, or stands twice", r)
		}
	}
	if slices.Contains(roles, Auditor) && len(roles) > 1 {
		return wrong("an auditor has no other role: nobody audits what they do themselves")
	}
	return nil
}

// CheckName refuses a name that does not stand on one line. Errors: Invalid "person-name".
func CheckName(name string) error {
	if strings.TrimSpace(name) == "" || len(name) > 200 || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return jitsuin.Errorf(jitsuin.Invalid, "person-name", "a person's name is one line of characters that print").At("name")
	}
	return nil
}

// MaxReason is how long a reason may be, in characters.
const MaxReason = 500

// CheckReason refuses an act whose reason is missing. Errors: Invalid "reason".
func CheckReason(reason string) error {
	if strings.TrimSpace(reason) == "" || len([]rune(reason)) > MaxReason {
		return jitsuin.Errorf(jitsuin.Invalid, "reason", "this act needs a reason, in at most %d characters", MaxReason).At("reason")
	}
	return nil
}

const personColumns = `id, user_id, name, roles, since, left_at`

func scanPerson(s store.Scanner) (p Person, err error) {
	var roles []byte
	var since, left int64
	if err := s.Scan(&p.ID, &p.user, &p.Name, &roles, &since, &left); err != nil {
		return Person{}, err
	}
	p.Since, p.Left = store.Time(since), store.Time(left)
	return p, json.Unmarshal(roles, &p.Roles)
}

// People lists everybody, those who work here first.
func People(tx *store.Tx) ([]Person, error) {
	return store.Collect(scanPerson)(tx.Query(`SELECT ` + personColumns + ` FROM office_person ORDER BY CASE WHEN left_at = 0 THEN 0 ELSE 1 END, since, id`))
}

// PersonOf gives a person. Errors: NotFound "person-unknown".
func PersonOf(tx *store.Tx, id jitsuin.ID) (Person, error) {
	p, err := scanPerson(tx.QueryRow(`SELECT `+personColumns+` FROM office_person WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "person-unknown", "nobody of the office has this id")
	}
	return p, err
}

// byUser gives the person with a user id in the platform's sector; a Person without ID for nobody.
func byUser(tx *store.Tx, user string) (Person, error) {
	p, err := scanPerson(tx.QueryRow(`SELECT `+personColumns+` FROM office_person WHERE user_id = $1`, user))
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, nil
	}
	return p, err
}

func putPerson(tx *store.Tx, p Person) error {
	roles, err := json.Marshal(p.Roles)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO office_person (`+personColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, roles = excluded.roles, since = excluded.since, left_at = excluded.left_at`,
		p.ID, p.user, p.Name, string(roles), store.Micros(p.Since), store.Micros(p.Left))
	return err
}

// SetRoles gives a person other roles. By is who does it: nobody changes their own. The office keeps an administrator. Making
// somebody an administrator is the caller's to have approved. Errors: Denied "own-roles", Conflict "person-gone",
// "last-administrator", Invalid "roles".
func SetRoles(tx *store.Tx, by Person, id jitsuin.ID, roles []Role) (before []Role, err error) {
	if err := CheckRoles(roles); err != nil {
		return nil, err
	}
	p, err := another(tx, by, id)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(roles, Administrator) {
		if err := keepAdministrator(tx, p); err != nil {
			return nil, err
		}
	}
	before, p.Roles = p.Roles, roles
	return before, putPerson(tx, p)
}

// another gives a person who works here and is not by.
func another(tx *store.Tx, by Person, id jitsuin.ID) (Person, error) {
	p, err := PersonOf(tx, id)
	switch {
	case err != nil:
		return p, err
	case p.ID == by.ID:
		return p, jitsuin.Errorf(jitsuin.Denied, "own-roles", "nobody changes what they are themselves").WithHint("another administrator does this")
	case !p.Works():
		return p, jitsuin.Errorf(jitsuin.Conflict, "person-gone", "this person does not work here any more")
	}
	return p, nil
}

// keepAdministrator refuses to take the last administrator away.
func keepAdministrator(tx *store.Tx, p Person) error {
	if !slices.Contains(p.Roles, Administrator) {
		return nil
	}
	all, err := People(tx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(o Person) bool { return o.ID != p.ID && o.Works() && slices.Contains(o.Roles, Administrator) }) {
		return jitsuin.Errorf(jitsuin.Conflict, "last-administrator", "this is the last administrator").WithHint("make another one first")
	}
	return nil
}

// Ended says what ended with a person's work here.
type Ended struct {
	Person                           Person
	Sessions, Proposals, Invitations int64
}

// End cuts a person off: their sessions end now, what they have proposed is void, and invitations of theirs that nobody has used are
// withdrawn. Errors are those of SetRoles.
func End(tx *store.Tx, by Person, id jitsuin.ID, civil, wall time.Time) (Ended, error) {
	p, err := another(tx, by, id)
	if err != nil {
		return Ended{}, err
	}
	if err := keepAdministrator(tx, p); err != nil {
		return Ended{}, err
	}
	p.Left = civil
	e := Ended{Person: p}
	if err := putPerson(tx, p); err != nil {
		return e, err
	}
	for _, s := range []struct {
		n    *int64
		text string
		args []any
	}{
		{&e.Sessions, `DELETE FROM office_session WHERE person = $1`, []any{p.ID}},
		{&e.Proposals, `UPDATE office_proposal SET state = $1, decided_at = $2 WHERE proposer = $3 AND state = $4`, []any{Void, store.Micros(civil), p.ID, Waiting}},
		{&e.Invitations, `UPDATE office_invitation SET withdrawn_at = $1 WHERE invited_by = $2 AND person = '' AND withdrawn_at = 0`, []any{store.Micros(wall), p.Caller()}},
	} {
		done, err := tx.Exec(s.text, s.args...)
		if err != nil {
			return e, err
		}
		if *s.n, err = done.RowsAffected(); err != nil {
			return e, err
		}
	}
	return e, nil
}

// OneAdministrator tells whether there is but one administrator, or none: then a lost card locks the office.
func OneAdministrator(tx *store.Tx) (bool, error) {
	all, err := People(tx)
	n := 0
	for _, p := range all {
		if p.Works() && slices.Contains(p.Roles, Administrator) {
			n++
		}
	}
	return n < 2, err
}
