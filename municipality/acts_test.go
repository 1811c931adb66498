package municipality_test

import (
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

func (w *world) record(r api.ChangeRequest) api.ChangeResult {
	w.t.Helper()
	r.Clerk = "窓口 二郎"
	out, err := w.counter.Record(w.t.Context(), r, "")
	w.must(err)
	return out
}

func (w *world) refused(r api.ChangeRequest, kind jitsuin.Kind, code string) {
	w.t.Helper()
	r.Clerk = "窓口 二郎"
	_, err := w.counter.Record(w.t.Context(), r, "")
	wantError(w.t, err, kind, code)
}

// A life in a town: every act reaches the network once, in its order, with the whole record.
func TestActsAtTheCounterReachTheNetwork(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako := resident(t, 1, "見本　花子", grown)
		w := newWorld(t, database, hanako)
		w.sendNumbers(3)
		day := today()

		// A daughter is born into the household. The numbers come from the town's stock.
		var birth api.ChangeResult
		child := jitsuin.FourItems{Name: "見本　一子", Address: hanako.Items.Address, BirthDate: day, Sex: jitsuin.Female}
		eventually(t, "numbers are in stock", func() bool {
			var err error
			birth, err = w.counter.Record(t.Context(), api.ChangeRequest{Cause: jitsuin.CauseBirth, OccurredOn: day, Items: &child,
				Household: hanako.Household, Clerk: "窓口 二郎"}, "")
			if err != nil {
				wantError(t, err, jitsuin.Unavailable, "numbers-exhausted")
			}
			return err == nil
		})
		daughter := birth.Change.Subject
		w.refused(api.ChangeRequest{Cause: jitsuin.CauseBirth, OccurredOn: day, Items: &child}, jitsuin.Conflict, "resident-exists")

		within := w.record(api.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Subject: hanako.Subject, OccurredOn: day.AddDays(-15), Address: "試験県見本市二丁目"})
		if !within.Late || within.NoticeDue != day.AddDays(-1) {
			t.Errorf("a move notified on the 15th day: %+v", within)
		}
		married := within.Change.Items
		married.Name = "試験　花子"
		w.record(api.ChangeRequest{Cause: jitsuin.CauseAmended, Subject: hanako.Subject, OccurredOn: day, Items: &married})
		minor := married
		minor.Address = "試験県見本市二番一号"
		w.record(api.ChangeRequest{Cause: jitsuin.CauseMinorCorrection, MinorRule: 5, Subject: hanako.Subject, OccurredOn: day, Items: &minor})
		w.record(api.ChangeRequest{Cause: jitsuin.CauseCodeRequested, Subject: hanako.Subject, OccurredOn: day})
		out := w.record(api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Subject: hanako.Subject, OccurredOn: day.AddDays(5), Destination: otherTown})
		if out.Late || out.Change.State != jitsuin.Moving {
			t.Errorf("the departure: %+v", out)
		}
		w.refused(api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Subject: hanako.Subject, OccurredOn: day, Destination: otherTown}, jitsuin.Conflict, "resident-state")

		eventually(t, "the network has it all", func() bool { return len(w.notices(hanako.Subject)) == 6 && len(w.notices(daughter)) == 1 })
		var causes []jitsuin.Cause
		all := w.notices(hanako.Subject)
		for _, n := range all {
			causes = append(causes, n.Cause)
			if n.MyNumber != hanako.MyNumber || n.Municipality != town {
				t.Errorf("%s: a wrong number or town", n.Cause)
			}
		}
		want := []jitsuin.Cause{jitsuin.CauseEntered, jitsuin.CauseMoveWithin, jitsuin.CauseAmended, jitsuin.CauseMinorCorrection, jitsuin.CauseCodeRequested, jitsuin.CauseMoveOut}
		for i := range want {
			if causes[i] != want[i] {
				t.Fatalf("the network was told %v", causes)
			}
		}
		if all[3].ResidentCode != hanako.ResidentCode || all[4].ResidentCode == hanako.ResidentCode || all[5].ResidentCode != all[4].ResidentCode {
			t.Error("the resident code changes with its cause and with no other")
		}
		if all[5].Destination != otherTown || all[5].Items != minor || all[1].RequestID == "" {
			t.Errorf("the departure: %+v", all[5].Change)
		}
		born := w.notices(daughter)[0]
		if born.Items != child || born.MyNumber == "" || born.ResidentCode == "" || born.MyNumber == all[0].MyNumber {
			t.Errorf("the birth: %+v", born.Change)
		}

		// She is entered in the other town; the record here is closed, and she is found no more.
		w.send(w.network, jukinet.TopicToTown(town), string(hanako.Subject), jukinet.TypeArrived, jukinet.Arrived{Subject: hanako.Subject, At: otherTown, On: day})
		eventually(t, "the arrival is noted", func() bool {
			r, err := w.counter.Resident(t.Context(), hanako.Subject)
			w.must(err)
			return r.Municipality == otherTown
		})
		w.refused(api.ChangeRequest{Cause: jitsuin.CauseDeath, Subject: hanako.Subject, OccurredOn: day}, jitsuin.Conflict, "entered-elsewhere")
		found, err := w.counter.Search(t.Context(), api.Query{BirthDate: grown.String(), Limit: 10})
		w.must(err)
		if len(found) != 0 {
			t.Errorf("the register still has %+v", found)
		}
	})
}

