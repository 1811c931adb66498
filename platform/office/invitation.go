package office

import (
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
)

// InvitationLife is how long an invitation may be used, wall time: a working day, so that a link that was sent and forgotten opens
// nothing.
const InvitationLife = 24 * time.Hour

// Invitation is a place in the office for somebody who has not come yet. Its link has 256 random bits and is used once.
type Invitation struct {
	ID        jitsuin.ID
	Name      string
	Roles     []Role
	By        string    // a caller: person:ID, or who has the machine
	MadeAt    time.Time // civil
	ExpiresAt time.Time // wall
	Confirmed bool      // a second person agreed, or none is needed
	Withdrawn time.Time // wall
	Person    jitsuin.ID
}

// Open tells whether the invitation can be used at a wall time.
func (i Invitation) Open(now time.Time) bool {
	return i.Person == "" && i.Withdrawn.IsZero() && i.Confirmed && now.Before(i.ExpiresAt)
}

// NewInvitation draws an invitation and its token, which exists nowhere but in what is given here. One for an administrator is not
// confirmed: two people are needed for it.
func NewInvitation(name string, roles []Role, by string, civil, wall time.Time) (i Invitation, token string, err error) {
	if err := CheckName(name); err != nil {
		return i, "", err
	}
	if err := CheckRoles(roles); err != nil {
		return i, "", err
	}
	return Invitation{ID: jitsuin.NewID(), Name: name, Roles: roles, By: by, MadeAt: civil, ExpiresAt: wall.Add(InvitationLife),
		Confirmed: !slices.Contains(roles, Administrator)}, web.NewToken(), nil
}

const invitationColumns = `id, name, roles, invited_by, made_at, expires_at, confirmed, withdrawn_at, person`

func scanInvitation(s store.Scanner) (i Invitation, err error) {
	var roles []byte
	var made, expires, withdrawn int64
	var confirmed int
	if err := s.Scan(&i.ID, &i.Name, &roles, &i.By, &made, &expires, &confirmed, &withdrawn, &i.Person); err != nil {
		return Invitation{}, err
	}
	i.MadeAt, i.ExpiresAt, i.Withdrawn, i.Confirmed = store.Time(made), store.Time(expires), store.Time(withdrawn), confirmed == 1
	return i, json.Unmarshal(roles, &i.Roles)
}

// PutInvitation stores an invitation with its token.
func PutInvitation(tx *store.Tx, i Invitation, token string) error {
	roles, err := json.Marshal(i.Roles)
	if err != nil {
		return err
	}
	confirmed := 0
	if i.Confirmed {
		confirmed = 1
	}
	_, err = tx.Exec(`INSERT INTO office_invitation (id, token, name, roles, invited_by, made_at, expires_at, confirmed, withdrawn_at, person)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '')`,
		i.ID, web.Hash(token), i.Name, string(roles), i.By, store.Micros(i.MadeAt), store.Micros(i.ExpiresAt), confirmed)
	return err
}

// Invitations lists those that may still lead somebody here, the newest first.
func Invitations(tx *store.Tx, now time.Time) ([]Invitation, error) {
	return store.Collect(scanInvitation)(tx.Query(`SELECT `+invitationColumns+` FROM office_invitation
		WHERE person = '' AND withdrawn_at = 0 AND expires_at > $1 ORDER BY made_at DESC, id`, store.Micros(now)))
}

// InvitationOf gives an invitation. Errors: NotFound "invitation-unknown".
func InvitationOf(tx *store.Tx, id jitsuin.ID) (Invitation, error) {
	return oneInvitation(tx.QueryRow(`SELECT `+invitationColumns+` FROM office_invitation WHERE id = $1`, id))
}

// Invited gives the invitation that a token opens. One that was used, withdrawn, is over or waits for a second person is refused like
// one that never was: Denied "invitation-unknown".
func Invited(tx *store.Tx, token string, now time.Time) (Invitation, error) {
	i, err := oneInvitation(tx.QueryRow(`SELECT `+invitationColumns+` FROM office_invitation WHERE token = $1`, web.Hash(token)))
	if jitsuin.KindOf(err) == jitsuin.NotFound || err == nil && !i.Open(now) {
		return Invitation{}, jitsuin.Errorf(jitsuin.Denied, "invitation-unknown", "this invitation was used or withdrawn, is over, waits for a second person, or never was")
	}
	return i, err
}

func oneInvitation(row *store.Row) (Invitation, error) {
	i, err := scanInvitation(row)
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "invitation-unknown", "there is no such invitation")
	}
	return i, err
}

// ConfirmInvitation is the second person's agreement; the invitation lasts from then on.
func ConfirmInvitation(tx *store.Tx, id jitsuin.ID, wall time.Time) error {
	_, err := tx.Exec(`UPDATE office_invitation SET confirmed = 1, expires_at = $1 WHERE id = $2 AND person = '' AND withdrawn_at = 0`,
		store.Micros(wall.Add(InvitationLife)), id)
	return err
}

// WithdrawInvitation ends an invitation that nobody has used. Errors: NotFound "invitation-unknown", Conflict "invitation-used".
func WithdrawInvitation(tx *store.Tx, id jitsuin.ID, wall time.Time) (Invitation, error) {
	i, err := InvitationOf(tx, id)
	if err != nil {
		return i, err
	}
	if i.Person != "" || !i.Withdrawn.IsZero() {
		return i, jitsuin.Errorf(jitsuin.Conflict, "invitation-used", "the invitation was used or withdrawn already")
	}
	_, err = tx.Exec(`UPDATE office_invitation SET withdrawn_at = $1 WHERE id = $2`, store.Micros(wall), id)
	return i, err
}

// Join binds a person to an invitation, which is used up. user is who they are in the platform's sector, fresh the id of somebody who
// was never here. Who left and comes back stays the same person; the same person again with the same invitation is let through. Errors: Denied "invitation-unknown", Conflict "person-known" where
// the person works here already: one person never counts as two.
func Join(tx *store.Tx, invitation jitsuin.ID, user string, fresh jitsuin.ID, civil, wall time.Time) (Person, error) {
	i, err := InvitationOf(tx, invitation)
	if err != nil && jitsuin.KindOf(err) != jitsuin.NotFound {
		return Person{}, err
	}
	p, perr := byUser(tx, user)
	switch {
	case perr != nil:
		return Person{}, perr
	case err == nil && p.Works() && i.Person == p.ID: // the answer came in twice
		return p, nil
	case err != nil || !i.Open(wall):
		return Person{}, jitsuin.Errorf(jitsuin.Denied, "invitation-unknown", "this invitation cannot be used any more")
	case p.Works():
		return Person{}, jitsuin.Errorf(jitsuin.Conflict, "person-known", "this person works here already").WithHint("an administrator changes their roles instead")
	case p.ID == "":
		p = Person{ID: fresh, user: user}
	}
	p.Name, p.Roles, p.Since, p.Left = i.Name, i.Roles, civil, time.Time{}
	if err := putPerson(tx, p); err != nil {
		return Person{}, err
	}
	_, err = tx.Exec(`UPDATE office_invitation SET person = $1 WHERE id = $2`, p.ID, i.ID)
	return p, err
}
