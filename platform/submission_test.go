package platform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/internal/webtest"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/form"
)

// askedForm is a form that a resident is asked to sign.
func askedForm(t *testing.T, number string) []byte {
	t.Helper()
	raw, err := json.Marshal(form.Form{ID: "moving-in", Number: number, Issuer: form.Text{JA: "見本銀行", EN: "Sample Bank"}, Title: form.Text{JA: "住所変更届", EN: "Change of address"},
		Intro:   form.Text{JA: "次のとおり届け出ます。", EN: "I declare as follows."},
		Fields:  []form.Field{{Name: "name", Label: form.Text{JA: "氏名", EN: "Name"}, From: form.FromCertificate, Item: form.ItemName}, {Name: "address", Label: form.Text{JA: "住所", EN: "Address"}, From: form.FromCertificate, Item: form.ItemAddress}},
		Clauses: []form.Text{{JA: "内容に誤りはありません。", EN: "What is stated is true."}}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (b *bank) slot(c *client.Client, document []byte) client.Submission {
	b.t.Helper()
	r := client.SubmissionRequest{Reference: "case-1", Purpose: "contract", Title: "住所変更届の提出", TitleEN: "Declare a change of address", LastDay: jitsuin.DateOf(b.Platform.Clock.Now()).AddDays(3)}
	if document != nil {
		r.Document = &client.SubmissionDocument{Name: "住所変更届", MediaType: api.MediaTypeForm, Content: document}
	}
	s, err := c.AskForSubmission(b.t.Context(), "", r)
	if err != nil || s.State != api.SubmissionOpen || !strings.HasPrefix(s.Link, b.Origin+"/submissions/") {
		b.t.Fatalf("%+v, %v", s, err)
	}
	return s
}

// books are a tenant's: what it has collected, by submission, as a database would keep it.
type books map[jitsuin.ID]client.Delivery

func (k books) keep(_ context.Context, d client.Delivery) error { k[d.Submission] = d; return nil }

func (b *bank) state(c *client.Client, id jitsuin.ID) client.Submission {
	b.t.Helper()
	s, err := c.Submission(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func shows(t *testing.T, what string, p platformtest.Page, words ...string) {
	t.Helper()
	for _, w := range words {
		if p.Status != http.StatusOK || !strings.Contains(p.Body, w) {
			t.Errorf("%s: HTTP %d without %q: %s", what, p.Status, w, p.Body)
		}
	}
}

// settled loads a submission's page again as a browser does, until its check is no longer under way.
func settled(at *platformtest.Browser, p platformtest.Page, link string) platformtest.Page {
	for end := time.Now().Add(time.Minute); strings.Contains(p.Body, "http-equiv=\"refresh\"") && time.Now().Before(end); p = at.Open(link) {
		time.Sleep(50 * time.Millisecond)
	}
	return p
}

func TestAResidentSubmitsStraightToThePlatform(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, quickQueue)
		c, hanako, at := b.clientOf(b.tenant), b.Agency.Resident("霧島　花子"), b.Browser()
		s := b.slot(c, askedForm(t, "A-1"))
		if _, err := c.Submission(t.Context(), s.ID); err != nil {
			t.Fatal(err)
		}
		shows(t, "the page", at.Open(s.Link+"?lang=en"), "Tenant asks you for a signed document", "Declare a change of address", "destroyed after 7 days", "Sign with your card")
		if err := c.Collect(t.Context(), s.ID, books{}.keep); jitsuin.CodeOf(err) != "submission-not-ready" {
			t.Errorf("before anything was submitted: %v", err)
		}
		shows(t, "after signing", settled(at, at.Errand(s.Link+"/sign", nil, hanako), s.Link), "The signature is valid")
		if got := b.state(c, s.ID); got.State != api.SubmissionReady || got.DestroyOn != jitsuin.DateOf(b.Platform.Clock.Now()).AddDays(7) || got.Verification == "" {
			t.Errorf("%+v", got)
		}
		page, err := c.EventsAfter(t.Context(), "", 0)
		var told client.SubmissionVerified
		if err != nil || len(page.Events) != 1 || page.Events[0].Decode(&told) != nil || told.Submission != s.ID || told.Reference != "case-1" || told.Verdict != string(signature.Passed) {
			t.Fatalf("%+v, %v", page, err)
		}
		b.canary(url, []byte("%PDF-"))
		b.deliverOnce(c, s.ID, hanako)
		shows(t, "after the delivery", at.Open(s.Link), "Tenant has received your document", "has destroyed its copy")
		if p := at.Post(s.Link+"/sign", nil); p.Status != http.StatusConflict {
			t.Errorf("a click too many: HTTP %d", p.Status)
		}
		if n := b.count(`SELECT COUNT(*) FROM submissions WHERE LENGTH(copy) > 0 OR LENGTH(document) > 0`) + b.count(`SELECT COUNT(*) FROM queued_checks WHERE LENGTH(sealed) > 0`); n != 0 {
			t.Errorf("%d copies are left", n)
		}
		for _, act := range []string{"submission-made", "submission-received", "submission-taken"} {
			if n := b.lines(act); n != 1 {
				t.Errorf("%d lines %s in the operation log", n, act)
			}
		}
	})
}

// deliverOnce collects a submission through every failure of the tenant's: an effect that fails, an answer that is lost, another
// tenant, a wrong receipt; and again when all is done.
func (b *bank) deliverOnce(c *client.Client, id jitsuin.ID, who *platformtest.Person) {
	t, k := b.t, books{}
	t.Helper()
	broken := fmt.Errorf("the disk is full")
	if err := c.Collect(t.Context(), id, func(context.Context, client.Delivery) error { return broken }); err != broken {
		t.Errorf("an effect that fails: %v", err)
	}
	other := b.clientOf(b.Register("tenant:other", origin))
	if err := other.Collect(t.Context(), id, k.keep); jitsuin.CodeOf(err) != "submission-unknown" {
		t.Errorf("another tenant: %v", err)
	}
	err := b.once(b.tenant, "/v1/submissions/"+string(id)+"/receipt", string(jitsuin.NewID()), api.Receipt{SHA256: strings.Repeat("0", 64)}, nil)
	code(t, err, jitsuin.Conflict, "receipt-differs")
	if err := c.Collect(t.Context(), id, func(ctx context.Context, d client.Delivery) error { k.keep(ctx, d); return broken }); err != broken { // kept, and the receipt never sent
		t.Errorf("%v", err)
	}
	for range 2 {
		if err := c.Collect(t.Context(), id, k.keep); err != nil {
			t.Error(err)
		}
	}
	d := k[id]
	if len(k) != 1 || !bytes.HasPrefix(d.Document, []byte("%PDF-")) || d.Verification.Items == nil || *d.Verification.Items != who.Items || d.Verification.Report.Verdict != signature.Passed {
		t.Errorf("kept %d: %+v", len(k), d.Verification)
	}
	if got := b.state(c, id); got.State != api.SubmissionTaken || got.EndedAt == nil {
		t.Errorf("%+v", got)
	}
}

// upload brings a file to a submission's page, as a browser does.
func (b *bank) upload(at *platformtest.Browser, link, act string, file []byte) (status int, location string) {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	w.WriteField("act", act)
	if part, err := w.CreateFormFile("file", "signed.pdf"); err == nil {
		part.Write(file)
	}
	w.Close()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, link+"/document", &body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Origin", b.Origin)
	resp, err := at.HTTP.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Location")
}

func (b *bank) embedded(p *platformtest.Person, content string) []byte {
	b.t.Helper()
	der, err := (&signature.DocumentSigner{Certificate: p.Sign.Cert, Key: p.Sign.Key}).Embedded(b.t.Context(), []byte(content), time.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	return der
}

func TestAResidentBringsASignedDocument(t *testing.T) {
	t.Parallel()
	b := open(t, storetest.SQLite().Fresh(t), quickQueue)
	c, hanako, at := b.clientOf(b.tenant), b.Agency.Resident("霧島　花子"), b.Browser()
	s := b.slot(c, nil)
	shows(t, "the page", at.Open(s.Link+"?lang=en"), "Signed document", "at most 4 MB")
	if status, to := b.upload(at, s.Link, string(jitsuin.NewID()), nil); status != http.StatusSeeOther || !strings.HasSuffix(to, "outcome=no-file") {
		t.Errorf("without a file: %d %s", status, to)
	}
	if status, _ := b.upload(at, s.Link, string(jitsuin.NewID()), make([]byte, api.MaxSubmissionDocument+1)); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
		t.Errorf("a file that is too large: %d", status)
	}
	taro := b.Agency.Resident("沢渡　太郎")
	b.Agency.Revoke(jitsuin.SignCert, taro.Sign.Cert)
	for words, file := range map[string][]byte{"The signature is not valid": b.embedded(taro, "with a dead certificate"), "cannot be read": []byte("no signature at all")} {
		_, to := b.upload(at, s.Link, string(jitsuin.NewID()), file)
		shows(t, words, settled(at, at.Open(to), s.Link), words, "was not sent")
	}
	if told := b.told(c); len(told) != 0 {
		t.Errorf("the tenant was told %q of what was not accepted", told)
	}
	act, file := string(jitsuin.NewID()), b.embedded(hanako, "a declaration")
	for range 2 { // a double click
		if status, to := b.upload(at, s.Link, act, file); status != http.StatusSeeOther || !strings.HasSuffix(s.Link, to) {
			t.Errorf("%d %s", status, to)
		}
	}
	shows(t, "the result", settled(at, at.Open(s.Link), s.Link), "The signature is valid")
	if status, _ := b.upload(at, s.Link, string(jitsuin.NewID()), file); status != http.StatusConflict {
		t.Errorf("another document after one was accepted: %d", status)
	}
	k := books{}
	if err := c.Collect(t.Context(), s.ID, k.keep); err != nil || !bytes.Equal(k[s.ID].Document, file) {
		t.Errorf("%v", err)
	}
	if told := b.told(c); !slices.Equal(told, []string{api.EventSubmission}) {
		t.Errorf("told %q", told)
	}
}

// What is signed must be what was asked for, by the person whom it names, and it is not sent otherwise.
func TestSubmissionsThatAreNotAccepted(t *testing.T) {
	t.Parallel()
	b := open(t, storetest.SQLite().Fresh(t), quickQueue)
	c, hanako, at := b.clientOf(b.tenant), b.Agency.Resident("霧島　花子"), b.Browser()
	s, other := b.slot(c, askedForm(t, "A-1")), b.slot(c, askedForm(t, "A-2"))
	at.Open(s.Link + "?lang=en")
	answer := func(link string) platformtest.Page {
		claims := b.OpenRequest(at.Post(s.Link+"/sign", nil).Location)
		_, back := b.PostAnswer(claims, api.HolderAnswer{Txn: claims.Txn, State: claims.State, Certificate: hanako.Sign.Cert.Raw,
			Documents: []api.AnswerDocument{{Name: "x", MediaType: "application/pdf", Content: b.SignForm(link, hanako)}}})
		return settled(at, at.Open(back), s.Link)
	}
	shows(t, "another form", answer(other.Link+"/document"), "Another document was signed")
	hanako.Items.Name = "霧島　太郎" // the form says so, the certificate does not
	shows(t, "another person", answer(s.Link+"/document"), "names another person")
	claims := b.OpenRequest(at.Post(s.Link+"/sign", nil).Location)
	_, back := b.PostAnswer(claims, api.HolderAnswer{Txn: claims.Txn, State: claims.State, Error: "access_denied"})
	shows(t, "a person who says no", at.Open(back), "You did not sign")
	if got := b.state(c, s.ID); got.State != api.SubmissionOpen || got.Tries != 2 || len(b.told(c)) != 0 {
		t.Errorf("%+v, told %q", got, b.told(c))
	}
	if n := b.count(`SELECT COUNT(*) FROM queued_checks WHERE LENGTH(sealed) > 0`); n != 0 {
		t.Errorf("%d documents that were not accepted are kept", n)
	}
	b.exec(`UPDATE submissions SET tries = 10 WHERE id = $1`, s.ID)
	shows(t, "after ten tries", at.Open(s.Link), "You cannot submit with this link any more")
	if p := at.Post(s.Link+"/sign", nil); p.Status != http.StatusTooManyRequests {
		t.Errorf("an eleventh try: HTTP %d", p.Status)
	}
	for _, link := range []string{b.Origin + "/submissions/unknown", other.Link + "x"} {
		if p := at.Open(link); p.Status != http.StatusNotFound {
			t.Errorf("%s: HTTP %d", link, p.Status)
		}
	}
	for name, change := range map[string]func(*client.SubmissionRequest){
		"a day that is over":      func(r *client.SubmissionRequest) { r.LastDay = r.LastDay.AddDays(-10) },
		"no day":                  func(r *client.SubmissionRequest) { r.LastDay = jitsuin.Date{} },
		"a day too far":           func(r *client.SubmissionRequest) { r.LastDay = r.LastDay.AddDays(100) },
		"a title that steers":     func(r *client.SubmissionRequest) { r.Title = "a\u202eb" },
		"a form that is none":     func(r *client.SubmissionRequest) { r.Document.Content = []byte("{}") },
		"a PDF that is none":      func(r *client.SubmissionRequest) { r.Document.MediaType = api.MediaTypePDF },
		"a purpose of no kind":    func(r *client.SubmissionRequest) { r.Purpose = "login" },
		"a purpose nobody knows":  func(r *client.SubmissionRequest) { r.Purpose = "whatever" },
		"a document of no length": func(r *client.SubmissionRequest) { r.Document.Content = []byte{} },
	} {
		r := client.SubmissionRequest{Purpose: "contract", Title: "届出", TitleEN: "Declaration", LastDay: jitsuin.DateOf(b.Platform.Clock.Now()).AddDays(3),
			Document: &client.SubmissionDocument{Name: "届出", MediaType: api.MediaTypeForm, Content: askedForm(t, "A-3")}}
		change(&r)
		if _, err := c.AskForSubmission(t.Context(), "", r); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A copy that nobody takes is gone when its last day is over, and a submission to which nobody came ends; the tenant is told of both, and
// what a suspension holds up waits.
func TestSubmissionsEndOnTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, func(c *platform.Config) { quickQueue(c); c.CopyDays = 5 })
		c, hanako, at := b.clientOf(b.tenant), b.Agency.Resident("霧島　花子"), b.Browser()
		s, never := b.slot(c, askedForm(t, "A-1")), b.slot(c, nil)
		shows(t, "the page", at.Open(s.Link+"?lang=en"), "destroyed after 5 days")
		b.Status.Down.Store(true)
		shows(t, "while the status cannot be had", at.Errand(s.Link+"/sign", nil, hanako), "We have your document and are checking it", "http-equiv=\"refresh\"")
		b.Accredit(minister.Suspended)
		b.Status.Down.Store(false)
		b.Stop()
		b.StartPlatform(url, func(c *platform.Config) { quickQueue(c); c.CopyDays = 5 })
		b.Accredit(minister.InForce)
		await(t, "the check", func() bool { return b.state(c, s.ID).State == api.SubmissionReady })
		last := b.state(c, s.ID).DestroyOn
		b.Platform.Clock.Set(time.Until(last.LastSecond()) - time.Minute)
		if err := c.Collect(t.Context(), s.ID, func(context.Context, client.Delivery) error { return fmt.Errorf("not now") }); err == nil || jitsuin.CodeOf(err) != "" {
			t.Errorf("on its last day: %v", err)
		}
		b.advance(2 * time.Minute)
		await(t, "its end", func() bool { return b.state(c, s.ID).State == api.SubmissionDestroyed })
		if err := c.Collect(t.Context(), s.ID, books{}.keep); jitsuin.KindOf(err) != jitsuin.Expired || jitsuin.CodeOf(err) != "submission-destroyed" {
			t.Errorf("after its last day: %v", err)
		}
		if n := b.count(`SELECT COUNT(*) FROM submissions WHERE LENGTH(copy) > 0 OR LENGTH(document) > 0`); n != 0 {
			t.Errorf("%d copies are left", n)
		}
		shows(t, "the page", at.Open(s.Link), "Nobody took the document")
		shows(t, "the other page", at.Open(never.Link), "The time to submit is over")
		told := b.told(c)
		if slices.Sort(told[1:]); !slices.Equal(told, []string{api.EventUnanswered, api.EventDestroyed, api.EventSubmission}) && !slices.Equal(told, []string{api.EventSubmission, api.EventDestroyed, api.EventUnanswered}) {
			t.Errorf("told %q", told)
		}
		if b.lines("submission-destroyed") != 1 || b.lines("submission-unanswered") != 1 {
			t.Error("the operation log does not say so once")
		}
	})
}

