package platform_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// quickPushes are webhooks of a sandbox whose pauses are short.
func quickPushes(c *platform.Config) {
	c.Webhooks = platform.WebhookConfig{Loopback: true, Timeout: 2 * time.Second, Pause: 5 * time.Millisecond, LongestPause: 20 * time.Millisecond}
}

// party is a relying party with an address for events: its books hold each event's id with its effect.
type party struct {
	*httptest.Server
	c       *client.Client
	down    atomic.Bool  // nobody answers
	forgets atomic.Bool  // the effect is there, and the answer lost
	came    atomic.Int64 // deliveries

	// effect is what the books say of an event; nil for the word of a noted one.
	effect func(client.Event) string

	mu      sync.Mutex
	had     map[jitsuin.ID]bool
	effects []string // of each event, in order
}

// clientOf makes a tenant's client.
func (b *bank) clientOf(tenant httpapi.Identity) *client.Client {
	b.t.Helper()
	c, err := client.New(b.Origin, platformtest.ID, tenant.ID, tenant.Key)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	return c
}

func (b *bank) party(tenant httpapi.Identity) *party {
	b.t.Helper()
	p := &party{c: b.clientOf(tenant), had: map[jitsuin.ID]bool{}}
	hook := p.c.Webhook(client.NewSeenInMemory(1000), p.book)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.came.Add(1)
		if p.down.Load() {
			panic(http.ErrAbortHandler)
		}
		if p.forgets.Load() {
			hook.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		hook.ServeHTTP(w, r)
	}))
	b.t.Cleanup(p.Close)
	return p
}

// book has an event's effect unless it has been had: what a transaction does in a real party's database.
func (p *party) book(_ context.Context, e client.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.had[e.ID] {
		return nil
	}
	var d noted
	if err := e.Decode(&d); err != nil {
		return err
	}
	if p.effect != nil {
		d.Word = p.effect(e)
	}
	p.had[e.ID], p.effects = true, append(p.effects, d.Word)
	return nil
}

func (p *party) books() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.effects, " ")
}

// await waits for something to become true.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (b *bank) pushTo(p *party) {
	b.t.Helper()
	if w, err := p.c.SetWebhook(b.t.Context(), "", p.URL); err != nil || w.URL != p.URL || w.Stopped {
		b.t.Fatalf("%+v, %v", w, err)
	}
}

func TestEventsArePushedOnceInTheirOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, quickPushes)
		p := b.party(b.tenant)
		b.tell(b.tenant, "before")
		b.pushTo(p)
		b.tell(b.tenant, "one", "two")
		await(t, "the first events", func() bool { return p.books() == "before one two" })
		p.forgets.Store(true)
		came := p.came.Load()
		b.tell(b.tenant, "three", "four")
		await(t, "an answer that is lost twice", func() bool { return p.came.Load() >= came+2 })
		p.forgets.Store(false)
		await(t, "the rest", func() bool { return p.books() == "before one two three four" })
		await(t, "the last to be noted as sent", func() bool { s, err := p.c.WebhookStatus(t.Context()); return err == nil && s.Sent == 5 })
		s, err := p.c.WebhookStatus(t.Context())
		if err != nil || s.Waiting != 0 || s.Tries != 0 || s.Problem != "" {
			t.Errorf("%+v, %v", s, err)
		}
		if err := p.c.RemoveWebhook(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if _, err := p.c.WebhookStatus(t.Context()); jitsuin.CodeOf(err) != "webhook-none" {
			t.Errorf("after its removal: %v", err)
		}
		page, err := p.c.EventsAfter(t.Context(), "", 0)
		if err != nil || fmt.Sprint(words(t, page)) != "[before one two three four]" {
			t.Errorf("polled: %+v, %v", page, err)
		}
	})
}

// The tenant is down for a civil day, and the platform starts again meanwhile; then everything comes, in its order,
// by webhook, and by polling the very same.
func TestATenantThatIsDownForACivilDay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, quickPushes)
		p := b.party(b.tenant)
		b.pushTo(p)
		b.tell(b.tenant, "one")
		await(t, "the first", func() bool { return p.books() == "one" })
		p.down.Store(true)
		b.tell(b.tenant, "two", "three")
		await(t, "tries in vain", func() bool {
			s, err := p.c.WebhookStatus(t.Context())
			return err == nil && s.Tries >= 3 && s.Waiting == 2
		})
		b.advance(24 * time.Hour)
		b.Stop()
		b.StartPlatform(url, quickPushes)
		b.tell(b.tenant, "four")
		b.advance(12 * time.Hour)
		s, err := p.c.WebhookStatus(t.Context())
		if err != nil || s.Stopped || s.Waiting != 3 || s.Problem == "" {
			t.Errorf("a day later: %+v, %v", s, err)
		}
		p.down.Store(false)
		await(t, "everything", func() bool { return p.books() == "one two three four" })
		page, err := p.c.EventsAfter(t.Context(), "", 0)
		if err != nil || fmt.Sprint(words(t, page)) != "[one two three four]" {
			t.Errorf("polled: %+v, %v", page, err)
		}
		for _, e := range page.Events {
			if !p.had[e.ID] {
				t.Errorf("polled under another id than pushed: %+v", e)
			}
		}
	})
}

