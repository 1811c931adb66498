package trace

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func recorder() *Recorder { return New("jlis:1", func() time.Time { return time.Unix(1800000000, 0) }) }

// serve plays one exchange through the recorder as a server does.
func serve(r *Recorder, method, path, kind, body, answerKind, answer string) Entry {
	req := httptest.NewRequest(method, "http://jlis.test"+path, strings.NewReader(body))
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", "Bearer SECRET-TOKEN")
	req.Header.Set("Cookie", "s=SECRET-COOKIE")
	note, req := r.Begin(req, "act-1")
	io.Copy(io.Discard, req.Body)
	note.Wrote([]byte(answer), answerKind)
	return note.End(method+" "+req.URL.Path, "municipality:91201", answerKind, 200, time.Millisecond)
}

func TestNothingSecretIsRemembered(t *testing.T) {
	r := recorder()
	serve(r, "POST", "/cards/1?my_number=123456789018&page=2", "application/json",
		`{"name":"朝霧 花子","pin":"SECRET1","new_pin":"SECRET2","password":"SECRET3","my_number":"123456789018","residentCode":"12345678901",
		"handle":{"in":["SECRET4"]},"authentic":"SECRETA","list":[{"accessToken":"SECRET5","assertion":"SECRET6","ticket":12345}],"remark":"番号は123456789018と1234-5678-9018です","code":"9f86d081884c7d659a2feaa0c55ad015",
		"reply_code":"SECR-ETCO-DE00","reply":{"code":"SECR-ET00-CODE"},"nested":{"code":"four-items-differ","town":{"code":"91201"}},"offset_us":86400000000}`,
		"application/x-www-form-urlencoded", "grant_type=x&assertion=SECRET7&login_token=SECRET8&name=ok&old=SECRET9&new=SECRET10&again=SECRET11&wrong_pin=SECRET12&sign_pin_again=SECRET13&pinauth=SECRET14&code_verifier=SECRET15&id_token_hint=SECRET16&client_secret=SECRET17")
	e, err := r.Get(1)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"SECRET", "123456789018", "12345678901", "1234-5678-9018", "9f86d081884c7d659a2feaa0c55ad015", "12345}"} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("%s is remembered: %s", secret, raw)
		}
	}
	for _, kept := range []string{"朝霧 花子", "four-items-differ", `"code":"91201"`, "86400000000", `"remark":"番号は***と***です"`, `"ticket":"***"`, `"handle":"***"`, `"grant_type"`, "page=2"} {
		if !strings.Contains(string(raw), kept) && !strings.Contains(string(raw), strings.ReplaceAll(kept, `"`, `\"`)) {
			t.Errorf("%s is lost: %s", kept, raw)
		}
	}
	if e.Headers["Authorization"] != Mask || e.Headers["Cookie"] != Mask {
		t.Errorf("headers: %v", e.Headers)
	}
}

func TestWhatIsNoJSONIsNotKeptAsOne(t *testing.T) {
	r := recorder()
	for _, body := range []string{`{"pin":"SECRET"`, `{"pin":"SECRET"} {`, `{"pin":"SECRET","x":"` + strings.Repeat("y", mostCopied) + `"}`} {
		e := serve(r, "POST", "/x", "application/json", body, "application/octet-stream", "")
		if e.Request.JSON != nil || e.Request.Text != "" || e.Request.Bytes != nil || !e.Request.Cut || e.Request.Size != int64(len(body)) {
			t.Errorf("%.40s: %+v", body, e.Request)
		}
	}
}

func TestRedactionKeepsTheOrderAndTheRest(t *testing.T) {
	in := `{"b":1.50,"a":[true,null,"<é>",[]],"c":{},"d":"` + "x" + `"}`
	out, cut, ok := RedactJSON([]byte(in))
	if !ok || cut || string(out) != in {
		t.Errorf("%s", out)
	}
	long := strings.Repeat("A", longest+1)
	if out, cut, ok = RedactJSON([]byte(`["` + long + `"]`)); !ok || !cut || len(out) > 400 {
		t.Errorf("a long string: %d bytes, cut %v", len(out), cut)
	}
}

