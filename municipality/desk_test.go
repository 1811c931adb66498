package municipality_test

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// What lies on the desk: open cases, what was closed today, moving-out certificates; who waits learns of each change.
func TestTheDesk(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako, taro := resident(t, 1, "見本　花子", grown), resident(t, 2, "例川　太郎", grown)
		w := newWorld(t, database, hanako)
		ctx := t.Context()
		empty, err := w.counter.Desk(ctx, "", 0)
		w.must(err)
		if len(empty.Cases) != 0 || len(empty.Arrivals) != 0 || empty.Mark == "" {
			t.Fatalf("%+v", empty)
		}
		type answer struct {
			desk api.Desk
			err  error
		}
		waited := make(chan answer, 1)
		go func() {
			d, err := w.counter.Desk(ctx, empty.Mark, 20*time.Second)
			waited <- answer{d, err}
		}()
		a := w.applied(hanako, bothKinds...)
		got := <-waited
		w.must(got.err)
		if len(got.desk.Cases) != 1 || got.desk.Cases[0].ID != a.ID || got.desk.Cases[0].Name != "見本　花子" || got.desk.Cases[0].Form != hanako.Items || got.desk.Mark == empty.Mark {
			t.Fatalf("%+v", got.desk)
		}
		letter, err := w.counter.SendInquiry(ctx, a.ID, clerk)
		w.must(err)
		file, err := w.counter.Case(ctx, a.ID)
		w.must(err)
		if file.ReplyBy != letter.ReplyBy || file.State != api.InquirySent || file.Evidence != nil {
			t.Errorf("%+v", file)
		}
		_, err = w.counter.Check(ctx, a.ID, api.Check{Clerk: clerk, Document: licence(hanako.Items)})
		w.must(err)
		file, err = w.counter.Case(ctx, a.ID)
		w.must(err)
		if e := file.Evidence; e == nil || e.Method != "photo-document" || e.Clerk != clerk || e.Recorded.IsZero() {
			t.Errorf("%+v", e)
		}
		hers, err := w.counter.DeskOf(ctx, hanako.Subject, "", 0)
		w.must(err)
		none, err := w.counter.DeskOf(ctx, jitsuin.NewID(), "", 0)
		w.must(err)
		if len(hers.Cases) != 1 || len(none.Cases) != 0 {
			t.Errorf("hers %+v, nobody's %+v", hers, none)
		}

		_, err = w.counter.Arrival(ctx, taro.Subject)
		wantError(t, err, jitsuin.NotFound, "moving-certificate-missing")
		w.send(w.network, jukinet.TopicToTown(town), string(taro.Subject), jukinet.TypeTransfer, jukinet.Transfer{Subject: taro.Subject, From: otherTown,
			PlannedOn: today(), Items: taro.Items, MyNumber: taro.MyNumber, ResidentCode: taro.ResidentCode})
		eventually(t, "the moving-out certificate is on the desk", func() bool {
			d, err := w.counter.Desk(ctx, "", 0)
			w.must(err)
			return len(d.Arrivals) == 1 && d.Arrivals[0].Items == taro.Items && d.Arrivals[0].From == otherTown
		})
		one, err := w.counter.Arrival(ctx, taro.Subject)
		w.must(err)
		if one.Subject != taro.Subject || one.PlannedOn != today() {
			t.Errorf("%+v", one)
		}
	})
}

