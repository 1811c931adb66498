package municipality_test

import (
	"sync/atomic"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// Every third commit has an unknown result, lost or persisted in turn. The counter repeats its
// calls with the same key; in the end each act has had its effect once.
func TestTheStoryWhenCommitsAreUnknown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako := resident(t, 1, "見本　花子", grown)
		w := newWorld(t, database, hanako)
		var commits atomic.Int64
		var failing atomic.Bool
		w.config.Store = []store.Option{store.WithFaults(func() store.Fault {
			if n := commits.Add(1); failing.Load() && n%3 == 0 {
				return []store.Fault{store.CommitLost, store.CommitPersisted}[n/3%2]
			}
			return store.NoFault
		})}
		w.restart()
		failing.Store(true)
		ctx := t.Context()
		// insist repeats a call whose result is unknown; key makes it one act.
		insist := func(call func(key string) error) {
			t.Helper()
			key := string(jitsuin.NewID())
			for range 20 {
				err := call(key)
				if jitsuin.KindOf(err) == jitsuin.Unavailable && err != nil {
					continue
				}
				w.must(err)
				return
			}
			t.Fatal("the call never took effect")
		}
		for _, address := range []string{"試験県見本市二丁目", "試験県見本市三丁目", "試験県見本市四丁目"} {
			insist(func(key string) error {
				_, err := w.counter.Record(ctx, api.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Subject: hanako.Subject, OccurredOn: today(), Address: address, Clerk: clerk}, key)
				return err
			})
			hanako.Items.Address = address
		}
		var a api.Application
		insist(func(key string) (err error) {
			a, err = w.counter.Apply(ctx, api.NewApplication{Type: api.NewCard, Items: hanako.Items, Kinds: bothKinds[1:], Clerk: clerk}, key)
			return err
		})
		_, err := w.counter.Check(ctx, a.ID, api.Check{Clerk: clerk, Document: licence(hanako.Items)}) // repeats by itself
		w.must(err)
		eventually(t, "J-LIS is told", func() bool { _, ok := w.application(a.ID); return ok })
		told, _ := w.application(a.ID)
		w.deliver(w.produce(told))
		w.state(a.ID, api.Ready)
		_, err = w.counter.Complete(ctx, a.ID, clerk)
		w.must(err)
		w.state(a.ID, api.Done)
		failing.Store(false)
		eventually(t, "the network has all", func() bool { return len(w.notices(hanako.Subject)) >= 4 })
		if n := len(w.notices(hanako.Subject)); n != 4 {
			t.Errorf("%d notices for one entry and three moves", n)
		}
		if n := len(w.agency.events()); n != 1 {
			t.Errorf("J-LIS was told %d times", n)
		}
	})
}
