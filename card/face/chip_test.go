package face_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face"
)

// judge gives a program that is not ours, by its name.
func judge(t testing.TB, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(name + " is not installed: run scripts/judges")
		}
		t.Skip("######## " + name + " is not installed: nobody judged the pictures; run scripts/judges ########")
	}
	return p
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func day(s string) jitsuin.Date {
	d, err := jitsuin.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// hanako is an adult, with a given birth date where another age is wanted.
func hanako(born string) face.Person {
	return face.Person{ID: "00112233445566778899aabbccddeeff", PhotoOn: day("2026-11-25"), Items: jitsuin.FourItems{
		Name: "例川　花子", Address: "見本県例示市中央一丁目２番３号", BirthDate: day(born), Sex: jitsuin.Female}}
}

// near is somebody at the limits: long name, alias, address of 200 characters.
func near() face.Person {
	p := hanako("1990-02-28")
	p.Items.Name = strings.TrimSpace(strings.Repeat("SAMPLETON ", 9)) + "　MARIA ROSE"
	p.Items.Address = strings.Repeat("見本県例示市中央一丁目２番３号見本マンショ", 10)[:200*3]
	p.Alias, p.OldSurname = "𠮷田　真理亜", "見本"
	return p
}

func decode(t testing.TB, raw []byte) image.Image {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func black(m image.Image) (n int) {
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if r, _, _, _ := m.At(x, y).RGBA(); r == 0 {
				n++
			}
		}
	}
	return n
}

// The pictures have the size and the depth that clients of the real card find.
func TestTheChipsPicturesAreOneBitPNG(t *testing.T) {
	number, err := face.NumberPNG("123456789018")
	if err != nil {
		t.Fatal(err)
	}
	p, far := hanako("1980-02-17"), near()
	for name, c := range map[string]struct {
		raw  []byte
		w, h int
	}{
		"number": {number, 72, 12},
		"code":   {must[[]byte](t)(face.CodePNG("2285")), 24, 12},
		"name":   {must[[]byte](t)(p.NamePNG()), 360, 30}, "address": {must[[]byte](t)(p.AddressPNG()), 360, 25},
		"long name": {must[[]byte](t)(far.NamePNG()), 360, 0}, "long address": {must[[]byte](t)(far.AddressPNG()), 360, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := decode(t, c.raw)
			if b := m.Bounds(); b.Dx() != c.w || c.h != 0 && b.Dy() != c.h {
				t.Errorf("%v pixels", b)
			}
			if c.raw[24] != 1 { // bit depth in IHDR
				t.Errorf("%d bits a pixel", c.raw[24])
			}
			if p, ok := m.ColorModel().(color.Palette); !ok || len(p) != 2 {
				t.Errorf("colours %v", m.ColorModel())
			}
			if n, all := black(m), m.Bounds().Dx()*m.Bounds().Dy(); n < all/60 || n > all/2 {
				t.Errorf("%d of %d pixels are black", n, all)
			}
			if len(c.raw) > 12<<10 {
				t.Errorf("%d bytes are much for a chip", len(c.raw))
			}
			path := filepath.Join(t.TempDir(), "p.png")
			if err := os.WriteFile(path, c.raw, 0o600); err != nil {
				t.Fatal(err)
			}
			if said, err := exec.Command(judge(t, "pngcheck"), path).CombinedOutput(); err != nil || !bytes.Contains(said, []byte("1-bit palette")) {
				t.Errorf("pngcheck: %v %s", err, said)
			}
		})
	}
}

func TestWrongNumbersAreRefused(t *testing.T) {
	if _, err := face.NumberPNG("123456789012"); jitsuin.KindOf(err) != jitsuin.Invalid || strings.Contains(err.Error(), "123456789012") {
		t.Errorf("a number with a wrong check digit: %v", err)
	}
	for _, code := range []string{"", "123", "12345", "12x4"} {
		if _, err := face.CodePNG(code); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("security code %q: %v", code, err)
		}
	}
}

