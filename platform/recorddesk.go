package platform

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/office"
	"github.com/jitsuin/jitsuin/platform/records"
)

// recordDesk are the pages of the office about records: the evidence search (証跡照会), and holds (係争中).
func (p *Platform) recordDesk() {
	p.officePage("GET /office/records", office.SeeRecords, func(w http.ResponseWriter, r *http.Request) error {
		return p.showOffice(w, r, http.StatusOK, "office-records", map[string]any{"Form": searchForm(r.URL.Query())})
	})
	p.officePage("POST /office/records", office.SeeRecords, p.postOfficeSearch)
	p.officePage("GET /office/holds", office.SeeRecords, func(w http.ResponseWriter, r *http.Request) error { return p.showHolds(w, r, http.StatusOK, nil) })
	p.officePage("POST /office/holds", office.PlaceHold, p.postOfficeHold)
	p.officePage("POST /office/holds/{id}/release", office.ReleaseHold, p.proposeRelease)
	p.sensitive(office.ReleaseHold, office.Effect{Mark: markRelease, Show: showRelease, Do: p.doRelease})
}

// searchPurposes are the grounds of an evidence search.
var searchPurposes = []string{"audit", "supervision", "dispute", "incident"}

func searchForm(values url.Values) *web.Form {
	var grounds []web.Option
	for _, g := range searchPurposes {
		grounds = append(grounds, web.Option{Value: g, Label: "office.records.purpose." + g})
	}
	return web.NewForm(values,
		web.Field{Name: "purpose", Label: "office.records.purpose", Kind: web.ChoiceField, Options: grounds, Need: true},
		reasonField,
		web.Field{Name: "tenant", Label: "office.records.tenant", Kind: web.TextField, Max: 64, Width: "medium"},
		web.Field{Name: "id", Label: "office.records.id", Help: "office.records.id.help", Kind: web.TextField, Max: 64, Width: "medium"},
		web.Field{Name: "digest", Label: "office.records.digest", Kind: web.TextField, Max: 128},
		web.Field{Name: "from", Label: "office.log.from", Kind: web.DateField, Width: "narrow"},
		web.Field{Name: "until", Label: "office.log.until", Kind: web.DateField, Width: "narrow"})
}

// postOfficeSearch searches and shows what was found. It is posted because ground and reason stand in no address.
func (p *Platform) postOfficeSearch(w http.ResponseWriter, r *http.Request) error {
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f := searchForm(r.PostForm)
	if !f.Check() {
		return p.showOffice(w, r, http.StatusUnprocessableEntity, "office-records", map[string]any{"Form": f})
	}
	q := api.EvidenceQuery{Purpose: f.Get("purpose"), Reason: f.Get("reason"), Tenant: f.Get("tenant"), Digest: f.Get("digest"), From: f.Date("from"), To: f.Date("until"),
		After: r.PostForm.Get("after")}
	q.Verification, q.Record, err = p.whichID(ctx, jitsuin.ID(f.Get("id")))
	if err != nil {
		return err
	}
	if err := office.CheckReason(q.Reason); err != nil {
		return err
	}
	ctx = audit.With(ctx, p.deskPerson(ctx, q.Reason))
	a, err := p.searchEvidence(ctx, q)
	if err != nil {
		return err
	}
	return p.showOffice(w, r, http.StatusOK, "office-records", map[string]any{"Form": f, "Found": foundOf(a), "More": a.Next})
}

// found is what a search gave, as it is shown.
type found struct {
	Search jitsuin.ID
	Lines  []foundLine
}

type foundLine struct {
	api.EvidenceLine
	By *web.Pair // the method by law, where the check passed
}

func foundOf(a api.EvidenceAnswer) *found {
	f := &found{Search: a.Search}
	for _, l := range a.Lines {
		line := foundLine{EvidenceLine: l}
		if l.Method != nil {
			line.By = &web.Pair{JA: l.Method.JA, EN: l.Method.EN}
		}
		f.Lines = append(f.Lines, line)
	}
	return f
}

// deskPerson is who sits there, for the operation log.
func (p *Platform) deskPerson(ctx context.Context, reason string) audit.Person {
	s, _ := sessionOf(ctx)
	return audit.Person{Name: s.Person.Signed(), Terminal: s.Terminal, Reason: reason}
}

// whichID tells whether an id is that of a check or of a record; one that is neither is taken for a check's.
func (p *Platform) whichID(ctx context.Context, id jitsuin.ID) (verification, record jitsuin.ID, err error) {
	if id == "" {
		return "", "", nil
	}
	is := false
	err = p.DB.View(ctx, func(tx *store.Tx) error { is, err = records.IsRecord(tx, id); return err })
	if is {
		return "", id, err
	}
	return id, "", err
}

func holdForm(values url.Values) *web.Form {
	return web.NewForm(values, web.Field{Name: "record", Label: "office.holds.record", Kind: web.TextField, Need: true, Max: 64, Width: "medium"}, reasonField)
}

