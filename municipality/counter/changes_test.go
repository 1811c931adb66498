package counter_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/municipality/api"
)

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// confirmed reads the confirmation's form of a preview: the first of its two forms.
func confirmed(t *testing.T, page string) url.Values {
	t.Helper()
	start := strings.Index(page, `name="step" value="record"`)
	if start < 0 {
		t.Fatalf("the page is no preview:\n%s", page)
	}
	begin := strings.LastIndex(page[:start], "<form")
	end := begin + strings.Index(page[begin:], "</form>")
	v := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(page[begin:end], -1) {
		v.Set(m[1], html.UnescapeString(m[2]))
	}
	return v
}

// records previews an act, confirms it, and gives the page of the result.
func (c *clerk) records(path string, f url.Values) (page, at string) {
	c.t.Helper()
	code, preview, _ := c.post(path, f)
	if code != http.StatusOK {
		c.t.Fatalf("preview of %s: %d\n%s", path, code, preview)
	}
	yes := confirmed(c.t, preview)
	code, page, at = c.post(path, yes)
	if code != http.StatusOK || !strings.Contains(at, "/recorded/") {
		c.t.Fatalf("recorded %s: %d at %s\n%s", path, code, at, page)
	}
	if code, _, again := c.post(path, yes); code != http.StatusOK || again != at {
		c.t.Errorf("a second click on %s: %d at %s and not %s", path, code, again, at)
	}
	return page, at
}

// unharmed fails where anything was recorded of a person.
func (c *clerk) unharmed(id jitsuin.ID) {
	c.t.Helper()
	if all, err := c.api.Changes(c.t.Context(), id); err != nil || len(all) != 0 {
		c.t.Errorf("something was recorded: %+v %v", all, err)
	}
}

func changes(r people.Resident, cause jitsuin.Cause) string {
	return "/counter/residents/" + string(r.ID) + "/changes/" + string(cause)
}

