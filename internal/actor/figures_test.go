package actor_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
)

// figures reads an actor's page.
func figures(t *testing.T, a *actor.Actor) string {
	t.Helper()
	w := httptest.NewRecorder()
	a.Metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestFiguresFollowWhatHappens(t *testing.T) {
	p := newPair(t)
	p.open(t)
	times := 0
	p.town.Go("stumbles", func(ctx context.Context) error {
		if times++; times < 3 {
			return errors.New("no")
		}
		<-ctx.Done()
		return nil
	})
	stop := run(t, p.town, p.network)
	p.say(t, "a", "unknown")
	p.say(t, "a", "later")
	p.say(t, "b", "hello")
	eventually(t, "the figures show it", func() bool {
		network, town := figures(t, p.network), figures(t, p.town)
		for _, line := range []string{
			`jitsuin_feed_parked_events{source="municipality:91201",topic="words"} 2`,
			`jitsuin_feed_lag_events{source="municipality:91201",topic="words"} 3`,
			`jitsuin_feed_read_n{source="municipality:91201",topic="words"} 3`,
			`jitsuin_feed_alarm{source="municipality:91201",topic="words"} 0`,
			`jitsuin_check_ok{check="feed municipality:91201 words"} 0`,
			`jitsuin_check_ok{check="database"} 1`,
		} {
			if !strings.Contains(network, line+"\n") {
				return false
			}
		}
		for _, line := range []string{
			`jitsuin_feed_sent_n{topic="words"} 3`, `jitsuin_feed_outbox_events{topic="words"} 0`, `jitsuin_feed_sender_stopped 0`,
			`jitsuin_task_restarts_total{task="stumbles"} 2`, `jitsuin_task_standing{task="stumbles"} 0`,
		} {
			if !strings.Contains(town, line+"\n") {
				return false
			}
		}
		return true
	})
	stop()
	// The callee is gone: what is not reached is counted.
	p.open(t)
	if err := p.network.Remote("municipality:91201").Call(t.Context(), "POST", "/nothing", "", nil, nil); jitsuin.KindOf(err) != jitsuin.Unavailable {
		t.Errorf("an actor that does not run answered: %v", err)
	}
	if page := figures(t, p.network); !strings.Contains(page, `jitsuin_callee_unreachable_total{callee="municipality:91201"} 1`) {
		t.Error("a callee that does not answer is not counted")
	}
	p.town.Close()
	p.network.Close()
}

func TestLag(t *testing.T) {
	for _, c := range []struct {
		head, applied string
		want          float64
	}{{"1.9", "1.9", 0}, {"1.9", "1.4", 5}, {"0.0", "0.0", 0}, {"2.3", "1.90", 3}, {"1.9", "2.1", 0}} {
		head, err1 := jitsuin.ParsePosition(c.head)
		applied, err2 := jitsuin.ParsePosition(c.applied)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if got := actor.Lag(head, applied); got != c.want {
			t.Errorf("%s behind %s: %v, not %v", c.applied, c.head, got, c.want)
		}
	}
}

func TestFiguresAreNeverAtThePublicAddress(t *testing.T) {
	c := actor.Config{Instance: "jlis:1", Listen: "127.0.0.1:1", Metrics: "127.0.0.1:1", Database: "d", State: "s", Key: "k", Directory: "d", DirectoryKey: "k"}
	if err := c.Resolve("/tmp"); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("metrics at the address of listen: %v", err)
	}
	c.Metrics = "127.0.0.1:2"
	if err := c.Resolve("/tmp"); err != nil {
		t.Error(err)
	}
}
