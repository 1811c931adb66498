package main

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/pcscdtest"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/webtest"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/openid"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// desk is a person's computer: a platform and the wallet pages of a country far away, a reader with the person's card, and jitsuin
// holder as a process of its own.
type desk struct {
	*platformtest.World
	t      *testing.T
	holder *exec.Cmd
	origin string // of the holder
	said   *platformtest.Buffer
	auth   string // PINs of the card
	sign   string
	remove func()
}

// newDesk puts a card into a reader whose PINs are drawn, because memory is looked through for them; a number that lies there by chance is not
// written with a 0 before it.
func newDesk(t *testing.T) *desk {
	t.Helper()
	pcscd := pcscdtest.Start(t)
	t.Setenv("PCSCLITE_CSOCK_NAME", pcscd.Socket())
	d := &desk{World: platformtest.New(t, "sqlite::memory:", func(c *platform.Config) { c.Sandbox.Open = true }), t: t, said: &platformtest.Buffer{},
		auth: "0" + drawn(3, "0123456789"), sign: drawn(14, "QWXZKVJ") + "73"}
	d.Accredit(minister.InForce)
	listen := platformtest.FreeAddress(t)
	d.origin = "http://" + listen
	far := t.TempDir()
	if err := os.MkdirAll(filepath.Join(far, "cards"), 0o700); err != nil {
		t.Fatal(err)
	}
	base := d.Config("holder:1", "sqlite::memory:")
	pages, err := site.New(t.Context(), site.Config{Config: base, Cards: filepath.Join(far, "cards"), Computer: d.origin, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	d.Run(pages)
	d.remove = pcscd.Insert(0, d.card())
	pcscdtest.AwaitCard(t)
	d.holder = command(t, pcscd, "holder", "--log-level", "debug", "--listen", listen, "--directory", base.Directory, "--directory-key", base.DirectoryKey, "--state", t.TempDir(), "--data", far)
	d.begin()
	return d
}

func drawn(n int, from string) string {
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = from[int(b[i])%len(from)]
	}
	return string(b)
}

// card makes the person's card, whose certificates the platform's world knows of.
func (d *desk) card() reader.Card {
	d.t.Helper()
	ctx, w, who := d.t.Context(), holdertest.New(d.t), d.Agency.Resident("霧島　花子")
	w.CAs = d.Agency.Authorities
	w.Issue = func(kind jitsuin.CertKind, key crypto.PublicKey) *x509.Certificate {
		d.Agency.Reissue(who, kind, func(c *cert.Template) { c.Key = key })
		if kind == jitsuin.SignCert {
			return who.Sign.Cert
		}
		return who.Auth.Cert
	}
	data := d.t.TempDir()
	channel, err := host.OpenLocal(ctx, filepath.Join(data, "cards"), w.Card(d.t, data, holdertest.Order{}).ID, host.Options{})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { channel.Close() })
	open, err := holder.On(ctx, "", channel)
	if err == nil {
		err = open.ChangePIN(ctx, jitsuin.AuthCert, holder.Lines(strings.NewReader(holdertest.AuthPIN+"\n"+d.auth+"\n")))
	}
	if err == nil {
		err = open.ChangePIN(ctx, jitsuin.SignCert, holder.Lines(strings.NewReader(holdertest.SignPIN+"\n"+d.sign+"\n")))
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return channel
}

// begin starts the holder and waits until it says that it is ready.
func (d *desk) begin() {
	d.t.Helper()
	out, err := d.holder.StderrPipe()
	if err == nil {
		err = d.holder.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	ready := make(chan struct{})
	var once sync.Once
	go func() {
		for scan := bufio.NewScanner(out); scan.Scan(); {
			fmt.Fprintln(d.said, scan.Text())
			if strings.Contains(scan.Text(), "is ready: "+d.origin) {
				once.Do(func() { close(ready) })
			}
		}
		once.Do(func() { close(ready) })
	}()
	d.t.Cleanup(func() {
		d.holder.Process.Signal(syscall.SIGTERM)
		if err := d.holder.Wait(); err != nil {
			d.t.Errorf("jitsuin holder: %v", err)
		}
		d.remove()
		if d.t.Failed() {
			d.t.Log(d.said)
		}
	})
	<-ready
	if !strings.Contains(d.said.String(), "is ready") {
		d.t.Fatalf("the holder does not start: %s", d.said)
	}
}

// A person with a card in a reader of their own computer logs in at a site that knows nothing of cards, and signs a document; then
// neither the holder's memory nor its log has a PIN.
func TestTheHolderOfAPersonsOwnComputer(t *testing.T) {
	d := newDesk(t)
	if found := d.inMemory(d.sign, "pin="+d.auth); len(found) > 0 {
		t.Fatalf("before anybody has typed a PIN memory has %v", found)
	}
	b := webtest.New(t, "ja", 1280)
	b.Open(d.relyingParty() + "/login")
	b.See("ログインの依頼", "ここには使えるカードがありません")
	b.Click("このパソコンのカードリーダーで、自分のカードを使う")
	b.See("カードリーダー「Virtual PCD 00 00」のカード", "カードリーダー「Virtual PCD 00 01」のカード: カードがありません")
	if !strings.HasPrefix(b.URL(), d.origin+"/request/") {
		t.Errorf("the browser is at %s", b.URL())
	}
	b.Axe()
	b.Tick("カードリーダー「Virtual PCD 00 00」")
	b.Click("このカードで進む")
	b.See("あと3回入力できます")
	b.Fill("利用者証明用の暗証番号", otherThan(d.auth))
	b.Click("ログインする")
	b.See("あと2回")
	b.Fill("利用者証明用の暗証番号", d.auth)
	b.Click("ログインする")
	b.See("Hello ")
	d.signs()
	b.Open(d.origin + "/")
	b.See("このパソコンのカード", "送信済み", d.Origin)
	b.Axe()
	// The PIN of four digits is looked for as it was posted, as it went to the card, and alone in the eight bytes of a small allocation.
	for _, what := range d.inMemory(d.sign, strings.ToLower(d.sign), "pin="+d.auth, "\x00\x20\x00\x80\x04"+d.auth, "\x00\x00\x00\x00"+d.auth+"\x00\x00\x00\x00") {
		t.Errorf("memory still has %q", what)
	}
	for _, secret := range []string{"pin=", d.sign, strings.ToLower(d.sign)} {
		if strings.Contains(d.said.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func otherThan(pin string) string {
	if pin == "9753" {
		return "3579"
	}
	return "9753"
}

// relyingParty runs a site on go-oidc and gives its origin.
func (d *desk) relyingParty() string {
	t := d.t
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	origin := "http://" + srv.Listener.Addr().String()
	c, err := httpapi.Do[openid.Registered](t.Context(), d.Tenant(d.Register("tenant:site", origin)), "POST", "/v1/openid-clients", string(jitsuin.NewID()),
		map[string]any{"redirect_uris": []string{origin + "/callback"}, "token_endpoint_auth_method": "client_secret_basic"})
	if err != nil {
		t.Fatal(err)
	}
	provider, err := oidc.NewProvider(t.Context(), d.Origin+"/openid")
	if err != nil {
		t.Fatal(err)
	}
	config := oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, Endpoint: provider.Endpoint(), RedirectURL: origin + "/callback", Scopes: []string{oidc.ScopeOpenID}}
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			http.Redirect(w, r, config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)), http.StatusFound)
			return
		}
		token, err := config.Exchange(r.Context(), r.URL.Query().Get("code"), oauth2.VerifierOption(verifier))
		if err != nil || r.URL.Query().Get("state") != state {
			http.Error(w, fmt.Sprint(err), http.StatusInternalServerError)
			return
		}
		raw, _ := token.Extra("id_token").(string)
		id, err := provider.Verifier(&oidc.Config{ClientID: c.ID}).Verify(r.Context(), raw)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>site</title><h1>Hello %s</h1>", id.Subject)
	})
	srv.Start()
	t.Cleanup(srv.Close)
	return origin
}

