package platform

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/form"
)

// A submission (検証結果と文書の送付) leads a document from a resident through us to a tenant. Its states:
//
//	open ──document──▶ checking ──passed──▶ ready ──receipt──▶ taken
//	 │ ▲                   │                  └──destroy_on over──▶ destroyed
//	 │ └──not accepted─────┘
//	 └──last_day over──▶ unanswered
//
// Each arrow is one commit, with the event by which the tenant is told of it. The copy is there, sealed, from
// checking until taken or destroyed, and never outlives the arrow.

// mostTries is how often a document may be submitted in vain.
const mostTries = 10

// submissionsKept is how many civil days a submission can be asked for after its end.
const submissionsKept = 90

// submission is a row of submissions, without the documents.
type submission struct {
	id           jitsuin.ID
	tenant       string
	link         string
	reference    string
	purpose      string
	title        string
	titleEN      string
	name         string
	mediaType    string // of the document to be signed; "" where the resident brings one
	lastDay      jitsuin.Date
	madeAt       time.Time
	state        string
	tries        int
	outcome      string // of the last document that was not accepted
	verification jitsuin.ID
	copyID       jitsuin.ID
	copySHA256   string
	destroyOn    jitsuin.Date
	endedAt      time.Time
}

const submissionColumns = `id, tenant, link, reference, purpose, title, title_en, name, media_type, last_day, made_at, state, tries, outcome, verification, copy_id, copy_sha256, destroy_on, ended_at`

func scanSubmission(s store.Scanner) (m submission, err error) {
	var last, destroy string
	var made, ended int64
	err = s.Scan(&m.id, &m.tenant, &m.link, &m.reference, &m.purpose, &m.title, &m.titleEN, &m.name, &m.mediaType, &last, &made, &m.state, &m.tries, &m.outcome,
		&m.verification, &m.copyID, &m.copySHA256, &destroy, &ended)
	m.madeAt, m.endedAt = store.Time(made), store.Time(ended)
	if errors.Is(err, sql.ErrNoRows) {
		return m, jitsuin.Errorf(jitsuin.NotFound, "submission-unknown", "there is no such submission")
	}
	if err == nil {
		err = errors.Join(m.lastDay.UnmarshalText([]byte(last)), m.destroyOn.UnmarshalText([]byte(destroy)))
	}
	return m, err
}

func submissionOf(tx *store.Tx, tenant string, id jitsuin.ID) (submission, error) {
	return scanSubmission(tx.QueryRow(`SELECT `+submissionColumns+` FROM submissions WHERE id = $1 AND tenant = $2`, id, tenant))
}

func submissionAt(tx *store.Tx, link string) (submission, error) {
	return scanSubmission(tx.QueryRow(`/* every tenant: the link that a resident has names it */ SELECT `+submissionColumns+` FROM submissions WHERE link = $1`, link))
}

// view is what the tenant sees of a submission.
func (p *Platform) view(m submission) api.Submission {
	v := api.Submission{ID: m.id, Reference: m.reference, Purpose: m.purpose, Link: p.origin() + m.path(), MadeAt: m.madeAt, LastDay: m.lastDay, State: m.state,
		Tries: m.tries, Verification: m.verification, DestroyOn: m.destroyOn}
	if !m.endedAt.IsZero() {
		v.EndedAt = &m.endedAt
	}
	return v
}

func (m submission) path() string { return "/submissions/" + m.link }

// askForDocument makes a submission. What a resident will read is checked as in a request to the holder.
func (p *Platform) askForDocument(ctx context.Context, tenant string, in api.SubmissionRequest) (api.Submission, error) {
	if err := p.mayVerify(ctx); err != nil {
		return api.Submission{}, err
	}
	now := p.Clock.Now()
	if err := checkSubmission(in, now); err != nil {
		return api.Submission{}, err
	}
	m := submission{id: jitsuin.NewID(), tenant: tenant, link: newNonce(), reference: in.Reference, purpose: in.Purpose, title: in.Title, titleEN: in.TitleEN,
		lastDay: in.LastDay, madeAt: now, state: api.SubmissionOpen}
	sealed := []byte{}
	if in.Document != nil {
		m.name, m.mediaType = in.Document.Name, in.Document.MediaType
		sealed = p.copies.seal(tenant, m.id, in.Document.Content)
	}
	made, err := httpapi.Once(ctx, p.DB, "submission", in, func(tx *store.Tx) (done, error) {
		if err := putSubmission(tx, m, sealed); err != nil {
			return done{}, err
		}
		return done{m.id}, audit.Record(ctx, tx, now, audit.Line{Act: "submission-made", Subject: string(m.id), Tenant: tenant})
	})
	if err != nil {
		return api.Submission{}, err
	}
	p.PokeJobs()
	return p.submission(ctx, tenant, made.ID)
}

