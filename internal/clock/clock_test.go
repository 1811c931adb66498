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

func TestAScheduleTellsHowItsJobsFare(t *testing.T) {
	due := time.Now().Add(time.Hour)
	s := NewSchedule(New(0), slog.New(slog.DiscardHandler),
		Job{Name: "later", Next: func(context.Context) (time.Time, bool, error) { return due, true, nil }},
		Job{Name: "never", Next: func(context.Context) (time.Time, bool, error) { return time.Time{}, false, nil }},
		Job{Name: "fails", Next: func(context.Context) (time.Time, bool, error) { return time.Unix(1, 0), true, nil },
			Fire: func(context.Context, time.Time) error { return errors.New("no") }})
	once := false
	s.jobs = append(s.jobs, Job{Name: "once", Next: func(context.Context) (time.Time, bool, error) { return time.Unix(1, 0), !once, nil },
		Fire: func(context.Context, time.Time) error { once = true; return nil }})
	s.states = append(s.states, JobState{Name: "once"})
	s.pass(t.Context())
	s.pass(t.Context())
	got := s.Jobs()
	if j := got[0]; j.Name != "later" || !j.Due.Equal(due) || j.Failing || j.Failures != 0 || !j.LastFired.IsZero() {
		t.Errorf("%+v", j)
	}
	if j := got[1]; !j.Due.IsZero() || j.Failing {
		t.Errorf("%+v", j)
	}
	if j := got[2]; !j.Failing || j.Failures != 2 || !j.LastFired.IsZero() {
		t.Errorf("%+v", j)
	}
	if j := got[3]; j.Failing || j.LastFired.IsZero() || !j.Due.IsZero() {
		t.Errorf("%+v", j)
	}
}