func TestMoveInNeedsTheMovingOutCertificate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		w := newWorld(t, database)
		taro := resident(t, 9, "見本　太郎", grown)
		in := api.ChangeRequest{Cause: jitsuin.CauseMoveIn, Subject: taro.Subject, OccurredOn: today(), Address: "試験県見本市五丁目"}
		w.refused(in, jitsuin.Conflict, "moving-certificate-missing")
		transfer := jukinet.Transfer{Subject: taro.Subject, From: otherTown, PlannedOn: today(), Items: taro.Items, MyNumber: taro.MyNumber, ResidentCode: taro.ResidentCode}
		w.send(w.network, jukinet.TopicToTown(town), string(taro.Subject), jukinet.TypeTransfer, transfer)

		in.Clerk = "窓口 二郎"
		key := string(jitsuin.NewID())
		var first api.ChangeResult
		eventually(t, "the certificate has come", func() bool {
			var err error
			first, err = w.counter.Record(t.Context(), in, key)
			return err == nil
		})
		// The same request again is the same act, another one is refused.
		again, err := w.counter.Record(t.Context(), in, key)
		w.must(err)
		if again != first {
			t.Errorf("repeated: %+v, first %+v", again, first)
		}
		w.refused(in, jitsuin.Conflict, "already-resident")
		// He leaves; the certificate with which he came is used up.
		w.record(api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Subject: taro.Subject, OccurredOn: today(), Destination: otherTown})
		w.refused(in, jitsuin.Conflict, "moving-certificate-missing")
		// The same certificate once more (the sender was restored) does not revive it; a newer one does.
		w.send(w.network, jukinet.TopicToTown(town), string(taro.Subject), jukinet.TypeTransfer, transfer)
		transfer.Items.Address = "試験県他市一丁目"
		w.sendNumbers(1)
		w.refused(in, jitsuin.Conflict, "moving-certificate-missing")
		w.send(w.network, jukinet.TopicToTown(town), string(taro.Subject), jukinet.TypeTransfer, transfer)
		eventually(t, "he comes back", func() bool {
			_, err := w.counter.Record(t.Context(), in, "")
			return err == nil
		})
		eventually(t, "the network is told", func() bool { return len(w.notices(taro.Subject)) == 3 })
		for _, n := range w.notices(taro.Subject) {
			if n.MyNumber != taro.MyNumber || n.ResidentCode != taro.ResidentCode {
				t.Error("a move has changed a number")
			}
		}
	})
}

func TestImpossibleActsChangeNothing(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	eventually(t, "the import has reached the network", func() bool { return len(w.network.events()) == 1 })
	before, err := w.counter.Resident(t.Context(), hanako.Subject)
	w.must(err)
	w.refused(api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Subject: hanako.Subject, OccurredOn: today(), Abroad: true, ContinuedUse: true}, jitsuin.Expired, "continued-use-late")
	w.refused(api.ChangeRequest{Cause: jitsuin.CauseDeath, Subject: jitsuin.NewID(), OccurredOn: today()}, jitsuin.NotFound, "resident-unknown")
	w.refused(api.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Subject: hanako.Subject, OccurredOn: today().AddDays(2), Address: "町"}, jitsuin.Invalid, "date-in-future")
	_, err = w.counter.Record(t.Context(), api.ChangeRequest{Cause: jitsuin.CauseDeath, Subject: hanako.Subject, OccurredOn: today()}, "")
	wantError(t, err, jitsuin.Invalid, "request-form") // no clerk
	after, err := w.counter.Resident(t.Context(), hanako.Subject)
	w.must(err)
	if after != before {
		t.Fatalf("the record was %+v, is %+v", before, after)
	}
	w.record(api.ChangeRequest{Cause: jitsuin.CauseDeath, Subject: hanako.Subject, OccurredOn: today()})
	eventually(t, "the death has reached the network", func() bool { return len(w.network.events()) == 2 })
	if n := w.notices(hanako.Subject); n[1].Cause != jitsuin.CauseDeath || n[1].State != jitsuin.Dead {
		t.Fatalf("the network was told %+v", n)
	}
}
