package platform

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// The resident's side of a submission: a page that says who asks, for what, and what becomes of the document; the way to
// the card and back, or a file that is signed already; and the result in plain words.

const (
	submissionSignal = "platform.submission"
	errandSubmit     = "submit"
	// outcomeReceived is what an errand comes to whose document was taken in, whatever is found of it.
	outcomeReceived = "received"
)

// Outcomes of a document that was not accepted, beside the reasons of its report. The catalogue has words for each.
const (
	outcomeRefused      = "refused"        // the signature does not hold: the report says why
	outcomeUndecided    = "undecided"      // the certificate's status could not be had for too long
	outcomeOther        = "other-document" // signed was another document than the one asked for
	outcomeItemsDiffer  = "items-differ"   // the form names another person than the certificate
	outcomeUnread       = "unread"         // no document that can be judged
	outcomeWaited       = "waited"         // nothing could be checked for too long
	outcomeStampOnly    = "unsigned"       // nobody's signature
	mostSubmittedUpload = api.MaxSubmissionDocument
)

// openSubmissions readies the pages of residents and the end of what is kept for them.
func (p *Platform) openSubmissions() {
	p.errands.Handle(errandSubmit, errand.Handler{Decide: p.takeSigned, Arrive: p.submitted})
}

func (p *Platform) submissionPages() {
	link := httpapi.Public("whoever has the link that a tenant gave to a resident")
	p.site.Handle(p.API, "GET /submissions/{link}", link, p.submissionPage)
	p.site.Handle(p.API, "POST /submissions/{link}/sign", link, p.submissionSign)
	p.API.Raw("POST /submissions/{link}/document", link, p.site.WrapUpTo(mostSubmittedUpload+64<<10, p.submissionUpload))
	p.site.Handle(p.API, "GET /submissions/{link}/document", link, p.submissionDocument)
}

// at gives the submission of a page's link.
func (p *Platform) at(r *http.Request) (m submission, err error) {
	err = p.DB.View(r.Context(), func(tx *store.Tx) (err error) { m, err = submissionAt(tx, r.PathValue("link")); return err })
	return m, err
}

// submittable tells why nothing can be submitted.
func (m submission) submittable(today jitsuin.Date) error {
	switch {
	case m.state != api.SubmissionOpen:
		return jitsuin.Errorf(jitsuin.Conflict, "submission-closed", "a document has been submitted already, or the time is over")
	case today.After(m.lastDay):
		return jitsuin.Errorf(jitsuin.Expired, "submission-over", "the last day to submit was %s", m.lastDay)
	case m.tries >= mostTries:
		return jitsuin.Errorf(jitsuin.Limited, "submission-tries", "documents have been submitted %d times in vain", m.tries)
	}
	return nil
}

