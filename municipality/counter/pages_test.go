package counter_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// clerk is somebody at a terminal without a screen: forms are sent as a browser without script sends them.
type clerk struct {
	t      *testing.T
	land   *land
	town   people.Municipality
	origin string
	http   *http.Client
	api    api.Client
}

// arrives signs a clerk in at a town.
func (l *land) arrives(t *testing.T, town people.Municipality, name string) *clerk {
	t.Helper()
	c := l.atTheDoor(t, town)
	if code, page := c.open(l.link(t, town.Code, name)); code != http.StatusOK || !strings.Contains(page, "担当: "+name) {
		t.Fatalf("signed in: %d\n%s", code, page)
	}
	return c
}

// atTheDoor gives a browser without a session.
func (l *land) atTheDoor(t *testing.T, town people.Municipality) *clerk {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.folder.Directory()
	if err != nil {
		t.Fatal(err)
	}
	self, err := d.Lookup(country.Town(town.Code))
	if err != nil {
		t.Fatal(err)
	}
	return &clerk{t: t, land: l, town: town, origin: self.Origin, http: &http.Client{Jar: jar, Timeout: time.Minute}, api: l.api(t, town.Code)}
}

func (c *clerk) do(r *http.Request, err error) (int, string, string) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(raw), resp.Request.URL.Path
}

func (c *clerk) open(path string) (int, string) {
	c.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = c.origin + path
	}
	code, page, _ := c.do(http.NewRequestWithContext(c.t.Context(), http.MethodGet, path, nil))
	return code, page
}

// post sends a form and follows where it leads; at is the path where it ends.
func (c *clerk) post(path string, form url.Values) (code int, page, at string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.origin+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return c.do(r, err)
}

func act() string { return string(jitsuin.NewID()) }

