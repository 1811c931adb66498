package report

import (
	"encoding/json"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/internal/paper"
)

// Attachment is the file name of the data in a PDF.
const Attachment = "report.json"

const maxPages = 200

// How the lines of a report are set.
var (
	titleSet    = paper.Setting{Size: 10.5, Leading: 16, After: 10}
	headlineSet = paper.Setting{Size: 17, Leading: 26, After: 2}
	headingSet  = paper.Setting{Size: 13, Leading: 20, Before: 14, After: 4}
	partSet     = paper.Setting{Size: 10.5, Leading: 16, Before: 8, After: 2}
	textSet     = paper.Setting{Size: 10.5, Leading: 16.5, Before: 1, After: 2}
	codeSet     = paper.Setting{Size: 9, Leading: 14, Before: 2, After: 2}
	noteSet     = paper.Setting{Size: 8.5, Leading: 13, Before: 6}
)

var bands = map[Tone]*paper.Colour{Good: {25, 122, 75}, Warn: {146, 114, 0}, Bad: {206, 0, 0}}

// PDF writes the report as a PDF in a language, with the report's JSON attached (report.json). It is
// not signed: whoever checked signs it, and then it is the evidence of the check. The same report
// gives the same bytes.
func (d *Document) PDF(lang string) ([]byte, error) {
	data, err := d.JSON()
	if err != nil {
		return nil, err
	}
	v := d.View(lang)
	p := &pdfWriter{bullet: "・"}
	on, language := jitsuin.DateOf(d.At), "ja-JP"
	if d.MadeAt != nil {
		on = jitsuin.DateOf(*d.MadeAt)
	}
	if v.Lang != Japanese {
		language = "en"
		p.bullet = "– "
	}
	p.view(v)
	p.add(noteSet, fmt.Sprintf(notes["attached"].in(v.Lang), Attachment))
	return paper.Draw(paper.Document{Title: v.Title, Author: d.MadeBy, Subject: v.Headline, Language: language, Date: on,
		Lines: p.lines, Foot: v.Title, MaxPages: maxPages, Attachment: Attachment, Data: data})
}

type pdfWriter struct {
	lines  []paper.Line
	bullet string
}

func (p *pdfWriter) add(set paper.Setting, text string) {
	p.lines = append(p.lines, paper.Line{Setting: set, Text: text, Words: true})
}

func (p *pdfWriter) view(v *View) {
	p.add(titleSet, v.Title)
	head := []paper.Line{{Setting: headlineSet, Text: v.Headline}, {Setting: codeSet, Text: v.bracket(v.Verdict, v.At)}}
	if v.File != "" {
		head = append(head, paper.Line{Setting: codeSet, Text: v.File})
	}
	for _, l := range head {
		l.Band, l.Words = bands[v.Tone], true
		p.lines = append(p.lines, l)
	}
	p.list(v.Labels.Meaning, v.Meaning, false)
	p.list(v.Labels.Next, v.Next, true)
	p.parts(v.Labels.Signed, v.Signed)
	p.parts(v.Labels.Law, v.Law)
	p.parts(v.Labels.Details, v.Details)
	for _, n := range v.Notes {
		p.add(noteSet, n)
	}
}

func (p *pdfWriter) list(heading string, items []string, numbered bool) {
	if len(items) == 0 {
		return
	}
	p.add(headingSet, heading)
	for i, item := range items {
		if numbered {
			item = fmt.Sprintf("%d. %s", i+1, item)
		}
		p.add(textSet, item)
	}
}

func (p *pdfWriter) parts(heading string, parts []Part) {
	if len(parts) == 0 {
		return
	}
	p.add(headingSet, heading)
	for _, part := range parts {
		p.add(partSet, part.Heading)
		for _, r := range part.Rows {
			set := textSet
			if r.Code {
				set = codeSet
			}
			p.lines = append(p.lines, paper.Line{Setting: set, Label: r.Label, Text: r.Value, Rule: true, Words: true})
		}
		for _, item := range part.Items {
			p.add(textSet, p.bullet+item)
		}
	}
}

// Attached gives the report inside a PDF that this package made, signed or not. It is a claim: that
// nobody changed it is for the signature over the PDF to say.
func Attached(pdf []byte) (*Document, error) {
	data, ok := paper.Attached(pdf, maxAttached)
	var d Document
	if !ok || json.Unmarshal(data, &d) != nil || d.Verdict == "" {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "report-none", "the PDF has no report inside")
	}
	return &d, nil
}

const maxAttached = 4 << 20
