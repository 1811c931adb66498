package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/tour"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/trace"
)

// logged keeps what all actors log.
type logged struct {
	mu  sync.Mutex
	raw bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.raw.Write(p)
}

// logLine is one request as an actor logged it.
type logLine struct {
	trace.Entry
	events int
}

// requests reads the lines about requests.
func (l *logged) requests(t *testing.T) []logLine {
	t.Helper()
	l.mu.Lock()
	raw := bytes.Clone(l.raw.Bytes())
	l.mu.Unlock()
	var all []logLine
	for line := range bytes.Lines(raw) {
		var v struct {
			Msg, Actor, Face, Method, Path, Route, Caller string
			Status, Events                                int
			Seq                                           uint64
		}
		if err := json.Unmarshal(line, &v); err != nil || v.Msg != "request" {
			continue
		}
		if v.Face != "" { // the status origin is a face of J-LIS
			v.Actor = v.Face
		}
		e := trace.Entry{Actor: v.Actor, Seq: v.Seq, Method: v.Method, Path: v.Path, Route: v.Route, Caller: v.Caller, Status: v.Status, Events: make([]trace.Event, v.Events)}
		all = append(all, logLine{e, v.Events})
	}
	if len(all) == 0 {
		t.Fatal("nothing was logged: the test does not see the log")
	}
	return all
}

// small is a country that runs in this process, with its console.
type small struct {
	*Console
	folder country.Folder
	origin string
	log    *logged
}

// runCountry starts a country without cards and stops it with the test.
func runCountry(t *testing.T) *small {
	t.Helper()
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	s := &small{origin: fmt.Sprintf("http://127.0.0.1:%d", port), log: &logged{}}
	o := country.Options{Data: t.TempDir(), Listen: fmt.Sprintf("127.0.0.1:%d", port), Quick: true, Seed: 5,
		Log: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Pages: func(a *actor.Actor, cfg country.Config) error {
			var err error
			s.Console, err = open(a, cfg)
			return err
		}}
	made, _, err := country.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	// The office does not state what it has read while a test counts messages.
	config, err := os.OpenFile(made.ConfigPath(country.Minister), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer config.Close()
	if _, err := config.WriteString("witness_every: 1h\n"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan country.Folder, 1), make(chan error, 1)
	o.Ready = func(f country.Folder) { ready <- f }
	go func() { ended <- country.Up(ctx, o) }()
	select {
	case s.folder = <-ready:
	case err := <-ended:
		cancel()
		t.Fatalf("the country did not come to life: %v", err)
	case <-time.After(time.Minute):
		cancel()
		t.Fatal("the country is not ready after a minute")
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the country ended: %v", err)
		}
	})
	return s
}

// play plays the tour in the country: every act over the actors' APIs.
func (s *small) play(t *testing.T) {
	t.Helper()
	ok, err := tour.Run(t.Context(), tour.Options{Data: string(s.folder), Writer: io.Discard, Log: slog.New(slog.DiscardHandler), Soon: 10 * time.Second})
	if err != nil || !ok {
		t.Fatalf("the tour: %v %v", ok, err)
	}
}

// await waits until is gives "", and fails with what it gives otherwise.
func await(t *testing.T, is func() string) {
	t.Helper()
	why := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if why = is(); why == "" {
			return
		}
	}
	t.Fatal(why)
}

// difference tells how two counts differ; "" where they do not.
func difference(gotName string, got map[string]int, wantName string, want map[string]int) string {
	var lines []string
	for k, n := range want {
		if got[k] != n {
			lines = append(lines, fmt.Sprintf("%s: %d in %s, %d in %s", k, n, wantName, got[k], gotName))
		}
	}
	for k, n := range got {
		if want[k] == 0 {
			lines = append(lines, fmt.Sprintf("%s: %d in %s, none in %s", k, n, gotName, wantName))
		}
	}
	if len(lines) > 20 {
		lines = append(lines[:20], fmt.Sprintf("and %d more", len(lines)-20))
	}
	return strings.Join(lines, "\n")
}
