package face

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strings"

	"github.com/jitsuin/jitsuin"
	sheet "github.com/jitsuin/jitsuin/card/face/internal/draw"
	"github.com/jitsuin/jitsuin/card/face/internal/jp2"
	"github.com/jitsuin/jitsuin/rules"
)

// The chip's text pictures are this wide; name and address grow downwards with their lines.
const (
	textWidth  = 360
	numberTall = 12 // of the number's 72 × 12 and the security code's 24 × 12
	digitWide  = 6
	digitSize  = 10 // of the em
)

// NamePNG gives the picture of the name for the chip (visual application, EF 0002, DF 25): black on white, one bit a
// pixel. Where there is a 旧氏 or 通称 it stands on a line below. A character that the font has not stands as 〓.
func (p Person) NamePNG() ([]byte, error) {
	texts := []string{p.Items.Name}
	if second := p.second(); second != "" {
		texts = append(texts, second)
	}
	return textPNG(24, 16, texts...)
}

// AddressPNG gives the picture of the address for the chip (visual application, EF 0002, DF 26).
func (p Person) AddressPNG() ([]byte, error) { return textPNG(20, 14, p.Items.Address) }

// second is the line below the name, "" for none.
func (p Person) second() string {
	var parts []string
	if p.OldSurname != "" {
		parts = append(parts, "旧氏　"+p.OldSurname)
	}
	if p.Alias != "" {
		parts = append(parts, "通称　"+p.Alias)
	}
	return strings.Join(parts, "　")
}

// NumberPNG gives the picture of My Number for the chip (visual application, EF 0005, DF 41), 72 × 12. Its caller is
// who writes the chip; nobody else has a use for it.
func NumberPNG(n jitsuin.MyNumber) ([]byte, error) {
	if err := rules.CheckMyNumber(n); err != nil {
		return nil, err
	}
	return digitsPNG(n.Reveal())
}

// CodePNG gives the picture of the security code for the chip (visual application, EF 0002, DF 2A), 24 × 12.
func CodePNG(code string) ([]byte, error) {
	if err := checkCode(code); err != nil {
		return nil, err
	}
	return digitsPNG(code)
}

func checkCode(code string) error {
	if len(code) != 4 || strings.Trim(code, "0123456789") != "" {
		return jitsuin.Errorf(jitsuin.Invalid, "security-code", "a security code has four digits")
	}
	return nil
}

// PortraitJP2 gives the photo for the chip (visual application, EF 0002, DF 27): the drawing of the card's face in
// grey, lossless JPEG 2000. It is nil where the card has no photo.
func (p Person) PortraitJP2() ([]byte, error) {
	c := portrait(p)
	if c == nil {
		return nil, nil
	}
	return jp2.Encode(grey(c.Image(1)))
}

// PortraitPNG gives the photo in colours, scale pixels for each of its 96 × 120 units; nil where there is none.
func (p Person) PortraitPNG(scale int) ([]byte, error) {
	c := portrait(p)
	if c == nil {
		return nil, nil
	}
	return encodePNG(c.Image(float64(max(1, min(scale, 16)))))
}

func grey(m image.Image) *image.Gray {
	g := image.NewGray(m.Bounds())
	draw.Draw(g, g.Rect, m, g.Rect.Min, draw.Src)
	return g
}

// textPNG sets texts below one another in black on white, each at the greater size if it fits a line.
func textPNG(large, small float64, texts ...string) ([]byte, error) {
	type row struct {
		size float64
		text string
	}
	var rows []row
	height := 0.0
	for _, t := range texts {
		size := large
		if sheet.Width(t, size) > textWidth-4 {
			size = small
		}
		for _, line := range sheet.Wrap(t, size, textWidth-4) {
			rows = append(rows, row{size, line})
			height += float64(int(size*1.25 + .5))
		}
	}
	c := sheet.New(textWidth, height)
	y := 0.0
	for _, r := range rows {
		c.Text(2, y+r.size, r.size, sheet.Hex(0), r.text)
		y += float64(int(r.size*1.25 + .5))
	}
	return encodePNG(oneBit(c))
}

// digitsPNG sets digits in cells of 6 × 12.
func digitsPNG(digits string) ([]byte, error) {
	c := sheet.New(float64(digitWide*len(digits)), numberTall)
	for i, d := range digits {
		w := sheet.Width(string(d), digitSize)
		c.Text(float64(digitWide*i)+(digitWide-w)/2, numberTall-2, digitSize, sheet.Hex(0), string(d))
	}
	return encodePNG(oneBit(c))
}

// oneBit makes black and white of a sheet on white paper; a pixel is black where at least two fifths are covered.
func oneBit(c *sheet.Canvas) *image.Paletted {
	m := c.Image(1)
	out := image.NewPaletted(m.Rect, color.Palette{color.White, color.Black})
	for i := range out.Pix {
		if m.Pix[4*i+3] >= 102 {
			out.Pix[i] = 1
		}
	}
	return out
}

func encodePNG(m image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, m)
	return b.Bytes(), err
}
