package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
)

func claims() RequestClaims {
	now := time.Now()
	return RequestClaims{Issuer: "platform:1", Txn: jitsuin.NewID(), Client: RequestClient{ID: "tenant:bank", NameJA: "銀行", NameEN: "Bank", Origin: "https://bank.example"},
		Act: ActSign, Purpose: "契約", PurposeEN: "Contract", ResponseURI: "https://bank.example/answers", State: strings.Repeat("s", 16), Nonce: strings.Repeat("n", 43),
		IssuedAt: now.Unix(), ExpiresAt: now.Add(RequestLife).Unix(), Documents: []RequestDocument{{Name: "契約書", MediaType: MediaTypePDF, SHA256: make([]byte, 32), HRef: "https://bank.example/doc"}}}
}

func TestARequestIsCheckedBeforeItIsSignedAndAfter(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := SignRequest(claims(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyOf := func(string) (*ecdsa.PublicKey, error) { return &key.PublicKey, nil }
	if _, err := OpenRequest(signed, keyOf, time.Now()); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*RequestClaims){
		"two documents":       func(c *RequestClaims) { c.Documents = append(c.Documents, c.Documents[0]) },
		"no digest":           func(c *RequestClaims) { c.Documents[0].SHA256 = nil },
		"another media type":  func(c *RequestClaims) { c.Documents[0].MediaType = "text/html" },
		"a login without one": func(c *RequestClaims) { c.Act, c.Documents = ActLogin, nil },
		"another act":         func(c *RequestClaims) { c.Act = "pay" },
		"no origin":           func(c *RequestClaims) { c.Client.Origin = "bank.example" },
		"an origin by script": func(c *RequestClaims) { c.Client.Origin, c.ResponseURI = "javascript:x", "javascript:x" },
		"a long life":         func(c *RequestClaims) { c.ExpiresAt += 1 },
		"no state":            func(c *RequestClaims) { c.State = "" },
		"a line break":        func(c *RequestClaims) { c.Purpose = "a\nb" },
		"a long text":         func(c *RequestClaims) { c.Purpose = strings.Repeat("x", maxRequestText+1) },
		"a long link":         func(c *RequestClaims) { c.ResponseURI += strings.Repeat("x", maxRequestLink) },
	} {
		c := claims()
		change(&c)
		if _, err := SignRequest(c, key); jitsuin.CodeOf(err) != "request-form" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOpenRequest(f *testing.F) {
	raw, err := json.Marshal(claims())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, in []byte) {
		var c RequestClaims
		if json.Unmarshal(in, &c) != nil || c.Check() != nil {
			return
		}
		// What passes leads nowhere but to the one origin that asks, and says nothing that steers.
		for _, d := range c.Documents {
			if !strings.HasPrefix(d.HRef, c.Client.Origin) {
				t.Errorf("%q is not at %q", d.HRef, c.Client.Origin)
			}
		}
		if !strings.HasPrefix(c.ResponseURI, c.Client.Origin) || !Printing(c.Purpose) || !Printing(c.Client.NameJA) {
			t.Errorf("%+v", c)
		}
	})
}

func TestAnAnswerHasTheItemsThatWereAskedForAndNoOthers(t *testing.T) {
	asked := []string{"name", "birth_date", "sex", "age_over_20"}
	good := func() HolderAnswer {
		return HolderAnswer{Items: map[string]string{"name": "霧島　花子", "birth_date": "1980-02-17", "sex": "2", "age_over_20": "true"}}
	}
	if err := good().CheckItems(asked); err != nil {
		t.Error(err)
	}
	if err := (HolderAnswer{}).CheckItems(nil); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(map[string]string){
		"one that nobody asked for": func(i map[string]string) { i["address"] = "雲居県" },
		"one is missing":            func(i map[string]string) { delete(i, "sex") },
		"no date":                   func(i map[string]string) { i["birth_date"] = "1980-2-17" },
		"no sex":                    func(i map[string]string) { i["sex"] = "F" },
		"no answer to an age":       func(i map[string]string) { i["age_over_20"] = "46" },
		"a name that steers":        func(i map[string]string) { i["name"] = "花子\u202e" },
	} {
		a := good()
		change(a.Items)
		if err := a.CheckItems(asked); jitsuin.CodeOf(err) != "answer-items" {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := claims()
	if c.Items = []string{"age_over_20"}; jitsuin.CodeOf(c.Check()) != "request-form" {
		t.Error("a signature asks for an age")
	}
	for name, n := range map[string]int{"age_over_20": 20, "age_over_0": 0, "age_over_121": 0, "name": 0, "age_over_1": 1, "age_over_020": 0} {
		if AgeOver(name) != n || LoginItem(name) != (n > 0 || name == "name") {
			t.Errorf("%s: %d", name, AgeOver(name))
		}
	}
}

// What an answer says twice counts neither way.
func TestAnAnswerSaysEachThingOnce(t *testing.T) {
	var a HolderAnswer
	if err := json.Unmarshal([]byte(`{"txn":"x","state":"s","items":{"name":"霧島　花子","sex":"2"},"unattended":true}`), &a); err != nil || a.State != "s" || a.Items["sex"] != "2" || !a.Unattended {
		t.Errorf("%+v %v", a, err)
	}
	for _, twice := range []string{`{"items":{"sex":"1","sex":"2"}}`, `{"items":{"s\u0065x":"1","sex":"1"}}`, `{"items":{"name":"a"},"items":{"sex":"1"}}`, `{"documents":[{"name":"a","name":"b"}]}`} {
		if err := json.Unmarshal([]byte(twice), new(HolderAnswer)); jitsuin.CodeOf(err) != "answer-form" {
			t.Errorf("%s: %v", twice, err)
		}
	}
}
