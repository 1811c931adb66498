package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations makes the table of requests that have taken effect.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return sub
}

// RequestsKept is how long a request's result is kept for a repetition, to the moment: who answers a repetition may in turn repeat a call to
// another actor, which took effect later and so is remembered there for longer.
const RequestsKept = 7 * 24 * time.Hour

// forgotten is the moment before which results are no longer known.
func forgotten() int64 { return store.Micros(time.Now().Add(-RequestsKept)) }

// Once runs fn in a transaction unless the same caller has sent the same Idempotency-Key before:
// then it gives the result of that time. Result and effect are stored by one commit. The same key
// with another operation or another input is a Conflict; no key at all is Invalid. An error of fn
// stores nothing, so the call may be repeated. fn may rerun, see store.DB.Update.
func Once[O any](ctx context.Context, db *store.DB, operation string, in any, fn func(tx *store.Tx) (O, error)) (O, error) {
	var out O
	key, caller := IdempotencyKey(ctx), CallerOf(ctx).ID
	if key == "" {
		return out, jitsuin.Errorf(jitsuin.Invalid, "idempotency-key-missing", "this call needs the header %s", HeaderIdempotencyKey).
			WithHint("draw 128 random bits for each act and send the same again when you repeat it")
	}
	asked, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("encode request: %w", err)
	}
	digest := sha256.Sum256(append([]byte(operation+"\x00"), asked...))
	err = db.Update(ctx, func(tx *store.Tx) error {
		var had, result []byte
		var doneAt int64
		var zero O
		out = zero
		switch err := tx.QueryRow(`SELECT digest, result, done_at FROM api_request WHERE caller = $1 AND key = $2`, caller, key).Scan(&had, &result, &doneAt); {
		case err == nil && doneAt < forgotten():
			if _, err := tx.Exec(`DELETE FROM api_request WHERE caller = $1 AND key = $2`, caller, key); err != nil {
				return err
			}
		case err == nil && bytes.Equal(had, digest[:]):
			return json.Unmarshal(result, &out)
		case err == nil:
			return jitsuin.Errorf(jitsuin.Conflict, "idempotency-key-reused", "this %s was used for another request", HeaderIdempotencyKey)
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		var err error
		if out, err = fn(tx); err != nil {
			return err
		}
		if result, err = json.Marshal(out); err != nil {
			return fmt.Errorf("encode result: %w", err)
		}
		_, err = tx.Exec(`INSERT INTO api_request (caller, key, operation, digest, result, done_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			caller, key, operation, digest[:], string(result), store.Micros(time.Now()))
		return err
	})
	return out, err
}

// ForgetRequests drops results that are older than RequestsKept.
func ForgetRequests(ctx context.Context, db *store.DB) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM api_request WHERE done_at < $1`, forgotten())
		return err
	})
}
