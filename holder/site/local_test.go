package site_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/pcscdtest"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// local runs the holder of a person's own computer, and gives its origin.
func (w *world) local(offered ...string) string {
	w.t.Helper()
	c := w.Config("holder:1", "sqlite::memory:")
	l := site.Local{Listen: platformtest.FreeAddress(w.t), Directory: c.Directory, DirectoryKey: c.DirectoryKey, State: filepath.Join(w.t.TempDir(), "state"),
		Cards: filepath.Join(w.data, "cards"), Offered: offered, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	s, err := site.NewLocal(w.t.Context(), l)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Run(s)
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Log(w.log)
		}
	})
	return "http://" + l.Listen
}

// ours is a browser without script that says what a browser says of where a request comes from.
func (w *world) ours() *person {
	p := w.person()
	p.http.Transport = saysWhence{}
	return p
}

type saysWhence struct{}

func (saysWhence) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		r.Header.Set("Origin", "http://"+r.URL.Host)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// at gives the address at which a local holder shows a request.
func at(local string, m client.MadeRequest) string {
	return local + "/request?request_uri=" + url.QueryEscape(m.URI)
}

func TestALocalHolderAnswersWithTheCardThatItIsGiven(t *testing.T) {
	t.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(t.TempDir(), "no-pcscd"))
	w := newWorld(t, plan{})
	local := w.local(string(w.Good.ID))
	p := w.ours()
	p.open(local + "/")
	p.on("このパソコンのカード", "霧島　花子", "カードリーダーのサービスが動いていません", w.Origin, "残り3回")
	for _, link := range []string{"/phones", "/lost", "/sandbox/approvals"} { // of the wallet of a country
		if p.open(local + link); p.code != http.StatusNotFound {
			t.Errorf("%s: HTTP %d", link, p.code)
		}
	}
	p.open(at(local, w.request("login", nil)))
	p.on("ログインの依頼", "霧島　花子", "カードリーダーのサービスが動いていません")
	p.send("", "card", string(w.Good.ID))
	p.on("4桁の暗証番号の入力", "あと3回入力できます", `autocomplete="one-time-code"`)
	p.send("", "pin", "9753")
	p.on("4桁の暗証番号の入力", "あと2回")
	p.send("", "pin", "97%53")
	p.on("4桁の暗証番号の入力", "あと2回") // no PIN, and no try
	p.send("", "pin", holdertest.AuthPIN)
	p.on("本人であることを示しました")
	if a := w.only(); a.Error != "" {
		t.Errorf("the firm got %+v", a)
	}
	p.open(local + "/")
	p.on("このパソコンのカード", "送信済み")
	for _, pin := range []string{"9753", "pin=", "97%53"} {
		if shows(w.log.String(), pin) {
			t.Errorf("the log has %q", pin)
		}
	}
}

// A document is signed with the letters of the password as they were typed, and with an escape in the form.
func TestALocalHolderSigns(t *testing.T) {
	t.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(t.TempDir(), "no-pcscd"))
	w := newWorld(t, plan{})
	p := w.ours()
	p.open(at(w.local(string(w.Good.ID)), w.request("pdf", nil)))
	p.send("", "card", string(w.Good.ID))
	link := *p.at
	resp, err := p.http.Post(link.String(), "application/x-www-form-urlencoded", strings.NewReader("other=1&pin=%61bc%31"+"23"))
	p.take(resp, err)
	p.on("書面を読んでから署名してください")
	p.send("")
	p.on("署名を送りました")
	if a := w.only(); len(a.Signature) == 0 {
		t.Errorf("the firm got %+v", a)
	}
}

func TestALocalHolderListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"0.0.0.0:8390", ":8390", "192.0.2.1:8390", "[::]:8390", "example.com:8390", "localhost:8390"} {
		_, err := site.NewLocal(t.Context(), site.Local{Listen: listen})
		if code := jitsuin.CodeOf(err); code != "listen-foreign" {
			t.Errorf("%s: %q %v", listen, code, err)
		}
	}
	for _, listen := range []string{"127.0.0.1", "127.0.0.1:0", "127.0.0.1:http"} {
		_, err := site.NewLocal(t.Context(), site.Local{Listen: listen})
		if code := jitsuin.CodeOf(err); code != "listen" {
			t.Errorf("%s: %q %v", listen, code, err)
		}
	}
}

