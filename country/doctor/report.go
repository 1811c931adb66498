package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
)

// What says what was found, in ja or en; any other language is en.
func (f Finding) What(lang string) string { return f.text(texts[f.Code].what, lang) }

// Next says what to do; empty where nothing is to be done.
func (f Finding) Next(lang string) string { return f.text(texts[f.Code].next, lang) }

func (f Finding) text(s say, lang string) string {
	form := s.en
	if lang == "ja" {
		form = s.ja
	}
	return detail.ReplaceAllStringFunc(form, func(m string) string {
		return fmt.Sprint(f.args[m[2]-'1'])
	})
}

// detail is the place of one of a finding's details in a sentence; a sentence need not use all.
var detail = regexp.MustCompile(`%\[[1-9]\]v`)

// Sign is the first character of a line.
func (l Level) Sign() string {
	switch l {
	case Well:
		return "✓"
	case Note:
		return "!"
	}
	return "✕"
}

// Line gives a finding for a person: sign, what was looked at, what was found, and on a second line what
// to do next.
func (f Finding) Line(lang string) string {
	line := f.Level.Sign() + " " + f.Subject + ": " + f.What(lang)
	if next := f.Next(lang); next != "" && f.Level != Well {
		line += "\n    → " + next
	}
	return line
}

// Line is one line of a report for a person.
type Line struct {
	Level Level
	Text  string
}

// Lines gives the report for a person. What is well is one line for each subject, unless all is asked for.
func (r Report) Lines(lang string, all bool) (lines []Line) {
	passed := map[string]int{}
	var quiet []string
	for _, f := range r {
		if f.Level == Well && !all {
			if passed[f.Subject]++; passed[f.Subject] == 1 {
				quiet = append(quiet, f.Subject)
			}
			continue
		}
		lines = append(lines, Line{f.Level, f.Line(lang)})
	}
	form := "%s %s: %d checks passed"
	if lang == "ja" {
		form = "%s %s: 確認 %d"
	}
	var well []Line
	for _, subject := range quiet {
		well = append(well, Line{Well, fmt.Sprintf(form, Well.Sign(), subject, passed[subject])})
	}
	return append(well, lines...)
}

// Summary says in one line how things are.
func (r Report) Summary(lang string) string {
	count := map[Level]int{}
	for _, f := range r {
		count[f.Level]++
	}
	form := map[bool]say{
		false: {"異常はありません（確認 %d、注意 %d）", "All is well (%d checks passed, %d notes)."},
		true:  {"異常があります（確認 %d、注意 %d、異常 %d）", "Something is wrong (%d checks passed, %d notes, %d wrong)."},
	}[r.Wrong()]
	text := form.en
	if lang == "ja" {
		text = form.ja
	}
	if r.Wrong() {
		return fmt.Sprintf(text, count[Well], count[Note], count[Wrong])
	}
	return fmt.Sprintf(text, count[Well], count[Note])
}

// WriteJSON writes the report for programs: {"wrong": false, "findings": [{level, code, subject, what, next}]}.
func (r Report) WriteJSON(w io.Writer, lang string) error {
	type line struct {
		Level   Level  `json:"level"`
		Code    string `json:"code"`
		Subject string `json:"subject"`
		What    string `json:"what"`
		Next    string `json:"next,omitempty"`
	}
	out := struct {
		Wrong    bool   `json:"wrong"`
		Findings []line `json:"findings"`
	}{Wrong: r.Wrong(), Findings: []line{}}
	for _, f := range r {
		l := line{Level: f.Level, Code: f.Code, Subject: f.Subject, What: f.What(lang)}
		if f.Level != Well {
			l.Next = f.Next(lang)
		}
		out.Findings = append(out.Findings, l)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
