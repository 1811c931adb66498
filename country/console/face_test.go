package console_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/country/cardface"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/web"
)

// raw gives an answer as it is.
func (v *visitor) raw(path string) (status int, kind, body string) {
	v.t.Helper()
	resp, err := v.Get(v.w.origin + path)
	v.must(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	v.must(err)
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(b)
}

// noFace: who has no card has no face of one, and no number to show.
func noFace(t *testing.T, v *visitor, who people.Resident) {
	page := "/people/" + string(who.ID)
	for _, path := range []string{page + "/card/front.svg", page + "/card/back.svg", "/people/" + string(jitsuin.NewID()) + "/card/front.svg"} {
		if status, kind, _ := v.raw(path); status != http.StatusNotFound || strings.HasPrefix(kind, "image/") {
			t.Errorf("%s without a card: %d %s", path, status, kind)
		}
	}
	if status, _, _ := v.do(http.MethodPost, page+"/number", url.Values{"purpose": {"tax"}}); status != http.StatusNotFound {
		t.Errorf("a number without a card: %d", status)
	}
	if _, _, err := cardface.Find(t.Context(), v.w.Folder, "誰でもない"); jitsuin.CodeOf(err) != "resident-unknown" {
		t.Errorf("nobody: %v", err)
	}
	if _, _, err := cardface.Find(t.Context(), v.w.Folder, who.Items.Name[:len("例")]); jitsuin.CodeOf(err) != "resident-unclear" {
		t.Errorf("everybody: %v", err)
	}
	if strings.Contains(v.read(page), said(web.EN, "console.number.button")) {
		t.Error("a page without a card offers to show the number on it")
	}
}

// theFace looks at the card of somebody who has moved from one town to another with it.
func theFace(t *testing.T, v *visitor, who people.Resident, to string) {
	page, here := "/people/"+string(who.ID), v.counter(jitsuin.MunicipalityCode(to))
	now, err := here.Resident(t.Context(), who.ID)
	v.must(err)
	_, kind, front := v.raw(page + "/card/front.svg")
	for _, want := range []string{"氏名 " + who.Items.Name, "住所 " + who.Items.Address, "住所　" + now.Items.Address, "追記", "見本"} {
		if kind != "image/svg+xml" || !strings.Contains(front, want) {
			t.Errorf("the front (%s) lacks %s", kind, want)
		}
	}
	id, at, err := cardface.Find(t.Context(), v.w.Folder, who.Items.Name)
	v.must(err)
	known, err := cardface.Gather(t.Context(), v.w.Folder, id)
	v.must(err)
	printed, err := cardface.Of(v.sample(), id, known)
	v.must(err)
	if drawn, err := printed.Front(); err != nil || id != who.ID || string(at) != to || string(drawn.SVG()) != front {
		t.Errorf("what is gathered by itself is another card: %s at %s, %v", id, at, err)
	}
	theChip(t, v, printed)
	_, _, html := v.raw(page)
	for _, want := range []string{`src="` + page + `/card/front.svg"`, `src="` + page + `/card/back.svg"`, now.Items.Address, "個人番号とQRコードは表示していません"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	_, _, masked := v.raw(page + "/card/back.svg?purpose=tax")
	if !strings.Contains(masked, "個人番号は表示していません") {
		t.Error("an address shows the number")
	}
	for _, purpose := range []string{"", "marketing"} {
		if status, _, text := v.do(http.MethodPost, page+"/number", url.Values{"purpose": {purpose}}); status != http.StatusForbidden {
			t.Errorf("purpose %q: %d %s", purpose, status, text)
		}
	}
	if shown, err := here.NumbersShown(t.Context(), who.ID); err != nil || len(shown) != 0 {
		t.Errorf("recorded though refused: %v, %v", shown, err)
	}
	status, _, text := v.do(http.MethodPost, page+"/number", url.Values{"purpose": {string(face.Disaster)}})
	v.says(text, "console.number.recorded", "console.number.purpose.disaster")
	shown, err := here.NumbersShown(t.Context(), who.ID)
	if status != http.StatusOK || err != nil || len(shown) != 1 || shown[0].Purpose != face.Disaster {
		t.Errorf("%d, recorded %v, %v", status, shown, err)
	}
	v.says(v.read(page), "console.number.shown")
	if strings.Contains(text+v.read(page)+v.read("/messages"), who.MyNumber.Reveal()) {
		t.Error("the number stands in a page as text")
	}
}

// theChip opens the pictures on the chip by what is printed on its front (check number B), and compares them.
func theChip(t *testing.T, v *visitor, printed *cardface.Printed) {
	t.Helper()
	ctx := t.Context()
	ch, err := host.OpenSocket(ctx, v.w.CardSocket(printed.ID))
	v.must(err)
	defer ch.Close()
	app, err := reader.Select(ctx, ch, card.AIDVisual)
	v.must(err)
	opens, err := contents.NumberB(printed.Items.BirthDate, printed.Expires, printed.SecurityCode)
	v.must(err)
	v.must(app.VerifyFile(ctx, card.FileVisualB, opens))
	file, err := app.ReadFile(ctx, card.FileVisualFace, 32<<10)
	v.must(err)
	chip, err := contents.ParseFace(file)
	v.must(err)
	photo, err := printed.PortraitJP2()
	v.must(err)
	code, err := face.CodePNG(printed.SecurityCode)
	v.must(err)
	if len(photo) == 0 || !bytes.Equal(chip.Photo, photo) || !bytes.Equal(chip.Code, code) || chip.Expiry != printed.Expires {
		t.Errorf("the chip has another face than the card: photo of %d and %d bytes", len(chip.Photo), len(photo))
	}
}
