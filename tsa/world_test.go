package tsa

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

var document = []byte("a document whose digest the authority sees\n")

// clocks are the machine's clocks as a test sets them.
type clocks struct {
	mu sync.Mutex
	r  Reading
}

func newClocks() *clocks { return &clocks{r: Reading{Wall: time.Now().Round(0)}} }

func (c *clocks) read() Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.r
}

// pass lets time pass; step sets the wall clock.
func (c *clocks) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.r.Wall, c.r.Elapsed = c.r.Wall.Add(d), c.r.Elapsed+d
}

func (c *clocks) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.r.Wall = c.r.Wall.Add(d)
}

// world is the folder of one authority, which can be started several times.
type world struct {
	t      testing.TB
	config Config
	url    string
}

func newWorld(t testing.TB, database string) *world {
	t.Helper()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	key, err := actor.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	self := httpapi.Identity{ID: "tsa:1", Key: key}
	signed, err := httpapi.SignDirectory(key, []httpapi.Instance{self.Public("http://" + address)})
	if err != nil {
		t.Fatal(err)
	}
	if database == "" {
		database = in("db.sqlite")
	}
	for _, err := range []error{os.WriteFile(in("directory.jws"), signed, 0o600), actor.WriteKey(in("key.pem"), key),
		actor.WritePublicKey(in("operator.pem"), &key.PublicKey), os.WriteFile(in("passphrase"), []byte("correct horse\n"), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return &world{t: t, url: "http://" + address, config: Config{Log: slog.New(slog.DiscardHandler), PassphraseFile: in("passphrase"),
		Config: actor.Config{Instance: "tsa:1", Listen: address, Database: database, State: in("state"), Key: in("key.pem"),
			Directory: in("directory.jws"), DirectoryKey: in("operator.pem")}}}
}

// start runs the authority until stop is called, at the latest until the test ends.
func (w *world) start() (a *TSA, stop func()) {
	w.t.Helper()
	a, err := New(context.Background(), w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	select {
	case <-a.Started():
	case err := <-ended:
		w.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(stop)
	return a, stop
}

// stamp asks for a time-stamp over the document.
func (w *world) stamp() (*tsp.Token, error) {
	sum := sha256.Sum256(document)
	c := tsp.Client{URL: w.url}
	return c.Stamp(w.t.Context(), crypto.SHA256, sum[:])
}

func (w *world) mustStamp() *tsp.Token {
	w.t.Helper()
	token, err := w.stamp()
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// failure gives the failure with which a request is refused, "" where it is granted.
func failure(err error) string {
	var r *tsp.Refusal
	if errors.As(err, &r) {
		return r.Failure.String()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// get reads a page; the status is part of it.
func (w *world) get(path string) (int, []byte) {
	w.t.Helper()
	resp, err := http.Get(w.url + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, body
}

// post sends octets as a request.
func (w *world) post(kind string, query []byte) (int, []byte) {
	w.t.Helper()
	resp, err := http.Post(w.url, kind, bytes.NewReader(query))
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, body
}

// openssl asks the judge; without it the test is skipped loudly, in CI it fails.
func openssl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the judge openssl is not installed")
		}
		t.Skip("SKIPPED: the judge openssl is not installed; nobody outside has looked at this")
	}
	out, err := exec.CommandContext(t.Context(), "openssl", args...).CombinedOutput()
	return string(out), err
}

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
