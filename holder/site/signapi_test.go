package site_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/internal/webtest"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

// A client of the sign API, written with a library that knows nothing of us: a person reads a text, or is told that there is only a digest to
// sign, and signs at the holder with the card.
func TestAPersonSignsForTheSignAPIInABrowser(t *testing.T) {
	w := rpWorld(t)
	codes := make(chan string, 1)
	firm := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(rw, "<!doctype html><html lang=\"ja\"><title>firm</title><h1>firm</h1></html>")
		if r.URL.Path == "/callback" {
			codes <- r.URL.Query().Get("code")
		}
	}))
	t.Cleanup(firm.Close)
	c := w.relyingParty("sign-api", firm.URL, map[string]any{"token_endpoint_auth_method": "client_secret_basic", "scope": "openid sign"})
	endpoint := oauth2.Endpoint{AuthURL: w.Origin + "/api/realms/main/protocol/openid-connect/auth", TokenURL: w.Origin + "/api/realms/main/protocol/openid-connect/token"}
	config := oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, Endpoint: endpoint, RedirectURL: firm.URL + "/callback", Scopes: []string{"openid", "sign"}}
	own := clientcredentials.Config{ClientID: c.ID, ClientSecret: c.Secret, TokenURL: endpoint.TokenURL, Scopes: []string{"sign"}}
	const text = "売買契約書\n甲は乙に、りんご一箱を売る。\n"
	sum := sha256.Sum256([]byte(text))
	digest := fmt.Sprintf("%x", sum)
	// asked opens a transaction and has a person choose the card, type the password and read what they sign.
	asked := func(lang string, look func(b *webtest.Browser, name string)) (b *webtest.Browser, id, verifier, sign string) {
		ask := map[string]any{"client_id": c.ID, "digest": sum[:]}
		words := []string{"You are asked to sign", "Go on with this card", "Password for signatures", "Go on", "Sign", "The document cannot be read here"}
		if lang == "ja" {
			ask["document"] = map[string]any{"name": "売買契約書", "media_type": "text/plain", "content": []byte(text)}
			words = []string{"電子署名の依頼", "このカードで進む", "署名用パスワード", "次へ", "署名する", "甲は乙に、りんご一箱を売る。"}
		}
		var opened struct {
			ID string `json:"sign_transaction_id"`
		}
		called(t, own.Client(t.Context()), "POST", w.Origin+"/api/sign-transactions", ask, http.StatusCreated, &opened)
		verifier = oauth2.GenerateVerifier()
		b = webtest.New(t, lang, 1280)
		b.Open(firm.URL)
		b.Open(config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("nonce", "nonce"), oauth2.SetAuthURLParam("sign_transaction_id", opened.ID)))
		b.See(words[0])
		look(b, "signapi-1-ask-"+lang)
		b.Tick("霧島")
		b.Click(words[1])
		b.Fill(words[2], holdertest.SignPIN)
		b.Click(words[3])
		b.See(words[5], digest)
		look(b, "signapi-2-read-"+lang)
		return b, opened.ID, verifier, words[4]
	}
	for _, lang := range []string{"ja", "en"} {
		b, id, verifier, sign := asked(lang, look)
		b.Click(sign)
		b.See("firm")
		token, err := config.Exchange(t.Context(), <-codes, oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		var result struct {
			Signature    []byte           `json:"signature"`
			Verification api.Verification `json:"verification"`
		}
		called(t, config.Client(t.Context(), token), "GET", w.Origin+"/api/sign-transactions/"+url.PathEscape(id)+"/result", nil, http.StatusOK, &result)
		if v := result.Verification; v.Report.Verdict != signature.Passed || v.Items == nil || !strings.HasPrefix(v.Items.Name, "霧島") || len(result.Signature) != 256 {
			t.Errorf("%s: %+v %+v", lang, v.Report, v.Items)
		}
	}
	// She has moved since: the person reads what to do, and the firm learns that nothing was signed.
	w.Agency.Revoke(jitsuin.SignCert, w.Good.Certificates[jitsuin.SignCert])
	for lang, words := range map[string][]string{"ja": {"この署名用電子証明書は失効しているか、利用が一時停止されています", "元のサイトに戻る"}, "en": {"This signature certificate has been revoked or suspended", "Back to the site"}} {
		b, _, _, sign := asked(lang, func(*webtest.Browser, string) {})
		b.Click(sign)
		b.See(words[0])
		look(b, "signapi-3-refused-"+lang)
		b.Keyboard(words[1])
		b.See("firm")
		if code := <-codes; code != "" || !strings.Contains(b.URL(), "error=access_denied") {
			t.Errorf("%s: back at %s", lang, b.URL())
		}
	}
	w.secretsStayOut()
}

// called makes a call with JSON.
func called(t *testing.T, c *http.Client, method, address string, body any, status int, into any) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode != status {
		t.Fatalf("%s %s: HTTP %d %s %v", method, address, resp.StatusCode, got, err)
	}
	if err := json.Unmarshal(got, into); err != nil {
		t.Fatal(err)
	}
}
