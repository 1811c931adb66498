package site_test

import (
	"net/http"
	"strings"
	"testing"
)

// What was typed is judged before J-LIS hears of it, and nothing of it is written into an address.
func TestAReportOfALossIsWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	p := w.person()
	p.open("http://" + w.Address("holder:1") + "/")
	p.on("マイカード", `href="/lost"`)
	p.open("http://" + w.Address("holder:1") + "/lost")
	p.on("カードの紛失・盗難の届出", "カードがなくても", "窓口")
	p.send("/lost")
	for _, field := range []string{"cause", "name", "birth_date", "address", "sex"} {
		if p.code != http.StatusUnprocessableEntity || !strings.Contains(p.page, `href="#f-`+field) {
			t.Errorf("nothing is said about %s: %d", field, p.code)
		}
	}
	p.send("/lost", "cause", "borrowed", "name", "霧島　花子", "birth_date", "1980-02-30", "address", "霞県", "sex", "9")
	for _, field := range []string{"cause", "birth_date", "sex"} {
		if p.code != http.StatusUnprocessableEntity || !strings.Contains(p.page, `href="#f-`+field) {
			t.Errorf("nothing is said about %s: %d", field, p.code)
		}
	}
	if !strings.Contains(p.page, `value="霧島　花子"`) {
		t.Error("what was typed is lost")
	}
	if p.at.RawQuery != "" || strings.Contains(w.log.String(), "霧島") {
		t.Error("the person stands in an address or in the log")
	}
}