// Different digits give different pictures: a terminal can read the number from them.
func TestDigitsCanBeToldApart(t *testing.T) {
	seen := map[string]string{}
	for d := range 10 {
		code := strings.Repeat(string(rune('0'+d)), 4)
		raw := string(must[[]byte](t)(face.CodePNG(code)))
		if other, ok := seen[raw]; ok {
			t.Errorf("%s looks like %s", code, other)
		}
		seen[raw] = code
	}
}

// OpenJPEG reads the chip's photo, and it is the drawing of the face, in grey.
func TestThePhotoOnTheChipIsTheDrawing(t *testing.T) {
	program := judge(t, "opj_decompress")
	for _, born := range []string{"2024-05-01", "2015-05-01", "1980-02-17", "1940-01-01"} {
		p := hanako(born)
		file, colours := must[[]byte](t)(p.PortraitJP2()), decode(t, must[[]byte](t)(p.PortraitPNG(1)))
		if len(file) > 8<<10 {
			t.Errorf("%d bytes", len(file))
		}
		dir := t.TempDir()
		in, out := filepath.Join(dir, "p.jp2"), filepath.Join(dir, "p.pgm")
		if err := os.WriteFile(in, file, 0o600); err != nil {
			t.Fatal(err)
		}
		if said, err := exec.Command(program, "-i", in, "-o", out).CombinedOutput(); err != nil || bytes.Contains(said, []byte("WARNING")) {
			t.Fatalf("opj_decompress: %v\n%s", err, said)
		}
		raw := must[[]byte](t)(os.ReadFile(out))
		pixels := raw[len(raw)-96*120:]
		for i, got := range pixels {
			if want := color.GrayModel.Convert(colours.At(i%96, i/96)).(color.Gray).Y; got != want {
				t.Fatalf("born %s: pixel %d is %d, the drawing has %d", born, i, got, want)
			}
		}
	}
}

// Under one year of age at the application there is no photo.
func TestInfantsHaveNoPhoto(t *testing.T) {
	for born, want := range map[string]bool{"2025-11-26": false, "2025-11-25": true, "2026-11-01": false} {
		p := hanako(born)
		if p.HasPhoto() != want {
			t.Errorf("born %s: photo %v", born, p.HasPhoto())
		}
		if raw, err := p.PortraitJP2(); err != nil || (raw != nil) != want {
			t.Errorf("born %s: %d bytes, %v", born, len(raw), err)
		}
	}
}

// A person looks the same each time, and like nobody else; the portrait follows from the id, not from the name.
func TestPortraits(t *testing.T) {
	p := hanako("1980-02-17")
	first := must[[]byte](t)(p.PortraitPNG(1))
	p.Items.Name, p.Items.Address = "別　名", "別の市"
	if !bytes.Equal(first, must[[]byte](t)(p.PortraitPNG(1))) {
		t.Error("the portrait changes with name and address")
	}
	seen := map[string]bool{}
	for i := range 40 {
		p.ID = jitsuin.ID(strings.Repeat("0", 30) + string(rune('a'+i/10)) + string(rune('0'+i%10)))
		seen[string(must[[]byte](t)(p.PortraitPNG(1)))] = true
	}
	if len(seen) < 40 {
		t.Errorf("40 people have %d faces", len(seen))
	}
}

// What the font cannot show is seen as such; what it can, outside the BMP too, is not.
func TestSubstitutes(t *testing.T) {
	for _, c := range []struct{ in, shown, marks string }{
		{"𠮷田　花子", "𠮷田　花子", "00000"}, {"渡邉　花", "渡〓　花", "0100"}, {"葛\U000E0100城", "〓城", "10"}, {"", "", ""}, {"髙﨑", "髙﨑", "00"},
	} {
		if shown, marks := face.Visible(c.in); shown != c.shown || marks != c.marks {
			t.Errorf("%q is shown as %q %q", c.in, shown, marks)
		}
	}
}
