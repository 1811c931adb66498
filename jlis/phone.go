package jlis

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
)

// Certificates on a telephone (移動端末設備用電子証明書, JPKI Act arts. 16-2 and 35-2). The telephone makes the keys, the card's signature
// certificate signs the application, and the story of issue.go makes the certificates, under the same authorities. Each rests on the
// certificate of its kind on the card: it ends on the same day, is revoked and suspended with it, and none is issued without it. A person has
// one telephone: certificates on a new one end all those on the old one, in the commit that makes the new ones known.

// phoneSignal is given when an application for a telephone has come to its end.
const phoneSignal = "phone"

// phoneWait is how long a request waits for its certificates.
const phoneWait = 20 * time.Second

type (
	phoneIn  struct{ Body api.PhoneRequest }
	phoneOut struct {
		CacheControl string `header:"Cache-Control"`
		Body         api.PhoneIssued
	}
)

func (a *Agency) phoneRoutes() {
	httpapi.Register(a.API, httpapi.Operation{ID: "enrol-phone", Method: http.MethodPost, Path: "/phones", Status: http.StatusCreated, MaxBody: maxConsentBody,
		Summary: "Apply for certificates on a telephone (移動端末設備用電子証明書の発行申請)",
		Description: "The application is signed inside itself with the signature certificate on the card; the telephone shows with each key that it has it. Those on any other telephone of the person's end. " +
			"The form's number makes it one act: the same request again gives the same answer. Errors: consent-signature (the signature is not accepted), phone-form, phone-card, phone-proof, " +
			"and refusals: card-suspended, certificate-missing, key-refused, no-term; phone-under-way where it takes longer: repeat the request.",
		Policy: httpapi.Public("the application is signed with the card")}, a.enrolPhone)
}

