package platform_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

// A parent sees a child's record by the child's card, up to the day before the fifteenth birthday; nobody else does.
func TestAGuardianSeesAChildsRecordUntilTheFifteenthBirthday(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		parent, child, stranger := b.Agency.Resident("霧島　花子"), b.Agency.Resident("霧島　幼子"), b.Agency.Resident("沢渡　太郎")
		today := jitsuin.DateOf(b.Platform.Clock.Now())
		birthday := today.AddDays(2)
		if birthday.Month == time.February && birthday.Day == 29 {
			birthday = birthday.AddDays(1) // which every year has
		}
		child.Items.BirthDate = jitsuin.Date{Year: birthday.Year - 15, Month: birthday.Month, Day: birthday.Day}
		if _, err := b.login(b.tenant, child.Auth); err != nil {
			t.Fatal(err)
		}
		me := b.Browser()
		me.Open("/me?lang=ja")
		if page := me.Errand("/me/login", nil, parent).Body; !strings.Contains(page, "お子さまの利用記録") || strings.Contains(page, "ログインの確認") {
			t.Fatalf("the parent's own record: %.300s", page)
		}
		label := url.Values{"label": {"長女"}}
		if page := me.Errand("/me/children", label, parent).Body; !strings.Contains(page, "ご自身のカードが使われました") {
			t.Errorf("their own card: %.300s", page)
		}
		if page := me.Errand("/me/children", label, stranger).Body; !strings.Contains(page, "15歳になっている") {
			t.Errorf("a grown person's card: %.300s", page)
		}
		page := me.Errand("/me/children", label, child)
		if !strings.Contains(page.Body, "長女の利用記録です") || !strings.Contains(page.Body, "ログインの確認") || !strings.Contains(page.Body, "記録されます") {
			t.Fatalf("the child's record: %.500s", page.Body)
		}
		var id string
		b.one(&id, `SELECT id FROM guardianships`)
		link := "/me?lang=ja&child=" + id
		if page := me.Open(link).Body; !strings.Contains(page, "長女の利用記録です") {
			t.Errorf("again: %.300s", page)
		}
		if n := len(b.logged()["guardian-looked"]); n < 2 {
			t.Errorf("%d looks are in the operation log", n)
		}

		// Others: nobody who is not the guardian, and the child does not become one.
		other := b.Browser()
		other.Open("/me?lang=ja")
		other.Errand("/me/login", nil, stranger)
		foreign, never := other.Get(link), other.Get("/me?lang=ja&child="+string(jitsuin.NewID()))
		if foreign.Status != http.StatusNotFound || never.Status != http.StatusNotFound || strings.Contains(foreign.Body, "長女") {
			t.Errorf("somebody else's child: HTTP %d, and one that never was %d", foreign.Status, never.Status)
		}
		if p := other.Post("/me/children/"+id+"/end", nil); p.Status != http.StatusNotFound {
			t.Errorf("somebody else ends it: HTTP %d", p.Status)
		}
		if p := b.Browser().Get(link); strings.Contains(p.Body, "長女") {
			t.Error("without a login it is shown")
		}
		kid := b.Browser()
		kid.Open("/me?lang=ja")
		kid.Errand("/me/login", nil, child)
		sibling := b.Agency.Resident("霧島　次子")
		sibling.Items.BirthDate = today.AddDays(-2000)
		if page := kid.Errand("/me/children", label, sibling).Body; !strings.Contains(page, "法定代理人にはなれません") {
			t.Errorf("a child as guardian: %.300s", page)
		}

		// J-LIS cannot be asked: nothing is shown rather than too much.
		b.Agency.LinksDown.Store(true)
		if p := me.Get(link); p.Status != http.StatusServiceUnavailable || strings.Contains(p.Body, "ログインの確認") {
			t.Errorf("without J-LIS: HTTP %d", p.Status)
		}
		b.Agency.LinksDown.Store(false)

		// The last second of the day before, and the birthday.
		b.advance(birthday.Start().Sub(b.Platform.Clock.Now()) - 2*time.Minute)
		if page := me.Open(link).Body; !strings.Contains(page, "長女の利用記録です") {
			t.Errorf("the day before: %.300s", page)
		}
		b.advance(2 * time.Minute)
		if page := me.Open(link).Body; !strings.Contains(page, "15歳になっている") || strings.Contains(page, "ログインの確認") || strings.Contains(page, "長女") {
			t.Errorf("on the birthday: %.500s", page)
		}
		if n := b.count(`SELECT COUNT(*) FROM guardianships`); n != 0 {
			t.Errorf("%d guardianships are left", n)
		}
	})
}
