package face_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face"
)

var update = flag.Bool("update", false, "write the golden files anew")

const number = jitsuin.MyNumber("123456789018")

// cards are one of each kind.
func cards() map[string]face.Card {
	adult := face.Card{Person: hanako("1980-02-17"), Head: face.HeadOf("例示市"), Expires: day("2037-02-17"), Number: "0123456789ABCDEF", SecurityCode: "2285",
		SignUntil: day("2032-02-17"), AuthUntil: day("2032-02-17")}
	child, infant, notes, far, bare := adult, adult, adult, adult, adult
	child.Person = hanako("2016-05-05")
	child.SignUntil = jitsuin.Date{}
	infant.Person = hanako("2026-11-01")
	infant.SignUntil = jitsuin.Date{}
	moved := notes.Items
	moved.Address = "見本県見本町本町９９番９９号"
	married := moved
	married.Name = "見本　花子"
	for i, text := range append(append(face.Written(notes.Items, moved), face.Written(moved, married)...), face.Written(married, notes.Items)[1]) {
		notes.Notes = append(notes.Notes, face.Note{On: day("2027-04-01").AddDays(100 * i), Text: text, By: "見本町長"})
	}
	far.Person = near()
	for range 6 {
		far.Notes = append(far.Notes, face.Note{On: day("2027-04-01"), Text: "住所　" + far.Items.Address, By: "例示市長"})
	}
	bare = face.Card{Person: bare.Person}
	bare.Items.Sex, bare.Items.BirthDate = jitsuin.SexNotApplicable, day("1912-07-30")
	return map[string]face.Card{"adult": adult, "child": child, "infant": infant, "notes": notes, "limits": far, "bare": bare}
}

// sides draws front, masked back and open back.
func sides(t testing.TB, c face.Card) map[string]face.Sheet {
	t.Helper()
	d := must[*face.Disclosure](t)(face.Disclose(number, "例示市", face.Tax))
	return map[string]face.Sheet{"front": must[face.Sheet](t)(c.Front()), "back": must[face.Sheet](t)(c.Back(nil)), "open": must[face.Sheet](t)(c.Back(d))}
}

// The same card is drawn the same, now and by the next version of the program.
func TestTheDrawingsAreTheGoldenOnes(t *testing.T) {
	var got bytes.Buffer
	all := cards()
	for _, name := range []string{"adult", "bare", "child", "infant", "limits", "notes"} {
		drawn, again := sides(t, all[name]), sides(t, all[name])
		for _, side := range []string{"front", "back", "open"} {
			svg := drawn[side].SVG()
			if !bytes.Equal(svg, again[side].SVG()) {
				t.Errorf("%s %s is drawn in two ways", name, side)
			}
			fmt.Fprintf(&got, "%s %s %d bytes %x\n  %s\n", name, side, len(svg), sha256.Sum256(svg), drawn[side].Description())
		}
	}
	path := filepath.Join("testdata", "drawings.txt")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := must[[]byte](t)(os.ReadFile(path)); !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the drawings are others than in %s; look at them, then run go test -update\n%s", path, got.Bytes())
	}
}

// An SVG is well formed, of the card's size, and fetches and runs nothing; what a screen reader says is in it.
func TestSVGStandsAlone(t *testing.T) {
	for name, c := range cards() {
		for side, sheet := range sides(t, c) {
			svg := sheet.SVG()
			if !bytes.Contains(svg[:200], []byte(`width="85.6mm" height="53.98mm" viewBox="0 0 85.6 53.98" role="img"`)) {
				t.Errorf("%s %s: %s", name, side, svg[:200])
			}
			ids, uses := map[string]bool{}, map[string]bool{}
			d := xml.NewDecoder(bytes.NewReader(svg))
			for {
				token, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s %s: %v", name, side, err)
				}
				e, ok := token.(xml.StartElement)
				if !ok {
					continue
				}
				if !strings.Contains(" svg title desc defs path g use ", " "+e.Name.Local+" ") {
					t.Errorf("%s %s: element %s", name, side, e.Name.Local)
				}
				for _, a := range e.Attr {
					switch a.Name.Local {
					case "id":
						ids[a.Value] = true
					case "href":
						uses[a.Value] = true
					}
				}
			}
			for u := range uses {
				if !ids[strings.TrimPrefix(u, "#")] {
					t.Errorf("%s %s: %s is used and not there", name, side, u)
				}
			}
			if len(svg) > 200<<10 || len(uses) < 20 {
				t.Errorf("%s %s: %d bytes, %d glyphs", name, side, len(svg), len(uses))
			}
			if !strings.Contains(string(svg), "見本") {
				t.Errorf("%s %s does not say that it is a sample", name, side)
			}
		}
	}
}

// A converter that is not ours draws from the SVG what we draw ourselves.
func TestOursAndTheConvertersPixelsAgree(t *testing.T) {
	program := judge(t, "rsvg-convert")
	for name, c := range cards() {
		for side, sheet := range sides(t, c) {
			t.Run(name+"-"+side, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "s.svg")
				if err := os.WriteFile(path, sheet.SVG(), 0o600); err != nil {
					t.Fatal(err)
				}
				theirs, err := exec.Command(program, "-w", "428", path).Output()
				if err != nil {
					t.Fatal(err)
				}
				if far := differing(decode(t, must[[]byte](t)(sheet.PNG(428))), decode(t, theirs)); far > .002 {
					t.Errorf("%.2f %% of the pixels differ", far*100)
				}
			})
		}
	}
}

