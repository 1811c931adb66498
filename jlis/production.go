package jlis

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	chip "github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
)

// staleHandle is how the card host says that a card is not ours any more.
const staleHandle = "stale-handle"

// custodian is how the card host knows us while we have a card.
const custodian host.Custodian = "jlis"

// States of a card.
const (
	cardOrdered  = "ordered"  // the order is recorded; the host may have made the chip
	cardBlank    = "blank"    // the chip is here
	cardFinished = "finished" // with its certificates
	cardReceived = "received" // passed on to the municipality
	cardScrapped = "scrapped" // nobody has a handle of it any more
)

// card is a card as the Agency made it.
type card struct {
	ID           jitsuin.ID
	Application  jitsuin.ID
	Subject      jitsuin.ID
	Municipality jitsuin.MunicipalityCode
	State        string
	OrderToken   string
	MoveToken    string
	Handle       host.Handle // ours
	Passed       host.Handle // the municipality's
	ValidUntil   jitsuin.Date
	Number       string // 製造番号, fifteen digits; "" of cards of the first release
	SecurityCode string // four digits
}

// findCard reads a card; the zero card where there is none.
func findCard(tx *store.Tx, where string, args ...any) (c card, err error) {
	var until string
	err = tx.QueryRow(`SELECT id, application, subject, municipality, state, order_token, move_token, handle, passed_handle, valid_until, number, security_code FROM card `+where, args...).
		Scan(&c.ID, &c.Application, &c.Subject, &c.Municipality, &c.State, &c.OrderToken, &c.MoveToken, &c.Handle, &c.Passed, &until, &c.Number, &c.SecurityCode)
	if errors.Is(err, sql.ErrNoRows) {
		return card{}, nil
	}
	if err == nil {
		err = c.ValidUntil.UnmarshalText([]byte(until))
	}
	return c, err
}

// openProduction makes the key of the production terminal, once, and has it certified.
func (a *Agency) openProduction(ctx context.Context) error {
	signer, err := keyFile(filepath.Join(a.Config.State, "production.pem"), func() (crypto.Signer, error) { return actor.NewKey() })
	if err != nil {
		return fmt.Errorf("production terminal: %w", err)
	}
	key, ok := signer.(*ecdsa.PrivateKey)
	if !ok {
		return jitsuin.Errorf(jitsuin.Invalid, "key-form", "the production terminal's key is not on P-256")
	}
	certificate, err := a.certifyTerminal(ctx, a.Self.ID, "production", chip.RoleProduction, &key.PublicKey)
	if _, stopped := a.journal.get(); err != nil && stopped != nil {
		return nil // nothing is signed, so nothing is produced either
	}
	if err != nil {
		return fmt.Errorf("production terminal: %w", err)
	}
	a.production = reader.Terminal{Certificate: certificate, Key: key}
	return nil
}

// makeKeys orders the chip of a new card and has it make the key pairs; the private halves never
// leave it. Done again it gives the same keys: order and chip remember.
func (a *Agency) makeKeys(ctx context.Context, app application) (map[jitsuin.CertKind][]byte, error) {
	c, err := a.orderCard(ctx, app)
	if err != nil {
		return nil, err
	}
	keys := map[jitsuin.CertKind][]byte{}
	err = a.withChip(ctx, c, func(_ reader.Channel, j *reader.JPKI) error {
		for _, kind := range app.Kinds {
			public, err := j.PendingKey(ctx, kind)
			if jitsuin.CodeOf(err) == "pending-key-missing" {
				public, err = j.GenerateKey(ctx, kind)
			}
			if err != nil {
				return err
			}
			if keys[kind], err = x509.MarshalPKIXPublicKey(public); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("make the keys of a card: %w", err)
	}
	return keys, nil
}

// orderCard records an order, has the host make the chip, and records its handle.
func (a *Agency) orderCard(ctx context.Context, app application) (c card, err error) {
	if a.cards == nil {
		return c, jitsuin.Errorf(jitsuin.Unavailable, "no-card-host", "there is no card host to make chips")
	}
	drawn := card{ID: jitsuin.NewID(), OrderToken: string(jitsuin.NewID()), MoveToken: string(jitsuin.NewID())}
	if drawn.Number, err = drawDigits(15); err != nil {
		return c, err
	}
	if drawn.SecurityCode, err = drawDigits(4); err != nil {
		return c, err
	}
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO card (id, application, subject, municipality, state, order_token, move_token, handle, passed_handle, valid_until, number, security_code)
			VALUES ($1, $2, $3, $4, 'ordered', $5, $6, '', '', '', $7, $8) ON CONFLICT (application) DO NOTHING`,
			string(drawn.ID), string(app.ID), string(app.Subject), string(app.Municipality), drawn.OrderToken, drawn.MoveToken, drawn.Number, drawn.SecurityCode)
		if err != nil {
			return err
		}
		c, err = findCard(tx, `WHERE application = $1`, string(app.ID))
		return err
	})
	if err != nil || c.State != cardOrdered {
		return c, err
	}
	public, err := a.signer.Public(terminalKey)
	if err != nil {
		return c, err
	}
	trusted, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return c, jitsuin.Errorf(jitsuin.Internal, "terminal-key", "the terminal authority's key is not on P-256")
	}
	if c.Handle, err = a.cards.Create(ctx, host.Order{ID: c.ID, Token: c.OrderToken, Custodian: custodian, TerminalAuthority: trusted, Profile: profileFor(app)}); err != nil {
		return c, fmt.Errorf("order a chip: %w", err)
	}
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE card SET handle = $2, state = 'blank' WHERE id = $1 AND state = 'ordered'`, string(c.ID), c.Handle.Reveal())
		return err
	})
	return c, err
}