// What pages of others can have a browser send is refused before anything is done, and nothing tells them that it was there.
func TestALocalHolderRefusesOtherSites(t *testing.T) {
	t.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(t.TempDir(), "no-pcscd"))
	w := newWorld(t, plan{})
	local := w.local(string(w.Good.ID))
	m := w.request("login", nil)
	p := w.ours()
	p.open(at(local, m))
	p.on("ログインの依頼")
	choose := local + p.flow("")
	form := "card=" + string(w.Good.ID)
	ours := http.Header{"Origin": {local}, "Sec-Fetch-Site": {"same-origin"}}
	for name, c := range map[string]struct {
		method, link, host string
		header             http.Header
		want               int
	}{
		"our own page":                {"POST", choose, "", ours, http.StatusOK},
		"a person who is led here":    {"GET", at(local, m), "", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}, http.StatusOK},
		"a foreign name":              {"GET", local + "/", "rebound.example:8390", nil, http.StatusForbidden},
		"a foreign name, other route": {"GET", local + "/openapi.json", "rebound.example", nil, http.StatusForbidden},
		"localhost":                   {"GET", local + "/", "localhost" + local[strings.LastIndex(local, ":"):], nil, http.StatusForbidden},
		"a form of a foreign name":    {"POST", choose, "rebound.example", http.Header{"Origin": {"http://rebound.example"}, "Sec-Fetch-Site": {"same-origin"}}, http.StatusForbidden},
		"a form of another site":      {"POST", choose, "", http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		"a form of another port":      {"POST", choose, "", http.Header{"Origin": {"http://127.0.0.1:3000"}, "Sec-Fetch-Site": {"same-site"}}, http.StatusForbidden},
		"a form of nobody":            {"POST", choose, "", nil, http.StatusForbidden},
		"a form of a hidden origin":   {"POST", choose, "", http.Header{"Origin": {"null"}}, http.StatusForbidden},
		"a picture in another page":   {"GET", at(local, m), "", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"image"}}, http.StatusForbidden},
		"a frame in another page":     {"GET", at(local, m), "", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"iframe"}}, http.StatusForbidden},
		"a script of another port":    {"GET", local + "/", "", http.Header{"Origin": {"http://127.0.0.1:3000"}, "Sec-Fetch-Site": {"same-site"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}}, http.StatusForbidden},
		"a preflight":                 {"OPTIONS", choose, "", http.Header{"Origin": {"https://evil.example"}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Private-Network": {"true"}}, http.StatusForbidden},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, c.link, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		req.Header = c.header.Clone()
		if req.Header == nil {
			req.Header = http.Header{}
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := (&http.Client{Jar: p.http.Jar}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: HTTP %d, want %d\n%s", name, resp.StatusCode, c.want, page)
		}
		for header := range resp.Header {
			if strings.HasPrefix(header, "Access-Control-") {
				t.Errorf("%s: the answer has %s", name, header)
			}
		}
		if c.want == http.StatusForbidden && strings.Contains(string(page), "霧島") {
			t.Errorf("%s: the refusal shows a card", name)
		}
	}
}

// Only requests of the platforms that the program was told to trust are opened.
func TestALocalHolderOpensSignedRequestsOnly(t *testing.T) {
	t.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(t.TempDir(), "no-pcscd"))
	w := newWorld(t, plan{})
	local := w.local(string(w.Good.ID))
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a platform that nobody trusts was asked") }))
	defer elsewhere.Close()
	for name, c := range map[string]struct {
		forge   func(api.RequestClaims) string
		heading string
	}{
		"no signature": {func(api.RequestClaims) string { return "eyJhbGciOiJub25lIn0.e30." }, "この依頼は信用できません"},
		"a stranger's": {func(c api.RequestClaims) string { return w.signed(c, stranger, api.TypeRequest) }, "この依頼は信用できません"},
		"an answer elsewhere": {func(c api.RequestClaims) string {
			c.ResponseURI = elsewhere.URL
			return w.signed(c, w.Platform.Self.Key, api.TypeRequest)
		}, "受け付けられない"},
		"expired": {func(c api.RequestClaims) string {
			c.IssuedAt, c.ExpiresAt = c.IssuedAt-100, time.Now().Unix()-1
			return w.signed(c, w.Platform.Self.Key, api.TypeRequest)
		}, "期限が過ぎました"},
	} {
		m := w.request("login", nil)
		w.put(m, c.forge(w.claims(m)))
		p := w.ours()
		p.open(at(local, m))
		if !strings.Contains(p.heading(), c.heading) || p.code < 400 || strings.Contains(p.page, "霧島") {
			t.Errorf("%s: %d %q", name, p.code, p.heading())
		}
	}
	p := w.ours()
	p.open(local + "/request?request_uri=" + url.QueryEscape(elsewhere.URL+"/v1/holder-requests/"+string(jitsuin.NewID())))
	p.on("この依頼は開けません")
}

// A card that lies in a reader, is taken out while a person is at it, and comes back; and one of another kind.
func TestALocalHolderSeesReaders(t *testing.T) {
	pcscd := pcscdtest.Start(t)
	t.Setenv("PCSCLITE_CSOCK_NAME", pcscd.Socket())
	w := newWorld(t, plan{})
	local := w.local()
	data := t.TempDir()
	channel, err := host.OpenLocal(t.Context(), filepath.Join(data, "cards"), w.cards.Card(t, data, holdertest.Order{}).ID, host.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer channel.Close()
	p := w.ours()
	m := w.request("login", nil)
	p.open(at(local, m))
	p.on("ログインの依頼", "使えるカードがありません", "カードがありません")
	remove := pcscd.Insert(0, channel)
	pcscdtest.AwaitCard(t)
	p.open(at(local, m))
	p.on("ログインの依頼", "カードリーダー「Virtual PCD 00 00」のカード")
	p.send(p.flow(""), "card", "pcsc:Virtual PCD 00 00")
	p.on("4桁の暗証番号の入力", "あと3回")
	remove()
	w.await("the removal", func() bool { p.open(at(local, m)); return p.code >= 400 })
	if strings.Contains(p.heading(), "想定") || p.heading() == "" {
		t.Errorf("the page of a card that is gone: %q", p.heading())
	}
	p.send(p.flow("") + "/another")
	p.on("ログインの依頼", "使えるカードがありません")
	remove = pcscd.Insert(0, otherKind{channel})
	pcscdtest.AwaitCard(t)
	p.open(local + "/")
	p.on("このパソコンのカード", "マイナンバーカードではありません")
	p.open(at(local, m))
	p.on("ログインの依頼", "使えるカードがありません", "マイナンバーカードではありません")
	remove()
}

// otherKind is a card on which nothing is found.
type otherKind struct{ reader.Card }

func (otherKind) Transmit(context.Context, []byte) ([]byte, error) { return []byte{0x6A, 0x82}, nil }
