package jlis

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/signer"
)

// Every signature has an intent in the database before the signer is asked: the to-be-signed bytes
// of a certificate, terminal certificate or ticket, the digest of a revocation file or of a card's face. The signer's journal
// counts signatures outside the database. Comparing the two tells apart what can happen:
//
//   - A signature of an intent whose counter the database does not know: the answer or the commit
//     was lost. The step is done again; the lost counter is noted.
//   - A signature of nothing that the database knows: the database was restored from a backup, or
//     somebody else used the keys. Nothing is signed any more until a person has looked
//     (Recover, ReconcileJournal), because certificates may exist that no record tells of.
//   - Counters in the database beyond the journal: the journal was lost. It must be restored.

// journalState is why nothing is signed.
type journalState struct {
	mu      sync.Mutex
	stopped error
	unknown []signer.Receipt
}

func (j *journalState) get() (unknown []signer.Receipt, stopped error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.unknown, j.stopped
}

func (j *journalState) set(stopped error, unknown []signer.Receipt) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stopped, j.unknown = stopped, unknown
}

func journalError(code, format string, args ...any) *jitsuin.Error {
	return jitsuin.Errorf(jitsuin.Unavailable, code, format, args...)
}

// checkJournal compares the journal with the database and notes lost answers. What must stop
// signing is no error but kept in the state.
func (a *Agency) checkJournal(ctx context.Context) error {
	last := a.signer.Last()
	var through uint64
	var epoch uint32
	var highest sql.NullInt64
	err := a.DB.View(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(`SELECT through, epoch FROM signature_account WHERE one = 1`).Scan(&through, &epoch)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return tx.QueryRow(`SELECT MAX(counter) FROM signature`).Scan(&highest)
	})
	if err != nil {
		return fmt.Errorf("account of signatures: %w", err)
	}
	if uint64(max(highest.Int64, int64(through))) > last.Counter || epoch > last.Epoch {
		a.journal.set(journalError("journal-behind", "the journal of signatures ends at %d in epoch %d, the database knows of more: the journal was lost",
			last.Counter, last.Epoch).WithHint("restore the signer's folder; serial numbers could be given twice without it"), nil)
		return nil
	}
	receipts, err := a.signer.Since(through)
	if err != nil {
		return fmt.Errorf("journal of signatures: %w", err)
	}
	unknown, foreign, err := a.account(ctx, receipts, last)
	switch {
	case err != nil:
		return err
	case foreign:
		a.journal.set(journalError("journal-differs", "the journal of signatures is not the one that this database has counted by").
			WithHint("database and signer's folder belong together; restore the pair"), nil)
	case len(unknown) > 0:
		a.journal.set(journalError("journal-ahead", "%d signatures, the first with the number %d, are of nothing that the database knows of: it was restored, or the keys were used elsewhere",
			len(unknown), unknown[0].Counter).WithHint("find out which, then reconcile the journal; until then nothing is signed"), unknown)
	default:
		a.journal.set(nil, nil)
	}
	return nil
}

// account sorts receipts into known ones, which are noted, and unknown ones. foreign tells that a
// counter stands for another signature in the database.
func (a *Agency) account(ctx context.Context, receipts []signer.Receipt, last signer.Receipt) (unknown []signer.Receipt, foreign bool, err error) {
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		unknown, foreign = nil, false
		for _, r := range receipts {
			var had []byte
			err := tx.QueryRow(`SELECT digest FROM signature WHERE counter = $1`, r.Counter).Scan(&had)
			if err == nil {
				foreign = foreign || !bytes.Equal(had, r.Digest[:])
				continue
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			known, err := isIntent(tx, r.Digest)
			if err != nil {
				return err
			}
			if !known {
				unknown = append(unknown, r)
			} else if err := noteSignature(tx, r, "answer-lost"); err != nil {
				return err
			}
		}
		if foreign || len(unknown) > 0 {
			return nil
		}
		return noteAccount(tx, last)
	})
	if err != nil {
		return nil, false, fmt.Errorf("account of signatures: %w", err)
	}
	return unknown, foreign, nil
}

func noteAccount(tx *store.Tx, last signer.Receipt) error {
	_, err := tx.Exec(`INSERT INTO signature_account (one, through, epoch) VALUES (1, $1, $2)
		ON CONFLICT (one) DO UPDATE SET through = excluded.through, epoch = excluded.epoch`, last.Counter, last.Epoch)
	return err
}

// noteSignature records a signature that the database knows of.
func noteSignature(tx *store.Tx, r signer.Receipt, note string) error {
	_, err := tx.Exec(`INSERT INTO signature (counter, epoch, digest, note) VALUES ($1, $2, $3, $4) ON CONFLICT (counter) DO NOTHING`,
		r.Counter, r.Epoch, r.Digest[:], note)
	return err
}

// isIntent tells whether these bytes were ever meant to be signed.
func isIntent(tx *store.Tx, digest [32]byte) (known bool, err error) {
	for _, query := range []string{`SELECT COUNT(*) FROM certificate WHERE digest = $1`,
		`SELECT COUNT(*) FROM terminal WHERE digest = $1`, `SELECT COUNT(*) FROM face_key WHERE digest = $1`, `SELECT COUNT(*) FROM face_signature WHERE digest = $1`, `SELECT COUNT(*) FROM ticket WHERE digest = $1`, `SELECT COUNT(*) FROM crl WHERE digest = $1`} {
		var n int
		if err := tx.QueryRow(query, digest[:]).Scan(&n); err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

// sign has the signer sign whole bytes that are an intent of the database, and checks the signature.
func (a *Agency) sign(ctx context.Context, key string, purpose signer.Purpose, tbs []byte) (sig []byte, r signer.Receipt, err error) {
	if _, stopped := a.journal.get(); stopped != nil {
		return nil, r, stopped
	}
	defer func() {
		if ctx.Err() == nil {
			a.trouble.Store(&err)
			a.count.signatures.WithLabelValues(string(purpose), outcomeOf(err)).Inc()
		}
	}()
	public, err := a.signer.Public(key)
	if err != nil {
		return nil, r, fmt.Errorf("sign: %w", err)
	}
	if sig, r, err = a.signer.Sign(ctx, key, purpose, tbs); err != nil {
		return nil, r, fmt.Errorf("sign: %w", err)
	}
	if err := checkSignature(public, purpose, tbs, sig); err != nil {
		return nil, r, jitsuin.Errorf(jitsuin.Unavailable, "signature-wrong", "the signer gave a signature that does not verify: %w", err)
	}
	return sig, r, nil
}

// checkSignature verifies what sign of package signer makes; P-256 is the terminal authority's.
func checkSignature(public crypto.PublicKey, purpose signer.Purpose, tbs, sig []byte) error {
	if key, ok := public.(*rsa.PublicKey); ok && purpose == signer.Face {
		return contents.CheckSignature(key, tbs, sig)
	}
	return cert.Algorithms{}.Verify(public, signatureAlgorithm(public), tbs, sig)
}
