package platform_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/platform/tlslogin"
)

// A certificate that comes after the time of its login logs nobody in, and the page says to begin anew; the handle is used up by it.
func TestACertificateThatComesLate(t *testing.T) {
	t.Parallel()
	b := withTLS(t, storetest.SQLite().Fresh(t))
	hanako, br := b.Agency.Resident("霧島　花子"), b.Browser()
	br.Open("/me?lang=en")
	link := begunTLS(t, br)
	b.sql(`UPDATE errands SET expires_at = $1`, store.Micros(time.Now().Add(-time.Second)))
	to, _, err := handshake(t, link, &hanako.Auth, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := br.Open(to); !strings.Contains(p.Body, `action="/me/login"`) || !strings.Contains(p.Body, `role="alert"`) || b.persons() != 0 {
		t.Errorf("HTTP %d, %d persons: %.800s", p.Status, b.persons(), p.Body)
	}
	if to, _, err := handshake(t, link, &hanako.Auth, nil); err != nil || !strings.HasSuffix(to, "?problem=present-used") {
		t.Errorf("led to %q: %v", to, err)
	}
}

// atPort says something on a connection of its own to the port, and gives all that is answered until the port hangs up.
func (b *bank) atPort(t *testing.T, link string, shown *platformtest.Credential, text string) (answers []int) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{InsecureSkipVerify: true}
	if shown != nil {
		c.Certificates = []tls.Certificate{{Certificate: [][]byte{shown.Cert.Raw}, PrivateKey: shown.Key}}
	}
	conn, err := (&tls.Dialer{Config: c}).DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go io.WriteString(conn, text) // the port may hang up in the middle
	for r := bufio.NewReader(conn); ; {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return answers
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, resp.StatusCode)
	}
}

// A connection carries one request, so what was shown for one login is never there for the next; and the port takes nothing that is long, or
// that a browser on its way would not send.
func TestThePortTakesOneSmallRequest(t *testing.T) {
	t.Parallel()
	b := withTLS(t, storetest.SQLite().Fresh(t))
	hanako, br, other := b.Agency.Resident("霧島　花子"), b.Browser(), b.Browser()
	first, second := begunTLS(t, br), begunTLS(t, other)
	get := func(link string) string {
		_, path, _ := strings.Cut(link, tlslogin.Path)
		return "GET " + tlslogin.Path + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"
	}
	if got := b.atPort(t, first, &hanako.Auth, get(first)+get(second)); len(got) != 1 || got[0] != http.StatusSeeOther {
		t.Errorf("two requests on one connection: %v", got)
	}
	var unanswered int
	if err := b.Platform.DB.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT COUNT(*) FROM errands WHERE act = 'present' AND answer = ''`).Scan(&unanswered)
	}); err != nil || unanswered != 1 {
		t.Errorf("%d logins are open, not the second alone: %v", unanswered, err)
	}
	for text, status := range map[string]int{
		strings.Replace(get(second), "GET", "POST", 1):                                                     http.StatusMethodNotAllowed,
		"GET /me HTTP/1.1\r\nHost: localhost\r\n\r\n":                                                      http.StatusNotFound,
		"GET /v1/requests/x HTTP/1.1\r\nHost: localhost\r\n\r\n":                                           http.StatusNotFound,
		"GET " + tlslogin.Path + "?handle=" + strings.Repeat("A", 40<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n": http.StatusRequestHeaderFieldsTooLarge,
	} {
		if got := b.atPort(t, second, &hanako.Auth, text); len(got) != 1 || got[0] != status {
			t.Errorf("%.40q: %v, not %d", text, got, status)
		}
	}
	if p := other.Open(func() string {
		to, _, err := handshake(t, second, &hanako.Auth, nil)
		if err != nil {
			t.Fatal(err)
		}
		return to
	}()); strings.Contains(p.Body, `action="/me/login"`) {
		t.Errorf("the second login was used up: HTTP %d %.300s", p.Status, p.Body)
	}
}

// What is wrong with the port's settings is said at the start.
func TestThePortsSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own := filepath.Join(dir, "own.pem")
	if err := tlslogin.DrawOwn(own, "localhost", time.Now()); err != nil {
		t.Fatal(err)
	}
	nothing := filepath.Join(dir, "nothing.pem")
	if err := os.WriteFile(nothing, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := platformtest.New(t, storetest.SQLite().Fresh(t), nil)
	for _, c := range []struct {
		says string
		c    platform.TLSLoginConfig
		good bool
	}{
		{"of our own making", platform.TLSLoginConfig{Listen: "127.0.0.1:0"}, true},
		{"a file", platform.TLSLoginConfig{Listen: "127.0.0.1:0", Origin: "https://login.example", Certificate: own, Key: own}, true},
		{"our own making for the world", platform.TLSLoginConfig{Listen: "127.0.0.1:0", Origin: "https://login.example"}, false},
		{"plain http", platform.TLSLoginConfig{Listen: "127.0.0.1:0", Origin: "http://localhost"}, false},
		{"an origin with a path", platform.TLSLoginConfig{Listen: "127.0.0.1:0", Origin: "https://localhost/card"}, false},
		{"a certificate without key", platform.TLSLoginConfig{Listen: "127.0.0.1:0", Certificate: own}, false},
		{"a file that is none", platform.TLSLoginConfig{Listen: "127.0.0.1:0", Certificate: nothing, Key: nothing}, false},
	} {
		cfg := platform.Config{Config: w.Config(platformtest.ID, storetest.SQLite().Fresh(t)), TLSLogin: c.c}
		p, err := platform.New(t.Context(), cfg)
		if (err == nil) != c.good {
			t.Errorf("%s: %v", c.says, err)
		}
		if err == nil {
			p.Close()
		}
	}
}

// Without the port there is no second way.
func TestWithoutThePort(t *testing.T) {
	t.Parallel()
	b := open(t, storetest.SQLite().Fresh(t), nil)
	br := b.Browser()
	if p := br.Open("/me?lang=en"); strings.Contains(p.Body, "in this browser") {
		t.Error("it is offered")
	}
	if p := br.Post("/me/login", url.Values{"way": {"tls"}}); p.Status != http.StatusNotFound {
		t.Errorf("HTTP %d", p.Status)
	}
}
