package platform

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// WebhookConfig says how events are pushed to tenants. All durations are wall time.
type WebhookConfig struct {
	// Loopback lets tenants name addresses on this machine, and http for them: for a sandbox.
	Loopback bool `yaml:"loopback,omitempty"`
	// Timeout bounds one try: ten seconds.
	Timeout time.Duration `yaml:"timeout,omitempty" check:"not-negative"`
	// Pause is how long the first pause after a try in vain lasts, five seconds; each is twice the one before it, up to
	// LongestPause, one hour.
	Pause        time.Duration `yaml:"pause,omitempty" check:"not-negative"`
	LongestPause time.Duration `yaml:"longest_pause,omitempty" check:"not-negative"`
	// GiveUp is for how long an event is tried before pushing to its tenant stops and its events wait for a poll: 96 hours.
	GiveUp time.Duration `yaml:"give_up,omitempty" check:"not-negative"`
}

func (c *WebhookConfig) fill() {
	for _, d := range []struct {
		p *time.Duration
		v time.Duration
	}{{&c.Timeout, 10 * time.Second}, {&c.Pause, 5 * time.Second}, {&c.LongestPause, time.Hour}, {&c.GiveUp, 96 * time.Hour}} {
		if *d.p == 0 {
			*d.p = d.v
		}
	}
}

// pause is how long to wait after the tries-th try in vain.
func (c WebhookConfig) pause(tries int) time.Duration {
	d := c.Pause
	for i := 1; i < tries && d < c.LongestPause; i++ {
		d *= 2
	}
	return min(d, c.LongestPause)
}

// lease is for how long a process that is about to send keeps others, and itself after a crash, from sending.
func (c WebhookConfig) lease() time.Duration { return 2 * c.Timeout }

// setWebhook has a tenant's events pushed to an address from now on, after the address has proved to be the
// tenant's. Events that neither a poll has acknowledged nor an earlier address has taken come first. Named again, the
// same address is tried at once, also where pushing had stopped.
func (p *Platform) setWebhook(ctx context.Context, tenant string, in api.WebhookRequest) (api.Webhook, error) {
	if err := p.webhooks.Check(in.URL); err != nil {
		return api.Webhook{}, err
	}
	if err := p.proveWebhook(ctx, tenant, in.URL); err != nil {
		return api.Webhook{}, err
	}
	now, civil := time.Now(), p.Clock.Now()
	return httpapi.Once(ctx, p.DB, "webhook", in, func(tx *store.Tx) (api.Webhook, error) {
		_, err := tx.Exec(`INSERT INTO webhooks (tenant, url, since, sent_n, tries, failing_since, next_try, stopped, problem) VALUES ($1, $2, $3, 0, 0, 0, 0, 0, '')
			ON CONFLICT (tenant) DO UPDATE SET url = excluded.url, since = excluded.since, tries = 0, failing_since = 0, next_try = 0, stopped = 0, problem = ''`,
			tenant, in.URL, store.Micros(now))
		if err != nil {
			return api.Webhook{}, err
		}
		tx.Notify(toldSignal)
		if err := audit.Record(ctx, tx, civil, audit.Line{Act: "webhook-set", Subject: tenant, Tenant: tenant}); err != nil {
			return api.Webhook{}, err
		}
		return getWebhook(tx, tenant)
	})
}

