package minister

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/rules"
)

// actSubmitted is a report's coming in; what the office makes of it is an act named as its state.
const actSubmitted = "submitted"

// auditsOf gives the years of an accreditation with what was reported of each. A body that the law names has none.
func auditsOf(tx *store.Tx, a api.Accreditation, today jitsuin.Date) ([]api.AuditYear, error) {
	if a.Ground != groundAccredited {
		return nil, nil
	}
	years, err := rules.AuditYears(a.GrantedOn, a.Until)
	if err != nil {
		return nil, err
	}
	var all []api.AuditYear
	for _, y := range years {
		audit := api.AuditYear{Accreditation: a.ID, Verifier: a.Verifier, Name: a.Name, Year: y.N, From: y.From, Until: y.Until, Due: y.Due, State: api.AuditDue}
		var body string
		err := tx.QueryRow(`SELECT state, body FROM audit_report WHERE accreditation = $1 AND year = $2`, a.ID, y.N).Scan(&audit.State, &body)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if err == nil {
			audit.Report = &api.AuditReport{}
			if err := json.Unmarshal([]byte(body), audit.Report); err != nil {
				return nil, fmt.Errorf("a stored audit: %w", err)
			}
			if audit.Steps, err = auditSteps(tx, a.ID, y.N); err != nil {
				return nil, err
			}
		}
		audit.Late = y.Late(today) && (audit.State == api.AuditDue || audit.State == api.AuditReturned)
		all = append(all, audit)
	}
	return all, nil
}

func auditSteps(tx *store.Tx, accreditation jitsuin.ID, year int) ([]api.AuditStep, error) {
	return store.Collect(func(s store.Scanner) (step api.AuditStep, err error) {
		var micros int64
		var body string
		if err := s.Scan(&micros, &step.Act, &step.By, &step.Official, &body); err != nil {
			return step, err
		}
		var what said
		err = json.Unmarshal([]byte(body), &what)
		step.At, step.Words = store.Time(micros), what.Words
		return step, err
	})(tx.Query(`SELECT at, act, actor, official, body FROM audit_step WHERE accreditation = $1 AND year = $2 ORDER BY number`, accreditation, year))
}

// auditOf gives one year; NotFound "audit-unknown" for one that the accreditation has not got.
func auditOf(tx *store.Tx, a api.Accreditation, year int, today jitsuin.Date) (api.AuditYear, error) {
	all, err := auditsOf(tx, a, today)
	if err != nil {
		return api.AuditYear{}, err
	}
	if year < 1 || year > len(all) {
		return api.AuditYear{}, jitsuin.Errorf(jitsuin.NotFound, "audit-unknown", "the accreditation has no year %d", year).At("year")
	}
	return all[year-1], nil
}

func putAuditStep(tx *store.Tx, a api.AuditYear, act string, by who, at time.Time, what said) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	tx.Notify(applicationSignal)
	_, err = tx.Exec(`INSERT INTO audit_step (accreditation, year, number, at, act, actor, official, body)
		SELECT $1, $2, COUNT(*) + 1, $3, $4, $5, $6, $7 FROM audit_step WHERE accreditation = $1 AND year = $2`,
		a.Accreditation, a.Year, store.Micros(at), act, by.instance, by.official, string(body))
	return err
}

// mayRenew refuses a renewal before the audit of the accreditation's last year is closed.
func mayRenew(tx *store.Tx, a api.Accreditation) error {
	audits, err := auditsOf(tx, a, a.Until)
	if err != nil || len(audits) == 0 {
		return err
	}
	if y := audits[len(audits)-1]; y.State != api.AuditClosed {
		return jitsuin.Errorf(jitsuin.Conflict, "audit-open", "the audit of the year until %s is not closed: it is %s", y.Until, y.State).
			WithHint("the operator reports it with POST /accreditations/{id}/audits; a renewal is decided after that")
	}
	return nil
}

func checkReport(r api.AuditReport, y api.AuditYear, today jitsuin.Date) error {
	switch {
	case strings.TrimSpace(r.Auditor) == "":
		return jitsuin.Errorf(jitsuin.Invalid, "auditor-missing", "a report says who audited").At("auditor")
	case strings.TrimSpace(r.Conclusion) == "":
		return jitsuin.Errorf(jitsuin.Invalid, "conclusion-missing", "a report says what the audit concluded").At("conclusion")
	case r.AuditedOn.IsZero() || r.AuditedOn.After(today) || r.AuditedOn.Before(y.From):
		return jitsuin.Errorf(jitsuin.Invalid, "date-order", "an audit of the year ends between %s and today", y.From).At("audited_on")
	}
	for _, f := range r.Findings {
		if _, err := rules.CriterionOf(f.Criterion, today); err != nil {
			return err
		}
		if f.Remedy == "" && f.RemedyBy.IsZero() {
			return jitsuin.Errorf(jitsuin.Invalid, "remedy-missing", "a finding says how it was remedied, or by which day it will be").At("findings")
		}
	}
	return nil
}

