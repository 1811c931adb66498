package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/trace"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/internal/webtest"
)

// look sends a question to the actors as a person's program does, so that something happens.
func (s *small) look(t *testing.T, path string) int {
	t.Helper()
	i, err := s.Directory.Lookup("jlis:1")
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, i.Origin+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// A newcomer looks at the map, narrows it, opens a message, stops it and lets it go on; in both languages, by
// mouse and by keyboard alone, on a telephone and on a desk.
func TestTheMapIsUsed(t *testing.T) {
	s := runCountry(t)
	s.play(t)
	for _, l := range []web.Lang{web.JA, web.EN} {
		t.Run(string(l), func(t *testing.T) {
			say := func(key string, pairs ...any) string { return web.Text(l, "consolemap."+key, pairs...) }
			b := webtest.New(t, string(l), 1280)
			b.Open(s.origin)
			b.See(say("title"), say("live.on"), say("well"))
			b.Axe()
			b.Shots("map-" + string(l))
			b.FitsWidth(360)
			b.Resize(1280)

			arrow := filter{Between: "jukinet:1~municipality:91201"}
			b.Keyboard(s.about(l, arrow)) // the arrow itself, by keyboard
			b.See(s.about(l, arrow))
			for _, line := range webtest.Eval[[]string](b, `[...document.querySelectorAll("[data-list] .way")].map(e => e.innerText)`) {
				if !strings.Contains(line, s.name(l, "jukinet:1")) || !strings.Contains(line, s.name(l, "municipality:91201")) {
					t.Errorf("the arrow's messages have %q", line)
				}
			}
			b.Click(say("filter.none"))
			b.See(say("live.on"))
			// With the mouse, on the line itself and not beside it.
			key := webtest.Eval[string](b, `(() => { const p = document.querySelector('.map-wide [data-key="jlis:1~status:1"] .reach'), at = p.getPointAtLength(p.getTotalLength() / 2).matrixTransform(p.getScreenCTM());
				scrollTo(0, 0); const q = p.getPointAtLength(p.getTotalLength() / 2).matrixTransform(p.getScreenCTM()); const a = document.elementFromPoint(q.x, q.y).closest("a"); a.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true})); return a.dataset.key; })()`)
			if key != "jlis:1~status:1" {
				t.Errorf("the mouse on the arrow hits %q", key)
			}
			b.See(s.about(l, filter{Between: "jlis:1~status:1"}))
			b.Choose(say("filter"), s.name(l, "platform:1"))
			b.Click(say("filter.show"))
			b.See(s.about(l, filter{At: "platform:1"}), say("say.platform.post-v1-verifications"))

			href := webtest.Eval[string](b, `[...document.querySelectorAll("[data-list] a")].find(a => a.innerText.includes(`+jsString(say("say.platform.post-v1-verifications"))+`)).getAttribute("href")`)
			b.Open(s.origin + href)
			b.See(say("say.platform.post-v1-verifications.more"), say("found.cms"), say("found.certificate"), say("message.sequence"), "tenant:securities-1", say("name.status"))
			b.Axe()
			b.Shots("message-" + string(l))
			b.FitsWidth(360)
		})
	}
	t.Run("what is wrong", func(t *testing.T) {
		for path, status := range map[string]int{"/messages/jlis:1/999999": 404, "/messages/nobody:1/1": 404, "/messages/jlis:1/x": 404, "/time?from=x": 400, "/messages": 200, "/due": 200} {
			resp, err := http.Get(s.origin + path)
			if err != nil {
				t.Fatal(err)
			}
			if resp.Body.Close(); resp.StatusCode != status {
				t.Errorf("%s: %s", path, resp.Status)
			}
		}
		resp, err := http.PostForm(s.origin+"/time", url.Values{"by": {"century"}})
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != 400 {
			t.Errorf("time moved by a century: %s", resp.Status)
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.origin+"/time", strings.NewReader("by=day"))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		if resp, err = http.DefaultClient.Do(req); err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != 403 {
			t.Errorf("another site moves the clock: %s", resp.Status)
		}
		for _, id := range []string{"jlis:1", "cards:1"} { // what was traced is for the console alone
			i, err := s.Directory.Lookup(id)
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"/trace", "/trace/1"} {
				if resp, err = http.Get(i.Origin + path); err != nil {
					t.Fatal(err)
				}
				if resp.Body.Close(); resp.StatusCode != 401 {
					t.Errorf("%s%s: %s", id, path, resp.Status)
				}
			}
		}
	})
	t.Run("pause and stillness", func(t *testing.T) {
		b := webtest.New(t, "en", 1280)
		b.ReduceMotion()
		b.Before(watch)
		s.settle(t)
		b.Open(s.origin)
		b.See("New messages appear at once")
		if s.look(t, "/ca/sign") == 0 {
			t.Fatal("no answer")
		}
		await(t, func() string { return missing(len(seenOn(b)) == 1, "the message did not come") })
		if n := webtest.Eval[int](b, `window.dots`); n != 0 {
			t.Errorf("%d dots moved for somebody who wants nothing to move", n)
		}
		if !webtest.Eval[bool](b, `!!document.querySelector(".arrow.busy, .detour, [data-list] li.fresh")`) {
			t.Error("nothing shows where the message went")
		}
		b.Keyboard("Pause")
		b.See("Paused (0 waiting)")
		s.look(t, "/ca/auth")
		b.See("Paused (1 waiting)")
		if n := len(seenOn(b)); n != 1 {
			t.Errorf("%d messages although it is paused", n)
		}
		b.Press(kb.Enter)
		await(t, func() string { return missing(len(seenOn(b)) == 2, "what came meanwhile did not appear") })
		await(t, func() string {
			return missing(strings.Contains(webtest.Eval[string](b, `document.querySelector("[aria-live]").textContent`), "→"), "a screen reader hears nothing")
		})
	})
}