func putSubmission(tx *store.Tx, m submission, sealed []byte) error {
	_, err := tx.Exec(`INSERT INTO submissions (id, tenant, link, reference, purpose, title, title_en, name, media_type, document, last_day, made_at, state, tries, outcome, verification, copy_id, copy, copy_sha256, destroy_on, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, '', '', '', $14, '', '', 0)`,
		m.id, m.tenant, m.link, m.reference, m.purpose, m.title, m.titleEN, m.name, m.mediaType, sealed, m.lastDay.String(), store.Micros(m.madeAt), m.state, []byte{})
	return err
}

func checkSubmission(in api.SubmissionRequest, now time.Time) error {
	bad := func(field, format string, args ...any) error {
		return jitsuin.Errorf(jitsuin.Invalid, "submission-form", format, args...).At(field)
	}
	today := jitsuin.DateOf(now)
	reading, err := rules.LegalReading(jitsuin.SignCert, rules.Purpose(in.Purpose), today)
	switch {
	case err != nil:
		return err
	case !reading.Fits:
		return jitsuin.Errorf(jitsuin.Invalid, "purpose-kind", "the purpose %q is not served by a signature", in.Purpose).At("purpose")
	case !api.Printing(in.Title), !api.Printing(in.TitleEN):
		return bad("title", "what the resident reads is missing, or has characters that do not print")
	case in.Reference != "" && !api.Printing(in.Reference):
		return bad("reference", "the reference has characters that do not print")
	case in.LastDay.IsZero() || in.LastDay.Before(today) || in.LastDay.After(today.AddDays(api.MaxSubmissionDays)):
		return bad("last_day", "the last day lies from today to %d days ahead", api.MaxSubmissionDays)
	case in.Document == nil:
		return nil
	}
	d := in.Document
	switch {
	case !api.Printing(d.Name):
		return bad("document.name", "the document's name is missing, or has characters that do not print")
	case len(d.Content) == 0 || len(d.Content) > api.MaxSubmissionDocument:
		return bad("document.content", "a document has from 1 to %d bytes", api.MaxSubmissionDocument)
	case d.MediaType == api.MediaTypeForm:
		_, err := form.Parse(d.Content)
		return err
	case d.MediaType != api.MediaTypePDF || !bytes.HasPrefix(d.Content, []byte("%PDF-")):
		return bad("document.media_type", "a document to be signed is %s or %s", api.MediaTypeForm, api.MediaTypePDF)
	}
	return nil
}

// submission tells how a tenant's submission stands. Another tenant's, and one that never was, are refused alike.
func (p *Platform) submission(ctx context.Context, tenant string, id jitsuin.ID) (v api.Submission, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		m, err := submissionOf(tx, tenant, id)
		v = p.view(m)
		return err
	})
	return v, err
}

// concludeSubmission notes what came of a submitted document, and tells the tenant of one that passed. The resident reads it.
func (p *Platform) concludeSubmission(tx *store.Tx, q queued, f finding) error {
	m, err := submissionOf(tx, q.tenant, q.submission)
	if err != nil || m.state != api.SubmissionChecking {
		return err
	}
	tx.Notify(submissionSignal)
	if f.outcome != "" || f.problem != nil {
		outcome := f.outcome
		if f.problem != nil {
			outcome = outcomeUnread
			if f.again {
				outcome = outcomeWaited
			}
		}
		_, err := tx.Exec(`UPDATE submissions SET state = $1, tries = tries + 1, outcome = $2, verification = $3 WHERE id = $4 AND tenant = $5`,
			api.SubmissionOpen, outcome, f.verification, m.id, m.tenant)
		return err
	}
	last := jitsuin.DateOf(p.Clock.Now()).AddDays(p.cfg.CopyDays)
	_, err = tx.Exec(`UPDATE submissions SET state = $1, outcome = '', verification = $2, copy_id = $3, copy_sha256 = $4, destroy_on = $5,
		copy = (SELECT sealed FROM queued_checks WHERE id = $3 AND tenant = $7) WHERE id = $6 AND tenant = $7`,
		api.SubmissionReady, f.verification, q.id, f.digest, last.String(), m.id, m.tenant)
	if err != nil {
		return err
	}
	return p.tell(tx, m.tenant, api.EventSubmission, api.SubmissionVerified{Submission: m.id, Reference: m.reference, Verification: f.verification, Verdict: f.verdict, DestroyOn: last})
}

// digestOfDelivery is what a receipt names: the SHA-256 of document and signature, one after the other.
func digestOfDelivery(in api.VerificationRequest) string {
	h := sha256.New()
	h.Write(in.Document)
	h.Write(in.Signature)
	return hex.EncodeToString(h.Sum(nil))
}
