package platform_test

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// seat is a browser in the office, with a card on its reader.
type seat struct {
	b      *bank
	t      *testing.T
	http   *http.Client
	person *platformtest.Person
	id     string // of the person, once they are in
}

// newSeat gives a browser to a resident with a card.
func (b *bank) newSeat(name string) *seat {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	s := &seat{b: b, t: b.t, person: b.Agency.Resident(name)}
	s.http = &http.Client{Jar: jar, CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(next.URL.String(), b.Origin+"/") {
			return http.ErrUseLastResponse // to the holder
		}
		return nil
	}}
	b.t.Cleanup(s.http.CloseIdleConnections)
	return s
}

// get and post give a page's status and text.
func (s *seat) get(path string) (int, string) {
	s.t.Helper()
	return s.read(s.http.Get(s.b.Origin + path))
}

func (s *seat) post(path string, form url.Values) (int, string) {
	s.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	if form.Get("act") == "" {
		form.Set("act", string(jitsuin.NewID()))
	}
	return s.read(s.http.PostForm(s.b.Origin+path, form))
}

func (s *seat) read(resp *http.Response, err error) (int, string) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, html.UnescapeString(string(body))
}

// begin presses the button of the login, with an invitation or "", and gives the request as the holder has it.
func (s *seat) begin(invitation string) api.RequestClaims {
	s.t.Helper()
	resp, err := s.http.PostForm(s.b.Origin+"/office/login", url.Values{"invitation": {invitation}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		s.t.Fatalf("the login leads nowhere: %s", resp.Status)
	}
	_, raw := s.read(http.Get(to.Query().Get("request_uri")))
	c, err := api.OpenRequest(raw, func(string) (*ecdsa.PublicKey, error) { return &s.b.Platform.Self.Key.PublicKey, nil }, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// answered has the card answer a request.
func (s *seat) answered(c api.RequestClaims, with platformtest.Credential) api.HolderAnswer {
	s.t.Helper()
	a, err := c.Challenge.ToSign().Sign(with.Cert, with.Key)
	if err != nil {
		s.t.Fatal(err)
	}
	return api.HolderAnswer{Txn: c.Txn, State: c.State, Certificate: a.Certificate.Raw, Signature: a.Signature, DigestAlg: a.DigestAlg}
}

// deliver posts an answer as the holder does, and gives the way back or the code of the refusal.
func (s *seat) deliver(to string, a api.HolderAnswer) (back, code string) {
	s.t.Helper()
	raw, err := json.Marshal(a)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.Post(to, "application/json", bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var p httpapi.Problem
		json.NewDecoder(resp.Body).Decode(&p)
		return "", p.Code
	}
	var taken api.AnswerTaken
	if err := json.NewDecoder(resp.Body).Decode(&taken); err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimPrefix(taken.ReturnURL, s.b.Origin), ""
}

// login goes the whole way with the person's own card, and gives the page at its end.
func (s *seat) login(invitation string) string {
	s.t.Helper()
	c := s.begin(invitation)
	back, code := s.deliver(c.ResponseURI, s.answered(c, s.person.Auth))
	if code != "" {
		s.t.Fatalf("the answer is refused: %s", code)
	}
	_, page := s.get(back)
	return page
}

// see fails where a text is not on a page.
func (s *seat) see(page string, texts ...string) {
	s.t.Helper()
	for _, want := range texts {
		if !strings.Contains(page, want) {
			s.t.Fatalf("%q is not to be read:\n%s", want, page)
		}
	}
}

// invitation asks for one as who has the machine.
func (b *bank) invitation(name string, roles ...string) string {
	b.t.Helper()
	i, err := httpapi.Do[api.Invitation](b.t.Context(), b.As(platformtest.ID), "POST", "/office/invitations", "", api.InvitationRequest{Name: name, Roles: roles, Reason: "最初の係員"})
	if err != nil {
		b.t.Fatal(err)
	}
	return i.Token
}

// joined is a person who was invited by the machine and has come.
func (b *bank) joined(name string, roles ...string) *seat {
	b.t.Helper()
	s := b.newSeat(name)
	s.see(s.login(b.invitation(name, roles...)), "概況", name)
	b.one(&s.id, `SELECT id FROM office_person WHERE name = $1`, name)
	return s
}

func (b *bank) one(into *string, query string, args ...any) {
	b.t.Helper()
	*into = b.text(query, args...)
}

func TestTheFirstAdministratorComesIn(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	s := b.newSeat("管理 一郎")
	if status, page := s.get("/office/"); status != http.StatusUnauthorized || !strings.Contains(page, "係員のログイン") {
		t.Fatalf("a stranger sees %d", status)
	}
	s.see(s.login(""), "このカードの人は係員ではありません")
	if n := b.count(`SELECT COUNT(*) FROM persons`); n != 0 {
		t.Errorf("%d certificates of a stranger are kept", n)
	}
	token := b.invitation("管理 一郎", "administrator")
	_, page := s.get("/office/join?invitation=" + token)
	s.see(page, "係員への招待", "管理者")
	page = s.login(token)
	s.see(page, "概況", "主務大臣の認定", "有効", "管理者が2人いません")
	for _, path := range []string{"/office/approvals", "/office/people", "/office/duties", "/office/invite"} {
		if status, _ := s.get(path); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	for _, path := range []string{"/office/log", "/office/tenants"} { // not an administrator's duty
		if status, page := s.get(path); status != http.StatusForbidden || !strings.Contains(page, "not-your-duty") {
			t.Errorf("%s: %d", path, status)
		}
	}
	_, page = s.get("/office/join?invitation=" + token)
	s.see(page, "この招待は使えません")
}