func (p *Platform) showHolds(w http.ResponseWriter, r *http.Request, status int, f *web.Form) error {
	list, err := p.holds(r.Context(), "")
	if err != nil {
		return err
	}
	if f == nil {
		f = holdForm(nil)
	}
	s, _ := sessionOf(r.Context())
	return p.showOffice(w, r, status, "office-holds", map[string]any{"Holds": list.Holds, "Form": f, "Reason": web.NewForm(nil, reasonField), "Said": r.URL.Query().Get("said"),
		"MayPlace": s.Person.May(office.PlaceHold), "MayRelease": s.Person.May(office.ReleaseHold)})
}

func (p *Platform) postOfficeHold(w http.ResponseWriter, r *http.Request) error {
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f := holdForm(r.PostForm)
	if !f.Check() {
		return p.showHolds(w, r, http.StatusUnprocessableEntity, f)
	}
	now, id, record := p.Clock.Now(), jitsuin.NewID(), jitsuin.ID(f.Get("record"))
	_, err = byPerson(ctx, p, office.PlaceHold, f.Get("reason"), record, func(ctx context.Context, tx *store.Tx, who office.Person) (done, error) {
		h, err := records.Place(tx, "", who.Signed(), record, id, f.Get("reason"), now)
		if err != nil {
			return done{}, err
		}
		return done{h.ID}, audit.Record(ctx, tx, now, audit.Line{Act: string(office.PlaceHold), Subject: string(record), Tenant: h.Tenant, Detail: map[string]string{"hold": string(h.ID)}})
	})
	if jitsuin.CodeOf(err) == "record-unknown" {
		f.Wrong("record", "office.holds.unknown")
		return p.showHolds(w, r, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/office/holds?said=held", http.StatusSeeOther)
	return nil
}

// proposeRelease is the first person's part of a release.
func (p *Platform) proposeRelease(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r, "hold-unknown")
	if err != nil {
		return err
	}
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f := reasonForm(r)
	if !f.Check() {
		return p.showHolds(w, r, http.StatusUnprocessableEntity, nil)
	}
	var h api.Hold
	if err := p.DB.View(ctx, func(tx *store.Tx) error { h, err = records.GetHold(tx, "", id); return err }); err != nil {
		return err
	}
	one, err := p.propose(ctx, office.ReleaseHold, string(id), h.Tenant, nil, f.Get("reason"))
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/office/approvals/"+string(one.ID)+"?said=proposed", http.StatusSeeOther)
	return nil
}

// markRelease refuses the release of a hold that has ended. A hold looks the same until it ends.
func markRelease(tx *store.Tx, one office.Proposal) (string, error) {
	h, err := records.GetHold(tx, "", jitsuin.ID(one.Subject))
	if err == nil && h.State == api.HoldReleased {
		err = jitsuin.Errorf(jitsuin.Conflict, "hold-released", "the hold has ended already")
	}
	return string(h.Record), err
}

// Labels of what the second person is shown of a release.
var (
	factRecord = web.Pair{JA: "記録", EN: "Record"}
	factHeld   = web.Pair{JA: "保全した人と理由", EN: "Held by, and why"}
	factAsked  = web.Pair{JA: "テナントからの申し出", EN: "Asked for by the tenant"}
	factKeep   = web.Pair{JA: "保存の期限", EN: "Kept until"}
)

func showRelease(tx *store.Tx, one office.Proposal) ([]office.Fact, error) {
	h, err := records.GetHold(tx, "", jitsuin.ID(one.Subject))
	if err != nil {
		return nil, err
	}
	r, err := records.Head(tx, h.Tenant, h.Record)
	if err != nil {
		return nil, err
	}
	facts := []office.Fact{{Label: factRecord, Value: string(h.Record) + " (" + string(r.Kind) + ")"}, {Label: factHeld, Value: h.PlacedBy + ": " + h.Reason}}
	if h.AskedBy != "" {
		facts = append(facts, office.Fact{Label: factAsked, Value: h.AskedWhy})
	}
	if !r.KeepUntil.IsZero() {
		facts = append(facts, office.Fact{Label: factKeep, Value: r.KeepUntil.String()})
	}
	return facts, nil
}

// doRelease is the effect of the second person's approval. A record whose time is over is destroyed by the job that follows.
func (p *Platform) doRelease(_ context.Context, tx *store.Tx, one office.Proposal, _ time.Time) error {
	first, err := office.PersonOf(tx, one.Proposer)
	if err != nil {
		return err
	}
	second, err := office.PersonOf(tx, one.Decider)
	if err != nil {
		return err
	}
	tx.AfterCommit(p.PokeJobs)
	_, err = records.End(tx, jitsuin.ID(one.Subject), first.Signed(), second.Signed(), p.Clock.Now())
	return err
}
