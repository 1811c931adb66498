package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// recorder is an observer that remembers.
type recorder struct {
	mu    sync.Mutex
	begun int
	seen  []httpapi.Answered
}

func (r *recorder) Begun() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun++
}

func (r *recorder) Answered(a httpapi.Answered) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, a)
}

func TestAnObserverLearnsRoutesAndProblemsButNoPath(t *testing.T) {
	w := newWorld(t)
	o := &recorder{}
	w.api.Raw("GET /things/{id}", httpapi.Public("a test"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("a thing")) }))
	w.api.Raw("GET /panic", httpapi.Public("a test"), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no") }))
	w.api.Observe(o)
	server := httptest.NewServer(w.api.Handler())
	defer server.Close()
	for _, c := range []struct {
		method, path, route, kind, code string
		status                          int
	}{
		{"GET", "/things/secret-name", "GET /things/{id}", "", "", 200},
		{"HEAD", "/things/secret-name", "GET /things/{id}", "", "", 200},
		{"GET", "/nothing/secret-name", "none", "not-found", "no-problem-document", 404},
		{"GET", "/panic", "GET /panic", "internal", "internal", 500},
		{"POST", "/echo", "POST /echo", "unauthenticated", "token-missing", 401},
	} {
		req, err := http.NewRequest(c.method, server.URL+c.path, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		o.mu.Lock()
		got := o.seen[len(o.seen)-1]
		o.mu.Unlock()
		if got.Took <= 0 {
			t.Errorf("%s %s took %v", c.method, c.path, got.Took)
		}
		got.Took = 0
		if want := (httpapi.Answered{Method: c.method, Route: c.route, Status: c.status, Kind: c.kind, Code: c.code}); got != want {
			t.Errorf("%s %s: %+v, want %+v", c.method, c.path, got, want)
		}
	}
	if o.begun != len(o.seen) {
		t.Errorf("%d requests begun, %d answered", o.begun, len(o.seen))
	}
}

func TestACalleeThatDoesNotAnswerIsCounted(t *testing.T) {
	w := newWorld(t)
	r := httpapi.NewRemote(w.town, w.dir, "jlis:1")
	times := 0
	r.OnUnreachable(func() { times++ })
	if err := r.Call(t.Context(), "POST", "/echo", "", word{"hello"}, nil); err != nil || times != 0 {
		t.Fatalf("%d times, %v", times, err)
	}
	w.server.Close()
	if err := r.Call(t.Context(), "POST", "/echo", "", word{"hello"}, nil); err == nil || times != 1 {
		t.Errorf("%d times, %v", times, err)
	}
}
