package securities_test

import (
	"bytes"
	"crypto/x509"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/seal"
)

// refusal is one way to be refused. answer makes what the holder posts.
type refusal struct {
	outcome string
	answer  func(b *browser, a asked) api.HolderAnswer
}

// refusals are all of them; each has a person of its own.
func refusals(t *testing.T, f *firm) []refusal {
	person := func(change func(*platformtest.Person)) *platformtest.Person {
		p := f.Agency.Resident("沢渡　太郎")
		if change != nil {
			change(p)
		}
		return p
	}
	reissued := func(change func(*cert.Template)) *platformtest.Person {
		return person(func(p *platformtest.Person) { f.Agency.Reissue(p, jitsuin.SignCert, change) })
	}
	ordinary := func(p *platformtest.Person) func(*browser, asked) api.HolderAnswer {
		return func(b *browser, a asked) api.HolderAnswer { return b.answer(a, p) }
	}
	fails := func(word string) func(*browser, asked) api.HolderAnswer {
		return func(_ *browser, a asked) api.HolderAnswer {
			return api.HolderAnswer{Txn: a.claims.Txn, State: a.claims.State, Error: word}
		}
	}
	good, now := person(nil), time.Now().Truncate(time.Second)
	return append(documents(good), []refusal{
		{"not-accepted", func(b *browser, a asked) api.HolderAnswer { // the authority's certificate does not say who
			tbs := bytes.Replace(good.Sign.Cert.RawTBSCertificate, []byte("19800217"), []byte("19801317"), 1)
			return b.signedBy(b.answer(a, good), platformtest.Credential{Cert: f.Agency.Authorities[jitsuin.SignCert].Assemble(t, tbs), Key: good.Sign.Key})
		}},
		{"cancelled", fails("access_denied")},
		{"holder-failed", fails("server_error")},
		{"late", func(b *browser, a asked) api.HolderAnswer { b.over(a.number); return b.answer(a, good) }},
		{"revoked", ordinary(person(func(p *platformtest.Person) { f.Agency.Revoke(jitsuin.SignCert, p.Sign.Cert) }))},
		{"expired", ordinary(reissued(func(c *cert.Template) {
			c.NotBefore, c.LastDay = now.AddDate(-5, 0, 0), jitsuin.DateOf(now).AddDays(-1)
		}))},
		{"not-yet-valid", ordinary(reissued(func(c *cert.Template) { c.NotBefore = now.Add(48 * time.Hour) }))},
		{"under-age", ordinary(person(func(p *platformtest.Person) {
			p.Items.BirthDate = jitsuin.DateOf(now).AddDays(-17 * 365)
			f.Agency.Reissue(p, jitsuin.SignCert, nil)
		}))},
		{"issuer-unknown", ordinary(person(func(p *platformtest.Person) {
			other := platformtest.NewAuthority(t, jitsuin.SignCert, 9)
			c := other.Resident(t, p.Sign.Cert.SerialNumber)
			c.Key, c.NotBefore, c.LastDay, c.Items = p.Sign.Key.Public(), now.AddDate(0, -1, 0), jitsuin.DateOf(now).AddDays(700), cert.PlainItems(p.Items)
			p.Sign.Cert = other.Issue(t, c)
		}))},
		{"foreign-pep", func(b *browser, a asked) api.HolderAnswer {
			says := typed()
			says["foreign_pep"] = "yes"
			return a.signed(b, b.filled(a.form, good.Items, says), good.Sign)
		}},
	}...)
}

