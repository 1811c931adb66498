package jlis

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
)

type (
	consentIn struct {
		Key  string `header:"Idempotency-Key" json:"-"`
		Body api.SignedForm
	}
	consentOut struct{ Body api.Consent }

	withdrawIn struct {
		Key  string `header:"Idempotency-Key" json:"-"`
		ID   string `path:"id" maxLength:"64"`
		Body api.SignedForm
	}

	latestIn struct {
		Key  string `header:"Idempotency-Key" json:"-"`
		ID   string `path:"id" maxLength:"64"`
		Body api.LatestRequest
	}
	latestOut struct {
		CacheControl string `header:"Cache-Control"`
		Body         api.Latest
	}

	inquiryIn  struct{ Body api.Link }
	inquiryOut struct{ Body api.Consents }
)

// maxConsentBody holds a signed form in base64.
const maxConsentBody = 8 << 20

func (a *Agency) consentRoutes() {
	httpapi.Register(a.API, httpapi.Operation{ID: "file-consent", Method: http.MethodPost, Path: "/consents", Status: http.StatusCreated, MaxBody: maxConsentBody,
		Summary: "File a resident's consent to the supply of the latest four items (最新4情報提供の同意)",
		Description: "A form with the prescribed items, signed inside itself with the signature certificate. It is for one service, lasts ten years from the day after, and survives the re-issue of certificates. Needs the header Idempotency-Key. " +
			"Errors: consent-signature, consent-form, consent-verifier (it names another), consent-known.",
		Policy: a.verifiers()}, a.fileConsent)
	httpapi.Register(a.API, httpapi.Operation{ID: "withdraw-consent", Method: http.MethodPost, Path: "/consents/{id}/withdrawal", MaxBody: maxConsentBody,
		Summary:     "Pass on a resident's withdrawal of a consent",
		Description: "Signed with the signature certificate by who gave the consent. It takes effect at once. Needs the header Idempotency-Key; repeated, the answer is the same. It does not hang on the accreditation.",
		Policy:      httpapi.Roles("platform", "verifier")}, a.withdraw)
	httpapi.Register(a.API, httpapi.Operation{ID: "latest-items", Method: http.MethodPost, Path: "/consents/{id}/latest-items",
		Summary:     "Ask for the latest four items under a consent (最新4情報提供)",
		Description: "Where something is new, the items come with the fee of the day; nothing new costs nothing. Needs the header Idempotency-Key: repeated within seven days while the consent is in force, the answer is the same and costs nothing more. Errors: consent-unknown, consent-withdrawn, consent-expired, person-left.",
		Policy:      a.verifiers()}, a.latest)
	httpapi.Register(a.API, httpapi.Operation{ID: "consent-inquiry", Method: http.MethodPost, Path: "/consent-inquiries",
		Summary:     "The consents for this verifier of the holder of an authentication certificate",
		Description: "For a resident who has logged in with that certificate. It changes nothing; a serial number has no place in a URL.",
		Policy:      a.verifiers()}, a.inquire)
	a.At(clock.Job{Name: "end of consents", Next: a.nextConsentEnd, Fire: a.dropConsents})
}

// latest answers what is new in the register under a consent. What is new is told from what the firm was told last by this
// consent, or from the certificate that it has checked since.
func (a *Agency) latest(ctx context.Context, in *latestIn) (*latestOut, error) {
	verifier, now := httpapi.CallerOf(ctx).ID, a.Clock.Now()
	today := jitsuin.DateOf(now)
	// Also a repeated request is answered only while the consent is in force.
	err := a.DB.View(ctx, func(tx *store.Tx) error { _, err := consentInForce(tx, verifier, jitsuin.ID(in.ID), today); return err })
	if err != nil {
		return nil, err
	}
	fee, err := rules.FeeOf(rules.FeeLatestItems, today)
	if err != nil {
		return nil, err
	}
	supply := jitsuin.NewID()
	out, err := httpapi.Once(ctx, a.DB, "latest-items", in.ID, func(tx *store.Tx) (api.Latest, error) {
		c, err := consentInForce(tx, verifier, jitsuin.ID(in.ID), today)
		if err != nil {
			return api.Latest{}, err
		}
		had, err := knownItems(tx, c, in.Body.Known)
		if err != nil {
			return api.Latest{}, err
		}
		p, known, err := findPerson(tx, c.subject)
		if err != nil {
			return api.Latest{}, err
		}
		if !known || p.State == jitsuin.Dead || p.State == jitsuin.Deleted {
			return api.Latest{}, jitsuin.Errorf(jitsuin.Revoked, "person-left", "nothing is supplied of somebody who is not in the register any more")
		}
		l := api.Latest{Supply: supply, At: now.UTC(), Fields: p.Items.Differences(had)}
		if l.New = len(l.Fields) > 0; l.New {
			l.Items, l.Yen = &p.Items, fee.N
		}
		return l, putSupply(tx, c, l)
	})
	if err != nil {
		return nil, err
	}
	return &latestOut{CacheControl: "no-store", Body: out}, nil
}

