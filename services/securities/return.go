package securities

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// returnGrace is how long after its use a code still leads the same browser on: pages that lead back by themselves
// are clicked on as well, and an answer that was cut off is asked for again.
const returnGrace = 10 * time.Second

// returned takes a browser that comes back from its holder. It needs the one-time code and the cookie that the
// browser was given when it began: a code that was seen or guessed elsewhere opens nothing.
func (f *Firm) returned(w http.ResponseWriter, r *http.Request) error {
	token, until := newToken(), time.Now().Add(f.cfg.SessionLife)
	var q request
	err := f.DB.Update(r.Context(), func(tx *store.Tx) (err error) {
		if q, err = takeCode(tx, r.URL.Query().Get("code"), cookieOf(r, visitCookie), time.Now()); err != nil || q.outcome != welcome {
			return err
		}
		if err := endSession(tx, cookieOf(r, sessionCookie)); err != nil {
			return err
		}
		return beginSession(tx, token, q.customer, until)
	})
	switch {
	case err != nil:
		return err
	case q.act == api.ActSign:
		http.Redirect(w, r, "/applications/"+q.application, http.StatusSeeOther)
	case q.outcome == welcome:
		session := f.session(token, f.cfg.SessionLife)
		http.SetCookie(w, &session)
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	default:
		http.Redirect(w, r, "/login?outcome="+url.QueryEscape(string(q.outcome)), http.StatusSeeOther)
	}
	return nil
}

// takeCode uses up the code of a return.
func takeCode(tx *store.Tx, code, browser string, now time.Time) (request, error) {
	if code == "" {
		return request{}, jitsuin.Errorf(jitsuin.Invalid, "return-code", "the address has no code")
	}
	q, err := scanRequest(tx.QueryRow(`SELECT `+requestColumns+` FROM requests WHERE code = $1`, code))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return q, jitsuin.Errorf(jitsuin.NotFound, "return-code", "no return with this code is expected")
	case err != nil:
		return q, err
	case browser == "" || hashed(browser) != q.browser:
		return q, jitsuin.Errorf(jitsuin.Denied, "return-browser", "another browser began this")
	case !q.usedAt.IsZero() && now.Sub(q.usedAt) > returnGrace:
		return q, jitsuin.Errorf(jitsuin.Conflict, "return-used", "this address has been used")
	case q.act == api.ActLogin && q.outcome == pending:
		return q, jitsuin.Errorf(jitsuin.Unavailable, "login-undecided", "the answer is still being checked").WithHint("load this page again")
	}
	_, err = tx.Exec(`UPDATE requests SET used_at = $1 WHERE txn = $2 AND used_at = 0`, store.Micros(now), q.txn)
	return q, err
}

func cookieOf(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// mine gives an application with its request, for the browser that began it and for no other.
func (f *Firm) mine(ctx context.Context, number, browser string) (a application, q request, err error) {
	err = f.DB.View(ctx, func(tx *store.Tx) (err error) {
		q, err = scanRequest(tx.QueryRow(`SELECT `+requestColumns+` FROM requests WHERE application = $1`, number))
		if err == nil && (browser == "" || hashed(browser) != q.browser) {
			err = jitsuin.Errorf(jitsuin.Denied, "return-browser", "another browser began this application")
		}
		if err == nil {
			a, err = getApplication(tx, number)
		}
		return err
	})
	return a, q, notFound(err, jitsuin.Errorf(jitsuin.NotFound, "application-unknown", "there is no application with this number"))
}

// notFound gives other for an error that says that there is no such row.
func notFound(err error, other *jitsuin.Error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return other
	}
	return err
}
