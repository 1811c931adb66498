package site_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

// put lays another request where the platform has this one.
func (w *world) put(m client.MadeRequest, jws string) {
	w.t.Helper()
	err := w.Platform.DB.Update(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE holder_requests SET jws = $1 WHERE txn = $2`, jws, m.Txn)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// signed signs claims without looking at them.
func (w *world) signed(c api.RequestClaims, key *ecdsa.PrivateKey, kind string) string {
	w.t.Helper()
	raw, err := json.Marshal(c)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: c.Issuer}}, (&jose.SignerOptions{}).WithType(jose.ContentType(kind)))
	if err != nil {
		w.t.Fatal(err)
	}
	jws, err := s.Sign(raw)
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := jws.CompactSerialize()
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestRequestsThatAreNotOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := w.Platform.Self.Key
	for name, c := range map[string]struct {
		forge   func(api.RequestClaims) string
		heading string
	}{
		"signed by a stranger":      {func(c api.RequestClaims) string { return w.signed(c, stranger, api.TypeRequest) }, "この依頼は信用できません"},
		"no JWS":                    {func(api.RequestClaims) string { return "hello" }, "この依頼は信用できません"},
		"another kind of statement": {func(c api.RequestClaims) string { return w.signed(c, own, "jitsuin-directory+jws") }, "この依頼は信用できません"},
		"another issuer":            {func(c api.RequestClaims) string { c.Issuer = "platform:2"; return w.signed(c, own, api.TypeRequest) }, "この依頼は信用できません"},
		"changed on the way": {func(c api.RequestClaims) string {
			parts := strings.Split(w.signed(c, own, api.TypeRequest), ".")
			c.ResponseURI = c.Client.Origin + "/mine"
			return parts[0] + "." + strings.Split(w.signed(c, own, api.TypeRequest), ".")[1] + "." + parts[2]
		}, "この依頼は信用できません"},
		"another request in its place": {func(c api.RequestClaims) string { c.Txn = jitsuin.NewID(); return w.signed(c, own, api.TypeRequest) }, "この依頼は開けません"},
		"an answer elsewhere": {func(c api.RequestClaims) string {
			c.ResponseURI = "http://elsewhere.example/answers"
			return w.signed(c, own, api.TypeRequest)
		}, "入力内容に受け付けられないものがあります"},
		"a document elsewhere": {func(c api.RequestClaims) string {
			c.Documents[0].HRef = "http://127.0.0.1:1/secret"
			return w.signed(c, own, api.TypeRequest)
		}, "入力内容に受け付けられないものがあります"},
		"a name that steers": {func(c api.RequestClaims) string {
			c.Client.NameJA = "銀行\u202e"
			return w.signed(c, own, api.TypeRequest)
		}, "入力内容に受け付けられないものがあります"},
		"expired": {func(c api.RequestClaims) string {
			c.IssuedAt, c.ExpiresAt = c.IssuedAt-100, time.Now().Unix()-1
			return w.signed(c, own, api.TypeRequest)
		}, "依頼の期限が過ぎました"},
	} {
		m := w.request("form", nil)
		w.put(m, c.forge(w.claims(m)))
		p := w.person()
		p.open(m.Open)
		if !strings.Contains(p.heading(), c.heading) || p.code < 400 || strings.Contains(p.page, "カードをかざす") {
			t.Errorf("%s: %d %q", name, p.code, p.heading())
		}
	}
	for uri, heading := range map[string]string{
		w.firm.origin + "/v1/holder-requests/" + string(jitsuin.NewID()):         "この依頼は開けません",
		w.Origin + "/v1/verifications/" + string(jitsuin.NewID()):                "この依頼は開けません",
		w.Origin + ".evil.example/v1/holder-requests/" + string(jitsuin.NewID()): "この依頼は開けません",
		w.Origin + "/v1/holder-requests/../tenants":                              "この依頼は開けません",
		w.Origin + "/v1/holder-requests/" + string(jitsuin.NewID()):              "依頼が見つかりません",
		"": "この依頼は開けません",
	} {
		p := w.person()
		p.open("http://" + w.Address("holder:1") + "/request?request_uri=" + url.QueryEscape(uri))
		p.on(heading, "何も署名していません")
	}
}

func TestDocumentsThatAreNotSigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	hostile := strings.Replace(string(w.firm.form), `"口座開設`, `"`, 1)
	for name, c := range map[string]struct {
		act     string
		change  func(*client.HolderRequest)
		lay     func(*firm)
		heading string
	}{
		"another one than the digest names": {"form", nil, func(f *firm) { f.form = append(f.form, ' ') }, "書面が依頼と違います"},
		"another PDF":                       {"pdf", nil, func(f *firm) { f.pdf = []byte("%PDF-1.7 other") }, "書面が依頼と違います"},
		"an oversized one":                  {"pdf", nil, func(f *firm) { f.pdf = make([]byte, 4<<20+1) }, "書面が大きすぎます"},
		"one that is not there":             {"pdf", func(r *client.HolderRequest) { r.Documents[0].HRef = w.firm.origin + "/nowhere" }, nil, "書面が見つかりません"},
		"one that leads elsewhere":          {"form", func(r *client.HolderRequest) { r.Documents[0].HRef = w.firm.origin + "/led-away" }, nil, "相手のサイトが応答しません"},
		"a PDF that is none": {"pdf", func(r *client.HolderRequest) {
			r.Documents[0] = w.document("x", client.MediaTypePDF, "/form", w.firm.form)
		}, nil, "入力内容に受け付けられないものがあります"},
		"a form that is none": {"form", func(r *client.HolderRequest) {
			r.Documents[0] = w.document("x", client.MediaTypeForm, "/pdf", w.firm.pdf)
		}, nil, "入力内容に受け付けられないものがあります"},
		"a form with a stranger's member": {"form", func(r *client.HolderRequest) {
			w.firm.set(func(f *firm) { f.form = []byte(strings.Replace(hostile, `{`, `{"script":"x",`, 1)) })
			r.Documents[0] = w.document("x", client.MediaTypeForm, "/form", w.firm.form)
		}, nil, "入力内容に受け付けられないものがあります"},
	} {
		form, pdf := w.firm.form, w.firm.pdf
		m := w.request(c.act, c.change)
		if c.lay != nil {
			w.firm.set(c.lay)
		}
		p := w.person()
		p.open(m.Open)
		if !strings.Contains(p.heading(), c.heading) || p.code < 400 {
			t.Errorf("%s: %d %q", name, p.code, p.heading())
		}
		w.firm.set(func(f *firm) { f.form, f.pdf = form, pdf })
	}
}

func TestAnswersThatTheOtherSideDoesNotTake(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	for name, c := range map[string]struct {
		lay  func(*firm)
		says string
	}{
		"refused":            {func(f *firm) { f.status = http.StatusConflict }, "this transaction is over"},
		"led away":           {func(f *firm) { f.status = http.StatusTemporaryRedirect }, "another place"},
		"a return elsewhere": {func(f *firm) { f.status, f.back = 0, "http://elsewhere.example/" }, "not at the origin"},
		"a return by script": {func(f *firm) { f.back = "javascript:alert(1)" }, "not at the origin"},
	} {
		w.firm.set(c.lay)
		p := w.person()
		p.toPIN(w.request("login", nil), w.Good.ID)
		p.send("", "pin", holdertest.AuthPIN)
		if !strings.Contains(p.heading(), "受け付けませんでした") || !strings.Contains(p.page, c.says) || strings.Contains(p.page, "data-return") || strings.Contains(p.page, `href="javascript`) || strings.Contains(p.page, `href="http://elsewhere`) {
			t.Errorf("%s: %q\n%s", name, p.heading(), p.page)
		}
	}
}

func TestAFlowBelongsToOneBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	p := w.person()
	p.toPIN(w.request("form", nil), w.Good.ID)
	p.send("", "pin", holdertest.SignPIN)
	p.send("", "v-occupation", "会社員", "v-purpose", "growth")
	other := w.person()
	for _, stage := range []string{"", "/pin", "/form", "/read", "/document.pdf", "/done", "/send"} {
		other.open("http://" + p.at.Host + p.flow(stage))
		other.on("この手続きは終わっています")
	}
	other.at = p.at
	other.send(p.flow("/read"))
	other.on("この手続きは終わっています")
	// A form of another site, and this site under another name, are refused.
	for _, change := range []func(*http.Request){func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, func(r *http.Request) { r.Host = "evil.example" }} {
		r, err := http.NewRequest(http.MethodPost, "http://"+p.at.Host+p.flow("/read"), strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		change(r)
		resp, err := p.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s", resp.Status)
		}
	}
	if len(w.firm.taken()) != 0 {
		t.Error("somebody else signed")
	}
}

func TestARequestExpiresWhileItIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{platform: func(c *platform.Config) { c.RequestLife = 20 * time.Second }})
	p := w.person()
	m := w.request("pdf", nil)
	p.toPIN(m, w.Good.ID)
	p.send("", "pin", holdertest.SignPIN)
	p.on("書面を読んでから署名してください")
	w.await("the request to expire", func() bool { return time.Now().After(m.ExpiresAt) })
	p.send("")
	p.on("依頼の期限が過ぎました", "何も署名していません")
	if len(w.firm.taken()) != 0 {
		t.Error("an answer was sent after its time")
	}
	w.free()
}

func TestTwoWindowsSignOnce(t *testing.T) {
	t.Parallel()
	var second *holdertest.Card
	w := newWorld(t, plan{cards: func(w *world) { second = w.card("二枚目", holdertest.Order{Without: jitsuin.AuthCert}) }})
	m := w.request("pdf", nil)
	one, two := w.person(), w.person()
	one.toPIN(m, w.Good.ID)
	two.toPIN(m, second.ID)
	one.send("", "pin", holdertest.SignPIN)
	two.send("", "pin", holdertest.SignPIN)
	one.send("")
	one.on("署名を送りました")
	two.send("")
	two.on("この依頼にはもう答えています")
	w.only()
	// A card that one window has open is in use for another.
	three, four := w.person(), w.person()
	three.toPIN(w.request("pdf", nil), w.Good.ID)
	three.send("", "pin", holdertest.SignPIN)
	four.toPIN(w.request("pdf", nil), w.Good.ID)
	four.on("カードはほかで使われています")
	three.send(three.flow("/cancel"))
	four.open("http://" + w.Address("holder:1") + "/")
	w.free()
}

