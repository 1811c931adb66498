package report

import (
	"bytes"
	_ "embed" // the page and its style
	"fmt"
	"html/template"
)

//go:embed report.html
var pageText string

//go:embed report.css
var pageStyle string

var marks = map[Tone]string{Good: "✓", Warn: "!", Bad: "✕"}

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"css":  func() template.CSS { return template.CSS(pageStyle) },
	"mark": func(t Tone) string { return marks[t] },
}).Parse(pageText))

// HTML writes the report as one page in a language: nothing is fetched, nothing runs, and it can be
// printed. What a certificate says stands in it as text.
func (d *Document) HTML(lang string) ([]byte, error) {
	var b bytes.Buffer
	if err := page.Execute(&b, d.View(lang)); err != nil {
		return nil, fmt.Errorf("write the page: %w", err)
	}
	return b.Bytes(), nil
}
