package municipality_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// A change between the check and the notice to J-LIS is seen: an application never goes out with a
// position that does not cover the record that was checked.
func TestARegisterThatChangesAfterTheCheck(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako := resident(t, 1, "見本　花子", grown)
		w := &world{t: t}
		town := w.still(database, hanako)
		ctx, old := t.Context(), jitsuin.Position{Epoch: 1, N: 1}

		// Nothing changes: the application goes out.
		id, err := town.PutChecked(ctx, hanako)
		w.must(err)
		again, err := town.NotifyAt(ctx, id, old)
		a, _ := town.Case(ctx, id)
		if err != nil || again || a.State != api.Notified || a.Position != "1.1" {
			t.Fatalf("unchanged: %v %v %+v", again, err, a)
		}

		// A new resident code leaves the four items alone: the position must be taken anew.
		id, err = town.PutChecked(ctx, hanako)
		w.must(err)
		code, number := numbers(t, 500)
		w.must(town.Stock(ctx, jukinet.NumberPair{MyNumber: number, ResidentCode: code}))
		w.must(town.Amend(ctx, api.ChangeRequest{Cause: jitsuin.CauseCodeOfficial, Subject: hanako.Subject, OccurredOn: today()}))
		again, err = town.NotifyAt(ctx, id, old)
		if a, _ = town.Case(ctx, id); err != nil || !again || a.State != api.Checked {
			t.Fatalf("the record changed, the items did not: %v %v %+v", again, err, a)
		}
		again, err = town.NotifyAt(ctx, id, jitsuin.Position{Epoch: 1, N: 2})
		if a, _ = town.Case(ctx, id); err != nil || again || a.State != api.Notified || a.Position != "1.2" {
			t.Fatalf("with the new position: %v %v %+v", again, err, a)
		}

		// A new address: the form is out of date and the case is refused.
		id, err = town.PutChecked(ctx, hanako)
		w.must(err)
		w.must(town.Amend(ctx, api.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Subject: hanako.Subject, OccurredOn: today(), Address: "試験県見本市二丁目"}))
		again, err = town.NotifyAt(ctx, id, old)
		if a, _ = town.Case(ctx, id); err != nil || again || a.State != api.Refused || a.Code != "form-differs" {
			t.Fatalf("a new address: %v %v %+v", again, err, a)
		}

		// Gone: refused as well.
		hanako.Items.Address = "試験県見本市二丁目"
		id, err = town.PutChecked(ctx, hanako)
		w.must(err)
		w.must(town.Amend(ctx, api.ChangeRequest{Cause: jitsuin.CauseDeath, Subject: hanako.Subject, OccurredOn: today()}))
		_, err = town.NotifyAt(ctx, id, old)
		if a, _ = town.Case(ctx, id); err != nil || a.State != api.Refused || a.Code != "not-resident" {
			t.Fatalf("dead: %v %+v", err, a)
		}
	})
}

// still opens a town that does not run.
func (w *world) still(database string, residents ...municipality.ImportLine) *municipality.Town {
	w.t.Helper()
	w.prepare(database, residents...)
	town, err := municipality.New(w.t.Context(), w.config)
	w.must(err)
	w.t.Cleanup(func() { w.must(town.Close()) })
	return town
}

