package web

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// TicketLife is how long a sign-in ticket is good, wall time.
const TicketLife = 2 * time.Minute

// Tickets sign the people of an office in at its pages: whoever has the office's machine draws one, and the first browser that
// shows it within TicketLife is that person's. The database holds hashes of them. Its table comes with Migrations.
type Tickets struct {
	DB   *store.DB
	Site string // tickets of another site in the same database do not work here
	// Now is wall time; nil is time.Now.
	Now func() time.Time
}

func (t Tickets) now() time.Time {
	if t.Now != nil {
		return t.Now()
	}
	return time.Now()
}

// Draw makes a ticket for a person, whose name will stand in every record. It is no act that must take effect once: one too many
// ends by itself, and the table of requests should not have a secret. Invalid "person-name" for no name, or one of several lines.
func (t Tickets) Draw(ctx context.Context, person string) (ticket string, until time.Time, err error) {
	person = strings.TrimSpace(person)
	if person == "" || strings.ContainsAny(person, "\r\n\t") {
		return "", until, jitsuin.Errorf(jitsuin.Invalid, "person-name", "a ticket needs the person's name, on one line")
	}
	now := t.now()
	ticket, until = NewToken(), now.Add(TicketLife)
	err = t.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(`DELETE FROM web_ticket WHERE expires_at < $1`, store.Micros(now)); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO web_ticket (ticket, site, person, expires_at) VALUES ($1, $2, $3, $4)`, Hash(ticket), t.Site, person, store.Micros(until))
		return err
	})
	return ticket, until, err
}

// Use uses a ticket up and gives whose it is; Denied "ticket-unknown" where it was used, is over or never was.
func (t Tickets) Use(ctx context.Context, ticket string) (person string, err error) {
	now := t.now()
	err = t.DB.Update(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(`SELECT person FROM web_ticket WHERE ticket = $1 AND site = $2 AND expires_at > $3`, Hash(ticket), t.Site, store.Micros(now)).Scan(&person)
		if errors.Is(err, sql.ErrNoRows) {
			return jitsuin.Errorf(jitsuin.Denied, "ticket-unknown", "this ticket was used, is over, or is for another office")
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(`DELETE FROM web_ticket WHERE ticket = $1`, Hash(ticket))
		return err
	})
	return person, err
}

// Inside gives the page below root (such as /desk/) that next names, or root itself where it names anything else: a link that
// signs in leads nowhere but to the office's own pages.
func Inside(root, next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || strings.Contains(next, "\\") || !strings.HasPrefix(path.Clean(u.Path), root) {
		return root
	}
	return path.Clean(u.Path)
}