func TestPushingStopsAndTheEventsWait(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", func(c *platform.Config) { quickPushes(c); c.Webhooks.GiveUp = 50 * time.Millisecond })
	p := b.party(b.tenant)
	b.pushTo(p)
	p.down.Store(true)
	b.tell(b.tenant, "one", "two")
	stopped := func() bool { s, err := p.c.WebhookStatus(t.Context()); return err == nil && s.Stopped }
	await(t, "the end of the tries", stopped)
	if n := b.lines("webhook-stopped"); n != 1 {
		t.Errorf("the operation log has %d lines of it", n)
	}
	page, err := p.c.EventsAfter(t.Context(), "", 0)
	if err != nil || fmt.Sprint(words(t, page)) != "[one two]" {
		t.Fatalf("%+v, %v", page, err)
	}
	if _, err := p.c.EventsAfter(t.Context(), page.Events[0].Cursor, 0); err != nil { // acknowledges the first
		t.Fatal(err)
	}
	p.down.Store(false)
	came := p.came.Load()
	b.tell(b.tenant, "three")
	if !stopped() || p.came.Load() != came {
		t.Error("it goes on by itself")
	}
	b.pushTo(p)
	await(t, "what was not acknowledged", func() bool { return p.books() == "two three" })
}

func TestATenantThatIsSlowDelaysNobody(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", func(c *platform.Config) { quickPushes(c); c.Webhooks.Timeout = 30 * time.Second })
	slow := b.party(b.Register("tenant:slow", origin))
	b.pushTo(slow)
	end, reached := make(chan struct{}), make(chan struct{}, 1)
	hook := slow.Config.Handler
	slow.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached <- struct{}{}
		<-end
		hook.ServeHTTP(w, r)
	})
	b.tell(httpapi.Identity{ID: "tenant:slow"}, "slowly")
	<-reached
	p := b.party(b.tenant)
	b.pushTo(p)
	b.tell(b.tenant, "one", "two", "three")
	await(t, "the events of the other", func() bool { return p.books() == "one two three" })
	if slow.books() != "" {
		t.Error("the slow one was not slow")
	}
	close(end)
	await(t, "the slow one's event", func() bool { return slow.books() == "slowly" })
}

func TestAddressesThatAreNotTheTenants(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", quickPushes)
	c := b.clientOf(b.tenant)
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(`{"challenge":"mine"}`)) }))
	defer foreign.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	led := httptest.NewServer(http.RedirectHandler(foreign.URL, http.StatusTemporaryRedirect))
	defer led.Close()
	others := b.party(b.Register("tenant:other", origin))
	for address, code := range map[string]string{foreign.URL: "webhook-unproven", gone.URL: "webhook-unproven", led.URL: "webhook-unproven", others.URL: "webhook-unproven",
		"http://bank.example/": "webhook-url", "https://u@bank.example/": "webhook-url", "https://10.1.2.3/": "webhook-address", "https://169.254.169.254/latest": "webhook-address", "https://[fd00::1]/": "webhook-address"} {
		if _, err := c.SetWebhook(t.Context(), "", address); jitsuin.CodeOf(err) != code {
			t.Errorf("%s: %v", address, err)
		}
	}
	if n := b.count(`SELECT COUNT(*) FROM webhooks`); n != 0 {
		t.Errorf("%d addresses were taken", n)
	}
}

// Every crash between two steps of a delivery: a commit that is lost, or done without its answer, at each commit in turn.
func TestPushingThroughFaults(t *testing.T) {
	t.Parallel()
	for _, outcome := range []store.Fault{store.CommitLost, store.CommitPersisted} {
		var armed atomic.Int64
		b := open(t, "sqlite::memory:", func(c *platform.Config) {
			quickPushes(c)
			c.Webhooks.Timeout = 50 * time.Millisecond // the claim of a try that broke off ends soon
			c.Store = append(c.Store, store.WithFaults(func() store.Fault {
				if armed.Load() > 0 && armed.Add(-1) == 0 {
					return outcome
				}
				return store.NoFault
			}))
		})
		p := b.party(b.tenant)
		await(t, "the proof of the address", func() bool { // in the time that a delivery has
			_, err := p.c.SetWebhook(t.Context(), "", p.URL)
			return err == nil
		})
		want := ""
		for k := range int64(6) {
			word := fmt.Sprint("event", k)
			want = strings.TrimSpace(want + " " + word)
			armed.Store(0) // the event itself is told
			b.tell(b.tenant, word)
			armed.Store(k + 1)
			await(t, want, func() bool { return p.books() == want })
		}
	}
}

