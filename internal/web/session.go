package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations makes the table of sessions: store.Also("web", web.Migrations()).
func Migrations() fs.FS { return sub(migrationFiles, "migrations") }

// Sessions keeps browsers known by a cookie. The database holds hashes of the tokens, so who reads
// it there cannot use them. Times are wall time.
type Sessions[T any] struct {
	DB     *store.DB
	Cookie string // the actor's own name: cookies do not tell ports apart
	Life   time.Duration
	Secure bool // the site is reached by https
	// FromOutside lets the cookie come along when another site leads here (SameSite=Lax); without it,
	// only this site's own links and forms bring it (Strict).
	FromOutside bool
}

// NewToken draws 256 random bits.
func NewToken() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// Hash is how a token lies in a database.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Begin makes a session with its data and sets the cookie; one that the browser had before ends.
func (s Sessions[T]) Begin(w http.ResponseWriter, r *http.Request, data T) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	token, until := NewToken(), time.Now().Add(s.Life)
	err = s.DB.Update(r.Context(), func(tx *store.Tx) error {
		if _, err := tx.Exec(`DELETE FROM web_session WHERE token = $1 OR expires_at < $2`, Hash(s.token(r)), store.Micros(time.Now())); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO web_session (token, site, data, expires_at) VALUES ($1, $2, $3, $4)`, Hash(token), s.Cookie, string(raw), store.Micros(until))
		return err
	})
	if err == nil {
		http.SetCookie(w, s.cookie(token, s.Life))
	}
	return err
}

// Get gives the data of the browser's session; Unauthenticated "no-session" where there is none.
func (s Sessions[T]) Get(r *http.Request) (data T, err error) {
	var raw []byte
	err = s.DB.View(r.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT data FROM web_session WHERE token = $1 AND site = $2 AND expires_at > $3`,
			Hash(s.token(r)), s.Cookie, store.Micros(time.Now())).Scan(&raw)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return data, jitsuin.Errorf(jitsuin.Unauthenticated, "no-session", "nobody is logged in, or the session is over")
	}
	if err != nil {
		return data, err
	}
	return data, json.Unmarshal(raw, &data)
}

// Put stores other data in the browser's session; NotFound-like errors are those of Get.
func (s Sessions[T]) Put(r *http.Request, data T) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return s.DB.Update(r.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE web_session SET data = $1 WHERE token = $2 AND site = $3`, string(raw), Hash(s.token(r)), s.Cookie)
		return err
	})
}

// End ends the browser's session here, not only in the browser.
func (s Sessions[T]) End(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, s.cookie("", -time.Second))
	return s.DB.Update(r.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM web_session WHERE token = $1`, Hash(s.token(r)))
		return err
	})
}

func (s Sessions[T]) token(r *http.Request) string {
	c, err := r.Cookie(s.Cookie)
	if err != nil {
		return ""
	}
	return c.Value
}

func (s Sessions[T]) cookie(token string, life time.Duration) *http.Cookie {
	same := http.SameSiteStrictMode
	if s.FromOutside {
		same = http.SameSiteLaxMode
	}
	return &http.Cookie{Name: s.Cookie, Value: token, Path: "/", MaxAge: int(life / time.Second), HttpOnly: true, SameSite: same, Secure: s.Secure}
}

// ActOf gives a context whose Idempotency-Key is the one that {{act}} put into the form, so that a form
// that is sent twice takes effect once.
func ActOf(r *http.Request) (context.Context, error) {
	id, err := jitsuin.ParseID(r.PostForm.Get("act"))
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "act-missing", "the form was not made by this site")
	}
	return httpapi.WithIdempotencyKey(r.Context(), string(id)), nil
}
