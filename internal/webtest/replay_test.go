package webtest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
)

// A browser that ends in the midst of a piece costs the piece and not the test; what is wrong with a page costs the test.
func TestAPieceIsPlayedAgain(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("<!doctype html><title>hello</title><h1>hello</h1>"))
	}))
	defer s.Close()
	played := 0
	Replay(t, func(a testing.TB) {
		played++
		d := NewDesktop(a)
		b := d.Browser("en")
		b.Open(s.URL)
		if played == 1 {
			chromedp.FromContext(b.ctx).Browser.Process().Kill()
		}
		b.See("hello")
		b.Open(s.URL)
		d.Await("hello")
	})
	if played < 2 { // more where it also ended by itself
		t.Errorf("played %d times", played)
	}
}
