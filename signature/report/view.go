package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
)

// View is a report as people read it, in one language and in the order in which they read it. All
// renderings are made from it. Nothing in it can steer a terminal or turn the direction of writing.
type View struct {
	Lang     string
	Title    string
	Tone     Tone
	Headline string   // the verdict in plain words
	Verdict  string   // the verdict in the words of the standard
	At       string   // the instant that the report speaks of
	File     string   // name of what was judged
	Meaning  []string // why
	Next     []string // what to do, in order
	Signed   []Part   // one for each signature
	Law      []Part
	Details  []Part
	Notes    []string
	Labels   struct{ Meaning, Next, Signed, Law, Details string }
}

// Tone tells good from bad for the eye; it never stands without the words.
type Tone string

const (
	Good Tone = "good"
	Warn Tone = "warn"
	Bad  Tone = "bad"
)

// Part is a heading with rows and items below it.
type Part struct {
	Heading string
	Rows    []Row
	Items   []string
}

// Row is a label and its value; Code marks values that are for programs.
type Row struct {
	Label, Value string
	Code         bool
}

// View writes the report in a language: "ja", or English for anything else.
func (d *Document) View(lang string) *View {
	if lang != Japanese {
		lang = English
	}
	v := &View{Lang: lang, Title: labels["title"].in(lang), Tone: toneOf(&d.Legal, &d.Report), Headline: headlines[headlineOf(d)].in(lang)}
	v.Verdict = string(d.Verdict)
	if d.SubIndication != "" {
		v.Verdict += " / " + string(d.SubIndication)
	}
	v.Labels.Meaning, v.Labels.Next, v.Labels.Signed = labels["meaning"].in(lang), labels["next"].in(lang), labels["signed"].in(lang)
	v.Labels.Law, v.Labels.Details = labels["law"].in(lang), labels["details"].in(lang)
	v.At = stamp(d.At)
	if d.File != nil {
		v.File = calm(d.File.Name)
	}
	for _, r := range d.Reasons {
		v.Meaning = append(v.Meaning, calm(pair{r.JA, r.EN}.in(lang)))
	}
	for _, s := range d.Legal.Next {
		v.Next = append(v.Next, pair{s.JA, s.EN}.in(lang))
	}
	for i := range d.Signatures {
		v.Signed = append(v.Signed, v.signed(&d.Signatures[i], i+1, len(d.Signatures)))
	}
	v.law(d)
	v.details(d)
	for _, key := range noteKeys(d) {
		v.Notes = append(v.Notes, notes[key].in(lang))
	}
	return v
}

func noteKeys(d *Document) []string {
	keys := []string{}
	if len(d.Legal.MayNot) > 0 { // a certificate of JPKI
		keys = append(keys, "evidence", "serial")
	}
	if len(d.Legal.Basis)+len(d.Legal.MayNot) > 0 {
		keys = append(keys, "law")
	}
	return keys
}

// headlineOf gives the key of the first line.
func headlineOf(d *Document) string {
	_, stampOnly := kindsOf(&d.Report)
	switch {
	case d.Verdict == signature.Unsupported:
		return "unsupported"
	case d.Verdict == signature.Malformed:
		return "malformed"
	case certificateOnly(&d.Report):
		return map[signature.Verdict]string{signature.Passed: "certificate", signature.Failed: "certificate-bad", signature.Indeterminate: "certificate-open"}[d.Verdict]
	case d.Verdict == signature.Passed && !d.Legal.Fits:
		return "does-not-fit"
	case d.Verdict == signature.Passed && overdue(&d.Report):
		return "overdue"
	case d.Verdict == signature.Passed && stampOnly:
		return "timestamp"
	case d.Verdict == signature.Failed && stampOnly:
		return "timestamp-bad"
	case d.Verdict == signature.Passed && covers(&d.Report) == signature.Part:
		return "part"
	}
	return string(d.Legal.Action)
}

func toneOf(l *Reading, r *signature.Report) Tone {
	switch {
	case r.Verdict == signature.Passed && l.Fits && !overdue(r):
		return Good
	case r.Verdict == signature.Failed, r.Verdict == signature.Malformed:
		return Bad
	}
	return Warn
}

// row adds a row, unless there is nothing to say.
func (p *Part) row(lang, label, value string) {
	if value != "" {
		p.Rows = append(p.Rows, Row{Label: labels[label].in(lang), Value: calm(value)})
	}
}

