package platform_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
)

// The resident sees what two firms did with their certificates, and nobody else sees any of it.
func TestAResidentSeesTheirOwnUseAndNobodyElses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		other := b.Register("tenant:other", origin)
		hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
		c := b.clientOf(b.tenant)
		user := b.verify(b.signed(hanako)).User.ID
		if _, err := b.login(other, hanako.Auth); err != nil {
			t.Fatal(err)
		}
		if _, err := c.CheckStatus(t.Context(), "", user, "年金の現況の確認"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Subscribe(t.Context(), "", []string{user}, "住所の更新のため"); err != nil {
			t.Fatal(err)
		}
		drawn, err := c.AskConsent(t.Context(), "", client.ConsentRequest{User: user, Service: client.Words{JA: "総合口座", EN: "General account"}, Purpose: "お客様の住所等を最新にするため",
			Contact: "お客様窓口", ReturnURL: origin + "/consents"})
		if err != nil {
			t.Fatal(err)
		}
		b.Answered(drawn.Open, hanako)
		b.Agency.Moves(hanako, "霞県夕霧市新町９番地")
		l, err := c.LatestItems(t.Context(), "", user, drawn.ID)
		if err != nil || !l.New {
			t.Fatalf("%+v %v", l, err)
		}

		me := b.Browser()
		me.Open("/me?lang=ja")
		page := me.Errand("/me/login", nil, hanako).Body
		for _, word := range []string{"総合口座", "お客様の住所等を最新にするため", "年金の現況の確認", "住所の更新のため", "口座の開設", "ログインの確認", "確認記録", "新しかった項目", "撤回する"} {
			if !strings.Contains(page, word) {
				t.Errorf("the resident does not see %q", word)
			}
		}
		for kind, state := range map[string]string{"署名用電子証明書": "失効", "利用者証明用電子証明書": "有効"} { // she has moved
			if !regexp.MustCompile(`<td>` + kind + `</td><td>` + state).MatchString(page) {
				t.Errorf("the resident does not see that the certificate %s is %s", kind, state)
			}
		}
		for _, secret := range []string{user, hanako.Sign.Cert.SerialNumber.Text(16), hanako.Auth.Cert.SerialNumber.Text(16), "霧島", "新町", string(l.ID)} {
			if strings.Contains(page, secret) {
				t.Errorf("the page tells %q", secret)
			}
		}
		english := me.Open("/me?lang=en").Body
		for _, word := range []string{"General account", "Opening an account", "Withdraw the consent for General account", "Confirmation record"} {
			if !strings.Contains(english, word) {
				t.Errorf("the resident does not see %q in English", word)
			}
		}
		stranger := b.Browser()
		stranger.Open("/me?lang=ja")
		theirs := stranger.Errand("/me/login", nil, taro).Body
		for _, word := range []string{"総合口座", "年金", "口座の開設", "確認記録"} {
			if strings.Contains(theirs, word) {
				t.Errorf("somebody else sees %q", word)
			}
		}
		foreign, never := stranger.Post("/me/consents/"+string(drawn.ID)+"/withdrawal", nil), stranger.Post("/me/consents/"+string(jitsuin.NewID())+"/withdrawal", nil)
		if foreign.Status != http.StatusNotFound || never.Status != http.StatusNotFound {
			t.Errorf("somebody else withdraws: HTTP %d, and what never was %d", foreign.Status, never.Status)
		}
		if p := b.Browser().Post("/me/consents/"+string(drawn.ID)+"/withdrawal", nil); p.Status != http.StatusSeeOther || p.Location != "/me" {
			t.Errorf("nobody withdraws: HTTP %d to %s", p.Status, p.Location)
		}
		// Who signs a withdrawal that was begun by somebody else with their own card, withdraws nothing.
		b.Agency.Reissue(hanako, jitsuin.SignCert, nil)
		if p := me.Errand("/me/consents/"+string(drawn.ID)+"/withdrawal", nil, taro); !strings.Contains(p.Body, "not the card of who consented") {
			t.Errorf("another card: %.300s", p.Body)
		}
		if c := b.consent(drawn.ID); c.State != api.ConsentInForce {
			t.Errorf("after that the consent is %s", c.State)
		}
		if p := me.Errand("/me/consents/"+string(drawn.ID)+"/withdrawal", nil, hanako); !strings.Contains(p.Body, "The consent is withdrawn.") {
			t.Errorf("their own card: %.300s", p.Body)
		}
	})
}

var ids = regexp.MustCompile(`[0-9a-f]{32}|[A-Za-z0-9_-]{43,}`)

// Two firms put together all that they were ever told of one person, and find nothing by which to know that it is one.
func TestTwoTenantsHaveNothingInCommonOfAPerson(t *testing.T) {
	t.Parallel()
	b := open(t, storetest.SQLite().Fresh(t), nil)
	other := b.Register("tenant:other", origin)
	hanako := b.Agency.Resident("霧島　花子")
	var told [2]string
	for i, tenant := range []client.Client{*b.clientOf(b.tenant), *b.clientOf(other)} {
		var all []any
		add := func(v any, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v)
		}
		document := []byte("申込書 " + string(rune('A'+i)))
		v, err := tenant.Verify(t.Context(), "", api.VerificationRequest{Document: document, Signature: hanako.Sign.Over(t, document), Purpose: "account"})
		v.Items = nil // the person's own, which both have from the document that they signed
		add(v, err)
		user := v.User.ID
		s, err := tenant.CheckStatus(t.Context(), "", user, "確認")
		add(s, err)
		sub, err := tenant.Subscribe(t.Context(), "", []string{user}, "更新")
		add(sub, err)
		u, err := tenant.User(t.Context(), user)
		add(u, err)
		page, err := tenant.Users(t.Context(), "")
		add(page, err)
		c, err := tenant.AskConsent(t.Context(), "", client.ConsentRequest{User: user, Service: client.Words{JA: "口座", EN: "Account"}, Purpose: "更新", Contact: "窓口", ReturnURL: origin + "/back"})
		add(c, err)
		b.Answered(c.Open, hanako)
		got, err := tenant.Consent(t.Context(), c.ID)
		add(got, err)
		l, err := tenant.LatestItems(t.Context(), "", user, c.ID)
		add(l, err)
		raw, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		anchor := sha256.Sum256(b.Agency.Authorities[jitsuin.SignCert].Cert.Raw) // is told to everybody of everybody
		told[i] = strings.ReplaceAll(string(raw), hex.EncodeToString(anchor[:]), "")
	}
	seen := map[string]bool{}
	for _, id := range ids.FindAllString(told[0], -1) {
		seen[id] = true
	}
	if len(seen) < 5 {
		t.Fatalf("only %d ids were told, the test sees nothing: %s", len(seen), told[0])
	}
	for _, id := range ids.FindAllString(told[1], -1) {
		if seen[id] {
			at := strings.Index(told[1], id)
			t.Errorf("both were told %s: …%s", id, told[1][max(0, at-120):at+40])
		}
	}
	for _, all := range told {
		for _, c := range []string{hanako.Sign.Cert.SerialNumber.Text(16), hanako.Auth.Cert.SerialNumber.Text(16)} {
			if strings.Contains(all, c) {
				t.Error("a tenant was told a serial number")
			}
		}
	}
}
