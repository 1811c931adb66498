package console_test

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/web"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// visitor looks at the console without script, in English.
type visitor struct {
	t *testing.T
	w *world
	*http.Client
}

func (w *world) visit(t *testing.T) *visitor {
	return &visitor{t, w, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (v *visitor) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

var markup = regexp.MustCompile(`(?s)<(style|script|noscript).*?</(style|script|noscript)>|<[^>]*>`)

// do sends a request and gives the status, where it leads, and what is to be read.
func (v *visitor) do(method, path string, form url.Values) (status int, leads, text string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.w.origin+path, strings.NewReader(form.Encode()))
	v.must(err)
	req.Header.Set("Accept-Language", "en")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.Do(req)
	v.must(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	v.must(err)
	return resp.StatusCode, resp.Header.Get("Location"), html.UnescapeString(markup.ReplaceAllString(string(raw), " "))
}

func (v *visitor) read(path string) string {
	v.t.Helper()
	status, _, text := v.do(http.MethodGet, path, nil)
	if status != http.StatusOK {
		v.t.Fatalf("%s: %d %s", path, status, text)
	}
	return text
}

// press presses the button of an act and gives the page of the act when it is over.
func (v *visitor) press(subject jitsuin.ID, kind string, more ...string) string {
	v.t.Helper()
	path, _ := v.start(subject, jitsuin.NewID(), kind, more...)
	return v.over(path)
}

// start sends the click with an id; more are further fields and values of the form.
func (v *visitor) start(subject, id jitsuin.ID, kind string, more ...string) (path, text string) {
	v.t.Helper()
	form := url.Values{"act": {string(id)}, "kind": {kind}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	status, leads, text := v.do(http.MethodPost, "/people/"+string(subject)+"/acts", form)
	if status != http.StatusSeeOther {
		v.t.Fatalf("%s: %d %s", kind, status, text)
	}
	return leads, text
}

// over waits until an act is over and gives its page.
func (v *visitor) over(path string) string {
	v.t.Helper()
	news := struct {
		Rev     int64
		Running bool
	}{Running: true}
	for deadline := time.Now().Add(30 * time.Second); news.Running; {
		if time.Now().After(deadline) {
			v.t.Fatalf("%s is not over: %s", path, v.read(path))
		}
		resp, err := v.Get(v.w.origin + path + "/rev?after=" + jsonNumber(news.Rev))
		v.must(err)
		v.must(json.NewDecoder(resp.Body).Decode(&news))
		resp.Body.Close()
	}
	return v.read(path)
}

func jsonNumber(n int64) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func (v *visitor) says(text string, keys ...string) {
	v.t.Helper()
	flat := strings.Join(strings.Fields(text), " ")
	for _, key := range keys {
		if !strings.Contains(flat, strings.Join(strings.Fields(said(web.EN, key)), " ")) {
			v.t.Errorf("%s (%q) is not to be read in: %s", key, said(web.EN, key), flat)
		}
	}
}

// refused presses a button that the page does not have: the answer says why, and nothing was recorded anywhere.
func (v *visitor) refused(subject jitsuin.ID, kind, why string, more ...string) {
	v.t.Helper()
	page, before := v.read("/people/"+string(subject)), v.traces(subject)
	v.says(page, "console.why."+why)
	form := url.Values{"act": {string(jitsuin.NewID())}, "kind": {kind}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	status, _, text := v.do(http.MethodPost, "/people/"+string(subject)+"/acts", form)
	if status != http.StatusConflict {
		v.t.Errorf("%s: %d", kind, status)
	}
	v.says(text, "console.act.refused", "console.why."+why)
	if after := v.traces(subject); after != before {
		v.t.Errorf("%s was refused and left something: %s before, %s after", kind, before, after)
	}
}

// traces is what every municipality has of a person.
func (v *visitor) traces(subject jitsuin.ID) string {
	v.t.Helper()
	var all []any
	for _, m := range v.sample().Municipalities {
		c := v.counter(m.Code)
		r, err := c.Resident(v.t.Context(), subject)
		if jitsuin.KindOf(err) == jitsuin.NotFound {
			continue
		}
		v.must(err)
		cases, err := c.ApplicationsOf(v.t.Context(), subject)
		v.must(err)
		changes, err := c.Changes(v.t.Context(), subject)
		v.must(err)
		all = append(all, r, len(cases), changes)
	}
	raw, err := json.Marshal(all)
	v.must(err)
	return string(raw)
}

func (v *visitor) sample() people.Country {
	facts, err := v.w.Facts()
	v.must(err)
	return facts.Sample()
}

func (v *visitor) counter(code jitsuin.MunicipalityCode) town.Client {
	r, err := v.w.Remote(country.Counter(code), country.Town(code))
	v.must(err)
	v.t.Cleanup(r.Close)
	return town.Client{Remote: r}
}

// somebody finds adults without a persona, one after the other.
func (v *visitor) somebody(n int) people.Resident {
	for _, r := range v.sample().Residents {
		if r.Persona == "" && r.Nationality == "JP" && !r.AdultWard && r.Items.BirthDate.Before(jitsuin.DateOf(time.Now().AddDate(-25, 0, 0))) {
			if n == 0 {
				return r
			}
			n--
		}
	}
	v.t.Fatal("nobody is left")
	return people.Resident{}
}

func (v *visitor) elsewhere(r people.Resident) string {
	for _, m := range v.sample().Municipalities {
		if m.Code != r.Municipality {
			return string(m.Code)
		}
	}
	return ""
}

// Every act does what it says, and what is impossible says why and changes nothing.
func TestActsAndRefusals(t *testing.T) {
	t.Parallel()
	w := live(t, t.TempDir(), "")
	t.Run("a life", func(t *testing.T) { aLife(t, w.visit(t)) })
	t.Run("a child", func(t *testing.T) { aChild(t, w.visit(t)) })
	t.Run("the same click", func(t *testing.T) { theSameClick(t, w.visit(t)) })
	t.Run("a faulty card", func(t *testing.T) { aFaultyCard(t, w.visit(t)) })
}

func aLife(t *testing.T, v *visitor) {
	who := v.somebody(0)
	to := v.elsewhere(who)
	for _, r := range []struct{ kind, why string }{{"handover", "no-case"}, {"sign", "no-card"}, {"login", "no-card"}, {"again", "no-card"}, {"reissue", "no-card"}} {
		v.refused(who.ID, r.kind, r.why)
	}
	noFace(t, v, who)
	v.says(v.press(who.ID, "apply"), "console.result.apply.what")
	v.refused(who.ID, "apply", "case-open")
	v.says(v.press(who.ID, "handover"), "console.result.handover.what", "console.cert.state.good")
	v.refused(who.ID, "apply", "card-held")
	v.refused(who.ID, "handover", "no-case")
	v.refused(who.ID, "reissue", "certificates-alive")
	v.says(v.press(who.ID, "login"), "console.act.login.name", "firm.login.no-customer.title") // no account yet
	v.says(v.press(who.ID, "sign"), "console.result.sign.what")
	v.says(v.press(who.ID, "login"), "console.result.login.what")
	v.says(v.press(who.ID, "again"), "console.fact.again-good")
	v.says(v.press(who.ID, "move", "to", to), "console.result.move.what", "console.cert.state.revoked", "console.fact.revoked-ms", "console.fact.verifier-ms")
	v.says(v.press(who.ID, "again"), "console.fact.again-refused", "console.fact.login-good")
	v.says(v.read("/people/"+string(who.ID)), "console.note.sign-dead")
	v.says(v.press(who.ID, "sign"), "firm.outcome.revoked.title") // the card signs, the firm refuses
	v.says(v.press(who.ID, "reissue"), "console.result.reissue.what")
	theFace(t, v, who, to)
	v.says(v.press(who.ID, "correct"), "console.result.correct.what")
	v.says(v.press(who.ID, "sign"), "console.result.sign-known.what")
	if status, _, _ := v.do(http.MethodPost, "/people/"+string(who.ID)+"/acts", url.Values{"act": {string(jitsuin.NewID())}, "kind": {"die"}}); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
		t.Errorf("a death without the box: %d", status)
	}
	v.says(v.press(who.ID, "die", "sure", "yes"), "console.result.die.what", "console.cert.state.revoked")
	for _, kind := range []string{"apply", "sign", "login", "move", "again", "reissue", "correct", "die"} {
		v.refused(who.ID, kind, "person-dead", "to", to, "sure", "yes")
	}
}

// Under 15 there is a card, and no certificate for signatures.
func aChild(t *testing.T, v *visitor) {
	child, ok := v.sample().Find(people.Turns15)
	if !ok {
		t.Fatal("nobody turns 15")
	}
	v.says(v.press(child.ID, "apply"), "console.result.apply.what")
	v.says(v.press(child.ID, "handover"), "console.result.handover.what")
	v.refused(child.ID, "sign", "no-certificate-sign")
	v.refused(child.ID, "reissue", "certificates-alive")
}

// The same click several times at once, and once more afterwards, is one act.
func theSameClick(t *testing.T, v *visitor) {
	who := v.somebody(1)
	id := jitsuin.NewID()
	paths := make([]string, 4)
	var clicks sync.WaitGroup
	for i := range paths {
		clicks.Go(func() { paths[i], _ = v.start(who.ID, id, "correct") })
	}
	clicks.Wait()
	for _, p := range paths {
		if p != "/acts/"+string(id) {
			t.Errorf("a click led to %q", p)
		}
	}
	v.over(paths[0])
	v.start(who.ID, id, "correct")
	if changes, err := v.counter(who.Municipality).Changes(t.Context(), who.ID); err != nil || len(changes) != 1 || changes[0].RequestID != string(id) {
		t.Errorf("%+v, %v", changes, err)
	}
}

// An act that the end of the process has cut short goes on at the next start, and is done once.
func TestAnActOutlivesARestart(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	w := live(t, data, "")
	v := w.visit(t)
	who := v.somebody(2)
	v.press(who.ID, "apply")
	path, _ := v.start(who.ID, jitsuin.NewID(), "handover")
	w.stop()
	w = live(t, data, w.origin)
	v = w.visit(t)
	v.says(v.over(path), "console.result.handover.what")
	to := v.elsewhere(who)
	path, _ = v.start(who.ID, jitsuin.NewID(), "move", "to", to)
	w.stop()
	w = live(t, data, w.origin)
	v = w.visit(t)
	v.says(v.over(path), "console.result.move.what")
	out, err := v.counter(who.Municipality).Changes(t.Context(), who.ID)
	v.must(err)
	in, err := v.counter(jitsuin.MunicipalityCode(to)).Changes(t.Context(), who.ID)
	v.must(err)
	if len(out) != 1 || len(in) != 1 {
		t.Errorf("%d departures, %d arrivals", len(out), len(in))
	}
}
