package platform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/metering"
	"github.com/jitsuin/jitsuin/rules"
)

type latestIn struct {
	Key  string `header:"Idempotency-Key" json:"-"`
	ID   string `path:"id" maxLength:"64"`
	Body api.LatestRequest
}

// latestOut holds the four items, so it stays in no cache.
type latestOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         api.LatestItems
}

// postLatest asks J-LIS for what is new under a consent and passes it on. The items go through memory alone: what is stored is that they were
// passed on, when, and which were new. A repeated request is asked of J-LIS again under the same id, so that an answer that was lost on
// the way to the tenant is not lost for good, and is not charged twice.
func (p *Platform) postLatest(ctx context.Context, in *latestIn) (*latestOut, error) {
	if err := p.mayVerify(ctx); err != nil {
		return nil, err
	}
	tenant := httpapi.CallerOf(ctx).ID
	if _, err := p.mayCheck(tenant, jitsuin.DateOf(p.Clock.Now())); err != nil {
		return nil, err
	}
	if httpapi.IdempotencyKey(ctx) == "" {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "idempotency-key-missing", "this call needs the header %s", httpapi.HeaderIdempotencyKey)
	}
	c, known, err := p.consentFor(ctx, tenant, in.ID, in.Body.Consent)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(tenant + "\x00" + httpapi.IdempotencyKey(ctx)))
	l, err := p.jlis.Latest(ctx, hex.EncodeToString(sum[:16]), c.agency, jlis.LatestRequest{Known: known})
	if jitsuin.CodeOf(err) == "consent-withdrawn" && err != nil { // by another way than ours
		now := p.Clock.Now()
		if ended := p.endConsent(ctx, c, api.EventConsentWithdrawn, api.ConsentWithdrawn, jitsuin.DateOf(now), now); ended != nil {
			return nil, ended
		}
	}
	if err != nil {
		return nil, err
	}
	use := rules.UseNothingNew
	if l.New {
		use = rules.UseLatest
	}
	used := metering.Of(string(use), "", "")
	kept, err := httpapi.Once(ctx, p.DB, "latest-items", in, func(tx *store.Tx) (api.LatestItems, error) {
		now, err := consentOf(tx, tenant, c.ID)
		if err != nil {
			return api.LatestItems{}, err
		}
		if err := inForceNow(now, jitsuin.DateOf(l.At)); err != nil { // withdrawn while J-LIS was asked
			return api.LatestItems{}, err
		}
		out := api.LatestItems{ID: l.Supply, At: l.At, New: l.New, Which: l.Fields, Yen: l.Yen}
		if err := metering.Record(tx, tenant, l.At, used); err != nil {
			return api.LatestItems{}, err
		}
		return out, p.putLatest(ctx, tx, c, out)
	})
	if err != nil {
		return nil, err
	}
	kept.Items = l.Items
	return &latestOut{"no-store", kept}, nil
}

// consentFor gives the consent in force under which is asked, and the certificate whose items the tenant has.
func (p *Platform) consentFor(ctx context.Context, tenant, user string, id jitsuin.ID) (c consent, known *jlis.Link, err error) {
	today := jitsuin.DateOf(p.Clock.Now())
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := knownUser(tx, tenant, user); err != nil {
			return err
		}
		var err error
		if c, err = consentOf(tx, tenant, id); err != nil {
			return err
		}
		if c.User != user {
			return errConsentUnknown()
		}
		if err := inForceNow(c, today); err != nil {
			return err
		}
		have, err := newest(tx, tenant, user)
		if err == nil && len(have) > 0 && have[0].kind == jitsuin.SignCert {
			known = &jlis.Link{Kind: have[0].kind, Serial: have[0].serial}
		}
		return err
	})
	return c, known, err
}

// inForceNow says why a consent is not in force on a day.
func inForceNow(c consent, today jitsuin.Date) error {
	switch {
	case c.State == api.ConsentWithdrawn:
		return jitsuin.Errorf(jitsuin.Revoked, "consent-withdrawn", "the consent was withdrawn")
	case c.State == api.ConsentExpired, c.State == api.ConsentInForce && today.After(c.LastDay):
		return jitsuin.Errorf(jitsuin.Expired, "consent-expired", "the consent ended on %s", c.LastDay)
	case c.State != api.ConsentInForce:
		return jitsuin.Errorf(jitsuin.Denied, "consent-"+c.State, "the consent is %s", c.State).WithHint("have the person sign it first")
	}
	return nil
}

func (p *Platform) putLatest(ctx context.Context, tx *store.Tx, c consent, l api.LatestItems) error {
	found := 0
	if l.New {
		found = 1
	}
	which := strings.Join(l.Which, ",")
	_, err := tx.Exec(`INSERT INTO latest_items (id, tenant, consent, user_id, at, found, items, yen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		l.ID, c.tenant, c.ID, c.User, store.Micros(l.At), found, which, l.Yen)
	if err != nil {
		return err
	}
	if l.New {
		if err := note(tx, c, l.At, "supplied", which); err != nil {
			return err
		}
	}
	return audit.Record(ctx, tx, l.At, audit.Line{Act: "latest-items", Subject: string(l.ID), Tenant: c.tenant, Reason: c.Purpose,
		Detail: map[string]string{"consent": string(c.ID), "which": which}})
}
