package site_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/webtest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/openid"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// Clients that know nothing of us log a resident in: through Chromium, the holder's pages and the virtual card.

// rpWorld is a world whose platform takes clients in.
func rpWorld(t *testing.T) *world {
	t.Helper()
	return newWorld(t, plan{known: true, platform: func(c *platform.Config) { c.Sandbox.Open = true }})
}

// relyingParty registers a client at a tenant of its own.
func (w *world) relyingParty(id, origin string, m map[string]any) openid.Registered {
	w.t.Helper()
	m["redirect_uris"] = []string{origin + "/callback"}
	c, err := httpapi.Do[openid.Registered](w.t.Context(), w.Tenant(w.Register("tenant:"+id, origin)), "POST", "/v1/openid-clients", string(jitsuin.NewID()), m)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// logsIn opens an address of a relying party and goes through the holder; what is shown then begins with Hello and the subject.
func (w *world) logsIn(b *webtest.Browser, login string) (subject string) {
	w.t.Helper()
	b.Open(login)
	b.See("ログインの依頼")
	b.Tick("霧島")
	b.Click("このカードで進む")
	b.Fill("利用者証明用の暗証番号", holdertest.AuthPIN)
	b.Click("ログインする")
	b.See("Hello")
	for _, line := range strings.Split(b.Text(), "\n") {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "Hello "); ok {
			subject = rest
		}
	}
	if len(subject) != 32 {
		w.t.Fatalf("the relying party shows\n%s", b.Text())
	}
	return subject
}

func TestGoOIDCLogsAResidentIn(t *testing.T) {
	w := rpWorld(t)
	srv := httptest.NewUnstartedServer(nil)
	origin := "http://" + srv.Listener.Addr().String()
	c := w.relyingParty("go-oidc", origin, map[string]any{"token_endpoint_auth_method": "client_secret_basic"})
	provider, err := oidc.NewProvider(t.Context(), w.Origin+"/openid")
	if err != nil {
		t.Fatal(err)
	}
	config := oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, Endpoint: provider.Endpoint(), RedirectURL: origin + "/callback", Scopes: []string{oidc.ScopeOpenID}}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	srv.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			http.Redirect(rw, r, config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), http.StatusFound)
			return
		}
		sub, err := redeemed(r, provider, config, state, nonce, verifier)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(rw, "<!doctype html><title>rp</title><h1>Hello %s</h1>", sub)
	})
	srv.Start()
	t.Cleanup(srv.Close)
	b := webtest.New(t, "ja", 1280)
	if first, second := w.logsIn(b, origin+"/login"), w.logsIn(webtest.New(t, "ja", 1280), origin+"/login"); first != second {
		t.Errorf("the resident is %s and then %s", first, second)
	}
}