// code adds a row for programs.
func (p *Part) code(lang, label, value string) {
	if value != "" {
		p.Rows = append(p.Rows, Row{Label: labels[label].in(lang), Value: calm(value), Code: true})
	}
}

func (v *View) word(key string) string {
	if w, ok := words[key]; ok {
		return w.in(v.Lang)
	}
	return key
}

// bracket writes what stands beside a value.
func (v *View) bracket(value, beside string) string {
	switch {
	case beside == "":
		return value
	case v.Lang == Japanese:
		return value + "（" + beside + "）"
	}
	return value + " (" + beside + ")"
}

// signed says who signed what, and when.
func (v *View) signed(s *signature.Signature, n, of int) Part {
	p := Part{Heading: labels["signature"].in(v.Lang)}
	if s.Format == signature.FormatTST {
		p.Heading = labels["timestamp"].in(v.Lang)
	}
	if of > 1 {
		p.Heading += fmt.Sprintf(" %d／%d", n, of)
	}
	if s.Name != "" {
		p.Heading = calm(v.bracket(p.Heading, s.Name))
	}
	if of > 1 {
		p.row(v.Lang, "verdict", v.bracket(v.indication(s), string(s.Indication)))
	}
	v.who(&p, s)
	v.what(&p, s)
	v.when(&p, s)
	v.trust(&p, s)
	if of > 1 {
		for _, r := range s.Reasons {
			p.row(v.Lang, "reason", pair{r.JA, r.EN}.in(v.Lang))
		}
	}
	for _, w := range s.Warnings {
		if unheld(s) && w.Code == "part-signed" {
			continue
		}
		p.row(v.Lang, "warning", pair{w.JA, w.EN}.in(v.Lang))
	}
	return p
}

func (v *View) indication(s *signature.Signature) string {
	return map[signature.Verdict]pair{signature.Passed: {"有効", "valid"}, signature.Failed: {"有効ではありません", "not valid"},
		signature.Unsupported: {"検証できません", "cannot be checked"}, signature.Indeterminate: {"判定できません", "cannot be decided"}}[s.Indication].in(v.Lang)
}

func (v *View) who(p *Part, s *signature.Signature) {
	switch i := s.Items; {
	case s.Format == signature.FormatTST && s.Signer != nil:
		p.row(v.Lang, "stamper", PlainName(s.Signer.Subject))
	case i != nil:
		p.row(v.Lang, "name", i.Name)
		p.row(v.Lang, "address", i.Address)
		p.row(v.Lang, "birth", v.date(i.BirthDate))
	case s.Signer == nil:
	case s.Signer.Kind == jitsuin.SignCert:
		p.row(v.Lang, "name", v.word("name-withheld"))
	case s.Signer.Kind == jitsuin.AuthCert:
		p.row(v.Lang, "name", v.word("name-not-inside"))
	default:
		p.row(v.Lang, "subject", PlainName(s.Signer.Subject))
	}
	if s.Signer != nil && s.Format != signature.FormatTST {
		kind := string(s.Signer.Kind)
		if kind == "" {
			kind = "other"
		}
		p.row(v.Lang, "kind", v.word(kind))
	}
}

func (v *View) what(p *Part, s *signature.Signature) {
	covers := v.word(string(s.Coverage))
	if c := s.Covers; c != nil && c.Content == "signature" {
		covers = v.word("countersigned")
	} else if c != nil && s.Coverage == signature.Whole && c.Content != "" && besides(s.Format) {
		covers = v.bracket(covers, v.word(c.Content))
	}
	if !unheld(s) {
		p.row(v.Lang, "what", covers)
	}
	for _, e := range s.Elements {
		if e.Whole && len(s.Elements) == 1 {
			break // that is said already
		}
		value := orElse(e.Path, e.Reference)
		switch {
		case e.File:
			value = v.bracket(e.Reference, v.word("file-beside"))
		case e.Whole || e.Path == "/":
			value = v.word("whole-document")
		}
		p.row(v.Lang, "part", value)
	}
	integrity := s.Integrity
	if s.Modification == signature.Forbidden { // what it covers is whole, and the document is not
		integrity = signature.Broken
	}
	p.row(v.Lang, "integrity", v.word(string(integrity)))
	if s.ModifiedAfter {
		p.row(v.Lang, "after", v.word(string(s.Modification)))
	}
}

