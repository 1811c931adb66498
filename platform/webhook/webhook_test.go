package webhook

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
)

func TestAddressesThatAreNotDialled(t *testing.T) {
	outside, sandbox := New(false, time.Second), New(true, time.Second)
	for _, ip := range []string{"127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "fe80::1", "fd00::1", "0.0.0.0", "::",
		"100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::", "::127.0.0.1", "::ffff:10.0.0.1", "fec0::1"} {
		a := netip.MustParseAddr(ip)
		if outside.allowed(a) {
			t.Errorf("%s is dialled", ip)
		}
		if sandbox.allowed(a) != a.Unmap().IsLoopback() {
			t.Errorf("%s in a sandbox: %v", ip, sandbox.allowed(a))
		}
	}
	for _, ip := range []string{"8.8.8.8", "203.0.112.1", "2606:4700::1111", "100.128.0.1", "172.32.0.1"} {
		if !outside.allowed(netip.MustParseAddr(ip)) {
			t.Errorf("%s is not dialled", ip)
		}
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	outside, sandbox := New(false, time.Second), New(true, time.Second)
	for _, a := range []string{"", "https://", "ftp://bank.example/", "https://user@bank.example/", "https://bank.example/#x", "http://bank.example/", "http://10.0.0.1/", "//bank.example/", "http://localhost.evil.example/", "file:///etc/passwd"} {
		for _, s := range []*Sender{outside, sandbox} {
			if err := s.Check(a); jitsuin.CodeOf(err) != "webhook-url" {
				t.Errorf("%q: %v", a, err)
			}
		}
	}
	if err := outside.Check("http://127.0.0.1:8080/"); jitsuin.CodeOf(err) != "webhook-url" {
		t.Errorf("http on loopback outside a sandbox: %v", err)
	}
	for _, a := range []string{"http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:1/"} {
		if err := sandbox.Check(a); err != nil {
			t.Errorf("%s in a sandbox: %v", a, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	led := make(chan string, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /taken", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Content-Type") != "application/secevent+jwt" {
			t.Errorf("Content-Type %q", r.Header.Get("Content-Type"))
		}
		w.WriteHeader(http.StatusAccepted)
		w.Write(body)
	})
	mux.HandleFunc("POST /leads-on", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/led", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/led", func(http.ResponseWriter, *http.Request) { led <- "" })
	mux.HandleFunc("POST /endless", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, maxAnswer+1)) })
	mux.HandleFunc("POST /fails", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) })
	slow := make(chan struct{})
	mux.HandleFunc("POST /slow", func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-slow:
		case <-r.Context().Done():
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(slow)
	s, hurried := New(true, 30*time.Second), New(true, 300*time.Millisecond)
	defer s.Close()
	defer hurried.Close()
	if body, err := s.Send(t.Context(), server.URL+"/taken", "token"); err != nil || string(body) != "token" {
		t.Errorf("%q, %v", body, err)
	}
	for path, code := range map[string]string{"/leads-on": "webhook-answered", "/endless": "webhook-answered", "/fails": "webhook-answered", "/nothing": "webhook-answered", "/slow": "webhook-unreachable"} {
		by := s
		if path == "/slow" {
			by = hurried
		}
		if _, err := by.Send(t.Context(), server.URL+path, "token"); jitsuin.KindOf(err) != jitsuin.Unavailable || jitsuin.CodeOf(err) != code {
			t.Errorf("%s: %v", path, err)
		}
	}
	if len(led) > 0 {
		t.Error("a redirect was followed")
	}
	// A name that looks public and resolves to this machine: it is the resolved address that counts.
	strict := New(false, time.Second)
	if _, err := strict.Send(t.Context(), strings.Replace(server.URL, "http://127.0.0.1", "https://localhost", 1)+"/taken", "token"); jitsuin.KindOf(err) != jitsuin.Denied || jitsuin.CodeOf(err) != "webhook-address" {
		t.Errorf("a name that leads to this machine: %v", err)
	}
}
