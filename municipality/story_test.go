package municipality_test

import (
	"bytes"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// From the application form to the resident's hand (①–⑥), at the API.
func TestNewCardFromFormToHandOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako := resident(t, 1, "見本　花子", grown)
		w := newWorld(t, database, hanako)
		ctx := t.Context()

		a := w.applied(hanako, bothKinds...)
		if a.State != api.Received || a.Subject != hanako.Subject {
			t.Fatalf("① %+v", a)
		}
		a, err := w.counter.Check(ctx, a.ID, api.Check{Clerk: "窓口 一郎", Document: licence(hanako.Items)})
		w.must(err)
		if a.State != api.Notified || a.Position == "" {
			t.Fatalf("② and ③: %+v", a)
		}
		eventually(t, "J-LIS is told", func() bool { _, ok := w.application(a.ID); return ok })
		told, _ := w.application(a.ID)
		at, err := jitsuin.ParsePosition(a.Position)
		w.must(err)
		if told.Position != at || told.Items != hanako.Items || told.Municipality != town || len(told.Kinds) != 2 {
			t.Fatalf("③ told %+v", told)
		}
		eventually(t, "the network has read up to the position", func() bool { return len(w.network.events()) >= int(at.N) })

		d := w.produce(told)
		w.deliver(d)
		a = w.state(a.ID, api.Ready)
		if a.Card != d.Card || len(a.Certificates) != 2 || !bytes.Equal(a.Certificates[0].Certificate, d.Certificates[0].Certificate) {
			t.Fatalf("⑤ %+v", a)
		}
		// The handle that J-LIS saw is dead: the town has passed the chip on to itself.
		_, err = w.cards.Info(ctx, w.handles[d.Card])
		wantError(t, err, jitsuin.Denied, "stale-handle")

		h, err := w.counter.BeginHandover(ctx, a.ID)
		w.must(err)
		if h.Card != d.Card || h.Handle == "" {
			t.Fatalf("⑥ %v", h.Card)
		}
		a, err = w.counter.Complete(ctx, a.ID, "窓口 一郎")
		w.must(err)
		if a.State != api.Done {
			t.Fatalf("⑥ %+v", a)
		}
		r, err := w.counter.Resident(ctx, hanako.Subject)
		w.must(err)
		if r.Card != d.Card {
			t.Fatalf("the register does not know the card: %+v", r)
		}
		_, err = w.counter.BeginHandover(ctx, a.ID)
		wantError(t, err, jitsuin.Conflict, "case-state")
	})
}
