package httpapi_test

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

// A repetition is answered for seven days, to the moment, whenever what is over is dropped.
func TestARepetitionIsAnsweredForSevenDays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		db, err := store.Open(t.Context(), url, nil, store.Also("api", httpapi.Migrations()))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		done := 0
		ask := func(in string) (n int, err error) {
			return httpapi.Once(httpapi.WithIdempotencyKey(t.Context(), "the-same-key"), db, "act", in, func(*store.Tx) (int, error) { return done + 1, nil })
		}
		aged := func(age time.Duration) {
			if err := db.Update(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(`UPDATE api_request SET done_at = $1`, store.Micros(time.Now().Add(-age)))
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := ask("in"); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		done = 1
		aged(httpapi.RequestsKept - time.Minute)
		if n, err := ask("in"); n != 1 || err != nil {
			t.Errorf("repeated within its time: %d %v", n, err)
		}
		if _, err := ask("other"); jitsuin.CodeOf(err) != "idempotency-key-reused" {
			t.Errorf("another request with the key: %v", err)
		}
		aged(httpapi.RequestsKept + time.Second)
		for range 2 { // anew, and then that is what is repeated
			if n, err := ask("other"); n != 2 || err != nil {
				t.Errorf("after its time: %d %v", n, err)
			}
			done++
		}
	})
}