// Impossible acts are refused before anything is recorded, at the field that is wrong.
func TestImpossibleChanges(t *testing.T) {
	l := theLand(t)
	here, there := l.towns()
	c := l.arrives(t, here, "窓口 一郎")
	r := l.grownUp(t, here.Code)
	day := l.today(t)
	tomorrow, old := day.AddDays(1).String(), r.Items.BirthDate.AddDays(-1).String()
	on := func(d string, more ...string) url.Values { return form(append([]string{"occurred_on", d}, more...)...) }
	for name, x := range map[string]struct {
		cause jitsuin.Cause
		form  url.Values
		field string
		says  string
	}{
		"a move that has not happened":   {jitsuin.CauseMoveWithin, on(tomorrow, "address", "雲居県ここ"), "occurred_on", "まだ来ていない日"},
		"a move to the same address":     {jitsuin.CauseMoveWithin, on(day.String(), "address", r.Items.Address), "address", "住民票の内容と同じ"},
		"a move without an address":      {jitsuin.CauseMoveWithin, on(day.String()), "address", "入力してください"},
		"a day that does not exist":      {jitsuin.CauseMoveWithin, on("2026-02-30", "address", "雲居県ここ"), "occurred_on", "実在する日付"},
		"a departure to here":            {jitsuin.CauseMoveOut, on(day.String(), "destination", string(here.Code)), "destination", "一覧から"},
		"a card kept in use within":      {jitsuin.CauseMoveOut, on(day.String(), "destination", string(there.Code), "continued_use", "yes"), "continued_use", "国外への転出だけ"},
		"a card kept in use, asked late": {jitsuin.CauseMoveOut, on(day.String(), "destination", "abroad", "continued_use", "yes"), "continued_use", "前日まで"},
		"a death before the birth":       {jitsuin.CauseDeath, on(old), "occurred_on", "生年月日より前"},
		"a minor correction of the name by case 3": {jitsuin.CauseMinorCorrection, on(day.String(), "minor_rule", "3", "name", "別名　花子", "address", r.Items.Address,
			"birth_date", r.Items.BirthDate.String(), "sex", string(r.Items.Sex)), "name", "職権修正として"},
		"a minor correction of the birth": {jitsuin.CauseMinorCorrection, on(day.String(), "minor_rule", "7", "name", r.Items.Name, "address", r.Items.Address,
			"birth_date", old, "sex", string(r.Items.Sex)), "birth_date", "職権修正として"},
		"an amendment of nothing": {jitsuin.CauseAmended, on(day.String(), items(r.Items)...), "name", "住民票の内容と同じ"},
		"a stay of a national":    {jitsuin.CauseAmended, on(day.String(), append(items(r.Items), "stay", "mid-to-long-term")...), "stay", "日本国民"},
	} {
		code, page, _ := c.post(changes(r, x.cause), x.form)
		if code != http.StatusUnprocessableEntity || !strings.Contains(page, `id="f-`+x.field+`-error"`) || !strings.Contains(page, x.says) {
			t.Errorf("%s: %d\n%s", name, code, page)
		}
	}
	for _, path := range []string{changes(r, "no-such-act"), "/counter/entries/death", "/counter/arrivals/" + string(r.ID), "/counter/residents/x"} {
		if code, _ := c.open(path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	c.unharmed(r.ID)
}

// A move within the town ends the signature certificate alone; the page says so before, and shows it after.
func TestAMoveWithin(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	c := l.arrives(t, here, "窓口 一郎")
	r := l.grownUp(t, here.Code)
	c.handed(r)
	late := form("occurred_on", l.today(t).AddDays(-20).String(), "address", r.Items.Address+"　新棟")
	_, page, _ := c.post(changes(r, jitsuin.CauseMoveWithin), late)
	c.says(page, "まだ記録していません", "J-LISが記録した時に失効します", "そのまま使えます", "期限を過ぎています", "届出は受け付けます")
	c.unharmed(r.ID)
	// Back to the form nothing typed is lost.
	edit := confirmed(t, page)
	edit.Set("step", "edit")
	if _, page, _ := c.post(changes(r, jitsuin.CauseMoveWithin), edit); !strings.Contains(page, r.Items.Address+"　新棟") {
		t.Error("what was typed is lost")
	}
	stalePage := confirmed(t, page)
	_, at := c.records(changes(r, jitsuin.CauseMoveWithin), late)
	// A confirmation of before is out of date now.
	stalePage.Set("act", act())
	if _, page, _ := c.post(changes(r, jitsuin.CauseMoveWithin), stalePage); !strings.Contains(page, "この人の記録が変わっていました") {
		t.Error("a page that is out of date records")
	}
	if all, err := c.api.Changes(t.Context(), r.ID); err != nil || len(all) != 1 || all[0].Clerk != "窓口 一郎" {
		t.Fatalf("%+v %v", all, err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		_, page = c.open(at)
		if strings.Contains(page, "badge-bad") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the revocation is not shown:\n%s", page)
		}
	}
	c.says(page, "効力を失った時", "J-LISが記録した時", "badge-good", "窓口 一郎", "期限を過ぎています")
}

// A move to another town and back: the moving-out certificate must have come; a birth, a deletion, an entry.
func TestTheOtherChanges(t *testing.T) {
	l := theLand(t)
	here, there := l.towns()
	c, d := l.arrives(t, here, "窓口 一郎"), l.arrives(t, there, "窓口 二郎")
	r := l.grownUp(t, here.Code)
	today := l.today(t).String()
	arrival := "/counter/arrivals/" + string(r.ID)
	if code, _, _ := d.post(arrival, form("occurred_on", today, "address", "雲居県ここ１番")); code != http.StatusNotFound {
		t.Errorf("without a moving-out certificate: %d", code)
	}
	_, page := d.open("/counter/entries")
	d.says(page, "転出証明書情報")
	c.records(changes(r, jitsuin.CauseMoveOut), form("occurred_on", today, "destination", string(there.Code)))
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := d.api.Arrival(t.Context(), r.ID); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if _, page, _ := d.post("/counter/residents", form("name", r.Items.Name)); !strings.Contains(page, arrival) {
		t.Error("the search does not find who is about to move in")
	}
	_, at := d.records(arrival, form("occurred_on", today, "address", "雲居県ここ１番"))
	if person, err := d.api.Resident(t.Context(), r.ID); err != nil || person.Items.Address != "雲居県ここ１番" || !strings.Contains(at, string(r.ID)) {
		t.Fatalf("%+v %v", person, err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		_, page := c.open("/counter/residents/" + string(r.ID))
		if strings.Contains(page, "この人の住民票は"+there.Name+"にあります") && !strings.Contains(page, "/changes/") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the old town still offers changes:\n%s", page)
		}
	}

	baby := jitsuin.FourItems{Name: "見本　一子", Address: "雲居県ここ１番", BirthDate: l.today(t), Sex: jitsuin.Female}
	person, err := d.api.Resident(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, page = d.open("/counter/residents/" + string(r.ID) + "/entries/birth")
	d.says(page, "雲居県ここ１番", string(person.Household))
	page, at = d.records("/counter/residents/"+string(r.ID)+"/entries/birth", form(append(items(baby), "household", string(person.Household))...))
	d.says(page, "期限内です")
	id := jitsuin.ID(strings.Split(at, "/")[3])
	child, err := d.api.Resident(t.Context(), id)
	if err != nil || child.Household != person.Household || child.Items != baby {
		t.Fatalf("%+v %v", child, err)
	}
	if code, page, _ := d.post("/counter/entries/birth", form(items(baby)...)); code != http.StatusUnprocessableEntity || !strings.Contains(page, "すでに記載されています") {
		t.Errorf("born twice: %d", code)
	}
	one := people.Resident{ID: id}
	d.records(changes(one, jitsuin.CauseCodeOfficial), form("occurred_on", today))
	d.records(changes(one, jitsuin.CauseDeleted), form("occurred_on", today))
	d.records(changes(one, jitsuin.CauseEntered), form(append(items(baby), "occurred_on", today)...))
	d.records("/counter/entries/entered-officially", form(append(items(jitsuin.FourItems{Name: "見本　二郎", Address: "雲居県ここ２番", BirthDate: jitsuin.Date{Year: 1970, Month: 1, Day: 2}, Sex: jitsuin.Male}), "occurred_on", today)...))
	d.records(changes(one, jitsuin.CauseMoveOut), form("occurred_on", l.today(t).AddDays(3).String(), "destination", "abroad", "continued_use", "yes"))
	if child, err := d.api.Resident(t.Context(), id); err != nil || child.State != jitsuin.Abroad {
		t.Fatalf("%+v %v", child, err)
	}
	if code, page, _ := d.post("/counter/residents", form("name", "見本", "left", "yes")); code != http.StatusOK || !strings.Contains(page, "国外へ転出しました") {
		t.Errorf("who has left is not found: %d", code)
	}
	d.records(changes(one, jitsuin.CauseDeath), form("occurred_on", today))
	all, err := d.api.Changes(t.Context(), id)
	if err != nil || len(all) != 6 {
		t.Errorf("%d changes, %v", len(all), err)
	}
	var _ api.RecordedChange = all[0]
}

// A page in another window, at another case: nothing that a person typed or a secret stands in a URL or in the log
// of the town, and pages are not kept by browsers.
func TestPagesAreNotKept(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	c := l.arrives(t, here, "窓口 一郎")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.origin+"/counter/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Cache-Control") != "no-store" || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "form-action 'self'") {
		t.Errorf("%v", resp.Header)
	}
	// A form that another site sends is refused before it is read.
	p, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.origin+"/counter/leave", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	p.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	p.Header.Set("Sec-Fetch-Site", "cross-site")
	if code, _, _ := c.do(p, nil); code != http.StatusForbidden {
		t.Errorf("another site's form: %d", code)
	}
	if code, _ := c.open("/counter/"); code != http.StatusOK {
		t.Errorf("another site has signed the clerk out: %d", code)
	}
}
