package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/metrics"
)

// show reads the page.
func show(t *testing.T, s *metrics.Set) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func has(t *testing.T, page string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(page, "\n"+line+"\n") {
			t.Errorf("the page lacks %s", line)
		}
	}
}

var temperature = metrics.NewGauge("test_temperature", "Of a test.", "room")

func TestAReaderThatFailsLeavesTheOthers(t *testing.T) {
	var log bytes.Buffer
	s := metrics.New("jlis:1", "jlis", slog.New(slog.NewTextHandler(&log, nil)))
	asked := 0
	s.Read("thermometer", func(_ context.Context, w *metrics.Writer) error {
		asked++
		w.Set(temperature, 21, "hall")
		return errors.New("the cellar is locked")
	})
	s.Read("another", func(_ context.Context, w *metrics.Writer) error { w.Bool(temperature, true, "attic"); return nil })
	if asked != 0 {
		t.Error("a reader was asked before anybody looked")
	}
	show(t, s)
	page := show(t, s) // the failure of the first look is on the second page
	has(t, page, `jitsuin_test_temperature{room="hall"} 21`, `jitsuin_test_temperature{room="attic"} 1`)
	if asked != 2 || !strings.Contains(page, `jitsuin_metrics_reader_failures_total{reader="thermometer"}`) || strings.Contains(page, `{reader="thermometer"} 0`) {
		t.Errorf("asked %d times:\n%s", asked, page)
	}
	has(t, page, `jitsuin_metrics_reader_failures_total{reader="another"} 0`)
	if !strings.Contains(log.String(), "the cellar is locked") || strings.Contains(page, "cellar") {
		t.Error("the reason belongs into the log and nowhere else")
	}
}

func TestLabelsStayBoundedWhateverIsSent(t *testing.T) {
	s := metrics.New("jlis:1", "jlis", slog.New(slog.DiscardHandler))
	f := s.NewRequests().Face("jlis:1")
	for i := range 1000 {
		f.Begun()
		f.Answered(httpapi.Answered{Method: fmt.Sprintf("M%d", i), Route: "GET /things/{id}", Status: 404, Took: time.Millisecond, Kind: "not-found", Code: "code-" + strings.Repeat("x", i%40) + string(rune('a'+i%26))})
	}
	for _, code := range []string{"例川花子", "a b", `x"y`, strings.Repeat("a", 100), "code-123456789012"} {
		f.Begun()
		f.Answered(httpapi.Answered{Method: "GET", Route: "GET /things/{id}", Status: 500, Kind: "internal", Code: code})
	}
	page := show(t, s)
	has(t, page, `jitsuin_http_requests_total{face="jlis:1",method="other",route="/things/{id}",status="4xx"} 1000`,
		`jitsuin_http_problems_total{code="other",face="jlis:1",kind="internal"} 5`, `jitsuin_http_requests_in_flight{face="jlis:1"} 0`)
	if n := strings.Count(page, "jitsuin_http_problems_total{"); n > 302 || n < 100 {
		t.Errorf("%d codes are told apart", n)
	}
}
