package verifier_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/jitsuin/jitsuin/internal/webtest"
)

// The pages as a clerk sees them, in both languages, on a telephone and on a desk.
func TestPagesInABrowser(t *testing.T) {
	o := newOffice(t, "sources: {j-lis: {url: 'http://127.0.0.1:1/sign.crl'}}")
	o.write("status/sign.crl", o.list(o.ca, 2))
	o.write("status/half.crl", o.list(o.ca)[:50])
	o.write("contract.txt", contract)
	o.write("good.p7s", o.signed(o.certificate(o.ca, 1)))
	o.write("revoked.p7s", o.signed(o.certificate(o.ca, 2)))
	s := o.serve()
	c := webtest.New(t, "ja", 1280)
	path := func(name string) string { return filepath.Join(o.folder, name) }
	look := func(name string, texts ...string) {
		t.Helper()
		c.See(texts...)
		c.Axe()
		c.FitsWidth(360)
		c.Shots(name)
		c.Resize(1280)
	}
	c.Open(s.URL + "/")
	look("home", "署名されたファイルを確かめる", "失効情報はすべて期限内です", "2026-06-02 08:59:00 JST", "信頼している認証局", "OU=Japan Agency for Local Authority Information Systems,OU=JPKI for digital signature,O=JPKI-TEST,C=JP")
	c.Click("English")
	look("home-en", "Check a signed file", "All revocation information is in its time", "Authorities that are trusted")
	c.Click("日本語")

	c.Upload("署名されたファイル", path("good.p7s"))
	c.Upload("署名の対象の文書", path("contract.txt"))
	c.Choose("何のために", "電子契約")
	c.Click("確かめる")
	look("passed", "有効です。この署名は受け付けられます。", "霧島　花子", "TOTAL-PASSED", "次にすること")
	c.Click("この結果を英語で読む")
	c.See("You can accept this signature")
	c.Click("別のファイルを確かめる")

	c.Click("English")
	c.Upload("Signed file", path("good.p7s"))
	c.Upload("The document that was signed", path("contract.txt"))
	c.Click("Check")
	look("passed-en", "Valid. Decide what you accept it for", "霧島　花子")

	// by keyboard alone, and a document that was revoked
	c.Open(s.URL + "/?lang=ja")
	c.Upload("署名されたファイル", path("revoked.p7s"))
	c.Upload("署名の対象の文書", path("contract.txt"))
	c.TabTo("確かめる")
	c.Press(kb.Enter)
	look("revoked", "受け付けられません", "失効", "REVOKED")

	// what goes wrong is said at the form
	c.Open(s.URL + "/?lang=ja")
	o.write("contract.pdf", []byte("%PDF-1.7\n"))
	c.Upload("署名されたファイル", path("contract.pdf"))
	c.Upload("署名の対象の文書", path("contract.txt"))
	c.Click("確かめる")
	look("refused", "確かめられませんでした", "署名されたPDFは、それ自体が文書です")

	o.pass(30 * time.Hour) // yesterday's list
	c.Open(s.URL + "/?lang=ja")
	look("ended", "期限の切れた失効情報があります", "2026-06-02 08:59:00 JST に期限が切れました", "管理する方")
	c.Upload("署名されたファイル", path("good.p7s"))
	c.Upload("署名の対象の文書", path("contract.txt"))
	c.Click("確かめる")
	look("undecided", "まだ受け付けないでください", "手元の失効情報は2026-06-01 08:59:00 JSTに作られたもの", "INDETERMINATE")
}

func TestPagesUnderAGrace(t *testing.T) {
	o := newOffice(t, "grace: 12h")
	o.write("status/sign.crl", o.list(o.ca))
	o.pass(30 * time.Hour)
	s := o.serve()
	kind, body := form(t, part{"signature", "a.p7s", string(o.signed(o.certificate(o.ca, 1)))}, part{"document", "a.txt", string(contract)}, part{field: "as", content: "page"})
	for lang, words := range map[string][]string{
		"ja": {"期限の切れた失効情報による確認です", "猶予", "期限が切れてから 12時間 の間", "失効していても、この報告では分かりません"},
		"en": {"by revocation information that has ended", "For 12 h after its end", "A revocation since then is not known"},
	} {
		status, header, raw := post(t, s.URL+"/?lang="+lang, kind, body)
		page := string(raw)
		if status != 200 || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v", status, header)
		}
		for _, w := range words[:1] {
			if !strings.Contains(page, "<h1>") || !strings.Contains(page[strings.Index(page, "<h1>"):strings.Index(page, "</h1>")], w) {
				t.Errorf("%s: the headline does not say %q", lang, w)
			}
		}
		for _, w := range words[1:] {
			if w != "猶予" && !strings.Contains(page, w) {
				t.Errorf("%s: %q is not said", lang, w)
			}
		}
	}
}

// What a stranger writes into a file name or a certificate stands on the page as text.
func TestNothingOfAFileIsMarkup(t *testing.T) {
	o := newOffice(t)
	h, err := o.open().Handler()
	if err != nil {
		t.Fatal(err)
	}
	kind, body := form(t, part{"signature", "<script>alert(1)<script>.p7s", "<script>x</script>"}, part{field: "as", content: "page"})
	q := httptest.NewRequest(http.MethodPost, "/?lang=en", strings.NewReader(string(body)))
	q.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	if page := w.Body.String(); w.Code != 200 || strings.Contains(page, "<script>") || !strings.Contains(page, "&lt;script&gt;") {
		t.Errorf("%d %s", w.Code, page)
	}
}
