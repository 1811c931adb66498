package counter_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/webtest"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
)

// loses reports a resident's card lost, as anybody can.
func (l *land) loses(t *testing.T, items jitsuin.FourItems) {
	t.Helper()
	r, err := l.folder.Remote(country.Holder, country.JLIS)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := (jlis.Client{Remote: r}).ReportLost(t.Context(), string(jitsuin.NewID()), jlis.LostCard{Items: items, Cause: "lost"}); err != nil {
		t.Fatal(err)
	}
}

// A clerk looks at the person and lifts the suspension; a wrong face lifts nothing, and a form that is sent twice is one act.
func TestACardThatWasFoundIsGoodAgain(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	c := l.arrives(t, here, "窓口 八郎")
	hanako := l.grownUp(t, here.Code)
	c.handed(hanako)
	path := "/counter/residents/" + string(hanako.ID) + "/card-found"
	document := func(more ...string) []string {
		return append([]string{"type", "passport", "number", "TK1", "expires", "2090-01-01", "name", hanako.Items.Name, "address", hanako.Items.Address,
			"birth_date", hanako.Items.BirthDate.String(), "sex", string(hanako.Items.Sex), "face_matches", "yes"}, more...)
	}
	if code, page, _ := c.post(path, form(document()...)); code != http.StatusOK || !strings.Contains(page, "一時停止中の電子証明書はありませんでした") {
		t.Errorf("nothing was suspended: %d\n%s", code, page)
	}
	l.loses(t, hanako.Items)
	for says, more := range map[string][]string{"同じ人とは認められません": {"face_matches", "no"}, "有効期限が切れています": {"expires", "2001-01-01"}, "くいちがっています": {"address", "よその町１番地"}} {
		f := form(document()...)
		f.Set(more[0], more[1])
		if code, page, _ := c.post(path, f); code != http.StatusUnprocessableEntity || !strings.Contains(page, says) {
			t.Errorf("%s: %d\n%s", says, code, page)
		}
	}
	if code, _ := l.atTheDoor(t, here).open(path); code != http.StatusUnauthorized {
		t.Errorf("nobody: %d", code)
	}
	f := form(document()...)
	for range 2 {
		if code, page, at := c.post(path, f); code != http.StatusOK || at != path || !strings.Contains(page, "使えるようになった電子証明書：2") {
			t.Errorf("%d at %s\n%s", code, at, page)
		}
	}
	d := desk{webtest.New(t, "ja", 1280)}
	d.Open(l.link(t, here.Code, "窓口 八郎"))
	d.find(hanako)
	d.Click("見つかったカードの一時停止を解除する")
	d.See("カードの一時停止の解除: "+hanako.Items.Name, "本人を確認してから")
	d.look("card-found")
}
