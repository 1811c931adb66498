//go:build unix

package country_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	town "github.com/jitsuin/jitsuin/municipality/api"
	platform "github.com/jitsuin/jitsuin/platform/api"
)

// TestRestartUnderLoad exchanges the process of an actor again and again under clients that never
// pause, as a service manager does that holds the socket. Clients with bare connections, which try
// nothing twice, and those with httpapi.Remote must all be answered at the first try, and every
// answer must stand for one effect in the database. Then the same with kill -9, where a client that
// got no answer sends the same request again.
func TestRestartUnderLoad(t *testing.T) {
	f := quickCountry(t)
	restarts, pause := 3, 250*time.Millisecond
	if os.Getenv("JITSUIN_SOAK") != "" {
		restarts = 40
	}
	facts, err := f.Facts()
	if err != nil {
		t.Fatal(err)
	}
	for _, load := range []load{verifications(t, f), moves(facts.Sample().Residents)} {
		for _, way := range []struct {
			name string
			kill bool
		}{{"graceful", false}, {"killed", true}} {
			t.Run(load.role+" "+way.name, func(t *testing.T) {
				m := newManager(t, f, load)
				m.start()
				all := newClients(t, f, load, !way.kill)
				for range restarts {
					time.Sleep(pause) // the load goes on meanwhile
					all.goOn(20)
					if way.kill {
						m.now.kill()
					} else {
						m.stop()
					}
					m.start()
				}
				answered := all.finish()
				m.stop()
				load.count(t, f, all.run, answered)
				t.Logf("%d requests over %d restarts", len(answered), restarts)
				if len(answered) < 20*restarts {
					t.Errorf("only %d requests: that is no load", len(answered))
				}
			})
		}
	}
}