// form makes a form of pairs, with a key of its own.
func form(pairs ...string) url.Values {
	v := url.Values{"act": {act()}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func items(i jitsuin.FourItems) []string {
	return []string{"name", i.Name, "address", i.Address, "birth_date", i.BirthDate.String(), "sex", string(i.Sex)}
}

func document(i jitsuin.FourItems, more ...string) url.Values {
	return form(append(append([]string{"type", "driving-licence", "number", "第1号", "expires", "2035-01-01", "face_matches", "yes"}, items(i)...), more...)...)
}

// says fails unless the page says all of it.
func (c *clerk) says(page string, texts ...string) {
	c.t.Helper()
	for _, want := range texts {
		if !strings.Contains(page, want) {
			c.t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
}

// applied takes an application for a new card in and gives the case.
func (c *clerk) applied(r people.Resident) jitsuin.ID {
	c.t.Helper()
	code, page, at := c.post("/counter/residents/"+string(r.ID)+"/apply/new-card", form(append(items(r.Items), "sign", "yes", "auth", "yes")...))
	if code != http.StatusOK || !strings.HasSuffix(at, "/check") {
		c.t.Fatalf("applied: %d at %s\n%s", code, at, page)
	}
	return jitsuin.ID(strings.Split(at, "/")[3])
}

// await waits until a case has the state.
func (c *clerk) await(id jitsuin.ID, want api.ApplicationState) api.Application {
	c.t.Helper()
	since := api.ApplicationState("")
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		a, err := c.api.Application(c.t.Context(), id, since, 5*time.Second)
		if err != nil {
			c.t.Fatal(err)
		}
		if a.State == want {
			return a
		}
		since = a.State
	}
	c.t.Fatalf("the case is not %s but %s", want, since)
	return api.Application{}
}

const password, pin = "SEAL2026", "4649"

func pins(sign, again, auth, authAgain string) url.Values {
	return form("pin_sign", sign, "pin_sign_again", again, "pin_auth", auth, "pin_auth_again", authAgain)
}

// handed brings a resident's application to its end: they have a card.
func (c *clerk) handed(r people.Resident) api.Application {
	c.t.Helper()
	id := c.applied(r)
	path := "/counter/cases/" + string(id)
	c.post(path+"/check", document(r.Items))
	c.await(id, api.Ready)
	c.post(path+"/handover", form("confirmed", "yes"))
	if code, page, at := c.post(path+"/pins", pins(password, password, pin, pin)); code != http.StatusOK || !strings.HasSuffix(at, "/finished") {
		c.t.Fatalf("handed over: %d at %s\n%s", code, at, page)
	}
	return c.await(id, api.Done)
}

// Who has no ticket, a used one, an old one or another town's is not let in, and what they send is not done.
func TestTickets(t *testing.T) {
	l := theLand(t)
	here, there := l.towns()
	c := l.atTheDoor(t, here)
	r := l.grownUp(t, here.Code)
	if code, page := c.open("/counter/"); code != http.StatusUnauthorized || strings.Contains(page, r.Items.Name) {
		t.Errorf("without a session: %d", code)
	}
	for _, path := range []string{"/counter/live", "/counter/residents/" + string(r.ID) + "/live"} {
		if code, _ := c.open(path); code != http.StatusUnauthorized {
			t.Errorf("%s without a session: %d", path, code)
		}
	}
	code, page, _ := c.post("/counter/residents/"+string(r.ID)+"/apply/new-card", form(append(items(r.Items), "sign", "yes")...))
	if list, err := c.api.ApplicationsOf(t.Context(), r.ID); code != http.StatusUnauthorized || err != nil || len(list) != 0 {
		t.Errorf("sent without a session: %d, %v %v", code, list, err)
	}
	c.says(page, "送られた内容は記録されていません")

	link := l.link(t, here.Code, "窓口 一郎")
	if code, page := c.open(strings.Replace(link, c.origin, l.atTheDoor(t, there).origin, 1)); code != http.StatusForbidden {
		t.Errorf("at another town: %d %s", code, page)
	}
	if code, page := c.open(link + "&next=" + url.QueryEscape("/counter/residents/"+string(r.ID))); code != http.StatusOK || !strings.Contains(page, r.Items.Name) {
		t.Errorf("led to the page asked for: %d", code)
	}
	other := l.atTheDoor(t, here)
	if code, page := other.open(link); code != http.StatusForbidden || !strings.Contains(page, "このログイン券は使えません") {
		t.Errorf("a second time: %d", code)
	}
	for _, next := range []string{"https://example.test/", "//example.test/", "/counter/../../x", `/\example.test`} {
		_, _, at := l.atTheDoor(t, here).do(http.NewRequestWithContext(t.Context(), http.MethodGet, l.link(t, here.Code, "窓口 一郎")+"&next="+url.QueryEscape(next), nil))
		if at != "/counter/" {
			t.Errorf("%s led to %s", next, at)
		}
	}
	_, ticket, _ := strings.Cut(link, "ticket=")
	c.forgets(ticket)
	late := l.link(t, here.Code, "窓口 一郎")
	l.database(t, here, `UPDATE web_ticket SET expires_at = 1`)
	if code, _ := other.open(late); code != http.StatusForbidden {
		t.Errorf("after two minutes: %d", code)
	}
	code, page, _ = c.post("/counter/leave", url.Values{})
	if again, _ := c.open("/counter/"); code != http.StatusOK || again != http.StatusUnauthorized || !strings.Contains(page, "ログアウトしました") {
		t.Errorf("left: %d, then %d", code, again)
	}
	for _, as := range []string{country.Counter(there.Code), country.JLIS, country.Securities} {
		remote, err := l.folder.Remote(as, country.Town(here.Code))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (api.Client{Remote: remote}).Ticket(t.Context(), "偽 職員"); jitsuin.KindOf(err) != jitsuin.Denied {
			t.Errorf("a ticket for %s: %v", as, err)
		}
		remote.Close()
	}
}

// database does something to a town's database that only time would do.
func (l *land) database(t *testing.T, town people.Municipality, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", l.folder.Path("actors", "municipality-"+string(town.Code), "db.sqlite")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// A terminal that was left alone for half an hour asks again who is there, also where its list renews itself.
func TestATerminalLeftAlone(t *testing.T) {
	l := theLand(t)
	_, there := l.towns()
	c := l.arrives(t, there, "窓口 二郎")
	if code, _ := c.open("/counter/live"); code != http.StatusOK {
		t.Fatalf("live: %d", code)
	}
	l.database(t, there, `UPDATE web_session SET data = '{"clerk":"窓口 二郎","seen":"2020-01-01T00:00:00Z"}' WHERE site = 'counter-`+string(there.Code)+`'`)
	if code, _ := c.open("/counter/live"); code != http.StatusUnauthorized {
		t.Errorf("live, after half an hour: %d", code)
	}
	if code, _ := c.open("/counter/"); code != http.StatusUnauthorized {
		t.Errorf("after half an hour: %d", code)
	}
}

// A document that disagrees closes the case, and the clerk sees side by side where.
func TestADocumentThatDisagrees(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	c := l.arrives(t, here, "窓口 一郎")
	r := l.grownUp(t, here.Code)
	other := r.Items
	other.Address = "雲居県ほか市１番"
	for name, sent := range map[string]struct {
		form url.Values
		says string
	}{
		"another address": {document(other), "くいちがい"},
		"expired":         {document(r.Items, "expires", "2020-01-01"), "有効期限が切れています"},
		"another face":    {document(r.Items, "face_matches", "no"), "同じ人とは認められません"},
	} {
		id := c.applied(r)
		code, page, _ := c.post("/counter/cases/"+string(id)+"/check", sent.form)
		if code != http.StatusConflict {
			t.Errorf("%s: %d", name, code)
		}
		c.says(page, "お断りしました", sent.says, "本人確認書類")
		if a, err := c.api.Application(t.Context(), id, "", 0); err != nil || a.State != api.Refused {
			t.Errorf("%s: %+v %v", name, a, err)
		}
		if _, page := c.open("/counter/cases/" + string(id) + "/check"); !strings.Contains(page, "この手続きは先へ進んでいました") {
			t.Errorf("%s: the page of the check is still there", name)
		}
	}
	// What cannot be read is said at its field, and the case stays.
	id := c.applied(r)
	code, page, _ := c.post("/counter/cases/"+string(id)+"/check", document(r.Items, "expires", "2035-02-30", "number", ""))
	if code != http.StatusUnprocessableEntity {
		t.Errorf("an impossible day: %d", code)
	}
	c.says(page, "f-expires-error", "f-number-error", r.Items.Address)
	c.await(id, api.Received)
}

// Without a photo document: the letter's code, wrong and right.
func TestTheInquiryLetter(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	c := l.arrives(t, here, "窓口 一郎")
	r := l.grownUp(t, here.Code)
	id := c.applied(r)
	path := "/counter/cases/" + string(id)
	sent := form()
	code, page, _ := c.post(path+"/inquiry", sent)
	letter := regexp.MustCompile(`[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}`).FindString(page)
	if code != http.StatusOK || letter == "" || !strings.Contains(page, r.Items.Address) {
		t.Fatalf("the letter: %d\n%s", code, page)
	}
	if _, again, _ := c.post(path+"/inquiry", sent); !strings.Contains(again, letter) {
		t.Error("a second click made another letter")
	}
	if _, page := c.open("/counter/"); !strings.Contains(page, "照会書を送りました") {
		t.Error("the list of the day does not have the letter")
	}
	if _, page := c.open(path); strings.Contains(page, letter) {
		t.Error("the code is shown again")
	}
	code, page, _ = c.post(path+"/check", form("reply_code", "AAAA-BBBB-CCCC"))
	if code != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", code)
	}
	c.says(page, "f-reply_code-error", "番号がちがいます")
	if code, _, at := c.post(path+"/check", form("reply_code", strings.ToLower(letter))); code != http.StatusOK || at != path {
		t.Errorf("the right code: %d at %s", code, at)
	}
	c.await(id, api.Ready)
}

var actField = regexp.MustCompile(`<input type="hidden" name="act" value="[0-9a-f]*">`)

// PINs: their form is checked before the chip sees any, a page for the resident comes only after the clerk has
// recognised them, and a second click finds the card handed over.
func TestHandingOver(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	c := l.arrives(t, here, "窓口 一郎")
	r := l.grownUp(t, here.Code)
	once := form(append(items(r.Items), "sign", "yes", "auth", "yes")...)
	apply := "/counter/residents/" + string(r.ID) + "/apply/new-card"
	_, _, first := c.post(apply, once)
	_, _, second := c.post(apply, once)
	if first != second {
		t.Fatalf("a second click took a second application in: %s, %s", first, second)
	}
	id := jitsuin.ID(strings.Split(first, "/")[3])
	path := "/counter/cases/" + string(id)
	checked := document(r.Items)
	c.post(path+"/check", checked)
	if code, _, at := c.post(path+"/check", checked); code != http.StatusOK || at != path {
		t.Errorf("a second click on the check: %d at %s", code, at)
	}
	c.await(id, api.Ready)
	if _, _, at := c.post(path+"/pins", pins(password, password, pin, pin)); at != path+"/handover" {
		t.Errorf("PINs before the clerk has recognised the applicant: led to %s", at)
	}
	if code, page, _ := c.post(path+"/handover", form()); code != http.StatusUnprocessableEntity || !strings.Contains(page, "f-confirmed-error") {
		t.Errorf("not recognised: %d", code)
	}
	if _, page, at := c.post(path+"/handover", form("confirmed", "yes")); at != path+"/pins" || strings.Contains(page, "窓口 一郎") {
		t.Errorf("the screen is not turned: %s", at)
	}
	for name, wrong := range map[string]struct {
		form  url.Values
		field string
	}{
		"short":        {pins("A1", "A1", pin, pin), "pin_sign"},
		"no digit":     {pins("SEALSEAL", "SEALSEAL", pin, pin), "pin_sign"},
		"three digits": {pins(password, password, "464", "464"), "pin_auth"},
		"letters":      {pins(password, password, "46A9", "46A9"), "pin_auth"},
		"not repeated": {pins(password, "SEAL2027", pin, pin), "pin_sign_again"},
		"missing":      {pins(password, password, "", ""), "pin_auth"},
	} {
		code, page, _ := c.post(path+"/pins", wrong.form)
		if code != http.StatusUnprocessableEntity || !strings.Contains(page, "f-"+wrong.field+"-error") {
			t.Errorf("%s: %d", name, code)
		}
		page = actField.ReplaceAllString(page, "") // random, and in hexadecimal
		for _, typed := range []string{password, "SEAL2027", "SEALSEAL", `"464"`, "46A9", pin} {
			if strings.Contains(page, typed) {
				t.Errorf("%s: what was typed stands on the page", name)
			}
		}
	}
	c.await(id, api.Ready)
	right := pins(strings.ToLower(password), password, pin, pin)
	done := make(chan string, 2)
	for range 2 {
		go func() { _, _, at := c.post(path+"/pins", right); done <- at }()
	}
	for range 2 {
		if at := <-done; at != path+"/finished" {
			t.Errorf("two clicks: one ended at %s", at)
		}
	}
	c.await(id, api.Done)
	c.forgets(password, strings.ToLower(password), "SEAL2027")
	if _, page := c.open("/counter/residents/" + string(r.ID)); !strings.Contains(page, "券面の氏名: "+r.Items.Name) || !strings.Contains(page, "カードをお持ちです") {
		t.Error("the resident's page does not know the card")
	}
}

// Re-issue: somebody else's card is refused, at the application and on the reader; PINs set anew unblock the card.
func TestReissue(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	c := l.arrives(t, here, "窓口 一郎")
	hers, his := l.grownUp(t, here.Code), l.grownUp(t, here.Code)
	own, other := c.handed(hers), c.handed(his)
	apply := "/counter/residents/" + string(hers.ID) + "/apply/reissue"
	code, page, _ := c.post(apply, form(append(items(hers.Items), "sign", "yes", "card", string(other.Card))...))
	if code != http.StatusUnprocessableEntity {
		t.Errorf("another person's card: %d", code)
	}
	c.says(page, "f-card-error", "本人のカードではありません")
	if code, page, _ := c.post(apply, form(append(items(hers.Items), "card", string(own.Card))...)); code != http.StatusUnprocessableEntity || !strings.Contains(page, "証明書を1つ以上") {
		t.Errorf("no kind: %d", code)
	}
	_, _, at := c.post(apply, form(append(items(hers.Items), "sign", "yes", "auth", "yes", "card", string(own.Card))...))
	path := strings.TrimSuffix(at, "/check")
	c.post(path+"/check", document(hers.Items))
	if code, page, _ := c.post(path+"/card", form("card", string(other.Card), "pins", "keep")); code != http.StatusUnprocessableEntity || !strings.Contains(page, "f-card-error") {
		t.Errorf("another card on the reader: %d", code)
	}
	if _, _, at := c.post(path+"/card", form("card", string(own.Card), "pins", "new")); at != path+"/pins" {
		t.Fatalf("the screen is not turned: %s", at)
	}
	if _, page, at := c.post(path+"/pins", pins("OTHER77", "OTHER77", "7777", "7777")); at != path+"/finished" || !strings.Contains(page, "新しい証明書がカードに入りました") {
		t.Fatalf("re-issued: %s\n%s", at, page)
	}
	a := c.await(jitsuin.ID(strings.Split(path, "/")[3]), api.Done)
	if len(a.Certificates) != 2 || a.Card != own.Card {
		t.Errorf("%+v", a)
	}
	if _, page := c.open(path + "/card"); !strings.Contains(page, "この手続きは先へ進んでいました") {
		t.Error("a page that is out of date does not say so")
	}
}

// A child's form has no signature certificate, and says why.
func TestAChildApplies(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	c := l.arrives(t, here, "窓口 一郎")
	r := l.child(t, here.Code)
	path := "/counter/residents/" + string(r.ID) + "/apply/new-card"
	_, page := c.open(path)
	c.says(page, "15歳未満", `name="auth"`)
	if strings.Contains(page, `name="sign"`) {
		t.Error("the signature certificate is offered")
	}
	_, page, at := c.post(path, form(append(items(r.Items), "sign", "yes", "auth", "yes")...))
	id := jitsuin.ID(strings.Split(at, "/")[3])
	if a, err := c.api.Application(t.Context(), id, "", 0); err != nil || len(a.Kinds) != 1 {
		t.Fatalf("%+v %v\n%s", a, err, page)
	}
	c.post("/counter/cases/"+string(id)+"/check", document(r.Items))
	c.await(id, api.Ready)
	_, page = c.open("/counter/cases/" + string(id) + "/handover")
	c.says(page, "法定代理人")
}

// forgets fails where a secret stands in the log of any actor, or in what the sandbox remembers of the town's exchanges.
func (c *clerk) forgets(secrets ...string) {
	c.t.Helper()
	remote, err := c.land.folder.Remote(country.Country, country.Town(c.town.Code))
	if err != nil {
		c.t.Fatal(err)
	}
	defer remote.Close()
	type list struct {
		Entries []struct {
			Seq  uint64 `json:"seq"`
			Path string `json:"path"`
		} `json:"entries"`
	}
	all, err := httpapi.Do[list](c.t.Context(), remote, http.MethodGet, "/trace?limit=500", "", nil)
	if err != nil || len(all.Entries) == 0 {
		c.t.Fatalf("%d exchanges are remembered: %v", len(all.Entries), err)
	}
	said, posts := c.land.log.String(), 0
	for _, e := range all.Entries {
		one, err := httpapi.Do[json.RawMessage](c.t.Context(), remote, http.MethodGet, fmt.Sprintf("/trace/%d", e.Seq), "", nil)
		if err != nil {
			c.t.Fatal(err)
		}
		if strings.HasPrefix(e.Path, "/counter/") {
			posts++
		}
		said += string(one)
	}
	if posts == 0 {
		c.t.Error("the pages are not among what is remembered: the test does not see them")
	}
	for i, secret := range secrets {
		if strings.Contains(said, secret) {
			c.t.Errorf("secret %d is remembered", i)
		}
	}
}

// A page waits for another mark than its own, so the case that it shows is the one of that mark: a page
// made in the very moment of a change would else wait for what has happened already.
func TestAPageIsAsNewAsItsMark(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	c := l.arrives(t, here, "窓口 一郎")
	mark := regexp.MustCompile(`data-live="[^"]*" data-mark="([^"]*)"`)
	for range 2 {
		r := l.grownUp(t, here.Code)
		id := c.applied(r)
		path := "/counter/cases/" + string(id)
		ctx, stop := context.WithCancel(t.Context())
		pages := make([][]string, 3)
		var looking sync.WaitGroup
		for i := range pages {
			looking.Go(func() {
				for ctx.Err() == nil {
					_, page := c.open(path)
					pages[i] = append(pages[i], page)
				}
			})
		}
		c.post(path+"/check", document(r.Items))
		c.await(id, api.Ready)
		stop()
		looking.Wait()
		last, err := c.api.DeskOf(t.Context(), r.ID, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range slices.Concat(pages...) {
			if m := mark.FindStringSubmatch(page); m != nil && m[1] == last.Mark && !strings.Contains(page, "カードが窓口に届いています") {
				t.Fatal("a page with the mark of the finished card does not show that it is here")
			}
		}
	}
}
