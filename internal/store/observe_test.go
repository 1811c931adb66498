package store_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

func TestAnObserverSeesCommitsAndWhatWasUnsure(t *testing.T) {
	committed, unknown := 0, 0
	fault := store.NoFault
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "db.sqlite"), nil, store.WithFaults(func() store.Fault { return fault }),
		store.Observe(store.Observer{Committed: func(took time.Duration) {
			if committed++; took <= 0 {
				t.Errorf("a commit took %v", took)
			}
		}, Unknown: func() { unknown++ }}))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	nothing := func(*store.Tx) error { return nil }
	if err := db.Update(t.Context(), nothing); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(*store.Tx) error { return errors.New("no") }); err == nil {
		t.Fatal("an error was lost")
	}
	fault = store.CommitPersisted
	if err := db.Update(t.Context(), nothing); jitsuin.CodeOf(err) != store.CodeUnknown {
		t.Fatal(err)
	}
	if committed != 1 || unknown != 1 {
		t.Errorf("%d commits, %d unknown", committed, unknown)
	}
	size, err := db.Size(t.Context())
	if err != nil || size.Main <= 0 {
		t.Errorf("size %+v, %v", size, err)
	}
}
