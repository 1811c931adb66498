package console

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
)

// actKind is something that the console can do for a resident.
type actKind string

const (
	actBegin    actKind = "begin" // of the story: whom it follows
	actApply    actKind = "apply"
	actHandover actKind = "handover"
	actSign     actKind = "sign"
	actLogin    actKind = "login"
	actMove     actKind = "move"
	actAgain    actKind = "again" // the old contract is checked again, and a login tried
	actReissue  actKind = "reissue"
	actCorrect  actKind = "correct"
	actDie      actKind = "die"
)

// actKinds are the acts in the order in which a page offers them.
var actKinds = []actKind{actApply, actHandover, actSign, actLogin, actMove, actAgain, actReissue, actCorrect, actDie}

// steps are those of each act, in their order: what is done, and by whom it is answered.
var steps = map[actKind][]string{
	actBegin:    {},
	actApply:    {"form", "check", "notice"},
	actHandover: {"issue", "pins", "status"},
	actSign:     {"firm-form", "card-sign", "firm-account"},
	actLogin:    {"firm-asks", "card-answer", "firm-login"},
	actMove:     {"letter", "move-out", "move-in", "revoked", "verifier"},
	actAgain:    {"firm-asks", "card-answer", "firm-login", "firm-copy", "verify-again"},
	actReissue:  {"form", "check", "card-keys", "status"},
	actCorrect:  {"record", "caught-up", "status"},
	actDie:      {"letter", "record", "revoked", "verifier"},
}

func (k actKind) valid() bool { return slices.Contains(actKinds, k) || k == actBegin }

// The states of an act.
const (
	actRunning = "running"
	actDone    = "done"
	actFailed  = "failed"
)

// actFile is an act with how far it has come. It is stored after every step, so that an act that was cut
// short goes on where it stood: each step keeps what it brought and is not done again.
type actFile struct {
	ID      jitsuin.ID               `json:"id"`
	Kind    actKind                  `json:"kind"`
	Subject jitsuin.ID               `json:"subject"`
	Town    jitsuin.MunicipalityCode `json:"town"` // where the resident was when it began
	To      jitsuin.MunicipalityCode `json:"to,omitempty"`
	Story   bool                     `json:"story,omitempty"`
	State   string                   `json:"state"`
	Rev     int64                    `json:"rev"`

	Steps  []actStep                  `json:"steps"`
	Kept   map[string]json.RawMessage `json:"kept,omitempty"` // what a step brought, by its name
	Before []seen                     `json:"before,omitempty"`
	After  []seen                     `json:"after,omitempty"`
	Facts  []fact                     `json:"facts,omitempty"`
	Fault  *fault                     `json:"fault,omitempty"`

	Civil   time.Time `json:"civil"`   // civil time at which it began
	Started time.Time `json:"started"` // wall time
	Ended   time.Time `json:"ended,omitzero"`
}

// actStep is a step that was done.
type actStep struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took"`
}

// seen is a certificate as it was before or after an act.
type seen struct {
	ID          string                   `json:"id"` // see certificateID
	Kind        string                   `json:"kind"`
	Number      string                   `json:"number"`
	State       string                   `json:"state"`
	Reason      jitsuin.RevocationReason `json:"reason,omitempty"`
	EffectiveAt time.Time                `json:"effective_at,omitzero"`
	RecordedAt  time.Time                `json:"recorded_at,omitzero"`
}

// fact is something that an act brought to light. Key is one of the catalogue below console.fact.; Values are
// put into its text in pairs of name and value.
type fact struct {
	Key    string   `json:"key"`
	Values []string `json:"values,omitempty"`
}

// fault is why an act was refused or failed.
type fault struct {
	Kind    jitsuin.Kind `json:"kind"`
	Code    string       `json:"code"`
	Message string       `json:"message"`
	Hint    string       `json:"hint,omitempty"`
	Step    string       `json:"step,omitempty"`
	Words   string       `json:"words,omitempty"` // the stem of texts that explain it better than the code's own
}

func (f *fault) err() error {
	if f == nil {
		return nil
	}
	return &jitsuin.Error{Kind: f.Kind, Code: f.Code, Message: f.Message, Hint: f.Hint}
}

// add notes a fact, in the place of one with the same key that an earlier run of the act noted.
func (a *actFile) add(key string, values ...string) {
	a.Facts = slices.DeleteFunc(a.Facts, func(f fact) bool { return f.Key == key })
	a.Facts = append(a.Facts, fact{key, values})
}

// Running tells that it is under way.
func (a *actFile) Running() bool { return a.State == actRunning }

// Failed tells that it was refused, or could not be done.
func (a *actFile) Failed() bool { return a.State == actFailed }

// progress is one line of the list that a page shows while an act is under way.
type progress struct {
	Name  string
	State string // done, now, failed or later
	Took  time.Duration
}

// Progress gives all steps of the act with how far each is.
func (a *actFile) Progress() []progress {
	var all []progress
	now := actRunning
	for _, name := range steps[a.Kind] {
		p := progress{Name: name, State: "later"}
		i := slices.IndexFunc(a.Steps, func(s actStep) bool { return s.Name == name })
		switch {
		case i >= 0:
			p.State, p.Took = "done", a.Steps[i].Took
		case a.State == actDone:
			continue // not needed this time
		case now != "":
			p.State, now = map[string]string{actRunning: "now", actFailed: "failed"}[a.State], ""
		}
		all = append(all, p)
	}
	return all
}

// Result names the texts that say what came of the act, below console.result.
func (a *actFile) Result() string {
	if slices.ContainsFunc(a.Facts, func(f fact) bool { return f.Key == "firm-known" }) {
		return "sign-known"
	}
	return string(a.Kind)
}

// Took is how long the act lasted, wall time.
func (a *actFile) Took() time.Duration { return a.Ended.Sub(a.Started).Round(time.Millisecond) }

// seenOf is what is remembered of a person's certificates.
func seenOf(p *person) []seen {
	var all []seen
	for _, c := range p.Certificates {
		all = append(all, seen{c.ID, c.Kind, c.Number, c.Status.State, c.Status.Reason, c.Status.EffectiveAt, c.Status.RecordedAt})
	}
	return all
}

// turned is a certificate before and after an act; State is "" before it was issued.
type turned struct {
	Before, After seen
}

// Changed tells that the act made a difference to it.
func (t turned) Changed() bool { return t.Before.State != t.After.State }

// Turned compares the certificates before and after the act.
func (a *actFile) Turned() []turned {
	var all []turned
	for _, after := range a.After {
		t := turned{After: after}
		for _, before := range a.Before {
			if before.ID == after.ID {
				t.Before = before
			}
		}
		all = append(all, t)
	}
	return all
}
