package minister

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/rules"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, jitsuin.JST)

func paper(name, text string) api.Exhibit {
	sum := sha256.Sum256([]byte(text))
	return api.Exhibit{Name: name, MediaType: "text/plain", SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(text)), Content: []byte(text)}
}

// request is a complete application on a day.
func request(on jitsuin.Date) api.ApplicationRequest {
	r := api.ApplicationRequest{Applicant: api.Applicant{Name: "検証プラットフォーム", Address: "雲居県朝霧市", Representative: "代表　例子", System: "検証サーバー2台",
		Responsible: api.Responsible{Name: "責任　太郎", Post: "運用部長", Contact: "ops@platform.example"}, StartsOn: on}}
	for _, c := range rules.CriteriaOn(on) {
		r.Items = append(r.Items, api.ApplicationItem{Criterion: c.Key, Statement: "規程による。", Evidence: []api.Exhibit{paper(c.Key+".txt", "規程 "+c.Key)}})
	}
	return r
}

func TestAnApplicationShowsEveryCriterionOnce(t *testing.T) {
	t.Parallel()
	today := day(2026, 6, 1)
	if err := checkApplication(request(today), today); err != nil {
		t.Fatal(err)
	}
	for code, spoil := range map[string]func(*api.ApplicationRequest){
		"criterion-missing":      func(r *api.ApplicationRequest) { r.Items = r.Items[1:] },
		"criterion-twice":        func(r *api.ApplicationRequest) { r.Items = append(r.Items, r.Items[0]) },
		"criterion-not-asked":    func(r *api.ApplicationRequest) { r.Items[0].Criterion = "luck" },
		"statement-missing":      func(r *api.ApplicationRequest) { r.Items[0].Statement = " " },
		"application-incomplete": func(r *api.ApplicationRequest) { r.Responsible.Name = "" },
		"date-missing":           func(r *api.ApplicationRequest) { r.StartsOn = jitsuin.Date{} },
	} {
		r := request(today)
		spoil(&r)
		if err := checkApplication(r, today); jitsuin.CodeOf(err) != code || jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestEvidenceIsWhatItSays(t *testing.T) {
	t.Parallel()
	if _, documents, err := takeEvidence([]api.Exhibit{paper("a", "規程")}, "items"); err != nil || len(documents) != 1 || string(documents[0].content) != "規程" {
		t.Errorf("%+v %v", documents, err)
	}
	far := paper("a", "規程")
	far.Content, far.Location = nil, "https://platform.example/a.pdf"
	if bare, documents, err := takeEvidence([]api.Exhibit{far}, "items"); err != nil || len(documents) != 0 || bare[0].Location == "" {
		t.Errorf("%+v %v", bare, err)
	}
	for want, spoil := range map[string]func(*api.Exhibit){
		"evidence-digest":  func(e *api.Exhibit) { e.Content = []byte("別物") },
		"evidence-digest ": func(e *api.Exhibit) { e.SHA256 = strings.ToUpper(e.SHA256) },
		"evidence-nowhere": func(e *api.Exhibit) { e.Content = nil },
		"evidence-twice":   func(e *api.Exhibit) { e.Location = "https://platform.example/a" },
		"evidence-type":    func(e *api.Exhibit) { e.MediaType = "application/pdf" },
		"evidence-name":    func(e *api.Exhibit) { e.Name = " " },
		"document-large":   func(e *api.Exhibit) { *e = paper("a", strings.Repeat("x", api.MaxDocument+1)) },
	} {
		e := paper("a", "規程")
		spoil(&e)
		_, _, err := takeEvidence([]api.Exhibit{e}, "items")
		if jitsuin.CodeOf(err) != strings.TrimSpace(want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	insecure := paper("a", "x")
	insecure.Content, insecure.Location = nil, "http://platform.example/a"
	if _, _, err := takeEvidence([]api.Exhibit{insecure}, "items"); jitsuin.CodeOf(err) != "evidence-nowhere" {
		t.Errorf("an address without TLS: %v", err)
	}
}

// examineAll accepts every criterion but those named, which are to be amended.
func examineAll(t *testing.T, a api.Application, amend ...string) api.Application {
	t.Helper()
	for _, item := range a.Items {
		r := api.ExaminationRequest{Criterion: item.Criterion, Outcome: api.Accepted, Official: "主務　花子"}
		if slices.Contains(amend, item.Criterion) {
			r.Outcome, r.Words = api.Amend, "監査人の氏名を書いてください。"
		}
		var err error
		if a, err = examined(a, r, noon); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func TestAnApplicationFromFilingToDecision(t *testing.T) {
	t.Parallel()
	a := newApplication(request(day(2026, 6, 1)), "platform:1", "1", noon)
	refuse := func(code string, err error) {
		t.Helper()
		if jitsuin.CodeOf(err) != code {
			t.Errorf("want %s, got %v", code, err)
		}
	}
	_, err := concluded(a, api.Verdict{State: api.Granted})
	refuse("criteria-open", err)
	_, err = returned(a)
	refuse("nothing-to-amend", err)
	_, err = examined(a, api.ExaminationRequest{Criterion: rules.CriterionAudit, Outcome: api.Amend}, noon)
	refuse("words-missing", err)
	_, err = examined(a, api.ExaminationRequest{Criterion: "luck", Outcome: api.Accepted}, noon)
	refuse("criterion-unknown", err)
	_, err = amended(a, a.Items[:1])
	refuse("application-state", err)

	a = examineAll(t, a, rules.CriterionAudit)
	_, err = concluded(a, api.Verdict{State: api.Granted})
	refuse("criteria-open", err)
	if a, err = returned(a); err != nil {
		t.Fatal(err)
	}
	_, err = examined(a, api.ExaminationRequest{Criterion: rules.CriterionAudit, Outcome: api.Accepted}, noon)
	refuse("application-state", err)
	_, err = amended(a, a.Items[:1]) // one that was accepted
	refuse("criterion-not-asked", err)
	better := api.ApplicationItem{Criterion: rules.CriterionAudit, Statement: "監査人は外部の者。", Evidence: []api.Exhibit{paper("b", "選任書")}}
	if a, err = amended(a, []api.ApplicationItem{better}); err != nil || a.State != api.Received || len(a.Asked()) != 0 {
		t.Fatalf("amended: %+v %v", a.Examination, err)
	}
	_, err = concluded(a, api.Verdict{State: api.Granted}) // the new item was not looked at
	refuse("criteria-open", err)
	_, err = concluded(a, api.Verdict{State: api.Refused})
	refuse("reason-missing", err)
	a = examineAll(t, a)
	done, err := concluded(a, api.Verdict{State: api.Granted})
	if err != nil || done.State != api.Granted {
		t.Fatal(err)
	}
	for _, over := range []func() error{
		func() error { _, err := takenBack(done); return err },
		func() error { _, err := concluded(done, api.Verdict{State: api.Refused, Reason: "x"}); return err },
		func() error { _, err := amended(done, nil); return err },
	} {
		refuse("application-state", over())
	}
}

func TestAnApplicantIsNotToldWhoExamined(t *testing.T) {
	t.Parallel()
	a := examineAll(t, newApplication(request(day(2026, 6, 1)), "platform:1", "1", noon), rules.CriterionAudit)
	f := forApplicant(api.ApplicationFile{Application: a, Steps: []api.ApplicationStep{{By: "official:1", Official: "主務　花子", Words: "w"}}})
	for _, e := range f.Examination {
		if e.Official != "" {
			t.Errorf("%+v", e)
		}
	}
	if f.Steps[0].By != "" || f.Steps[0].Official != "" || f.Steps[0].Words != "w" || a.Examination[0].Official == "" {
		t.Errorf("%+v, and the office's own copy %+v", f.Steps, a.Examination[0])
	}
}
