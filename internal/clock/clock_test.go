package clock

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jitsuin/jitsuin"
)

func TestCivilTimeOnlyGoesForward(t *testing.T) {
	c := New(0)
	if _, err := c.OffsetFor(c.Now().Add(-time.Second)); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Fatalf("going back one second was not refused: %v", err)
	}
	off, err := c.OffsetFor(c.Now().AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	changed := c.Changed()
	c.Set(off)
	select {
	case <-changed:
	default:
		t.Fatal("the move was not announced")
	}
	c.Set(off - time.Hour) // an old message that comes late
	if c.Offset() != off {
		t.Fatalf("offset went back from %v to %v", off, c.Offset())
	}
}

func TestScheduleFiresWhatAMovedClockSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(0)
		var fired atomic.Int64
		next := c.Now().Add(24 * time.Hour)
		failOnce := true
		s := NewSchedule(c, slog.New(slog.DiscardHandler), Job{Name: "daily",
			Next: func(context.Context) (time.Time, bool, error) { return next, true, nil },
			Fire: func(_ context.Context, now time.Time) error {
				if failOnce {
					failOnce = false
					return errors.New("once")
				}
				for !next.After(now) {
					fired.Add(1)
					next = next.Add(24 * time.Hour)
				}
				return nil
			}})
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		synctest.Wait()
		if fired.Load() != 0 {
			t.Fatal("fired before its time")
		}
		target := c.Now().Add(72 * time.Hour)
		off, _ := c.OffsetFor(target)
		c.Set(off)
		if err := s.WaitFired(ctx, target); err != nil {
			t.Fatal(err)
		}
		if fired.Load() != 3 {
			t.Fatalf("three days fired %d times", fired.Load())
		}
		time.Sleep(25 * time.Hour) // and it goes on by itself
		if fired.Load() != 4 {
			t.Fatalf("the fourth day did not fire: %d", fired.Load())
		}
		cancel()
		synctest.Wait()
	})
}
