package municipality

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

// The documents that the check takes for proof of who somebody is.
const (
	methodPhoto = "photo-document"
	methodReply = "reply-to-inquiry"
)

// agrees checks the application against the register: the person must be there now, the form must
// say what the register says, and the law must let them have the certificates. It refuses the case otherwise.
func (c *caseFile) agrees(r *record, today jitsuin.Date) bool {
	if r == nil || r.State != jitsuin.Present {
		c.refuse("not-resident", "the applicant is not on the register any more")
		return false
	}
	if differ := c.Form.Differences(r.Items); len(differ) > 0 {
		c.refuse("form-differs", "the form and the register disagree: "+strings.Join(differ, ", "), differ...)
		return false
	}
	if err := mayHave(c.Type, c.Kinds, *r, today); err != nil {
		c.refuseFor(err)
		return false
	}
	return true
}

// mayHave tells whether the law lets a resident have what is asked for today: the certificates,
// and a card that is valid at all.
func mayHave(asked api.ApplicationType, kinds []jitsuin.CertKind, r record, today jitsuin.Date) *jitsuin.Error {
	var err error
	for _, kind := range kinds {
		err = cmp.Or(err, rules.MayHold(kind, r.holder(), today))
	}
	if err == nil && asked == api.NewCard {
		_, err = rules.CardTerm(rules.CardIssue{Birth: r.Items.BirthDate, Applied: today, Issued: today,
			Stay: r.Standing.Stay, StayUntil: r.Standing.StayUntil})
	}
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*jitsuin.Error](err); ok {
		return e
	}
	return jitsuin.Errorf(jitsuin.Denied, "not-entitled", "%w", err)
}

// checkDocument compares a photo document with the register. It refuses the case where the document has
// expired, its items disagree, or the face is not that of the photograph.
func (c *caseFile) checkDocument(d api.Document, items jitsuin.FourItems, today jitsuin.Date) bool {
	differ := d.Items.Differences(items)
	switch {
	case d.Expires.Before(today):
		c.refuse("document-expired", fmt.Sprintf("the document was valid until %s", d.Expires), "document.expires")
	case len(differ) > 0:
		c.refuse("document-differs", "the document and the register disagree: "+strings.Join(differ, ", "), differ...)
	case !d.FaceMatches:
		c.refuse("face-differs", "the face is not that of the photograph", "document.face_matches")
	default:
		return true
	}
	return false
}

// checkRequestOf refuses what no check can be made of.
func checkRequestOf(k api.Check) error {
	if (k.Document != nil) == (k.ReplyCode != "") {
		return jitsuin.Errorf(jitsuin.Invalid, "evidence", "a check rests on a photo document or on the reply to an inquiry").At("document")
	}
	if k.Document != nil && (k.Document.Expires.IsZero() || strings.TrimSpace(k.Document.Type) == "") {
		return jitsuin.Errorf(jitsuin.Invalid, "document-incomplete", "the document's type and the day until which it is valid are needed").At("document")
	}
	return nil
}

// check is step ②. It gives an error where the case stays as it is, or as the tries of a letter
// have made it; a refusal closes the case and is no error.
func (c *caseFile) check(k api.Check, r *record, today jitsuin.Date, now time.Time) *jitsuin.Error {
	if k.Document == nil {
		if e := c.checkReply(k.ReplyCode, today); e != nil || c.State == api.Refused {
			return e
		}
	}
	if !c.agrees(r, today) || k.Document != nil && !c.checkDocument(*k.Document, r.Items, today) {
		return nil
	}
	c.Evidence = &evidence{Method: methodReply, Clerk: k.Clerk, Recorded: now}
	if d := k.Document; d != nil {
		c.Evidence.Method, c.Evidence.Type, c.Evidence.Number, c.Evidence.Expires = methodPhoto, d.Type, d.Number, d.Expires
	}
	c.State, c.Revision, c.Letter = api.Checked, r.Revision, nil
	return nil
}

// checkForm refuses an application form that cannot become a case.
func checkForm(n api.NewApplication) error {
	if err := n.Items.Check(); err != nil {
		return err
	}
	for i, k := range n.Kinds {
		if !k.Valid() || slices.Contains(n.Kinds[:i], k) {
			return jitsuin.Errorf(jitsuin.Invalid, "certificate-kind", "the kinds are sign and auth, each once").At("kinds")
		}
	}
	switch {
	case len(n.Kinds) == 0:
		return jitsuin.Errorf(jitsuin.Invalid, "certificate-kind", "the form asks for no certificate").At("kinds")
	case n.Type != api.NewCard && n.Type != api.Reissue:
		return jitsuin.Errorf(jitsuin.Invalid, "application-type", "an application is for a new card or for a re-issue").At("type")
	case n.Type == api.NewCard && n.Card != "":
		return jitsuin.Errorf(jitsuin.Invalid, "card-given", "somebody who asks for a new card presents none").At("card")
	case n.Type == api.Reissue && n.Card == "":
		return jitsuin.Errorf(jitsuin.Invalid, "card-missing", "a re-issue needs the card that was presented").At("card")
	}
	if n.Card != "" {
		if _, err := jitsuin.ParseID(string(n.Card)); err != nil {
			return err
		}
	}
	return nil
}
