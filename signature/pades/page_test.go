package pades_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// rendered is the first page as poppler shows it, one pixel a point.
func rendered(t *testing.T, document []byte) image.Image {
	t.Helper()
	file := signtest.Write(t, "seal.pdf", document)
	out := filepath.Join(t.TempDir(), "page")
	if answer, err := signtest.Judge(t, "pdftoppm", "-cropbox", "-r", "72", "-png", "-singlefile", file, out); err != nil {
		t.Fatalf("pdftoppm: %v\n%s", err, answer)
	}
	raw, err := os.ReadFile(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// red gives the box of what is red in a picture.
func red(p image.Image) (box image.Rectangle) {
	for y := p.Bounds().Min.Y; y < p.Bounds().Max.Y; y++ {
		for x := p.Bounds().Min.X; x < p.Bounds().Max.X; x++ {
			if r, g, _, _ := p.At(x, y).RGBA(); r > 0xa000 && g < 0x6000 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

// near compares two squares of pictures, as a share of pixels that differ much.
func near(a, b image.Image, atA, atB image.Point, side int) float64 {
	differ := 0
	for y := range side {
		for x := range side {
			_, g, _, _ := a.At(atA.X+x, atA.Y+y).RGBA()
			_, h, _, _ := b.At(atB.X+x, atB.Y+y).RGBA()
			if max(g, h)-min(g, h) > 0x8000 {
				differ++
			}
		}
	}
	return float64(differ) / float64(side*side)
}

// The seal stands upright where a person points to, however the page is turned or cut.
func TestTheSealOnThePage(t *testing.T) {
	var upright image.Image
	for i, c := range []struct {
		page   string
		height int // as it is shown
	}{
		{"/MediaBox[0 0 400 600]", 600},
		{"/MediaBox[0 0 400 600]/Rotate 90", 400},
		{"/MediaBox[0 0 400 600]/Rotate 180", 600},
		{"/MediaBox[0 0 400 600]/Rotate 270", 400},
		{"/MediaBox[0 0 400 600]/Rotate -90", 400},
		{"/MediaBox[-100 -50 300 550]", 600},
		{"/MediaBox[400 600 0 0]/CropBox[50 100 350 550]", 450},
		{"/MediaBox[0 0 400 600]/CropBox[50 100 350 550]/Rotate 90", 300},
	} {
		in := changed(map[int]string{3: "<</Type/Page/Parent 2 0 R" + c.page + "/Resources<<>>>>"})
		o := options()
		o.Seal = impression(t, 120, 40)
		o.Seal.Side = 60
		out := mustSign(t, hanako(t), in, o)
		picture := rendered(t, out)
		box, want := red(picture), image.Rect(120, c.height-100, 180, c.height-40)
		if d := max(abs(box.Min.X-want.Min.X), abs(box.Min.Y-want.Min.Y), abs(box.Max.X-want.Max.X), abs(box.Max.Y-want.Max.Y)); d > 2 {
			t.Errorf("%s: the seal is at %v and not at %v", c.page, box, want)
			continue
		}
		if i == 0 {
			upright = picture
		} else if part := near(upright, picture, image.Pt(120, 500), want.Min, 60); part > 0.05 {
			t.Errorf("%s: %.0f %% of the seal is not as on an upright page", c.page, 100*part)
		}
	}
}

func abs(n int) int { return max(n, -n) }

// The page is chosen, and inherits from the pages above it.
func TestTheSealOnAnotherPage(t *testing.T) {
	f := pdftest.Simple(pdftest.Table, "a contract")
	f.Update(pdftest.Update{Objects: map[int]string{2: "<</Type/Pages/Kids[3 0 R 7 0 R]/Count 3/MediaBox[0 0 300 300]/Rotate 90>>",
		7: "<</Type/Pages/Parent 2 0 R/Kids[8 0 R 9 0 R]/Count 2>>", 8: "<</Type/Page/Parent 7 0 R>>", 9: "<</Type/Page/Parent 7 0 R/Rotate 0>>"}})
	for page := 2; page <= 3; page++ {
		o := options()
		o.Seal = impression(t, 200, 20)
		o.Seal.Page = page
		out := mustSign(t, hanako(t), f.Bytes, o)
		file, at := signtest.Write(t, "seal.pdf", out), filepath.Join(t.TempDir(), "page")
		if answer, err := signtest.Judge(t, "pdftoppm", "-cropbox", "-r", "72", "-png", "-singlefile", "-f", fmt.Sprint(page), file, at); err != nil {
			t.Fatalf("pdftoppm: %v\n%s", err, answer)
		}
		raw, err := os.ReadFile(at + ".png")
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if box := red(picture); abs(box.Min.X-200) > 2 || abs(box.Max.Y-280) > 2 {
			t.Errorf("page %d: the seal is at %v", page, box)
		}
	}
}

// Negative distances are those from the right and from above.
func TestTheSealFromTheOtherEdges(t *testing.T) {
	o := options()
	o.Seal = impression(t, -30, -50)
	o.Seal.Side = 60
	if box, want := red(rendered(t, mustSign(t, hanako(t), document(pdftest.Table), o))), image.Rect(505, 50, 565, 110); abs(box.Max.X-want.Max.X) > 2 || abs(box.Min.Y-want.Min.Y) > 2 {
		t.Errorf("the seal is at %v and not at %v", box, want)
	}
}

// A field that is there has its own place: the seal stands in the middle of it.
func TestTheSealInAField(t *testing.T) {
	o := options()
	o.Field, o.Seal = "Buyer", impression(t, 0, 0)
	out := mustSign(t, hanako(t), withForm(forms["an object"], "[28 0 R]"), o)
	if box, want := red(rendered(t, out)), image.Rect(325, 692, 375, 742); abs(box.Min.X-want.Min.X) > 2 || abs(box.Max.Y-want.Max.Y) > 2 {
		t.Errorf("the seal is at %v and not at %v", box, want)
	}
}
