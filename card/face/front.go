package face

import (
	"fmt"
	"strings"

	"github.com/jitsuin/jitsuin/card/face/internal/draw"
)

// columns of the front.
const (
	valueAt    = 11.5
	valueWide  = 48.5
	pictureAt  = 63.0
	pictureTop = 8.6
	pictureW   = 18.6
	pictureH   = pictureW * portraitHeight / portraitWidth
	notesTop   = 38.9
	notesEnd   = 52.2
	noteTall   = 2.75
)

// Front draws the front: name, address, date of birth, sex, validity, numbers of the card, who issued it, portrait,
// and the 追記欄.
func (c Card) Front() (Sheet, error) {
	if err := c.Check(); err != nil {
		return Sheet{}, err
	}
	s := blank(draw.Hex(0xf2f5fc), indigo, "個人番号カード")
	c.person(s)
	c.issued(s)
	c.picture(s)
	c.notes(s)
	sample(s, indigo)
	return Sheet{s, "個人番号カード（見本）のおもて面", c.describeFront()}, nil
}

func (c Card) person(s *draw.Canvas) {
	label(s, margin, 11.6, "氏名")
	tall := 7.2
	if c.second() != "" {
		tall = 5.2
		fitted(s, valueAt, 14.3, valueWide, 2.6, 2.5, 1.1, ink, c.second())
	}
	fitted(s, valueAt, 8.4, valueWide, tall, 4.4, 1.5, ink, c.Items.Name)
	label(s, margin, 20.2, "住所")
	fitted(s, valueAt, 17.6, valueWide, 9.2, 3.1, 1.15, ink, c.Items.Address)
	s.Text(valueAt, 30.4, 3.1, ink, inEra(c.Items.BirthDate)+"生")
	if sex := sexText(c.Items.Sex); sex != "" {
		label(s, 46, 30.3, "性別")
		fitted(s, 50.6, 27.6, 9, 3.2, 3.1, 1.5, ink, sex)
	}
}

// issued is until when the card is good, and who says so.
func (c Card) issued(s *draw.Canvas) {
	if !c.Expires.IsZero() {
		text := western(c.Expires) + "まで有効"
		w := draw.Width(text, 2.6) + 2.4
		s.Fill(white, draw.Round(margin, 33, w, 4.4, .8))
		s.Fill(indigo, draw.Frame(margin, 33, w, 4.4, .22))
		s.Text(margin+1.2, 36.15, 2.6, ink, text)
	}
	if c.Head != "" {
		fitted(s, 40.4, 33.5, 15.4, 3.4, 2.8, 1.4, ink, c.Head)
		mark(s, 56.4, 32.4, 5.2, c.Head)
	}
	if c.Number != "" {
		s.Text(pictureAt, 35.1, 1.84, ink, c.Number)
	}
	if c.SecurityCode != "" {
		s.Text(pictureAt, 37.8, 1.35, soft, "セキュリティコード")
		right(s, pictureAt+pictureW, 37.9, 2.4, ink, c.SecurityCode)
	}
}

func (c Card) picture(s *draw.Canvas) {
	if p := portrait(c.Person); p != nil {
		s.Place(p, pictureAt, pictureTop, pictureW/portraitWidth)
	} else {
		s.Fill(white, draw.Rect(pictureAt, pictureTop, pictureW, pictureH))
		for i, text := range []string{"写真なし", "（1歳未満で申請）"} {
			size := []float64{2.4, 1.7}[i]
			s.Text(pictureAt+(pictureW-draw.Width(text, size))/2, pictureTop+11+float64(i)*3, size, soft, text)
		}
	}
	s.Fill(line, draw.Frame(pictureAt, pictureTop, pictureW, pictureH, .25))
}

func (c Card) notes(s *draw.Canvas) {
	w := Width - 2*margin
	s.Fill(draw.Thin(white, .85), draw.Rect(margin, notesTop, w, notesEnd-notesTop))
	s.Fill(line, draw.Frame(margin, notesTop, w, notesEnd-notesTop, .2))
	s.Text(margin+1, notesTop+1.75, 1.5, soft, "追記欄")
	if more := len(c.Notes) - NotesFit; more > 0 {
		right(s, margin+w-1, notesTop+1.75, 1.5, ink, fmt.Sprintf("余白がないため、ほか%d件は記載されていません", more))
	}
	for i := range NotesFit {
		y := notesTop + 2.1 + float64(i)*noteTall
		s.Fill(draw.Thin(line, .8), draw.Stroke(margin+1, y, margin+w-1, y, .1))
		if i >= len(c.Notes) {
			continue
		}
		n := c.Notes[i]
		s.Text(margin+1, y+2, 1.6, ink, inEra(n.On))
		fitted(s, margin+14.6, y+.3, w-18.6, noteTall-.5, 1.95, .68, ink, n.Text)
		mark(s, margin+w-3.2, y+.2, noteTall-.4, n.By)
	}
}

// describeFront says what the front says.
func (c Card) describeFront() string {
	parts := []string{"見本。氏名 " + c.Items.Name}
	add := func(when bool, s string) {
		if when {
			parts = append(parts, s)
		}
	}
	add(c.second() != "", c.second())
	add(true, "住所 "+c.Items.Address)
	add(true, inEra(c.Items.BirthDate)+"生")
	add(sexText(c.Items.Sex) != "", "性別 "+sexText(c.Items.Sex))
	add(!c.Expires.IsZero(), western(c.Expires)+"まで有効")
	add(c.Head != "", c.Head)
	add(!c.HasPhoto(), "写真なし")
	for i, n := range c.Notes {
		add(i < NotesFit, "追記 "+inEra(n.On)+" "+n.Text)
	}
	return strings.Join(parts, "、")
}
