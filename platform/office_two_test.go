package platform_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
)

var (
	joinLink     = regexp.MustCompile(`/office/join\?invitation=([\w-]+)`)
	approvalLink = regexp.MustCompile(`/office/approvals/([0-9a-f]{32})`)
)

func onPage(t *testing.T, re *regexp.Regexp, page string) string {
	t.Helper()
	m := re.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("nothing like %s on the page:\n%s", re, page)
	}
	return m[1]
}

// loggedLines counts lines of the operation log, once it is numbered.
func (b *bank) loggedLines(act, who, reason string) int {
	b.t.Helper()
	if _, err := b.Platform.Position(b.t.Context(), "operations"); err != nil {
		b.t.Fatal(err)
	}
	return b.count(`SELECT COUNT(*) FROM feed_events WHERE topic = 'operations' AND body LIKE $1 AND body LIKE $2 AND body LIKE $3`,
		`%"act":"`+act+`"%`, `%"who":"`+who+`%`, `%`+reason+`%`)
}

// An administrator makes another one: the invitation opens nothing until somebody else with the right role has approved it.
func TestAnAdministratorTakesTwo(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", func(c *platform.Config) {
		c.Operators.Terminals = map[string]string{"127.0.0.1": "事務室 1番"}
	})
	boss, ops := b.joined("管理 一郎", "administrator"), b.joined("運用 一郎", "operations")
	form := url.Values{"act": {string(jitsuin.NewID())}, "name": {"管理 二郎"}, "role-administrator": {"yes"}, "reason": {"二人体制にする"}}
	_, page := boss.post("/office/invite", form)
	token, proposal := onPage(t, joinLink, page), onPage(t, approvalLink, page)
	if _, again := boss.post("/office/invite", form); joinLink.MatchString(again) || !strings.Contains(again, "すでに作られています") {
		t.Error("the same form shows a link again, or makes another")
	}
	if n := b.count(`SELECT COUNT(*) FROM api_request WHERE CAST(result AS TEXT) LIKE $1`, "%"+token+"%"); n != 0 {
		t.Error("the link's secret lies in the database")
	}
	_, page = boss.get("/office/join?invitation=" + token)
	boss.see(page, "この招待は使えません")

	yes := func(s *seat, reason string) (int, string) {
		return s.post("/office/approvals/"+proposal, url.Values{"decision": {"approve"}, "reason": {reason}})
	}
	if status, page := yes(boss, "私が承認する"); status != http.StatusForbidden || !strings.Contains(page, "same-person") {
		t.Errorf("who proposed it approves: %d", status)
	}
	if status, page := yes(ops, ""); status != http.StatusUnprocessableEntity || !strings.Contains(page, "入力内容を確かめてください") {
		t.Errorf("without a reason: %d", status)
	}
	_, page = ops.get("/office/approvals")
	ops.see(page, "管理者の役割を与える", "二人体制にする", "あなたが承認できます")
	status, page := yes(ops, "本人に確かめた")
	if status != http.StatusOK {
		t.Fatal(status)
	}
	ops.see(page, "承認しました", "効いています")
	if status, _ := yes(ops, "もう一度"); status != http.StatusConflict {
		t.Errorf("approved twice: %d", status)
	}

	second := b.newSeat("管理 二郎")
	second.see(second.login(token), "概況", "管理 二郎")
	for _, l := range [][3]string{{"administrator-granted-proposed", "管理 一郎", "二人体制にする"}, {"administrator-granted", "運用 一郎", "二人体制にする"}, {"person-joined", "管理 二郎", ""}} {
		if b.loggedLines(l[0], l[1], l[2]) != 1 {
			t.Errorf("no line %v", l)
		}
	}
	if b.loggedLines("administrator-granted", "運用 一郎", `"proposed_by":"管理 一郎`) != 1 || b.loggedLines("administrator-granted", "運用 一郎", `"terminal":"事務室 1番"`) != 1 {
		t.Error("the line names neither both people nor the terminal")
	}

	// The administrator who has come ends the first one's work: it is over at once, in the open browser too.
	id := b.text(`SELECT id FROM office_person WHERE name = '管理 一郎'`)
	if status, _ := second.post("/office/people/"+id+"/end", url.Values{"end-reason": {"退職"}}); status != http.StatusOK {
		t.Fatal(status)
	}
	if status, _ := boss.get("/office/people"); status != http.StatusUnauthorized {
		t.Errorf("who has left still sees pages: %d", status)
	}
	boss.see(boss.login(""), "この係員の登録は終わっています")
	if b.loggedLines("person-left", "管理 二郎", "退職") != 1 {
		t.Error("the leaving has no line")
	}
}

