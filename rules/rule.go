package rules

import (
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Text is one sentence in Japanese and in English; neither is ever empty.
type Text struct {
	JA string `json:"ja"`
	EN string `json:"en"`
}

// Confidence says how a rule is known.
type Confidence string

const (
	Primary    Confidence = "primary text"         // the text in force was read
	Ancestor   Confidence = "primary text of 2013" // the text of 2013 was read; numbering or detail may have moved
	Official   Confidence = "official page"        // a page of the state or the Agency says so
	Secondary  Confidence = "secondary"            // pages of municipalities or operators say so
	OurReading Confidence = "our reading"          // the sources leave it open and we chose
	Unverified Confidence = "unverified"           // generally known, not looked up
	Plan       Confidence = "plan"                 // announced, not law
)

// Unit is what N of a rule counts.
type Unit string

const (
	NoUnit    Unit = ""
	Years     Unit = "years"
	Months    Unit = "months"
	Days      Unit = "days"
	Minutes   Unit = "minutes"
	Seconds   Unit = "seconds"
	Birthdays Unit = "birthdays"
	Tries     Unit = "tries"
	Chars     Unit = "characters"
	Yen       Unit = "yen"
	Case      Unit = "case"
	Items     Unit = "items"
)

// InForce is a time of days, both inclusive. A zero From is "since before the system"
// (or not known), a zero Until is "until further notice".
type InForce struct {
	From  jitsuin.Date `json:"from"`
	Until jitsuin.Date `json:"until"`
}

// Covers tells whether the day d lies in the time.
func (f InForce) Covers(d jitsuin.Date) bool {
	return (f.From.IsZero() || !d.Before(f.From)) && (f.Until.IsZero() || !d.After(f.Until))
}

// Source is where a rule stands and how sure we are of it. Note says what the source leaves open.
type Source struct {
	Act        Text       `json:"act"`
	Article    Text       `json:"article"`
	Confidence Confidence `json:"confidence"`
	Note       string     `json:"note,omitempty"`
}

// Citation writes act and article in both languages.
func (s Source) Citation() Text {
	if s.Article == (Text{}) {
		return s.Act
	}
	return Text{s.Act.JA + s.Article.JA, s.Act.EN + ", " + s.Article.EN}
}

// Rule is one number or sentence of the law, with its time and its source. ID is stable; a rule
// that changed over time has one Rule per time, all with the same ID.
type Rule struct {
	ID      string  `json:"id"`
	Text    Text    `json:"text"`
	N       int     `json:"n,omitempty"`
	Unit    Unit    `json:"unit,omitempty"`
	InForce InForce `json:"in_force"`
	Source  Source  `json:"source"`
}

// Value writes the number with its unit; it is empty for a rule without a number.
func (r Rule) Value() string {
	if r.Unit == NoUnit {
		return ""
	}
	return fmt.Sprintf("%d %s", r.N, r.Unit)
}

// Cited writes where the rule stands and what it says.
func (r Rule) Cited() Text {
	c := r.Source.Citation()
	return Text{c.JA + " " + r.Text.JA, c.EN + ": " + r.Text.EN}
}

// series is one rule through time, oldest first, without overlaps.
type series []Rule

// on gives the rule as it is in force on the day d.
func (s series) on(d jitsuin.Date) (Rule, error) {
	for _, r := range s {
		if r.InForce.Covers(d) {
			return r, nil
		}
	}
	if len(s) == 0 {
		return Rule{}, jitsuin.Errorf(jitsuin.Internal, "rule-empty", "a rule without a text was asked for")
	}
	return Rule{}, jitsuin.Errorf(jitsuin.Invalid, "not-in-force", "no rule %q is in force on %v", s[0].ID, d)
}

// n gives the number in force on the day d, 0 where no rule is.
func (s series) n(d jitsuin.Date) int {
	r, _ := s.on(d)
	return r.N
}

func day(y, m, d int) jitsuin.Date { return jitsuin.Date{Year: y, Month: time.Month(m), Day: d} }

func always() InForce                         { return InForce{} }
func since(y, m, d int) InForce               { return InForce{From: day(y, m, d)} }
func until(y, m, d int) InForce               { return InForce{Until: day(y, m, d)} }
func between(from, last jitsuin.Date) InForce { return InForce{From: from, Until: last} }

// cite makes a source; ja and en name the article, "" where the source has none.
func cite(act Text, ja, en string, c Confidence, note ...string) Source {
	s := Source{Act: act, Article: Text{ja, en}, Confidence: c}
	if len(note) > 0 {
		s.Note = note[0]
	}
	return s
}