// Changes and applications at the same time: each application that goes out has the very items
// that the last notice up to its position has.
func TestApplicationsNameAPositionThatCoversTheirItems(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		const people = 4
		var all []municipality.ImportLine
		for i := range people {
			all = append(all, resident(t, i+1, fmt.Sprintf("見本　花子%d", i), grown))
		}
		w := newWorld(t, database, all...)
		var wg sync.WaitGroup
		sent := make([]int, people)
		for i, r := range all {
			wg.Go(func() { // the mover
				for n := range 12 {
					w.record(api.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Subject: r.Subject, OccurredOn: today(), Address: fmt.Sprintf("試験県見本市%d丁目%d番", i, n)})
				}
			})
			wg.Go(func() { // the applicant, who reads the register and applies with it
				for range 12 {
					now, err := w.counter.Resident(t.Context(), r.Subject)
					w.must(err)
					a, err := w.counter.Apply(t.Context(), api.NewApplication{Type: api.NewCard, Subject: r.Subject, Items: now.Items, Kinds: bothKinds, Clerk: clerk}, "")
					if jitsuin.CodeOf(err) == "case-open" {
						continue
					}
					w.must(err)
					a, err = w.counter.Check(t.Context(), a.ID, api.Check{Clerk: clerk, Document: licence(now.Items)})
					w.must(err)
					if a.State != api.Refused {
						sent[i]++
					}
				}
			})
		}
		wg.Wait()
		total := 0
		for _, n := range sent {
			total += n
		}
		eventually(t, "J-LIS and the network have all", func() bool {
			return len(w.agency.events()) >= total && len(w.network.events()) == people*13
		})
		if total == 0 {
			t.Fatal("no application went out")
		}
		for _, e := range w.agency.events() {
			a, _ := w.application(jitsuin.ID(e.Subject))
			var covered jukinet.Notice
			for _, x := range w.network.events() {
				if x.Subject == string(a.Subject) && x.Position().Compare(a.Position) <= 0 {
					w.must(x.Decode(&covered))
				}
			}
			if covered.Items != a.Items {
				t.Errorf("application at %s has %q, the feed up to there says %q", a.Position, a.Items.Address, covered.Items.Address)
			}
		}
	})
}

// The town goes on where it stood, when J-LIS or the card host was away and the town itself ended in between.
func TestTheCustodyOfAChipResumes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako := resident(t, 1, "見本　花子", grown)
		w := newWorld(t, database, hanako)
		ctx := t.Context()
		a := w.applied(hanako, bothKinds[1:]...)
		a, err := w.counter.Check(ctx, a.ID, api.Check{Clerk: clerk, Document: licence(hanako.Items)})
		w.must(err)
		eventually(t, "J-LIS is told", func() bool { _, ok := w.application(a.ID); return ok })
		told, _ := w.application(a.ID)
		d := w.produce(told)
		handle := w.handles[d.Card]
		w.mu.Lock()
		delete(w.handles, d.Card) // the chip is still on its way
		w.mu.Unlock()
		w.deliver(d)
		w.state(a.ID, api.Delivered)
		_, err = w.counter.BeginHandover(ctx, a.ID)
		wantError(t, err, jitsuin.Conflict, "case-state")
		eventually(t, "the town has asked for the chip in vain", func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.received > 0
		})
		w.restart()
		w.mu.Lock()
		w.handles[d.Card] = handle
		w.mu.Unlock()
		w.state(a.ID, api.Ready)
		w.mu.Lock()
		if w.received < 2 {
			t.Errorf("J-LIS was asked %d times", w.received)
		}
		w.mu.Unlock()

		w.config.Cards = away{w.cards}
		w.restart()
		a, err = w.counter.Complete(ctx, a.ID, clerk)
		w.must(err)
		if a.State != api.Ready {
			t.Fatalf("the card was not passed on, the case is %q", a.State)
		}
		w.config.Cards = w.cards
		w.restart()
		w.state(a.ID, api.Done)
		a, err = w.counter.Complete(ctx, a.ID, clerk)
		if err != nil || a.State != api.Done {
			t.Errorf("completed again: %+v %v", a, err)
		}
	})
}

