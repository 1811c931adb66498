package tsa

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/beevik/ntp"

	"github.com/jitsuin/jitsuin"
)

// TestItStopsWhenItsClockIsOff: below a second it stamps, from a second on it does not, and says so
// everywhere; it goes on when the clocks agree again.
func TestItStopsWhenItsClockIsOff(t *testing.T) {
	w := newWorld(t, "")
	c := newClocks()
	w.config.Clocks = c.read
	w.config.Metrics = "" // looked at by the readers themselves
	w.start()
	ready := func() (bool, string) {
		status, body := w.get("/readyz")
		return status == 200, string(body)
	}
	for _, step := range []struct {
		name  string
		by    time.Duration
		stamp bool
	}{
		{"nothing", 0, true}, {"half a second ahead", 500 * time.Millisecond, true}, {"almost a second", 499 * time.Millisecond, true},
		{"a second ahead", time.Millisecond, false}, {"a day ahead", 24 * time.Hour, false}, {"back again", -24*time.Hour - time.Second, true},
		{"almost a second behind", -999 * time.Millisecond, true}, {"a second behind", -time.Millisecond, false}, {"right again", time.Second, true},
	} {
		c.pass(time.Minute)
		c.step(step.by)
		_, err := w.stamp()
		if got := failure(err); step.stamp && got != "" || !step.stamp && got != "timeNotAvailable" {
			t.Errorf("%s: %v", step.name, err)
		}
		if ok, body := ready(); ok != step.stamp || !ok && !strings.Contains(body, "the wall clock is") {
			t.Errorf("%s: ready %v: %s", step.name, ok, body)
		}
	}
}

// A clock that was set back while nobody watched is noticed by the account.
func TestNoTimeBeforeOneThatWasStated(t *testing.T) {
	w := newWorld(t, "")
	c := newClocks()
	w.config.Clocks = c.read
	_, stop := w.start()
	w.mustStamp()
	stop()
	c.step(-999 * time.Millisecond)
	_, stop = w.start()
	w.mustStamp()
	stop()
	c.step(-time.Millisecond)
	w.start()
	if _, err := w.stamp(); failure(err) != "timeNotAvailable" {
		t.Errorf("a second before a time that was stated: %v", err)
	}
	if status, body := w.get("/readyz"); status != 503 || !strings.Contains(string(body), "a token states") {
		t.Errorf("%d %s", status, body)
	}
	c.pass(2 * time.Second)
	w.mustStamp()
}

// other is a second source that a test sets.
type other struct {
	ahead time.Duration
	err   error
}

func (o *other) Name() string                         { return "other" }
func (o *other) Ahead(Reading) (time.Duration, error) { return o.ahead, o.err }

func TestSecondSources(t *testing.T) {
	c, o := newClocks(), &other{}
	var said strings.Builder
	w := newWatch(c.read, time.Second, slog.New(slog.NewTextHandler(&said, nil)), o)
	sure := func(name string, want bool) {
		t.Helper()
		at, err := w.now(t.Context())
		if (err == nil) != want || want && !at.Equal(c.read().Wall) || !want && jitsuin.KindOf(err) != jitsuin.Unavailable {
			t.Errorf("%s: %v %v", name, at, err)
		}
	}
	sure("both agree", true)
	o.ahead = time.Second
	sure("the other differs by a second", false)
	o.ahead = -999 * time.Millisecond
	sure("the other differs by less", true)
	o.err = errors.New("no answer")
	sure("the other does not tell", false)
	if n := strings.Count(said.String(), "nothing is stamped any more"); n != 2 {
		t.Errorf("said %d times: %s", n, said.String())
	}
	sure("still not", false)
	if n := strings.Count(said.String(), "nothing is stamped any more"); n != 2 {
		t.Errorf("said anew at each look: %s", said.String())
	}
	o.err, o.ahead = nil, 0
	sure("it tells again", true)
	c.step(time.Hour)
	o.ahead = time.Hour
	sure("a step, and the other differs by it", false)
	o.ahead = 0
	sure("a step to the right time, as the other says", true)
	c.pass(time.Minute)
	sure("afterwards", true)
	c.step(2 * time.Second)
	o.ahead = 2 * time.Second
	sure("another step", false)
}