// redeemed does what the library's own example does.
func redeemed(r *http.Request, provider *oidc.Provider, config oauth2.Config, state, nonce, verifier string) (string, error) {
	if r.URL.Query().Get("state") != state {
		return "", fmt.Errorf("came back with %s", r.URL.RawQuery)
	}
	token, err := config.Exchange(r.Context(), r.URL.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return "", err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(r.Context(), raw)
	if err != nil {
		return "", err
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil || id.Nonce != nonce {
		return "", fmt.Errorf("at_hash or nonce %q: %w", id.Nonce, err)
	}
	info, err := provider.UserInfo(r.Context(), config.TokenSource(r.Context(), token))
	if err != nil || info.Subject != id.Subject {
		return "", fmt.Errorf("userinfo %v: %w", info, err)
	}
	return id.Subject, nil
}

// judge skips loudly where a judge is missing, and fails under CI.
func judge(t *testing.T, name string, there bool) {
	t.Helper()
	if there {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("JUDGE MISSING: %s (make judges)", name)
	}
	t.Skipf("################ JUDGE MISSING: %s (make judges); SKIPPED ################", name)
}

// npm gives the folder with the judges in JavaScript.
func npm(t *testing.T, module string) string {
	t.Helper()
	modules, err := filepath.Abs("../../.cache/npm")
	if err != nil {
		t.Fatal(err)
	}
	_, noNode := exec.LookPath("node")
	_, noModule := os.Stat(filepath.Join(modules, "node_modules", module))
	judge(t, "node with "+module, noNode == nil && noModule == nil)
	return modules
}

// start runs a program until the test ends, and waits until it says that it listens.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := &platformtest.Buffer{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if t.Failed() {
			t.Log(said)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "listening" {
		t.Fatalf("%s said %q: %v", cmd.Args[0], line, err)
	}
}

func TestOpenIDClientLogsAResidentIn(t *testing.T) {
	modules := npm(t, "openid-client")
	w := rpWorld(t)
	address := platformtest.FreeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	start(t, exec.CommandContext(context.WithoutCancel(t.Context()), "node", "testdata/openid-client.mjs", modules, w.Origin+"/openid", port))
	b := webtest.New(t, "ja", 1280)
	w.logsIn(b, "http://"+address+"/login")
	b.See("aal3 dpop")
}

func TestOAuth4WebAPILogsAResidentIn(t *testing.T) {
	modules := npm(t, "oauth4webapi")
	w := rpWorld(t)
	address := platformtest.FreeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	c := w.relyingParty("spa", "http://"+address, map[string]any{"token_endpoint_auth_method": "none"})
	start(t, exec.CommandContext(context.WithoutCancel(t.Context()), "node", "testdata/oauth4webapi.mjs", modules, w.Origin+"/openid", port, c.ID))
	b := webtest.New(t, "ja", 1280)
	w.logsIn(b, "http://"+address+"/login")
	b.See("aal3 bearer")
}

// A page that knows nothing of logins stands behind Apache, which asks for one.
func TestApacheLogsAResidentIn(t *testing.T) {
	apache, noApache := exec.LookPath("apache2")
	const modules = "/usr/lib/apache2/modules"
	_, noModule := os.Stat(modules + "/mod_auth_openidc.so")
	judge(t, "Apache with mod_auth_openidc", noApache == nil && noModule == nil)
	w := rpWorld(t)
	address := platformtest.FreeAddress(t)
	c := w.relyingParty("apache", "http://"+address, map[string]any{"token_endpoint_auth_method": "client_secret_basic"})
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("hello.shtml", `<!doctype html><title>hello</title><h1>Hello <!--#echo var="REMOTE_USER" --></h1>`)
	write("apache.conf", fmt.Sprintf(`ServerRoot %[1]q
ServerName 127.0.0.1
Listen %[2]s
PidFile %[1]s/pid
ErrorLog /dev/stderr
Mutex file:%[1]s default
%[3]s
DocumentRoot %[1]q
TypesConfig /dev/null
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
<Directory %[1]q>
Options +Includes
</Directory>
OIDCProviderMetadataURL %[4]s/openid/.well-known/openid-configuration
OIDCClientID %[5]s
OIDCClientSecret %[6]s
OIDCRedirectURI http://%[2]s/callback
OIDCCryptoPassphrase %[7]s
OIDCPKCEMethod S256
OIDCScope openid
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCRemoteUserClaim sub
OIDCCookieSameSite Off
<Location />
AuthType openid-connect
Require valid-user
</Location>
`, root, address, loadModules(modules), w.Origin, c.ID, c.Secret, rand.Text()))
	said := &platformtest.Buffer{}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), apache, "-f", filepath.Join(root, "apache.conf"), "-D", "FOREGROUND")
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if t.Failed() {
			t.Log(said)
		}
	})
	listening(t, address)
	if subject := w.logsIn(webtest.New(t, "ja", 1280), "http://"+address+"/hello.shtml"); strings.ContainsAny(subject, "@(") {
		t.Errorf("Apache says %q", subject)
	}
}

func loadModules(dir string) string {
	var b strings.Builder
	for _, m := range []string{"mpm_event", "authn_core", "authz_core", "authz_user", "mime", "include", "auth_openidc"} {
		fmt.Fprintf(&b, "LoadModule %s_module %s/mod_%s.so\n", m, dir, m)
	}
	return b.String()
}

// listening waits until somebody listens at an address.
func listening(t *testing.T, address string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get("http://" + address + "/")
		if err == nil {
			resp.Body.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("nobody listens at %s: %v", address, err)
		}
	}
}
