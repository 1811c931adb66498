package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

func TestReadiness(t *testing.T) {
	w := newWorld(t)
	wrong := false
	w.api.Ready("feed", func(context.Context) error {
		if wrong {
			return jitsuin.Errorf(jitsuin.Unavailable, "gap", "the feed has a gap")
		}
		return nil
	})
	for _, want := range []int{200, 503} {
		resp, err := http.Get(w.server.URL + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("readyz %d, want %d", resp.StatusCode, want)
		}
		wrong = true
	}
}

func TestReadinessTellsEverybodyNothingOfTheInside(t *testing.T) {
	w := newWorld(t)
	w.api.Ready("database", func(context.Context) error { return io.ErrUnexpectedEOF })
	w.api.Ready("feed", func(context.Context) error { return jitsuin.Errorf(jitsuin.Unavailable, "gap", "the feed has a gap") })
	resp, err := http.Get(w.server.URL + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	if body := string(raw); strings.Contains(body, "EOF") || !strings.Contains(body, `"database"`) || !strings.Contains(body, "the feed has a gap") {
		t.Errorf("readyz says %s", body)
	}
	if !strings.Contains(w.lines.String(), "EOF") {
		t.Error("the log does not say what is wrong")
	}
}

func TestACauseFromOutsideIsNotShown(t *testing.T) {
	inner := errors.New("failed to connect to `user=jitsuin database=jlis`")
	for _, c := range []struct {
		err  error
		want string
	}{
		{jitsuin.Errorf(jitsuin.Unavailable, "database-unavailable", "begin a transaction: %w", inner), "begin a transaction"},
		{jitsuin.Errorf(jitsuin.Unavailable, "waits", "try later: %w", jitsuin.Errorf(jitsuin.Unavailable, "gap", "the feed has a gap")), "try later: the feed has a gap"},
		{jitsuin.Errorf(jitsuin.Invalid, "pin-wrong", "%w", errors.New("the PIN is wrong, 2 tries left")), "the PIN is wrong, 2 tries left"},
	} {
		if got := httpapi.ProblemOf(t.Context(), c.err).Detail; got != c.want {
			t.Errorf("%q is shown as %q", c.err, got)
		}
	}
}

// What huma offers beside our routes is the description alone, and every way around a route's policy ends at it.
func TestThereIsNoWayAroundThePolicies(t *testing.T) {
	w := newWorld(t)
	w.api.Raw("GET /secret", httpapi.Roles("municipality"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("the secret")) }))
	body := `{"word":"hello"}`
	for _, c := range []struct {
		method, path, media string
		want                int
	}{
		{"GET", "/openapi.json", "", 200}, {"GET", "/openapi.yaml", "", 200},
		{"GET", "/docs", "", 404}, {"GET", "/schemas/Problem.json", "", 404}, {"GET", "/schemas", "", 404},
		{"POST", "/echo", "application/json", 401}, {"POST", "/echo", "application/cbor", 401}, {"POST", "/echo", "text/plain", 401}, {"POST", "/echo", "", 401},
		{"GET", "/echo", "", 405}, {"HEAD", "/echo", "", 405}, {"OPTIONS", "/echo", "", 405}, {"PUT", "/echo", "application/json", 405},
		{"POST", "/echo/", "application/json", 404}, {"POST", "/Echo", "application/json", 404},
		{"GET", "/secret", "", 401}, {"HEAD", "/secret", "", 401}, {"POST", "/secret", "", 405}, {"GET", "/secret/", "", 404}, {"GET", "/%73ecret", "", 401},
		{"GET", "/healthz/../secret", "", 401},
	} {
		req, err := http.NewRequest(c.method, w.server.URL+c.path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if c.media != "" {
			req.Header.Set("Content-Type", c.media)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.want || strings.Contains(string(raw), "the secret") {
			t.Errorf("%s %s as %q: %d, want %d", c.method, c.path, c.media, resp.StatusCode, c.want)
		}
	}
}

// A request id goes into logs, events and other actors' requests: only a plain word is taken over.
func TestRequestIDsThatAreNoPlainWordAreReplaced(t *testing.T) {
	w := newWorld(t)
	for id, taken := range map[string]bool{
		"0123456789abcdef0123456789abcdef": true, "an-act_OF-1": true,
		"short": false, "two words here": false, `forged" level=ERROR`: false, "\u202eabcdefgh": false, strings.Repeat("a", 65): false, "1234567\t8": false,
	} {
		req, err := http.NewRequest("GET", w.server.URL+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Request-Id", id)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		got := resp.Header.Get("X-Request-Id")
		if (got == id) != taken || len(got) < 8 || !strings.Contains(w.lines.String(), "request_id="+got) {
			t.Errorf("%q became %q", id, got)
		}
		if !taken && strings.Contains(w.lines.String(), id) {
			t.Errorf("%q stands in the log", id)
		}
	}
}