func TestImport(t *testing.T) {
	t.Parallel()
	good := []municipality.ImportLine{resident(t, 1, "見本　花子", grown), resident(t, 2, "見本　太郎", grown)}
	t.Run("only into an empty register", func(t *testing.T) {
		storetest.Each(t, func(t *testing.T, database string) {
			w := newWorld(t, database, good...)
			eventually(t, "both are told", func() bool { return len(w.network.events()) == 2 })
			for _, n := range w.notices(good[1].Subject) {
				if n.Cause != jitsuin.CauseEntered || n.Items != good[1].Items || n.MyNumber != good[1].MyNumber || n.ResidentCode != good[1].ResidentCode {
					t.Errorf("told %+v", n.Change)
				}
			}
			w.writeImport(resident(t, 3, "見本　三子", grown))
			w.restart()
			found, err := w.counter.Search(t.Context(), api.Query{Limit: 10})
			w.must(err)
			if len(found) != 2 {
				t.Errorf("a second start has imported: %d residents", len(found))
			}
		})
	})
	for name, spoil := range map[string]func(*municipality.ImportLine){
		"a wrong check digit":        func(l *municipality.ImportLine) { l.MyNumber = "123456789012" },
		"a wrong code":               func(l *municipality.ImportLine) { l.ResidentCode = "24727059607" },
		"no subject":                 func(l *municipality.ImportLine) { l.Subject = "x" },
		"no household":               func(l *municipality.ImportLine) { l.Household = "" },
		"no address":                 func(l *municipality.ImportLine) { l.Items.Address = "" },
		"a number that is there":     func(l *municipality.ImportLine) { l.MyNumber = good[0].MyNumber },
		"a code that is there":       func(l *municipality.ImportLine) { l.ResidentCode = good[0].ResidentCode },
		"a person who is there":      func(l *municipality.ImportLine) { l.Subject = good[0].Subject },
		"a nationality in words":     func(l *municipality.ImportLine) { l.Nationality, l.Stay = "Brazil", "permanent" },
		"a foreigner without a stay": func(l *municipality.ImportLine) { l.Nationality = "BR" },
		"a national with a stay":     func(l *municipality.ImportLine) { l.Nationality, l.Stay = "JP", "permanent" },
		"an unknown stay":            func(l *municipality.ImportLine) { l.Nationality, l.Stay = "BR", "tourist" },
		"a limited stay without end": func(l *municipality.ImportLine) { l.Nationality, l.Stay = "BR", "mid-to-long-term" },
		"an end of a permanent stay": func(l *municipality.ImportLine) { l.Nationality, l.Stay, l.StayUntil = "BR", "permanent", grown },
		"a date that does not exist": nil,
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t}
			w.prepare(storetest.SQLite().Fresh(t), good...)
			bad := resident(t, 5, "見本　五子", grown)
			if spoil != nil {
				spoil(&bad)
			}
			w.writeImport(good[0], bad)
			if spoil == nil {
				raw, err := os.ReadFile(w.config.Import)
				w.must(err)
				w.must(os.WriteFile(w.config.Import, []byte(strings.ReplaceAll(string(raw), "1980-02-17", "1981-02-29")), 0o600))
			}
			_, err := municipality.New(t.Context(), w.config)
			e, _ := errors.AsType[*jitsuin.Error](err)
			if e == nil || e.Kind != jitsuin.Invalid || e.Code != "import-line" || !strings.Contains(e.Error(), "line ") {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), bad.MyNumber.Reveal()) || strings.Contains(err.Error(), bad.ResidentCode.Reveal()) {
				t.Error("the error shows a number")
			}
			// Nothing was stored: the file put right is imported.
			w.writeImport(good...)
			town, err := municipality.New(t.Context(), w.config)
			w.must(err)
			w.must(town.Close())
		})
	}
}

func BenchmarkImport(b *testing.B) {
	var lines []municipality.ImportLine
	for i := range 5000 {
		lines = append(lines, resident(b, i, "見本　花子", grown))
	}
	for b.Loop() {
		w := &world{t: b}
		w.prepare(storetest.SQLite().Fresh(b), lines...)
		town, err := municipality.New(b.Context(), w.config)
		w.must(err)
		w.must(town.Close())
	}
	b.ReportMetric(float64(b.N*len(lines))/b.Elapsed().Seconds(), "residents/s")
}
