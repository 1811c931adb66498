package securities

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Names of cookies, this firm's own: cookies do not tell ports apart.
const (
	loginCookie   = "securities_login"
	sessionCookie = "securities_session"
)

func newToken() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// hashed is how a token lies in the database: who reads it there cannot use it.
func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func (f *Firm) cookie(name, token string, life time.Duration) http.Cookie {
	return http.Cookie{Name: name, Value: token, Path: "/", MaxAge: int(life / time.Second), HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Secure: strings.HasPrefix(f.cfg.Origin, "https://")}
}

// session is the cookie of a session. It is Lax, so that it is there when the holder has led back here.
func (f *Firm) session(token string, life time.Duration) http.Cookie {
	c := f.cookie(sessionCookie, token, life)
	c.SameSite = http.SameSiteLaxMode
	return c
}

type startOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      client.Challenge
}

// startLogin draws a challenge and ties it to this browser, so that nobody can finish a login for
// somebody else's browser.
func (f *Firm) startLogin(ctx context.Context, _ *struct{}) (*startOut, error) {
	c, err := f.platform.Challenge(ctx, f.cfg.Origin, loginPurpose)
	if err != nil {
		return nil, err
	}
	token, ends := newToken(), time.Unix(c.Challenge.ExpiresAt, 0)
	err = f.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO logins (token, challenge, expires_at) VALUES ($1, $2, $3)`, hashed(token), c.ID, store.Micros(ends))
		return err
	})
	return &startOut{f.cookie(loginCookie, token, time.Until(ends)), c}, err
}

type finishIn struct {
	Login   string `cookie:"securities_login"`
	Session string `cookie:"securities_session"`
	Body    client.LoginRequest
}

type finishOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      struct {
		Customer jitsuin.ID `json:"customer"`
		Until    time.Time  `json:"until"`
	}
}

// finishLogin lets a customer in whose card answered the challenge of this browser. A session that
// the browser had before ends.
func (f *Firm) finishLogin(ctx context.Context, in *finishIn) (*finishOut, error) {
	if err := f.takeLogin(ctx, in.Login, in.Body.Challenge); err != nil {
		return nil, err
	}
	l, err := f.platform.Login(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	if err := client.Refusal(l.Report); err != nil {
		return nil, err
	}
	if l.User == nil {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "nobody", "the platform does not say who this is")
	}
	out := &finishOut{}
	token := newToken()
	out.Body.Until = time.Now().Add(f.cfg.SessionLife)
	err = f.DB.Update(ctx, func(tx *store.Tx) error {
		customer, err := customerOf(tx, l.User.ID)
		if err == nil && customer == "" {
			err = jitsuin.Errorf(jitsuin.Denied, "no-customer", "this person has no account here").WithHint("open one first: POST /applications")
		}
		if err != nil {
			return err
		}
		out.Body.Customer = customer
		if err := endSession(tx, in.Session); err != nil {
			return err
		}
		return beginSession(tx, token, customer, out.Body.Until)
	})
	out.SetCookie = f.session(token, f.cfg.SessionLife)
	return out, err
}

// takeLogin ends the login under way of a browser; its challenge must be the one answered.
func (f *Firm) takeLogin(ctx context.Context, token string, challenge jitsuin.ID) error {
	now := store.Micros(time.Now())
	return f.DB.Update(ctx, func(tx *store.Tx) error {
		r, err := tx.Exec(`DELETE FROM logins WHERE token = $1 AND challenge = $2 AND expires_at > $3`, hashed(token), challenge, now)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, jitsuin.Errorf(jitsuin.Denied, "login-unknown", "this browser has no such login under way").WithHint("begin at POST /login/start"))
		}
		return nil
	})
}

type sessionIn struct {
	Session string `cookie:"securities_session"`
}

type logoutOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

// logout ends the browser's session here, not only in the browser; without one it does nothing.
func (f *Firm) logout(ctx context.Context, in *sessionIn) (*logoutOut, error) {
	err := f.DB.Update(ctx, func(tx *store.Tx) error { return endSession(tx, in.Session) })
	return &logoutOut{f.session("", -time.Second)}, err
}

func beginSession(tx *store.Tx, token string, customer jitsuin.ID, until time.Time) error {
	_, err := tx.Exec(`INSERT INTO sessions (token, customer, expires_at) VALUES ($1, $2, $3)`, hashed(token), customer, store.Micros(until))
	return err
}

func endSession(tx *store.Tx, token string) error {
	_, err := tx.Exec(`DELETE FROM sessions WHERE token = $1`, hashed(token))
	return err
}

type meOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         Customer
}

// me shows the customer of the session.
func (f *Firm) me(ctx context.Context, in *sessionIn) (*meOut, error) {
	out := &meOut{CacheControl: "no-store"}
	now := time.Now()
	err := f.DB.View(ctx, func(tx *store.Tx) error {
		id, err := customerIn(tx, in.Session, now)
		if err == nil {
			out.Body, err = getCustomer(tx, id)
		}
		return err
	})
	return out, err
}

// customerIn gives the customer of a session; Unauthenticated "no-session" for none.
func customerIn(tx *store.Tx, token string, now time.Time) (id jitsuin.ID, err error) {
	err = tx.QueryRow(`SELECT customer FROM sessions WHERE token = $1 AND expires_at > $2`, hashed(token), store.Micros(now)).Scan(&id)
	return id, notFound(err, jitsuin.Errorf(jitsuin.Unauthenticated, "no-session", "nobody is logged in").WithHint("log in at POST /login/start"))
}

// forgetTokens drops what ended before a time: logins, sessions, requests, applications that came to nothing.
func (f *Firm) forgetTokens(ctx context.Context, before time.Time) error {
	return f.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM logins WHERE expires_at < $1`, store.Micros(before))
		if err == nil {
			_, err = tx.Exec(`DELETE FROM sessions WHERE expires_at < $1`, store.Micros(before))
		}
		if err == nil {
			err = forgetApplications(tx, before)
		}
		return err
	})
}
