package jlis

import (
	"bytes"
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// recordStatus answers for certificates of ours from the record itself: who files something here is judged by what is recorded, not
// by what has been published.
type recordStatus struct{ agency *Agency }

// Status implements cert.Revocation.
func (s recordStatus) Status(ctx context.Context, leaf, _ *x509.Certificate, at time.Time) (cert.Status, error) {
	now := s.agency.Clock.Now()
	st := cert.Status{State: cert.Unknown, Source: "record", ThisUpdate: now, Why: "no such certificate was issued"}
	kind, ok := cert.KindOf(leaf)
	serial, fits := cert.SerialOf(leaf.SerialNumber)
	if !ok || !fits {
		return st, nil
	}
	err := s.agency.DB.View(ctx, func(tx *store.Tx) error {
		r, err := bySerial(tx, kind, serial)
		if err != nil || !bytes.Equal(r.DER, leaf.Raw) {
			return err
		}
		var effective int64
		var reason jitsuin.RevocationReason
		err = tx.QueryRow(`SELECT effective_at, reason FROM revocation WHERE kind = $1 AND serial = $2`, string(kind), serial.String()).Scan(&effective, &reason)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return s.unlessHeld(tx, r, &st)
		case err != nil:
			return err
		}
		st.State, st.Why, st.RevokedAt, st.Reason = cert.Revoked, "", store.Time(effective), reason
		return nil
	})
	if jitsuin.KindOf(err) == jitsuin.NotFound {
		err = nil
	}
	return st, err
}

// unlessHeld answers good, but for a certificate that is suspended.
func (recordStatus) unlessHeld(tx *store.Tx, r record, st *cert.Status) error {
	held, err := openSuspension(tx, r)
	switch {
	case err != nil:
	case held == nil:
		st.State, st.Why = cert.Good, ""
	default:
		st.State, st.Why, st.RevokedAt, st.Reason = cert.Revoked, "", *held, jitsuin.ReasonCertificateHold
	}
	return err
}

// signedForm is a form that a resident of ours has signed, with who that is.
type signedForm struct {
	form.Filled
	leaf    *x509.Certificate
	subject jitsuin.ID
}

// readSigned judges a signed form: signed inside itself with a signature certificate of ours that is in force, by one person, and
// drawn to the octet from its own data. Errors: Invalid "consent-signature", those of form.Read.
func (a *Agency) readSigned(ctx context.Context, document []byte) (s signedForm, err error) {
	var anchors []*x509.Certificate
	for _, u := range a.all {
		if u.kind == jitsuin.SignCert {
			anchors = append(anchors, u.cert)
		}
	}
	report, err := signature.Verify(ctx, signature.Input{Signature: document, Format: signature.FormatPDF},
		signature.Policy{Anchors: anchors, At: a.Clock.Now(), Revocation: recordStatus{a}, Kind: jitsuin.SignCert})
	if err != nil {
		return s, err
	}
	if report.Verdict != signature.Passed || len(report.Signatures) != 1 {
		why := "it is not signed by one person"
		if len(report.Reasons) > 0 && report.Verdict != signature.Passed {
			why = report.Reasons[0].EN
		}
		return s, jitsuin.Errorf(jitsuin.Invalid, "consent-signature", "the document is not accepted: %s", why)
	}
	s.leaf = report.Signatures[0].Certificate
	made, err := pades.Original(document)
	if err != nil {
		return s, err
	}
	if s.Filled, err = form.Read(made); err != nil {
		return s, err
	}
	serial, _ := cert.SerialOf(s.leaf.SerialNumber)
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		r, err := bySerial(tx, jitsuin.SignCert, serial)
		s.subject = r.Subject
		return err
	})
	return s, err
}

// consent is a row of the table.
type consent struct {
	api.Consent
	subject  jitsuin.ID
	verifier string
	told     jitsuin.FourItems
	toldAt   time.Time
	endedAt  int64
}

// in gives the consent as it stands on a day.
func (c consent) in(today jitsuin.Date) api.Consent {
	switch out := c.Consent; {
	case c.endedAt != 0:
		at := store.Time(c.endedAt).UTC()
		out.State, out.EndedAt = api.ConsentWithdrawn, &at
		return out
	case today.After(c.LastDay):
		out.State = api.ConsentExpired
		return out
	default:
		out.State = api.ConsentInForce
		return out
	}
}

const consentColumns = `SELECT id, subject, verifier, recipient, service, number, given_on, last_day, told, told_at, ended_at FROM consent `

func scanConsent(s store.Scanner) (c consent, err error) {
	var given, last string
	var told []byte
	var toldAt int64
	if err := s.Scan(&c.ID, &c.subject, &c.verifier, &c.Recipient, &c.Service, &c.Number, &given, &last, &told, &toldAt, &c.endedAt); err != nil {
		return c, err
	}
	c.toldAt = store.Time(toldAt)
	return c, errors.Join(c.GivenOn.UnmarshalText([]byte(given)), c.LastDay.UnmarshalText([]byte(last)), json.Unmarshal(told, &c.told))
}