// A preview decides as the recording does, and records nothing.
func TestAPreviewRecordsNothing(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	ctx := t.Context()
	ask := func(r api.ChangeRequest) (api.Preview, error) {
		r.Subject, r.Clerk = hanako.Subject, clerk
		if r.OccurredOn.IsZero() {
			r.OccurredOn = today()
		}
		return w.counter.Preview(ctx, r)
	}
	move, err := ask(api.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Address: "試験県見本市九丁目", OccurredOn: today().AddDays(-15)})
	w.must(err)
	if move.Effect.Sign.Timing != "at-recording" || move.Effect.Auth.Timing != "keep" || move.Lapse != nil || !move.Late || move.NoticeDue != today().AddDays(-1) || move.Revision == 0 {
		t.Errorf("a move within: %+v", move)
	}
	out, err := ask(api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Destination: otherTown})
	w.must(err)
	if out.Lapse == nil || out.Lapse.Last != today().AddDays(30) || out.Lapse.On != today().AddDays(31) || out.Effect.Sign.Timing != "keep" {
		t.Errorf("a departure: %+v %+v", out, out.Lapse)
	}
	later := today().AddDays(10)
	abroad, err := ask(api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Abroad: true, OccurredOn: later})
	w.must(err)
	if abroad.Lapse == nil || abroad.Lapse.On != later || !abroad.Lapse.Last.IsZero() || abroad.Effect.Auth.On != later {
		t.Errorf("abroad: %+v %+v", abroad, abroad.Lapse)
	}
	kept, err := ask(api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Abroad: true, ContinuedUse: true, OccurredOn: later})
	w.must(err)
	if kept.Lapse != nil || kept.Effect.Auth.Timing != "keep" || kept.Effect.Sign.On != later {
		t.Errorf("abroad with the card: %+v %+v", kept, kept.Lapse)
	}
	for _, cause := range []jitsuin.Cause{jitsuin.CauseDeath, jitsuin.CauseDeleted} {
		end, err := ask(api.ChangeRequest{Cause: cause})
		w.must(err)
		if end.Lapse == nil || end.Lapse.On != today() || end.Effect.Auth.Timing != "at-recording" {
			t.Errorf("%s: %+v %+v", cause, end, end.Lapse)
		}
	}
	_, err = ask(api.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Address: hanako.Items.Address})
	wantError(t, err, jitsuin.Conflict, "nothing-changed")
	if all, err := w.counter.Changes(ctx, hanako.Subject); err != nil || len(all) != 0 {
		t.Errorf("recorded: %+v %v", all, err)
	}

	// What the clerk saw is what is changed: a record that has moved on meanwhile is a conflict.
	done := w.record(api.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Subject: hanako.Subject, OccurredOn: today(), Address: "試験県見本市九丁目", Revision: move.Revision})
	eventually(t, "the network has heard of the entry and of this move, and of no preview", func() bool {
		told := w.notices(hanako.Subject)
		return len(told) == 2 && told[1].Cause == jitsuin.CauseMoveWithin
	})
	_, err = w.counter.Record(ctx, api.ChangeRequest{Cause: jitsuin.CauseDeath, Subject: hanako.Subject, OccurredOn: today(), Clerk: clerk, Revision: move.Revision}, "")
	wantError(t, err, jitsuin.Conflict, "record-changed")
	if all, err := w.counter.Changes(ctx, hanako.Subject); err != nil || len(all) != 1 || all[0].Revision != done.Revision {
		t.Errorf("%+v %v, want revision %d", all, err, done.Revision)
	}
}

// A clerk finds people by the beginning of a name, with and without the blank, and by household.
func TestSearchByTheBeginningOfAName(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako, taro, ichiro := resident(t, 1, "見本　花子", grown), resident(t, 2, "見本　太郎", grown), resident(t, 3, "例川　一郎", grown)
		taro.Household = hanako.Household
		w := newWorld(t, database, hanako, taro, ichiro)
		for _, q := range []struct {
			api.Query
			found int
		}{{api.Query{Name: "見本"}, 2}, {api.Query{Name: "見本　花"}, 1}, {api.Query{Name: "見本花子"}, 1}, {api.Query{Name: "見本 太郎"}, 1}, {api.Query{Name: "花子"}, 0},
			{api.Query{Household: hanako.Household}, 2}, {api.Query{Household: jitsuin.NewID()}, 0}, {api.Query{Name: "%"}, 0}, {api.Query{}, 3}} {
			got, err := w.counter.Search(t.Context(), q.Query)
			if err != nil || len(got) != q.found {
				t.Errorf("%+v: %d, %v", q.Query, len(got), err)
			}
		}
	})
}