// wanted gives the document that is to be signed, and its digest.
func (p *Platform) wanted(ctx context.Context, m submission) (document []byte, sum [32]byte, err error) {
	var sealed []byte
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT document FROM submissions WHERE id = $1 AND tenant = $2`, m.id, m.tenant).Scan(&sealed)
	})
	if err == nil && len(sealed) == 0 {
		err = jitsuin.Errorf(jitsuin.NotFound, "submission-document", "there is no document to sign here")
	}
	if err == nil {
		document, err = p.copies.open(m.tenant, m.id, sealed)
	}
	return document, sha256.Sum256(document), err
}

// submissionDocument gives the document that is to be signed to the holder, and to a resident who reads it before.
func (p *Platform) submissionDocument(w http.ResponseWriter, r *http.Request) error {
	m, err := p.at(r)
	if err != nil {
		return err
	}
	document, _, err := p.wanted(r.Context(), m)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", m.mediaType)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(document)
	return err
}

// submissionSign leads the resident to their holder with the document.
func (p *Platform) submissionSign(w http.ResponseWriter, r *http.Request) error {
	m, err := p.at(r)
	if err != nil {
		return err
	}
	if err := errors.Join(m.submittable(jitsuin.DateOf(p.Clock.Now())), p.mayVerify(r.Context())); err != nil {
		return err
	}
	document, sum, err := p.wanted(r.Context(), m)
	if err != nil {
		return err
	}
	client, err := p.requestClient(r.Context(), m.tenant, p.origin())
	if err != nil {
		return err
	}
	q := errand.Request{Name: errandSubmit, About: m.link, Act: api.ActSign, Purpose: m.title, PurposeEN: m.titleEN, Client: &client,
		Documents: []api.RequestDocument{{Name: m.name, MediaType: m.mediaType, SHA256: sum[:], HRef: p.origin() + m.path() + "/document"}}}
	if m.mediaType == api.MediaTypeForm {
		f, err := form.Parse(document)
		if err != nil {
			return err
		}
		q.Items = f.Items()
	}
	return p.errands.Begin(w, r, q)
}

// takeSigned takes in what a holder answers. It may be called again with the same answer: the transaction names the act.
func (p *Platform) takeSigned(ctx context.Context, v errand.Visit, a api.HolderAnswer) (outcome, result string, err error) {
	var m submission
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) { m, err = submissionAt(tx, v.About); return err })
	if err != nil {
		return "", "", err
	}
	in := api.VerificationRequest{Document: a.Documents[0].Content, Purpose: m.purpose}
	if len(a.Signature) > 0 {
		in.Signature = a.Signature
	}
	err = p.receive(ctx, m, "submit-"+string(v.Txn), in)
	return outcomeReceived, v.About, err
}

// submitted takes the browser back to the page of its submission.
func (p *Platform) submitted(w http.ResponseWriter, r *http.Request, v errand.Visit) error {
	to := submission{link: v.About}.path()
	if v.Outcome != outcomeReceived {
		to += "?outcome=" + v.Outcome
	}
	seeOther(w, r, to)
	return nil
}

// submissionUpload takes a document that is signed already.
func (p *Platform) submissionUpload(w http.ResponseWriter, r *http.Request) error {
	m, err := p.at(r)
	if err != nil {
		return err
	}
	if m.mediaType != "" {
		return jitsuin.Errorf(jitsuin.Conflict, "submission-to-sign", "this document is signed here, not brought")
	}
	if err := p.mayVerify(r.Context()); err != nil {
		return err
	}
	act, content, err := readUpload(r)
	if err != nil {
		return err
	}
	if len(content) == 0 {
		seeOther(w, r, m.path()+"?outcome=no-file")
		return nil
	}
	if err := p.receive(r.Context(), m, "upload-"+string(act), api.VerificationRequest{Document: content, Purpose: m.purpose}); err != nil {
		return err
	}
	seeOther(w, r, m.path())
	return nil
}

// readUpload reads the parts of the form: act, by which the form takes effect once, and file.
func readUpload(r *http.Request) (act jitsuin.ID, content []byte, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return "", nil, jitsuin.Errorf(jitsuin.Invalid, "request-form", "the form cannot be read")
	}
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", nil, tooLarge(err)
		}
		raw, err := io.ReadAll(io.LimitReader(part, mostSubmittedUpload+1))
		switch {
		case err != nil:
			return "", nil, tooLarge(err)
		case len(raw) > mostSubmittedUpload:
			return "", nil, errUploadTooLarge()
		case part.FormName() == "act":
			if act, err = jitsuin.ParseID(string(raw)); err != nil {
				return "", nil, err
			}
		case part.FormName() == "file":
			content = raw
		}
	}
	if act == "" {
		err = jitsuin.Errorf(jitsuin.Invalid, "act-missing", "the form was not made by this site")
	}
	return act, content, err
}

func tooLarge(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errUploadTooLarge()
	}
	return jitsuin.Errorf(jitsuin.Invalid, "request-form", "the form cannot be read: %w", err)
}

func errUploadTooLarge() error {
	return jitsuin.Errorf(jitsuin.Invalid, "submission-large", "a document has at most %d MB", mostSubmittedUpload>>20)
}

// receive takes a document in: from here on it is checked, whatever happens to us or to the browser. key names the act:
// the same again changes nothing, another document while one is being checked is a Conflict.
func (p *Platform) receive(ctx context.Context, m submission, key string, in api.VerificationRequest) error {
	q, err := p.newQueued(m.tenant, key, in)
	if err != nil {
		return err
	}
	q.submission = m.id
	now := p.Clock.Now()
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		var known int
		err := tx.QueryRow(`SELECT COUNT(*) FROM queued_checks WHERE tenant = $1 AND submission = $2 AND (key = $3 OR key LIKE $4)`, m.tenant, m.id, key, key+"~%").Scan(&known)
		if err != nil || known > 0 {
			return err
		}
		m, err := submissionOf(tx, m.tenant, m.id)
		if err != nil {
			return err
		}
		if err := m.submittable(jitsuin.DateOf(now)); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE submissions SET state = $1, outcome = '' WHERE id = $2 AND tenant = $3`, api.SubmissionChecking, m.id, m.tenant); err != nil {
			return err
		}
		if err := putQueued(tx, q); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Line{Who: "resident", Act: "submission-received", Subject: string(m.id), Tenant: m.tenant})
	})
}