// differing is the part of the pixels that differ by more than smoothing explains.
func differing(a, b image.Image) float64 {
	n := 0
	size := a.Bounds().Intersect(b.Bounds())
	for y := range size.Dy() {
		for x := range size.Dx() {
			r1, g1, b1, a1 := a.At(x, y).RGBA()
			r2, g2, b2, a2 := b.At(x, y).RGBA()
			for _, p := range [][2]uint32{{r1, r2}, {g1, g2}, {b1, b2}, {a1, a2}} {
				if d := int(p[0]) - int(p[1]); d > 50<<8 || d < -50<<8 {
					n++
					break
				}
			}
		}
	}
	return float64(n) / float64(size.Dx()*size.Dy())
}

// My Number is drawn only for a body that states a lawful purpose; a masked back is the same whatever the number.
func TestMyNumberIsMasked(t *testing.T) {
	for _, c := range []struct {
		number  jitsuin.MyNumber
		body    string
		purpose face.Purpose
		code    string
	}{{number, "例示市", "", "number-purpose"}, {number, "例示市", "marketing", "number-purpose"}, {number, " ", face.Tax, "number-body"}, {number, strings.Repeat("長", 101), face.Tax, "number-body"},
		{"123456789012", "例示市", face.Tax, ""}} {
		d, err := face.Disclose(c.number, c.body, c.purpose)
		if e, ok := errors.AsType[*jitsuin.Error](err); d != nil || !ok || c.code != "" && e.Code != c.code {
			t.Errorf("%q %q: %v", c.body, c.purpose, err)
		}
		if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), c.number.Reveal()) {
			t.Error("the error tells the number")
		}
	}
	drawn := sides(t, cards()["adult"])
	for side, sheet := range drawn {
		text := regexp.MustCompile(`[0-9 ]{12,}`)
		digits := strings.ReplaceAll(string(sheet.SVG()), " ", "")
		if strings.Contains(digits, number.Reveal()) || strings.Contains(sheet.Description(), number.Reveal()) || text.MatchString(sheet.Description()) {
			t.Errorf("%s has the number as text", side)
		}
	}
	if masked, open := drawn["back"].SVG(), drawn["open"].SVG(); bytes.Equal(masked, open) {
		t.Error("the number was not drawn")
	}
	for _, p := range face.Purposes {
		if _, err := face.Disclose(number, "例示市", p); err != nil || p.Japanese() == "" {
			t.Errorf("%s: %v", p, err)
		}
	}
}

// What cannot be printed is refused, and says which.
func TestWhatCannotBePrinted(t *testing.T) {
	for code, spoil := range map[string]func(*face.Card){
		"security-code": func(c *face.Card) { c.SecurityCode = "12" },
		"card-number":   func(c *face.Card) { c.Number = "12345678901234567" },
		"photo-day":     func(c *face.Card) { c.PhotoOn = jitsuin.Date{} },
		"four-items":    func(c *face.Card) { c.Items.Name = "" },
	} {
		c := cards()["adult"]
		spoil(&c)
		_, err := c.Front()
		_, err2 := c.Back(nil)
		for _, err := range []error{err, err2} {
			if e, ok := errors.AsType[*jitsuin.Error](err); !ok || e.Code != code {
				t.Errorf("%s: %v", code, err)
			}
		}
	}
	s := must[face.Sheet](t)(cards()["adult"].Front())
	for _, across := range []int{199, 4001} {
		if _, err := s.PNG(across); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%d pixels: %v", across, err)
		}
	}
}

// What changed is written in the 追記欄; what does not fit is not, and the face says so.
func TestNotes(t *testing.T) {
	before := hanako("1980-02-17").Items
	after := before
	after.Address, after.Name = "見本県見本町１番", "見本　花子"
	if got := fmt.Sprint(face.Written(before, after)); got != "[氏名　見本　花子 住所　見本県見本町１番]" {
		t.Error(got)
	}
	if got := face.Written(before, before); len(got) != 0 {
		t.Error(got)
	}
	said := must[face.Sheet](t)(cards()["limits"].Front()).Description()
	if n := strings.Count(said, "追記"); n != face.NotesFit {
		t.Errorf("%d notes of six are on the face", n)
	}
}

func TestHeads(t *testing.T) {
	for name, want := range map[string]string{"例示市": "例示市長", "見本町": "見本町長", "": ""} {
		if got := face.HeadOf(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func BenchmarkFrontSVG(b *testing.B) {
	c := cards()["notes"]
	for b.Loop() {
		must[face.Sheet](b)(c.Front()).SVG()
	}
}

func BenchmarkFrontPNG(b *testing.B) {
	s := must[face.Sheet](b)(cards()["notes"].Front())
	for b.Loop() {
		must[[]byte](b)(s.PNG(1000))
	}
}

func BenchmarkChip(b *testing.B) {
	p := hanako("1980-02-17")
	for b.Loop() {
		must[[]byte](b)(p.NamePNG())
		must[[]byte](b)(p.AddressPNG())
		must[[]byte](b)(face.NumberPNG(number))
		must[[]byte](b)(face.CodePNG("2285"))
		must[[]byte](b)(p.PortraitJP2())
	}
}
