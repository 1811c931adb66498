package console_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/internal/webtest"
)

// chapter is a step of the story: its button, and what is to be read once it was pressed.
type chapter struct {
	step string
	then []string // keys of the catalogue
}

var chapters = []chapter{
	{"meet", []string{"console.story.apply.2"}},
	{"apply", []string{"console.result.apply.what"}},
	{"receive", []string{"console.result.handover.what"}},
	{"account", []string{"console.result.sign.what"}},
	{"login", []string{"console.result.login.what"}},
	{"move", []string{"console.result.move.what"}},
	{"dead", []string{"console.result.again.what", "console.fact.login-good"}},
	{"renew", []string{"console.result.reissue.what"}},
	{"correct", []string{"console.result.correct.what", "console.story.end.2"}},
}

// said is a text of the catalogue up to its first placeholder.
func said(l web.Lang, key string) string {
	text, _, _ := strings.Cut(web.Text(l, key), "{")
	if text == "" {
		panic("the text " + key + " begins with a placeholder")
	}
	return text
}

// A newcomer plays the whole story by clicking, in both languages, and somebody plays it by keyboard alone.
func TestTheStoryIsPlayed(t *testing.T) {
	t.Parallel()
	w := live(t, t.TempDir(), "")
	for _, player := range []struct {
		name  string
		lang  web.Lang
		width int
		keys  bool
	}{{"by clicking, in Japanese", web.JA, 1280, false}, {"by clicking, in English, on a phone", web.EN, 360, false}, {"by keyboard alone", web.JA, 1280, true}} {
		t.Run(player.name, func(t *testing.T) {
			b := webtest.New(t, string(player.lang), player.width)
			b.Open(w.origin + "/story")
			if b.Has(said(player.lang, "console.story.again")) {
				b.Click(said(player.lang, "console.story.again"))
				b.See(said(player.lang, "console.story.apply.title"))
			}
			for _, c := range chapters {
				if c.step == "meet" && !b.Has(said(player.lang, "console.story.meet.button")) {
					continue // begun by the button above
				}
				text := said(player.lang, "console.story."+c.step+".button")
				if player.keys {
					b.TabTo(text)
					b.Press(kb.Enter)
				} else {
					b.Click(text)
				}
				for _, key := range c.then {
					b.See(said(player.lang, key))
				}
				b.NotSee(said(player.lang, "console.act.running"))
				if player.keys {
					continue
				}
				if player.lang == web.JA { // the English page has the same parts
					b.Axe()
				}
				b.Shots("story-" + c.step + "-" + string(player.lang))
				b.Resize(player.width)
				b.FitsWidth(player.width)
			}
			if !player.keys {
				b.Click(said(player.lang, "console.act.messages"))
				b.See(said(player.lang, "console.messages.of-act"))
				wordless(t, b, w)
				b.Open(w.origin + "/story")
				look(t, b, w, player.lang)
			}
		})
	}
}

// wordless fails for messages that are named by their route, because the catalogue has no words for them.
func wordless(t *testing.T, b *webtest.Browser, w *world) {
	b.Open(w.origin + "/messages")
	for _, line := range strings.Split(b.Text(), "\n") {
		if strings.Contains(line, "GET /") || strings.Contains(line, "POST /") {
			t.Errorf("a message without words: %s", line)
		}
	}
}

// look opens the other pages of residents and certificates, and a person's acts.
func look(t *testing.T, b *webtest.Browser, w *world, l web.Lang) {
	person := webtest.Eval[string](b, `document.querySelector('a[href^="/people/"]:not([href*="/card/"])').href`)
	paper := webtest.Eval[string](b, `document.querySelector('a[href^="/certificates/"]').href`)
	for name, address := range map[string]string{"people": w.origin + "/people", "holders": w.origin + "/people?card=yes", "person": person, "certificates": w.origin + "/certificates", "certificate": paper} {
		b.Open(address)
		b.Axe()
		b.Shots(name + "-" + string(l))
		b.FitsWidth(360)
	}
	b.Open(person)
	b.Click(said(l, "console.person.diy.counter"))
	b.See(said(l, "counter.resident.has-card"), "９９番９９号") // where the story moves to
	if at := b.URL(); strings.HasPrefix(at, w.origin) || !strings.Contains(at, "/counter/residents/") {
		t.Errorf("the counter's page is at %s", at)
	}
}
