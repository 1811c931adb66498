package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/web"
)

// storyPages registers the guided story.
func (c *Console) storyPages() {
	c.site.Handle(c.API, "GET /story", everybody, c.at((*desk).showStory))
	c.site.Handle(c.API, "POST /story", everybody, c.at((*desk).postStory))
}

// storyPage is the page of the story.
type storyPage struct {
	Who     *person
	Town    people.Municipality
	Step    string
	N       int // of the step, from 1
	Steps   []string
	Act     actKind // what the button does
	To      people.Municipality
	Running *actFile
	Last    *actPage // what was done last; nil for nothing
	Lasted  time.Duration
	CanSkip bool
}

func (d *desk) showStory(w http.ResponseWriter, r *http.Request) error {
	t, err := d.tale(r.Context())
	if err != nil {
		return err
	}
	page := &storyPage{Who: t.who, Step: t.step, Steps: storySteps, Act: storyActs[t.step], Running: t.running(), Lasted: t.lasted()}
	if t.step == storyCorrect && r.URL.Query().Get("skip") != "" {
		page.Step, page.Act = storyEnd, ""
	}
	page.CanSkip = page.Step == storyCorrect
	page.N = slices.Index(storySteps, page.Step) + 1
	if t.who != nil {
		page.Town, _ = d.townOf(t.who.Municipality)
		page.To = d.otherTown(t.who.Municipality)
	}
	if last := t.last(); last != nil {
		page.Last = d.actPage(r, last, t.who)
	}
	d.site.Page(w, r, http.StatusOK, "story", page)
	return nil
}

// otherTown gives where the story moves somebody.
func (d *desk) otherTown(from jitsuin.MunicipalityCode) people.Municipality {
	for _, m := range d.sample.Municipalities {
		if m.Code != from && m.Code.Prefecture() != from.Prefecture() {
			return m
		}
	}
	return people.Municipality{}
}

// postStory does the step that the button was for. A button of a step that is over already (the page was open
// twice, or the act was done elsewhere) does nothing and shows the step that is next.
func (d *desk) postStory(w http.ResponseWriter, r *http.Request) error {
	a, err := clicked(r)
	if err != nil {
		return err
	}
	t, err := d.tale(r.Context())
	if err != nil {
		return err
	}
	a.Story, a.Kind = true, storyActs[t.step]
	again := r.PostForm.Get("step") == "again"
	switch {
	case t.begin != nil && t.begin.ID == a.ID: // the same click once more
		a.Kind = ""
	case again && t.running() == nil:
		a.Kind = actBegin
		if t.who, err = d.nextHero(r.Context()); err != nil {
			return err
		}
	case r.PostForm.Get("step") != t.step || t.running() != nil:
		a.Kind = ""
	}
	if t.who == nil {
		return jitsuin.Errorf(jitsuin.Conflict, "story-nobody", "nobody of full age without a card is left").WithHint("jitsuin up --reset")
	}
	if a.Kind != "" {
		a.Subject = t.who.Subject
		if a.Kind == actMove {
			a.To = d.otherTown(t.who.Municipality).Code
		}
		if _, err := d.acting.start(r.Context(), a); err != nil {
			return err
		}
	}
	http.Redirect(w, r, "/story", http.StatusSeeOther)
	return nil
}

// Sentences gives the keys of the three sentences of the step.
func (p *storyPage) Sentences() []string {
	var keys []string
	for _, n := range []string{"1", "2", "3"} {
		if key := "console.story." + p.Step + "." + n; web.Has(key) {
			keys = append(keys, key)
		}
	}
	return keys
}