func TestOneBrowserDoesNotOpenEndlesslyMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	p := w.person()
	for range 8 {
		p.open(w.request("login", nil).Open)
		p.on("ログインの依頼")
	}
	p.open(w.request("login", nil).Open)
	p.on("短い時間に多くの操作がありました")
}

func TestTheSandboxAnswersInAPersonsPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{site: func(c *site.Config) { c.Sandbox = true }})
	typed := map[string]string{"occupation": "会社員", "purpose": "growth"}
	answer := func(act string, in site.SandboxAnswer) (site.SandboxAnswered, client.HolderAnswer) {
		t.Helper()
		before := len(w.firm.taken())
		in.RequestURI, in.Card = w.request(act, nil).URI, w.Good.ID
		out, err := w.sandbox("country:1", in)
		if err != nil {
			t.Fatal(err)
		}
		return out, w.firm.taken()[before]
	}
	out, a := answer("form", site.SandboxAnswer{PIN: holdertest.SignPIN, Inputs: typed})
	if out.ReturnURL != w.firm.origin+"/done?code=once" || w.verified(a, a.Documents[0].Content).Verdict != signature.Passed {
		t.Errorf("%+v", out)
	}
	if out, a = answer("login", site.SandboxAnswer{PIN: holdertest.AuthPIN}); out.ReturnURL == "" || a.Signature == nil {
		t.Errorf("%+v", out)
	}
	if _, a = answer("login", site.SandboxAnswer{Deny: true}); a.Error != "access_denied" {
		t.Errorf("%+v", a)
	}
	_, a = answer("form", site.SandboxAnswer{PIN: holdertest.SignPIN, Inputs: typed, Fault: "altered"})
	if r := w.verified(a, a.Documents[0].Content); r.Verdict != signature.Failed {
		t.Errorf("altered: %+v", r)
	}
	_, a = answer("form", site.SandboxAnswer{PIN: holdertest.SignPIN, WrongPIN: holdertest.AuthPIN, Inputs: typed, Fault: "wrong-kind"})
	if r := w.verified(a, a.Documents[0].Content); r.Verdict != signature.Failed || r.SubIndication != signature.ChainConstraints {
		t.Errorf("wrong kind: %+v", r)
	}
	before := len(w.firm.taken())
	if out, _ = answer("login", site.SandboxAnswer{PIN: holdertest.AuthPIN, Fault: "twice"}); out.Second != "taken" || len(w.firm.taken()) != before+2 {
		t.Errorf("twice: %+v", out)
	}
	w.refusesSandbox(typed)
	w.secretsStayOut()
}

func TestAnAnswerAfterItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{site: func(c *site.Config) { c.Sandbox = true }, platform: func(c *platform.Config) { c.RequestLife = 10 * time.Second }})
	m := w.request("login", nil)
	out, err := w.sandbox("country:1", site.SandboxAnswer{RequestURI: m.URI, Card: w.Good.ID, PIN: holdertest.AuthPIN, Fault: "late"})
	if err != nil || !time.Now().After(m.ExpiresAt) || out.ReturnURL == "" {
		t.Errorf("late: %+v, %v", out, err)
	}
	w.only()
}

func (w *world) refusesSandbox(typed map[string]string) {
	w.t.Helper()
	uri := w.request("form", nil).URI
	for name, c := range map[string]struct {
		caller string
		in     site.SandboxAnswer
		code   string
	}{
		"a town":                               {"municipality:91201", site.SandboxAnswer{}, "not-for-this-caller"},
		"a wrong PIN":                          {"country:1", site.SandboxAnswer{PIN: "WRONG99", Inputs: typed}, "pin-wrong"},
		"nothing typed":                        {"country:1", site.SandboxAnswer{PIN: holdertest.SignPIN}, "form-values"},
		"another's card":                       {"country:1", site.SandboxAnswer{Card: jitsuin.NewID(), PIN: holdertest.SignPIN}, "card-missing"},
		"a fault of no login":                  {"country:1", site.SandboxAnswer{RequestURI: w.request("login", nil).URI, PIN: holdertest.AuthPIN, Fault: "altered"}, "fault-unknown"},
		"a late answer to one that lasts long": {"country:1", site.SandboxAnswer{PIN: holdertest.SignPIN, Inputs: typed, Fault: "late"}, "fault-wait"},
		"a foreign request":                    {"country:1", site.SandboxAnswer{RequestURI: "http://elsewhere.example/"}, "request-foreign"},
	} {
		if c.in.RequestURI == "" {
			c.in.RequestURI = uri
		}
		if c.in.Card == "" {
			c.in.Card = w.Good.ID
		}
		if _, err := w.sandbox(c.caller, c.in); jitsuin.CodeOf(err) != c.code {
			w.t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOutsideTheSandboxNothingGoesWrongOnPurpose(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	if _, err := w.sandbox("country:1", site.SandboxAnswer{RequestURI: w.request("login", nil).URI, Card: w.Good.ID, PIN: holdertest.AuthPIN}); jitsuin.KindOf(err) != jitsuin.NotFound {
		t.Errorf("the sandbox's way is there: %v", err)
	}
	p := w.person()
	p.toPIN(w.request("pdf", nil), w.Good.ID)
	p.send("", "pin", holdertest.SignPIN)
	p.send("", "fault", "altered")
	p.on("入力内容に受け付けられないものがあります")
	if len(w.firm.taken()) != 0 {
		t.Error("an answer was sent")
	}
}
