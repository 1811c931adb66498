package jukinet

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/rules"
)

// A move from town A to town B: J-LIS learns of it without any number, B gets the moving-out
// certificate, A learns of the arrival.
func TestAMoveThroughTheNetwork(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		w := prepare(t, database)
		n := w.open()
		w.run(n.Actor, n.Run)
		a, b, agency := w.town(townA), w.town(townB), w.neighbour("jlis:1", api.TopicToJLIS)

		e := entry(t, townA, 1)
		out := next(e, townA, jitsuin.CauseMoveOut, jitsuin.Moving, to(townB))
		out.RequestID = "act-0000000000000001"
		out.Standing = api.Standing{Nationality: "BR", Stay: rules.Transitional, StayUntil: day(2099, 1, 31), AdultWard: true}
		a.send(e, out)
		eventually(t, "B has the moving-out certificate", func() bool { return len(b.events(api.TypeTransfer)) == 1 })
		var transfer api.Transfer
		w.must(b.events(api.TypeTransfer)[0].Decode(&transfer))
		if transfer != (api.Transfer{Subject: e.Subject, From: townA, PlannedOn: e.OccurredOn, Items: e.Items, MyNumber: e.MyNumber, ResidentCode: e.ResidentCode,
			Standing: out.Standing}) {
			t.Errorf("the certificate: %+v", transfer.Items)
		}
		in := next(e, townB, jitsuin.CauseMoveIn, jitsuin.Present, addressed)
		b.send(in)
		eventually(t, "A learns of the arrival", func() bool { return len(a.events(api.TypeArrived)) == 1 })
		var arrived api.Arrived
		w.must(a.events(api.TypeArrived)[0].Decode(&arrived))
		if arrived != (api.Arrived{Subject: e.Subject, At: townB, On: e.OccurredOn}) {
			t.Errorf("arrived: %+v", arrived)
		}

		// J-LIS has the three changes with their origins, and then how far each town has come.
		high := map[jitsuin.MunicipalityCode]jitsuin.Position{}
		eventually(t, "J-LIS has all", func() bool {
			for _, e := range agency.events(api.TypeHighWater) {
				var h api.HighWater
				w.must(e.Decode(&h))
				high[h.Municipality] = h.Position
			}
			return high[townA].N == 2 && high[townB].N == 1
		})
		changes := agency.events(api.TypeChange)
		if len(changes) != 3 {
			t.Fatalf("%d changes", len(changes))
		}
		for i, want := range []api.Notice{e, out, in} {
			var got jitsuin.Change
			w.must(changes[i].Decode(&got))
			if got != want.Change || changes[i].Origin == nil || changes[i].Origin.Actor != "municipality:"+string(want.Municipality) {
				t.Errorf("change %d: %+v from %+v", i, got, changes[i].Origin)
			}
			body := string(changes[i].Body)
			if strings.Contains(body, e.MyNumber.Reveal()) || strings.Contains(body, e.ResidentCode.Reveal()) {
				t.Error("J-LIS was sent a number")
			}
			if strings.Contains(body, "2099-01-31") {
				t.Error("J-LIS was sent the standing")
			}
		}
		if changes[1].Origin.N != 2 || changes[2].Origin.N != 1 {
			t.Errorf("origins %+v, %+v", changes[1].Origin, changes[2].Origin)
		}
		// A high-water mark comes after the changes that it covers.
		last := changes[2].Position()
		for _, e := range agency.events(api.TypeHighWater) {
			var h api.HighWater
			w.must(e.Decode(&h))
			if h.Municipality == townB && e.Position().Compare(last) < 0 {
				t.Errorf("the mark of B is %s, before its change at %s", e.Position(), last)
			}
		}
		w.checkHistory(n, e.Subject, 3)
		if log := w.log.String(); strings.Contains(log, e.MyNumber.Reveal()) || strings.Contains(log, e.ResidentCode.Reveal()) {
			t.Error("the log shows a number")
		}
	})
}