// Without another source nobody can say that a step led to the right time.
func TestAStepStaysWrongByItself(t *testing.T) {
	c := newClocks()
	w := newWatch(c.read, time.Second, slog.New(slog.DiscardHandler))
	c.step(time.Hour)
	for range 3 {
		c.pass(time.Hour)
		if _, err := w.now(t.Context()); err == nil {
			t.Error("a step is forgotten")
		}
	}
}

func TestTheMachinesClocksAgree(t *testing.T) {
	first := readClocks()
	time.Sleep(2 * time.Millisecond)
	ahead, err := (&start{first}).Ahead(readClocks())
	if err != nil || ahead.Abs() > 100*time.Millisecond {
		t.Errorf("%v, %v", ahead, err)
	}
}

// timeServer answers like an NTP server whose clock is ahead of this one; damage may spoil the answer.
func timeServer(t *testing.T, ahead time.Duration, damage func([]byte)) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	stamp := func(at time.Time) uint64 {
		since := at.Sub(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)) // 126 years fit in a Duration
		return uint64(since/time.Second)<<32 | uint64(since%time.Second)<<32/uint64(time.Second)
	}
	go func() {
		query := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			now := stamp(time.Now().Add(ahead))
			answer := make([]byte, 48)
			answer[0], answer[1], answer[2], answer[3] = 4<<3|4, 1, 6, 0xec // version 4, server; stratum 1
			copy(answer[12:16], "TEST")
			copy(answer[24:32], query[40:min(n, 48)])
			for _, at := range []int{16, 32, 40} {
				binary.BigEndian.PutUint64(answer[at:], now)
			}
			if damage != nil {
				damage(answer)
			}
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	return conn.LocalAddr().String()
}

func TestATimeServerIsASecondSource(t *testing.T) {
	for _, c := range []struct {
		name   string
		ahead  time.Duration
		damage func([]byte)
		want   bool
	}{
		{"right", 0, nil, true},
		{"half a second ahead", 500 * time.Millisecond, nil, true},
		{"two seconds ahead", 2 * time.Second, nil, false},
		{"two seconds behind", -2 * time.Second, nil, false},
		{"not synchronised", 0, func(b []byte) { b[0] |= 3 << 6 }, false},
		{"asked too often", 0, func(b []byte) { b[1] = 0; copy(b[12:16], "RATE") }, false},
		{"an answer to another question", 0, func(b []byte) { b[24] ^= 1 }, false},
		{"no server", 0, func(b []byte) { b[0] = 4<<3 | 3 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(timeServer(t, c.ahead, c.damage), readClocks)
			s.query = func(address string) (*ntp.Response, error) {
				return ntp.QueryWithOptions(address, ntp.QueryOptions{Timeout: 30 * time.Second})
			}
			w := newWatch(readClocks, time.Second, slog.New(slog.DiscardHandler), s)
			if _, err := w.now(t.Context()); err == nil {
				t.Error("sure before it has answered")
			}
			if err := s.ask(); (err == nil) != (c.damage == nil) {
				t.Errorf("asked: %v", err)
			}
			if _, err := w.now(t.Context()); (err == nil) != c.want {
				t.Errorf("sure: %v", err)
			}
		})
	}
}

// An answer counts for a while and no longer; one question that was not answered changes nothing.
func TestAnOldAnswerIsNone(t *testing.T) {
	c := newClocks()
	answers := true
	s := newServer("time.example:123", c.read)
	s.query = func(string) (*ntp.Response, error) {
		if !answers {
			return nil, errors.New("no answer")
		}
		now := c.read().Wall
		return &ntp.Response{Stratum: 1, Time: now, ReferenceTime: now, Leap: ntp.LeapNoWarning, ClockOffset: -300 * time.Millisecond}, nil
	}
	if err := s.ask(); err != nil {
		t.Fatal(err)
	}
	answers = false
	for passed := time.Duration(0); passed <= 2*ntpOld; passed += ntpOld / 4 {
		ahead, err := s.Ahead(c.read())
		if old := passed > ntpOld; (err != nil) != old || !old && ahead != 300*time.Millisecond {
			t.Errorf("after %v: %v %v", passed, ahead, err)
		}
		c.pass(ntpOld / 4)
		if err := s.ask(); err == nil {
			t.Error("answered")
		}
	}
}
