package municipality_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// answers collects the bytes of every answer that the counter gets.
type answers struct {
	w    *world
	http *http.Client
	all  bytes.Buffer
}

func (a *answers) call(method, path string, in, out any) int {
	a.w.t.Helper()
	body, err := json.Marshal(in)
	a.w.must(err)
	req, err := http.NewRequestWithContext(a.w.t.Context(), method, "http://town"+path, bytes.NewReader(body))
	a.w.must(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(httpapi.HeaderIdempotencyKey, string(jitsuin.NewID()))
	resp, err := a.http.Do(req)
	a.w.must(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	a.w.must(err)
	a.all.Write(raw)
	if out != nil {
		a.w.must(json.Unmarshal(raw, out))
	}
	return resp.StatusCode
}

// My Number and resident code are in the notices to the network and in no other byte that leaves the town, but for
// the answer to a lawful purpose, see TestMyNumberIsShownForALawfulPurposeAlone.
func TestTheTwoNumbersStayInTheRegister(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako, taro := resident(t, 1, "見本　花子", grown), resident(t, 2, "見本　太郎", grown)
		w := newWorld(t, database, hanako)
		w.sendNumbers(2)
		w.send(w.network, jukinet.TopicToTown(town), string(taro.Subject), jukinet.TypeTransfer, jukinet.Transfer{Subject: taro.Subject, From: otherTown,
			PlannedOn: today(), Items: taro.Items, MyNumber: taro.MyNumber, ResidentCode: taro.ResidentCode})
		c := &answers{w: w, http: w.counter.HTTPClient()}
		change := func(r api.ChangeRequest) int {
			r.Clerk, r.OccurredOn = clerk, today()
			return c.call("POST", "/changes", r, nil)
		}
		eventually(t, "he moves in", func() bool {
			return change(api.ChangeRequest{Cause: jitsuin.CauseMoveIn, Subject: taro.Subject, Address: "試験県見本市三丁目"}) == 200
		})
		eventually(t, "a new code", func() bool {
			return change(api.ChangeRequest{Cause: jitsuin.CauseCodeRequested, Subject: taro.Subject}) == 200
		})
		change(api.ChangeRequest{Cause: jitsuin.CauseMoveIn, Subject: taro.Subject, Address: "町"}) // refused
		change(api.ChangeRequest{Cause: jitsuin.CauseBirth, Items: &jitsuin.FourItems{Name: "見本　一子", Address: "町", BirthDate: today(), Sex: jitsuin.Female}})
		c.call("POST", "/residents/search", api.Query{Limit: 50}, nil)
		c.call("GET", "/residents/"+string(hanako.Subject), nil, nil)
		c.call("POST", "/residents/search", api.Query{Left: true, Limit: 50}, nil)
		c.call("GET", "/residents/"+string(taro.Subject)+"/changes", nil, nil)
		c.call("GET", "/residents/"+string(hanako.Subject)+"/applications", nil, nil)
		c.call("GET", "/applications", nil, nil)
		c.call("GET", "/desk", nil, nil)
		c.call("GET", "/residents/"+string(hanako.Subject)+"/desk", nil, nil)
		c.call("GET", "/arrivals/"+string(taro.Subject), nil, nil)
		c.call("POST", "/changes/preview", api.ChangeRequest{Cause: jitsuin.CauseCodeRequested, Subject: hanako.Subject, OccurredOn: today(), Clerk: clerk}, nil)
		c.call("POST", "/residents/search", api.Query{BirthDate: "x"}, nil)
		var a api.Application
		c.call("POST", "/applications", api.NewApplication{Type: api.NewCard, Items: hanako.Items, Kinds: bothKinds, Clerk: clerk}, &a)
		path := "/applications/" + string(a.ID)
		c.call("POST", path+"/inquiry", map[string]string{"clerk": clerk}, nil)
		c.call("POST", path+"/check", api.Check{Clerk: clerk, Document: licence(hanako.Items)}, nil)
		c.call("GET", path, nil, nil)
		c.call("GET", path+"/file", nil, nil)
		c.call("GET", "/openapi.json", nil, nil)
		c.call("GET", "/readyz", nil, nil)
		eventually(t, "J-LIS and the network have all", func() bool { _, ok := w.application(a.ID); return ok && len(w.network.events()) == 4 })

		var toAgency, toNetwork bytes.Buffer
		for _, e := range w.agency.events() {
			toAgency.Write(e.Body)
		}
		secrets := map[string]bool{hanako.MyNumber.Reveal(): true, hanako.ResidentCode.Reveal(): true, taro.MyNumber.Reveal(): true, taro.ResidentCode.Reveal(): true}
		for _, e := range w.network.events() {
			toNetwork.Write(e.Body)
			var n jukinet.Notice
			w.must(e.Decode(&n))
			secrets[n.MyNumber.Reveal()], secrets[n.ResidentCode.Reveal()] = true, true
		}
		if len(secrets) != 7 {
			t.Fatalf("the story has %d numbers, not 7", len(secrets))
		}
		log := w.log.String()
		if !strings.Contains(log, clerk) || !strings.Contains(log, "act=move-in") || !strings.Contains(log, "request_id=") {
			t.Error("the log does not name clerk, act and request")
		}
		for name, text := range map[string]string{"an answer": c.all.String(), "the feed to J-LIS": toAgency.String(), "the log": log} {
			if len(text) == 0 {
				t.Errorf("%s: nothing was collected", name)
			}
			for s := range secrets {
				if strings.Contains(text, s) {
					t.Errorf("%s shows a number", name)
				}
				if !strings.Contains(toNetwork.String(), s) {
					t.Error("a notice to the network lacks a number")
				}
			}
		}
	})
}

