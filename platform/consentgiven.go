package platform

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// Outcomes of a signed text beside those of errands.
const (
	consentGiven     = "given"
	consentWithdrawn = "withdrawn"
	otherForm        = "other-form"     // not the text that was made, or altered
	anotherPerson    = "another-person" // signed by somebody else than the user
	consentOver      = "over"           // decided before
)

// aboutConsent is what an errand knows of its consent.
func aboutConsent(tenant string, id jitsuin.ID) string { return tenant + "/" + string(id) }

func consentAbout(about string) (tenant string, id jitsuin.ID) {
	tenant, last, _ := strings.Cut(about, "/")
	return tenant, jitsuin.ID(last)
}

// signer judges a document that was signed inside itself, and gives who signed; outcome is "" where it is accepted. Unavailable: it cannot be
// told now.
func (p *Platform) signer(ctx context.Context, document []byte) (leaf *x509.Certificate, outcome string, err error) {
	anchors, err := p.trusted()
	if err != nil {
		return nil, "", err
	}
	r, err := signature.Verify(ctx, signature.Input{Signature: document, Format: signature.FormatPDF},
		signature.Policy{Anchors: anchors, TimeAnchors: p.timeAnchors(), At: p.Clock.Now(), Revocation: p.newWitness(true), Kind: jitsuin.SignCert})
	switch {
	case err != nil:
		return nil, "", err
	case r.SubIndication == signature.TryLater:
		return nil, "", jitsuin.Errorf(jitsuin.Unavailable, "status-unknown", "it cannot be told now whether the certificate is in force")
	case r.Verdict != signature.Passed:
		return nil, ownNotAccepted, nil
	}
	if leaf, err = onlySigner(r); err != nil {
		return nil, ownNotAccepted, nil
	}
	return leaf, "", nil
}

// isForm tells whether a signed document is made from a form, to the octet.
func isForm(document, encoded []byte) bool {
	made, err := pades.Original(document)
	if err != nil {
		return false
	}
	filled, err := form.Read(made)
	if err != nil {
		return false
	}
	var want form.Form
	if json.Unmarshal(encoded, &want) != nil {
		return false
	}
	a, err := json.Marshal(filled.Form)
	b, again := json.Marshal(want)
	return err == nil && again == nil && bytes.Equal(a, b)
}

// decideConsent takes a signed consent to J-LIS and enters it. Nothing of the document stays here.
func (p *Platform) decideConsent(ctx context.Context, v errand.Visit, a api.HolderAnswer) (outcome, result string, err error) {
	if err := p.mayVerify(ctx); err != nil {
		return "", "", err
	}
	tenant, id := consentAbout(v.About)
	var c consent
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) { c, err = consentOf(tx, tenant, id); return err })
	switch {
	case err != nil:
		return "", "", err
	case c.State == api.ConsentInForce:
		return consentGiven, string(id), nil
	case c.State != api.ConsentDrawn:
		return consentOver, string(id), nil
	}
	document := a.Documents[0].Content
	leaf, outcome, err := p.signer(ctx, document)
	if err != nil {
		return "", "", err
	}
	if outcome == "" && !isForm(document, c.form) {
		outcome = otherForm
	}
	if outcome == "" {
		same, err := p.isUser(ctx, tenant, c.User, linkOf(jitsuin.SignCert, leaf))
		if err != nil {
			return "", "", err
		}
		if !same {
			outcome = anotherPerson
		}
	}
	if outcome != "" {
		return outcome, string(id), p.refuseConsent(ctx, c, outcome)
	}
	given, err := p.jlis.Consent(ctx, string(c.ID), document)
	if err != nil {
		if k := jitsuin.KindOf(err); k == jitsuin.Invalid || k == jitsuin.Denied {
			return ownNotAccepted, string(id), p.refuseConsent(ctx, c, ownNotAccepted)
		}
		return "", "", err
	}
	return consentGiven, string(id), p.enterConsent(ctx, c, given, linkOf(jitsuin.SignCert, leaf))
}

