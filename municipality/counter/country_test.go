package counter_test

import (
	"context"
	"errors"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// land is one small country for all tests of the package: each takes residents of its own.
type land struct {
	folder country.Folder
	sample people.Country
	log    *logged

	mu    sync.Mutex
	taken map[jitsuin.ID]bool
}

// logged is all that the actors have logged.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var started struct {
	sync.Once
	land *land
	err  error
	stop func() error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if started.stop != nil {
		if err := started.stop(); err != nil {
			slog.Error("the country did not end well", "err", err)
			code = 1
		}
	}
	os.Exit(code)
}

// theLand gives the country, which the first test starts.
func theLand(t *testing.T) *land {
	t.Helper()
	started.Do(func() { started.land, started.stop, started.err = start() })
	if started.err != nil {
		t.Fatal(started.err)
	}
	return started.land
}

func start() (*land, func() error, error) {
	dir, err := os.MkdirTemp("", "jitsuin-counter-")
	if err != nil {
		return nil, nil, err
	}
	port, err := freeport.Find()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	log := &logged{}
	ready, ended := make(chan country.Folder, 1), make(chan error, 1)
	go func() {
		ended <- country.Up(ctx, country.Options{Data: dir, Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Quick: true, Seed: 1,
			Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Ready: func(f country.Folder) { ready <- f }})
	}()
	stop := func() error {
		cancel()
		err := <-ended
		if e := os.RemoveAll(dir); err == nil {
			err = e
		}
		return err
	}
	select {
	case f := <-ready:
		facts, err := f.Facts()
		return &land{folder: f, log: log, sample: facts.Sample(), taken: map[jitsuin.ID]bool{}}, stop, err
	case err := <-ended:
		cancel()
		return nil, nil, err
	case <-time.After(5 * time.Minute):
		return nil, nil, errors.Join(errors.New("the country does not come to life"), stop())
	}
}

// grownUp takes a resident of a town whom no other test has: a national of full age.
func (l *land) grownUp(t *testing.T, code jitsuin.MunicipalityCode) people.Resident {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.sample.Residents {
		if r.Municipality == code && !l.taken[r.ID] && r.Nationality == "JP" && !r.AdultWard && r.Items.BirthDate.Year < 2000 {
			l.taken[r.ID] = true
			return r
		}
	}
	t.Fatal("nobody is left")
	return people.Resident{}
}

// child takes a resident who is too young for the signature certificate.
func (l *land) child(t *testing.T, code jitsuin.MunicipalityCode) people.Resident {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.sample.Residents {
		if r.Municipality == code && !l.taken[r.ID] && r.Nationality == "JP" && r.Items.BirthDate.Year > 2013 {
			l.taken[r.ID] = true
			return r
		}
	}
	t.Fatal("no child is left")
	return people.Resident{}
}

// towns are two of the country's.
func (l *land) towns() (here, there people.Municipality) {
	return l.sample.Municipalities[0], l.sample.Municipalities[1]
}

// link gives a fresh sign-in link, as the command does.
func (l *land) link(t *testing.T, code jitsuin.MunicipalityCode, clerk string) string {
	t.Helper()
	link, err := municipality.TicketLink(t.Context(), l.folder.ConfigPath(country.Town(code)), clerk)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// api is the town's API, to see what the pages have done.
func (l *land) api(t *testing.T, code jitsuin.MunicipalityCode) api.Client {
	t.Helper()
	r, err := l.folder.Remote(country.Counter(code), country.Town(code))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return api.Client{Remote: r}
}

// today is the day in civil time.
func (l *land) today(t *testing.T) jitsuin.Date {
	t.Helper()
	now, err := l.folder.Civil(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return jitsuin.DateOf(now)
}
