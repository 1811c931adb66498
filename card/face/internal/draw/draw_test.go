package draw

import (
	"image"
	"strings"
	"testing"
)

func TestLinesBreakWhereTheyMay(t *testing.T) {
	for _, c := range []struct {
		text  string
		width float64
		want  string
	}{
		{"", 5, ""}, {"あいうえお", 5, "あいうえお"}, {"あいうえおか", 5, "あいうえお/か"}, {"あいうえー", 4, "あいう/えー"},
		{"あい（うえ", 3, "あい/（うえ"}, {"MARIA ROSE ANN", 4, "MARIA/ROSE/ANN"}, {"MARIAROSEANN", 3, ""}, {"あいう　えお", 3, "あいう/えお"},
	} {
		lines := Wrap(c.text, 1, c.width)
		if got := strings.Join(lines, "/"); c.want != "" && got != c.want {
			t.Errorf("%q in %v: %q", c.text, c.width, got)
		}
		for _, l := range lines {
			if Width(l, 1) > c.width+1e-9 {
				t.Errorf("%q is wider than %v", l, c.width)
			}
		}
		if strings.NewReplacer("　", "", " ", "").Replace(strings.Join(lines, "")) != strings.NewReplacer("　", "", " ", "").Replace(c.text) {
			t.Errorf("%q lost something: %q", c.text, lines)
		}
	}
}

func TestTextIsAsLargeAsItGoes(t *testing.T) {
	large, lines := Fit("見本", 4, 1, 1.2, 10, 5)
	if large != 4 || len(lines) != 1 {
		t.Errorf("%v %q", large, lines)
	}
	small, lines := Fit(strings.Repeat("見本", 20), 4, 1, 1.2, 10, 5)
	if small >= 4 || small < 1 || float64(len(lines)-1)*1.2*small+small > 5 {
		t.Errorf("%v %q", small, lines)
	}
	if least, lines := Fit(strings.Repeat("見本", 2000), 4, 1, 1.2, 10, 5); least > 1.2 || len(strings.Join(lines, "")) != 2000*len("見本") {
		t.Errorf("%v, %d lines", least, len(lines))
	}
}

// What is drawn outside the sheet changes nothing, and a ring is empty inside.
func TestShapes(t *testing.T) {
	c := New(20, 10)
	c.Fill(Hex(0xff0000), Rect(-50, -50, 10, 10), Rect(100, 0, 10, 10))
	if got := c.Image(2); got.Rect != image.Rect(0, 0, 40, 20) || got.NRGBAAt(0, 0).A != 0 {
		t.Error("something outside was drawn")
	}
	c.Fill(Hex(0x0000ff), Ring(10, 5, 4, 4, 1), Frame(0, 0, 20, 10, 1))
	m := c.Image(2)
	for at, want := range map[image.Point]uint8{{20, 10}: 0, {20, 3}: 255, {0, 0}: 255, {4, 4}: 0, {39, 19}: 255} {
		if got := m.NRGBAAt(at.X, at.Y); got.A != want || want > 0 && got.B != 255 {
			t.Errorf("%v is %v", at, got)
		}
	}
	inside := New(40, 20)
	inside.Place(c, 20, 10, 1)
	if got := inside.Image(1).NRGBAAt(20, 10); got.B != 255 || inside.Image(1).NRGBAAt(5, 5).A != 0 {
		t.Errorf("placed: %v", got)
	}
}

func TestTitlesAreEscaped(t *testing.T) {
	if svg := string(New(1, 1).SVG("mm", "<a>&", `"x"`)); strings.Contains(svg, "<a>") || !strings.Contains(svg, "&lt;a&gt;&amp;") {
		t.Error(svg)
	}
}