// documents are refusals for what was signed, or was not.
func documents(good *platformtest.Person) []refusal {
	changed := func(change func(content []byte) []byte) func(*browser, asked) api.HolderAnswer {
		return func(b *browser, a asked) api.HolderAnswer {
			answer := b.answer(a, good)
			answer.Documents[0].Content = change(slices.Clone(answer.Documents[0].Content))
			return answer
		}
	}
	value := func(content []byte) int { // near the end of the digits of the signature
		from := bytes.LastIndex(content, []byte("/Contents <"))
		return from + len(bytes.TrimRight(content[from:from+bytes.IndexByte(content[from+len("/Contents <"):], '>')], "0")) - 10
	}
	return append(beside(good), []refusal{
		{"wrong-kind", func(b *browser, a asked) api.HolderAnswer {
			return b.signedBy(b.answer(a, good), good.Auth)
		}},
		{"altered", changed(func(c []byte) []byte { return append(c, '\n') })},           // a byte more
		{"altered", changed(func(c []byte) []byte { return append(c, "% more\n"...) })},  // a comment
		{"altered", changed(func(c []byte) []byte { c[len(c)/2] ^= 1; return c })},       // a byte of a page
		{"altered", changed(func(c []byte) []byte { c[value(c)] ^= 1; return c })},       // the value of the signature
		{"altered", changed(func(c []byte) []byte { return c[:len(c)-len("%%EOF\n")] })}, // not whole
		{"altered", changed(func(c []byte) []byte { // the data say something else than the pages
			return bytes.Replace(c, []byte("retirement"), []byte("short-term"), 1)
		})},
		{"altered", changed(func(c []byte) []byte { // the signature's own words
			return bytes.Replace(c, []byte("/SigFlags 3"), []byte("/SigFlags 1"), 1)
		})},
		{"altered", changed(func(c []byte) []byte { // evidence was added after it
			more, err := pades.Preserve(c, time.Now(), pades.Evidence{Certificates: []*x509.Certificate{good.Sign.Cert}})
			if err != nil {
				panic(err)
			}
			return more
		})},
		{"altered", func(b *browser, a asked) api.HolderAnswer { // there is more to see than the form made
			s, err := seal.New("見本")
			if err != nil {
				b.t.Fatal(err)
			}
			by := pades.Signer{Certificate: good.Sign.Cert, Key: good.Sign.Key}
			content, err := by.Sign(b.t.Context(), b.filled(a.form, good.Items, typed()), pades.Options{At: time.Now(), Seal: &pades.Appearance{Seal: s, Page: 1, X: 100, Y: 100}})
			if err != nil {
				b.t.Fatal(err)
			}
			return a.with(content, nil, good.Sign)
		}},
		{"other-form", func(b *browser, a asked) api.HolderAnswer { // of another application of the same browser
			other := b.asks()
			return a.signed(b, b.filled(other.form, good.Items, typed()), good.Sign)
		}},
		{"other-form", func(b *browser, a asked) api.HolderAnswer { // a clause that the firm has not written
			mine := a.form
			mine.Clauses = slices.Clone(mine.Clauses)
			mine.Clauses[1].JA = "手数料は無料とします。"
			return a.signed(b, b.filled(mine, good.Items, typed()), good.Sign)
		}},
		{"items-differ", func(b *browser, a asked) api.HolderAnswer { // another person's data in the form
			items := good.Items
			items.Name = "霧島　花子"
			return a.signed(b, b.filled(a.form, items, typed()), good.Sign)
		}},
	}...)
}

// beside are refusals of a document with a signature beside it.
func beside(good *platformtest.Person) []refusal {
	return []refusal{
		{"wrong-kind", func(b *browser, a asked) api.HolderAnswer {
			return b.signedBy(b.answerBeside(a, good), good.Auth)
		}},
		{"altered", func(b *browser, a asked) api.HolderAnswer { // a byte more
			answer := b.answerBeside(a, good)
			answer.Documents[0].Content = append(slices.Clone(answer.Documents[0].Content), '\n')
			return answer
		}},
		{"altered", func(b *browser, a asked) api.HolderAnswer { // a sound form that says something else than what was signed
			says := typed()
			says["purpose"] = "short-term"
			answer := b.answerBeside(a, good)
			answer.Documents[0].Content = b.filled(a.form, good.Items, says)
			return answer
		}},
		{"altered", func(b *browser, a asked) api.HolderAnswer { // the value of the signature
			answer := b.answerBeside(a, good)
			answer.Signature[len(answer.Signature)-1] ^= 1
			return answer
		}},
		{"altered", func(b *browser, a asked) api.HolderAnswer { // signed inside and beside
			answer := b.answer(a, good)
			answer.Signature = good.Sign.Over(b.t, answer.Documents[0].Content)
			return answer
		}},
		{"other-form", func(b *browser, a asked) api.HolderAnswer { // a document that is none of this firm's
			return a.beside(b, []byte("%PDF-1.7 手数料無料"), good.Sign)
		}},
		{"not-accepted", func(b *browser, a asked) api.HolderAnswer {
			answer := b.answerBeside(a, good)
			answer.Signature = []byte("no signature")
			return answer
		}},
	}
}