// unheld tells of an XML signature whose references do not hold: its coverage speaks of what holds, and
// would be taken for what was signed.
func unheld(s *signature.Signature) bool {
	return len(s.Elements) > 0 && s.Integrity == signature.Broken && s.Coverage == signature.Part
}

// besides tells whether the document of a format can lie in a file of its own: then it is said where it was.
func besides(f signature.Format) bool {
	return f.Family() != signature.FormatPDF && f.Family() != signature.FormatXMLDSig
}

func (v *View) when(p *Part, s *signature.Signature) {
	if s.Format == signature.FormatTST {
		v.stamped(p, s)
		return
	}
	switch t := s.SigningTime; {
	case t == nil:
		p.row(v.Lang, "when", v.word("no-time"))
	case t.Proof == "claimed":
		p.row(v.Lang, "when", v.bracket(stamp(t.At), v.word("claimed")))
	default:
		p.row(v.Lang, "when", v.bracket(stamp(t.At), v.word("stamp-proof")))
	}
	for _, t := range s.Timestamps {
		value := v.bracket(stamp(t.At), v.word(string(t.Kind)))
		if !t.OK {
			value += " " + v.word("stamp-bad")
		}
		p.row(v.Lang, "stamped", value)
	}
}

// stamped says which time a time-stamp states.
func (v *View) stamped(p *Part, s *signature.Signature) {
	switch t := s.SigningTime; {
	case t != nil && t.Proof == "claimed":
		p.row(v.Lang, "stamped", v.bracket(stamp(t.At), v.word("stamp-claimed")))
	case t != nil:
		p.row(v.Lang, "stamped", stamp(t.At))
	case len(s.Timestamps) == 1:
		p.row(v.Lang, "stamped", v.bracket(stamp(s.Timestamps[0].At), v.word("stamp-claimed")))
	}
}

// trust says whose word the certificate is and what is known of its status.
func (v *View) trust(p *Part, s *signature.Signature) {
	if s.Signer == nil {
		return
	}
	authority := v.word("untrusted")
	if s.Chain.OK || s.Chain.Anchor != "" {
		authority = PlainName(s.Chain.Anchor)
	}
	p.row(v.Lang, "authority", authority)
	p.row(v.Lang, "status", v.status(&s.Revocation))
}

func (v *View) status(r *signature.Revocation) string {
	status := v.word(string(r.Status))
	if r.RevokedAt != nil {
		status = v.bracket(status, strings.TrimSpace(stamp(*r.RevokedAt)+" "+v.word(string(r.Reason))))
	}
	return status
}

// date writes a day in both calendars where the language is Japanese.
func (v *View) date(d jitsuin.Date) string {
	if v.Lang != Japanese {
		return d.String()
	}
	e, err := rules.InEra(d)
	if err != nil {
		return d.String()
	}
	return e.String() + "（" + d.String() + "）"
}

// PlainName writes a distinguished name (RFC 4514) as people call who bears it: by the common name,
// else by organisational units or organisation.
func PlainName(dn string) string {
	var units []string
	organisation := ""
	for _, part := range splitName(dn) {
		kind, value, _ := strings.Cut(part, "=")
		switch kind {
		case "CN":
			return value
		case "OU":
			units = append(units, value)
		case "O":
			organisation = value
		}
	}
	if len(units) > 0 {
		return strings.Join(units, " / ")
	}
	return orElse(organisation, dn)
}

// splitName splits at commas and plus signs that are not escaped, and takes the escapes away.
func splitName(dn string) []string {
	parts := []string{""}
	for i := 0; i < len(dn); i++ {
		last := &parts[len(parts)-1]
		switch {
		case dn[i] == '\\' && i+1 < len(dn):
			i++
			*last += string(dn[i])
		case dn[i] == ',' || dn[i] == '+':
			parts = append(parts, "")
		default:
			*last += string(dn[i])
		}
	}
	return parts
}

func orElse(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// stamp writes an instant as people in Japan read it.
func stamp(t time.Time) string { return t.In(jitsuin.JST).Format("2006-01-02 15:04:05 JST") }

// calm replaces what could move a cursor or turn the direction of writing.
func calm(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, s)
}
