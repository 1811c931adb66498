package municipality

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/freearea"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/files"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// The seal-registration application (印鑑登録証) on residents' cards: the town is its provider. The town keeps two
// keys of its own for it, beside the database: one that acts on chips with J-LIS's tickets, one that certifies the
// terminals that may read the number. Of seal registration (印鑑登録) the town keeps the numbers here; the register of
// the seals themselves is not part of this system.

type (
	permitIn struct {
		ID   string `path:"id" maxLength:"32"`
		Body api.SealPermitRequest
	}
	permitOut  struct{ Body api.SealPermit }
	sealSignIn struct {
		ID   string `path:"id" maxLength:"32"`
		Body api.TerminalKey
	}
	sealReaderOut struct{ Body api.SealReader }
	sealSignOut   struct{ Body api.SealRecord }
	sealCardOut   struct{ Body api.SealCard }
	sealCardsOut  struct {
		Body struct {
			Cards []api.SealCard `json:"cards"`
		}
	}
)

func (t *Town) sealRoutes(counter httpapi.Policy) {
	op := func(id, method, path, summary string) httpapi.Operation {
		return httpapi.Operation{ID: id, Method: method, Path: path, Summary: summary, Policy: counter}
	}
	httpapi.Register(t.API, op("seal-permit", http.MethodPost, "/residents/{id}/seal-card", "Let the counter lay the seal-registration application on a resident's card"), t.permitSeal)
	httpapi.Register(t.API, op("seal-cards", http.MethodGet, "/residents/{id}/seal-cards", "The seal-registration applications on a person's cards"), t.listSealCards)
	httpapi.Register(t.API, op("seal-record", http.MethodPost, "/seal-cards/{id}/record", "What is written on a card that the counter was let to write on, signed for the key that the card made"), t.signSeal)
	httpapi.Register(t.API, op("seal-loaded", http.MethodPost, "/seal-cards/{id}/loaded", "The application lies on the card"),
		func(ctx context.Context, in *clerkIn) (*sealCardOut, error) {
			return t.sealBecame(ctx, in, api.SealLoaded)
		})
	httpapi.Register(t.API, op("seal-deleted", http.MethodPost, "/seal-cards/{id}/deleted", "The application was taken off the card"),
		func(ctx context.Context, in *clerkIn) (*sealCardOut, error) {
			return t.sealBecame(ctx, in, api.SealDeleted)
		})
	httpapi.Register(t.API, op("certify-seal-reader", http.MethodPost, "/seal-readers", "Certify a terminal that may read the number from cards"), t.certifySealReader)
}

// sealOrdinance gives the ordinance that the application stands on today.
func (t *Town) sealOrdinance(tx *store.Tx) (api.Ordinance, error) {
	all, err := ordinances(tx)
	if err != nil {
		return api.Ordinance{}, err
	}
	aid := fmt.Sprintf("%X", freearea.SealAID(t.code))
	for _, o := range all {
		if o.AID == aid && o.InForceOn(t.today()) {
			return o, nil
		}
	}
	return api.Ordinance{}, jitsuin.Errorf(jitsuin.Conflict, "no-ordinance", "no ordinance of municipality %s on the seal-registration application is in force", t.code).
		WithHint("a municipality uses the free area of the card by its own ordinance (My Number Act art. 18(i))")
}

// permitSeal checks ordinance and resident, has J-LIS sign a ticket for the chip, and answers the chip with the
// town's key. Asked again for another challenge it gives the same number and a new permit.
func (t *Town) permitSeal(ctx context.Context, in *permitIn) (*permitOut, error) {
	var ordinance api.Ordinance
	err := t.DB.View(ctx, func(tx *store.Tx) (err error) {
		if ordinance, err = t.sealOrdinance(tx); err != nil {
			return err
		}
		return mayHaveSeal(tx, jitsuin.ID(in.ID))
	})
	if err != nil {
		return nil, err
	}
	provider, err := t.ownKey("seal-provider.pem")
	if err != nil {
		return nil, err
	}
	readers, err := t.ownKey("seal-readers.pem")
	if err != nil {
		return nil, err
	}
	authentication, err := t.answerChip(ctx, provider, ordinance.AID, in.Body)
	if err != nil {
		return nil, err
	}
	point, err := readers.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	one, err := t.beginSeal(ctx, jitsuin.ID(in.ID), in.Body)
	t.logSeal(ctx, "seal-permit", one, in.Body.Clerk, err)
	if err != nil {
		return nil, err
	}
	return &permitOut{api.SealPermit{ID: one.ID, AID: ordinance.AID, Bytes: ordinance.Bytes, Number: one.Number, Authentication: authentication, ReaderKey: point}}, nil
}

