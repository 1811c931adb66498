package municipality_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/internal/trace"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// My Number is shown to the town's own counter for a lawful purpose, and each showing stands in the register.
func TestMyNumberIsShownForALawfulPurposeAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako := resident(t, 1, "見本　花子", grown)
		w := newWorld(t, database, hanako)
		ctx := t.Context()
		for _, p := range []face.Purpose{"", "marketing", "TAX"} {
			_, err := w.counter.ShowNumber(ctx, hanako.Subject, api.NumberRequest{Clerk: clerk, Purpose: p})
			wantError(t, err, jitsuin.Denied, "number-purpose")
		}
		_, err := w.counter.ShowNumber(ctx, jitsuin.NewID(), api.NumberRequest{Clerk: clerk, Purpose: face.Tax})
		wantError(t, err, jitsuin.NotFound, "resident-unknown")
		_, err = w.counterOf("counter:91202").ShowNumber(ctx, hanako.Subject, api.NumberRequest{Clerk: clerk, Purpose: face.Tax})
		wantError(t, err, jitsuin.Denied, "not-this-counter")
		if none, err := w.counter.NumbersShown(ctx, hanako.Subject); err != nil || len(none) != 0 {
			t.Fatalf("before: %v, %v", none, err)
		}
		got, err := w.counter.ShowNumber(ctx, hanako.Subject, api.NumberRequest{Clerk: clerk, Purpose: face.Tax})
		w.must(err)
		if got.MyNumber != hanako.MyNumber || strings.Contains(fmt.Sprintf("%v %+v", got, got), hanako.MyNumber.Reveal()) {
			t.Error("another number, or one that prints")
		}
		shown, err := w.counter.NumbersShown(ctx, hanako.Subject)
		w.must(err)
		if len(shown) != 1 || shown[0] != got.Record || shown[0].Clerk != clerk || shown[0].Purpose != face.Tax || shown[0].ShownAt.IsZero() {
			t.Errorf("recorded: %+v", shown)
		}
		if strings.Contains(w.log.String(), hanako.MyNumber.Reveal()) {
			t.Error("the log has the number")
		}
	})
}

// A repeated request is one showing, and what is kept for repetitions lacks the number.
func TestShowingTwiceIsOneRecord(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	for range 2 {
		got, err := httpapi.Do[api.NumberAnswer](t.Context(), w.counter.Remote, http.MethodPost, "/residents/"+string(hanako.Subject)+"/number", "show-number-1", api.NumberRequest{Clerk: clerk, Purpose: face.Disaster})
		if err != nil || got.MyNumber != hanako.MyNumber {
			t.Fatal(got, err)
		}
	}
	if shown, err := w.counter.NumbersShown(t.Context(), hanako.Subject); err != nil || len(shown) != 1 {
		t.Errorf("%v, %v", shown, err)
	}
	w.must(w.town.DB.View(t.Context(), func(tx *store.Tx) error {
		kept, err := store.Collect(func(s store.Scanner) (r string, err error) { return r, s.Scan(&r) })(tx.Query(`SELECT result FROM api_request`))
		if strings.Contains(strings.Join(kept, ""), hanako.MyNumber.Reveal()) || len(kept) != 1 {
			t.Error("the number is kept with the request")
		}
		return err
	}))
}

// Who has gone has no number shown here any more; a trace never has one.
func TestNoNumberOfWhoHasGone(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	_, err := w.counter.Record(t.Context(), api.ChangeRequest{Subject: hanako.Subject, Cause: jitsuin.CauseDeath, OccurredOn: today(), Clerk: clerk}, "")
	w.must(err)
	_, err = w.counter.ShowNumber(t.Context(), hanako.Subject, api.NumberRequest{Clerk: clerk, Purpose: face.Tax})
	wantError(t, err, jitsuin.Conflict, "not-resident")
	raw, err := json.Marshal(api.NumberAnswer{MyNumber: hanako.MyNumber})
	w.must(err)
	if out, _, ok := trace.RedactJSON(raw); !ok || strings.Contains(string(out), hanako.MyNumber.Reveal()) || !strings.Contains(string(raw), hanako.MyNumber.Reveal()) {
		t.Errorf("trace %s", out)
	}
}