// Every crash between two steps of the whole way, from the holder's answer to the receipt: a commit that is lost, or done without its answer.
// Who does not hear an answer asks again; the document is delivered once.
func TestSubmissionsThroughFaults(t *testing.T) {
	t.Parallel()
	for _, outcome := range []store.Fault{store.CommitLost, store.CommitPersisted} {
		var armed atomic.Int64
		b := open(t, storetest.SQLite().Fresh(t), func(c *platform.Config) {
			quickQueue(c)
			c.Queue.Claim = 50 * time.Millisecond
			c.Store = append(c.Store, store.WithFaults(func() store.Fault {
				if armed.Load() > 0 && armed.Add(-1) == 0 {
					return outcome
				}
				return store.NoFault
			}))
		})
		c, hanako, at := b.clientOf(b.tenant), b.Agency.Resident("霧島　花子"), b.Browser()
		k := books{}
		for n := range int64(9) {
			armed.Store(0) // the request itself is made
			s := b.slot(c, askedForm(t, fmt.Sprint("A-", n)))
			claims := b.OpenRequest(at.Post(s.Link+"/sign", nil).Location)
			answer := api.HolderAnswer{Txn: claims.Txn, State: claims.State, Certificate: hanako.Sign.Cert.Raw,
				Documents: []api.AnswerDocument{{Name: "x", MediaType: "application/pdf", Content: b.SignForm(s.Link+"/document", hanako)}}}
			armed.Store(n + 1)
			await(t, "the holder's answer to be taken", func() bool { status, _ := b.PostAnswer(claims, answer); return status == http.StatusOK })
			await(t, "the check", func() bool { return b.state(c, s.ID).State == api.SubmissionReady })
			await(t, "the delivery", func() bool { return c.Collect(t.Context(), s.ID, k.keep) == nil })
			if got := b.state(c, s.ID); got.State != api.SubmissionTaken || got.Tries != 0 {
				t.Errorf("commit %d: %+v", n+1, got)
			}
		}
		armed.Store(0)
		if told := b.told(c); len(told) != 9 || len(slices.Compact(slices.Sorted(slices.Values(told)))) != 1 || len(k) != 9 {
			t.Errorf("told %q, kept %d", told, len(k))
		}
		if n := b.count(`SELECT COUNT(*) FROM checks`); n != 9 {
			t.Errorf("%d checks of 9 documents", n)
		}
	}
}

