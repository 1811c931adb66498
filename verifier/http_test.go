package verifier_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/signature/report"
	"github.com/jitsuin/jitsuin/verifier"
)

// serve puts the verifier on a loopback address.
func (o *office) serve() *httptest.Server {
	o.t.Helper()
	h, err := o.open().Handler()
	if err != nil {
		o.t.Fatal(err)
	}
	s := httptest.NewServer(h)
	o.t.Cleanup(s.Close)
	return s
}

// part is one part of a form: a file where it has a name, else a field.
type part struct{ field, file, content string }

func form(t testing.TB, parts ...part) (kind string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		if p.file == "" {
			if err := w.WriteField(p.field, p.content); err != nil {
				t.Fatal(err)
			}
			continue
		}
		f, err := w.CreateFormFile(p.field, p.file)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, p.content)
	}
	w.Close()
	return w.FormDataContentType(), b.Bytes()
}

func post(t testing.TB, url, kind string, body []byte) (status int, header http.Header, answer []byte) {
	t.Helper()
	r, err := http.Post(url, kind, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if answer, err = io.ReadAll(r.Body); err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Header, answer
}

func TestTheAPI(t *testing.T) {
	o := newOffice(t)
	o.write("status/sign.crl", o.list(o.ca, 2))
	s := o.serve()
	signed := string(o.signed(o.certificate(o.ca, 1)))
	file, document := part{"signature", "契約書.p7s", signed}, part{"document", "契約書.txt", string(contract)}

	kind, body := form(t, file, document, part{field: "purpose", content: "contract"})
	status, header, raw := post(t, s.URL+"/v1/verify", kind, body)
	var d report.Document
	if err := json.Unmarshal(raw, &d); err != nil || status != 200 || d.Verdict != "TOTAL-PASSED" || d.File.Name != "契約書.p7s" || d.Legal.Purpose != "contract" || header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %v %s", status, err, raw)
	}
	if strings.Contains(string(raw), `"serial"`) {
		t.Error("a serial number leaves the verifier")
	}
	asked, _ := json.Marshal(map[string]any{"signature": []byte(signed), "name": "a.p7s", "documents": []map[string]any{{"content": contract}}, "at": "2026-06-01T08:00:00+09:00"})
	if status, _, raw = post(t, s.URL+"/v1/verify", "application/json", asked); status != 200 || !strings.Contains(string(raw), `"at": "2026-05-31T23:00:00Z"`) {
		t.Errorf("%d %s", status, raw)
	}
	for as, begins := range map[string]string{"text": "", "html": "<!doctype html>", "pdf": "%PDF-"} {
		kind, body := form(t, file, document, part{field: "as", content: as}, part{field: "lang", content: "en"})
		status, header, raw := post(t, s.URL+"/v1/verify", kind, body)
		if status != 200 || !strings.HasPrefix(string(raw), begins) || header.Get("X-Content-Type-Options") != "nosniff" || as == "text" && !strings.Contains(string(raw), "Valid") {
			t.Errorf("%s: %d %.200s", as, status, raw)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json"} {
		r, err := http.Get(s.URL + path)
		if err != nil || r.StatusCode != 200 {
			t.Errorf("%s: %v %v", path, r.StatusCode, err)
		}
		r.Body.Close()
	}
	r, err := http.Get(s.URL + "/status")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var state verifier.State
	if err := json.NewDecoder(r.Body).Decode(&state); err != nil || state.Condition != verifier.Current || len(state.Anchors) != 1 || state.Lists[0].Entries != 1 || state.Lists[0].File != "sign.crl" {
		t.Errorf("%v %+v", err, state)
	}
	o.pass(30 * time.Hour)
	if r, err := http.Get(s.URL + "/readyz"); err != nil || r.StatusCode != 503 {
		t.Errorf("ready with a list that has ended: %v", err)
	}
}

// TestNothingIsStored: what was sent is in no file afterwards, neither in the verifier's folder nor in the system's for such things.
func TestNothingIsStored(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	o := newOffice(t)
	o.write("status/sign.crl", o.list(o.ca))
	s := o.serve()
	before := tree(t, o.folder)
	kind, body := form(t, part{"signature", "a.p7s", string(o.signed(o.certificate(o.ca, 1)))}, part{"document", "a.txt", strings.Repeat("x", 3<<20)})
	if status, _, raw := post(t, s.URL+"/v1/verify", kind, body); status != 200 {
		t.Errorf("%d %s", status, raw)
	}
	if after := tree(t, o.folder); after != before {
		t.Errorf("before:\n%safter:\n%s", before, after)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}

func tree(t testing.TB, dir string) string {
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, _ := d.Info()
			fmt.Fprintln(&b, p, info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRequestsThatAreRefused(t *testing.T) {
	o := newOffice(t, "limits: {file_mib: 1, documents: 2}")
	s := o.serve()
	signed, b64 := "x", base64.StdEncoding.EncodeToString([]byte("x"))
	file := part{"signature", "a.p7s", signed}
	large := strings.Repeat("x", 1<<20+1)
	forms := map[string][]part{
		"signature-missing": {{"document", "a", "x"}},
		"request-form":      {file, {"signature", "b.p7s", "y"}},
		"request-form ":     {file, {field: "colour", content: "red"}},
		"request-form  ":    {file, {field: "at", content: "2026-06-01T09:00:00Z"}, {field: "at", content: ""}},
		"request-form   ":   {file, {field: "purpose", content: strings.Repeat("x", 300)}},
		"too-many":          {file, {"document", "a", "x"}, {"document", "b", "x"}, {"document", "c", "x"}},
		"too-large":         {{"signature", "a.p7s", large}},
		"too-large ":        {file, {"document", "a", large[:1<<19+1]}, {"document", "b", large[:1<<19+1]}},
		"at":                {file, {field: "at", content: "yesterday"}},
		"lang":              {file, {field: "lang", content: "fr"}},
		"as":                {file, {field: "as", content: "wax"}},
		"purpose":           {file, {field: "purpose", content: "world-peace"}},
	}
	ask := func(code, kind string, body []byte) {
		t.Helper()
		status, _, raw := post(t, s.URL+"/v1/verify", kind, body)
		var p httpapi.Problem
		if err := json.Unmarshal(raw, &p); err != nil || status != 400 || p.Code != strings.TrimSpace(code) {
			t.Errorf("%s: %d %s", code, status, raw)
		}
	}
	for code, parts := range forms {
		kind, body := form(t, parts...)
		ask(code, kind, body)
	}
	for code, body := range map[string]string{
		"request-form":      `{"signature": "` + b64 + `", "colour": "red"}`,
		"request-form ":     `{"signature": "` + b64 + `"} {}`,
		"request-form  ":    `{"signature": "***"}`,
		"request-form   ":   `[`,
		"signature-missing": `{}`,
		"at":                `{"signature": "` + b64 + `", "at": "2026-13-01"}`,
		"too-large":         `{"signature": "` + base64.StdEncoding.EncodeToString([]byte(large)) + `"}`,
	} {
		ask(code, "application/json", []byte(body))
	}
	ask("content-type", "text/plain", []byte("x"))
	ask("content-type", "multipart/form-data; boundary", []byte("x"))
	ask("request-form", "multipart/form-data; boundary=x", []byte("no boundary at all"))
	ask("content-type", "multipart/form-data", []byte("x"))
	kind, body := form(t, file)
	ask("request-form", kind, body[:len(body)-20])
	ask("too-large", "application/json", bytes.Repeat([]byte(" "), 5<<20))
}

// A verifier has room for so much. Who sends slowly holds the room that was asked for, and others are told to come again.
func TestRoomForRequestsIsBounded(t *testing.T) {
	o := newOffice(t, "limits: {file_mib: 8, memory_mib: 16}")
	s := o.serve()
	slow, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 8000000\r\n\r\n{")
	asked, _ := json.Marshal(map[string]any{"signature": make([]byte, 2<<20)})
	var header http.Header
	for end := time.Now().Add(10 * time.Second); ; { // until the slow one's headers were read
		status, h, raw := post(t, s.URL+"/v1/verify", "application/json", asked)
		if header = h; status == http.StatusTooManyRequests && strings.Contains(string(raw), "busy") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d %s", status, raw)
		}
	}
	if header.Get("Retry-After") == "" {
		t.Errorf("%v", header)
	}
	slow.Close()
	for end := time.Now().Add(10 * time.Second); ; {
		if status, _, raw := post(t, s.URL+"/v1/verify", "application/json", asked); status == 200 {
			break
		} else if time.Now().After(end) {
			t.Fatalf("%d %s", status, raw)
		}
	}
}

func TestOnlyNamesThatWereGivenAreAnswered(t *testing.T) {
	o := newOffice(t, "hosts: [verifier.town.example]")
	s := o.serve()
	for host, want := range map[string]int{"verifier.town.example": 200, "VERIFIER.town.example": 200, "localhost:0": 200, "evil.example": 403, "127.0.0.1:1": 403} {
		q, err := http.NewRequest(http.MethodGet, s.URL+"/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Host = host
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		if r.Body.Close(); r.StatusCode != want {
			t.Errorf("%q: %d", host, r.StatusCode)
		}
	}
	// another site's page may not send a form here
	kind, body := form(t, part{"signature", "a", "x"})
	q, err := http.NewRequest(http.MethodPost, s.URL+"/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Host = "verifier.town.example"
	q.Header.Set("Content-Type", kind)
	q.Header.Set("Origin", "https://evil.example")
	q.Header.Set("Sec-Fetch-Site", "cross-site")
	r, err := http.DefaultClient.Do(q)
	if err != nil || r.StatusCode != http.StatusForbidden {
		t.Errorf("%v %v", r, err)
	}
	r.Body.Close()
}