// What comes to the address of a relying party and is not what the platform sends now is refused, each for its own reason.
func TestForgedAndReplayedPushes(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", quickPushes)
	other := b.Register("tenant:other", origin)
	b.tell(b.tenant, "one")
	page, err := b.poll(b.tenant, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	e, key, now := page.Events[0], b.Identity(platformtest.ID).Key, time.Now()
	sign := func(e api.Event, issuer, tenant string, by httpapi.Identity, at time.Time) string {
		token, err := api.SignPush(e, issuer, tenant, jitsuin.NewID(), by.Key, at)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	us := httpapi.Identity{ID: platformtest.ID, Key: key}
	good := sign(e, us.ID, b.tenant.ID, us, now)
	parts := strings.Split(good, ".")
	altered := []byte(parts[1])
	if at := &altered[len(altered)/2]; *at == 'A' {
		*at = 'B'
	} else {
		*at = 'A'
	}
	var taken int
	hook := b.clientOf(b.tenant).Webhook(client.NewSeenInMemory(10), func(context.Context, client.Event) error { taken++; return nil })
	server := httptest.NewServer(hook)
	defer server.Close()
	send := func(token string) (int, string) {
		t.Helper()
		resp, err := http.Post(server.URL, api.MediaTypePush, strings.NewReader(token))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body := make([]byte, 1000)
		n, _ := resp.Body.Read(body)
		return resp.StatusCode, string(body[:n])
	}
	if status, body := send(good); status != http.StatusAccepted || taken != 1 {
		t.Fatalf("%d %s", status, body)
	}
	for _, c := range []struct{ name, token, err, code string }{
		{"the same again", good, "invalid_request", client.PushReplayed},
		{"signed by a tenant", sign(e, us.ID, b.tenant.ID, other, now), "invalid_key", client.PushKey},
		{"another tenant's", sign(e, us.ID, other.ID, us, now), "invalid_audience", client.PushAudience},
		{"of another platform", sign(e, "platform:2", b.tenant.ID, us, now), "invalid_issuer", client.PushIssuer},
		{"of an hour ago", sign(e, us.ID, b.tenant.ID, us, now.Add(-time.Hour)), "invalid_request", client.PushOld},
		{"of tomorrow", sign(e, us.ID, b.tenant.ID, us, now.Add(24*time.Hour)), "invalid_request", client.PushEarly},
		{"altered", parts[0] + "." + string(altered) + "." + parts[2], "authentication_failed", client.PushSignature},
		{"with the signature of another", parts[0] + "." + parts[1] + "." + strings.Split(sign(e, us.ID, b.tenant.ID, us, now), ".")[2], "authentication_failed", client.PushSignature},
		{"without a signature", parts[0] + "." + parts[1] + ".", "authentication_failed", client.PushSignature},
		{"without an algorithm", "eyJhbGciOiJub25lIiwidHlwIjoic2VjZXZlbnQrand0In0." + parts[1] + ".", "invalid_request", client.PushForm},
		{"an access token", strings.Join([]string{"eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9", parts[1], parts[2]}, "."), "invalid_request", client.PushForm},
		{"nothing", "", "invalid_request", client.PushForm},
		{"too much", strings.Repeat("x", api.MaxPush+10), "invalid_request", client.PushForm},
	} {
		if status, body := send(c.token); status != http.StatusBadRequest || !strings.Contains(body, `"`+c.err+`"`) || !strings.Contains(body, c.code) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
	if taken != 1 {
		t.Errorf("%d events were taken, want the one", taken)
	}
	if status, _ := send(sign(e, us.ID, b.tenant.ID, us, now)); status != http.StatusAccepted || taken != 2 {
		t.Errorf("another delivery of the event is the handler's to recognise: %d", status)
	}
	b.Stop() // a key that is known needs no platform
	if status, _ := send(sign(e, us.ID, b.tenant.ID, us, now)); status != http.StatusAccepted {
		t.Errorf("with the platform gone: %d", status)
	}
}

func TestWhatIsSeenIsBounded(t *testing.T) {
	t.Parallel()
	s := client.NewSeenInMemory(2)
	soon := time.Now().Add(time.Minute)
	first := func(id string, until time.Time) string {
		ok, err := s.First(t.Context(), id, until)
		return fmt.Sprint(ok, " ", jitsuin.CodeOf(err))
	}
	got := []string{first("a", time.Now().Add(-time.Second)), first("b", soon), first("b", soon), first("c", soon), first("d", soon), first("b", soon)}
	if want := []string{"true ", "true ", "false ", "true ", "false push-seen", "false "}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// lines counts the lines of the operation log that tell of an act, numbered or not.
func (b *bank) lines(act string) int {
	b.t.Helper()
	return b.count(`SELECT (SELECT COUNT(*) FROM feed_outbox WHERE body LIKE $1) + (SELECT COUNT(*) FROM feed_events WHERE body LIKE $1)`, `%"act":"`+act+`"%`)
}
