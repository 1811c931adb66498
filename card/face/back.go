package face

import (
	"strings"

	"rsc.io/qr"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face/internal/draw"
)

// Back draws the back: My Number and its QR code, name, date of birth, the chip, and until when the certificates are
// good. Without a Disclosure the number is masked and there is no QR code.
func (c Card) Back(d *Disclosure) (Sheet, error) {
	if err := c.Check(); err != nil {
		return Sheet{}, err
	}
	s := blank(draw.Hex(0xeff8f5), teal, "個人番号カード　裏面")
	chip(s, 5, 11.4)
	label(s, 23, 12.2, "個人番号")
	if d == nil {
		masked(s)
	} else if err := d.show(s); err != nil {
		return Sheet{}, err
	}
	label(s, margin, 28.6, "氏名")
	tall := 5.4
	if c.second() != "" {
		tall = 3.6
		fitted(s, valueAt, 29.6, valueWide, 2, 2, 1, ink, c.second())
	}
	fitted(s, valueAt, 25.6, valueWide, tall, 3.4, 1.2, ink, c.Items.Name)
	s.Text(valueAt, 34.6, 2.8, ink, inEra(c.Items.BirthDate)+"生")
	c.certificates(s)
	sample(s, teal)
	return Sheet{s, "個人番号カード（見本）の裏面", c.describeBack(d)}, nil
}

// place of the QR code.
const (
	codeAt, codeTop, codeSide = 62.4, 23.4, 19.2
)

func masked(s *draw.Canvas) {
	for group := range 3 {
		s.Text(23+float64(group)*17, 18.6, 3.8, ink, "＊＊＊＊")
	}
	s.Fill(draw.Thin(white, .8), draw.Rect(codeAt, codeTop, codeSide, codeSide))
	s.Fill(line, draw.Frame(codeAt, codeTop, codeSide, codeSide, .25))
	for i, text := range []string{"QRコードも", "表示しません"} {
		s.Text(codeAt+(codeSide-draw.Width(text, 2))/2, codeTop+9+float64(i)*2.8, 2, soft, text)
	}
	s.Text(23, 22, 1.5, soft, "番号は、法律や条例で定める事務のために求められたときだけ表示します")
}

// show draws the number in groups of four, its QR code, and who had it shown for what.
func (d *Disclosure) show(s *draw.Canvas) error {
	digits := d.number.Reveal()
	s.Text(23, 18.9, 6.6, ink, digits[:4]+" "+digits[4:8]+" "+digits[8:])
	fitted(s, 23, 20.4, 38.6, 2.4, 1.5, .9, soft, "表示の目的 "+d.purpose.Japanese()+"　求めた者 "+d.body)
	code, err := qr.Encode(digits, qr.M)
	if err != nil {
		return jitsuin.Errorf(jitsuin.Internal, "qr", "the number does not fit a QR code")
	}
	s.Fill(white, draw.Rect(codeAt, codeTop, codeSide, codeSide))
	cell := codeSide / float64(code.Size+8) // four modules of quiet zone all round
	var black []draw.Path
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				black = append(black, draw.Rect(codeAt+cell*float64(from+4), codeTop+cell*float64(y+4), cell*float64(x-from), cell))
			}
		}
	}
	s.Fill(draw.Hex(0), black...)
	return nil
}

// chip draws contacts as chips have them, in no maker's pattern.
func chip(s *draw.Canvas, x, y float64) {
	const w, h = 13.0, 11.2
	gold, dark := draw.Hex(0xd9b45b), draw.Hex(0x8f6f24)
	s.Fill(gold, draw.Round(x, y, w, h, 1.6))
	s.Fill(dark, draw.Round(x+4.2, y+2.8, w-8.4, h-5.6, .9))
	s.Fill(gold, draw.Round(x+4.4, y+3, w-8.8, h-6, .8))
	for _, part := range []float64{.25, .5, .75} {
		s.Fill(dark, draw.Stroke(x, y+h*part, x+4.2, y+h*part, .2), draw.Stroke(x+w-4.2, y+h*part, x+w, y+h*part, .2))
	}
	s.Fill(dark, draw.Stroke(x+w/2, y, x+w/2, y+2.8, .2), draw.Stroke(x+w/2, y+h-2.8, x+w/2, y+h, .2))
	s.Text(x+(w-draw.Width("ICチップ", 1.3))/2, y+h+1.7, 1.3, soft, "ICチップ")
}

// certificates is until when those on the chip are good.
func (c Card) certificates(s *draw.Canvas) {
	const top, wide = 37.4, 56.0
	s.Fill(draw.Thin(white, .85), draw.Rect(margin, top, wide, 12.6))
	s.Fill(line, draw.Frame(margin, top, wide, 12.6, .2))
	s.Text(margin+1.4, top+2.9, 1.9, soft, "電子証明書の有効期限")
	for i, row := range []struct {
		name  string
		until jitsuin.Date
	}{{"署名用", c.SignUntil}, {"利用者証明用", c.AuthUntil}} {
		y := top + 6.7 + float64(i)*4.1
		s.Text(margin+1.4, y, 2.4, ink, row.name)
		s.Text(margin+22, y, 2.6, ink, untilText(row.until))
	}
}

func untilText(d jitsuin.Date) string {
	if d.IsZero() {
		return "なし"
	}
	return western(d)
}

// describeBack says what the back says; the number it never says.
func (c Card) describeBack(d *Disclosure) string {
	number := "個人番号は表示していません"
	if d != nil {
		number = "個人番号を表示しています。目的 " + d.purpose.Japanese() + "、求めた者 " + d.body
	}
	return strings.Join([]string{"見本。" + number, "氏名 " + c.Items.Name, inEra(c.Items.BirthDate) + "生",
		"署名用電子証明書 " + untilText(c.SignUntil), "利用者証明用電子証明書 " + untilText(c.AuthUntil)}, "、")
}
