package securities_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"

	"crypto/ecdsa"
	"crypto/sha256"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/services/securities"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// The tests play the holder: they fetch the request from the platform and the form from the firm, fill it in,
// sign it with a person's key, and post the answer.

// typed is what an ordinary person fills in.
func typed() map[string]string {
	return map[string]string{"occupation": "employee", "purpose": "retirement", "foreign_pep": "no", "confirmed": "confirmed"}
}

// asked is a request of the firm as the holder has it.
type asked struct {
	number string
	claims api.RequestClaims
	form   form.Form
}

func (b *browser) get(address string) (*http.Response, string) {
	b.t.Helper()
	resp, err := b.Get(address)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp, string(body)
}

// claims fetches and checks a request, as the holder does.
func (b *browser) claims(uri string) api.RequestClaims {
	b.t.Helper()
	_, raw := b.get(uri)
	c, err := api.OpenRequest(raw, func(string) (*ecdsa.PublicKey, error) { return &b.Platform.Self.Key.PublicKey, nil }, time.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// asks begins an application.
func (b *browser) asks() asked {
	b.t.Helper()
	var s securities.Start
	if code := b.call("POST", "/applications", "", nil, &s); code != "" {
		b.t.Fatal(code)
	}
	a := b.fetched(b.claims(s.URI))
	if a.number != s.Number {
		b.t.Errorf("the form has the number %s, not %s", a.number, s.Number)
	}
	return a
}

// fetched fetches the form of a request.
func (b *browser) fetched(claims api.RequestClaims) asked {
	b.t.Helper()
	a, d := asked{claims: claims}, claims.Documents[0]
	resp, raw := b.get(d.HRef)
	if sum := sha256.Sum256([]byte(raw)); !bytes.Equal(sum[:], d.SHA256) || resp.Header.Get("Content-Type") != api.MediaTypeForm || d.MediaType != api.MediaTypeForm {
		b.t.Errorf("the form is not what the request says")
	}
	var err error
	if a.form, err = form.Parse([]byte(raw)); err != nil {
		b.t.Fatal(err)
	}
	a.number = a.form.Number
	return a
}

// filled gives the document of an application, as the holder makes it.
func (b *browser) filled(f form.Form, items jitsuin.FourItems, typed map[string]string) []byte {
	b.t.Helper()
	filled, err := form.Fill(f, items, typed, jitsuin.DateOf(b.firm.firm.Clock.Now()))
	if err != nil {
		b.t.Fatal(err)
	}
	pdf, err := filled.PDF()
	if err != nil {
		b.t.Fatal(err)
	}
	return pdf
}

// signed gives the answer with a document that a credential signed inside itself, whatever its kind.
func (a asked) signed(b *browser, document []byte, c platformtest.Credential) api.HolderAnswer {
	b.t.Helper()
	s := pades.Signer{Certificate: c.Cert, Key: c.Key}
	content, err := s.Sign(b.t.Context(), document, pades.Options{At: time.Now(), Name: "見本"})
	if err != nil {
		b.t.Fatal(err)
	}
	return a.with(content, nil, c)
}

// beside gives the answer with a document and a signature beside it, as holders of before did.
func (a asked) beside(b *browser, document []byte, c platformtest.Credential) api.HolderAnswer {
	b.t.Helper()
	return a.with(document, c.Over(b.t, document), c)
}

func (a asked) with(content, signature []byte, c platformtest.Credential) api.HolderAnswer {
	return api.HolderAnswer{Txn: a.claims.Txn, State: a.claims.State, Certificate: c.Cert.Raw, Signature: signature,
		Documents: []api.AnswerDocument{{Name: a.form.Title.JA + ".pdf", MediaType: "application/pdf", Content: content}}}
}

// answer is the ordinary answer of a person to an application.
func (b *browser) answer(a asked, p *platformtest.Person) api.HolderAnswer {
	b.t.Helper()
	return a.signed(b, b.filled(a.form, p.Items, typed()), p.Sign)
}

// answerBeside is the same as a holder of before gave it.
func (b *browser) answerBeside(a asked, p *platformtest.Person) api.HolderAnswer {
	b.t.Helper()
	return a.beside(b, b.filled(a.form, p.Items, typed()), p.Sign)
}

// posts gives an answer to the firm, as the holder does: without any cookie. It gives the address that leads back.
func (b *browser) posts(a api.HolderAnswer) (back, code string) {
	b.t.Helper()
	var taken api.AnswerTaken
	code = b.firm.browser().call("POST", "/answers", "", a, &taken)
	if code == "" && !strings.HasPrefix(taken.ReturnURL, b.origin+"/return?code=") {
		b.t.Errorf("the person would be led to %q", taken.ReturnURL)
	}
	return taken.ReturnURL, code
}

// returns leads the browser back and gives the page that it comes to.
func (b *browser) returns(back string) (status int, at *url.URL, page string) {
	b.t.Helper()
	resp, page := b.get(back)
	return resp.StatusCode, resp.Request.URL, page
}

// comesTo posts an answer, comes back and gives the page.
func (b *browser) comesTo(a api.HolderAnswer) string {
	b.t.Helper()
	back, code := b.posts(a)
	if code != "" {
		b.t.Fatal(code)
	}
	status, _, page := b.returns(back)
	if status != http.StatusOK {
		b.t.Fatalf("%d: %s", status, page)
	}
	return page
}

// opens has a person open an account.
func (b *browser) opens(p *platformtest.Person) {
	b.t.Helper()
	if page := b.comesTo(b.answer(b.asks(), p)); !strings.Contains(page, "口座を開設しました") {
		b.t.Fatal(page)
	}
}

// logsIn has a person log in by the holder and gives where the browser comes to.
func (b *browser) logsIn(c platformtest.Credential) (*url.URL, string) {
	b.t.Helper()
	back, code := b.posts(b.loginAnswer(c))
	if code != "" {
		b.t.Fatal(code)
	}
	status, at, page := b.returns(back)
	if status != http.StatusOK {
		b.t.Fatalf("%d: %s", status, page)
	}
	return at, page
}

// loginAnswer begins a login with the page's button and gives the holder's answer to it.
func (b *browser) loginAnswer(c platformtest.Credential) api.HolderAnswer {
	b.t.Helper()
	return b.loginTo(b.claims(b.leaves("/login")), c)
}

// loginTo answers the challenge of a request.
func (b *browser) loginTo(claims api.RequestClaims, c platformtest.Credential) api.HolderAnswer {
	b.t.Helper()
	a, err := claims.Challenge.ToSign().Sign(c.Cert, c.Key)
	if err != nil {
		b.t.Fatal(err)
	}
	return api.HolderAnswer{Txn: claims.Txn, State: claims.State, Certificate: a.Certificate.Raw, Signature: a.Signature, DigestAlg: a.DigestAlg}
}

// leaves presses the button of a page that leads to the holder and gives the request's address.
func (b *browser) leaves(page string) string {
	b.t.Helper()
	c := b.Client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := c.PostForm(b.origin+page, url.Values{})
	if err != nil {
		b.t.Fatal(err)
	}
	resp.Body.Close()
	to, err := resp.Location()
	if err != nil || resp.StatusCode != http.StatusSeeOther || to.Host != b.Address("holder:1") {
		b.t.Fatalf("%s to %v, %v", resp.Status, to, err)
	}
	return to.Query().Get("request_uri")
}

// record gives the confirmation record of who is logged in.
func (b *browser) record() securities.Record {
	b.t.Helper()
	var r securities.Record
	if code := b.call("GET", "/me/record", "", nil, &r); code != "" {
		b.t.Fatal(code)
	}
	return r
}

func member(e securities.Entry, key string) string {
	for _, m := range e.Members {
		if m.Key == key {
			return m.Value.JA
		}
	}
	return ""
}

// requestAs asks the platform for a request as any tenant.
func (b *browser) requestAs(tenant httpapi.Identity, r api.HolderRequest) (api.MadeRequest, error) {
	b.t.Helper()
	return httpapi.Do[api.MadeRequest](b.t.Context(), b.World.Tenant(tenant), http.MethodPost, "/v1/holder-requests", string(jitsuin.NewID()), r)
}
