package errand

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
)

// ActPresent is the act of an errand that the browser answers itself: it shows a certificate in a TLS handshake at another port. No holder
// is asked, so there is neither a request nor a challenge.
const ActPresent api.Act = "present"

// presentLife is how long there is to put the card down, choose its certificate and type the PIN, wall time.
const presentLife = 5 * time.Minute

// Codes of what is wrong with a handle; returned shows them as pages.
var presentProblems = map[string]error{
	"present-unknown": jitsuin.Errorf(jitsuin.NotFound, "present-unknown", "nobody began a login with this address"),
	"present-used":    jitsuin.Errorf(jitsuin.Conflict, "present-used", "this address has been used"),
	"present-failed":  jitsuin.Errorf(jitsuin.Unavailable, "present-failed", "the certificate that was shown could not be looked at"),
}

// BeginPresent begins an errand whose answer is the browser's own certificate, and leads the browser to the port where it shows it, with a
// handle that serves once.
func (d *Desk) BeginPresent(w http.ResponseWriter, r *http.Request, q Request, port string) error {
	if d.handlers[q.Name].Present == nil || len(q.Items) > 0 || len(q.Documents) > 0 {
		return jitsuin.Errorf(jitsuin.Internal, "errand-name", "nobody takes certificates for errands of the name %q like this", q.Name)
	}
	txn, secret, browser := jitsuin.NewID(), web.NewToken(), d.browserToken(r)
	err := d.DB.Update(r.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO errands (txn, name, about, act, state, browser, challenge, jws, expires_at, answer, code, outcome, result, used_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'null', '', $7, '', '', '', '', 0)`,
			txn, q.Name, q.About, string(ActPresent), web.Hash(secret), web.Hash(browser), store.Micros(time.Now().Add(presentLife)))
		return err
	})
	if err != nil {
		return err
	}
	d.remember(w, browser)
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, port+"?"+url.Values{"handle": {string(txn) + "." + secret}}.Encode(), http.StatusSeeOther)
	return nil
}

// Present decides the errand of a handle by the certificate whose key the browser proved to hold, nil where it showed none, and gives the
// address at which the browser that began goes on. Until it has gone on, the same certificate again gives the same address; after that, and
// for any other certificate, the handle is used up. What is wrong with a handle is an address too, of a page that says so.
func (d *Desk) Present(ctx context.Context, handle string, leaf *x509.Certificate) (back string, err error) {
	e, err := d.shown(ctx, handle)
	digest := digestOf(leaf)
	switch {
	case err != nil:
	case e.usedAt != 0 || e.answer != "" && e.answer != digest:
		err = presentProblems["present-used"]
	case e.answer == "":
		if time.Now().After(e.expiresAt) {
			e.Outcome = Late
		} else if e.Outcome, e.Result, err = d.handlers[e.Name].Present(ctx, e.Visit, leaf); err != nil {
			break
		}
		if e, err = d.note(ctx, e, digest, web.NewToken()); jitsuin.CodeOf(err) == "answer-given" {
			err = presentProblems["present-used"]
		}
	}
	if err == nil {
		return d.Origin + returnPath + "?code=" + url.QueryEscape(e.code), nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	code := jitsuin.CodeOf(err)
	if presentProblems[code] == nil {
		d.Log.ErrorContext(ctx, "a certificate that a browser showed could not be judged", "err", err)
		code = "present-failed"
	}
	return d.Origin + returnPath + "?problem=" + code, nil
}

// shown finds the errand of a handle.
func (d *Desk) shown(ctx context.Context, handle string) (e row, err error) {
	txn, secret, _ := strings.Cut(handle, ".")
	err = d.DB.View(ctx, func(tx *store.Tx) (err error) {
		e, err = find(tx, "txn", txn)
		if errors.Is(err, sql.ErrNoRows) || err == nil && (e.Act != ActPresent || subtle.ConstantTimeCompare([]byte(e.state), []byte(web.Hash(secret))) != 1) {
			return presentProblems["present-unknown"]
		}
		if look := d.handlers[e.Name].Look; err == nil && look != nil && e.answer == "" {
			e.Looked, err = look(tx, e.Visit)
		}
		return err
	})
	return e, err
}

// digestOf tells certificates apart that were shown for one handle.
func digestOf(leaf *x509.Certificate) string {
	var raw []byte
	if leaf != nil {
		raw = leaf.Raw
	}
	sum := sha256.Sum256(append([]byte("shown in TLS\n"), raw...))
	return hex.EncodeToString(sum[:])
}
