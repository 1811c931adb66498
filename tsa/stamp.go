package tsa

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// serve answers a request over HTTP (RFC 3161 §3.4). A refusal is an answer like any other, with the
// HTTP status 200.
func (t *TSA) serve(w http.ResponseWriter, r *http.Request) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != tsp.QueryType {
		httpapi.WriteError(w, r, t.Log, jitsuin.Errorf(jitsuin.Invalid, "media-type", "a request for a time-stamp has the type %s", tsp.QueryType))
		return
	}
	select {
	case t.busy <- struct{}{}:
		defer func() { <-t.busy }()
	default:
		httpapi.WriteError(w, r, t.Log, jitsuin.Errorf(jitsuin.Limited, "tsa-busy", "%d requests are being stamped already", mostBusy))
		return
	}
	query, err := io.ReadAll(io.LimitReader(r.Body, tsp.MaxRequest+1))
	if err != nil {
		httpapi.WriteError(w, r, t.Log, jitsuin.Errorf(jitsuin.Invalid, "body", "the request breaks off"))
		return
	}
	answer, err := t.answer(r.Context(), query).Marshal()
	if err != nil {
		httpapi.WriteError(w, r, t.Log, err)
		return
	}
	w.Header().Set("Content-Type", tsp.ReplyType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(answer)
}

// answer stamps, or refuses in the protocol's own words.
func (t *TSA) answer(ctx context.Context, query []byte) *tsp.Response {
	token, err := t.stamp(ctx, query)
	if err == nil {
		t.count.answered(granted)
		return tsp.Grant(token)
	}
	var refusal *tsp.Refusal
	if !errors.As(err, &refusal) {
		refusal = &tsp.Refusal{Failure: tsp.SystemFailure, Text: "the authority cannot stamp now"}
		t.Log.ErrorContext(ctx, "a request was not stamped", "err", err)
	}
	t.count.answered(refusal.Failure.String())
	return tsp.Refuse(refusal)
}

// stamp is the story that the package's documentation tells, step by step. The error is a *tsp.Refusal
// where the protocol has a word for it.
func (t *TSA) stamp(ctx context.Context, query []byte) ([]byte, error) {
	// 1: what is asked
	q, err := tsp.ParseRequest(query)
	if err != nil {
		return nil, &tsp.Refusal{Failure: tsp.BadDataFormat, Text: err.Error()}
	}
	issuer := t.issuer.Load()
	if err := issuer.Check(q); err != nil {
		return nil, err
	}
	// 2: what time it is
	now, err := t.now(ctx)
	if err != nil {
		return nil, &tsp.Refusal{Failure: tsp.TimeNotAvailable, Text: err.Error()}
	}
	if now.Before(issuer.Certificate.NotBefore) || now.After(issuer.Certificate.NotAfter) {
		return nil, fmt.Errorf("the unit's certificate does not hold at %s", now.Format(time.RFC3339))
	}
	// 3: the number, accounted for
	serial, err := t.newSerial()
	if err != nil {
		return nil, err
	}
	if err := t.record(ctx, serial, now, q.Imprint, issuer.Certificate.Subject.CommonName); err != nil {
		return nil, err
	}
	// 4: the token
	return issuer.Token(ctx, q, serial, now)
}

// newSerial draws a serial number of 127 bits. That it was never given is held by the account, which
// takes each once.
func (t *TSA) newSerial() (*big.Int, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(t.random, raw); err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	raw[0] &= 0x7f
	return new(big.Int).SetBytes(raw), nil
}

const (
	insertStamp = `INSERT INTO stamp (serial, stated_at, hash, digest, unit) VALUES ($1, $2, $3, $4, $5)`
	selectLast  = `SELECT COALESCE(MAX(stated_at), 0) FROM stamp`
)

// record puts a number into the account, with the time that its token will state. A time that lies
// before one already stated by as much as a clock may be off is refused: some clock was set back while
// nobody watched.
func (t *TSA) record(ctx context.Context, serial *big.Int, now time.Time, i tsp.Imprint, unit string) error {
	return t.DB.Update(ctx, func(tx *store.Tx) error {
		if err := t.after(tx, now); err != nil {
			return &tsp.Refusal{Failure: tsp.TimeNotAvailable, Text: err.Error()}
		}
		_, err := tx.Exec(insertStamp, serial.Text(16), store.Micros(now), cms.HashName(i.Hash), hex.EncodeToString(i.Sum), unit)
		return err
	})
}

// notBefore is record's look at the account, for readiness.
func (t *TSA) notBefore(ctx context.Context, now time.Time) error {
	return t.DB.View(ctx, func(tx *store.Tx) error { return t.after(tx, now) })
}

func (t *TSA) after(tx *store.Tx, now time.Time) error {
	var micros int64
	if err := tx.QueryRow(selectLast).Scan(&micros); err != nil {
		return err
	}
	if last := store.Time(micros); !now.Add(t.accuracy).After(last) {
		return jitsuin.Errorf(jitsuin.Unavailable, "time-not-available", "the time is not sure: a token states %s already, and the clock says %s",
			last.Format(time.RFC3339), now.Format(time.RFC3339)).
			WithHint("the clock was set back: see to it (docs/runbooks/tsa-clock.md)")
	}
	return nil
}