// SubmitAudit takes in an operator's report on a year of its accreditation.
func (m *Minister) SubmitAudit(ctx context.Context, accreditation jitsuin.ID, verifier string, r api.AuditReport) (api.AuditYear, error) {
	now, asked := m.Clock.Now(), r
	bare, documents, err := takeEvidence(r.Evidence, "evidence")
	if err != nil {
		return api.AuditYear{}, err
	}
	r.Evidence = bare
	body, err := json.Marshal(r)
	if err != nil {
		return api.AuditYear{}, err
	}
	return httpapi.Once(ctx, m.DB, "submit-audit", []any{accreditation, asked}, func(tx *store.Tx) (api.AuditYear, error) {
		today := jitsuin.DateOf(now)
		a, err := accreditationOf(tx, accreditation, verifier)
		if err != nil {
			return api.AuditYear{}, err
		}
		y, err := auditOf(tx, a, r.Year, today)
		if err != nil {
			return y, err
		}
		if y.State != api.AuditDue && y.State != api.AuditReturned {
			return y, jitsuin.Errorf(jitsuin.Conflict, "audit-state", "the audit of this year is %s", y.State)
		}
		if err := checkReport(r, y, today); err != nil {
			return y, err
		}
		if err := putDocuments(tx, verifier, documents); err != nil {
			return y, err
		}
		if _, err := tx.Exec(`INSERT INTO audit_report (accreditation, year, state, body) VALUES ($1, $2, $3, $4)
			ON CONFLICT (accreditation, year) DO UPDATE SET state = excluded.state, body = excluded.body`, a.ID, r.Year, api.AuditSubmitted, string(body)); err != nil {
			return y, err
		}
		if err := putAuditStep(tx, y, actSubmitted, m.by(ctx, ""), now, said{Request: r, Words: r.Conclusion}); err != nil {
			return y, err
		}
		y, err = auditOf(tx, a, r.Year, today)
		return forOperator(y), err
	})
}

// JudgeAudit records what the office makes of a report.
func (m *Minister) JudgeAudit(ctx context.Context, accreditation jitsuin.ID, year int, v api.AuditVerdict) (api.AuditYear, error) {
	now := m.Clock.Now()
	words := strings.TrimSpace(v.Words)
	if v.State == api.AuditReturned && words == "" {
		return api.AuditYear{}, jitsuin.Errorf(jitsuin.Invalid, "words-missing", "whoever is to remedy something is told what").At("words")
	}
	return httpapi.Once(ctx, m.DB, "judge-audit", []any{accreditation, year, v}, func(tx *store.Tx) (api.AuditYear, error) {
		today := jitsuin.DateOf(now)
		a, err := accreditationOf(tx, accreditation, "")
		if err != nil {
			return api.AuditYear{}, err
		}
		y, err := auditOf(tx, a, year, today)
		if err != nil {
			return y, err
		}
		if y.State != api.AuditSubmitted {
			return y, jitsuin.Errorf(jitsuin.Conflict, "audit-state", "no report of this year lies with the office: it is %s", y.State)
		}
		if _, err := tx.Exec(`UPDATE audit_report SET state = $3 WHERE accreditation = $1 AND year = $2`, a.ID, year, v.State); err != nil {
			return y, err
		}
		if err := putAuditStep(tx, y, v.State, m.by(ctx, v.Official), now, said{Words: words}); err != nil {
			return y, err
		}
		return auditOf(tx, a, year, today)
	})
}

// accreditationOf gives an accreditation; NotFound where there is none, or where it is not verifier's, unless verifier is "".
func accreditationOf(tx *store.Tx, id jitsuin.ID, verifier string) (api.Accreditation, error) {
	a, err := scan(tx.QueryRow(selectOne, id))
	if errors.Is(err, sql.ErrNoRows) || err == nil && verifier != "" && a.Verifier != verifier {
		return api.Accreditation{}, jitsuin.Errorf(jitsuin.NotFound, "accreditation-unknown", "there is no such accreditation")
	}
	return a, err
}

// forOperator leaves out who of the office did what.
func forOperator(a api.AuditYear) api.AuditYear {
	steps := append([]api.AuditStep(nil), a.Steps...)
	for i := range steps {
		steps[i].By, steps[i].Official = "", ""
	}
	a.Steps = steps
	return a
}

