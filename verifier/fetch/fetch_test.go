package fetch_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/status"
	"github.com/jitsuin/jitsuin/verifier/fetch"
)

// site is a folder with a fetcher, and the authority whose lists it wants, under a clock of the test.
type site struct {
	*fetch.Fetcher
	t  testing.TB
	ca *certtest.Authority

	mu  sync.Mutex
	now time.Time
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{t: t, ca: certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 1), now: certtest.Now}
	folder := &status.Folder{Path: t.TempDir(), Anchors: []*x509.Certificate{s.ca.Cert}, Clock: s.clock, History: 24 * time.Hour}
	s.Fetcher = &fetch.Fetcher{Folder: folder, Clock: s.clock, Log: slog.New(slog.DiscardHandler)}
	return s
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// list is one that was made a while ago and holds for a day.
func (s *site) list(ca *certtest.Authority, ago time.Duration, point []byte) []byte {
	s.t.Helper()
	made := s.clock().Add(-ago).Truncate(time.Second)
	tmpl := cert.CRLTemplate{Issuer: ca.Cert, Number: uint64(made.Unix()), ThisUpdate: made, NextUpdate: made.Add(24 * time.Hour), DistributionPoint: point}
	der, err := tmpl.Build(context.Background(), func(func(cert.CRLEntry) bool) {}, ca.Sign)
	if err != nil {
		s.t.Fatal(err)
	}
	return der
}

// ask fetches from an address and holds the outcome to words that must be in the error, "" for none.
func (s *site) ask(url, wrong string) fetch.SourceState {
	s.t.Helper()
	st := s.Fetch(s.t.Context(), fetch.Source{Name: "a", URL: url, Every: time.Hour, Timeout: 5 * time.Second})
	if wrong == "" && st.LastError != "" || !strings.Contains(st.LastError, wrong) {
		s.t.Errorf("%s: %q, want %q", url, st.LastError, wrong)
	}
	return st
}

func (s *site) files() (names []string) {
	entries, err := os.ReadDir(s.Folder.Path)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// publisher serves one list by HTTP, as the standard library does: with Last-Modified.
type publisher struct {
	mu        sync.Mutex
	body      []byte
	changed   time.Time
	full, all int // answers with a body, and all
}

func (p *publisher) put(body []byte, changed time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.body, p.changed = body, changed
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all++
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, p.changed.Unix()))
	if r.Header.Get("If-None-Match") == w.Header().Get("ETag") && r.Header.Get("If-Modified-Since") != "" {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	p.full++
	w.Header().Set("Last-Modified", p.changed.UTC().Format(http.TimeFormat))
	w.Write(p.body)
}

func TestListsComeByHTTP(t *testing.T) {
	s, p := newSite(t), &publisher{}
	server := httptest.NewServer(p)
	defer server.Close()
	p.put(s.list(s.ca, time.Hour, nil), s.clock())
	if st := s.ask(server.URL, ""); st.Lists != 1 || st.New != 1 || len(s.Folder.Lists()) != 1 {
		t.Errorf("%+v", st)
	}
	// nothing new: the source says so, and is believed only while the file is there
	s.pass(time.Minute)
	if st := s.ask(server.URL, ""); p.full != 1 || p.all != 2 || !st.LastSuccess.Equal(s.clock()) {
		t.Errorf("%d of %d answers in full, %+v", p.full, p.all, st)
	}
	if err := os.Remove(filepath.Join(s.Folder.Path, s.files()[0])); err != nil {
		t.Fatal(err)
	}
	if s.ask(server.URL, ""); p.full != 2 || len(s.files()) != 1 {
		t.Errorf("%d answers in full, files %v", p.full, s.files())
	}
	// an older one does not take the place of a newer
	newest := s.Folder.Lists()[0]
	p.put(s.list(s.ca, 5*time.Hour, nil), s.clock().Add(time.Second))
	s.ask(server.URL, "older than the one at hand")
	if lists := s.Folder.Lists(); len(lists) != 1 || lists[0].SHA256 != newest.SHA256 || len(s.files()) != 1 {
		t.Errorf("%+v", lists)
	}
	// a newer one is put beside the old one, which goes when nobody may ask for it any more
	s.pass(20 * time.Hour)
	p.put(s.list(s.ca, 0, nil), s.clock())
	if s.ask(server.URL, ""); len(s.files()) != 2 || len(s.Folder.Lists()) != 2 {
		t.Errorf("%v", s.files())
	}
	if err := os.WriteFile(filepath.Join(s.Folder.Path, "mine.crl"), s.list(s.ca, 30*time.Hour, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	s.pass(40 * time.Hour)
	p.put(s.list(s.ca, 0, nil), s.clock())
	s.ask(server.URL, "")
	if names := s.files(); len(names) != 3 { // the newest, the one before, and what a person put there
		t.Errorf("%v", names)
	}
}

func TestWhatASourceMayAnswer(t *testing.T) {
	stranger := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 9)
	s := newSite(t)
	good := s.list(s.ca, 0, nil)
	s.MaxList = int64(len(good)) + 100
	for name, c := range map[string]struct {
		wrong  string
		answer http.HandlerFunc
	}{
		"404":     {"404", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }},
		"a page":  {"DER", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>please log in</html>") }},
		"nothing": {"DER", func(w http.ResponseWriter, r *http.Request) {}},
		"half of it": {"EOF", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			w.Write(good[:100])
		}},
		"half of it, whole":   {"DER", func(w http.ResponseWriter, r *http.Request) { w.Write(good[:100]) }},
		"too large":           {"larger", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1<<20)) }},
		"another key":         {"another key", func(w http.ResponseWriter, r *http.Request) { w.Write(s.list(stranger, 0, nil)) }},
		"from tomorrow":       {"later than now", func(w http.ResponseWriter, r *http.Request) { w.Write(s.list(s.ca, -24*time.Hour, nil)) }},
		"for ever elsewhere":  {"redirects too often", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) }},
		"304 without a cause": {"304", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotModified) }},
		"never": {"in time", func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Minute):
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.answer)
			defer server.Close()
			timeout := 30 * time.Second
			if name == "never" {
				timeout = 500 * time.Millisecond
			}
			st := s.Fetch(t.Context(), fetch.Source{Name: "a", URL: server.URL + "/x", Timeout: timeout})
			if !strings.Contains(st.LastError, c.wrong) || st.LastSuccess != nil {
				t.Errorf("%q, want %q; %+v", st.LastError, c.wrong, st)
			}
			if names := s.files(); len(names) != 0 {
				t.Errorf("there are files: %v", names)
			}
		})
	}
}