func missing(is bool, why string) string {
	if is {
		return ""
	}
	return why
}

func jsString(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

// ahead is what all actors have ahead: each has a moment to answer a page, and is asked again here.
func (s *small) ahead(t *testing.T) (all []coming) {
	t.Helper()
	await(t, func() string {
		var silent []string
		all, silent = s.upcoming(t.Context())
		return missing(len(silent) == 0, fmt.Sprintf("silent: %v", silent))
	})
	return all
}

// "To the next event" goes exactly there: the day before nothing has happened, at the moment it has.
func TestTimeGoesToTheNextEvent(t *testing.T) {
	s := runCountry(t)
	all := s.ahead(t)
	if len(all) == 0 || all[0].Kind != "audits-due" || all[0].Fires {
		t.Fatalf("%+v", all)
	}
	// A report that does not come is late, and no event: that day passes.
	if err := s.move(t.Context(), all[0].At); err != nil {
		t.Fatal(err)
	}
	if all = s.ahead(t); len(all) == 0 || all[0].Kind != "responder-certificates" || !all[0].Fires {
		t.Fatalf("%+v", all)
	}
	first := all[0]
	if err := s.move(t.Context(), first.At.AddDate(0, 0, -1)); err != nil {
		t.Fatal(err)
	}
	if all := s.ahead(t); !all[0].At.Equal(first.At) {
		t.Fatalf("the day before it is done already: next is %s", all[0].At)
	}
	b := webtest.New(t, "en", 1280)
	b.Open(s.origin + "/due")
	b.See(web.DateText(web.EN, jitsuin.DateOf(first.At)), web.Text(web.EN, "consolemap.due.responder-certificates.what"), "in 1 days")
	b.Axe()
	b.FitsWidth(360)
	b.Resize(1280)
	clicked := time.Now()
	b.Click(web.Text(web.EN, "consolemap.time.next"))
	b.See(web.Text(web.EN, "consolemap.moved.title"), web.Text(web.EN, "consolemap.due.responder-certificates.then"))
	b.Axe()
	if now := s.Clock.Now(); now.Before(first.At) || now.After(first.At.Add(time.Minute+time.Since(clicked))) {
		t.Errorf("it went to %s, the event is at %s", now, first.At)
	}
	all = s.ahead(t)
	for _, d := range all {
		if d.Kind == first.Kind && !d.At.After(first.At) {
			t.Errorf("it is still ahead: %+v", d)
		}
	}
	before := s.Clock.Now()
	clicked = time.Now()
	b.Click(web.Text(web.EN, "consolemap.time.day"))
	await(t, func() string { return missing(s.Clock.Now().Sub(before) > time.Hour, "the clock stands") })
	b.See(web.Text(web.EN, "consolemap.moved.ticks", "n", 11))
	if gone := s.Clock.Now().Sub(before); gone < 24*time.Hour || gone > 24*time.Hour+time.Minute+time.Since(clicked) {
		t.Errorf("a day is %s", gone)
	}
}

func TestAMonthAhead(t *testing.T) {
	for from, want := range map[string]string{"2027-01-31": "2027-02-28", "2028-01-30": "2028-02-29", "2026-12-05": "2027-01-05", "2027-03-31": "2027-04-30"} {
		at, _ := time.ParseInLocation("2006-01-02", from, jitsuin.JST)
		if got := nextMonth(at).Format("2006-01-02"); got != want {
			t.Errorf("%s: %s", from, got)
		}
	}
}

func TestACursorIsReadBack(t *testing.T) {
	c := cursor{"jlis:1": {"abcd1234", 45}, "cards:1": {"0000ffff", 1}}
	if got := parseCursor(c.String()); len(got) != 2 || got["jlis:1"] != c["jlis:1"] || got["cards:1"] != c["cards:1"] {
		t.Errorf("%v", got)
	}
	if got := parseCursor("x,jlis:1@a@-1,@@,"); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// What a chip was told is put into words; PINs and My Number were never there.
func TestADialogueIsPutIntoWords(t *testing.T) {
	said := dialogue(web.EN, &trace.Card{Commands: []trace.APDU{
		{Command: "00a4040c0ad392f000260100000001", Response: "9000"}, {Command: "00a4020c020018", Response: "9000"}, {Command: "00200080", Response: "63c2"},
		{Command: "00200080", Response: "9000", Masked: true}, {Command: "00ff0000", Response: "6d00"}}})
	if len(said) != 5 {
		t.Fatalf("%+v", said)
	}
	for i, want := range []struct{ say, answer string }{{"the JPKI application", "OK"}, {"authentication PIN", "OK"}, {"tries left", "2 tries left"},
		{"Have a PIN checked", "OK"}, {"FF", "unknown"}} {
		if !strings.Contains(said[i].Say, want.say) || !strings.Contains(said[i].Answer, want.answer) {
			t.Errorf("%+v", said[i])
		}
	}
}

// Both pictures have a place for everybody, and an arrow wherever two talk.
func TestThePicturesAreWhole(t *testing.T) {
	nodes := []string{personNode, "municipality:1", "municipality:2", "jukinet:1", "jlis:1", "status:1", "minister:1", "platform:1", "tsa:1", "service:x", "holder:1", "cards:1", "country:1", verifierNode}
	for _, p := range []picture{wide, narrow} {
		drawn, arrows := p.draw(nodes)
		if len(drawn) != len(nodes) {
			t.Errorf("%s has %d of %d", p.Name, len(drawn), len(nodes))
		}
		for i, n := range drawn {
			if n.X < 0 || n.Y < 0 || n.X+n.Box.W > p.W || n.Y+n.Box.H > p.H {
				t.Errorf("%s: %s lies outside", p.Name, n.ID)
			}
			for _, o := range drawn[:i] {
				if n.X < o.X+o.Box.W && o.X < n.X+n.Box.W && n.Y < o.Y+o.Box.H && o.Y < n.Y+n.Box.H {
					t.Errorf("%s: %s lies on %s", p.Name, n.ID, o.ID)
				}
			}
		}
		has := map[string]bool{}
		for _, a := range arrows {
			has[a.Key] = true
		}
		for _, pair := range [][2]string{{"municipality:2", "jukinet:1"}, {"municipality:1", "jlis:1"}, {"jukinet:1", "jlis:1"}, {"jlis:1", "cards:1"}, {"municipality:1", "cards:1"}, {"holder:1", "cards:1"},
			{"service:x", "platform:1"}, {"platform:1", "status:1"}, {"minister:1", "jlis:1"}, {verifierNode, "status:1"}, {personNode, "service:x"}, {personNode, "tsa:1"}, {"service:x", "tsa:1"}, {"municipality:1", "municipality:1"}} {
			if key, _ := arrowOf(place{node: pair[0]}, place{node: pair[1]}); !has[key] {
				t.Errorf("%s has no arrow %s", p.Name, key)
			}
		}
	}
}