// quickCountry makes a country and stops it again: its actors know each other.
func quickCountry(t *testing.T) country.Folder {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready, done := make(chan country.Folder, 1), make(chan error, 1)
	go func() {
		done <- country.Up(ctx, country.Options{Data: t.TempDir(), Listen: listen(t), Quick: true, Log: slog.New(slog.DiscardHandler),
			Ready: func(f country.Folder) { ready <- f }})
	}()
	var f country.Folder
	select {
	case f = <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	// The platform verifies as soon as it has heard from the minister and has the CA's certificates.
	load := verifications(t, f)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := load.remote(t, f).Call(ctx, "POST", load.path, string(jitsuin.NewID()), load.body(0, "first"), nil)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// The load is one tenant's, and no quota is to end it.
	config, err := os.OpenFile(f.ConfigPath(country.Platform), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer config.Close()
	if _, err := config.WriteString("quota: {per_second: 1000000}\n"); err != nil {
		t.Fatal(err)
	}
	return f
}

// load is what clients ask of an actor.
type load struct {
	role, id, path string
	status         int // of success
	// remote is the way to the actor with all cleverness; self is who the bare clients are.
	remote func(t *testing.T, f country.Folder) *httpapi.Remote
	self   func(f country.Folder) (httpapi.Identity, error)
	body   func(i int, id string) any
	table  string // where each effect has the request's id
}

// verifications are checks of documents whose signature is none: each is an entry in the platform's log.
func verifications(t *testing.T, f country.Folder) load {
	d, err := f.Directory()
	if err != nil {
		t.Fatal(err)
	}
	at, err := d.Lookup(country.Platform)
	if err != nil {
		t.Fatal(err)
	}
	self := func(f country.Folder) (httpapi.Identity, error) { return f.Identity(country.TenantFirm) }
	return load{role: "platform", id: country.Platform, path: "/v1/verifications", status: 201, table: "checks", self: self,
		remote: func(t *testing.T, f country.Folder) *httpapi.Remote {
			who, err := self(f)
			if err != nil {
				t.Fatal(err)
			}
			return httpapi.NewRemoteAt(who, at.Origin, country.Platform)
		},
		body: func(_ int, id string) any {
			return platform.VerificationRequest{Document: []byte("document " + id), Signature: []byte("no signature"), Purpose: "contract"}
		}}
}

// moves are changes of address: client i moves one resident from house to house.
func moves(all []people.Resident) load {
	var movers []people.Resident
	for _, r := range all {
		if r.Municipality == all[0].Municipality {
			movers = append(movers, r)
		}
	}
	code := all[0].Municipality
	self := func(f country.Folder) (httpapi.Identity, error) { return f.Identity(country.Counter(code)) }
	today := jitsuin.DateOf(time.Now())
	return load{role: "municipality", id: country.Town(code), path: "/changes", status: 200, table: "change_log", self: self,
		remote: func(t *testing.T, f country.Folder) *httpapi.Remote {
			r, err := f.Remote(country.Counter(code), country.Town(code))
			if err != nil {
				t.Fatal(err)
			}
			return r
		},
		body: func(i int, id string) any {
			return town.ChangeRequest{Subject: movers[i].ID, Cause: jitsuin.CauseMoveWithin, OccurredOn: today, Clerk: "窓口 例子",
				Address: "試験県見本市" + id}
		}}
}

// count compares what was answered with what is in the database: each once, and nothing else.
func (l load) count(t *testing.T, f country.Folder, run string, answered map[string]bool) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+f.Path("actors", strings.ReplaceAll(l.id, ":", "-"), "db.sqlite")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT request_id, COUNT(*) FROM `+l.table+` WHERE request_id LIKE $1 GROUP BY request_id`, run+"%")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	effects := map[string]int{}
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			t.Fatal(err)
		}
		effects[id] = n
	}
	lost, twice := 0, 0
	for id := range answered {
		switch effects[id] {
		case 0:
			lost++
		case 1:
		default:
			twice++
		}
		delete(effects, id)
	}
	if err := rows.Err(); err != nil || lost+twice+len(effects) > 0 {
		t.Errorf("%d answered requests have no effect, %d have several, %d effects belong to no answer (%v)", lost, twice, len(effects), err)
	}
}

// manager does what a service manager does: it holds the sockets and starts the actor with them.
type manager struct {
	t       *testing.T
	args    []string
	sockets []*os.File
	notify  *net.UnixConn
	now     *process
}

func newManager(t *testing.T, f country.Folder, l load) *manager {
	t.Helper()
	d, err := f.Directory()
	if err != nil {
		t.Fatal(err)
	}
	i, err := d.Lookup(l.id)
	if err != nil {
		t.Fatal(err)
	}
	held, err := net.Listen("tcp", i.Origin[len("http://"):])
	if err != nil {
		t.Fatal(err)
	}
	m := &manager{t: t, args: []string{"serve", l.role, "--config", f.ConfigPath(l.id)}, notify: notifySocket(t)}
	m.hold(held)
	return m
}

// hold keeps a socket open until the end of the test.
func (m *manager) hold(held net.Listener) {
	m.t.Helper()
	file, err := held.(*net.TCPListener).File()
	if err != nil {
		m.t.Fatal(err)
	}
	m.sockets = append(m.sockets, file)
	m.t.Cleanup(func() { held.Close(); file.Close() })
}

// notifySocket is where a service tells how it is, below a folder whose path is short.
func notifySocket(t *testing.T) *net.UnixConn {
	t.Helper()
	dir, err := os.MkdirTemp("", "n")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: dir + "/notify", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// start starts the actor and waits until it says that it is ready.
func (m *manager) start() {
	m.t.Helper()
	m.now = startWith(m.t, m.sockets, []string{"LISTEN_FDS=" + strconv.Itoa(len(m.sockets)), "NOTIFY_SOCKET=" + m.notify.LocalAddr().String()}, m.args...)
	m.told("READY=1")
}

// stop asks the actor to end, and it must end well, having said so.
func (m *manager) stop() {
	m.t.Helper()
	m.now.cmd.Process.Signal(syscall.SIGTERM)
	m.told("STOPPING=1")
	select {
	case <-m.now.done:
	case <-time.After(20 * time.Second):
		m.t.Fatalf("does not end:\n%s", m.now.said)
	}
	if code := m.now.cmd.ProcessState.ExitCode(); code != 0 {
		m.t.Fatalf("exit code %d:\n%s", code, m.now.said)
	}
}

func (m *manager) told(want string) {
	m.t.Helper()
	m.notify.SetReadDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 256)
	n, err := m.notify.Read(b)
	if err != nil || string(b[:n]) != want {
		m.t.Fatalf("the manager was told %q, %v instead of %q:\n%s", b[:n], err, want, m.now.said)
	}
}

// clients ask without a pause until finish.
type clients struct {
	t    *testing.T
	once bool   // every request must be answered at the first try
	run  string // with which the ids of its requests begin
	ctx  context.Context
	end  context.CancelFunc
	all  sync.WaitGroup

	mu       sync.Mutex
	answered map[string]bool
}

// newClients starts bare clients, of which every other keeps its connection, and clients with Remote.
func newClients(t *testing.T, f country.Folder, l load, once bool) *clients {
	t.Helper()
	c := &clients{t: t, once: once, answered: map[string]bool{}, run: "restart-" + string(jitsuin.NewID())[:8] + "-"}
	c.ctx, c.end = context.WithCancel(t.Context())
	t.Cleanup(c.end)
	for i := range 12 {
		var ask func(ctx context.Context, id string, body any) error
		if i < 8 {
			b, err := newBare(t, f, l, i%2 == 0)
			if err != nil {
				t.Fatal(err)
			}
			ask = b.post
		} else {
			r := l.remote(t, f)
			ask = func(ctx context.Context, id string, body any) error {
				return r.Call(httpapi.WithRequestID(ctx, id), "POST", l.path, id, body, nil)
			}
		}
		c.all.Go(func() { c.work(i, l, ask) })
	}
	return c
}

func (c *clients) work(i int, l load, ask func(ctx context.Context, id string, body any) error) {
	for n := 0; c.ctx.Err() == nil; n++ {
		if i%4 == 0 { // its connection is idle for a while between two requests
			time.Sleep(15 * time.Millisecond)
		}
		id := fmt.Sprintf("%s%d-%d", c.run, i, n)
		body := l.body(i, id)
		for try := 0; ; try++ {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			err := ask(ctx, id, body)
			cancel()
			if err == nil {
				c.mu.Lock()
				c.answered[id] = true
				c.mu.Unlock()
				break
			}
			if refused := (*statusError)(nil); c.once || try == 20 || errors.As(err, &refused) && refused.status < 500 {
				c.t.Errorf("client %d, request %d, try %d: %v", i, n, try, err)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// goOn waits until n more requests have been answered.
func (c *clients) goOn(n int) {
	c.t.Helper()
	have := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.answered)
	}
	for before, deadline := have(), time.Now().Add(time.Minute); have() < before+n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatal("the clients are not answered")
		}
	}
}

// finish lets every client come to the end of its request.
func (c *clients) finish() map[string]bool {
	c.end()
	c.all.Wait()
	return c.answered
}