// A resident brings a document in a real browser, in both languages, and by a narrow window.
func TestSubmittingInABrowser(t *testing.T) {
	t.Parallel()
	b := open(t, storetest.SQLite().Fresh(t), quickQueue)
	c, hanako := b.clientOf(b.tenant), b.Agency.Resident("霧島　花子")
	file := filepath.Join(t.TempDir(), "signed.p7m")
	if err := os.WriteFile(file, b.embedded(hanako, "a declaration"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.pdf")
	if err := os.WriteFile(bad, []byte("no signature at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	for lang, words := range map[string][]string{
		"ja": {"署名した文書", "提出する", "この文書は読み取れません", "署名は有効です。提出が済みました。", "に届きました"},
		"en": {"Signed document", "Submit", "cannot be read", "You have submitted the document", "has received your document"},
	} {
		s, br := b.slot(c, nil), webtest.New(t, lang, 1280)
		look := func(name string) {
			br.Axe()
			br.FitsWidth(360)
			br.Shots("submission-" + name + "-" + lang)
			br.Resize(1280)
		}
		br.Open(s.Link)
		br.See(words[0])
		look("1-open")
		br.Upload(words[0], bad)
		br.Click(words[1])
		br.See(words[2])
		look("2-refused")
		br.Upload(words[0], file)
		br.Click(words[1])
		br.See(words[3])
		look("3-ready")
		if err := c.Collect(t.Context(), s.ID, books{}.keep); err != nil {
			t.Error(err)
		}
		br.Open(s.Link)
		br.See(words[4])
		look("4-taken")
	}
}