// signs has the person sign a document of another site, with the password typed in small letters; the script plays the browser.
func (d *desk) signs() {
	t := d.t
	t.Helper()
	document := []byte("%PDF-1.7\n% terms\n%%EOF\n")
	var taken []byte
	mux := http.NewServeMux()
	mux.HandleFunc("GET /terms", func(w http.ResponseWriter, _ *http.Request) { w.Write(document) })
	mux.HandleFunc("POST /answers", func(w http.ResponseWriter, r *http.Request) {
		taken, _ = io.ReadAll(r.Body)
		fmt.Fprintf(w, `{"return_url":"http://%s/done"}`, r.Host)
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	tenant := d.Register("tenant:terms", srv.URL)
	c, err := client.New(d.World.Origin, platformtest.ID, tenant.ID, tenant.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sum := sha256.Sum256(document)
	m, err := c.Request(t.Context(), "", client.HolderRequest{Act: client.ActSign, Purpose: "約款への同意", PurposeEN: "Consent to the terms", Origin: srv.URL, ResponseURI: srv.URL + "/answers",
		State: strings.Repeat("s", 32), Documents: []client.RequestDocument{{Name: "約款", MediaType: client.MediaTypePDF, SHA256: sum[:], HRef: srv.URL + "/terms"}}})
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	at := d.origin + "/request?request_uri=" + url.QueryEscape(m.URI)
	for _, form := range []url.Values{nil, {"card": {"pcsc:Virtual PCD 00 00"}}, {"pin": {strings.ToLower(d.sign)}}, {}} {
		method := http.MethodPost
		if form == nil {
			method = http.MethodGet
		}
		req, err := http.NewRequestWithContext(t.Context(), method, at, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		if form != nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Origin", d.origin)
		}
		resp, err := (&http.Client{Jar: jar}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("HTTP %d:\n%s", resp.StatusCode, page)
		}
		at = resp.Request.URL.String()
	}
	if !bytes.Contains(taken, []byte(`"signature"`)) {
		t.Errorf("the site got %s", taken)
	}
}

// inMemory gives those texts that stand anywhere in what the holder's process can read.
func (d *desk) inMemory(texts ...string) (found []string) {
	t, proc := d.t, "/proc/"+strconv.Itoa(d.holder.Process.Pid)
	t.Helper()
	maps, err := os.ReadFile(proc + "/maps")
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open(proc + "/mem")
	if err != nil {
		pcscdtest.Missing(t, "the memory of a process of one's own: "+err.Error())
	}
	defer memory.Close()
	read := 0
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || mode[0] != 'r' || strings.Contains(line, "[v") {
			continue
		}
		part := make([]byte, to-from)
		n, _ := memory.ReadAt(part, from) // what ends early is looked through as far as it goes
		read += n
		for _, text := range texts {
			if at := bytes.Index(part[:n], []byte(text)); at >= 0 {
				found = append(found, text)
				t.Logf("%q in %s%q", text, line, part[max(0, at-60):min(n, at+len(text)+60)])
			}
		}
	}
	if read < 1<<20 {
		t.Fatalf("only %d bytes of memory could be read", read)
	}
	return found
}
