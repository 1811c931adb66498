package openid_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/platform/api"
)

// sent posts an answer of a holder as it stands, and gives the status and the code of the refusal.
func (b *bank) sent(claims api.RequestClaims, body []byte) (status int, code string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, claims.ResponseURI, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	var problem struct{ Code string }
	if err := json.Unmarshal(raw, &problem); err != nil {
		b.t.Fatalf("HTTP %d %s", resp.StatusCode, raw)
	}
	return resp.StatusCode, problem.Code
}

// nothingTaken fails where anything has come of a login: a check, a user, a session, a code, a note of what was given, an answered errand.
func (b *bank) nothingTaken(after string) {
	b.t.Helper()
	for _, query := range []string{`SELECT COUNT(*) FROM checks WHERE sort = 'login'`, `SELECT COUNT(*) FROM users`, `SELECT COUNT(*) FROM openid_sessions`, `SELECT COUNT(*) FROM openid_given`,
		`SELECT COUNT(*) FROM openid_codes`, `SELECT COUNT(*) FROM openid_requests WHERE session <> ''`, `SELECT COUNT(*) FROM errands WHERE answer <> '' OR code <> '' OR outcome <> ''`} {
		if n := b.count(query); n != 0 {
			b.t.Errorf("%s: %s gives %d", after, query, n)
		}
	}
}

// wrongItems are answers whose items are not those of the request for name, gender and age_over_20, by what is wrong with them.
var wrongItems = map[string]struct {
	change func(items map[string]string)
	text   [2]string // replaced in the JSON of the answer
	code   string
}{
	"one is missing":                {change: func(i map[string]string) { delete(i, "sex") }, code: "answer-items"},
	"an age is missing":             {change: func(i map[string]string) { delete(i, "age_over_20") }, code: "answer-items"},
	"all are missing":               {change: func(i map[string]string) { clear(i) }, code: "answer-items"},
	"an empty name":                 {change: func(i map[string]string) { i["name"] = "" }, code: "answer-items"},
	"a name that steers":            {change: func(i map[string]string) { i["name"] = "花子\u202e" }, code: "answer-items"},
	"a name of two lines":           {change: func(i map[string]string) { i["name"] = "霧島\n花子" }, code: "answer-items"},
	"a name without end":            {change: func(i map[string]string) { i["name"] = strings.Repeat("霧", 300) }, code: "answer-items"},
	"a word for the sex":            {change: func(i map[string]string) { i["sex"] = "female" }, code: "answer-items"},
	"an age in years":               {change: func(i map[string]string) { i["age_over_20"] = "46" }, code: "answer-items"},
	"an age in capitals":            {change: func(i map[string]string) { i["age_over_20"] = "TRUE" }, code: "answer-items"},
	"one that the person kept back": {change: func(i map[string]string) { i["birth_date"] = "1980-02-17" }, code: "answer-items"},
	"one that nobody knows":         {change: func(i map[string]string) { i["my_number"] = "1" }, code: "answer-items"},
	"one without a name":            {change: func(i map[string]string) { i[""] = "x" }, code: "answer-items"},
	"the client's word for one":     {change: func(i map[string]string) { i["gender"] = i["sex"]; delete(i, "sex") }, code: "answer-items"},
	"both words for one":            {change: func(i map[string]string) { i["gender"] = i["sex"] }, code: "answer-items"},
	"a name in capitals":            {change: func(i map[string]string) { i["Name"] = i["name"]; delete(i, "name") }, code: "answer-items"},
	"another age":                   {change: func(i map[string]string) { i["age_over_65"] = i["age_over_20"]; delete(i, "age_over_20") }, code: "answer-items"},
	"an age that is no string":      {text: [2]string{`"age_over_20":"true"`, `"age_over_20":true`}, code: "request-form"},
	"a list":                        {text: [2]string{`"items":{`, `"items":[],"x":{`}, code: "request-form"},
	"one twice":                     {text: [2]string{`"sex":"2"`, `"sex":"1","sex":"2"`}, code: "request-form"},
	"the same twice":                {text: [2]string{`"sex":"2"`, `"sex":"2","sex":"2"`}, code: "request-form"},
	"one twice, once by an escape":  {text: [2]string{`"sex":"2"`, `"s\u0065x":"1","sex":"2"`}, code: "request-form"},
	"items twice, half in each":     {text: [2]string{`"sex":"2"}`, `"age_over_20":"true"},"items":{"sex":"2"}`}, code: "request-form"},
}

