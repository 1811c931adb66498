package webtest

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

const page = `<!doctype html><html lang="en"><head><title>A page</title></head><body><main><h1>A page</h1>
<form action="/next"><label for="n">Name</label><input id="n" name="n"><button>Go on</button></form></main></body></html>`

func TestABrowserPlaysAPage(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(page)) })
	mux.HandleFunc("/next", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`<!doctype html><html lang="en"><head><title>x</title></head><body><main><h1>Hello ` + r.FormValue("n") + `</h1></main></body></html>`))
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	b := New(t, "en", 1280)
	b.Open(s.URL)
	b.Axe()
	b.FitsWidth(360)
	b.Fill("Name", "Hanako")
	b.Click("Go on")
	b.See("Hello Hanako")
	b.NotSee("A page")
	b.Open(s.URL)
	b.TabTo("Name")
	b.Press("Taro")
	b.Keyboard("Go on")
	b.See("Hello Taro")
}