func TestTheMemoryIsBounded(t *testing.T) {
	r := recorder()
	for i := range maxEntries + 500 {
		serve(r, "POST", fmt.Sprintf("/x/%d", i), "text/plain", "hello", "text/plain", "hello")
		serve(r, "GET", "/healthz", "", "", "text/plain", "ok")
	}
	if len(r.entries) != maxEntries || len(r.quiet) != maxQuiet || r.dropped != 500 || r.counts[""] != maxEntries+500 || r.counts["health"] != maxEntries+500 {
		t.Errorf("%d messages, %d of housekeeping, %d forgotten, %v", len(r.entries), len(r.quiet), r.dropped, r.counts)
	}
	for range 100 {
		serve(r, "POST", "/big", "application/pdf", strings.Repeat("x", mostKept), "application/pdf", strings.Repeat("y", mostKept))
	}
	size := 0
	for _, e := range r.entries {
		size += e.size()
	}
	if size > maxBytes || size != r.bytes || len(r.entries) < maxBytes/(2*mostKept+2000) {
		t.Errorf("%d bytes (counted %d) in %d messages", size, r.bytes, len(r.entries))
	}
	if e, err := r.Get(r.last); err != nil || len(e.Request.Bytes) != mostKept {
		t.Errorf("the latest: %v", err)
	}
	if _, err := r.Get(1); err == nil {
		t.Error("the first is remembered")
	}
	e := serve(r, "POST", "/huge", "application/pdf", strings.Repeat("x", mostKept+1), "text/html", "<p>")
	if e.Request.Bytes != nil || !e.Request.Cut || e.Request.Size != mostKept+1 || e.Answer.Text != "" {
		t.Errorf("a large body: %+v %+v", e.Request, e.Answer)
	}
}

func TestAFeedIsAMessageForEachEvent(t *testing.T) {
	r := recorder()
	line := func(n int) string {
		return fmt.Sprintf(`{"epoch":1,"n":%d,"type":"juki.numbers","subject":"s%d","body":{"my_number":"123456789018","town":"91201"}}`+"\n", n, n)
	}
	e := serve(r, "GET", "/feeds/juki.town.91201", "", "", "application/x-ndjson", line(7)+line(8))
	e.Route = "GET /feeds/{topic}"
	if len(e.Events) != 2 || e.Events[1].Position != "1.8" || e.Events[1].Topic != "juki.town.91201" || string(e.Events[0].Body) != `{"my_number":"***","town":"91201"}` {
		t.Errorf("%+v", e.Events)
	}
	if Housekeeping(e) != "" {
		t.Error("events are no message")
	}
	if e.Events = nil; Housekeeping(e) != "feeds" {
		t.Error("a feed that was read in vain is a message")
	}
	if e.Status = 409; Housekeeping(e) != "" {
		t.Error("a refused reading is no message")
	}
}

func TestAReaderWaitsForTheNextMessage(t *testing.T) {
	r := recorder()
	serve(r, "POST", "/first", "text/plain", "", "", "")
	s := httptest.NewServer(r.Handler(func(w http.ResponseWriter, _ *http.Request, err error) { http.Error(w, err.Error(), 400) }))
	defer s.Close()
	get := func(query string) (l List) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "GET", s.URL+"/trace"+query, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(&l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	if l := get("?after=0&wait=5s"); len(l.Entries) != 1 || l.Last != 1 {
		t.Errorf("%+v", l)
	}
	if l := get("?after=1&wait=1ms"); len(l.Entries) != 0 {
		t.Errorf("%+v", l)
	}
	got := make(chan List)
	go func() { got <- get("?after=1&wait=9s") }()
	serve(r, "GET", "/healthz", "", "", "text/plain", "ok") // wakes nobody
	serve(r, "POST", "/second", "text/plain", "", "", "")
	if l := <-got; len(l.Entries) != 1 || l.Entries[0].Path != "/second" || l.Entries[0].Seq != 3 || l.Entries[0].Headers != nil {
		t.Errorf("%+v", l)
	}
	if l := get("?after=99&wait=9s"); l.Last != 3 { // a number from before a start
		t.Errorf("%+v", l)
	}
	if l := get("?request_id=act-1"); len(l.Entries) != 2 {
		t.Errorf("%+v", l)
	}
	if l := get("?quiet=1&limit=2"); len(l.Entries) != 2 || l.Entries[0].Path != "/healthz" {
		t.Errorf("%+v", l)
	}
	for _, bad := range []string{"?after=-1", "?limit=0", "?wait=x", "/x"} {
		resp, err := http.Get(s.URL + "/trace" + bad)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != 400 {
			t.Errorf("%s: %s", bad, resp.Status)
		}
	}
}
