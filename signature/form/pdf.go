package form

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hajimehoshi/ebiten/v2/examples/resources/fonts"
	"github.com/signintech/gopdf"
)

// Measures of a page (A4) in points.
const (
	marginX, marginTop, marginBottom = 62.0, 64.0, 70.0
	pageWidth, pageHeight            = 595.0, 842.0
	labelWidth                       = 130.0
	maxPages                         = 60
)

// size and leading of each kind of line.
var setting = map[LineKind]struct{ size, leading, before, after float64 }{
	TitleLine: {18, 27, 0, 14}, PlainLine: {10.5, 17, 10, 4}, FactLine: {10.5, 17, 3, 3}, HeadingLine: {12, 18, 14, 4},
	ClauseLine: {10.5, 17, 2, 2}, SpaceLine: {10.5, 17, 22, 22}, NoteLine: {8.5, 13, 8, 0},
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
	g, err := newGlyphs()
	if err != nil {
		return nil, err
	}
	pages, err := g.layOut(f.lines())
	if err != nil {
		return nil, err
	}
	g.pdf.SetInfo(gopdf.PdfInfo{Title: f.Form.Title.JA, Author: f.Form.Issuer.JA, Subject: f.Form.Number, Creator: "Jitsuin", CreationDate: f.Date.Start()})
	for i, page := range pages {
		g.pdf.AddPage()
		foot := placed{size: 8.5, x: marginX, y: pageHeight - 40, text: fmt.Sprintf("%s　%d／%d", f.Form.Number, i+1, len(pages))}
		for _, p := range append(page, foot) {
			if err := g.draw(p); err != nil {
				return nil, err
			}
		}
	}
	drawn, err := g.pdf.GetBytesPdfReturnErr()
	if err != nil {
		return nil, fmt.Errorf("draw the form: %w", err)
	}
	return attach(drawn, data, f.Date)
}

// placed is a piece of text, or a rule below a line where text is "".
type placed struct {
	size, x, y float64
	text       string
}

// glyphs is the one font, and a document that it draws into.
type glyphs struct {
	pdf    gopdf.GoPdf
	widths map[rune]float64 // in em
}

func newGlyphs() (*glyphs, error) {
	g := &glyphs{widths: map[rune]float64{}}
	g.pdf.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	g.pdf.SetNoCompression()
	if err := g.pdf.AddTTFFontByReader("mplus", bytes.NewReader(fonts.MPlus1pRegular_ttf)); err != nil {
		return nil, fmt.Errorf("font of the form: %w", err)
	}
	if err := g.pdf.SetFont("mplus", "", 1000); err != nil {
		return nil, fmt.Errorf("font of the form: %w", err)
	}
	return g, nil
}

// visible replaces characters that the font has no glyph for by the geta mark, as printers do.
func (g *glyphs) visible(s string) string {
	return strings.Map(func(r rune) rune {
		if ok, err := g.pdf.IsCurrFontContainGlyph(r); err != nil || !ok {
			return '〓'
		}
		return r
	}, s)
}

func (g *glyphs) width(r rune) (float64, error) {
	if w, ok := g.widths[r]; ok {
		return w, nil
	}
	w, err := g.pdf.MeasureTextWidth(string(r))
	g.widths[r] = w / 1000
	return w / 1000, err
}

func (g *glyphs) draw(p placed) error {
	if p.text == "" {
		g.pdf.SetLineWidth(0.4)
		g.pdf.SetStrokeColor(150, 150, 150)
		g.pdf.Line(p.x, p.y, pageWidth-marginX, p.y)
		return nil
	}
	if err := g.pdf.SetFontSize(p.size); err != nil {
		return fmt.Errorf("draw the form: %w", err)
	}
	g.pdf.SetXY(p.x, p.y)
	if err := g.pdf.Text(g.visible(p.text)); err != nil {
		return fmt.Errorf("draw the form: %w", err)
	}
	return nil
}

// layOut breaks the lines to the width of the page and puts them on pages.
func (g *glyphs) layOut(lines []Line) ([][]placed, error) {
	pages, y := [][]placed{nil}, marginTop
	put := func(p placed) { pages[len(pages)-1] = append(pages[len(pages)-1], p) }
	for _, l := range lines {
		s, x := setting[l.Kind], marginX
		if l.Label != "" {
			x += labelWidth
		}
		labels, err := g.wrap(l.Label, s.size, labelWidth-8)
		if err != nil {
			return nil, err
		}
		texts, err := g.wrap(l.Text, s.size, pageWidth-marginX-x)
		if err != nil {
			return nil, err
		}
		y += s.before
		for i := range max(len(labels), len(texts)) {
			if y+s.leading > pageHeight-marginBottom {
				pages, y = append(pages, nil), marginTop
			}
			y += s.leading
			if i < len(labels) {
				put(placed{s.size, marginX, y, labels[i]})
			}
			if i < len(texts) {
				put(placed{s.size, x, y, texts[i]})
			}
		}
		y += s.after
		if l.Kind == FactLine || l.Kind == SpaceLine {
			put(placed{x: marginX, y: y + 1})
		}
	}
	if len(pages) > maxPages {
		return nil, bad("fields", "the document would have more than %d pages", maxPages)
	}
	return pages, nil
}

// hanging are characters that do not begin a line (行頭禁則): they stay at the end of the one before.
const hanging = "、。，．・：；？！）」』】〕ー々)],.:;?!"

// wrap breaks a text to a width in points.
func (g *glyphs) wrap(text string, size, width float64) ([]string, error) {
	var lines []string
	var line strings.Builder
	used := 0.0
	for _, r := range g.visible(text) {
		w, err := g.width(r)
		if err != nil {
			return nil, fmt.Errorf("width of a character: %w", err)
		}
		if used > 0 && used+w*size > width && !(strings.ContainsRune(hanging, r) && used <= width) {
			lines = append(lines, line.String())
			line.Reset()
			used = 0
		}
		line.WriteRune(r)
		used += w * size
	}
	if line.Len() > 0 {
		lines = append(lines, line.String())
	}
	return lines, nil
}