// proveWebhook sends a challenge to an address and wants it back: Invalid "webhook-unproven".
func (p *Platform) proveWebhook(ctx context.Context, tenant, address string) error {
	drawn := make([]byte, 32)
	rand.Read(drawn) // never fails
	challenge := base64.RawURLEncoding.EncodeToString(drawn)
	data, err := json.Marshal(api.WebhookChallenge{Challenge: challenge})
	if err != nil {
		return err
	}
	answer, err := p.push(ctx, tenant, address, api.Event{ID: jitsuin.NewID(), Type: api.EventChallenge, At: p.Clock.Now(), Data: data})
	if ctx.Err() != nil || jitsuin.KindOf(err) == jitsuin.Denied {
		return err
	}
	unproven := func(why string) error {
		return jitsuin.Errorf(jitsuin.Invalid, "webhook-unproven", "the address has not proved to be yours: %s", why).At("url").
			WithHint("answer the event webhook.challenge with 200 and its data; package client does")
	}
	if err != nil {
		return unproven(err.Error())
	}
	var back api.WebhookChallenge
	if json.Unmarshal(answer, &back) != nil || subtle.ConstantTimeCompare([]byte(back.Challenge), []byte(challenge)) != 1 {
		return unproven("it did not give the challenge back")
	}
	return nil
}

// push signs an event as a delivery of its own and sends it.
func (p *Platform) push(ctx context.Context, tenant, address string, e api.Event) ([]byte, error) {
	token, err := api.SignPush(e, p.Config.Instance, tenant, jitsuin.NewID(), p.Self.Key, time.Now())
	if err != nil {
		return nil, err
	}
	return p.webhooks.Send(ctx, address, token)
}

// getWebhook gives a tenant's webhook, NotFound for none.
func getWebhook(tx *store.Tx, tenant string) (w api.Webhook, err error) {
	var since, next int64
	err = tx.QueryRow(`SELECT url, since, sent_n, tries, next_try, stopped, problem FROM webhooks WHERE tenant = $1`, tenant).
		Scan(&w.URL, &since, &w.Sent, &w.Tries, &next, &w.Stopped, &w.Problem)
	if errors.Is(err, sql.ErrNoRows) {
		return w, jitsuin.Errorf(jitsuin.NotFound, "webhook-none", "no address is named for your events").WithHint("PUT /v1/webhook names one")
	}
	if err != nil {
		return w, err
	}
	w.Since = store.Time(since)
	if w.Tries > 0 && !w.Stopped {
		at := store.Time(next)
		w.NextTry = &at
	}
	err = tx.QueryRow(`SELECT COUNT(*) FROM tenant_events e JOIN tenant_outboxes o ON o.tenant = e.tenant
		WHERE e.tenant = $1 AND e.n > $2 AND e.n > o.read_n`, tenant, w.Sent).Scan(&w.Waiting)
	return w, err
}

func (p *Platform) webhook(ctx context.Context, tenant string) (w api.Webhook, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) { w, err = getWebhook(tx, tenant); return err })
	return w, err
}

// dropWebhook ends pushing; a tenant without a webhook is as it wants to be.
func (p *Platform) dropWebhook(ctx context.Context, tenant string) error {
	civil := p.Clock.Now()
	_, err := httpapi.Once(ctx, p.DB, "webhook-removed", tenant, func(tx *store.Tx) (struct{}, error) {
		if _, err := tx.Exec(`DELETE FROM webhooks WHERE tenant = $1`, tenant); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, audit.Record(ctx, tx, civil, audit.Line{Act: "webhook-removed", Subject: tenant, Tenant: tenant})
	})
	return err
}

// serveKeys publishes the keys with which events are signed (RFC 7517): all that the directory has for this
// platform, so that a new key is known before it signs, and the old one as long as what it signed is under way.
func (p *Platform) serveKeys(w http.ResponseWriter, r *http.Request) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	keys := []jose.JSONWebKey{{Key: &p.Self.Key.PublicKey}}
	if self, err := p.Directory.Lookup(p.Config.Instance); err == nil {
		keys = append(keys, self.Keys...)
	}
	seen := map[string]bool{}
	for _, k := range keys {
		key, ok := k.Key.(*ecdsa.PublicKey)
		if !ok {
			continue
		}
		kid, err := api.KeyID(key)
		if err != nil {
			httpapi.WriteError(w, r, p.Log, err)
			return
		}
		if !seen[kid] {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: key, KeyID: kid, Algorithm: string(jose.ES256), Use: "sig"})
		}
		seen[kid] = true
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	json.NewEncoder(w).Encode(set)
}