// judgeSubmitted adds to what was found of a signature what is to be found of a submitted document: that it is the one that was asked
// for, and that its form names who signed. It gives the outcome, "" for one to be delivered.
func (p *Platform) judgeSubmitted(ctx context.Context, q queued, in api.VerificationRequest, v api.Verification) (outcome string, err error) {
	switch {
	case v.Report.SubIndication == signature.TryLater:
		return outcomeUndecided, nil
	case v.Report.Verdict == signature.Malformed:
		return outcomeUnread, nil
	case v.Report.Verdict != signature.Passed:
		return outcomeRefused, nil
	case v.Items == nil:
		return outcomeStampOnly, nil
	}
	var m submission
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) { m, err = submissionOf(tx, q.tenant, q.submission); return err })
	if err != nil || m.mediaType == "" {
		return "", err
	}
	document, _, err := p.wanted(ctx, m)
	if err != nil {
		return "", err
	}
	signed := in.Document
	if in.Signature == nil { // inside: what was there before it
		if signed, err = pades.Original(in.Document); err != nil {
			return outcomeOther, nil
		}
	}
	if m.mediaType != api.MediaTypeForm {
		if !bytes.Equal(signed, document) {
			return outcomeOther, nil
		}
		return "", nil
	}
	filled, err := form.Read(signed)
	if err != nil || !sameForm(filled.Form, document) {
		return outcomeOther, nil
	}
	if len(filled.Differences(*v.Items)) > 0 {
		return outcomeItemsDiffer, nil
	}
	return "", nil
}

// sameForm tells whether a document was made from the form that was asked for: every word of it.
func sameForm(f form.Form, asked []byte) bool {
	want, err := form.Parse(asked)
	if err != nil {
		return false
	}
	a, err := json.Marshal(f)
	if err != nil {
		return false
	}
	b, err := json.Marshal(want)
	return err == nil && bytes.Equal(a, b)
}

// waitSubmitted gives a submission as soon as it is no longer being checked, or after a while as it is.
func (p *Platform) waitSubmitted(r *http.Request, m submission, most time.Duration) (submission, error) {
	signals, stop := p.DB.Watch(submissionSignal)
	defer stop()
	over := time.After(most)
	for {
		again, err := p.at(r)
		if err != nil || again.state != api.SubmissionChecking {
			return again, err
		}
		select {
		case <-signals:
		case <-over:
			return again, nil
		case <-r.Context().Done():
			return m, r.Context().Err()
		}
	}
}
