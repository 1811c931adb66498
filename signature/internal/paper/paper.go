// Package paper draws documents of text as PDF files with their data attached: signed applications and
// verification reports look alike because both are drawn here.
//
// It owns the page, the breaking of lines and the file's structure. It knows nothing of what a
// document says, and of signatures. The same lines give the same bytes: nothing is compressed, and the file's
// identifier follows from its content. What is drawn by it is signed and kept, so a change of how
// lines that exist are set changes documents that are out there; its callers have tests with digests.
package paper

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hajimehoshi/ebiten/v2/examples/resources/fonts"
	"github.com/signintech/gopdf"

	"github.com/jitsuin/jitsuin"
)

// Measures of a page (A4) in points.
const (
	marginX, marginTop, marginBottom = 62.0, 64.0, 70.0
	pageWidth, pageHeight            = 595.0, 842.0
	labelWidth                       = 130.0
	bandGap, bandWidth               = 14.0, 5.0
)

// Setting is how a line is set, in points.
type Setting struct{ Size, Leading, Before, After float64 }

// Colour is red, green and blue.
type Colour [3]uint8

// Line is one line before it is broken to the width of a page: a label at the left, if there is one,
// and a text. Rule draws a thin rule below it; Band, if not nil, a coloured band beside it; Words
// keeps Western words whole and opening brackets with what they open.
type Line struct {
	Setting
	Label, Text string
	Rule        bool
	Band        *Colour
	Words       bool
}

// Document is what is drawn.
type Document struct {
	Title, Author, Subject string
	Language               string // of the text, such as ja-JP
	Date                   jitsuin.Date
	Lines                  []Line
	Foot                   string // at the left of each page's number
	MaxPages               int
	Attachment             string // name of the attached JSON file
	Data                   []byte // the attached JSON
}

// ErrTooLong is what Draw gives for a document with more than MaxPages pages.
var ErrTooLong = jitsuin.Errorf(jitsuin.Invalid, "too-long", "the document has too many pages")

// Draw draws the document.
func Draw(d Document) ([]byte, error) {
	g, err := newGlyphs()
	if err != nil {
		return nil, err
	}
	pages, err := g.layOut(d.Lines)
	if err != nil {
		return nil, err
	}
	if len(pages) > d.MaxPages {
		return nil, ErrTooLong
	}
	g.pdf.SetInfo(gopdf.PdfInfo{Title: d.Title, Author: d.Author, Subject: d.Subject, Creator: "Jitsuin", CreationDate: d.Date.Start()})
	for i, page := range pages {
		g.pdf.AddPage()
		foot := placed{size: 8.5, x: marginX, y: pageHeight - 40, text: fmt.Sprintf("%s　%d／%d", d.Foot, i+1, len(pages))}
		for _, p := range append(page, foot) {
			if err := g.draw(p); err != nil {
				return nil, err
			}
		}
	}
	drawn, err := g.pdf.GetBytesPdfReturnErr()
	if err != nil {
		return nil, fmt.Errorf("draw the document: %w", err)
	}
	return attach(drawn, d)
}

// Visible replaces characters that the font has no glyph for by the geta mark (〓), as printers do and
// as Draw does.
func Visible(texts ...*string) error {
	g, err := newGlyphs()
	if err != nil {
		return err
	}
	for _, t := range texts {
		*t = g.visible(*t)
	}
	return nil
}

// placed is a piece of text, a rule where text is "", or a band where colour is not nil.
type placed struct {
	size, x, y float64
	text       string
	colour     *Colour
	height     float64
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
		return nil, fmt.Errorf("font of the document: %w", err)
	}
	if err := g.pdf.SetFont("mplus", "", 1000); err != nil {
		return nil, fmt.Errorf("font of the document: %w", err)
	}
	return g, nil
}

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
	switch {
	case p.colour != nil:
		g.pdf.SetFillColor(p.colour[0], p.colour[1], p.colour[2])
		err := g.pdf.Rectangle(p.x, p.y, p.x+bandWidth, p.y+p.height, "F", 0, 0)
		g.pdf.SetFillColor(0, 0, 0)
		return err
	case p.text == "":
		g.pdf.SetLineWidth(0.4)
		g.pdf.SetStrokeColor(150, 150, 150)
		g.pdf.Line(p.x, p.y, pageWidth-marginX, p.y)
		return nil
	}
	if err := g.pdf.SetFontSize(p.size); err != nil {
		return fmt.Errorf("draw the document: %w", err)
	}
	g.pdf.SetXY(p.x, p.y)
	if err := g.pdf.Text(g.visible(p.text)); err != nil {
		return fmt.Errorf("draw the document: %w", err)
	}
	return nil
}