func TestSourcesAreAskedWhenTheyAreDue(t *testing.T) {
	s, p := newSite(t), &publisher{}
	server := httptest.NewServer(p)
	defer server.Close()
	p.put(s.list(s.ca, time.Hour, nil), s.clock())
	s.Sources = []fetch.Source{{Name: "good", URL: server.URL, Every: 6 * time.Hour}, {Name: "offline", URL: "http://127.0.0.1:1/x.crl", Every: 6 * time.Hour}}
	due := func(want bool, answers int) {
		t.Helper()
		if got := s.Due(t.Context()); got != want || p.all != answers {
			t.Errorf("due %v, %d answers; want %v, %d", got, p.all, want, answers)
		}
	}
	due(true, 1)
	due(false, 1)
	s.pass(11 * time.Minute) // only the one that failed
	due(true, 1)
	s.pass(6 * time.Hour)
	due(true, 2)
	states := s.States()
	if len(states) != 2 || states[0].LastError != "" || states[0].LastSuccess == nil || states[1].LastError == "" || states[1].LastSuccess != nil {
		t.Errorf("%+v", states)
	}
	// another process remembers the same, and one whose notes were damaged asks anew
	other := &fetch.Fetcher{Folder: s.Folder, Clock: s.clock, Sources: s.Sources}
	if other.Due(t.Context()) {
		t.Error("another process asks again")
	}
	if err := os.WriteFile(filepath.Join(s.Folder.Path, ".fetch.json"), []byte("{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	due(true, 3)
}

func TestTwoFetchAtTheSameTime(t *testing.T) {
	s, p := newSite(t), &publisher{}
	server := httptest.NewServer(p)
	defer server.Close()
	p.put(s.list(s.ca, time.Hour, nil), s.clock())
	var all sync.WaitGroup
	for range 2 {
		f := &fetch.Fetcher{Folder: s.Folder, Clock: s.clock}
		for range 2 {
			all.Go(func() {
				if st := f.Fetch(t.Context(), fetch.Source{Name: "a", URL: server.URL}); st.LastError != "" {
					t.Error(st.LastError)
				}
			})
		}
	}
	all.Wait()
	if p.full != 1 || p.all != 4 || len(s.files()) != 1 {
		t.Errorf("%d of %d in full, %v", p.full, p.all, s.files())
	}
}

func TestAFolderThatCannotBeWrittenTo(t *testing.T) {
	s := newSite(t)
	s.Folder.Path = filepath.Join(s.Folder.Path, "none")
	s.ask("http://127.0.0.1:1/", "cannot be written to")
}

func TestAddresses(t *testing.T) {
	for _, good := range []string{"http://crl.example/sign.crl", "https://crl.example:8443/a?b=c", "ldap://d.example/CN=A,O=B,C=JP",
		"ldap://d.example:1389/CN=A%2CO=B?certificateRevocationList;binary?sub?(objectClass=cRLDistributionPoint)", "ldaps://d.example/O=B?authorityRevocationList??"} {
		if _, err := fetch.ParseURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	p, err := fetch.ParseURL("ldap://d.example/OU=CRL%20Distribution%20Points,O=%E5%AE%9F%E5%8D%B0?certificateRevocationList;binary?one")
	if err != nil || p.DN != "OU=CRL Distribution Points,O=実印" || p.Host != "d.example:389" || p.Scope != 1 || p.Secure {
		t.Errorf("%+v %v", p, err)
	}
	for _, bad := range []string{"", "sign.crl", "file:///etc/passwd", "ftp://crl.example/x", "http://", "http://u:p@crl.example/x", "ldap://d.example/", "ldap:///O=B", "ldap://d.example/nonsense",
		"ldap://d.example/O=B?userPassword", "ldap://d.example/O=B?certificateRevocationList;lang-ja", "ldap://d.example/O=B??below", "ldap://d.example/O=B???(((", "ldap://d.example/O=B????bindname=x",
		"ldap://d.example/O=B?%zz", "ldap://d.example/O=B#x"} {
		if _, err := fetch.ParseURL(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
