package jukinet

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jukinet/api"
)

// apply gives the network one notice as its follower does, in a transaction of its own.
func (w *world) apply(n *Network, c api.Notice, at uint64) error {
	w.t.Helper()
	body, err := json.Marshal(c)
	w.must(err)
	e := feed.Event{Epoch: 1, N: at, Type: api.TypeNotice, Subject: string(c.Subject), Body: body}
	return n.DB.Update(w.t.Context(), func(tx *store.Tx) error { return n.apply(tx, c.Municipality, e) })
}

// history is what the towns have sent, in their orders, and what is so at the end.
type history struct {
	feeds map[jitsuin.MunicipalityCode][]api.Notice
	end   map[jitsuin.ID]person
	order []int // which town's feed is read next
}

// histories draws the lives of some people who move between the towns.
func histories(t testing.TB) *rapid.Generator[history] {
	return rapid.Custom(func(r *rapid.T) history {
		h := history{feeds: map[jitsuin.MunicipalityCode][]api.Notice{}, end: map[jitsuin.ID]person{}}
		type life struct {
			now  api.Notice
			over bool
		}
		var lives []*life
		say := func(l *life, n api.Notice) {
			l.now = n
			h.feeds[n.Municipality] = append(h.feeds[n.Municipality], n)
			p := of(n)
			h.end[n.Subject] = p
		}
		for i := range rapid.IntRange(1, 3).Draw(r, "people") {
			l := &life{}
			lives = append(lives, l)
			first := entry(t, rapid.SampledFrom(allTowns).Draw(r, "town"), i)
			first.Subject = jitsuin.ID(fmt.Sprintf("%032x", i+1))
			say(l, first)
		}
		for step := range rapid.IntRange(0, 14).Draw(r, "steps") {
			l := rapid.SampledFrom(lives).Draw(r, "who")
			if l.over {
				continue
			}
			n, act := l.now, rapid.IntRange(0, 9).Draw(r, "act")
			here := n.Municipality
			switch {
			case n.State == jitsuin.Moving:
				say(l, next(n, n.Destination, jitsuin.CauseMoveIn, jitsuin.Present, func(x *api.Notice) { x.Items.Address = fmt.Sprintf("町%d", step) }))
			case n.State == jitsuin.Abroad:
				say(l, next(n, here, jitsuin.CauseMoveIn, jitsuin.Present))
			case n.State == jitsuin.Deleted:
				say(l, next(n, here, jitsuin.CauseEntered, jitsuin.Present))
			case act < 5:
				others := []jitsuin.MunicipalityCode{}
				for _, x := range allTowns {
					if x != here {
						others = append(others, x)
					}
				}
				say(l, next(n, here, jitsuin.CauseMoveOut, jitsuin.Moving, to(rapid.SampledFrom(others).Draw(r, "destination"))))
			case act < 7:
				say(l, next(n, here, jitsuin.CauseMoveWithin, jitsuin.Present, func(x *api.Notice) { x.Items.Address = fmt.Sprintf("丁目%d", step) }))
			case act < 8:
				say(l, next(n, here, jitsuin.CauseMoveOut, jitsuin.Abroad))
			case act < 9:
				say(l, next(n, here, jitsuin.CauseDeleted, jitsuin.Deleted))
			default:
				say(l, next(n, here, jitsuin.CauseDeath, jitsuin.Dead))
				l.over = true
			}
		}
		h.order = rapid.SliceOfN(rapid.IntRange(0, 2), 40, 40).Draw(r, "order")
		return h
	})
}

// Whatever order the feeds of the towns arrive in, the national record ends the same, each notice
// has its effect once, and nothing stays parked.
func TestAnyInterleavingEndsInTheSameRecord(t *testing.T) {
	t.Parallel()
	run := func(t testing.TB, w *world, n *Network, h history) {
		t.Helper()
		w.must(n.DB.Update(w.t.Context(), func(tx *store.Tx) error {
			for _, table := range []string{"person", "notice_log", "feed_outbox", "feed_versions"} {
				if _, err := tx.Exec(`DELETE FROM ` + table); err != nil {
					return err
				}
			}
			return nil
		}))
		total := w.read(n, h)
		got, told := map[jitsuin.ID]person{}, 0
		w.must(n.DB.View(w.t.Context(), func(tx *store.Tx) error {
			all, err := store.Collect(scanPerson)(tx.Query(`SELECT ` + personColumns + ` FROM person`))
			for _, p := range all {
				got[p.Subject] = p
			}
			if err != nil {
				return err
			}
			return tx.QueryRow(`SELECT COUNT(*) FROM feed_outbox WHERE topic = $1`, api.TopicToJLIS).Scan(&told)
		}))
		if told != total {
			t.Fatalf("%d notices, %d changes passed on", total, told)
		}
		if d := cmp.Diff(h.end, got); d != "" {
			t.Fatalf("the record differs (-want +got):\n%s", d)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		w := prepare(t, ":memory:")
		n := w.open()
		defer n.Close()
		g := histories(t)
		rapid.Check(t, func(r *rapid.T) {
			h := g.Draw(r, "history")
			run(t, w, n, h)
		})
	})
	t.Run("postgres", func(t *testing.T) {
		pg, ok := storetest.Postgres(t)
		if !ok {
			t.Skip("NO POSTGRESQL: this half of the suite was not run")
		}
		w := prepare(t, pg.Fresh(t))
		n := w.open()
		defer n.Close()
		for seed := range 10 {
			run(t, w, n, histories(t).Example(seed))
		}
	})
}

// read follows the feeds in the drawn order, parking the way followers do: what fails, and all
// later notices of its subject in that feed, wait and are tried again.
func (w *world) read(n *Network, h history) (total int) {
	w.t.Helper()
	position := map[jitsuin.MunicipalityCode]int{}
	type numbered struct {
		api.Notice
		at int
	}
	parked := map[jitsuin.MunicipalityCode][]numbered{}
	try := func(c numbered) bool {
		err := w.apply(n, c.Notice, uint64(c.at))
		if k := jitsuin.KindOf(err); err != nil && (k == jitsuin.Internal || k == jitsuin.Unavailable) {
			w.t.Fatal(err)
		}
		return err == nil
	}
	retry := func() (progress bool) {
		for _, town := range allTowns {
			blocked := map[jitsuin.ID]bool{}
			var left []numbered
			for _, c := range parked[town] {
				if blocked[c.Subject] || !try(c) {
					blocked[c.Subject] = true
					left = append(left, c)
				} else {
					progress = true
				}
			}
			parked[town] = left
		}
		return progress
	}
	one := func(town jitsuin.MunicipalityCode) {
		i := position[town]
		if i == len(h.feeds[town]) {
			return
		}
		position[town]++
		c := numbered{h.feeds[town][i], i + 1}
		for _, p := range parked[town] {
			if p.Subject == c.Subject {
				parked[town] = append(parked[town], c)
				return
			}
		}
		if !try(c) {
			parked[town] = append(parked[town], c)
		}
	}
	for i, k := range h.order {
		one(allTowns[k])
		if i%5 == 0 {
			retry()
		}
	}
	for _, town := range allTowns {
		total += len(h.feeds[town])
		for range h.feeds[town] {
			one(town)
		}
	}
	for retry() {
	}
	for town, left := range parked {
		if len(left) > 0 {
			w.t.Fatalf("%s: %d notices stay parked, the first is %s of %s", town, len(left), left[0].Cause, left[0].Subject)
		}
	}
	return total
}
