//go:build unix

package country_test

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// approve calls the holder as a company's tests do: with nothing but HTTP. origin is that of a page, "" for a program.
func (l *living) approve(t *testing.T, in site.Approval, origin string) (site.Approved, error) {
	t.Helper()
	d, err := l.Directory()
	if err != nil {
		t.Fatal(err)
	}
	h, err := d.Lookup(country.Holder)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.Origin+"/sandbox/approvals", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return site.Approved{}, httpapi.DecodeProblem(resp)
	}
	var out site.Approved
	return out, json.NewDecoder(resp.Body).Decode(&out)
}

// login has the shop ask for a login and items.
func (s *shop) login(t *testing.T, items ...string) client.MadeRequest {
	t.Helper()
	m, err := s.client.Request(t.Context(), "", client.HolderRequest{Act: client.ActLogin, Purpose: "注文", PurposeEN: "Order", Origin: s.origin, ResponseURI: s.origin + "/answers", State: "0123456789abcdef", Items: items})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// user has the platform check the shop's latest answer and gives the user.
func (s *shop) user(t *testing.T) string {
	t.Helper()
	a := s.answers[len(s.answers)-1]
	in, err := s.client.Login(t.Context(), client.LoginRequest{Challenge: a.Txn, Certificate: a.Certificate, Signature: a.Signature, DigestAlg: a.DigestAlg})
	if err != nil || in.User == nil {
		t.Fatalf("%+v, %v", in.Report, err)
	}
	return in.User.ID
}

// Named people answer for a company's tests, in each way that people do, and are the same in every country of a seed.
func TestPersonasAnswerAndAreTheSameInEveryCountryOfASeed(t *testing.T) {
	t.Parallel()
	first := live(t, country.Options{Data: filepath.Join(t.TempDir(), "data"), Listen: listen(t)})
	s := first.shop(t)
	known, err := first.Personas()
	if err != nil || len(known.Personas) != country.FirstCards {
		t.Fatalf("%d personas, %v", len(known.Personas), err)
	}
	who, other := known.Personas[0].ID, known.Personas[1].ID

	m := s.login(t, "name", "age_over_20")
	out, err := first.approve(t, site.Approval{Request: m.Open, Persona: who}, "")
	if err != nil || out.ReturnURL != s.origin+"/done" || out.Error != "" {
		t.Fatalf("%+v, %v", out, err)
	}
	a := s.answers[len(s.answers)-1]
	if a.Items["name"] != known.Personas[0].Name || a.Items["age_over_20"] != "true" || a.CheckItems([]string{"name", "age_over_20"}) != nil {
		t.Errorf("items %v", a.Items)
	}
	subject := s.user(t)
	if _, err := first.approve(t, site.Approval{Request: m.Open, Persona: who}, ""); jitsuin.CodeOf(err) != "request-answered" {
		t.Errorf("answered again: %v", err)
	}
	first.approvedElsewhere(t, who)
	for _, c := range []struct{ outcome, told, happened string }{
		{site.OutcomeCancel, "access_denied", ""}, {site.OutcomeWrong, "access_denied", "pin-wrong"}, {site.OutcomeLocked, "access_denied", "pin-blocked"},
		{site.OutcomeRemoved, "access_denied", "card-gone"}, {site.OutcomeTimeOut, "", ""}} {
		before := len(s.answers)
		out, err := first.approve(t, site.Approval{Request: s.login(t).URI, Persona: who, Outcome: c.outcome}, "")
		if err != nil || out.Error != c.told || out.Happened != c.happened {
			t.Fatalf("%s: %+v, %v", c.outcome, out, err)
		}
		if c.told == "" {
			if len(s.answers) != before || out.ReturnURL != "" {
				t.Errorf("%s: something was sent", c.outcome)
			}
			continue
		}
		if a := s.answers[len(s.answers)-1]; len(s.answers) != before+1 || a.Error != c.told || a.Certificate != nil || a.Items != nil {
			t.Errorf("%s: the shop got %+v", c.outcome, a)
		}
		if c.outcome == site.OutcomeWrong && (out.TriesLeft == nil || *out.TriesLeft != 2) {
			t.Errorf("tries left: %v", out.TriesLeft)
		}
	}
	// After all that the card is as it was.
	if _, err := first.approve(t, site.Approval{Request: s.login(t).URI, Persona: who}, ""); err != nil || s.user(t) != subject {
		t.Errorf("the persona has another user now, %v", err)
	}
	if _, err := first.approve(t, site.Approval{Request: s.login(t).URI, Persona: who}, "https://elsewhere.example"); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("a page of somebody else: %v", err)
	}
	first.revoked(t, s, other)
	t.Run("Playwright", func(t *testing.T) { first.runsPlaywright(t, who, other) })

	again := live(t, country.Options{Data: filepath.Join(t.TempDir(), "data"), Listen: listen(t)})
	s = again.shop(t)
	if _, err := again.approve(t, site.Approval{Request: s.login(t).URI, Persona: who}, ""); err != nil {
		t.Fatal(err)
	}
	if now := s.user(t); now != subject {
		t.Errorf("the same tenant sees %s in one country and %s in another", subject, now)
	}
}

// revoked ends a persona, whose login is refused by the platform from then on.
// approvedElsewhere has a persona answer on another device than the browser that began: the test types what the holder says.
func (l *living) approvedElsewhere(t *testing.T, who string) {
	t.Helper()
	d, err := l.Directory()
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Lookup(country.Platform)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	send := func(link string, form url.Values) (at, page string) {
		t.Helper()
		resp, err := browser.PostForm(link, form)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.Request.URL.String(), string(body)
	}
	screen, page := send(p.Origin+"/me/login", url.Values{"way": {"elsewhere"}})
	link := regexp.MustCompile(`id="screen-link">([^<]+)<`).FindStringSubmatch(page)
	if link == nil {
		t.Fatalf("no link at %s: %s", screen, page)
	}
	out, err := l.approve(t, site.Approval{Request: html.UnescapeString(link[1]), Persona: who}, "")
	if err != nil || out.ReturnURL != "" || len(out.ScreenSecret) != 6 || out.Refusal != "" {
		t.Fatalf("%+v, %v", out, err)
	}
	if _, page = send(screen, url.Values{"screen_secret": {out.ScreenSecret}}); !strings.Contains(page, "/errands/return?code=") {
		t.Errorf("the digits lead nowhere: %s", page)
	}
}

func (l *living) revoked(t *testing.T, s *shop, who string) {
	t.Helper()
	if _, err := l.approve(t, site.Approval{Request: s.login(t).URI, Persona: who, Outcome: site.OutcomeRevoked}, ""); jitsuin.CodeOf(err) != "persona-in-force" {
		t.Errorf("revoked, and in force: %v", err)
	}
	for range 2 { // done again it is the same
		if err := l.EndPersona(t.Context(), who); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.approve(t, site.Approval{Request: s.login(t).URI, Persona: who, Outcome: site.OutcomeRevoked}, ""); err != nil {
		t.Fatal(err)
	}
	a := s.answers[len(s.answers)-1]
	in, err := s.client.Login(t.Context(), client.LoginRequest{Challenge: a.Txn, Certificate: a.Certificate, Signature: a.Signature, DigestAlg: a.DigestAlg})
	if err != nil || in.User != nil || jitsuin.KindOf(client.Refusal(in.Report)) != jitsuin.Revoked {
		t.Errorf("a login right after the end: %+v, %v", in.Report, err)
	}
}
