package errand

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
)

// An errand on another device: this browser shows a QR code, a telephone opens the request and answers it, and shows six digits that the
// person types here. A QR code can be sent on to somebody else, so an answer alone moves nothing: who cannot read the telephone that answered
// does not get on, and only the browser that began may type. The digits are drawn with a token of the answer and with a key that does not lie
// in the database, so who reads the database does not know them, and an answer that is sent again is told the same ones.

const (
	screenPath   = "/errands/screen/"
	screenSignal = "errand on another device"
	// secretLife is how long the digits may be typed after the answer, wall time; mostSecrets how often wrong ones. NIST SP 800-63B §3.1.3.1
	// asks of a secret that a person carries over for 20 bits and at most 10 minutes.
	secretLife   = 5 * time.Minute
	mostSecrets  = 5
	secretDigits = 6
	// waitLife is how long a page is kept waiting in one request; otherNodes how often it looks for what another node has noted.
	waitLife   = 25 * time.Second
	otherNodes = 3 * time.Second
)

func (d *Desk) screenRoutes(a *httpapi.API) {
	browser := httpapi.Public("the cookie of the browser that began decides")
	for pattern, h := range map[string]web.Handler{
		"GET " + screenPath + "{txn}": d.showScreen, "POST " + screenPath + "{txn}": d.takeSecret, "GET " + screenPath + "{txn}/wait": d.waitScreen,
		"POST " + screenPath + "{txn}/stop": d.stopScreen, "POST " + screenPath + "{txn}/again": d.againScreen,
	} {
		d.site.Handle(a, pattern, browser, h)
	}
}

// BeginElsewhere is Begin for a login that is answered on another device: the browser stays, at a page with the request's QR code.
func (d *Desk) BeginElsewhere(w http.ResponseWriter, r *http.Request, q Request) error {
	q.Bound, q.Elsewhere = true, true
	browser := d.browserToken(r)
	made, err := d.Start(r.Context(), q, browser)
	if err != nil {
		return err
	}
	d.remember(w, browser)
	http.Redirect(w, r, screenPath+string(made.Txn)+"?lang="+string(web.LangOf(r)), http.StatusSeeOther)
	return nil
}

// judged tells whether the answer was one that the handler decided about.
func (e row) judged() bool {
	switch e.Outcome {
	case "", Cancelled, Late, HolderFailed, SecretWrong, SecretLate:
		return false
	}
	return true
}

// needsSecret tells whether the browser that began may not go on yet.
func (e row) needsSecret() bool { return e.answer == "" || e.judged() && !e.proved }

// shownFor gives what the other device shows, "" where nothing has to be typed.
func (d *Desk) shownFor(e row) string {
	if !e.judged() {
		return ""
	}
	mac := hmac.New(sha256.New, d.Secret)
	fmt.Fprintf(mac, "%s\n%s", e.Txn, e.code)
	return fmt.Sprintf("%0*d", secretDigits, binary.BigEndian.Uint64(mac.Sum(nil))%1_000_000)
}

// typed reads digits as people type them: in groups, or full width.
func typed(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == ' ' || r == '　' || r == '-':
			return -1
		}
		return r
	}, s)
	if _, err := strconv.ParseUint(s, 10, 32); err != nil || len(s) != secretDigits {
		return ""
	}
	return s
}

// ofScreen finds the errand of a page for the browser that began it.
func (d *Desk) ofScreen(tx *store.Tx, r *http.Request) (row, error) {
	e, err := find(tx, "txn", r.PathValue("txn"))
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && !e.screen:
		return e, jitsuin.Errorf(jitsuin.NotFound, "return-code", "no such login was begun for another device")
	case err == nil && web.Hash(d.browserOf(r)) != e.browser:
		return e, jitsuin.Errorf(jitsuin.Denied, "return-browser", "another browser began this")
	}
	return e, err
}

// end ends an errand from the side of the browser that began. code is drawn before, for one that was not answered.
func (d *Desk) end(ctx context.Context, tx *store.Tx, e row, outcome, code string) (row, error) {
	if e.answer == "" {
		e.answer, e.code = "ended", code
	}
	e.Outcome, e.Result = outcome, ""
	if _, err := tx.Exec(`UPDATE errands SET answer = $1, code = $2, outcome = $3, result = '' WHERE txn = $4`, e.answer, e.code, outcome, e.Txn); err != nil {
		return e, err
	}
	tx.Notify(screenSignal)
	return e, d.Record(ctx, tx, "login-elsewhere-ended", e.Visit, map[string]string{"outcome": outcome})
}

