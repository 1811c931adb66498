package jlis

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/signer"
)

// Migrations are the tables of the Agency, for who looks at its database without opening it.
func Migrations() fs.FS { return migrations() }

// Inspect compares a signer's journal with a database, as New does, and changes neither. journal reads
// the journal; it is called after a first look at the database, because the Agency may run meanwhile.
// The error has the code of what would stop signing: journal-ahead, journal-behind, journal-differs.
func Inspect(ctx context.Context, db *store.DB, journal func() (last signer.Receipt, all []signer.Receipt, err error)) error {
	var through uint64
	var epoch uint32
	var highest sql.NullInt64
	err := db.View(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(`SELECT through, epoch FROM signature_account WHERE one = 1`).Scan(&through, &epoch)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return tx.QueryRow(`SELECT MAX(counter) FROM signature`).Scan(&highest)
	})
	if err != nil {
		return fmt.Errorf("account of signatures: %w", err)
	}
	last, receipts, err := journal()
	if err != nil {
		return err
	}
	if known := uint64(max(highest.Int64, int64(through))); known > last.Counter || epoch > last.Epoch {
		return journalError("journal-behind", "the journal of signatures ends at %d, the database knows of %d", last.Counter, known)
	}
	unknown := 0
	err = db.View(ctx, func(tx *store.Tx) error {
		unknown = 0
		for _, r := range receipts[min(through, uint64(len(receipts))):] {
			known, err := isAccounted(tx, r)
			if err != nil {
				return err
			}
			if !known {
				unknown++
			}
		}
		return nil
	})
	if err == nil && unknown > 0 {
		err = journalError("journal-ahead", "%d signatures are of nothing that the database knows of", unknown)
	}
	return err
}

// isAccounted tells whether the database knows of a signature, or meant to ask for it.
func isAccounted(tx *store.Tx, r signer.Receipt) (bool, error) {
	var had []byte
	err := tx.QueryRow(`SELECT digest FROM signature WHERE counter = $1`, r.Counter).Scan(&had)
	if errors.Is(err, sql.ErrNoRows) {
		return isIntent(tx, r.Digest)
	}
	if err == nil && !bytes.Equal(had, r.Digest[:]) {
		err = journalError("journal-differs", "the journal of signatures is not the one that this database has counted by")
	}
	return err == nil, err
}
