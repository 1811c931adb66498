package form

import (
	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/internal/paper"
)

// LineKind says how a line of the document is set.
type LineKind string

const (
	TitleLine   LineKind = "title"
	PlainLine   LineKind = "plain"
	FactLine    LineKind = "fact" // a label and its value
	HeadingLine LineKind = "heading"
	ClauseLine  LineKind = "clause" // a clause with its number as label
	SpaceLine   LineKind = "space"  // the empty place for a signature, with what stands beside it
	NoteLine    LineKind = "note"
)

// Line is one line of the document before it is broken to the width of a page. What the PDF shows is
// these texts, in this order, and the number of each page.
type Line struct {
	Kind        LineKind
	Label, Text string
}

// Lines gives the document's text in order: what a person reads before they sign. Characters for which the
// font has no glyph stand as 〓, as in the PDF; the attached data has them as they are.
func (f Filled) Lines() ([]Line, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	lines := f.lines()
	var texts []*string
	for i := range lines {
		texts = append(texts, &lines[i].Label, &lines[i].Text)
	}
	if err := paper.Visible(texts...); err != nil {
		return nil, err
	}
	return lines, nil
}

func (f Filled) lines() []Line {
	lines := []Line{
		{TitleLine, "", f.Form.Title.JA},
		{FactLine, "あて先", f.Form.Issuer.JA},
		{FactLine, "申請番号", f.Form.Number},
		{FactLine, "申請日", dateText(f.Date)},
		{PlainLine, "", f.Form.Intro.JA},
	}
	for _, part := range []struct {
		heading string
		from    Source
	}{{"申請する人（署名用電子証明書に記録された事項）", FromCertificate}, {"申請する人が記入した事項", FromPerson}, {"あて先が定めた事項", FromIssuer}} {
		first := true
		for _, d := range f.Form.Fields {
			if d.From != part.from {
				continue
			}
			if first {
				lines = append(lines, Line{HeadingLine, "", part.heading})
				first = false
			}
			lines = append(lines, Line{FactLine, d.Label.JA, f.shown(d)})
		}
	}
	for i, c := range f.Form.Clauses {
		if i == 0 {
			lines = append(lines, Line{HeadingLine, "", "約定・同意する事項"})
		}
		lines = append(lines, Line{ClauseLine, fmtClause(i + 1), c.JA})
	}
	return append(lines,
		Line{SpaceLine, "署名", "（この書面のデータに電子署名を行います。手書きの署名・押印の欄はありません。）"},
		Line{NoteLine, "", "この書面には、同じ内容を機械で読める形にしたデータ（" + attachmentName + "）が添付されています。"})
}

// dateText writes 令和8年11月23日（2026-11-23）.
func dateText(d jitsuin.Date) string {
	e, err := rules.InEra(d)
	if err != nil {
		return d.String()
	}
	return e.String() + "（" + d.String() + "）"
}
