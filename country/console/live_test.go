package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/trace"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/internal/webtest"
)

// watch has a page keep every line that ever comes into its list by script, and count every dot that ever moves. It
// runs before the page's own script, so that nothing comes before it.
const watch = `(() => {
  window.came = []; window.dots = 0;
  const note = n => {
    if (n.tagName === "circle" && n.closest("[data-dots]")) window.dots++;
    if (!n.dataset || !n.dataset.id) return;
    const [from, to] = n.querySelectorAll("b");
    window.came.push([n.dataset.id, from.textContent, to.textContent, n.querySelector(".badge").className.includes("badge-good")]);
  };
  new MutationObserver(all => all.forEach(m => m.addedNodes.forEach(note))).observe(document, {childList: true, subtree: true});
})()`

// since is the cursor after which a page with the map is told of messages.
const since = `new URL(document.querySelector("[data-live]").dataset.live, location.href).searchParams.get("after")`

// seen are the lines that came, as "ID FROM → TO OK" with how often.
func seenOn(b *webtest.Browser) map[string]int {
	all := map[string]int{}
	for _, l := range webtest.Eval[[]json.RawMessage](b, `window.came`) {
		var id, from, to string
		var ok bool
		if err := json.Unmarshal(l, &[]any{&id, &from, &to, &ok}); err != nil {
			panic(err)
		}
		all[fmt.Sprintf("%s %s → %s %v", id, from, to, ok)]++
	}
	return all
}

// logged are the messages that the actors logged after the cursor, housekeeping left out, in the same form.
func (s *small) logged(t *testing.T, after cursor) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, l := range s.log.requests(t) {
		if l.Seq <= after[l.Actor].seq || trace.Housekeeping(l.Entry) != "" {
			continue
		}
		for _, m := range messagesOf(l.Entry) {
			all[fmt.Sprintf("%s %s → %s %v", m.ID(), s.name(web.EN, m.From()), s.name(web.EN, m.To()), m.OK())]++
		}
	}
	return all
}

// progress asks every actor how far its feeds, and those that it follows, have come.
func (s *small) progress(t *testing.T) map[string]actor.Progress {
	t.Helper()
	all := map[string]actor.Progress{}
	for _, i := range s.traced() {
		if role, _, _ := strings.Cut(i.ID, ":"); role == "cards" || role == "status" {
			continue
		}
		var p actor.Progress
		if err := s.Remote(i.ID).Call(t.Context(), http.MethodGet, "/feeds", "", nil, &p); err != nil {
			t.Fatal(err)
		}
		all[i.ID] = p
	}
	return all
}

// heads reads how far every actor has numbered each of its feeds.
func (s *small) heads(t *testing.T) map[string]jitsuin.Position {
	t.Helper()
	all := map[string]jitsuin.Position{}
	for id, p := range s.progress(t) {
		for _, sent := range p.Sent {
			all[id+" "+sent.Topic] = sent.Position
		}
	}
	return all
}

// behind names a reader that has not read all that it is sent.
func (s *small) behind(t *testing.T) string {
	t.Helper()
	all := s.progress(t)
	for id, p := range all {
		for _, f := range p.Followed {
			for _, sent := range all[f.Source].Sent {
				if sent.Topic == f.Topic && sent.Position.N > 0 && sent.Position != f.Applied {
					return fmt.Sprintf("%s has read %s of %s up to %s of %s", id, f.Topic, f.Source, f.Applied, sent.Position)
				}
			}
		}
	}
	return ""
}

// settle waits until the actors have had nothing to say to each other for a second, and have read all that they were sent.
func (s *small) settle(t *testing.T) {
	t.Helper()
	count, since := -1, time.Now()
	await(t, func() string {
		behind := s.behind(t)
		if n := len(s.logged(t, cursor{})); n != count || behind != "" {
			count, since = n, time.Now()
		}
		return missing(time.Since(since) > time.Second, "the actors go on talking "+behind)
	})
}