// consentInForce gives a verifier's consent that is in force today, or says why there is none.
func consentInForce(tx *store.Tx, verifier string, id jitsuin.ID, today jitsuin.Date) (consent, error) {
	c, err := findConsent(tx, verifier, id)
	if err != nil {
		return c, err
	}
	switch c.in(today).State {
	case api.ConsentWithdrawn:
		return c, jitsuin.Errorf(jitsuin.Revoked, "consent-withdrawn", "the consent was withdrawn")
	case api.ConsentExpired:
		return c, jitsuin.Errorf(jitsuin.Expired, "consent-expired", "the consent ended on %s", c.LastDay)
	}
	return c, nil
}

// knownItems gives the items that the firm has: those last told under the consent, or those of a certificate of the same person that
// is newer.
func knownItems(tx *store.Tx, c consent, known *api.Link) (jitsuin.FourItems, error) {
	if known == nil || known.Kind != jitsuin.SignCert {
		return c.told, nil
	}
	serial, err := parseSerial(known.Serial)
	if err != nil {
		return c.told, err
	}
	r, err := bySerial(tx, jitsuin.SignCert, serial)
	if err != nil {
		return c.told, err
	}
	if r.Subject != c.subject {
		return c.told, jitsuin.Errorf(jitsuin.NotFound, "certificate-unknown", "no certificate with this serial number was issued")
	}
	leaf, err := cert.Parse(r.DER)
	if err != nil {
		return c.told, err
	}
	items, err := cert.ItemsOf(leaf)
	if err != nil {
		return c.told, err
	}
	if c.toldAt.After(r.NotBefore) {
		return c.told, nil
	}
	return items.FourItems, nil
}

// putSupply records a supply, and what the firm has been told by it.
func putSupply(tx *store.Tx, c consent, l api.Latest) error {
	_, err := tx.Exec(`INSERT INTO consent_supply (id, consent, at, items, yen) VALUES ($1, $2, $3, $4, $5)`,
		string(l.Supply), string(c.ID), store.Micros(l.At), strings.Join(l.Fields, ","), l.Yen)
	if err != nil || !l.New {
		return err
	}
	told, err := json.Marshal(l.Items)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE consent SET told = $1, told_at = $2 WHERE id = $3`, string(told), store.Micros(l.At), string(c.ID))
	return err
}

// inquire gives the consents of the person who holds an authentication certificate.
func (a *Agency) inquire(ctx context.Context, in *inquiryIn) (*inquiryOut, error) {
	verifier, today := httpapi.CallerOf(ctx).ID, jitsuin.DateOf(a.Clock.Now())
	serial, err := parseSerial(in.Body.Serial)
	if err != nil {
		return nil, err
	}
	if in.Body.Kind != jitsuin.AuthCert {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "certificate-kind", "consents are looked up with the authentication certificate").At("kind")
	}
	out := &inquiryOut{Body: api.Consents{Consents: []api.Consent{}}}
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		r, err := bySerial(tx, jitsuin.AuthCert, serial)
		if err != nil {
			return err
		}
		all, err := store.Collect(scanConsent)(tx.Query(consentColumns+`WHERE subject = $1 AND verifier = $2 ORDER BY recorded_at, id`, string(r.Subject), verifier))
		for _, c := range all {
			out.Body.Consents = append(out.Body.Consents, c.in(today))
		}
		return err
	})
	return out, err
}

// nextConsentEnd gives the first instant at which a consent is no longer kept.
func (a *Agency) nextConsentEnd(ctx context.Context) (due time.Time, ok bool, err error) {
	var first string
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT COALESCE(MIN(keep_until), '') FROM consent`).Scan(&first)
	})
	if err != nil || first == "" {
		return time.Time{}, false, err
	}
	last, err := jitsuin.ParseDate(first)
	return last.AddDays(1).Start(), err == nil, err
}

// dropConsents deletes the consents whose time of keeping is over.
func (a *Agency) dropConsents(ctx context.Context, now time.Time) error {
	today := jitsuin.DateOf(now).String()
	return a.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM consent_supply WHERE consent IN (SELECT id FROM consent WHERE keep_until < $1)`, today)
		if err == nil {
			_, err = tx.Exec(`DELETE FROM consent WHERE keep_until < $1`, today)
		}
		return err
	})
}
