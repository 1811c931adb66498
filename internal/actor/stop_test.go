package actor_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

// begin sends the beginning of a request whose body is still to come, on a connection of its own.
func begin(t *testing.T, at, path string, length int) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", path, at, length)
	return c, bufio.NewReader(c)
}

// TestWhatIsUnderWayIsAnswered stops an actor in the middle of a slow request that needs the
// sequencer, of a long poll and of a request that never ends.
func TestWhatIsUnderWayIsAnswered(t *testing.T) {
	p := newPair(t)
	p.open(t)
	arrived := make(chan struct{}, 2)
	p.town.API.Raw("POST /slow", httpapi.Public("test"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = p.town.DB.Update(r.Context(), func(tx *store.Tx) error {
				_, err := feed.Append(tx, feed.Draft{Topic: "words", Subject: string(body), Type: "word", Body: "slow", RecordedAt: p.town.Clock.Now()})
				return err
			})
		}
		at, err2 := p.town.Position(r.Context(), "words")
		if err != nil || err2 != nil {
			http.Error(w, fmt.Sprint(err, err2), 500)
			return
		}
		fmt.Fprint(w, at)
	}))
	p.town.API.Raw("GET /poll", httpapi.Public("test"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-actor.Stopping(r.Context())
		fmt.Fprint(w, "nothing new")
	}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.town.Run(ctx) }()
	<-p.town.Started()
	at := p.configs["municipality:91201"].Listen

	slow, answer := begin(t, at, "/slow", 4)
	<-arrived
	poll := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + at + "/poll")
		if err != nil {
			poll <- err.Error()
			return
		}
		defer resp.Body.Close()
		said, _ := io.ReadAll(resp.Body)
		poll <- string(said)
	}()
	<-arrived
	cancel()
	if said := <-poll; said != "nothing new" {
		t.Errorf("the long poll: %q", said)
	}
	eventually(t, "new connections are refused", func() bool {
		c, err := net.Dial("tcp", at)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	select {
	case err := <-done:
		t.Fatalf("the actor ended with a request under way: %v", err)
	default:
	}
	io.WriteString(slow, "deed")
	resp, err := http.ReadResponse(answer, nil)
	if err != nil {
		t.Fatalf("the slow request got no answer: %v", err)
	}
	said, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || string(said) != "1.1" || !resp.Close {
		t.Errorf("the slow request: %s %q, close %v", resp.Status, said, resp.Close)
	}
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
}

// TestAnUnusedConnectionDoesNotHoldTheEndUp keeps an idle connection open.
func TestAnUnusedConnectionDoesNotHoldTheEndUp(t *testing.T) {
	p := newPair(t)
	p.open(t)
	stop := run(t, p.town)
	c, err := net.Dial("tcp", p.configs["municipality:91201"].Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	in := bufio.NewReader(c)
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != 200 || resp.Close {
		t.Fatalf("%v, %v", resp, err)
	} else if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), "ok") {
		t.Fatalf("%q", body)
	}
	stop()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("the idle connection: %v", err)
	}
}
