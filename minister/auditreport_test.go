package minister_test

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/minister/api"
)

// An audit is reported, returned, reported again and closed; only then is the accreditation renewed.
func TestTheYearlyAudit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		o := start(t, url)
		official, platform := o.as("official:1"), o.as("platform:1")
		a := o.accredited(t)
		renew := api.Decision{Verifier: "platform:1", Name: a.Name, Ground: a.Ground, State: api.InForce}
		audits, err := platform.Audits(t.Context(), a.ID)
		if err != nil || len(audits) != 1 || audits[0].State != api.AuditDue || audits[0].Late || audits[0].Until != a.Until {
			t.Fatalf("%+v %v", audits, err)
		}
		if _, err := o.as("platform:2").Audits(t.Context(), a.ID); jitsuin.KindOf(err) != jitsuin.NotFound {
			t.Errorf("another operator sees the audits: %v", err)
		}
		// The last day for the report passes: it is late, and nothing is suspended by that.
		o.minister.Clock.Set(time.Until(audits[0].Due.AddDays(1).Start().Add(time.Hour)))
		if audits, err = platform.Audits(t.Context(), a.ID); err != nil || !audits[0].Late {
			t.Errorf("after its day: %+v %v", audits, err)
		}
		if now, err := platform.One(t.Context(), a.ID); err != nil || now.State != api.InForce {
			t.Errorf("a late report changed the accreditation: %+v %v", now, err)
		}
		if _, err := official.Decide(t.Context(), renew, "renewal-0001"); jitsuin.CodeOf(err) != "audit-open" {
			t.Errorf("renewed without an audit: %v", err)
		}
		report := api.AuditReport{Year: 1, Auditor: "監査法人　例", AuditedOn: audits[0].Due, Conclusion: "おおむね適正。",
			Findings: []api.AuditFinding{{Criterion: "operation-records", Words: "記録の確認が月1回でない。", RemedyBy: a.Until}}, Evidence: []api.Exhibit{paper("監査報告書", "報告")}}
		for code, spoil := range map[string]func(*api.AuditReport){
			"audit-unknown": func(r *api.AuditReport) { r.Year = 2 },
			"criterion-unknown": func(r *api.AuditReport) {
				r.Findings = []api.AuditFinding{{Criterion: "luck", Words: "w", Remedy: "r"}}
			},
			"remedy-missing": func(r *api.AuditReport) { r.Findings = []api.AuditFinding{{Criterion: "audit", Words: "w"}} },
			"date-order":     func(r *api.AuditReport) { r.AuditedOn = a.Until.AddDays(30) },
		} {
			wrong := report
			spoil(&wrong)
			if _, err := platform.SubmitAudit(t.Context(), a.ID, wrong, string(jitsuin.NewID())); jitsuin.CodeOf(err) != code {
				t.Errorf("%s: %v", code, err)
			}
		}
		if y, err := platform.SubmitAudit(t.Context(), a.ID, report, "audit-0001"); err != nil || y.State != api.AuditSubmitted || y.Late {
			t.Fatalf("submitted: %+v %v", y, err)
		}
		if _, err := platform.SubmitAudit(t.Context(), a.ID, report, "audit-0002"); jitsuin.CodeOf(err) != "audit-state" {
			t.Errorf("submitted twice: %v", err)
		}
		if _, err := official.JudgeAudit(t.Context(), a.ID, 1, api.AuditVerdict{State: api.AuditReturned}, "judge-0001"); jitsuin.CodeOf(err) != "words-missing" {
			t.Errorf("returned without words: %v", err)
		}
		if y, err := official.JudgeAudit(t.Context(), a.ID, 1, api.AuditVerdict{State: api.AuditReturned, Words: "是正の日を早めてください。", Official: "主務　花子"}, "judge-0002"); err != nil || !y.Late {
			t.Fatalf("returned after its day: %+v %v", y, err)
		}
		report.Findings[0].RemedyBy, report.Findings[0].Remedy = jitsuin.Date{}, "毎週確認することとした。"
		if _, err := platform.SubmitAudit(t.Context(), a.ID, report, "audit-0003"); err != nil {
			t.Fatal(err)
		}
		y, err := official.JudgeAudit(t.Context(), a.ID, 1, api.AuditVerdict{State: api.AuditClosed, Official: "主務　花子"}, "judge-0003")
		if err != nil || y.State != api.AuditClosed || len(y.Steps) != 4 || y.Steps[1].Official != "主務　花子" {
			t.Fatalf("closed: %+v %v", y, err)
		}
		if audits, err = platform.Audits(t.Context(), a.ID); err != nil || audits[0].Steps[1].Official != "" || audits[0].Steps[1].Words == "" {
			t.Errorf("the operator sees %+v %v", audits, err)
		}
		renewed, err := official.Decide(t.Context(), renew, "renewal-0002")
		if err != nil || !renewed.Until.After(a.Until) {
			t.Fatalf("renewed: %+v %v", renewed, err)
		}
		if audits, err = platform.Audits(t.Context(), a.ID); err != nil || len(audits) != 2 || audits[1].State != api.AuditDue || audits[0].State != api.AuditClosed {
			t.Errorf("after the renewal: %+v %v", audits, err)
		}
	})
}
