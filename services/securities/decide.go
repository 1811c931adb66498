package securities

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/form"
)

// checkLife is how long after the platform's check an account may still be opened by it. It spans
// repetitions of a call whose answer was lost, not days on which a certificate may end.
const checkLife = 5 * time.Minute

// decision is what is to become of an application, and what it rests on.
type decision struct {
	outcome      outcome // opened where nothing speaks against it
	filled       form.Filled
	verification jitsuin.ID
	report       *signature.Report
	checked      client.Verification
}

// decide has an application that was signed judged, and opens the account where nothing speaks against
// it. One that is decided stays as it is. Unavailable: the platform cannot tell now; nothing is lost.
func (f *Firm) decide(ctx context.Context, number string) error {
	var a application
	err := f.DB.View(ctx, func(tx *store.Tx) (err error) {
		a, err = getApplication(tx, number)
		return err
	})
	if err != nil || a.Outcome != pending || a.signed == nil {
		return err
	}
	d := decision{}
	if d.filled, d.outcome = readDocument(a); d.outcome == pending {
		v, err := f.verify(ctx, number, a.signed, d.filled)
		switch {
		case err != nil && jitsuin.KindOf(err) == jitsuin.Unsupported: // read, and none that the platform judges
			d.outcome = notAccepted
		case err != nil:
			return err
		default:
			d.judge(v, jitsuin.DateOf(f.Clock.Now()))
		}
	}
	if d.outcome == pending {
		return jitsuin.Errorf(jitsuin.Unavailable, "status-unknown", "the platform cannot tell now whether the certificate is in force")
	}
	return f.settle(ctx, a, d)
}

// readDocument takes nothing for this application but its own form, filled in completely and unchanged. No
// other document goes to the platform: a signature is asked about for the purpose that it was made for.
func readDocument(a application) (form.Filled, outcome) {
	made, err := a.signed.form()
	if err != nil {
		return form.Filled{}, altered
	}
	filled, err := form.Read(made)
	switch {
	case jitsuin.CodeOf(err) == "form-none":
		return filled, otherForm
	case err != nil:
		return filled, altered
	case !sameForm(filled.Form, a.form):
		return filled, otherForm
	}
	return filled, pending
}

// sameForm tells whether a document was made from the form that was served: every word of it.
func sameForm(a, b form.Form) bool {
	one, err := encodeForm(a)
	if err != nil {
		return false
	}
	other, err := encodeForm(b)
	return err == nil && string(one) == string(other)
}

// verify has the platform check the signature. A check that is older than checkLife, or that could not tell,
// is made anew under another id.
func (f *Firm) verify(ctx context.Context, number string, d *signedDocument, filled form.Filled) (client.Verification, error) {
	for {
		v, err := f.platform.Verify(ctx, d.checkID, client.VerificationRequest{
			Document: d.content, Signature: d.beside(), Purpose: string(rules.PurposeAccount),
			Record: facts(filled, f.cfg.Responsible, number)})
		told := jitsuin.CodeOf(err) == "idempotency-key-reused" // who is in charge has changed since
		if err != nil && !told {
			return v, err
		}
		undecided := !told && outcomeOfReport(v.Report) == pending
		if !told && !undecided && f.Clock.Now().Sub(v.CheckedAt) <= checkLife {
			return v, nil
		}
		was, next := d.checkID, string(jitsuin.NewID())
		err = f.DB.Update(ctx, func(tx *store.Tx) error {
			if _, err := tx.Exec(`UPDATE documents SET check_id = $1 WHERE application = $2 AND check_id = $3`, next, number, was); err != nil {
				return err
			}
			return tx.QueryRow(`SELECT check_id FROM documents WHERE application = $1`, number).Scan(&d.checkID)
		})
		if err != nil || undecided { // the next try asks anew
			return v, err
		}
	}
}

// judge decides by what the platform found. today is the civil day.
func (d *decision) judge(v client.Verification, today jitsuin.Date) {
	d.verification, d.report, d.checked = v.ID, &v.Report, v
	d.outcome = outcomeOfReport(v.Report)
	if d.outcome != opened {
		return
	}
	if v.User == nil || v.Items == nil { // the platform does not say who signed
		d.outcome = pending
		return
	}
	adult, _ := rules.IsAdult(v.Items.BirthDate, today)
	switch {
	case len(d.filled.Differences(*v.Items)) > 0:
		d.outcome = itemsDiffer
	case !adult:
		d.outcome = underAge
	case d.filled.Values[fieldPEP] != pepNo:
		d.outcome = foreignPEP
	}
}

// outcomeOfReport is what a verification report means here: opened for one that passed, pending where
// nothing could be decided.
func outcomeOfReport(r signature.Report) outcome {
	switch {
	case r.Verdict == signature.Passed:
		return opened
	case r.SubIndication == signature.TryLater:
		return pending
	}
	if len(r.Reasons) > 0 {
		switch r.Reasons[0].Code {
		case "content-changed", "signature-value":
			return altered
		case "revoked":
			return revoked
		case "expired":
			return expired
		case "not-yet-valid":
			return notYetValid
		case "wrong-kind":
			return wrongKind
		case "no-issuer", "forged-certificate", "issuer-revoked", "issuer-not-valid":
			return issuerUnknown
		}
	}
	return notAccepted
}

// settle stores the outcome, and with an account all that belongs to it: customer, account and
// confirmation record, in one commit. A number of an account that is taken is drawn again.
func (f *Firm) settle(ctx context.Context, a application, d decision) (err error) {
	const draws = 5
	for range draws {
		o := opening{application: a, decision: d, customer: jitsuin.NewID(), account: newAccountNumber(), at: f.Clock.Now(), by: f.cfg.Responsible}
		err = f.DB.Update(ctx, o.store)
		if !store.IsDuplicate(err) {
			return err
		}
	}
	return err
}
