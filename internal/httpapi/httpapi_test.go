package httpapi_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

func identity(t testing.TB, id string) httpapi.Identity {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return httpapi.Identity{ID: id, Key: k}
}

// world is a callee "jlis:1" with a town that may call it and a service that may not.
type world struct {
	operator            *ecdsa.PrivateKey
	jlis, town, service httpapi.Identity
	dir                 *httpapi.Directory
	path                string
	server              *httptest.Server
	api                 *httpapi.API
	lines               *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type echoIn struct {
	Body struct {
		Word string `json:"word" minLength:"2"`
	}
}
type echoOut struct {
	Body struct {
		Word, Caller, Request string
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{jlis: identity(t, "jlis:1"), town: identity(t, "municipality:91201"), service: identity(t, "service:x"), lines: &lockedBuffer{}}
	w.operator = identity(t, "operator").Key
	log := slog.New(slog.NewTextHandler(w.lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	w.path = filepath.Join(t.TempDir(), "directory.jws")
	w.writeDirectory(t, w.operator)
	var err error
	if w.dir, err = httpapi.OpenDirectory(w.path, &w.operator.PublicKey); err != nil {
		t.Fatal(err)
	}
	w.api = httpapi.NewAPI("test", "1", httpapi.NewIssuer(w.jlis, httpapi.FromDirectory(w.dir)), log)
	httpapi.Register(w.api, httpapi.Operation{ID: "echo", Method: "POST", Path: "/echo", Policy: httpapi.Roles("municipality")},
		func(ctx context.Context, in *echoIn) (*echoOut, error) {
			switch in.Body.Word {
			case "secret failure":
				return nil, io.ErrUnexpectedEOF
			case "refuse":
				return nil, jitsuin.Errorf(jitsuin.Conflict, "already-there", "there is one already").WithHint("take that one").At("word")
			case "panic":
				panic("1234 is the PIN")
			}
			out := &echoOut{}
			out.Body.Word, out.Body.Caller, out.Body.Request = in.Body.Word, httpapi.CallerOf(ctx).ID, httpapi.RequestID(ctx)
			return out, nil
		})
	mux.Handle("/", w.api.Handler())
	return w
}

func (w *world) writeDirectory(t testing.TB, key *ecdsa.PrivateKey, more ...httpapi.Instance) {
	t.Helper()
	raw, err := httpapi.SignDirectory(key, append([]httpapi.Instance{w.jlis.Public(w.server.URL), w.town.Public(""), w.service.Public("")}, more...))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

type word struct {
	Word string `json:"word"`
}
type echoed struct{ Word, Caller, Request string }

func TestCallCarriesWhoAsksAndTheRequestID(t *testing.T) {
	w := newWorld(t)
	r := httpapi.NewRemote(w.town, w.dir, "jlis:1")
	ctx := httpapi.WithRequestID(t.Context(), "act-0123456789")
	got, err := httpapi.Do[echoed](ctx, r, "POST", "/echo", "", word{"こんにちは"})
	if err != nil {
		t.Fatal(err)
	}
	if got != (echoed{"こんにちは", "municipality:91201", "act-0123456789"}) {
		t.Fatalf("got %+v", got)
	}
	if !strings.Contains(w.lines.String(), "act-0123456789") {
		t.Fatal("the log does not name the request")
	}
}

func TestErrorsCrossTheWireAsTheyAre(t *testing.T) {
	w := newWorld(t)
	town := httpapi.NewRemote(w.town, w.dir, "jlis:1")
	for _, c := range []struct {
		name, word string
		remote     *httpapi.Remote
		kind       jitsuin.Kind
		code       string
	}{
		{"a refusal of the domain", "refuse", town, jitsuin.Conflict, "already-there"},
		{"a schema violation", "x", town, jitsuin.Invalid, "request-form"},
		{"an inner failure shows nothing", "secret failure", town, jitsuin.Internal, "internal"},
		{"a panic shows nothing", "panic", town, jitsuin.Internal, "internal"},
		{"a caller of another role", "hello", httpapi.NewRemote(w.service, w.dir, "jlis:1"), jitsuin.Denied, "not-for-this-caller"},
		{"a caller with a foreign key", "hello", httpapi.NewRemote(identity(t, "municipality:91201"), w.dir, "jlis:1"), jitsuin.Unauthenticated, "assertion"},
		{"a caller nobody knows", "hello", httpapi.NewRemote(identity(t, "municipality:99999"), w.dir, "jlis:1"), jitsuin.Unauthenticated, "assertion"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := httpapi.Do[echoed](t.Context(), c.remote, "POST", "/echo", "", word{c.word})
			if jitsuin.KindOf(err) != c.kind || jitsuin.CodeOf(err) != c.code {
				t.Fatalf("got %v %q: %v", jitsuin.KindOf(err), jitsuin.CodeOf(err), err)
			}
			if strings.Contains(err.Error(), "EOF") || strings.Contains(err.Error(), "PIN") {
				t.Fatalf("the inside shows outside: %v", err)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t)
	post := func(token string) int {
		req, _ := http.NewRequest("POST", w.server.URL+"/echo", strings.NewReader(`{"word":"hello"}`))
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if ct := resp.Header.Get("Content-Type"); resp.StatusCode >= 400 && ct != "application/problem+json" {
			t.Errorf("an error of type %q", ct)
		}
		return resp.StatusCode
	}
	claims := func(id httpapi.Identity) jwt.Claims {
		return jwt.Claims{Issuer: id.ID, Subject: id.ID, Audience: jwt.Audience{"jlis:1"}, ID: string(jitsuin.NewID()),
			IssuedAt: jwt.NewNumericDate(time.Now()), Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute))}
	}
	sign := func(key *ecdsa.PrivateKey, typ string, c jwt.Claims) string {
		s, _ := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
		raw, err := jwt.Signed(s).Claims(c).Claims(struct {
			Role string `json:"role"`
		}{"municipality"}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	buy := func(assertion string) (string, int) {
		resp, err := http.PostForm(w.server.URL+"/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}})
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var a struct {
			AccessToken string `json:"access_token"`
		}
		json.NewDecoder(resp.Body).Decode(&a)
		return a.AccessToken, resp.StatusCode
	}

	good := sign(w.town.Key, "", claims(w.town))
	token, status := buy(good)
	if status != 200 || post(token) != 200 {
		t.Fatal("a right assertion buys no working token")
	}
	if _, status := buy(good); status != 400 {
		t.Error("an assertion was taken twice")
	}
	spoil := func(f func(*jwt.Claims)) string {
		c := claims(w.town)
		f(&c)
		return sign(w.town.Key, "", c)
	}
	for name, a := range map[string]string{
		"for another actor": spoil(func(c *jwt.Claims) { c.Audience = jwt.Audience{"jlis:2"} }),
		"expired": spoil(func(c *jwt.Claims) {
			c.Expiry = jwt.NewNumericDate(time.Now().Add(-time.Minute))
			c.IssuedAt = jwt.NewNumericDate(time.Now().Add(-2 * time.Minute))
		}),
		"too long": spoil(func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(time.Now().Add(time.Hour)) }),
		"from the future": spoil(func(c *jwt.Claims) {
			c.IssuedAt = jwt.NewNumericDate(time.Now().Add(10 * time.Minute))
			c.Expiry = jwt.NewNumericDate(time.Now().Add(11 * time.Minute))
		}),
		"not valid yet":     spoil(func(c *jwt.Claims) { c.NotBefore = jwt.NewNumericDate(time.Now().Add(50 * time.Second)) }),
		"without jti":       spoil(func(c *jwt.Claims) { c.ID = "" }),
		"for somebody else": spoil(func(c *jwt.Claims) { c.Subject = "municipality:91202" }),
		"not a JWT":         "x.y.z",
	} {
		if token, status := buy(a); status != 400 || token != "" {
			t.Errorf("an assertion %s was taken", name)
		}
	}
	access := claims(w.town)
	access.Audience, access.Issuer = jwt.Audience{"jlis:1"}, "jlis:1"
	for name, tok := range map[string]string{
		"none":                       "",
		"made by the caller":         sign(w.town.Key, "at+jwt", access),
		"an assertion":               spoil(func(*jwt.Claims) {}),
		"ours, but no access token":  sign(w.jlis.Key, "other+jwt", access),
		"ours, but for another":      sign(w.jlis.Key, "at+jwt", func() jwt.Claims { c := access; c.Audience = jwt.Audience{"jlis:2"}; return c }()),
		"ours, but expired":          sign(w.jlis.Key, "at+jwt", func() jwt.Claims { c := access; c.Expiry = jwt.NewNumericDate(time.Now().Add(-time.Second)); return c }()),
		"ours, with one letter less": token[:len(token)-1],
	} {
		if status := post(tok); status != 401 {
			t.Errorf("token %s: status %d", name, status)
		}
	}
}

func TestDirectoryOfAnotherOperatorIsRefused(t *testing.T) {
	w := newWorld(t)
	stranger := identity(t, "stranger")
	w.writeDirectory(t, stranger.Key, stranger.Public(""))
	if _, err := httpapi.OpenDirectory(w.path, &w.operator.PublicKey); jitsuin.CodeOf(err) != "directory-signature" {
		t.Fatalf("a directory signed by somebody else was taken: %v", err)
	}
	time.Sleep(1100 * time.Millisecond) // past the interval at which the file is looked at again
	if _, err := w.dir.Lookup("stranger"); err == nil {
		t.Fatal("an open directory took over a wrongly signed file")
	}
	if _, err := w.dir.Lookup("jlis:1"); err != nil {
		t.Fatal("and the last good list is gone")
	}
	w.writeDirectory(t, w.operator, stranger.Public(""))
	time.Sleep(1100 * time.Millisecond)
	if _, err := w.dir.Lookup("stranger"); err != nil {
		t.Fatalf("a new good directory is not seen: %v", err)
	}
}

func TestARouteWithoutPolicyDoesNotRegister(t *testing.T) {
	w := newWorld(t)
	for _, f := range []func(){
		func() { w.api.Raw("GET /x", httpapi.Policy{}, http.NotFoundHandler()) },
		func() {
			httpapi.Register(w.api, httpapi.Operation{ID: "x", Method: "GET", Path: "/x"}, func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a route without a policy was registered")
				}
			}()
			f()
		}()
	}
}

func TestUnreachableIsUnavailable(t *testing.T) {
	w := newWorld(t)
	w.server.Close()
	err := httpapi.NewRemote(w.town, w.dir, "jlis:1").Call(t.Context(), "POST", "/echo", "", word{"hi"}, nil)
	if jitsuin.KindOf(err) != jitsuin.Unavailable {
		t.Fatalf("got %v: %v", jitsuin.KindOf(err), err)
	}
}