// layOut breaks the lines to the width of the page and puts them on pages.
func (g *glyphs) layOut(lines []Line) ([][]placed, error) {
	pages, y := [][]placed{nil}, marginTop
	put := func(p placed) { pages[len(pages)-1] = append(pages[len(pages)-1], p) }
	for _, l := range lines {
		x := marginX
		if l.Label != "" {
			x += labelWidth
		}
		if l.Band != nil {
			x += bandGap
		}
		labels, err := g.wrap(l.Label, l.Size, labelWidth-8, l.Words)
		if err != nil {
			return nil, err
		}
		texts, err := g.wrap(l.Text, l.Size, pageWidth-marginX-x, l.Words)
		if err != nil {
			return nil, err
		}
		y += l.Before
		for i := range max(len(labels), len(texts)) {
			if y+l.Leading > pageHeight-marginBottom {
				pages, y = append(pages, nil), marginTop
			}
			if l.Band != nil {
				put(placed{x: marginX, y: y - l.Before + l.Leading*0.3, colour: l.Band, height: l.Before + l.Leading + l.After})
			}
			y += l.Leading
			if i < len(labels) {
				put(placed{size: l.Size, x: marginX, y: y, text: labels[i]})
			}
			if i < len(texts) {
				put(placed{size: l.Size, x: x, y: y, text: texts[i]})
			}
		}
		y += l.After
		if l.Rule {
			put(placed{x: marginX, y: y + 1})
		}
	}
	return pages, nil
}

// hanging are characters that do not begin a line (行頭禁則): they stay at the end of the one before.
const hanging = "、。，．・：；？！）」』】〕ー々)],.:;?!"

// wrap breaks a text to a width in points.
func (g *glyphs) wrap(text string, size, width float64, words bool) ([]string, error) {
	var lines []string
	var line strings.Builder
	used := 0.0
	for _, r := range g.visible(text) {
		w, err := g.width(r)
		if err != nil {
			return nil, fmt.Errorf("width of a character: %w", err)
		}
		if used > 0 && used+w*size > width && !(strings.ContainsRune(hanging, r) && used <= width) {
			full, rest := line.String(), ""
			if words {
				full, rest = cut(full, r)
			}
			lines = append(lines, full)
			line.Reset()
			line.WriteString(rest)
			if used, err = g.length(rest, size); err != nil {
				return nil, err
			}
			if words && r == ' ' {
				continue
			}
		}
		line.WriteRune(r)
		used += w * size
	}
	if line.Len() > 0 {
		lines = append(lines, line.String())
	}
	return lines, nil
}

// longWord is the longest part of a line that is moved to the next to keep a word whole, in bytes.
const longWord = 24

// cut takes off the end of a full line what belongs together with the next character.
func cut(line string, next rune) (full, rest string) {
	last, n := utf8.DecodeLastRuneInString(line)
	switch {
	case strings.ContainsRune("（「『【〔([", last) && len(line) > n:
		return line[:len(line)-n], line[len(line)-n:]
	case !western(last) || !western(next):
		return line, ""
	}
	for at := len(line); at > 0 && len(line)-at < longWord; {
		r, n := utf8.DecodeLastRuneInString(line[:at])
		if r == ' ' {
			return line[:at-n], line[at:]
		}
		if !western(r) {
			return line[:at], line[at:]
		}
		at -= n
	}
	return line, ""
}

// western tells whether a character is part of a Western word.
func western(r rune) bool { return r > ' ' && r < 0x300 }

// length gives the width of a text in points.
func (g *glyphs) length(text string, size float64) (float64, error) {
	sum := 0.0
	for _, r := range text {
		w, err := g.width(r)
		if err != nil {
			return 0, fmt.Errorf("width of a character: %w", err)
		}
		sum += w * size
	}
	return sum, nil
}