// withChip opens a card that we have and authenticates the production terminal.
func (a *Agency) withChip(ctx context.Context, c card, use func(reader.Channel, *reader.JPKI) error) error {
	if a.production.Key == nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "no-production", "the production terminal has no certificate yet")
	}
	channel, err := a.cards.Open(ctx, c.Handle)
	if err != nil {
		return err
	}
	defer channel.Close()
	j, err := reader.SelectJPKI(ctx, channel)
	if err != nil {
		return err
	}
	if err := j.Authenticate(ctx, a.production); err != nil {
		return err
	}
	return use(channel, j)
}

// writeChip is step 5 of issuance: the certificates are written into the chip, each of which takes
// only the one for the key it made, and what is on the card's face; then the card is ready to be received.
func (a *Agency) writeChip(ctx context.Context, app application) error {
	var c card
	var certificates []record
	err := a.DB.View(ctx, func(tx *store.Tx) (err error) {
		if c, err = findCard(tx, `WHERE application = $1`, string(app.ID)); err != nil {
			return err
		}
		certificates, err = certificatesIn(tx, `WHERE made_for = $1 AND state = 'issued'`, string(app.ID))
		return err
	})
	if err != nil {
		return err
	}
	if c.State == cardBlank {
		err := a.withChip(ctx, c, func(ch reader.Channel, j *reader.JPKI) error {
			if err := a.personalise(ctx, j, certificates); err != nil {
				return err
			}
			return a.writeFace(ctx, ch, app, c)
		})
		if jitsuin.CodeOf(err) == staleHandle && a.Restored() != nil {
			// The chip was written and passed on after the backup from which this database comes.
			a.Log.WarnContext(ctx, "a chip left the house after the backup", "application", app.ID)
			err = nil
		}
		if err != nil {
			return fmt.Errorf("write the chip: %w", err)
		}
	}
	return a.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(`UPDATE card SET state = 'finished' WHERE id = $1 AND state = 'blank'`, string(c.ID)); err != nil {
			return err
		}
		return a.deliver(tx, app, appIssued)
	})
}

// personalise writes certificates and looks whether the chip says what it should. Token information
// (EF 0006) is laid by the host, the flags of EF 0008 follow from what is written.
func (a *Agency) personalise(ctx context.Context, j *reader.JPKI, certificates []record) error {
	for _, kind := range jitsuin.CertKinds {
		u, err := a.issuer(kind)
		if err != nil {
			return err
		}
		if err := j.WriteCACertificate(ctx, kind, u.cert.Raw); err != nil {
			return err
		}
	}
	for _, r := range certificates {
		if err := j.WriteCertificate(ctx, r.Kind, r.DER); err != nil {
			return err
		}
	}
	present, err := j.Present(ctx)
	if err != nil {
		return err
	}
	for _, r := range certificates {
		if !present[r.Kind] {
			return jitsuin.Errorf(jitsuin.Unavailable, "chip-differs", "the chip does not show the %s certificate", r.Kind)
		}
		if r.Kind != jitsuin.AuthCert { // the signature certificate cannot be read before its password is set
			continue
		}
		if der, err := j.Certificate(ctx, r.Kind); err != nil || !bytes.Equal(der, r.DER) {
			return errors.Join(err, jitsuin.Errorf(jitsuin.Unavailable, "chip-differs", "the chip does not hold the certificate that was written"))
		}
	}
	return nil
}

// setCardTerm records the validity of a new card.
func setCardTerm(tx *store.Tx, app application, until jitsuin.Date) error {
	if app.Type != api.NewCard {
		return nil
	}
	_, err := tx.Exec(`UPDATE card SET valid_until = $2 WHERE application = $1`, string(app.ID), until.String())
	return err
}

// scrapCard forgets the handle of an application's chip: nothing opens it any more.
func scrapCard(tx *store.Tx, app jitsuin.ID) error {
	_, err := tx.Exec(`UPDATE card SET state = 'scrapped', handle = '', order_token = '' WHERE application = $1`, string(app))
	return err
}

// receive passes a finished card on to the municipality whose application it came from. Repeated
// it gives the same handle.
func (a *Agency) receive(ctx context.Context, id jitsuin.ID, caller string) (host.Handle, error) {
	var c card
	err := a.DB.View(ctx, func(tx *store.Tx) (err error) {
		c, err = findCard(tx, `WHERE id = $1`, string(id))
		return err
	})
	if err != nil {
		return "", err
	}
	switch {
	case c.ID == "" || caller != "municipality:"+string(c.Municipality):
		return "", jitsuin.Errorf(jitsuin.NotFound, "card-unknown", "there is no such card for %s", caller)
	case c.State == cardReceived:
		return c.Passed, nil
	case c.State != cardFinished:
		return "", jitsuin.Errorf(jitsuin.Conflict, "card-not-finished", "the card is still in production")
	}
	passed, err := a.cards.Transfer(ctx, c.Handle, host.Custodian(caller), c.MoveToken)
	if err != nil {
		return "", fmt.Errorf("pass a card on: %w", err)
	}
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE card SET state = 'received', passed_handle = $2, handle = '' WHERE id = $1 AND state = 'finished'`, string(c.ID), passed.Reveal())
		return err
	})
	return passed, err
}