// findConsent gives a verifier's consent; another's, and one that never was, are NotFound alike.
func findConsent(tx *store.Tx, verifier string, id jitsuin.ID) (consent, error) {
	c, err := scanConsent(tx.QueryRow(consentColumns+`WHERE id = $1 AND verifier = $2`, string(id), verifier))
	if errors.Is(err, sql.ErrNoRows) {
		return c, jitsuin.Errorf(jitsuin.NotFound, "consent-unknown", "there is no such consent for this verifier")
	}
	return c, err
}

// fileConsent records a signed consent for the verifier that it names. From the next moment on the latest items are supplied under it.
func (a *Agency) fileConsent(ctx context.Context, in *consentIn) (*consentOut, error) {
	verifier := httpapi.CallerOf(ctx).ID
	s, err := a.readSigned(ctx, in.Body.Document)
	if err != nil {
		return nil, err
	}
	if err := api.CheckConsent(s.Filled, verifier); err != nil {
		return nil, err
	}
	items, err := cert.ItemsOf(s.leaf)
	if err != nil {
		return nil, err
	}
	now := a.Clock.Now()
	today := jitsuin.DateOf(now)
	term, err := rules.ConsentTerm(today)
	if err != nil {
		return nil, err
	}
	told, err := json.Marshal(items.FourItems)
	if err != nil {
		return nil, err
	}
	c := consent{Consent: api.Consent{ID: jitsuin.NewID(), Number: s.Form.Number, Recipient: s.Values[rules.ConsentRecipient], Service: s.Values[rules.ConsentService],
		GivenOn: today, LastDay: term.Until}}
	made, err := httpapi.Once(ctx, a.DB, "file-consent", in.Body, func(tx *store.Tx) (api.Consent, error) {
		_, err := tx.Exec(`INSERT INTO consent (id, subject, verifier, recipient, service, number, document, given_on, last_day, told, told_at, recorded_at, ended_at, keep_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, 0, $12)`, string(c.ID), string(s.subject), verifier, c.Recipient, c.Service, c.Number,
			in.Body.Document, today.String(), term.Until.String(), string(told), store.Micros(now), keepConsent(term.Until).String())
		if store.IsDuplicate(err) {
			return api.Consent{}, jitsuin.Errorf(jitsuin.Conflict, "consent-known", "a consent with this number has been filed already").At("number")
		}
		return c.in(today), err
	})
	if err != nil {
		return nil, err
	}
	return &consentOut{Body: made}, nil
}

// keepConsent gives the last day on which a consent that ended on a day is kept; the rule began with the supply itself.
func keepConsent(ended jitsuin.Date) jitsuin.Date {
	k, err := rules.KeepingOf(rules.RecordConsentLedger, ended)
	if err != nil {
		return ended
	}
	return k.Until(ended)
}

// withdraw ends a consent by a withdrawal that the same person signed. Nothing is supplied from the next moment on. It needs no
// accreditation of the verifier who passes it on: a person's right to withdraw does not hang on that.
func (a *Agency) withdraw(ctx context.Context, in *withdrawIn) (*consentOut, error) {
	verifier := httpapi.CallerOf(ctx).ID
	var c consent
	err := a.DB.View(ctx, func(tx *store.Tx) (err error) { c, err = findConsent(tx, verifier, jitsuin.ID(in.ID)); return err })
	if err != nil {
		return nil, err
	}
	s, err := a.readSigned(ctx, in.Body.Document)
	switch {
	case err != nil:
		return nil, err
	case s.Form.ID != api.FormWithdrawal || s.Values["consent"] != string(c.ID):
		return nil, jitsuin.Errorf(jitsuin.Invalid, "withdrawal-form", "the document withdraws something else")
	case s.subject != c.subject:
		return nil, jitsuin.Errorf(jitsuin.Denied, "withdrawal-person", "a consent is withdrawn by who gave it")
	}
	now := a.Clock.Now()
	today := jitsuin.DateOf(now)
	ended, err := httpapi.Once(ctx, a.DB, "withdraw-consent", in, func(tx *store.Tx) (api.Consent, error) {
		_, err := tx.Exec(`UPDATE consent SET ended_at = $1, withdrawal = $2, keep_until = $3 WHERE id = $4 AND verifier = $5 AND ended_at = 0`,
			store.Micros(now), in.Body.Document, keepConsent(today).String(), string(c.ID), verifier)
		if err != nil {
			return api.Consent{}, err
		}
		c, err := findConsent(tx, verifier, c.ID)
		return c.in(today), err
	})
	if err != nil {
		return nil, err
	}
	return &consentOut{Body: ended}, nil
}
