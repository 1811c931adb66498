package securities

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature/form"
)

// maxAnswerBody holds a document and a signature in base64.
const maxAnswerBody = 8 << 20

type answerIn struct{ Body api.HolderAnswer }

type answerOut struct{ Body api.AnswerTaken }

// postAnswer takes in what a holder answers to a request of this firm.
//
//  1. The request is found by txn and state, and the answer noted with a code that leads the browser
//     back: one commit. From here on the signed document cannot be lost.
//  2. The document is judged, the platform asked, and the outcome stored with all that follows from it:
//     one commit.
//
// The same answer again gives the same address and goes on where the first stopped; another answer to the
// same request is a Conflict. Whether the outcome is good or bad is told to the person, not to the holder.
func (f *Firm) postAnswer(ctx context.Context, in *answerIn) (*answerOut, error) {
	if err := checkAnswer(in.Body); err != nil {
		return nil, err
	}
	r, first, err := f.takeAnswer(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	switch {
	case r.act == api.ActSign:
		err = f.decide(ctx, r.application)
	case first && r.outcome == pending:
		err = f.decideLogin(ctx, r.txn, in.Body)
	}
	if err != nil { // the person can have it tried again
		f.Log.WarnContext(ctx, "an answer waits to be decided", "act", r.act, "err", err)
	}
	return &answerOut{api.AnswerTaken{ReturnURL: f.cfg.Origin + "/return?code=" + url.QueryEscape(r.code)}}, nil
}

// signatureMark is in every PDF that is signed inside itself; whether the signature is one, is judged later.
var signatureMark = []byte("/ByteRange")

// checkAnswer refuses what no holder sends.
func checkAnswer(a api.HolderAnswer) error {
	bad := func(field, text string) error {
		return jitsuin.Errorf(jitsuin.Invalid, "answer-form", "%s", text).At(field)
	}
	switch {
	case a.Error != "" && (len(a.Signature) > 0 || len(a.Documents) > 0):
		return bad("error", "an answer is an error or a signature, not both")
	case a.Error == "" && len(a.Signature) == 0 && (len(a.Documents) == 0 || !bytes.Contains(a.Documents[0].Content, signatureMark)):
		return bad("signature", "the answer has no signature")
	case len(a.Documents) > 1:
		return bad("documents", "one document is signed at a time")
	case len(a.Documents) == 1 && (a.Documents[0].MediaType != "application/pdf" || len(a.Documents[0].Content) == 0 || len(a.Documents[0].Content) > form.MaxPDF):
		return bad("documents", "the signed document is a PDF")
	}
	return nil
}

func digestOfAnswer(a api.HolderAnswer) (string, error) {
	raw, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

// takeAnswer notes an answer; first is false where the same was noted before.
func (f *Firm) takeAnswer(ctx context.Context, a api.HolderAnswer) (r request, first bool, err error) {
	digest, err := digestOfAnswer(a)
	if err != nil {
		return r, false, err
	}
	code, check, civil, wall := newToken(), string(jitsuin.NewID()), f.Clock.Now(), time.Now()
	err = f.DB.Update(ctx, func(tx *store.Tx) error {
		first = false
		var err error
		r, err = scanRequest(tx.QueryRow(`SELECT `+requestColumns+` FROM requests WHERE txn = $1`, a.Txn))
		if errors.Is(err, sql.ErrNoRows) || err == nil && subtle.ConstantTimeCompare([]byte(r.state), []byte(a.State)) != 1 {
			return jitsuin.Errorf(jitsuin.NotFound, "answer-unknown", "this firm has not asked for this answer")
		}
		switch {
		case err != nil:
			return err
		case r.answer == digest:
			return nil
		case r.answer != "":
			return jitsuin.Errorf(jitsuin.Conflict, "answer-given", "this request has been answered with something else")
		case r.act == api.ActSign && a.Error == "" && len(a.Documents) == 0:
			return jitsuin.Errorf(jitsuin.Invalid, "answer-form", "the answer has no document").At("documents")
		case r.act == api.ActLogin && a.Error == "" && len(a.Signature) == 0:
			return jitsuin.Errorf(jitsuin.Invalid, "answer-form", "the answer has no signature").At("signature")
		}
		first, r.answer, r.code = true, digest, code
		r.outcome = outcomeOfAnswer(a, wall.After(r.expiresAt))
		return noteAnswer(tx, r, a, check, civil)
	})
	return r, first, err
}

// outcomeOfAnswer is what can be told of an answer without looking at what was signed.
func outcomeOfAnswer(a api.HolderAnswer, over bool) outcome {
	switch {
	case a.Error == "access_denied":
		return cancelled
	case over:
		return late
	case a.Error != "":
		return holderFailed
	}
	return pending
}

func noteAnswer(tx *store.Tx, r request, a api.HolderAnswer, check string, civil time.Time) error {
	if _, err := tx.Exec(`UPDATE requests SET answer = $1, code = $2, outcome = $3 WHERE txn = $4`, r.answer, r.code, string(r.outcome), r.txn); err != nil {
		return err
	}
	if r.act != api.ActSign {
		return nil
	}
	if r.outcome != pending {
		_, err := settleApplication(tx, r.application, decision{outcome: r.outcome}, "", civil)
		return err
	}
	_, err := tx.Exec(`INSERT INTO documents (application, received_at, content, signature, check_id) VALUES ($1, $2, $3, $4, $5)`,
		r.application, store.Micros(civil), a.Documents[0].Content, append([]byte{}, a.Signature...), check)
	return err
}