// mayHaveSeal refuses persons who do not live here or have no card of ours.
func mayHaveSeal(tx *store.Tx, subject jitsuin.ID) error {
	r, err := readRecord(tx, subject)
	switch {
	case err != nil:
		return err
	case r == nil:
		return errUnknownResident()
	case r.State != jitsuin.Present:
		return jitsuin.Errorf(jitsuin.Conflict, "not-resident", "the person does not live here")
	case r.Card == "":
		return jitsuin.Errorf(jitsuin.Conflict, "no-card", "the person has no card that was handed over or presented here")
	}
	return nil
}

// answerChip gets J-LIS's ticket for the chip and signs the challenge with it.
func (t *Town) answerChip(ctx context.Context, provider *ecdsa.PrivateKey, aid string, r api.SealPermitRequest) ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(&provider.PublicKey)
	if err != nil {
		return nil, err
	}
	ticket, err := t.agency.Ticket(ctx, jlis.TicketRequest{AID: aid, Chip: r.Chip, Challenge: r.Challenge, PublicKey: public,
		Operations: []string{jlis.OperationLoad, jlis.OperationPersonalise}})
	if err != nil {
		return nil, err
	}
	return card.SignTicket(rand.Reader, ticket.Ticket, provider, r.Challenge)
}

// beginSeal records that the counter was let, and gives the person a number where they have none.
func (t *Town) beginSeal(ctx context.Context, subject jitsuin.ID, r api.SealPermitRequest) (one api.SealCard, err error) {
	drawn, err := drawNumber()
	if err != nil {
		return one, err
	}
	id, now := jitsuin.NewID(), t.Clock.Now()
	err = t.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(`INSERT INTO seal_number (subject, number) VALUES ($1, $2) ON CONFLICT (subject) DO NOTHING`, string(subject), drawn); err != nil {
			return err
		}
		one = api.SealCard{ID: id, Subject: subject, Chip: r.Chip, State: api.SealBegun, Clerk: r.Clerk, BegunAt: now}
		if err := tx.QueryRow(`SELECT number FROM seal_number WHERE subject = $1`, string(subject)).Scan(&one.Number); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO seal_card (id, subject, chip, number, state, clerk, begun_at, done_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`,
			string(one.ID), string(subject), one.Chip, one.Number, one.State, one.Clerk, store.Micros(now))
		return err
	})
	return one, err
}

// drawNumber draws a number of 8 digits. Drawn and not counted: a town that was restored from a backup would count
// the same ones again.
func drawNumber() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(90_000_000))
	if err != nil {
		return "", err
	}
	return n.Add(n, big.NewInt(10_000_000)).String(), nil
}

// signSeal makes the record of a card that the counter was let to write on, and signs it for the key that the card made.
func (t *Town) signSeal(ctx context.Context, in *sealSignIn) (*sealSignOut, error) {
	public, err := readerKey(in.Body.PublicKey)
	if err != nil {
		return nil, err
	}
	provider, err := t.ownKey("seal-provider.pem")
	if err != nil {
		return nil, err
	}
	var one api.SealCard
	err = t.DB.View(ctx, func(tx *store.Tx) (err error) {
		if one, err = readSealCard(tx, in.ID); err != nil {
			return err
		}
		if one.State != api.SealBegun {
			return jitsuin.Errorf(jitsuin.Conflict, "seal-card-done", "the application is %s already", one.State)
		}
		_, err = t.sealOrdinance(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	record, err := freearea.Seal{Municipality: t.code, Number: one.Number}.Encode()
	if err != nil {
		return nil, err
	}
	signature, err := freearea.Sign(provider, freearea.SealAID(t.code), public, record)
	return &sealSignOut{api.SealRecord{Record: record, Signature: signature}}, err
}

// readSealCard gives one that the counter was let to make; NotFound where there is none.
func readSealCard(tx *store.Tx, id string) (api.SealCard, error) {
	one, err := scanSealCard(tx.QueryRow(`SELECT `+sealColumns+` FROM seal_card WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "seal-card-unknown", "the town has let nobody lay that application")
	}
	return one, err
}

// readerKey reads a P-256 key of a reader or of a card.
func readerKey(spki []byte) (*ecdsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(spki)
	key, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "terminal-key", "the key is a SubjectPublicKeyInfo on P-256").At("public_key")
	}
	return key, nil
}

