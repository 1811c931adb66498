package report

import (
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
)

// Reading is the legal reading (法的な読み) of one report for one purpose: under which act and letter
// the document is received, what is presumed of it, what is kept until when, what the recipient may
// not do, and what to do next. Act, Article and Letter repeat the most special of Basis.
type Reading struct {
	Purpose     rules.Purpose `json:"purpose,omitempty" doc:"What the document is received for, a word of rules.Purposes; absent where nobody said"`
	On          jitsuin.Date  `json:"on" doc:"Day whose law is read, in Japan"`
	Action      Action        `json:"action" enum:"accept,accept-with-care,new-signature,wait,supply,refuse,integrity-only" doc:"What to do, in one word"`
	Next        []Step        `json:"next" doc:"What to do, in order"`
	Fits        bool          `json:"fits" doc:"The kind of certificate serves the purpose"`
	Act         *rules.Text   `json:"act,omitempty"`
	Article     *rules.Text   `json:"article,omitempty"`
	Letter      string        `json:"letter,omitempty" doc:"Mark of the method in its ordinance, such as カ; absent where none is named"`
	Basis       []Clause      `json:"basis" doc:"What the reception rests on; empty where the document did not pass"`
	Presumed    bool          `json:"presumed" doc:"The document is presumed genuine (電子署名法3条) on Conditions; never where it did not pass"`
	Presumption *Clause       `json:"presumption,omitempty" doc:"The rule, either way"`
	Conditions  []Clause      `json:"conditions" doc:"On which the presumption rests"`
	Must        []Clause      `json:"must" doc:"What the recipient must do"`
	Keep        []Keep        `json:"keep" doc:"Records that the law wants kept"`
	MayNot      []Clause      `json:"may_not" doc:"What the recipient may not do with what was received"`
}

// Clause is one rule with its source.
type Clause struct {
	ID       string           `json:"id"`
	JA       string           `json:"ja"`
	EN       string           `json:"en"`
	Citation rules.Text       `json:"citation" doc:"Act and article"`
	Sure     rules.Confidence `json:"confidence" doc:"How the rule is known"`
}

// Keep is a record to keep. Until is absent where the time begins with the end of a contract, which
// only the recipient knows.
type Keep struct {
	Record rules.Record  `json:"record"`
	JA     string        `json:"ja"`
	EN     string        `json:"en"`
	Years  int           `json:"years" doc:"Counted from the day after Start"`
	Start  rules.Text    `json:"start"`
	Until  *jitsuin.Date `json:"until,omitempty" doc:"Last day, where the time begins on the day of the check"`
	Law    rules.Text    `json:"law"`
}

// Read gives the legal reading of a report on the day of the instant that it speaks of. It presumes
// nothing of a document that did not pass, and then says what to do about that. It fails with kind
// Invalid for an unknown purpose; purpose may be "".
func Read(r *signature.Report, purpose rules.Purpose) (Reading, error) {
	if purpose != "" && !slices.Contains(rules.Purposes(), purpose) {
		return Reading{}, jitsuin.Errorf(jitsuin.Invalid, "purpose", "unknown purpose %q", purpose).At("purpose").WithHint("%s", purposeHint())
	}
	l := Reading{Purpose: purpose, On: jitsuin.DateOf(r.At), Fits: true, Basis: []Clause{}, Conditions: []Clause{}, Must: []Clause{}, Keep: []Keep{}, MayNot: []Clause{}}
	kinds, stampOnly := kindsOf(r)
	for i, kind := range kinds {
		l.add(kind, i == 0, r.Verdict == signature.Passed)
	}
	if stampOnly && r.Verdict == signature.Passed {
		l.addBasis(rules.TimestampBasis())
	}
	l.decide(r, stampOnly)
	return l, nil
}

func purposeHint() string {
	hint := "one of"
	for i, p := range rules.Purposes() {
		if i > 0 {
			hint += ","
		}
		hint += " " + string(p)
	}
	return hint
}

// kindsOf gives the kinds of certificates that signed, each once; "" is one outside JPKI. A time-stamp
// is nobody's signature: stampOnly tells that there is nothing else.
func kindsOf(r *signature.Report) (kinds []jitsuin.CertKind, stampOnly bool) {
	for i := range r.Signatures {
		s := &r.Signatures[i]
		switch {
		case s.Format == signature.FormatTST:
			stampOnly = true
		case s.Signer != nil && !slices.Contains(kinds, s.Signer.Kind):
			kinds = append(kinds, s.Signer.Kind)
		}
	}
	return kinds, stampOnly && len(kinds) == 0
}

