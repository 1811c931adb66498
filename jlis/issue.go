package jlis

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/jlis/signer"
	"github.com/jitsuin/jitsuin/rules"
)

// Issuance is irreversible, so it is a story of numbered steps. Each ends in one commit that moves
// the application on, so that after a crash anywhere the same code goes on from there:
//
//	waiting    1  check, and record the bytes of every certificate (the intent)
//	intended   2  lint what would be signed
//	           3  sign; the signer's journal accounts for it
//	           4  store the certificates: all of an application become visible by one commit, with
//	              their status, the end of those they replace and, for a re-issue, the delivery
//	issued     5  write them into the new card's chip, and deliver
//
// Until step 4 nothing exists for anybody outside. The check of step 1 is made again in step 4: a
// change that was recorded in between means that the intent is abandoned and its serial numbers
// stay unused.

// errNotReached says that the register is not yet as new as the application demands.
var errNotReached = errors.New("the register has not come to the application's position")

// issue brings an application to its end, or as far as it goes now.
func (a *Agency) issue(ctx context.Context, id jitsuin.ID) error {
	for {
		var app application
		err := a.DB.View(ctx, func(tx *store.Tx) (err error) {
			app, err = findApplication(tx, id)
			return err
		})
		if err != nil {
			return fmt.Errorf("read the application: %w", err)
		}
		step := requestOf(ctx, app)
		switch app.State {
		case appWaiting:
			err = a.checkAndIntend(step, app)
		case appIntended:
			err = a.signAndStore(step, app)
		case appIssued:
			err = a.writeChip(step, app)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// checkAndIntend is step 1. A new card's chip comes first, since it makes the keys; it is ordered
// only after a first look at the application, so that a refused one leaves nothing.
func (a *Agency) checkAndIntend(ctx context.Context, app application) error {
	keys := map[jitsuin.CertKind]subjectKey(nil)
	if app.Type == api.Reissue || app.Type == api.Phone {
		keys = readKeys(app.PublicKeys)
	}
	why, err := a.look(ctx, app, keys)
	if err != nil {
		return err
	}
	if why == nil && app.Type == api.NewCard {
		made, err := a.makeKeys(ctx, app)
		if err != nil {
			return err
		}
		keys = readKeys(made)
	}
	names := map[jitsuin.CertKind]string{}
	for _, kind := range app.Kinds {
		names[kind] = commonName(app.Municipality)
	}
	return a.DB.Update(ctx, func(tx *store.Tx) error {
		now := a.Clock.Now()
		q, err := a.question(tx, app, keys, now)
		if err != nil {
			return err
		}
		t, why := q.examine()
		switch {
		case why != nil:
			return a.refuse(tx, app, appWaiting, why)
		case keys == nil: // a first look refused, and now nothing is against it
			return errNotReached
		}
		if err := setCardTerm(tx, app, t.cardUntil); err != nil {
			return err
		}
		for _, kind := range app.Kinds {
			if err := a.intendFor(tx, q, kind, keys[kind], t.certs[kind], names[kind], now); err != nil {
				return err
			}
		}
		return moveApplication(tx, app.ID, appWaiting, appIntended, "")
	})
}

// look examines an application without consequences.
func (a *Agency) look(ctx context.Context, app application, keys map[jitsuin.CertKind]subjectKey) (why *refusal, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		q, err := a.question(tx, app, keys, a.Clock.Now())
		if err == nil {
			_, why = q.examine()
		}
		return err
	})
	return why, err
}

// question reads all that the decision depends on; errNotReached where the register is too old.
func (a *Agency) question(tx *store.Tx, app application, keys map[jitsuin.CertKind]subjectKey, now time.Time) (q question, err error) {
	q = question{app: app.Application, today: jitsuin.DateOf(now), applied: jitsuin.DateOf(app.AppliedAt), keys: keys,
		inForce: map[jitsuin.CertKind]record{}, keysUsed: map[jitsuin.CertKind]bool{}}
	reached, err := a.reached(tx, app.Application)
	if err == nil && !reached {
		err = errNotReached
	}
	if err != nil {
		return q, err
	}
	_, q.place = a.cfg.Places[app.Municipality]
	if q.person, q.known, err = findPerson(tx, app.Subject); err != nil {
		return q, err
	}
	for _, kind := range jitsuin.CertKinds {
		have, err := inForce(tx, app.Subject, kind, now)
		if err != nil {
			return q, err
		}
		if len(have) > 0 {
			q.inForce[kind] = have[len(have)-1]
		}
		if k, ok := keys[kind]; ok {
			if q.keysUsed[kind], err = keyUsed(tx, k.hash, app.ID); err != nil {
				return q, err
			}
		}
	}
	switch app.Type {
	case api.Phone:
		err = q.lookAtSuspensions(tx)
	case api.Reissue:
		q.card, err = findCard(tx, `WHERE id = $1`, string(app.Card))
	}
	return q, err
}

// keyUsed tells whether a key was certified, or is about to be, for anything else.
func keyUsed(tx *store.Tx, hash [32]byte, app jitsuin.ID) (bool, error) {
	var n int
	err := tx.QueryRow(`SELECT COUNT(*) FROM certificate WHERE key_hash = $1 AND made_for <> $2 AND state <> 'abandoned'`,
		hash[:], string(app)).Scan(&n)
	return n > 0, err
}

func (a *Agency) intendFor(tx *store.Tx, q question, kind jitsuin.CertKind, key subjectKey, term rules.Term, name string, now time.Time) error {
	u, err := a.issuer(kind)
	if err != nil {
		return err
	}
	place := a.cfg.Places[q.app.Municipality]
	t := cert.Template{Profile: cert.ProfileAuth, Realm: a.realm, Issuer: u.cert, NotBefore: now.Truncate(time.Second), LastDay: term.Until,
		Key: key.public, CommonName: name, Place: cert.Place(place), ClientAuth: a.cfg.ClientAuth, OCSP: a.cfg.OCSP}
	if kind == jitsuin.SignCert {
		t.Profile, t.Items = cert.ProfileSign, cert.PlainItems(q.person.Items)
	}
	if q.app.Type == api.Phone {
		t.Profile = cert.PhoneProfile(kind)
	}
	_, err = a.intend(tx, kind, t, record{Authority: u.name, MadeFor: string(q.app.ID), Subject: q.app.Subject, Municipality: q.app.Municipality}, now)
	return err
}

// commonName makes an identifier as the subject of a certificate has it: 14 characters that say
// nothing, the municipality, 003A (the form observed on a test card).
func commonName(town jitsuin.MunicipalityCode) string {
	var b [7]byte
	rand.Read(b[:])
	return strings.ToUpper(hex.EncodeToString(b[:])) + string(town) + "003A"
}

// refuse ends an application without a certificate: what was intended is abandoned, the chip is
// forgotten, the municipality is told why.
func (a *Agency) refuse(tx *store.Tx, app application, from string, why *refusal) error {
	if _, err := tx.Exec(`UPDATE certificate SET state = 'abandoned' WHERE made_for = $1 AND state = 'intended'`, string(app.ID)); err != nil {
		return err
	}
	if err := scrapCard(tx, app.ID); err != nil {
		return err
	}
	if err := moveApplication(tx, app.ID, from, appRefused, why.code); err != nil {
		return err
	}
	if app.Type == api.Phone {
		return a.refusePhone(tx, app, why)
	}
	_, err := feed.Append(tx, a.toTown(app.Municipality, string(app.ID), api.TypeRefused,
		api.Refused{Application: app.ID, Subject: app.Subject, Code: why.code, Reason: why.reason, Fields: why.fields}))
	return err
}

// signed is an intent with its signature.
type signed struct {
	record
	receipt signer.Receipt
}

// signAndStore is steps 2 to 4.
func (a *Agency) signAndStore(ctx context.Context, app application) error {
	intents, err := a.certificates(ctx, `WHERE made_for = $1 AND state = 'intended' ORDER BY kind`, string(app.ID))
	if err != nil {
		return err
	}
	for _, r := range intents { // 2
		if err := lintTBS(r); err != nil {
			a.Log.ErrorContext(ctx, "a certificate would not be what it should be", "application", app.ID, "err", err)
			return a.DB.Update(ctx, func(tx *store.Tx) error {
				return a.refuse(tx, app, appIntended, refuse(refusedDefective, err.Error()))
			})
		}
	}
	var certificates []signed
	for _, r := range intents { // 3
		sig, receipt, err := a.sign(ctx, r.Authority, signer.Certificate, r.TBS)
		if err != nil {
			return err
		}
		if r.DER, err = cert.Assemble(r.TBS, sig); err != nil {
			return err
		}
		certificates = append(certificates, signed{r, receipt})
	}
	return a.DB.Update(ctx, func(tx *store.Tx) error { return a.storeCertificates(tx, app, certificates) }) // 4
}

// storeCertificates is step 4, all in tx.
func (a *Agency) storeCertificates(tx *store.Tx, app application, certificates []signed) error {
	now := a.Clock.Now()
	for _, c := range certificates {
		if err := noteSignature(tx, c.receipt, "certificate"); err != nil {
			return err
		}
	}
	q, err := a.question(tx, app, nil, now)
	if err != nil {
		return err
	}
	if why := q.stillGood(); why != nil {
		return a.refuse(tx, app, appIntended, why)
	}
	if app.Type == api.Phone {
		if err := a.endOldPhone(tx, app, now); err != nil {
			return err
		}
		q.inForce = nil // those of the card, which stay
	}
	for _, c := range certificates {
		if old, has := q.inForce[c.Kind]; has {
			if err := a.supersede(tx, old, now, app.Municipality); err != nil {
				return err
			}
		}
		if err := storeIssued(tx, c.record, c.receipt, now); err != nil {
			return err
		}
		if err := a.appendStatus(tx, c.record, standing{}); err != nil {
			return err
		}
	}
	switch app.Type {
	case api.NewCard:
		return moveApplication(tx, app.ID, appIntended, appIssued, "")
	case api.Phone:
		tx.Notify(phoneSignal)
		return moveApplication(tx, app.ID, appIntended, appDelivered, "")
	}
	return a.deliver(tx, app, appIntended)
}

// stillGood is the check of step 1 without the keys, which the intent has taken.
func (q question) stillGood() *refusal {
	if q.app.Type == api.Phone {
		_, why := q.phone()
		return why
	}
	for _, check := range []func() *refusal{q.form, q.resident, q.entitled, q.doubled} {
		if r := check(); r != nil {
			return r
		}
	}
	return nil
}

// supersede ends the certificate that a re-issue replaces.
func (a *Agency) supersede(tx *store.Tx, old record, now time.Time, town jitsuin.MunicipalityCode) error {
	event, err := rules.EventOf(rules.EventRenewed)
	if err != nil {
		return err
	}
	effect, err := event.Effect(old.Kind)
	if err != nil {
		return err
	}
	return a.revoke(tx, old, revocation{At: now, Recorded: now, Reason: effect.Of(old.Kind).Reason, Cause: string(event.Event), Rule: event.ID, Town: town})
}

// deliver tells the municipality that its application is done.
func (a *Agency) deliver(tx *store.Tx, app application, from string) error {
	certificates, err := certificatesIn(tx, `WHERE made_for = $1 AND state = 'issued' ORDER BY kind DESC`, string(app.ID))
	if err != nil {
		return err
	}
	d := api.Delivered{Application: app.ID, Subject: app.Subject, Type: app.Type}
	for _, r := range certificates {
		d.Certificates = append(d.Certificates, api.Issued{Kind: r.Kind, Certificate: r.DER, NotAfter: r.NotAfter})
	}
	where, key := `WHERE id = $1`, string(app.Card)
	if app.Type == api.NewCard {
		where, key = `WHERE application = $1`, string(app.ID)
	}
	c, err := findCard(tx, where, key)
	if err == nil && c.ID == "" {
		err = sql.ErrNoRows
	}
	if err != nil {
		return fmt.Errorf("the card of an application: %w", err)
	}
	d.Card, d.CardExpires = c.ID, c.ValidUntil
	if app.Type == api.NewCard {
		d.CardNumber, d.SecurityCode = c.Number, c.SecurityCode
	}
	if err := moveApplication(tx, app.ID, from, appDelivered, ""); err != nil {
		return err
	}
	_, err = feed.Append(tx, a.toTown(app.Municipality, string(app.ID), api.TypeDelivered, d))
	return err
}
