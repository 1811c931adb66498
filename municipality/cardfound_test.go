package municipality

import (
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// Who is let have a suspension lifted: the person by their own document, and for a child the representative, up to the day before the
// fifteenth birthday.
func TestWhoHasASuspensionLifted(t *testing.T) {
	t.Parallel()
	day := func(s string) jitsuin.Date {
		d, err := jitsuin.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	items := jitsuin.FourItems{Name: "見本　花子", Address: "霞県朝霧市見本町1番地", BirthDate: day("2011-04-02"), Sex: jitsuin.Female}
	r := record{Subject: jitsuin.NewID(), Items: items, State: jitsuin.Present}
	parent := items
	parent.Name, parent.BirthDate = "見本　親子", day("1980-01-01")
	own := api.FoundCard{Clerk: "c", Document: api.Document{Type: "passport", Expires: day("2030-01-01"), Items: items, FaceMatches: true}}
	theirs := own
	theirs.Document.Items, theirs.Representative = parent, true
	change := func(f api.FoundCard, by func(*api.FoundCard)) api.FoundCard { by(&f); return f }
	for _, c := range []struct {
		what, on, code string
		f              api.FoundCard
	}{
		{"the child alone, the day before the birthday", "2026-04-01", "representative-needed", own},
		{"the parent, the day before", "2026-04-01", "", theirs},
		{"the parent, on the birthday", "2026-04-02", "representative-not-needed", theirs},
		{"in person, on the birthday", "2026-04-02", "", own},
		{"the last day of the document", "2030-01-01", "", own},
		{"a document that is over", "2030-01-02", "document-expired", own},
		{"somebody else's document", "2027-01-01", "document-differs", change(own, func(f *api.FoundCard) { f.Document.Items = parent })},
		{"another face", "2027-01-01", "face-differs", change(own, func(f *api.FoundCard) { f.Document.FaceMatches = false })},
		{"another face than the parent's", "2026-04-01", "face-differs", change(theirs, func(f *api.FoundCard) { f.Document.FaceMatches = false })},
	} {
		if err := mayResume(c.f, r, day(c.on)); jitsuin.CodeOf(err) != c.code && (err != nil || c.code != "") {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	r.Standing.AdultWard = true
	if err := mayResume(own, r, day("2040-01-01")); jitsuin.CodeOf(err) != "representative-needed" {
		t.Errorf("an adult ward alone: %v", err)
	}
}
