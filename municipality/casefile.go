package municipality

import (
	"bytes"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// caseFile is a case of the counter: an application from the form to the hand-over. Its states and
// what leads from one to the next:
//
//	received ──SendInquiry──▶ inquiry-sent
//	received, inquiry-sent ──Check──▶ checked | refused           ②
//	checked ──(re-issue: SubmitKeys)──notify──▶ notified | refused ③
//	notified ──jlis.delivered──▶ delivered, jlis.refused──▶ refused
//	delivered ──(new card: chip fetched)──▶ ready                 ⑤
//	ready (new card), delivered (re-issue) ──Complete──▶ done     ⑥
//
// What the town does by itself (notify, fetch, pass on) is done by advance, which is also what
// resumes it after a crash.
type caseFile struct {
	ID        jitsuin.ID           `json:"id"`
	Type      api.ApplicationType  `json:"type"`
	State     api.ApplicationState `json:"state"`
	Subject   jitsuin.ID           `json:"subject"`
	Kinds     []jitsuin.CertKind   `json:"kinds"`
	Card      jitsuin.ID           `json:"card,omitempty"`
	Form      jitsuin.FourItems    `json:"form"`
	RequestID string               `json:"request_id"`

	// Revision is that of the resident record against which the applicant was checked.
	Revision int64     `json:"revision,omitempty"`
	Evidence *evidence `json:"evidence,omitempty"`
	Letter   *letter   `json:"letter,omitempty"`

	PublicKeys   map[jitsuin.CertKind][]byte `json:"public_keys,omitempty"`
	Position     string                      `json:"position,omitempty"`
	Certificates []api.Certificate           `json:"certificates,omitempty"`
	CardExpires  jitsuin.Date                `json:"card_expires"`
	CardNumber   string                      `json:"card_number,omitempty"`
	SecurityCode string                      `json:"security_code,omitempty"`
	// Completing is the clerk who handed over, from then until the card has been passed on.
	Completing string `json:"completing,omitempty"`

	Code      string    `json:"code,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Fields    []string  `json:"fields,omitempty"`
	UpdatedAt time.Time `json:"updated_at"`
}

// evidence is how the applicant was checked (step ②).
type evidence struct {
	Method   string       `json:"method"` // "photo-document" or "reply-to-inquiry"
	Clerk    string       `json:"clerk"`
	Type     string       `json:"type,omitempty"`
	Number   string       `json:"number,omitempty"`
	Expires  jitsuin.Date `json:"expires"`
	Recorded time.Time    `json:"recorded"`
}

// view is the case as the terminal sees it.
func (c *caseFile) view() api.Application {
	return api.Application{ID: c.ID, Type: c.Type, State: c.State, Subject: c.Subject, Kinds: c.Kinds, Card: c.Card,
		Position: c.Position, Certificates: c.Certificates, CardExpires: c.CardExpires, CardNumber: c.CardNumber, SecurityCode: c.SecurityCode, Code: c.Code, Reason: c.Reason, Fields: c.Fields, UpdatedAt: c.UpdatedAt}
}

// due tells whether the town has something to do by itself.
func (c *caseFile) due() bool {
	switch c.State {
	case api.Checked:
		return c.Type == api.NewCard || len(c.PublicKeys) > 0
	case api.Delivered:
		return c.Type == api.NewCard
	case api.Ready:
		return c.Completing != ""
	}
	return false
}

// open tells whether the case is not closed.
func (c *caseFile) open() bool { return c.State != api.Done && c.State != api.Refused }

// in refuses an act that the case's state does not allow.
func (c *caseFile) in(states ...api.ApplicationState) error {
	if slices.Contains(states, c.State) {
		return nil
	}
	return jitsuin.Errorf(jitsuin.Conflict, "case-state", "the case is %q; this needs it to be %q", c.State, states[0])
}

// refuse closes the case.
func (c *caseFile) refuse(code, reason string, fields ...string) {
	c.State, c.Code, c.Reason, c.Fields = api.Refused, code, reason, fields
}

// refuseFor closes the case for the reason that an error gives.
func (c *caseFile) refuseFor(err *jitsuin.Error) {
	c.refuse(err.Code, err.Message)
	if err.Field != "" {
		c.Fields = []string{err.Field}
	}
}

// deliver takes in what J-LIS made. A J-LIS that was restored from a backup tells again of what it knows,
// and makes anew what it has lost: the case is then open again until the resident has come for it, because
// the certificates of the first time are dead.
func (c *caseFile) deliver(d jlis.Delivered) error {
	switch {
	case c.Card == d.Card && c.has(d.Certificates):
		return nil // told again
	case len(c.Certificates) > 0 && d.Subject == c.Subject:
		c.State, c.Certificates, c.Completing = api.Notified, nil, ""
	}
	if err := c.in(api.Notified); err != nil {
		return err
	}
	if d.Subject != c.Subject || (c.Type == api.Reissue && d.Card != c.Card) {
		return jitsuin.Errorf(jitsuin.Conflict, "delivery-differs", "what was delivered is not what the case asked for")
	}
	c.State, c.Card, c.CardExpires = api.Delivered, d.Card, d.CardExpires
	c.CardNumber, c.SecurityCode = d.CardNumber, d.SecurityCode
	for _, i := range d.Certificates {
		c.Certificates = append(c.Certificates, api.Certificate{Kind: i.Kind, Certificate: i.Certificate, NotAfter: i.NotAfter})
	}
	return nil
}

// has tells whether the case has exactly these certificates.
func (c *caseFile) has(issued []jlis.Issued) bool {
	for _, i := range issued {
		if !slices.ContainsFunc(c.Certificates, func(x api.Certificate) bool { return bytes.Equal(x.Certificate, i.Certificate) }) {
			return false
		}
	}
	return len(issued) == len(c.Certificates) && len(issued) > 0
}

// refused takes in that J-LIS has refused the application. Where it was restored from a backup it may refuse
// now what it had granted: the certificates of that time are dead, and the case says why.
func (c *caseFile) refused(r jlis.Refused, at time.Time) error {
	if len(c.Certificates) > 0 && r.Subject == c.Subject {
		c.Code, c.Reason, c.Fields = r.Code, r.Reason, r.Fields
		for i := range c.Certificates {
			if x := &c.Certificates[i]; x.RevokedAt == nil {
				x.RevokedAt, x.RecordedAt = &at, &at
			}
		}
		return nil
	}
	if err := c.in(api.Notified); err != nil {
		return err
	}
	c.refuse(r.Code, r.Reason, r.Fields...)
	return nil
}

// revoked marks the certificate of that kind; it tells whether there is one.
func (c *caseFile) revoked(r jlis.Revoked) bool {
	for i := range c.Certificates {
		if x := &c.Certificates[i]; x.Kind == r.Kind && x.RevokedAt == nil {
			x.RevokedAt, x.RecordedAt = &r.EffectiveAt, &r.RecordedAt
			return true
		}
	}
	return false
}
