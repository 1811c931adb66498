package webtest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
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

// What was found on a page that is just being left is looked for on the next one.
func TestAPageThatIsBeingLeft(t *testing.T) {
	const fleeting = `<!doctype html><html lang="en"><head><title>A page</title></head><body><main><h1>A page</h1><div id="old">CONTROL</div></main><script>
const old = document.getElementById("old"), copy = old.cloneNode(true);
new MutationObserver(() => { old.remove(); setTimeout(() => document.querySelector("main").append(copy), 100); }).observe(old, {subtree: true, attributes: true, attributeFilter: ["data-webtest"]});
</script></body></html>`
	controls := map[string]string{
		"/click": `<form action="/next"><input type="hidden" name="n" value="clicked"><button>Go on</button></form>`,
		"/fill":  `<label for="n">Name</label><input id="n" oninput="document.querySelector('h1').textContent = 'Hello ' + this.value">`,
		"/tick":  `<label for="n">Yes</label><input id="n" type="checkbox" onchange="document.querySelector('h1').textContent = 'Hello ticked'">`,
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/next" {
			w.Write([]byte(`<!doctype html><html lang="en"><head><title>x</title></head><body><main><h1>Hello ` + r.FormValue("n") + `</h1></main></body></html>`))
			return
		}
		w.Write([]byte(strings.Replace(fleeting, "CONTROL", controls[r.URL.Path], 1)))
	}))
	defer s.Close()
	b := New(t, "en", 1280)
	for path, do := range map[string]func(){"/click": func() { b.Click("Go on") }, "/fill": func() { b.Fill("Name", "filled") }, "/tick": func() { b.Tick("Yes") }} {
		b.Open(s.URL + path)
		patience := b.Wait
		b.Wait = 20 * time.Second // a quarter of it is waited for what is gone
		do()
		b.Wait = patience
		b.See("Hello " + strings.TrimPrefix(path, "/") + "ed")
	}
}