// signedBy gives an answer another signature, by a key that no holder would sign with.
func (b *browser) signedBy(answer api.HolderAnswer, c platformtest.Credential) api.HolderAnswer {
	b.t.Helper()
	var err error
	if answer.Signature != nil {
		s := cms.Signer{Certificate: c.Cert, Key: c.Key}
		answer.Signature, err = s.Detached(b.t.Context(), bytes.NewReader(answer.Documents[0].Content), time.Now())
	} else {
		var made []byte
		if made, err = pades.Original(answer.Documents[0].Content); err == nil {
			s := pades.Signer{Certificate: c.Cert, Key: c.Key}
			answer.Documents[0].Content, err = s.Sign(b.t.Context(), made, pades.Options{At: time.Now()})
		}
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return answer
}

// text is a text of the catalogue with the figures in it.
func text(l web.Lang, key string) string {
	return web.Text(l, key, "age", 18, "minutes", 15, "days", 30, "sign-tries", 5, "auth-tries", 3)
}

// over lets the time of an application end.
func (b *browser) over(number string) {
	b.t.Helper()
	err := b.firm.firm.DB.Update(b.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE requests SET expires_at = $1 WHERE application = $2`, store.Micros(time.Now().Add(-time.Second)), number)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// Every refusal says what happened, what it means and what to do next, in both languages, and keeps nothing.
func TestEveryRefusalSaysWhatToDoNext(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	b := f.browser()
	seen := map[string]bool{}
	for i, r := range refusals(t, f) {
		a := b.asks()
		page := b.comesTo(r.answer(b, a))
		_, english := b.get(f.origin + "/applications/" + a.number + "?lang=en")
		b.get(f.origin + "/?lang=ja")
		for lang, page := range map[web.Lang]string{web.JA: page, web.EN: english} {
			for _, part := range []string{".title", ".means", ".next"} {
				if words := text(lang, "firm.outcome."+r.outcome+part); !strings.Contains(page, template.HTMLEscapeString(words)) {
					t.Errorf("%d: the page of %s in %s lacks %q:\n%s", i, r.outcome, lang, words, titleOf(page))
				}
			}
		}
		has(t, r.outcome, page, text(web.JA, "firm.refused.not-opened"), a.number)
		seen[r.outcome] = true
	}
	want(t, "nothing was kept", f.rows(), "0 customers, 0 accounts, 0 entries")
	for key := range web.Catalogue() {
		if code, ok := strings.CutPrefix(key, "firm.outcome."); ok {
			if code, ok := strings.CutSuffix(code, ".title"); ok && !seen[code] && code != "known" {
				t.Errorf("the refusal %q is not tested", code)
			}
		}
	}
}

func titleOf(page string) string {
	_, rest, _ := strings.Cut(page, "<title>")
	title, _, _ := strings.Cut(rest, "</title>")
	return title
}

// What comes close to a good answer and is none.
func TestAnswersThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	hanako := f.Agency.Resident("霧島　花子")
	b := f.browser()
	a, other := b.asks(), b.asks()
	good := b.answer(a, hanako)
	change := func(with func(*api.HolderAnswer)) api.HolderAnswer {
		copied := good
		copied.Documents = slices.Clone(good.Documents)
		with(&copied)
		return copied
	}
	for what, c := range map[string]struct {
		answer api.HolderAnswer
		code   string
	}{
		"a txn of nobody":             {change(func(x *api.HolderAnswer) { x.Txn = jitsuin.NewID() }), "answer-unknown"},
		"the state of another":        {change(func(x *api.HolderAnswer) { x.State = other.claims.State }), "answer-unknown"},
		"no state":                    {change(func(x *api.HolderAnswer) { x.State = "" }), "answer-unknown"},
		"no document":                 {change(func(x *api.HolderAnswer) { x.Documents = nil }), "answer-form"},
		"two documents":               {change(func(x *api.HolderAnswer) { x.Documents = append(x.Documents, x.Documents[0]) }), "answer-form"},
		"no PDF":                      {change(func(x *api.HolderAnswer) { x.Documents[0].MediaType = "text/html" }), "answer-form"},
		"an empty document":           {change(func(x *api.HolderAnswer) { x.Documents[0].Content = []byte{} }), "request-form"},
		"no signature":                {change(func(x *api.HolderAnswer) { x.Documents[0].Content = b.filled(a.form, hanako.Items, typed()) }), "answer-form"},
		"an error with a document":    {change(func(x *api.HolderAnswer) { x.Error = "access_denied" }), "answer-form"},
		"a request of another tenant": {change(func(x *api.HolderAnswer) { x.Txn, x.State = b.ofAnotherTenant() }), "answer-unknown"},
	} {
		_, code := b.posts(c.answer)
		want(t, what, code, c.code)
	}
	want(t, "nothing was kept", f.rows(), "0 customers, 0 accounts, 0 entries")
	has(t, "and the good one is still good", b.comesTo(good), "口座を開設しました")
}

// ofAnotherTenant gives txn and state of a request that another tenant had made at the same platform.
func (b *browser) ofAnotherTenant() (jitsuin.ID, string) {
	b.t.Helper()
	made, state := b.World.Register("tenant:other", "http://other.example"), "0123456789abcdef0123456789abcdef"
	m, err := b.requestAs(made, api.HolderRequest{Act: api.ActLogin, Purpose: "他社", PurposeEN: "another", Origin: "http://other.example",
		ResponseURI: "http://other.example/answers", State: state})
	if err != nil {
		b.t.Fatal(err)
	}
	return m.Txn, state
}

// The way back belongs to the browser that began.
func TestTheWayBackBelongsToItsBrowser(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	hanako := f.Agency.Resident("霧島　花子")
	mine, theirs := f.browser(), f.browser()
	a := mine.asks()
	theirs.asks() // has a cookie, of something else
	back, _ := mine.posts(mine.answer(a, hanako))
	for what, b := range map[string]*browser{"another browser": theirs, "no cookie": f.browser()} {
		status, _, page := b.returns(back)
		if status != http.StatusForbidden || !strings.Contains(page, "別のブラウザーで始めた手続きです") || strings.Contains(page, "霧島") {
			t.Errorf("%s: %d", what, status)
		}
		if status, _, page := b.returns(f.origin + "/applications/" + a.number); status != http.StatusForbidden || strings.Contains(page, "霧島") {
			t.Errorf("%s, by the number: %d", what, status)
		}
	}
	for _, code := range []string{"", "guessed"} {
		if status, _, _ := mine.returns(f.origin + "/return?code=" + code); status != http.StatusBadRequest && status != http.StatusNotFound {
			t.Errorf("the code %q: %d", code, status)
		}
	}
	if status, _, page := mine.returns(back); status != 200 || !strings.Contains(page, "口座を開設しました") {
		t.Errorf("its own browser: %d", status)
	}
}

// A login that somebody else's card answered leads nobody but its browser in; each refusal says why.
func TestLoginsThatAreRefused(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	hanako := f.Agency.Resident("霧島　花子")
	b := f.browser()
	b.opens(hanako)
	answer := b.loginAnswer(hanako.Auth)
	back, _ := b.posts(answer)
	if status, _, _ := f.browser().returns(back); status != http.StatusForbidden {
		t.Errorf("another browser is led in: %d", status)
	}
	if _, at, _ := b.returns(back); at.Path != "/account" {
		t.Errorf("its own browser comes to %v", at)
	}
	f.later()
	if status, _, _ := b.returns(back); status != http.StatusConflict {
		t.Errorf("the code a second time: %d", status)
	}
	refuse := func(outcome string, with func(*api.HolderAnswer), c platformtest.Credential) {
		t.Helper()
		answer := b.loginAnswer(c)
		if with != nil {
			with(&answer)
		}
		back, code := b.posts(answer)
		want(t, outcome, code, "")
		_, at, page := b.returns(back)
		want(t, outcome, at.RawQuery, "outcome="+outcome)
		has(t, outcome, page, text(web.JA, "firm.login."+outcome+".title"), text(web.JA, "firm.login."+outcome+".next"))
	}
	refuse("cancelled", func(a *api.HolderAnswer) { *a = api.HolderAnswer{Txn: a.Txn, State: a.State, Error: "access_denied"} }, hanako.Auth)
	refuse("holder-failed", func(a *api.HolderAnswer) { *a = api.HolderAnswer{Txn: a.Txn, State: a.State, Error: "card_lost"} }, hanako.Auth)
	refuse("not-accepted", func(a *api.HolderAnswer) { a.Signature[0] ^= 1 }, hanako.Auth)
	refuse("wrong-kind", func(a *api.HolderAnswer) { a.Certificate = hanako.Sign.Cert.Raw }, hanako.Auth)
	refuse("no-customer", nil, f.Agency.Resident("沢渡　太郎").Auth)
	f.Status.Down.Store(true)
	refuse("unavailable", nil, hanako.Auth)
	f.Status.Down.Store(false)
	f.Agency.Revoke(jitsuin.AuthCert, hanako.Auth.Cert)
	refuse("revoked", nil, hanako.Auth)
	want(t, "no login has touched the record", f.rows(), "1 customers, 1 accounts, 1 entries")
}

// A page for every outcome of a login is in the catalogue.
func TestEveryOutcomeOfALoginHasItsWords(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	b := f.browser()
	for key := range web.Catalogue() {
		code, ok := strings.CutPrefix(key, "firm.login.")
		if code, is := strings.CutSuffix(code, ".means"); ok && is {
			if _, page := b.get(f.origin + "/login?outcome=" + code); !strings.Contains(page, text(web.JA, key)) {
				t.Errorf("the page of a login does not tell %q", code)
			}
		}
	}
	if _, page := b.get(f.origin + "/login?outcome=free-text"); strings.Contains(page, `role="alert"`) {
		t.Error("the page of a login says what anybody wants")
	}
}
