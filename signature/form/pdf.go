package form

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin/signature/internal/paper"
)

// attachmentName is the file name of the data in the document.
const attachmentName = "application.json"

const maxPages = 60

// setting of each kind of line: size, leading, space before and after.
var setting = map[LineKind]paper.Setting{
	TitleLine: {Size: 18, Leading: 27, After: 14}, PlainLine: {Size: 10.5, Leading: 17, Before: 10, After: 4},
	FactLine: {Size: 10.5, Leading: 17, Before: 3, After: 3}, HeadingLine: {Size: 12, Leading: 18, Before: 14, After: 4},
	ClauseLine: {Size: 10.5, Leading: 17, Before: 2, After: 2}, SpaceLine: {Size: 10.5, Leading: 17, Before: 22, After: 22},
	NoteLine: {Size: 8.5, Leading: 13, Before: 8},
}

// PDF draws the document. The same data give the same bytes.
func (f Filled) PDF() ([]byte, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("form data: %w", err)
	}
	if len(data) > MaxSize {
		return nil, bad("fields", "the document's data have more than %d bytes", MaxSize)
	}
	var lines []paper.Line
	for _, l := range f.lines() {
		lines = append(lines, paper.Line{Setting: setting[l.Kind], Label: l.Label, Text: l.Text, Rule: l.Kind == FactLine || l.Kind == SpaceLine})
	}
	pdf, err := paper.Draw(paper.Document{Title: f.Form.Title.JA, Author: f.Form.Issuer.JA, Subject: f.Form.Number, Language: "ja-JP", Date: f.Date,
		Lines: lines, Foot: f.Form.Number, MaxPages: maxPages, Attachment: attachmentName, Data: data})
	if errors.Is(err, paper.ErrTooLong) {
		return nil, bad("fields", "the document would have more than %d pages", maxPages)
	}
	return pdf, err
}