// What a browser of somebody else, a used link and a dead card get.
func TestWhoDoesNotGetIn(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	s := b.joined("運用 一郎", "operations")

	c := s.begin("")
	a := s.answered(c, s.person.Auth)
	if _, code := s.deliver(c.ResponseURI, api.HolderAnswer{Txn: c.Txn, State: strings.Repeat("x", 43), Certificate: a.Certificate, Signature: a.Signature}); code != "answer-unknown" {
		t.Errorf("another state: %q", code)
	}
	back, code := s.deliver(c.ResponseURI, a)
	if code != "" {
		t.Fatal(code)
	}
	other := b.newSeat("沢渡 太郎")
	if status, page := other.get(back); status != http.StatusForbidden || !strings.Contains(page, "return-browser") {
		t.Errorf("another browser comes back: %d", status)
	}
	if status, _ := s.get(back); status != http.StatusOK {
		t.Errorf("its own browser: %d", status)
	}

	// The signature certificate opens nothing, though its signature fits.
	c = s.begin("")
	a = s.answered(c, platformtest.Credential{Cert: s.person.Auth.Cert, Key: s.person.Sign.Key})
	a.Certificate = s.person.Sign.Cert.Raw
	back, _ = s.deliver(c.ResponseURI, a)
	_, page := s.get(back)
	s.see(page, "カードの応答を確かめられませんでした")

	// A form of another site does nothing in the person's name.
	req, _ := http.NewRequest("POST", b.Origin+"/office/leave", nil)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if status, _ := s.read(s.http.Do(req)); status != http.StatusForbidden {
		t.Errorf("a form of another site: %d", status)
	}
	if status, _ := s.get("/office/"); status != http.StatusOK {
		t.Errorf("and now it is over: %d", status)
	}

	// Without status nobody gets in; who is in reads on, and nothing sensitive is decided.
	b.Status.Down.Store(true)
	s.see(other.login(""), "証明書の有効性を今は確かめられません")
	b.Status.Down.Store(false)

	// A card is lost during a session.
	b.Agency.Revoke(jitsuin.AuthCert, s.person.Auth.Cert)
	if err := platform.WatchOffice(b.Platform, t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.get("/office/"); status != http.StatusUnauthorized {
		t.Errorf("the session of a revoked card goes on: %d", status)
	}
	s.see(s.login(""), "利用者証明用電子証明書は失効しています")
	if b.loggedLines("session-ended", platformtest.ID, "revoked") != 1 {
		t.Error("the end of the session has no line")
	}

	// With a new card they are the same person.
	b.Agency.Reissue(s.person, jitsuin.AuthCert, nil)
	s.see(s.login(""), "概況", "運用 一郎")
	if n := b.count(`SELECT COUNT(*) FROM office_person`); n != 1 {
		t.Errorf("%d people, want one", n)
	}
}

// A sensitive act asks for the certificate again at the moment of the act.
func TestADeadCardApprovesNothing(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	boss, ops := b.joined("管理 一郎", "administrator"), b.joined("運用 一郎", "operations")
	_, page := boss.post("/office/invite", url.Values{"name": {"管理 二郎"}, "role-administrator": {"yes"}, "reason": {"二人体制"}})
	path := "/office/approvals/" + onPage(t, approvalLink, page)
	platform.AgeOffice(t, b.Platform) // the last look at the certificates was a while ago
	yes := url.Values{"decision": {"approve"}, "reason": {"確かめた"}}
	b.Status.Down.Store(true)
	if status, page := ops.post(path, yes); status != http.StatusServiceUnavailable || !strings.Contains(page, "certificate-unchecked") {
		t.Errorf("without status: %d", status)
	}
	if status, _ := ops.get("/office/"); status != http.StatusOK {
		t.Errorf("reading: %d", status)
	}
	b.Status.Down.Store(false)
	b.Agency.Revoke(jitsuin.AuthCert, ops.person.Auth.Cert)
	yes.Del("act")
	if status, page := ops.post(path, yes); status != http.StatusGone || !strings.Contains(page, "certificate-dead") {
		t.Errorf("with a dead card: %d", status)
	}
	if n := b.count(`SELECT COUNT(*) FROM office_proposal WHERE state = 'waiting'`); n != 1 {
		t.Error("the proposal does not wait any more")
	}
}

// An auditor searches the log by person, act and day, and sees which lines are about themselves.
func TestTheLogIsSearched(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	b.joined("運用 一郎", "operations")
	s := b.joined("監査 花子", "auditor")
	if l, err := b.login(b.tenant, s.person.Auth); err != nil || l.Report.Verdict != signature.Passed {
		t.Fatal(err)
	}
	if _, err := b.Platform.Position(t.Context(), "operations"); err != nil {
		t.Fatal(err)
	}
	_, page := s.get("/office/log?who=" + url.QueryEscape("運用 一郎"))
	s.see(page, "person-logged-in", "運用 一郎")
	if strings.Contains(page, "person-invited") {
		t.Error("another's line was found")
	}
	_, page = s.get("/office/log?act=person-logged")
	s.see(page, "監査 花子", "あなた自身")
	_, page = s.get("/office/log?from=2001-01-01&until=2001-12-31")
	s.see(page, "見つかりませんでした")
	if status, _ := s.get("/office/log?from=yesterday"); status != http.StatusUnprocessableEntity {
		t.Errorf("no date: %d", status)
	}
	for range 60 {
		if _, err := httpapi.Do[api.Invitation](t.Context(), b.As(platformtest.ID), "POST", "/office/invitations", "", api.InvitationRequest{Name: "多数", Roles: []string{"operations"}, Reason: "頁送り"}); err != nil {
			t.Fatal(err)
		}
	}
	b.Platform.Position(t.Context(), "operations")
	_, page = s.get("/office/log?act=person-invited")
	if n := strings.Count(page, "頁送り"); n != 50 {
		t.Errorf("%d lines on the first page", n)
	}
	_, page = s.get(onPage(t, regexp.MustCompile(`href="(/office/log\?[^"]*before=[^"]*)"`), page))
	if n := strings.Count(page, "頁送り"); n != 10 {
		t.Errorf("%d lines on the second page", n)
	}
}