// Audits lists the years of an accreditation; verifier is the operator that asks, "" for the office.
func (m *Minister) Audits(ctx context.Context, accreditation jitsuin.ID, verifier string) (all []api.AuditYear, err error) {
	today := jitsuin.DateOf(m.Clock.Now())
	err = m.DB.View(ctx, func(tx *store.Tx) error {
		a, err := accreditationOf(tx, accreditation, verifier)
		if err == nil {
			all, err = auditsOf(tx, a, today)
		}
		return err
	})
	if verifier != "" {
		for i := range all {
			all[i] = forOperator(all[i])
		}
	}
	return all, err
}

// OpenAudits lists the audits of all accreditations that stand and are not closed, the first that is due first.
func (m *Minister) OpenAudits(ctx context.Context) (open []api.AuditYear, err error) {
	today := jitsuin.DateOf(m.Clock.Now())
	err = m.DB.View(ctx, func(tx *store.Tx) error {
		open = nil
		all, err := store.Collect(func(s store.Scanner) (api.Accreditation, error) { return scan(s) })(tx.Query(selectAll))
		if err != nil {
			return err
		}
		for _, a := range all {
			if !standing(a, today) {
				continue
			}
			audits, err := auditsOf(tx, a, today)
			if err != nil {
				return err
			}
			for _, y := range audits {
				if y.State != api.AuditClosed {
					open = append(open, y)
				}
			}
		}
		return nil
	})
	sortAudits(open)
	return open, err
}

// auditRoutes are the yearly audits of those accredited.
func (m *Minister) auditRoutes() {
	operators := httpapi.Roles("platform", "verifier")
	both := httpapi.Roles("platform", "verifier", roleOfficial)
	const base = "/accreditations/{id}/audits"
	httpapi.Register(m.API, httpapi.Operation{ID: "submit-audit", Method: http.MethodPost, Path: base, Status: http.StatusCreated, MaxBody: maxApplicationBody,
		Summary: "Report on the audit of a year (監査報告)", Description: "Of your own accreditation. Conflict audit-state while a report lies with the office or is closed. Needs the header Idempotency-Key.",
		Policy: operators}, m.postAudit)
	httpapi.Register(m.API, httpapi.Operation{ID: "audits", Method: http.MethodGet, Path: base,
		Summary: "The years of an accreditation with their audits", Description: "Of your own; for an official of anybody's.", Policy: both}, m.getAudits)
	httpapi.Register(m.API, httpapi.Operation{ID: "judge-audit", Method: http.MethodPost, Path: base + "/{year}/examination",
		Summary: "Close a year's audit, or return it to be remedied", Description: "Needs the header Idempotency-Key.", Policy: httpapi.Roles(roleOfficial)}, m.postAuditVerdict)
	httpapi.Register(m.API, httpapi.Operation{ID: "open-audits", Method: http.MethodGet, Path: "/audits",
		Summary: "All audits that are not closed, the first that is due first", Policy: httpapi.Roles(roleOfficial)}, m.getOpenAudits)
}

type (
	auditIn struct {
		ID   string `path:"id"`
		Key  string `header:"Idempotency-Key"`
		Body api.AuditReport
	}
	auditVerdictIn struct {
		ID   string `path:"id"`
		Year int    `path:"year"`
		Key  string `header:"Idempotency-Key"`
		Body api.AuditVerdict
	}
	auditOut  struct{ Body api.AuditYear }
	auditsOut struct {
		Body struct {
			Audits []api.AuditYear `json:"audits"`
		}
	}
)

func (m *Minister) postAudit(ctx context.Context, in *auditIn) (*auditOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	a, err := m.SubmitAudit(ctx, id, httpapi.CallerOf(ctx).ID, in.Body)
	return &auditOut{a}, err
}

func (m *Minister) getAudits(ctx context.Context, in *oneIn) (*auditsOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	all, err := m.Audits(ctx, id, mine(ctx))
	return listed(all), err
}

func listed(all []api.AuditYear) *auditsOut {
	out := &auditsOut{}
	out.Body.Audits = append([]api.AuditYear{}, all...)
	return out
}

func (m *Minister) postAuditVerdict(ctx context.Context, in *auditVerdictIn) (*auditOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	a, err := m.JudgeAudit(ctx, id, in.Year, in.Body)
	return &auditOut{a}, err
}

func (m *Minister) getOpenAudits(ctx context.Context, _ *struct{}) (*auditsOut, error) {
	all, err := m.OpenAudits(ctx)
	return listed(all), err
}
