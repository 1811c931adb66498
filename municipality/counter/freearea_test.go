package counter_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/internal/webtest"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// The seal registration card is put on a resident's card and taken off, by clicking, in both languages.
func TestTheSealRegistrationCardIsPutOnByClicking(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	c := l.arrives(t, here, "窓口 五郎")
	hanako := l.grownUp(t, here.Code)
	c.handed(hanako)
	d := desk{webtest.New(t, "ja", 1280)}
	d.Open(l.link(t, here.Code, "窓口 五郎"))
	d.find(hanako)
	d.Click("空き領域のアプリ")
	d.See("カードの空き領域: "+hanako.Items.Name, "朝霧野市印鑑条例", "印鑑登録証を入れたことはありません")
	d.look("free-area")
	d.Tick("印鑑登録証を入れる")
	d.Click("行う")
	d.See("印鑑登録証をカードに入れました", "カードに入っています", "窓口 五郎")
	d.look("free-area-loaded")
	cards, err := c.api.SealCards(t.Context(), hanako.ID)
	if err != nil || len(cards) != 1 || cards[0].State != api.SealLoaded {
		t.Fatalf("%+v, %v", cards, err)
	}
	d.See(cards[0].Number)

	d.Open(l.link(t, here.Code, "Clerk Five") + "&lang=en")
	d.Open(c.origin + "/counter/residents/" + string(hanako.ID) + "/free-area?lang=en")
	d.See("The card's free area", "on the card", cards[0].Number)
	d.look("free-area-en")
	d.Tick("Take the seal registration card off")
	d.Click("Do it")
	d.See("was taken off the card", "Clerk Five")
}

// What the page refuses: a card that is not the person's, a person without a card, somebody who is not signed in.
func TestTheFreeAreaRefuses(t *testing.T) {
	l := theLand(t)
	here, there := l.towns()
	c := l.arrives(t, here, "窓口 六郎")
	taro := l.grownUp(t, here.Code)
	path := "/counter/residents/" + string(taro.ID) + "/free-area"
	if code, page := c.open(path); code != http.StatusConflict {
		t.Errorf("without a card: %d\n%s", code, page)
	}
	card := c.handed(taro).Card
	other := l.grownUp(t, here.Code)
	others := c.handed(other).Card
	if code, page, _ := c.post(path, url.Values{"card": {string(others)}, "what": {"load"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("another's card: %d\n%s", code, page)
	}
	if code, _ := l.atTheDoor(t, here).open(path); code != http.StatusUnauthorized {
		t.Errorf("nobody: %d", code)
	}
	for _, what := range []string{"load", "load", "delete", "delete"} { // each may be done again
		if code, page, at := c.post(path, url.Values{"card": {string(card)}, "what": {what}}); code != http.StatusOK || at != path || !strings.Contains(page, map[string]string{"load": "カードに入れました", "delete": "カードから消しました"}[what]) {
			t.Fatalf("%s: %d at %s\n%s", what, code, at, page)
		}
	}
	// The other town has no ordinance.
	second := l.arrives(t, there, "窓口 七郎")
	jiro := l.grownUp(t, there.Code)
	card = second.handed(jiro).Card
	code, page, _ := second.post("/counter/residents/"+string(jiro.ID)+"/free-area", url.Values{"card": {string(card)}, "what": {"load"}})
	if code != http.StatusConflict {
		t.Errorf("without an ordinance: %d", code)
	}
	second.says(page, "いま施行されている条例がない")
}

// Who gets a new card is told that what lay on the one before is not on it. (That the town records it so is tested with
// the town, where J-LIS can be played.)
func TestANewCardTellsWhatIsLost(t *testing.T) {
	l := theLand(t)
	here, _ := l.towns()
	c := l.arrives(t, here, "窓口 八郎")
	hana := l.grownUp(t, here.Code)
	one := c.handed(hana)
	if code, page, _ := c.post("/counter/residents/"+string(hana.ID)+"/free-area", url.Values{"card": {string(one.Card)}, "what": {"load"}}); code != http.StatusOK {
		t.Fatalf("%d\n%s", code, page)
	}
	finished := "/counter/cases/" + string(one.ID) + "/finished"
	if _, page := c.open(finished); strings.Contains(page, "引き継がれません") {
		t.Error("nothing is lost yet")
	}
	l.database(t, here, `UPDATE seal_card SET state = 'lost' WHERE subject = '`+string(hana.ID)+`'`)
	_, page := c.open(finished)
	c.says(page, "新しいカードには引き継がれません")
	_, page = c.open("/counter/residents/" + string(hana.ID) + "/free-area")
	c.says(page, "前のカードとともに失われました")
}