// What the map shows equals what the actors logged, message by message, and nothing moves that did not happen.
func TestTheMapShowsWhatTheActorsLogged(t *testing.T) {
	s := runCountry(t)
	b := webtest.New(t, "en", 1280)
	s.settle(t) // the registers are imported, and their notices have reached everybody
	b.Before(watch)
	var after cursor
	await(t, func() string { // a page that an actor did not answer in time says so, and is opened again
		b.Open(s.origin)
		b.See("New messages appear at once")
		after = parseCursor(webtest.Eval[string](b, since))
		return missing(len(after) == len(s.traced()), fmt.Sprintf("the page knows of %d actors, there are %d", len(after), len(s.traced())))
	})
	before := s.heads(t)
	s.play(t)
	s.settle(t) // what the acts brought about may go on for a moment
	await(t, func() string { return difference("the map", seenOn(b), "the logs", s.logged(t, after)) })
	shown := seenOn(b)
	if len(shown) < 100 {
		t.Fatalf("only %d messages: the tour has more", len(shown))
	}
	if dots := webtest.Eval[int](b, `window.dots`); dots == 0 || dots > len(shown) {
		t.Errorf("%d dots moved for %d messages", dots, len(shown))
	}
	s.feedsAgree(t, before, after, shown)

	// Nobody acts: the actors go on with their housekeeping, and the map stands still.
	dots, lines := webtest.Eval[int](b, `window.dots`), len(s.log.requests(t))
	time.Sleep(3 * time.Second)
	if moved := webtest.Eval[int](b, `window.dots`); moved != dots || len(seenOn(b)) != len(shown) {
		t.Errorf("something moved while nobody acted: %s", difference("the map", seenOn(b), "the map before", shown))
	}
	if len(s.log.requests(t)) == lines {
		t.Log("no housekeeping in three seconds")
	}
}

// feedsAgree compares the events on the map with the feeds' own heads: of each feed that somebody read, every
// event between the heads before and after came to each of its readers, once and in order.
func (s *small) feedsAgree(t *testing.T, before map[string]jitsuin.Position, after cursor, shown map[string]int) {
	t.Helper()
	next := map[string]jitsuin.Position{} // by feed and reader
	readers := map[string]map[string]bool{}
	events := 0
	for _, m := range s.gather(t.Context(), after, url.Values{"limit": {"2000"}}).messages {
		v := m.ev()
		if v == nil {
			continue
		}
		events++
		if shown[fmt.Sprintf("%s %s → %s %v", m.ID(), s.name(web.EN, m.From()), s.name(web.EN, m.To()), m.OK())] != 1 {
			t.Errorf("%s of %s is not on the map once", v.Position, v.Topic)
		}
		feed := m.Actor + " " + v.Topic
		key := feed + " for " + m.Caller
		at, ok := next[key]
		if !ok { // a reader that was behind has more to read than came since
			first, err := jitsuin.ParsePosition(v.Position)
			if err != nil || first.N == 0 {
				t.Fatalf("%s: position %q: %v", key, v.Position, err)
			}
			if at = before[feed]; first.Epoch == at.Epoch && first.N <= at.N {
				at.N = first.N - 1
			}
		}
		if at.N++; at.String() != v.Position {
			t.Errorf("%s: the map has %s where %s comes next", key, v.Position, at)
		}
		next[key] = at
		if readers[feed] == nil {
			readers[feed] = map[string]bool{}
		}
		readers[feed][key] = true
	}
	for feed, head := range s.heads(t) {
		if head != before[feed] && len(readers[feed]) == 0 {
			t.Errorf("%s went from %s to %s, and nobody read it", feed, before[feed], head)
		}
		for key := range readers[feed] {
			if next[key] != head {
				t.Errorf("%s: the map ends at %s, the feed at %s", key, next[key], head)
			}
		}
	}
	if events < 20 {
		t.Errorf("only %d events: the tour has more", events)
	}
}

// Everything that the tour brings about has words of its own in the catalogue, and nothing secret is kept.
func TestMessagesHaveWordsAndNoSecrets(t *testing.T) {
	s := runCountry(t)
	s.play(t)
	facts, err := s.folder.Facts()
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"SAMPLE1": "the password of a signature"}
	for _, r := range facts.Sample().Residents {
		secrets[string(r.MyNumber)], secrets[string(r.ResidentCode)] = "a My Number", "a resident code"
	}
	unknown, kinds := map[string]bool{}, map[string]bool{}
	for _, m := range s.gather(t.Context(), cursor{}, url.Values{"limit": {"2000"}}).messages {
		kinds[m.key()] = true
		if !m.known() {
			unknown[m.key()] = true
		}
		if m.event > 0 {
			continue // the exchange was looked at with its first event
		}
		e, err := s.entry(t.Context(), m.Actor, m.Seq)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') }) {
			if what, bad := secrets[word]; bad {
				t.Errorf("%s has %s", m.ID(), what)
			}
		}
	}
	for key := range unknown {
		t.Errorf("the catalogue has no words for %s", key)
	}
	if len(kinds) < 40 || len(secrets) < 100 {
		t.Errorf("%d kinds of messages and %d secrets: the test does not see them", len(kinds), len(secrets))
	}
}
