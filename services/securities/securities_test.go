package securities_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/services/securities"
)

// firm is a running firm, a tenant of a running platform.
type firm struct {
	*platformtest.World
	t      *testing.T
	origin string
	firm   *securities.Firm
	tenant httpapi.Identity
}

func open(t *testing.T, database string, options ...store.Option) *firm {
	t.Helper()
	w := platformtest.New(t, "sqlite::memory:", nil)
	w.Accredit(minister.InForce)
	f := &firm{World: w, t: t, origin: "http://" + w.Address("service:securities-1")}
	f.tenant = w.Register("tenant:securities-1", f.origin)
	cfg := securities.Config{Config: w.Config("service:securities-1", database), Log: slog.New(slog.DiscardHandler), Store: options}
	if err := actor.WriteKey(filepath.Join(filepath.Dir(cfg.Key), "tenant-securities-1.pem"), f.tenant.Key); err != nil {
		t.Fatal(err)
	}
	s, err := securities.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.firm = s
	w.Run(s)
	return f
}

// browser has cookies of its own.
type browser struct {
	*firm
	http.Client
}

func (f *firm) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return &browser{f, http.Client{Jar: jar}}
}

// call sends JSON and gives the problem's code, "" for success.
func (b *browser) call(method, path, key string, in, out any) string {
	b.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.origin+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set(httpapi.HeaderIdempotencyKey, key)
	}
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := json.NewDecoder(resp.Body)
	if resp.StatusCode >= 400 {
		var p httpapi.Problem
		if err := answer.Decode(&p); err != nil {
			b.t.Fatal(err)
		}
		if p.Code == "content-changed" && (p.Hint == "" || p.Detail == "") {
			b.t.Error("a refusal without its reasons")
		}
		return p.Code
	}
	if out != nil {
		if err := answer.Decode(out); err != nil {
			b.t.Fatal(err)
		}
	}
	return ""
}

// start begins a login and answers its challenge with a credential.
func (b *browser) start(c platformtest.Credential) client.LoginRequest {
	b.t.Helper()
	var ch client.Challenge
	if code := b.call("POST", "/login/start", "", nil, &ch); code != "" {
		b.t.Fatal(code)
	}
	a, err := ch.Challenge.ToSign().Sign(c.Cert, c.Key)
	if err != nil {
		b.t.Fatal(err)
	}
	return client.LoginRequest{Challenge: ch.ID, Certificate: a.Certificate.Raw, Signature: a.Signature}
}

func want(t *testing.T, what, got, code string) {
	t.Helper()
	if got != code {
		t.Errorf("%s: %q, want %q", what, got, code)
	}
}

func TestALoginBelongsToItsBrowser(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	hanako := f.Agency.Resident("霧島　花子")
	mine, theirs := f.browser(), f.browser()
	mine.opens(hanako)
	answer := mine.start(hanako.Auth)
	want(t, "without any login", f.browser().call("POST", "/login/finish", "", answer, nil), "login-unknown")
	theirs.start(hanako.Auth)
	want(t, "with another browser's login", theirs.call("POST", "/login/finish", "", answer, nil), "login-unknown")
	want(t, "in its own browser", mine.call("POST", "/login/finish", "", answer, nil), "")
	want(t, "and only there", theirs.call("GET", "/me", "", nil, nil), "no-session")
	wrong := mine.start(hanako.Auth)
	wrong.Signature[0] ^= 1
	want(t, "a wrong signature", mine.call("POST", "/login/finish", "", wrong, nil), "challenge-signature")
	f.Agency.Revoke(jitsuin.AuthCert, hanako.Auth.Cert)
	want(t, "a revoked certificate", mine.call("POST", "/login/finish", "", mine.start(hanako.Auth), nil), "revoked")
}

func TestASessionEnds(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	hanako, taro := f.Agency.Resident("霧島　花子"), f.Agency.Resident("沢渡　太郎")
	b, thief := f.browser(), f.browser()
	steal := func() {
		at, err := url.Parse(f.origin)
		if err != nil {
			t.Fatal(err)
		}
		thief.Jar.SetCookies(at, b.Jar.Cookies(at))
	}
	b.opens(hanako)
	b.opens(taro)
	want(t, "her login", b.call("POST", "/login/finish", "", b.start(hanako.Auth), nil), "")
	steal()
	want(t, "her token elsewhere", thief.call("GET", "/me", "", nil, nil), "")
	want(t, "his login at the same browser", b.call("POST", "/login/finish", "", b.start(taro.Auth), nil), "")
	want(t, "her token after it", thief.call("GET", "/me", "", nil, nil), "no-session")
	var me securities.Customer
	want(t, "who is he", b.call("GET", "/me", "", nil, &me), "")
	if me.Items.Name != taro.Items.Name {
		t.Errorf("in his session is %+v", me)
	}
	steal()
	want(t, "he leaves", b.call("POST", "/logout", "", nil, nil), "")
	want(t, "he has left", b.call("GET", "/me", "", nil, nil), "no-session")
	want(t, "and so has his token", thief.call("GET", "/me", "", nil, nil), "no-session")
	want(t, "leaving twice", b.call("POST", "/logout", "", nil, nil), "")
}

func TestCookies(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	resp, err := http.Post(f.origin+"/login/start", "application/json", strings.NewReader("null"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(resp.Cookies()) != 1 {
		t.Fatalf("%s with %d cookies", resp.Status, len(resp.Cookies()))
	}
	c := resp.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.Domain != "" || c.MaxAge <= 0 || c.MaxAge > 120 || len(c.Value) < 43 {
		t.Errorf("%+v", c)
	}
}