func (a *Agency) enrolPhone(ctx context.Context, in *phoneIn) (*phoneOut, error) {
	id, err := a.acceptPhone(ctx, in.Body)
	if err == nil {
		err = a.awaitPhone(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	return a.phoneIssued(ctx, id)
}

// acceptPhone judges what came and records the application.
func (a *Agency) acceptPhone(ctx context.Context, r api.PhoneRequest) (jitsuin.ID, error) {
	s, err := a.readSigned(ctx, r.Document)
	if err != nil {
		return "", err
	}
	if cert.OnPhone(s.leaf) {
		return "", jitsuin.Errorf(jitsuin.Denied, "phone-card", "an application is signed with the card, not with a telephone").At("document")
	}
	if err := r.CheckPhone(s.Filled); err != nil {
		return "", err
	}
	if err := checkProofs(r); err != nil {
		return "", err
	}
	id := jitsuin.ID(s.Form.Number)
	return id, a.takeInPhone(ctx, id, s, r)
}

// checkProofs makes sure that the telephone has the keys that it shows.
func checkProofs(r api.PhoneRequest) error {
	for kind, der := range r.PublicKeys {
		if !kind.Valid() {
			return jitsuin.Errorf(jitsuin.Invalid, "phone-form", "a key is for sign or auth").At("public_keys")
		}
		public, err := cert.ParseSubjectKey(der)
		if err != nil {
			return err
		}
		if err := (cert.Algorithms{}).Verify(public, signatureAlgorithm(public), api.PhoneProof(kind, r.Document), r.Proofs[kind]); err != nil {
			return jitsuin.Errorf(jitsuin.Invalid, "phone-proof", "the telephone has not shown that it has the key for %s", kind).At("proofs")
		}
	}
	return nil
}

// takeInPhone records an application. It has no place in a municipality's feed to wait for: the person is the applicant, and what the
// municipality has to say ends the certificate that signed.
func (a *Agency) takeInPhone(ctx context.Context, id jitsuin.ID, s signedForm, r api.PhoneRequest) error {
	now := a.Clock.Now()
	return a.DB.Update(ctx, func(tx *store.Tx) error {
		var had int
		if err := tx.QueryRow(`SELECT COUNT(*) FROM phone WHERE application = $1 AND subject = $2`, string(id), string(s.subject)).Scan(&had); err != nil || had > 0 {
			return err // the form binds keys and telephone to the number
		}
		p, known, err := findPerson(tx, s.subject)
		if err != nil || !known {
			return errors.Join(err, jitsuin.Errorf(jitsuin.NotFound, "person-unknown", "nobody of that identity is recorded"))
		}
		app := api.Application{ID: id, Type: api.Phone, Subject: s.subject, Municipality: p.Municipality, Items: p.Items, Model: r.Model, PublicKeys: r.PublicKeys,
			RequestID: httpapi.RequestID(ctx)}
		for _, kind := range jitsuin.CertKinds {
			if _, ok := r.PublicKeys[kind]; ok {
				app.Kinds = append(app.Kinds, kind)
			}
		}
		_, err = tx.Exec(`INSERT INTO phone (application, subject, model, document, applied_at, reason) VALUES ($1, $2, $3, $4, $5, '')`,
			string(id), string(s.subject), string(r.Model), r.Document, store.Micros(now))
		if store.IsDuplicate(err) {
			return jitsuin.Errorf(jitsuin.Conflict, "application-known", "there is another application with this identifier")
		}
		if err != nil {
			return err
		}
		return takeIn(tx, app, now)
	})
}

// awaitPhone waits until an application has come to its end.
func (a *Agency) awaitPhone(ctx context.Context, id jitsuin.ID) error {
	ended, stop := a.DB.Watch(phoneSignal)
	defer stop()
	late := time.NewTimer(phoneWait)
	defer late.Stop()
	for {
		var app application
		var code, reason string
		err := a.DB.View(ctx, func(tx *store.Tx) (err error) {
			if app, err = findApplication(tx, id); err != nil {
				return err
			}
			return tx.QueryRow(`SELECT a.code, p.reason FROM application a JOIN phone p ON p.application = a.id WHERE a.id = $1`, string(id)).Scan(&code, &reason)
		})
		switch {
		case err != nil:
			return err
		case app.State == appDelivered:
			return nil
		case app.State == appRefused:
			return jitsuin.Errorf(jitsuin.Denied, code, "%s", reason)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			return jitsuin.Errorf(jitsuin.Unavailable, "phone-under-way", "the certificates are not made yet").WithHint("send the same request again in a moment")
		case <-ended:
		}
	}
}

func (a *Agency) phoneIssued(ctx context.Context, id jitsuin.ID) (*phoneOut, error) {
	all, err := a.certificates(ctx, `WHERE made_for = $1 AND state = 'issued' ORDER BY kind DESC`, string(id))
	if err != nil {
		return nil, err
	}
	out := &phoneOut{CacheControl: "no-store", Body: api.PhoneIssued{Application: id, Authorities: map[jitsuin.CertKind][]byte{}}}
	for _, r := range all {
		u, err := a.authorityOf(r)
		if err != nil {
			return nil, err
		}
		out.Body.Certificates = append(out.Body.Certificates, api.Issued{Kind: r.Kind, Certificate: r.DER, NotAfter: r.NotAfter})
		out.Body.Authorities[r.Kind] = u.Raw
	}
	return out, nil
}

// authorityOf gives the certificate of the authority that issued one.
func (a *Agency) authorityOf(r record) (*x509.Certificate, error) {
	i := slices.IndexFunc(a.all, func(u *authority) bool { return u.name == r.Authority })
	if i < 0 {
		return nil, jitsuin.Errorf(jitsuin.Internal, "no-authority", "a certificate's authority %s is not there", r.Authority)
	}
	return a.all[i].cert, nil
}

// lookAtSuspensions tells whether a certificate that the answer rests on is suspended.
func (q *question) lookAtSuspensions(tx *store.Tx) error {
	for _, r := range q.inForce {
		held, err := openSuspension(tx, r)
		if err != nil {
			return err
		}
		q.held = q.held || held != nil
	}
	return nil
}

// phone decides on an application for a telephone: each certificate needs the one of its kind on the card, and ends with it.
func (q question) phone() (terms, *refusal) {
	t := terms{certs: map[jitsuin.CertKind]rules.Term{}}
	switch {
	case !slices.Contains(q.app.Kinds, jitsuin.SignCert):
		return t, refuse(refusedForm, "an application is for both certificates, or for the one for signatures")
	case !q.place:
		return t, refuse(refusedPlace, "certificates have no name for the municipality")
	case !q.known:
		return t, refuse(refusedResident, "nobody of that identity is recorded")
	case q.held:
		return t, refuse(refusedSuspended, "the certificates on the card are suspended")
	}
	for _, kind := range q.app.Kinds {
		onCard, has := q.inForce[kind]
		if !has {
			return t, refuse(refusedMissing, "the card has no certificate of the kind "+string(kind)+" in force")
		}
		term, err := rules.PhoneTerm(q.app.Model, q.today, onCard.lastDay())
		if err != nil {
			return t, refuse(refusedTerm, err.Error())
		}
		t.certs[kind] = term
	}
	return t, nil
}

// refusePhone notes why nothing was issued, for who asked.
func (a *Agency) refusePhone(tx *store.Tx, app application, why *refusal) error {
	tx.Notify(phoneSignal)
	_, err := tx.Exec(`UPDATE phone SET reason = $2 WHERE application = $1`, string(app.ID), why.reason)
	return err
}

// endOldPhone ends the certificates on the person's other telephone: one person, one telephone.
func (a *Agency) endOldPhone(tx *store.Tx, app application, now time.Time) error {
	event, err := rules.EventOf(rules.EventPhoneReplaced)
	if err != nil {
		return err
	}
	for _, kind := range jitsuin.CertKinds {
		old, err := onPhoneInForce(tx, app.Subject, kind, now)
		if err != nil {
			return err
		}
		for _, r := range old {
			if err := a.revoke(tx, r, revocation{At: now, Recorded: now, Reason: event.Reason, Cause: string(event.Event), Rule: event.ID}); err != nil {
				return err
			}
		}
	}
	return nil
}