// add takes in what the law makes of one kind of certificate. What nobody may do holds for every
// certificate that was received, whether it passed or not; the rest rests on a check that passed. On
// a day whose law is not recorded nothing is added.
func (l *Reading) add(kind jitsuin.CertKind, first, passed bool) {
	reading, err := rules.KindReading(kind, l.On)
	switch {
	case err != nil:
		l.Presumed = false
		return
	case kind == "" && l.Purpose != "" && rules.NeedsJPKI(l.Purpose):
		l.Fits = false
	case kind != "" && l.Purpose != "":
		special, err := rules.LegalReading(kind, l.Purpose, l.On)
		if err != nil { // no ordinance names JPKI for the purpose on this day
			l.Fits = false
			break
		}
		reading, l.Fits = special, l.Fits && special.Fits
	}
	l.MayNot = union(l.MayNot, reading.MayNot)
	if !passed {
		return
	}
	l.addBasis(reading.Basis...)
	l.Must = union(l.Must, reading.Must)
	if l.Presumption == nil || l.Presumed && !reading.Presumed {
		c := clause(reading.Presumption)
		l.Presumption, l.Conditions = &c, union([]Clause{}, reading.Conditions)
	}
	l.Presumed = reading.Presumed && (first || l.Presumed)
	for _, k := range reading.Keep {
		l.Keep = append(l.Keep, keepOf(k, l.On))
	}
	if letter, err := rules.LetterOf(l.Purpose, l.On); err == nil && reading.Purpose != "" && reading.Fits {
		l.Letter = letter.Mark
	}
}

// addBasis puts rules under the reception; the last one is the most special.
func (l *Reading) addBasis(list ...rules.Rule) {
	l.Basis = union(l.Basis, list)
	if len(list) > 0 {
		s := list[len(list)-1].Source
		l.Act, l.Article = &s.Act, &s.Article
	}
}

// decide says what to do.
func (l *Reading) decide(r *signature.Report, stampOnly bool) {
	way, passed := wayOf(r), r.Verdict == signature.Passed
	switch {
	case certificateOnly(r) && passed:
		way = ways["certificate"]
	case certificateOnly(r) && r.Verdict == signature.Failed:
		way = ways["certificate-bad"]
	case stampOnly && r.Verdict == signature.Failed:
		way = ways["timestamp-bad"]
	case passed && !l.Fits:
		way = ways["does-not-fit"]
	case passed && overdue(r):
		way = ways["passed-overdue"]
	case passed && stampOnly:
		way = ways["passed-timestamp"]
	case passed && l.Purpose == "":
		way = ways["passed-no-purpose"]
	}
	steps := way.steps
	if passed && l.Fits && covers(r) != signature.Whole {
		steps = append([]string{"only-what-was-signed"}, steps...)
	}
	if l.Action = way.action; l.Action == Accept && covers(r) == signature.Part {
		l.Action = AcceptWithCare
	}
	l.Next = make([]Step, len(steps))
	for i, code := range steps {
		l.Next[i] = stepOf(code)
	}
}

// covers gives the least that a signature of the document covers: what lies beyond it, nobody vouches for.
func covers(r *signature.Report) signature.Coverage {
	least := signature.Whole
	for i := range r.Signatures {
		switch s := &r.Signatures[i]; {
		case s.Coverage == signature.Part:
			return signature.Part
		case s.Coverage == signature.Revision && s.ModifiedAfter:
			least = signature.Revision
		}
	}
	return least
}

func union(all []Clause, list []rules.Rule) []Clause {
	for _, r := range list {
		if !slices.ContainsFunc(all, func(c Clause) bool { return c.ID == r.ID }) {
			all = append(all, clause(r))
		}
	}
	return all
}

func clause(r rules.Rule) Clause {
	return Clause{ID: r.ID, JA: r.Text.JA, EN: r.Text.EN, Citation: r.Source.Citation(), Sure: r.Source.Confidence}
}

func keepOf(k rules.KeepingRule, on jitsuin.Date) Keep {
	kept := Keep{Record: k.Record, JA: k.Text.JA, EN: k.Text.EN, Years: k.N, Start: k.Start, Law: k.Source.Citation()}
	if !k.CountsFromContract() {
		until := k.Until(on)
		kept.Until = &until
	}
	return kept
}