// sealBecame records what the terminal did. An application that was laid on the same chip before is gone by it.
func (t *Town) sealBecame(ctx context.Context, in *clerkIn, state string) (*sealCardOut, error) {
	now := t.Clock.Now()
	out := &sealCardOut{}
	err := t.DB.Update(ctx, func(tx *store.Tx) error {
		one, err := readSealCard(tx, in.ID)
		if err != nil {
			return err
		}
		if out.Body = one; one.State == state {
			return nil
		}
		if one.State == api.SealDeleted || one.State == api.SealLost {
			return jitsuin.Errorf(jitsuin.Conflict, "seal-card-deleted", "the application does not lie on the person's card any more")
		}
		if _, err := tx.Exec(`UPDATE seal_card SET state = $3 WHERE chip = $1 AND id <> $2 AND state IN ($4, $5)`, one.Chip, in.ID, api.SealDeleted, api.SealBegun, api.SealLoaded); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE seal_card SET state = $2, clerk = $3, done_at = $4 WHERE id = $1`, in.ID, state, in.Body.Clerk, store.Micros(now)); err != nil {
			return err
		}
		out.Body.State, out.Body.Clerk, out.Body.DoneAt = state, in.Body.Clerk, now
		return nil
	})
	t.logSeal(ctx, "seal-"+state, out.Body, in.Body.Clerk, err)
	return out, err
}

// loseSeal records that what lay on a person's earlier card is not on the new one: what is in the free area of a card
// is not carried over to another.
func loseSeal(tx *store.Tx, subject jitsuin.ID) error {
	_, err := tx.Exec(`UPDATE seal_card SET state = $2 WHERE subject = $1 AND state IN ($3, $4)`, string(subject), api.SealLost, api.SealBegun, api.SealLoaded)
	return err
}

const sealColumns = `id, subject, chip, number, state, clerk, begun_at, done_at`

func scanSealCard(s store.Scanner) (c api.SealCard, err error) {
	var begun, done int64
	err = s.Scan(&c.ID, &c.Subject, &c.Chip, &c.Number, &c.State, &c.Clerk, &begun, &done)
	c.BegunAt = store.Time(begun)
	if done != 0 {
		c.DoneAt = store.Time(done)
	}
	return c, err
}

func (t *Town) listSealCards(ctx context.Context, in *idIn) (*sealCardsOut, error) {
	out := &sealCardsOut{}
	err := t.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.Collect(scanSealCard)(tx.Query(`SELECT `+sealColumns+` FROM seal_card WHERE subject = $1 ORDER BY begun_at DESC, id`, in.ID))
		out.Body.Cards = append([]api.SealCard{}, all...)
		return err
	})
	return out, err
}

// certifySealReader certifies a terminal's key for the application. The same key gets the same certificate.
func (t *Town) certifySealReader(ctx context.Context, in *terminalIn) (*sealReaderOut, error) {
	key, err := readerKey(in.Body.PublicKey)
	if err != nil {
		return nil, err
	}
	authority, err := t.ownKey("seal-readers.pem")
	if err != nil {
		return nil, err
	}
	made, err := card.ReaderCertificate(rand.Reader, authority, freearea.SealAID(t.code), key)
	if err != nil {
		return nil, err
	}
	hash, now, by := sha256.Sum256(in.Body.PublicKey), t.Clock.Now(), httpapi.CallerOf(ctx).ID
	out := &sealReaderOut{}
	if out.Body.Provider, err = t.sealProvider(); err != nil {
		return nil, err
	}
	err = t.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(`INSERT INTO seal_reader (key_hash, certificate, certified_by, certified_at) VALUES ($1, $2, $3, $4) ON CONFLICT (key_hash) DO NOTHING`,
			hash[:], made, by, store.Micros(now)); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT certificate FROM seal_reader WHERE key_hash = $1`, hash[:]).Scan(&out.Body.Certificate)
	})
	return out, err
}

// sealProvider gives the public key by which readers know the town's records, DER SubjectPublicKeyInfo.
func (t *Town) sealProvider() ([]byte, error) {
	provider, err := t.ownKey("seal-provider.pem")
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKIXPublicKey(&provider.PublicKey)
}

// ownKey gives a P-256 key of the town's, which the first use makes. Processes that ask at the same moment get the same.
func (t *Town) ownKey(name string) (*ecdsa.PrivateKey, error) {
	path := filepath.Join(t.Config.State, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		key, err := actor.NewKey()
		if err != nil {
			return nil, err
		}
		content, err := actor.EncodeKey(key)
		if err != nil {
			return nil, err
		}
		if err := files.Keep(path, content, 0o600); err != nil {
			return nil, fmt.Errorf("key of the town's application: %w", err)
		}
	}
	return actor.ReadKey(path)
}

func (t *Town) logSeal(ctx context.Context, act string, one api.SealCard, clerk string, err error) {
	t.Log.InfoContext(ctx, "seal-registration application", "clerk", clerk, "act", act, "subject", one.Subject, "seal_card", one.ID,
		"request_id", httpapi.RequestID(ctx), "refused", jitsuin.CodeOf(err), "at", t.Clock.Now().Format(time.RFC3339))
}
