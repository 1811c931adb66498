package face

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face/internal/draw"
	"github.com/jitsuin/jitsuin/rules"
)

// Person is of whom a card tells. ID is what the portrait is drawn from, and nothing else about the person follows
// from it; the portrait's age and sex follow from Items and PhotoOn.
type Person struct {
	ID         jitsuin.ID
	Items      jitsuin.FourItems
	OldSurname string       // 旧氏, "" for none
	Alias      string       // 通称 of a foreign resident, "" for none
	PhotoOn    jitsuin.Date // when the photo was taken: the day of the application for the card
}

// HasPhoto tells whether the card shows a photo: see rules.ShowsPhoto.
func (p Person) HasPhoto() bool { return rules.ShowsPhoto(p.Items.BirthDate, p.PhotoOn) }

// age is in full years on the day of the photo.
func (p Person) age() int {
	b, d := p.Items.BirthDate, p.PhotoOn
	years := d.Year - b.Year
	if d.Month < b.Month || d.Month == b.Month && d.Day < b.Day {
		years--
	}
	return years
}

// Visible gives a text as a card shows it: a character that its font does not have stands as 〓 (代替文字). marks has,
// for each character of the result, 1 where it stands for another and else 0.
func Visible(s string) (shown, marks string) { return draw.Visible(s) }

// lot draws choices from an identifier; the same identifier gives the same choices.
type lot struct {
	seed  [32]byte
	taken uint64
}

func newLot(id jitsuin.ID) *lot { return &lot{seed: sha256.Sum256([]byte("portrait\n" + string(id)))} }

// under gives a number from 0 to n-1.
func (l *lot) under(n int) int {
	b := sha256.Sum256(binary.BigEndian.AppendUint64(l.seed[:], l.taken))
	l.taken++
	return int(binary.BigEndian.Uint64(b[:8]) % uint64(n))
}

// chance is true in so many of a hundred cases.
func (l *lot) chance(percent int) bool { return l.under(100) < percent }

// between gives a number from low to high.
func (l *lot) between(low, high float64) float64 {
	return low + (high-low)*float64(l.under(1001))/1000
}
