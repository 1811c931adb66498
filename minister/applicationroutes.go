package minister

import (
	"context"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/rules"
)

const roleOfficial = "official"

// maxApplicationBody holds the documents of one call in base64.
const maxApplicationBody = api.MaxDocuments/3*4 + 512<<10

// mine is for whom an application is looked up: the applicant who calls, "" for an official, who sees them all.
func mine(ctx context.Context) string {
	if c := httpapi.CallerOf(ctx); c.Role != roleOfficial {
		return c.ID
	}
	return ""
}

func (m *Minister) applicationRoutes() {
	applicants, officials := httpapi.Roles("platform", "verifier"), httpapi.Roles(roleOfficial)
	both := httpapi.Roles("platform", "verifier", roleOfficial)
	const base = "/accreditation-applications"
	once := " Needs the header Idempotency-Key."
	httpapi.Register(m.API, httpapi.Operation{ID: "accreditation-criteria", Method: http.MethodGet, Path: "/accreditation-criteria",
		Summary: "The accreditation criteria (認定基準) in force today", Policy: httpapi.Public("the criteria are published")}, m.getCriteria)
	httpapi.Register(m.API, httpapi.Operation{ID: "apply", Method: http.MethodPost, Path: base, Status: http.StatusCreated, MaxBody: maxApplicationBody,
		Summary: "Apply for accreditation as a verifier (認定申請)", Policy: applicants,
		Description: "One item for each criterion, with its evidence: documents sent along, or their https addresses. Conflict application-open beside one that is not decided." + once}, m.postApplication)
	httpapi.Register(m.API, httpapi.Operation{ID: "accreditation-applications", Method: http.MethodGet, Path: base,
		Summary: "Your applications; for an official everybody's", Policy: both}, m.getApplications)
	httpapi.Register(m.API, httpapi.Operation{ID: "accreditation-application", Method: http.MethodGet, Path: base + "/{id}",
		Summary: "An application with its steps; with since it waits for the next one", Policy: both}, m.getApplicationFile)
	httpapi.Register(m.API, httpapi.Operation{ID: "amend-application", Method: http.MethodPost, Path: base + "/{id}/amendment", MaxBody: maxApplicationBody,
		Summary: "Amend what the office asks for", Description: "A new item for each criterion whose outcome is amend, and no other." + once, Policy: applicants}, m.postAmendment)
	httpapi.Register(m.API, httpapi.Operation{ID: "take-back-application", Method: http.MethodPost, Path: base + "/{id}/taking-back",
		Summary: "Take an application back", Description: "Only before it is decided." + once, Policy: applicants}, m.postTakingBack)
	httpapi.Register(m.API, httpapi.Operation{ID: "examine-application", Method: http.MethodPost, Path: base + "/{id}/examination",
		Summary: "Record what was found of one criterion", Description: "Accepted, or to be amended with words for the applicant." + once, Policy: officials}, m.postExamination)
	httpapi.Register(m.API, httpapi.Operation{ID: "return-application", Method: http.MethodPost, Path: base + "/{id}/return",
		Summary: "Send an application back to be amended", Description: "Conflict nothing-to-amend where no criterion asks for it." + once, Policy: officials}, m.postReturn)
	httpapi.Register(m.API, httpapi.Operation{ID: "conclude-application", Method: http.MethodPost, Path: base + "/{id}/decision",
		Summary: "Grant or refuse an application", Description: "Granting accredits the verifier; Conflict criteria-open unless every criterion is accepted. A refusal needs a reason." + once,
		Policy: officials}, m.postVerdict)
	m.API.Raw("GET /accreditation-evidence/{verifier}/{sha256}", both, http.HandlerFunc(m.serveEvidence))
}

