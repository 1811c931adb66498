package platform_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
)

// The platform is started again between every two steps, and the tenant is down for some of them: a batch, a document from a
// resident, the webhook and the poll. In the end the tenant has everything once, in one order, by either way.
func TestResultsThroughRestarts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		change := func(c *platform.Config) { quickPushes(c); quickQueue(c) }
		b := open(t, url, change)
		again := func() { b.Stop(); b.StartPlatform(url, change) }
		hanako, at := b.Agency.Resident("霧島　花子"), b.Browser()
		var pushed []string
		p := b.party(b.tenant)
		p.effect = func(e client.Event) string { return e.Type }
		again()
		b.pushTo(p)
		again()
		p.down.Store(true)
		b.Status.Down.Store(true)
		made, err := p.c.VerifyLater(t.Context(), "batch-of-restarts", []client.BatchItem{item("act-0001", b.signed(hanako))})
		if err != nil {
			t.Fatal(err)
		}
		s := b.slot(p.c, askedForm(t, "A-1"))
		again()
		claims := b.OpenRequest(at.Post(s.Link+"/sign", nil).Location)
		again()
		answer := api.HolderAnswer{Txn: claims.Txn, State: claims.State, Certificate: hanako.Sign.Cert.Raw,
			Documents: []api.AnswerDocument{{Name: "x", MediaType: "application/pdf", Content: b.SignForm(s.Link+"/document", hanako)}}}
		for range 2 { // the holder did not hear the answer
			if status, back := b.PostAnswer(claims, answer); status != 200 || back == "" {
				t.Fatalf("the answer was not taken: %d", status)
			}
			again()
		}
		b.Status.Down.Store(false)
		b.ended(p.c, made.ID)
		again()
		await(t, "the check of what was submitted", func() bool { return b.state(p.c, s.ID).State == api.SubmissionReady })
		k := books{}
		for range 2 { // the tenant stores it, and its receipt is lost
			if err := p.c.Collect(t.Context(), s.ID, func(ctx context.Context, d client.Delivery) error { k.keep(ctx, d); return context.Canceled }); err == nil {
				t.Error("the receipt was not lost")
			}
			again()
		}
		if err := p.c.Collect(t.Context(), s.ID, k.keep); err != nil || len(k) != 1 {
			t.Errorf("%d, %v", len(k), err)
		}
		p.down.Store(false)
		again()
		page, err := p.c.EventsAfter(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			pushed = append(pushed, e.Type)
		}
		await(t, "everything to be pushed", func() bool { return p.books() == strings.Join(pushed, " ") })
		if slices.Sort(pushed); !slices.Equal(pushed, []string{api.EventBatch, api.EventSubmission, api.EventVerification}) {
			t.Errorf("told %q", pushed)
		}
		if n := b.count(`SELECT COUNT(*) FROM users`); n != 1 {
			t.Errorf("%d users", n)
		}
	})
}