// current finds the errand of a page, and ends it where its time is over.
func (d *Desk) current(r *http.Request) (e row, err error) {
	code, now := web.NewToken(), time.Now()
	err = d.DB.Update(r.Context(), func(tx *store.Tx) (err error) {
		if e, err = d.ofScreen(tx, r); err != nil {
			return err
		}
		switch {
		case e.answer == "" && !now.Before(e.expiresAt):
			e, err = d.end(r.Context(), tx, e, Late, code)
		case e.judged() && !e.proved && !now.Before(e.secretUntil):
			e, err = d.end(r.Context(), tx, e, SecretLate, code)
		}
		return err
	})
	return e, err
}

// screenPage is what the browser that began shows.
type screenPage struct {
	Path      string
	State     string // scan, type, late or end
	Name, For web.Pair
	QR        template.URL
	Link      string // what the QR code says
	Minutes   int    // that are left, at least one
	Form      *web.Form
	Left      int    // tries
	Outcome   string // of state end; "" for one that goes on
	Back      string // where the browser goes on
}

func (d *Desk) showScreen(w http.ResponseWriter, r *http.Request) error {
	e, err := d.current(r)
	if err != nil {
		return err
	}
	return d.screenPage(w, r, http.StatusOK, e, secretForm(r))
}

func secretForm(r *http.Request) *web.Form {
	return web.NewForm(r.PostForm, web.Field{Name: "screen_secret", Label: "screen.secret", Help: "screen.secret.help", Need: true, Max: 20, Width: "narrow", Numeric: true, Auto: "one-time-code"})
}

func (d *Desk) screenPage(w http.ResponseWriter, r *http.Request, status int, e row, f *web.Form) error {
	claims, err := claimsOf(e.jws)
	if err != nil {
		return err
	}
	p := screenPage{Path: screenPath + string(e.Txn), Name: web.Pair{JA: claims.Client.NameJA, EN: claims.Client.NameEN}, For: web.Pair{JA: claims.Purpose, EN: claims.PurposeEN},
		Back: d.Origin + returnPath + "?code=" + url.QueryEscape(e.code), Form: f, Left: mostSecrets - e.tries}
	until := e.secretUntil
	switch {
	case e.answer == "":
		p.State, until = "scan", e.expiresAt
		if p.Link, p.QR, err = d.codeOf(e.Txn, web.LangOf(r)); err != nil {
			return err
		}
	case e.needsSecret():
		p.State = "type"
	case e.Outcome == Late && e.answer == "ended":
		p.State = "late"
	default:
		p.State = "end"
		if !e.judged() {
			p.Outcome = e.Outcome
		}
	}
	if p.State == "scan" || p.State == "type" {
		p.Back = "" // is not told before
	}
	p.Minutes = max(int(time.Until(until)/time.Minute), 1)
	d.site.Page(w, r, status, "screen", p)
	return nil
}

// claimsOf reads a request that we signed.
func claimsOf(jws string) (c api.RequestClaims, err error) {
	_, rest, _ := strings.Cut(jws, ".")
	payload, _, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(raw, &c)
}

// codeOf gives the link that another device opens, and its QR code as a picture.
func (d *Desk) codeOf(txn jitsuin.ID, l web.Lang) (link string, picture template.URL, err error) {
	if link, err = d.Open(txn); err != nil {
		return "", "", err
	}
	c, err := qr.Encode(link+"&lang="+string(l), qr.M)
	if err != nil {
		return "", "", err
	}
	c.Scale = 6
	return link, template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(c.PNG())), nil
}

