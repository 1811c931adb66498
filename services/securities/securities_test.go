package securities_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/services/securities"
	"github.com/jitsuin/jitsuin/signature"
)

var document = []byte("証券総合口座の申込書")

// firm is a running firm, a tenant of a running platform.
type firm struct {
	*platformtest.World
	t      *testing.T
	origin string
	firm   *securities.Firm
	tenant httpapi.Identity
}

func open(t *testing.T, database string) *firm {
	t.Helper()
	w := platformtest.New(t, "sqlite::memory:", nil)
	w.Accredit(minister.InForce)
	f := &firm{World: w, t: t, origin: "http://" + w.Address("service:securities-1")}
	f.tenant = w.Register("tenant:securities-1", f.origin)
	cfg := securities.Config{Config: w.Config("service:securities-1", database), Log: slog.New(slog.DiscardHandler)}
	if err := actor.WriteKey(filepath.Join(filepath.Dir(cfg.Key), "tenant-securities-1.pem"), f.tenant.Key); err != nil {
		t.Fatal(err)
	}
	s, err := securities.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.firm = s
	w.Run(s)
	return f
}

// browser has cookies of its own.
type browser struct {
	*firm
	http.Client
}

func (f *firm) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return &browser{f, http.Client{Jar: jar}}
}

// call sends JSON and gives the problem's code, "" for success.
func (b *browser) call(method, path, key string, in, out any) string {
	b.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.origin+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(httpapi.HeaderIdempotencyKey, key)
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := json.NewDecoder(resp.Body)
	if resp.StatusCode >= 400 {
		var p httpapi.Problem
		if err := answer.Decode(&p); err != nil {
			b.t.Fatal(err)
		}
		if p.Code == "content-changed" && (p.Hint == "" || p.Detail == "") {
			b.t.Error("a refusal without its reasons")
		}
		return p.Code
	}
	if out != nil {
		if err := answer.Decode(out); err != nil {
			b.t.Fatal(err)
		}
	}
	return ""
}

type signed struct {
	Document  []byte `json:"document"`
	Signature []byte `json:"signature"`
}

func (f *firm) signs(p *platformtest.Person) signed {
	return signed{document, p.Sign.Over(f.t, document)}
}

// start begins a login and answers its challenge with a credential.
func (b *browser) start(c platformtest.Credential) client.LoginRequest {
	b.t.Helper()
	var ch client.Challenge
	if code := b.call("POST", "/login/start", "", nil, &ch); code != "" {
		b.t.Fatal(code)
	}
	a, err := ch.Challenge.ToSign().Sign(c.Cert, c.Key)
	if err != nil {
		b.t.Fatal(err)
	}
	return client.LoginRequest{Challenge: ch.ID, Certificate: a.Certificate.Raw, Signature: a.Signature}
}

func want(t *testing.T, what, got, code string) {
	t.Helper()
	if got != code {
		t.Errorf("%s: %q, want %q", what, got, code)
	}
}

func TestACustomerSignsAndLogsIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := open(t, url)
		hanako := f.Agency.Resident("霧島　花子")
		b := f.browser()
		want(t, "before the first contract", b.call("POST", "/login/finish", "", b.start(hanako.Auth), nil), "no-customer")
		var contract securities.Contract
		want(t, "the contract", b.call("POST", "/contracts", "contract-0001", f.signs(hanako), &contract), "")
		if contract.ID == "" || contract.Verification == "" || time.Since(contract.AcceptedAt) > time.Minute {
			t.Errorf("%+v", contract)
		}
		want(t, "who is nobody", b.call("GET", "/me", "", nil, nil), "no-session")
		answer := b.start(hanako.Auth)
		want(t, "the login", b.call("POST", "/login/finish", "", answer, nil), "")
		var me securities.Customer
		want(t, "the customer", b.call("GET", "/me", "", nil, &me), "")
		if me.Items != hanako.Items || len(me.Contracts) != 1 || me.Contracts[0] != contract {
			t.Errorf("me: %+v", me)
		}
		want(t, "the answer a second time", b.call("POST", "/login/finish", "", answer, nil), "login-unknown")
		want(t, "another browser", f.browser().call("GET", "/me", "", nil, nil), "no-session")

		// She moves house: new items, a new signature certificate, and still the same customer.
		hanako.Items.Address = "霞県夕凪町１番地"
		f.Agency.Reissue(hanako, jitsuin.SignCert, nil)
		second := signed{[]byte("住所変更届"), hanako.Sign.Over(t, []byte("住所変更届"))}
		want(t, "the second contract", b.call("POST", "/contracts", "contract-0002", second, nil), "")
		var moved securities.Customer
		want(t, "the customer who moved", b.call("GET", "/me", "", nil, &moved), "")
		if moved.ID != me.ID || moved.Items != hanako.Items || len(moved.Contracts) != 2 {
			t.Errorf("after the move: %+v", moved)
		}
	})
}

func TestContractsThatAreRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := open(t, url)
		hanako := f.Agency.Resident("霧島　花子")
		b := f.browser()
		good := f.signs(hanako)
		altered := signed{append([]byte("手数料無料 "), document...), good.Signature}
		want(t, "altered", b.call("POST", "/contracts", "contract-0001", altered, nil), "content-changed")
		whole := f.embeds(hanako)
		for what, nothing := range map[string]any{"no document": map[string]any{"signature": whole}, "null": map[string]any{"document": nil, "signature": whole}, "empty": signed{[]byte{}, whole}} {
			if code := b.call("POST", "/contracts", "contract-0005", nothing, nil); code != "request-form" && code != "document-missing" {
				t.Errorf("%s: the document inside the signature stood in for the contract: %q", what, code)
			}
		}
		want(t, "too large", b.call("POST", "/contracts", "contract-0001", signed{make([]byte, 8<<20+1), good.Signature}, nil), "document-size")
		want(t, "no key", b.call("POST", "/contracts", "", good, nil), "idempotency-key-missing")
		taro := f.Agency.Resident("沢渡　太郎")
		f.Agency.Revoke(jitsuin.SignCert, taro.Sign.Cert)
		want(t, "revoked", b.call("POST", "/contracts", "contract-0002", f.signs(taro), nil), "revoked")
		want(t, "nothing was kept", f.rows(), "0 customers, 0 contracts")

		var first, again securities.Contract
		want(t, "good", b.call("POST", "/contracts", "contract-0003", good, &first), "")
		want(t, "repeated", b.call("POST", "/contracts", "contract-0003", good, &again), "")
		if first != again {
			t.Errorf("repeated: %+v, was %+v", again, first)
		}
		want(t, "the same document once more", b.call("POST", "/contracts", "contract-0004", good, nil), "contract-exists")
		want(t, "the key for another", b.call("POST", "/contracts", "contract-0003", altered, nil), "idempotency-key-reused")
		want(t, "one was kept", f.rows(), "1 customers, 1 contracts")
		f.keepsNoSerial(hanako)
	})
}

// embeds signs the document inside the signature.
func (f *firm) embeds(p *platformtest.Person) []byte {
	f.t.Helper()
	s := signature.DocumentSigner{Certificate: p.Sign.Cert, Key: p.Sign.Key}
	der, err := s.Embedded(f.t.Context(), document, time.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return der
}

// An answer that the platform gave long ago says nothing of today: a request that was cut off before
// the firm had stored the contract is not taken up again with it when the certificate may have ended.
func TestAnOldVerificationAcceptsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := open(t, url)
		hanako, taro := f.Agency.Resident("霧島　花子"), f.Agency.Resident("沢渡　太郎")
		b := f.browser()
		var kept, again securities.Contract
		his := f.signs(taro)
		want(t, "in time", b.call("POST", "/contracts", "contract-0001", his, &kept), "")
		// The firm asks the platform and stops there.
		good := f.signs(hanako)
		platform, err := client.New(f.Origin, platformtest.ID, f.tenant.ID, f.tenant.Key)
		if err != nil {
			t.Fatal(err)
		}
		defer platform.Close()
		v, err := platform.Verify(t.Context(), "contract-0002", client.VerificationRequest{Document: good.Document, Signature: good.Signature, Purpose: "account"})
		if err != nil || v.User == nil {
			t.Fatalf("%+v, %v", v, err)
		}
		f.Platform.Clock.Set(time.Hour)
		f.firm.Clock.Set(time.Hour)
		f.Agency.Revoke(jitsuin.SignCert, hanako.Sign.Cert)
		f.Agency.Revoke(jitsuin.SignCert, taro.Sign.Cert)
		want(t, "with the old answer", b.call("POST", "/contracts", "contract-0002", good, nil), "verification-old")
		want(t, "with a new one", b.call("POST", "/contracts", "contract-0003", good, nil), "revoked")
		want(t, "what was accepted before, repeated", b.call("POST", "/contracts", "contract-0001", his, &again), "")
		if again != kept {
			t.Errorf("repeated: %+v, was %+v", again, kept)
		}
		want(t, "one was kept", f.rows(), "1 customers, 1 contracts")
	})
}

