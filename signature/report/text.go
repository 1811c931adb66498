package report

import (
	"fmt"
	"strings"

	"github.com/jitsuin/jitsuin/signature"
)

// Text writes the whole report for a file or a mail, in a language. The first line is the verdict.
func (d *Document) Text(lang string) string { return text(d.View(lang)) }

// Brief writes what a person wants to see first, for a terminal: the law where a purpose was named,
// and the details where the document did not pass.
func (d *Document) Brief(lang string) string {
	v := d.View(lang)
	if d.Legal.Purpose == "" {
		v.Law = nil
	}
	if d.Verdict == signature.Passed {
		v.Details = nil
	}
	v.Notes = nil
	return text(v)
}

func text(v *View) string {
	w := &textWriter{ja: v.Lang == Japanese}
	fmt.Fprintf(&w.b, "%s\n%s\n", v.Headline, v.bracket(v.Verdict, v.At))
	if v.File != "" {
		w.b.WriteString(v.File + "\n")
	}
	w.section(v.Labels.Meaning, v.Meaning, "・")
	w.section(v.Labels.Next, v.Next, "")
	w.parts(v.Labels.Signed, v.Signed)
	w.parts(v.Labels.Law, v.Law)
	w.parts(v.Labels.Details, v.Details)
	if len(v.Notes) > 0 {
		w.b.WriteString("\n")
	}
	for _, n := range v.Notes {
		w.b.WriteString(w.mark("※", "* ") + n + "\n")
	}
	return w.b.String()
}

type textWriter struct {
	b  strings.Builder
	ja bool
}

// mark gives the mark of a list in the language.
func (w *textWriter) mark(ja, en string) string {
	if w.ja {
		return ja
	}
	return en
}

func (w *textWriter) heading(s string) {
	w.b.WriteString("\n" + w.mark("■ ", "# ") + s + "\n")
}

// section writes a list; without a bullet it is numbered.
func (w *textWriter) section(heading string, items []string, bullet string) {
	if len(items) == 0 {
		return
	}
	w.heading(heading)
	for i, item := range items {
		mark := fmt.Sprintf("%d. ", i+1)
		if bullet != "" {
			mark = w.mark(bullet, "- ")
		}
		w.b.WriteString("  " + mark + item + "\n")
	}
}

func (w *textWriter) parts(heading string, parts []Part) {
	if len(parts) == 0 {
		return
	}
	w.heading(heading)
	for _, p := range parts {
		w.b.WriteString("  " + w.mark("【"+p.Heading+"】", p.Heading) + "\n")
		for _, r := range p.Rows {
			w.b.WriteString("    " + r.Label + w.mark("：", ": ") + r.Value + "\n")
		}
		for _, item := range p.Items {
			w.b.WriteString("    " + w.mark("・", "- ") + item + "\n")
		}
	}
}