// checkHistory tells whether all notices of a person are kept, each but the newest with an end.
func (w *world) checkHistory(n *Network, subject jitsuin.ID, want int) {
	w.t.Helper()
	var all, open, withStay int
	var town, prefecture string
	w.must(n.DB.View(w.t.Context(), func(tx *store.Tx) error {
		if err := tx.QueryRow(`SELECT COUNT(*), COALESCE(SUM(CASE WHEN keep_until = '' THEN 1 ELSE 0 END), 0) FROM notice_log WHERE subject = $1`,
			string(subject)).Scan(&all, &open); err != nil {
			return err
		}
		if err := tx.QueryRow(`SELECT COUNT(*) FROM notice_log WHERE CAST(body AS TEXT) LIKE '%2099-01-31%'`).Scan(&withStay); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT municipality, prefecture FROM person WHERE subject = $1`, string(subject)).Scan(&town, &prefecture)
	}))
	if withStay != 0 {
		w.t.Error("the network keeps the standing")
	}
	if all != want || open != 1 || town != string(townB) || prefecture != townB.Prefecture() {
		w.t.Errorf("%d notices, %d without an end; the record stands in %s of %s", all, open, town, prefecture)
	}
}

// An arrival of somebody whom the network does not know yet is parked and alarmed, the town's other
// residents are not held up, and it is applied when the missing town's notices arrive.
func TestAnUnknownResidentIsParkedUntilTheEntryArrives(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		w := prepare(t, database)
		n := w.open()
		w.run(n.Actor, n.Run)
		b, _, agency := w.town(townB), w.town(townC), w.neighbour("jlis:1", api.TopicToJLIS)
		moved, other := entry(t, townA, 1), entry(t, townB, 2)
		b.send(next(moved, townB, jitsuin.CauseMoveIn, jitsuin.Present, addressed), other,
			next(moved, townB, jitsuin.CauseMoveWithin, jitsuin.Present, func(n *api.Notice) { n.Items.Address = "試験県別市二丁目" }))
		eventually(t, "the other resident has passed", func() bool { return len(agency.events(api.TypeChange)) == 1 })
		eventually(t, "the alarm", func() bool {
			status, wrong := w.ready()
			return status == http.StatusServiceUnavailable && strings.Contains(wrong, "municipality:91202") && strings.Contains(wrong, "2 events are parked")
		})
		if marks := agency.events(api.TypeHighWater); len(marks) != 0 {
			t.Errorf("a mark covers a parked notice: %s", marks[0].Body)
		}

		a := w.town(townA) // the missing town answers at last
		a.send(moved, next(moved, townA, jitsuin.CauseMoveOut, jitsuin.Moving, to(townB)))
		eventually(t, "both are applied", func() bool { return len(agency.events(api.TypeChange)) == 5 })
		eventually(t, "the mark of B", func() bool {
			for _, e := range agency.events(api.TypeHighWater) {
				var h api.HighWater
				w.must(e.Decode(&h))
				if h.Municipality == townB && h.Position.N == 3 {
					return true
				}
			}
			return false
		})
		eventually(t, "the alarm ends", func() bool { status, _ := w.ready(); return status == http.StatusOK })
	})
}

func TestANumberBelongsToOnePerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		w := prepare(t, database)
		n := w.open()
		t.Cleanup(func() { w.must(n.Close()) })
		first := entry(t, townA, 1)
		w.must(w.apply(n, first, 1))
		same := entry(t, townB, 2)
		same.MyNumber = first.MyNumber
		if err := w.apply(n, same, 1); jitsuin.CodeOf(err) != "my-number-in-use" || jitsuin.KindOf(err) != jitsuin.Conflict {
			t.Errorf("a My Number twice: %v", err)
		}
		same = entry(t, townB, 2)
		same.ResidentCode = first.ResidentCode
		if err := w.apply(n, same, 1); jitsuin.CodeOf(err) != "resident-code-in-use" || jitsuin.KindOf(err) != jitsuin.Conflict {
			t.Errorf("a resident code twice: %v", err)
		}
		w.must(w.apply(n, entry(t, townB, 2), 1))

		// Numbers designated to one town are not for another.
		w.must(n.refill(t.Context(), townA))
		var pairs []api.NumberPair
		w.must(n.DB.View(t.Context(), func(tx *store.Tx) (err error) { pairs, err = unusedPairs(tx, townA); return err }))
		if len(pairs) != 4 {
			t.Fatalf("%d pairs in stock", len(pairs))
		}
		born := entry(t, townB, 3)
		born.MyNumber, born.ResidentCode = pairs[0].MyNumber, pairs[0].ResidentCode
		if err := w.apply(n, born, 2); jitsuin.CodeOf(err) != "resident-code-designated" {
			t.Errorf("another town's numbers: %v", err)
		}
		born.Municipality = townA
		w.must(w.apply(n, born, 2))
	})
}

// Towns have numbers to give before they need them, and more when half of them are used.
func TestTownsHaveNumbersForNewResidents(t *testing.T) {
	t.Parallel()
	w := prepare(t, storetest.SQLite().Fresh(t))
	n := w.open()
	w.run(n.Actor, n.Run)
	a := w.town(townA)
	stock := func() (out api.Numbers) {
		if all := a.events(api.TypeNumbers); len(all) > 0 {
			w.must(all[len(all)-1].Decode(&out))
		}
		return out
	}
	eventually(t, "the first numbers", func() bool { return len(stock().Pairs) == 4 })
	first := stock()
	for i := range 2 {
		born := entry(t, townA, i)
		born.MyNumber, born.ResidentCode = first.Pairs[i].MyNumber, first.Pairs[i].ResidentCode
		a.send(born)
	}
	eventually(t, "more numbers", func() bool { return len(a.events(api.TypeNumbers)) == 2 })
	second := stock()
	seen := map[jitsuin.ResidentCode]int{}
	for _, p := range append(first.Pairs, second.Pairs...) {
		seen[p.ResidentCode]++
	}
	if len(second.Pairs) != 4 || len(seen) != 6 || seen[first.Pairs[0].ResidentCode] != 1 || seen[first.Pairs[2].ResidentCode] != 2 {
		t.Errorf("the stock is %d, %d codes in all", len(second.Pairs), len(seen))
	}
}

// Each topic is read by its recipient and by nobody else.
func TestTopicsAreForTheirRecipients(t *testing.T) {
	t.Parallel()
	w := prepare(t, storetest.SQLite().Fresh(t))
	n := w.open()
	w.run(n.Actor, n.Run)
	d, err := httpapi.OpenDirectory(w.config.Directory, &w.keys["operator"].PublicKey)
	w.must(err)
	for topic, reader := range map[string]string{api.TopicToJLIS: "jlis:1", api.TopicToTown(townA): "municipality:91201", api.TopicToTown(townB): "municipality:91202", "residents": ""} {
		for _, as := range []string{"jlis:1", "municipality:91201", "municipality:91202", "municipality:92203"} {
			req, err := http.NewRequestWithContext(t.Context(), "GET", "http://callee/feeds/"+topic+"/snapshot", nil)
			w.must(err)
			resp, err := httpapi.NewRemote(httpapi.Identity{ID: as, Key: w.keys[as]}, d, "jukinet:1").HTTPClient().Do(req)
			w.must(err)
			resp.Body.Close()
			if (resp.StatusCode == http.StatusOK) != (as == reader) || resp.StatusCode >= 500 {
				t.Errorf("%s of %s: %d", topic, as, resp.StatusCode)
			}
		}
		resp, err := http.Get("http://" + w.origins["jukinet:1"] + "/feeds/" + topic)
		w.must(err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", topic, resp.StatusCode)
		}
	}
}