// Only the counter of this very town acts here, and each topic has one reader.
func TestWhoMayUseATown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite().Fresh(t))
	d, err := httpapi.OpenDirectory(w.config.Directory, &w.keys["operator"].PublicKey)
	w.must(err)
	ask := func(as, method, path string) int {
		t.Helper()
		r := httpapi.NewRemote(httpapi.Identity{ID: as, Key: w.keys[as]}, d, townID)
		req, err := http.NewRequestWithContext(t.Context(), method, "http://town"+path, strings.NewReader("{}"))
		w.must(err)
		req.Header.Set("Content-Type", "application/json")
		resp, err := r.HTTPClient().Do(req)
		w.must(err)
		resp.Body.Close()
		return resp.StatusCode
	}
	tried := 0
	for _, route := range w.town.API.Routes() {
		if route.Policy != "The counter of this municipality" {
			continue
		}
		tried++
		path := strings.ReplaceAll(route.Path, "{id}", string(jitsuin.NewID()))
		for _, as := range []string{"counter:91202", "jlis:1", "jukinet:1", "municipality:91202"} {
			if got := ask(as, route.Method, path); got != http.StatusForbidden {
				t.Errorf("%s %s as %s: %d", route.Method, route.Path, as, got)
			}
		}
		if got := ask("counter:91201", route.Method, path); got == http.StatusForbidden || got == http.StatusUnauthorized {
			t.Errorf("%s %s as the town's own counter: %d", route.Method, route.Path, got)
		}
		resp, err := http.Post("http://"+w.origins[townID]+path, "application/json", nil)
		w.must(err)
		resp.Body.Close()
		if route.Method == http.MethodPost && resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s as nobody: %d", route.Method, route.Path, resp.StatusCode)
		}
	}
	if tried != 31 {
		t.Errorf("tried %d routes", tried)
	}
	for topic, reader := range map[string]string{"residents": "jukinet:1", "applications": "jlis:1", "ordinances": "jlis:1"} {
		for _, as := range []string{"jukinet:1", "jlis:1", "counter:91201", "municipality:91202"} {
			want := http.StatusForbidden
			if as == reader {
				want = http.StatusOK
			}
			for _, part := range []string{"", "/head", "/snapshot"} {
				if got := ask(as, "GET", "/feeds/"+topic+part); got != want {
					t.Errorf("topic %s%s as %s: %d, want %d", topic, part, as, got, want)
				}
			}
		}
	}
}

// URLs stand in the logs of proxies: none names a person.
func TestNoURLNamesAPerson(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako, resident(t, 2, "見本　太郎", grown))
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, In string }
		}
	}
	c := &answers{w: w, http: w.counter.HTTPClient()}
	c.call("GET", "/openapi.json", nil, &doc)
	for path, operations := range doc.Paths {
		for _, o := range operations {
			for _, p := range o.Parameters {
				if p.In == "query" && !slices.Contains([]string{"since", "wait", "after", "limit", "fired"}, p.Name) {
					t.Errorf("%s takes %s in its URL", path, p.Name)
				}
			}
		}
	}
	for _, q := range []api.Query{{Name: hanako.Items.Name}, {Name: hanako.Items.Name, BirthDate: grown.String(), Limit: 5}} {
		found, err := w.counter.Search(t.Context(), q)
		if err != nil || len(found) != 1 || found[0].Subject != hanako.Subject {
			t.Errorf("%+v: %d residents, %v", q, len(found), err)
		}
	}
	all, err := w.counter.Search(t.Context(), api.Query{BirthDate: grown.String(), Limit: 1})
	if err != nil || len(all) != 1 {
		t.Errorf("one of two: %d residents, %v", len(all), err)
	}
	for _, q := range []api.Query{{BirthDate: "1980-02-30"}, {Limit: 501}, {Name: strings.Repeat("名", 101)}} {
		if _, err := w.counter.Search(t.Context(), q); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
}