type (
	criterionOut struct {
		Key      string        `json:"key"`
		Measure  rules.Measure `json:"measure" enum:"system,organisation"`
		Text     rules.Text    `json:"text"`
		Evidence []rules.Text  `json:"evidence" doc:"sorts of papers that count; one of them is enough"`
		Source   rules.Source  `json:"source"`
	}
	criteriaOut struct {
		Body struct {
			Criteria []criterionOut `json:"criteria"`
		}
	}
	applyIn struct {
		Key  string `header:"Idempotency-Key"`
		Body api.ApplicationRequest
	}
	applicationOut  struct{ Body api.Application }
	applicationsOut struct {
		Body struct {
			Applications []api.Application `json:"applications"`
		}
	}
	applicationFileIn struct {
		ID    string `path:"id"`
		Since int64  `query:"since" doc:"answer as soon as the version is another"`
		Wait  string `query:"wait" maxLength:"20" doc:"at most this long, such as 25s"`
	}
	applicationFileOut struct{ Body api.ApplicationFile }
	amendIn            struct {
		ID   string `path:"id"`
		Key  string `header:"Idempotency-Key"`
		Body api.AmendmentRequest
	}
	takeBackIn struct {
		ID  string `path:"id"`
		Key string `header:"Idempotency-Key"`
	}
	examineIn struct {
		ID   string `path:"id"`
		Key  string `header:"Idempotency-Key"`
		Body api.ExaminationRequest
	}
	returnIn struct {
		ID   string `path:"id"`
		Key  string `header:"Idempotency-Key"`
		Body api.ReturnRequest
	}
	concludeIn struct {
		ID   string `path:"id"`
		Key  string `header:"Idempotency-Key"`
		Body api.Verdict
	}
)

func (m *Minister) getCriteria(context.Context, *struct{}) (*criteriaOut, error) {
	out := &criteriaOut{}
	for _, c := range rules.CriteriaOn(jitsuin.DateOf(m.Clock.Now())) {
		out.Body.Criteria = append(out.Body.Criteria, criterionOut{c.Key, c.Measure, c.Text, c.Evidence, c.Source})
	}
	return out, nil
}

// answered gives an application to who called.
func answered(ctx context.Context, a api.Application, err error) (*applicationOut, error) {
	if err != nil {
		return nil, err
	}
	if mine(ctx) != "" {
		a = forApplicant(api.ApplicationFile{Application: a}).Application
	}
	return &applicationOut{a}, nil
}

func (m *Minister) postApplication(ctx context.Context, in *applyIn) (*applicationOut, error) {
	a, err := m.Apply(ctx, httpapi.CallerOf(ctx).ID, in.Body)
	return answered(ctx, a, err)
}

func (m *Minister) getApplications(ctx context.Context, _ *struct{}) (*applicationsOut, error) {
	all, err := m.Applications(ctx, mine(ctx))
	out := &applicationsOut{}
	out.Body.Applications = []api.Application{}
	for _, a := range all {
		if mine(ctx) != "" {
			a = forApplicant(api.ApplicationFile{Application: a}).Application
		}
		out.Body.Applications = append(out.Body.Applications, a)
	}
	return out, err
}

// Waiting for an application's next step.
const (
	longestWait     = 30 * time.Second
	applicationPoll = 2 * time.Second // without a signal: another process of the office may have acted
)

func (m *Minister) getApplicationFile(ctx context.Context, in *applicationFileIn) (*applicationFileOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	wait := time.Duration(0)
	if in.Wait != "" {
		if wait, err = time.ParseDuration(in.Wait); err != nil || wait < 0 {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "wait-form", "wait is a duration such as 25s").At("wait")
		}
	}
	changed, stop := m.DB.Watch(applicationSignal)
	defer stop()
	for end := time.Now().Add(min(wait, longestWait)); ; {
		f, err := m.Application(ctx, id, mine(ctx))
		if err != nil || f.Version != in.Since || !time.Now().Before(end) {
			return &applicationFileOut{f}, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		case <-time.After(min(applicationPoll, time.Until(end))):
		}
	}
}

func (m *Minister) postAmendment(ctx context.Context, in *amendIn) (*applicationOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	a, err := m.Amend(ctx, id, httpapi.CallerOf(ctx).ID, in.Body)
	return answered(ctx, a, err)
}

func (m *Minister) postTakingBack(ctx context.Context, in *takeBackIn) (*applicationOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	a, err := m.TakeBack(ctx, id, httpapi.CallerOf(ctx).ID)
	return answered(ctx, a, err)
}

func (m *Minister) postExamination(ctx context.Context, in *examineIn) (*applicationOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	a, err := m.Examine(ctx, id, in.Body)
	return answered(ctx, a, err)
}

func (m *Minister) postReturn(ctx context.Context, in *returnIn) (*applicationOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	a, err := m.Return(ctx, id, in.Body)
	return answered(ctx, a, err)
}

func (m *Minister) postVerdict(ctx context.Context, in *concludeIn) (*applicationOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	a, err := m.Conclude(ctx, id, in.Body)
	return answered(ctx, a, err)
}