// waitScreen answers when the other device has answered, or its time is over: {"changed": true}. After a while it answers that nothing has.
func (d *Desk) waitScreen(w http.ResponseWriter, r *http.Request) error {
	signals, stop := d.DB.Watch(screenSignal)
	defer stop()
	over, tick := time.After(waitLife), time.NewTicker(otherNodes)
	defer tick.Stop()
	changed := false
	for waiting := true; waiting; {
		var e row
		if err := d.DB.View(r.Context(), func(tx *store.Tx) (err error) { e, err = d.ofScreen(tx, r); return err }); err != nil {
			return err
		}
		if changed = e.answer != "" || !time.Now().Before(e.expiresAt); changed {
			break
		}
		select {
		case <-signals:
		case <-tick.C:
		case <-over:
			waiting = false
		case <-actor.Stopping(r.Context()):
			waiting = false
		case <-r.Context().Done():
			return nil
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(map[string]bool{"changed": changed})
}

// takeSecret takes what the person reads on the other device. The page that follows leads on by a link: the client's address is none to which
// forms of ours may lead.
func (d *Desk) takeSecret(w http.ResponseWriter, r *http.Request) error {
	e, err := d.current(r)
	if err != nil {
		return err
	}
	given, f := typed(r.PostForm.Get("screen_secret")), secretForm(r)
	switch {
	case e.answer == "" || !e.needsSecret():
	case given == "":
		f.Wrong("screen_secret", "screen.secret.form")
		return d.screenPage(w, r, http.StatusUnprocessableEntity, e, f)
	default:
		if e, err = d.compare(r, given); err != nil {
			return err
		}
		if e.needsSecret() {
			f.Wrong("screen_secret", "screen.secret.wrong", "n", mostSecrets-e.tries)
			return d.screenPage(w, r, http.StatusUnprocessableEntity, e, f)
		}
	}
	http.Redirect(w, r, screenPath+string(e.Txn), http.StatusSeeOther)
	return nil
}

// compare takes one try.
func (d *Desk) compare(r *http.Request, given string) (e row, err error) {
	now := time.Now()
	err = d.DB.Update(r.Context(), func(tx *store.Tx) (err error) {
		if e, err = d.ofScreen(tx, r); err != nil || !e.needsSecret() || e.answer == "" || !now.Before(e.secretUntil) {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(given), []byte(d.shownFor(e))) == 1 {
			e.proved = true
			if _, err = tx.Exec(`UPDATE errands SET proved_at = $1 WHERE txn = $2`, store.Micros(now), e.Txn); err != nil {
				return err
			}
			return d.Record(r.Context(), tx, "login-elsewhere-proved", e.Visit, nil)
		}
		e.tries++
		if _, err = tx.Exec(`UPDATE errands SET secret_tries = $1 WHERE txn = $2`, e.tries, e.Txn); err != nil {
			return err
		}
		if err = d.Record(r.Context(), tx, "login-elsewhere-wrong", e.Visit, map[string]string{"tries-left": strconv.Itoa(mostSecrets - e.tries)}); err != nil || e.tries < mostSecrets {
			return err
		}
		e, err = d.end(r.Context(), tx, e, SecretWrong, e.code)
		return err
	})
	return e, err
}

// stopScreen is the person who says no where they began. What the other device answers after that is not taken.
func (d *Desk) stopScreen(w http.ResponseWriter, r *http.Request) error {
	code := web.NewToken()
	err := d.DB.Update(r.Context(), func(tx *store.Tx) error {
		e, err := d.ofScreen(tx, r)
		if err == nil && e.needsSecret() {
			_, err = d.end(r.Context(), tx, e, Cancelled, code)
		}
		return err
	})
	if err != nil {
		return err
	}
	http.Redirect(w, r, screenPath+r.PathValue("txn"), http.StatusSeeOther)
	return nil
}

// againScreen begins the same anew, with another QR code, where the last one's time was over before anybody answered.
func (d *Desk) againScreen(w http.ResponseWriter, r *http.Request) error {
	e, err := d.current(r)
	if err != nil {
		return err
	}
	if e.Outcome != Late || e.answer != "ended" || e.usedAt != 0 {
		http.Redirect(w, r, screenPath+string(e.Txn), http.StatusSeeOther)
		return nil
	}
	c, err := claimsOf(e.jws)
	if err != nil {
		return err
	}
	return d.BeginElsewhere(w, r, Request{Name: e.Name, About: e.About, Act: e.Act, Purpose: c.Purpose, PurposeEN: c.PurposeEN, Client: &c.Client, Items: c.Items})
}
