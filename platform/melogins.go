package platform

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/openid"
)

// Logins of a resident at clients of the OpenID provider, in their own view.

const (
	ofMyLogins = ` JOIN tenants t ON t.id = s.tenant WHERE EXISTS (SELECT 1 FROM check_certificates k JOIN person_certificates m ON m.kind = k.kind AND m.serial = k.serial
		WHERE k.tenant = s.tenant AND k.user_id = s.user_id AND m.person = $1) `
	mineLogins = mineWhy + `SELECT s.id, t.name, t.name_en, c.metadata, s.auth_time, s.expires_at FROM openid_sessions s JOIN openid_clients c ON c.id = s.client` + ofMyLogins +
		`AND s.started_at > 0 AND s.ended_at = 0 AND s.expires_at > $2 ORDER BY s.auth_time DESC, s.id LIMIT 200`
	mineGiven = mineWhy + `SELECT s.at, t.name, t.name_en, s.claims FROM openid_given s` + ofMyLogins + `ORDER BY s.at DESC, s.session LIMIT 200`
	myLogin   = mineWhy + `SELECT s.tenant, s.user_id FROM openid_sessions s` + ofMyLogins + `AND s.id = $2`
)

func (v *meView) readLogins(tx *store.Tx, person jitsuin.ID, now time.Time) (err error) {
	if v.Logins, err = store.Collect(scanMeLogin)(tx.Query(mineLogins, person, store.Micros(now))); err != nil {
		return err
	}
	v.Given, err = store.Collect(scanMeGiven)(tx.Query(mineGiven, person))
	return err
}

func scanMeLogin(s store.Scanner) (l meLogin, err error) {
	var raw []byte
	var since, end int64
	if err = s.Scan(&l.ID, &l.Firm.JA, &l.Firm.EN, &raw, &since, &end); err != nil {
		return l, err
	}
	var m openid.Metadata
	if err = json.Unmarshal(raw, &m); err != nil {
		return l, err
	}
	l.Firm, l.Client, l.Since, l.End = firm(l.Firm.JA, l.Firm.EN), m.Name, store.Time(since), store.Time(end)
	return l, nil
}

func scanMeGiven(s store.Scanner) (g meGiven, err error) {
	var at int64
	var claims string
	err = s.Scan(&at, &g.Firm.JA, &g.Firm.EN, &claims)
	g.At, g.Firm, g.Claims = store.Time(at), firm(g.Firm.JA, g.Firm.EN), strings.Fields(claims)
	return g, err
}

// meEndLogin ends a login of the resident's own; anybody else's, and one that never was, are NotFound alike.
func (p *Platform) meEndLogin(w http.ResponseWriter, r *http.Request) error {
	s, err := p.people.sessions.Get(r)
	if jitsuin.CodeOf(err) == "no-session" && err != nil {
		seeOther(w, r, "/me")
		return nil
	}
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	var tenant, user string
	err = p.DB.View(r.Context(), func(tx *store.Tx) error { return tx.QueryRow(myLogin, s.Person, id).Scan(&tenant, &user) })
	if errors.Is(err, sql.ErrNoRows) {
		return jitsuin.Errorf(jitsuin.NotFound, "session-unknown", "you have no such login")
	}
	if err == nil {
		err = p.openid.EndOf(r.Context(), tenant, user, id)
	}
	if err != nil {
		return err
	}
	seeOther(w, r, "/me?login=ended")
	return nil
}