func (f *firm) rows() string {
	f.t.Helper()
	var text string
	err := f.firm.DB.View(f.t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT (SELECT COUNT(*) FROM customers) || ' customers, ' || (SELECT COUNT(*) FROM contracts) || ' contracts'`).Scan(&text)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

func (f *firm) keepsNoSerial(p *platformtest.Person) {
	f.t.Helper()
	var user, verification string
	err := f.firm.DB.View(f.t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT c.user_id, k.verification FROM customers c JOIN contracts k ON k.customer = c.id`).Scan(&user, &verification)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, serial := range []string{p.Sign.Cert.SerialNumber.Text(16), p.Auth.Cert.SerialNumber.Text(16)} {
		if strings.Contains(user+verification, serial) {
			f.t.Error("a serial number is a customer's id")
		}
	}
}

func TestALoginBelongsToItsBrowser(t *testing.T) {
	f := open(t, "sqlite::memory:")
	hanako := f.Agency.Resident("霧島　花子")
	mine, theirs := f.browser(), f.browser()
	want(t, "the contract", mine.call("POST", "/contracts", "contract-0001", f.signs(hanako), nil), "")
	answer := mine.start(hanako.Auth)
	want(t, "without any login", f.browser().call("POST", "/login/finish", "", answer, nil), "login-unknown")
	theirs.start(hanako.Auth)
	want(t, "with another browser's login", theirs.call("POST", "/login/finish", "", answer, nil), "login-unknown")
	want(t, "in its own browser", mine.call("POST", "/login/finish", "", answer, nil), "")
	want(t, "and only there", theirs.call("GET", "/me", "", nil, nil), "no-session")
	wrong := mine.start(hanako.Auth)
	wrong.Signature[0] ^= 1
	want(t, "a wrong signature", mine.call("POST", "/login/finish", "", wrong, nil), "challenge-signature")
	f.Agency.Revoke(jitsuin.AuthCert, hanako.Auth.Cert)
	want(t, "a revoked certificate", mine.call("POST", "/login/finish", "", mine.start(hanako.Auth), nil), "revoked")
}

func TestASessionEnds(t *testing.T) {
	f := open(t, "sqlite::memory:")
	hanako, taro := f.Agency.Resident("霧島　花子"), f.Agency.Resident("沢渡　太郎")
	b, thief := f.browser(), f.browser()
	steal := func() {
		at, err := url.Parse(f.origin)
		if err != nil {
			t.Fatal(err)
		}
		thief.Jar.SetCookies(at, b.Jar.Cookies(at))
	}
	want(t, "hers", b.call("POST", "/contracts", "contract-0001", f.signs(hanako), nil), "")
	want(t, "his", b.call("POST", "/contracts", "contract-0002", f.signs(taro), nil), "")
	want(t, "her login", b.call("POST", "/login/finish", "", b.start(hanako.Auth), nil), "")
	steal()
	want(t, "her token elsewhere", thief.call("GET", "/me", "", nil, nil), "")
	want(t, "his login at the same browser", b.call("POST", "/login/finish", "", b.start(taro.Auth), nil), "")
	want(t, "her token after it", thief.call("GET", "/me", "", nil, nil), "no-session")
	var me securities.Customer
	want(t, "who is he", b.call("GET", "/me", "", nil, &me), "")
	if me.Items.Name != taro.Items.Name {
		t.Errorf("in his session is %+v", me)
	}
	steal()
	want(t, "he leaves", b.call("POST", "/logout", "", nil, nil), "")
	want(t, "he has left", b.call("GET", "/me", "", nil, nil), "no-session")
	want(t, "and so has his token", thief.call("GET", "/me", "", nil, nil), "no-session")
	want(t, "leaving twice", b.call("POST", "/logout", "", nil, nil), "")
}

func TestCookies(t *testing.T) {
	f := open(t, "sqlite::memory:")
	resp, err := http.Post(f.origin+"/login/start", "application/json", strings.NewReader("null"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(resp.Cookies()) != 1 {
		t.Fatalf("%s with %d cookies", resp.Status, len(resp.Cookies()))
	}
	c := resp.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.Domain != "" || c.MaxAge <= 0 || c.MaxAge > 120 || len(c.Value) < 43 {
		t.Errorf("%+v", c)
	}
}