// An answer whose items are not exactly those that the person agreed to is refused before anything comes of it, and the request is still
// good for the right answer.
func TestAnswersWithOtherItemsAreRefused(t *testing.T) {
	b, p, _, hanako := refusing(t)
	br, a := b.Browser(), newAsking()
	claims := b.OpenRequest(p.agreeing(br, p.query(a, url.Values{"scope": {"openid name birthdate gender age_over_20"}}), "name", "gender", "age_over_20"))
	for what, c := range wrongItems {
		answer := b.AnswerOf(claims, hanako)
		if c.change != nil {
			c.change(answer.Items)
		}
		body, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		if c.text != [2]string{} {
			changed := bytes.Replace(body, []byte(c.text[0]), []byte(c.text[1]), 1)
			if bytes.Equal(changed, body) {
				t.Fatalf("%s: %q is not in the answer", what, c.text[0])
			}
			body = changed
		}
		if status, code := b.sent(claims, body); status < 400 || status > 499 || code != c.code {
			t.Errorf("%s: HTTP %d %q, want %q", what, status, code, c.code)
		}
		b.nothingTaken(what)
	}
	status, to := b.PostAnswer(claims, b.AnswerOf(claims, hanako))
	if status != http.StatusOK {
		t.Fatalf("the right answer after the wrong ones: HTTP %d", status)
	}
	got := p.redeem(a, p.back(br, to).Get("code"), nil)
	who := get(t, p.userinfoURL(), map[string]string{"Authorization": "Bearer " + got.text("access_token")})
	if who.text("name") != "霧島　花子" || who.text("gender") != "female" || who.Members["age_over_20"] != true || len(who.Members) != 4 {
		t.Errorf("userinfo has %v", who.Members)
	}
	if n := b.count(`SELECT COUNT(*) FROM openid_given`); n != 1 {
		t.Errorf("%d notes of what was given", n)
	}
	if strings.Contains(b.Log.String(), "霧島") || strings.Contains(b.Log.String(), "1980-02-17") {
		t.Error("the log has what an answer said of the person")
	}
}

// A login that asks for nothing takes nothing: neither where the client wants nothing, nor where the person agreed to nothing.
func TestALoginThatAskedForNoItemsTakesNone(t *testing.T) {
	b, p, _, hanako := refusing(t)
	for name, begin := range map[string]func(*asking) (open string, back func(string) url.Values){
		"the client wants nothing": func(a *asking) (string, func(string) url.Values) {
			br := b.Browser()
			open, _ := p.begun(br, p.query(*a, nil))
			return open, func(to string) url.Values { return p.back(br, to) }
		},
		"the person agreed to nothing": func(a *asking) (string, func(string) url.Values) {
			br := b.Browser()
			open := p.agreeing(br, p.query(*a, url.Values{"scope": {"openid name"}}))
			return open, func(to string) url.Values { return p.back(br, to) }
		},
	} {
		a := newAsking()
		open, back := begin(&a)
		claims := b.OpenRequest(open)
		sessions := b.count(`SELECT COUNT(*) FROM openid_sessions`)
		for _, items := range []map[string]string{{"name": "霧島　花子"}, {"age_over_20": "true"}, {"gender": "female"}, {"": ""}} {
			answer := b.AnswerOf(claims, hanako)
			answer.Items = items
			body, err := json.Marshal(answer)
			if err != nil {
				t.Fatal(err)
			}
			if status, code := b.sent(claims, body); status < 400 || status > 499 || code != "answer-items" {
				t.Errorf("%s, answered with %v: HTTP %d %q", name, items, status, code)
			}
			if n := b.count(`SELECT COUNT(*) FROM openid_sessions`); n != sessions || b.count(`SELECT COUNT(*) FROM openid_given`) != 0 || b.count(`SELECT COUNT(*) FROM errands WHERE txn = $1 AND answer <> ''`, string(claims.Txn)) != 0 {
				t.Errorf("%s, answered with %v: something was stored", name, items)
			}
		}
		status, to := b.PostAnswer(claims, b.AnswerOf(claims, hanako))
		if status != http.StatusOK {
			t.Fatalf("%s: the right answer: HTTP %d", name, status)
		}
		got := p.redeem(a, back(to).Get("code"), nil)
		if who := get(t, p.userinfoURL(), map[string]string{"Authorization": "Bearer " + got.text("access_token")}); len(who.Members) != 1 {
			t.Errorf("%s: userinfo has %v", name, who.Members)
		}
	}
}
