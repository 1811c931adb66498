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
		IssuedAt: now.Unix(), ExpiresAt: now.Add(RequestLife).Unix(), Documents: []RequestDocument{{"契約書", MediaTypePDF, make([]byte, 32), "https://bank.example/doc"}}}
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
