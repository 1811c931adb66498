package platform_test

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
)

// poll asks for a tenant's events after a cursor.
func (b *bank) poll(tenant httpapi.Identity, after string, wait int) (api.Events, error) {
	remote := b.Tenant(tenant)
	defer remote.Close()
	return httpapi.Do[api.Events](b.t.Context(), remote, "GET", fmt.Sprintf("/v1/events?after=%s&wait=%d", url.QueryEscape(after), wait), "", nil)
}

type noted struct{ Word string }

func (b *bank) tell(tenant httpapi.Identity, words ...string) {
	b.t.Helper()
	for _, w := range words {
		if err := b.Platform.Tell(b.t.Context(), tenant.ID, "test.noted", noted{w}); err != nil {
			b.t.Fatal(err)
		}
	}
}

func words(t *testing.T, page api.Events) (all []string) {
	t.Helper()
	for _, e := range page.Events {
		var d noted
		if err := e.Decode(&d); err != nil {
			t.Fatal(err)
		}
		all = append(all, d.Word)
	}
	return all
}

func TestATenantAsksForWhatItIsTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		other := b.Register("tenant:other", origin)
		b.tell(b.tenant, "one", "two")
		b.tell(other, "theirs")
		page, err := b.poll(b.tenant, "", 0)
		if err != nil || fmt.Sprint(words(t, page)) != "[one two]" || page.Events[0].N != 1 || page.Events[1].N != 2 || page.Events[0].ID == page.Events[1].ID {
			t.Fatalf("%+v, %v", page, err)
		}
		if again, err := b.poll(b.tenant, page.Events[0].Cursor, 0); err != nil || fmt.Sprint(words(t, again)) != "[two]" || again.Events[0].ID != page.Events[1].ID {
			t.Errorf("after the first: %+v, %v", again, err)
		}
		if rest, err := b.poll(b.tenant, page.Cursor, 0); err != nil || len(rest.Events) != 0 || rest.Cursor != page.Cursor {
			t.Errorf("after the last: %+v, %v", rest, err)
		}
		if _, err := b.poll(other, page.Cursor, 0); jitsuin.CodeOf(err) != "cursor-foreign" {
			t.Errorf("another tenant's cursor: %v", err)
		}
		for _, wrong := range []string{"2", "x.00000000", "2.zzzzzzzz", "-1.00000000"} {
			if _, err := b.poll(b.tenant, wrong, 0); jitsuin.CodeOf(err) != "cursor-form" {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		if n := b.count(`SELECT read_n FROM tenant_outboxes WHERE tenant = $1`, b.tenant.ID); n != 2 {
			t.Errorf("acknowledged up to %d, want 2", n)
		}
	})
}

func TestALongPollEndsWithTheEvent(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	got := make(chan api.Events, 1)
	go func() {
		page, err := b.poll(b.tenant, "", 30)
		if err != nil {
			t.Error(err)
		}
		got <- page
	}()
	b.tell(b.tenant, "at last") // before or after the poll has begun: it comes at once
	select {
	case page := <-got:
		if fmt.Sprint(words(t, page)) != "[at last]" {
			t.Errorf("%+v", page)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the event did not end the poll")
	}
}

func TestEventsAreNumberedWithoutGaps(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for range 5 {
					b.tell(b.tenant, fmt.Sprint(i))
				}
			})
		}
		all.Wait()
		page, err := b.poll(b.tenant, "", 0)
		if err != nil || len(page.Events) != 20 {
			t.Fatalf("%d events, %v", len(page.Events), err)
		}
		for i, e := range page.Events {
			if e.N != int64(i+1) {
				t.Errorf("event %d has the number %d", i, e.N)
			}
		}
	})
}

// A database that was put back gives the numbers again that were given before: nobody takes the new events
// for the old ones.
func TestEventsOfADatabaseThatWasPutBack(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	b.tell(b.tenant, "one", "two", "three")
	page, err := b.poll(b.tenant, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	b.exec(`DELETE FROM tenant_events WHERE tenant = $1 AND n > 1`, b.tenant.ID)
	b.exec(`UPDATE tenant_outboxes SET last_n = 1 WHERE tenant = $1`, b.tenant.ID)
	if _, err := b.poll(b.tenant, page.Cursor, 0); jitsuin.CodeOf(err) != "cursor-foreign" {
		t.Errorf("a number that is not given out: %v", err)
	}
	b.tell(b.tenant, "other", "third")
	if _, err := b.poll(b.tenant, page.Cursor, 0); jitsuin.CodeOf(err) != "cursor-foreign" {
		t.Errorf("a number that another event has: %v", err)
	}
	anew, err := b.poll(b.tenant, "", 0)
	if err != nil || anew.Events[0].ID != page.Events[0].ID || anew.Events[1].ID == page.Events[1].ID {
		t.Errorf("%+v, %v", anew, err)
	}
}

func TestEventsThatAreNoLongerKept(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	b.tell(b.tenant, "one", "two", "three", "four")
	page, err := b.poll(b.tenant, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	b.exec(`DELETE FROM tenant_events WHERE tenant = $1 AND n <= 2`, b.tenant.ID)
	if _, err := b.poll(b.tenant, page.Events[0].Cursor, 0); jitsuin.CodeOf(err) != "events-gone" {
		t.Errorf("with a gap: %v", err)
	}
	for _, after := range []string{page.Events[1].Cursor, ""} {
		if got, err := b.poll(b.tenant, after, 0); err != nil || fmt.Sprint(words(t, got)) != "[three four]" {
			t.Errorf("after %q: %+v, %v", after, got, err)
		}
	}
	b.exec(`DELETE FROM tenant_events WHERE tenant = $1`, b.tenant.ID)
	if got, err := b.poll(b.tenant, page.Cursor, 0); err != nil || len(got.Events) != 0 {
		t.Errorf("after the last: %+v, %v", got, err)
	}
}

// exec changes the platform's database behind its back.
func (b *bank) exec(query string, args ...any) {
	b.t.Helper()
	err := b.Platform.DB.Update(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err })
	if err != nil {
		b.t.Fatal(err)
	}
}
