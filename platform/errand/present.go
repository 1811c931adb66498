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
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
)

// BeginPresent starts a Bound login that the browser answers itself, by a TLS handshake with the card's certificate at another port, and
// leads it to that address with a handle that serves once.
func (d *Desk) BeginPresent(w http.ResponseWriter, r *http.Request, q Request, to string) error {
	if h, ok := d.handlers[q.Name]; !ok || h.Present == nil || q.Act != api.ActLogin {
		return jitsuin.Errorf(jitsuin.Internal, "errand-name", "nobody takes certificates for errands of the name %q", q.Name)
	}
	q.Bound = true
	browser, handle := d.browserToken(r), web.NewToken()
	made, err := d.start(r.Context(), q, browser, handle)
	if err != nil {
		return err
	}
	d.remember(w, browser)
	http.Redirect(w, r, to+"?"+url.Values{"txn": {string(made.Txn)}, "handle": {handle}}.Encode(), http.StatusSeeOther)
	return nil
}

// Present decides an errand by the certificate that a browser proved to hold, nil for none, and gives the address by which the browser
// that began comes back. The handle serves once; the same certificate again comes to the same address.
func (d *Desk) Present(ctx context.Context, txn, handle string, leaf *x509.Certificate) (back string, err error) {
	var e row
	err = d.DB.View(ctx, func(tx *store.Tx) (err error) { e, err = find(tx, "txn", txn); return err })
	digest := presented(leaf)
	switch h := d.handlers[e.Name]; {
	case errors.Is(err, sql.ErrNoRows) || err == nil && (h.Present == nil || subtle.ConstantTimeCompare([]byte(e.state), []byte(web.Hash(handle))) != 1):
		return "", jitsuin.Errorf(jitsuin.NotFound, "answer-unknown", "this platform has not asked for this answer")
	case err != nil:
		return "", err
	case e.answer != "" && e.answer != digest:
		return "", jitsuin.Errorf(jitsuin.Conflict, "answer-given", "this request has been answered with something else")
	case e.answer == "" && time.Now().After(e.expiresAt):
		e.Outcome = Late
	case e.answer == "":
		if e.Outcome, e.Result, err = h.Present(ctx, e.Visit, leaf); err != nil {
			return "", err
		}
	}
	if e.answer == "" {
		if e, err = d.note(ctx, e, digest, web.NewToken()); err != nil {
			return "", err
		}
	}
	return d.Origin + returnPath + "?code=" + url.QueryEscape(e.code), nil
}

func presented(leaf *x509.Certificate) string {
	var raw []byte
	if leaf != nil {
		raw = leaf.Raw
	}
	sum := sha256.Sum256(append([]byte("certificate presented in TLS\n"), raw...))
	return hex.EncodeToString(sum[:])
}
