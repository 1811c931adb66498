package municipality_test

import (
	"slices"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// A clerk sees which cases a person has had and what was recorded of them, also of those who have left.
func TestTheHistoryOfAPerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako, taro := resident(t, 1, "見本　花子", grown), resident(t, 2, "見本　太郎", grown)
		w := newWorld(t, database, hanako, taro)
		ctx := t.Context()
		first := w.applied(hanako, bothKinds...)
		_, err := w.counter.Check(ctx, first.ID, api.Check{Clerk: clerk, Document: &api.Document{Type: "passport", Expires: today().AddDays(-1), Items: hanako.Items, FaceMatches: true}})
		w.must(err)
		second := w.applied(hanako, bothKinds...)
		other := w.applied(taro, jitsuin.AuthCert)

		hers, err := w.counter.ApplicationsOf(ctx, hanako.Subject)
		w.must(err)
		all, err := w.counter.Applications(ctx)
		w.must(err)
		state := func(id jitsuin.ID, of []api.Application) api.ApplicationState {
			i := slices.IndexFunc(of, func(a api.Application) bool { return a.ID == id })
			if i < 0 {
				return ""
			}
			return of[i].State
		}
		if len(hers) != 2 || state(first.ID, hers) != api.Refused || state(second.ID, hers) != api.Received || len(all) != 3 || state(other.ID, all) != api.Received {
			t.Fatalf("hers %+v, all %+v", hers, all)
		}

		for _, r := range []api.ChangeRequest{{Cause: jitsuin.CauseMoveWithin, Address: "試験県見本市九丁目"}, {Cause: jitsuin.CauseDeath}} {
			r.Subject, r.OccurredOn, r.Clerk = hanako.Subject, today(), clerk
			_, err := w.counter.Record(ctx, r, "")
			w.must(err)
		}
		changes, err := w.counter.Changes(ctx, hanako.Subject)
		w.must(err)
		if len(changes) != 2 || changes[0].Cause != jitsuin.CauseMoveWithin || *changes[0].Before != hanako.Items || changes[1].Before.Address != "試験県見本市九丁目" ||
			changes[1].Cause != jitsuin.CauseDeath || changes[1].Clerk != clerk || changes[1].RecordedAt.IsZero() || changes[1].NoticeDue.IsZero() {
			t.Fatalf("%+v", changes)
		}
		if none, err := w.counter.Changes(ctx, jitsuin.NewID()); err != nil || len(none) != 0 {
			t.Fatalf("of somebody unknown: %v, %v", none, err)
		}
		now, err := w.counter.Search(ctx, api.Query{})
		w.must(err)
		ever, err := w.counter.Search(ctx, api.Query{Left: true})
		w.must(err)
		if len(now) != 1 || len(ever) != 2 {
			t.Fatalf("%d are on the register, %d were", len(now), len(ever))
		}
	})
}
