package platform

import (
	"net/http"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/signature"
)

// submissionPage is what a resident sees of a submission.
type submissionPage struct {
	Path      string
	Asker     web.Pair
	Title     web.Pair
	Document  string // its name, where it is signed here
	IsForm    bool
	LastDay   jitsuin.Date
	Days      int // that we keep the document
	State     string
	Left      int    // tries
	Outcome   string // of the last try, or of the visit at the holder
	Reasons   []signature.Reason
	DestroyOn jitsuin.Date
	EndedAt   time.Time
}

// pageWait is how long a page waits for a check to end, before it says that it is under way.
var pageWait = 4 * time.Second

// visitOutcomes are what a visit at the holder, or a form, comes to without a document.
var visitOutcomes = []string{errand.Cancelled, errand.Late, errand.HolderFailed, "no-file"}

func (p *Platform) submissionPage(w http.ResponseWriter, r *http.Request) error {
	m, err := p.at(r)
	if err != nil {
		return err
	}
	if m.state == api.SubmissionChecking {
		if m, err = p.waitSubmitted(r, m, pageWait); err != nil {
			return err
		}
	}
	client, err := p.requestClient(r.Context(), m.tenant, p.origin())
	if err != nil {
		return err
	}
	d := submissionPage{Path: m.path(), Asker: web.Pair{JA: client.NameJA, EN: client.NameEN}, Title: web.Pair{JA: m.title, EN: m.titleEN}, Document: m.name, IsForm: m.mediaType == api.MediaTypeForm,
		LastDay: m.lastDay, Days: p.cfg.CopyDays, State: m.state, Left: max(mostTries-m.tries, 0), Outcome: m.outcome, DestroyOn: m.destroyOn, EndedAt: m.endedAt}
	if m.state == api.SubmissionOpen && jitsuin.DateOf(p.Clock.Now()).After(m.lastDay) {
		d.State = api.SubmissionUnanswered // the job is about to say so
	}
	if m.outcome == outcomeRefused {
		if d.Reasons, err = p.reasonsOf(r, m); err != nil {
			return err
		}
	}
	if o := r.URL.Query().Get("outcome"); d.State == api.SubmissionOpen && slices.Contains(visitOutcomes, o) {
		d.Outcome = o
	}
	w.Header().Set("X-Robots-Tag", "noindex")
	p.site.Page(w, r, http.StatusOK, "submission", d)
	return nil
}

// reasonsOf gives why the last document was not accepted.
func (p *Platform) reasonsOf(r *http.Request, m submission) ([]signature.Reason, error) {
	v, err := p.verification(r.Context(), m.tenant, m.verification)
	return v.Report.Reasons, err
}