// isUser tells whether a certificate is a user's.
func (p *Platform) isUser(ctx context.Context, tenant, user string, own jlis.Link) (same bool, err error) {
	links, err := p.linksOf(ctx, tenant, own)
	if err != nil {
		return false, err
	}
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		same = false
		for _, l := range links {
			id, err := userOf(tx, tenant, l)
			if err != nil {
				return err
			}
			same = same || id == user
		}
		return nil
	})
	return same, err
}

// enterConsent enters a consent that J-LIS has recorded.
func (p *Platform) enterConsent(ctx context.Context, c consent, given jlis.Consent, by jlis.Link) error {
	now := p.Clock.Now()
	remind := rules.ConsentReminder(given.GivenOn, jitsuin.DateOf(now))
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		done, err := tx.Exec(`UPDATE consents SET state = 'in-force', agency = $1, kind = $2, serial = $3, given_on = $4, last_day = $5, remind_on = $6
			WHERE tenant = $7 AND id = $8 AND state = 'drawn'`, given.ID, by.Kind, by.Serial, given.GivenOn.String(), given.LastDay.String(), remind.String(), c.tenant, c.ID)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		tx.AfterCommit(p.PokeJobs)
		return p.consentTold(ctx, tx, c, now, api.EventConsentGiven, "given", api.ConsentInForce, "")
	})
}

// consentTold appends what happened to the ledger, tells the tenant, and logs it.
func (p *Platform) consentTold(ctx context.Context, tx *store.Tx, c consent, now time.Time, event, act, state, why string) error {
	if err := note(tx, c, now, act, why); err != nil {
		return err
	}
	if err := p.tell(tx, c.tenant, event, api.ConsentChange{Consent: c.ID, User: c.User, State: state, Why: why}); err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Line{Who: p.Config.Instance, Act: "consent-" + act, Subject: string(c.ID), Tenant: c.tenant})
}

// refuseConsent ends a consent that was not given.
func (p *Platform) refuseConsent(ctx context.Context, c consent, why string) error {
	now := p.Clock.Now()
	keep, err := keepLedger(jitsuin.DateOf(now))
	if err != nil {
		return err
	}
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		done, err := tx.Exec(`UPDATE consents SET state = 'refused', keep_until = $1 WHERE tenant = $2 AND id = $3 AND state = 'drawn'`, keep.String(), c.tenant, c.ID)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return p.consentTold(ctx, tx, c, now, api.EventConsentRefused, "refused", api.ConsentRefused, why)
	})
}

// keepLedger gives the last day on which a consent's ledger is kept that ended on a day.
func keepLedger(ended jitsuin.Date) (jitsuin.Date, error) {
	k, err := rules.KeepingOf(rules.RecordConsentLedger, ended)
	if err != nil {
		return jitsuin.Date{}, err
	}
	return k.Until(ended), nil
}

// consentCancelled notes that a person said no, or answered too late.
func (p *Platform) consentCancelled(ctx context.Context, v errand.Visit) error {
	tenant, id := consentAbout(v.About)
	var c consent
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) { c, err = consentOf(tx, tenant, id); return err })
	if err != nil {
		return err
	}
	return p.refuseConsent(ctx, c, v.Outcome)
}

// consentArrives leads the browser back to the firm.
func (p *Platform) consentArrives(w http.ResponseWriter, r *http.Request, v errand.Visit) error {
	tenant, id := consentAbout(v.About)
	var c consent
	err := p.DB.View(r.Context(), func(tx *store.Tx) (err error) { c, err = consentOf(tx, tenant, id); return err })
	if err != nil {
		return err
	}
	back, err := url.Parse(c.returnURL)
	if err != nil {
		return err
	}
	q := back.Query()
	q.Set("consent", string(id))
	back.RawQuery = q.Encode()
	seeOther(w, r, back.String())
	return nil
}
