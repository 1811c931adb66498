package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/rules"
)

// Case is an application as the clerk sees it: with the form, how the applicant was checked, and whose it is.
type Case struct {
	Application
	// Name is that of the resident on the register, which may differ from the form's.
	Name     string            `json:"name"`
	Form     jitsuin.FourItems `json:"form" doc:"as written on the application form"`
	Evidence *Evidence         `json:"evidence,omitempty"`
	// ReplyBy is the last day for the reply to an inquiry letter that is on its way.
	ReplyBy jitsuin.Date `json:"reply_by,omitzero"`
}

// Evidence is how an applicant was checked (②).
type Evidence struct {
	Method   string       `json:"method" doc:"photo-document or reply-to-inquiry"`
	Clerk    string       `json:"clerk"`
	Type     string       `json:"type,omitempty"`
	Number   string       `json:"number,omitempty"`
	Expires  jitsuin.Date `json:"expires,omitzero"`
	Recorded time.Time    `json:"recorded"`
}

// Desk is what lies on the desk: the cases that are not closed, and those that were closed on this day;
// or all cases of one person. The oldest change comes first.
type Desk struct {
	Cases []Case `json:"cases"`
	// Arrivals are the moving-out certificates (転出証明書情報) that have come and are not used; only in
	// the list of all persons.
	Arrivals []Arrival `json:"arrivals,omitempty"`
	// Mark changes whenever the list does.
	Mark string `json:"mark"`
}

// Arrival is a moving-out certificate as the clerk sees it: without the two numbers.
type Arrival struct {
	Subject   jitsuin.ID               `json:"subject"`
	From      jitsuin.MunicipalityCode `json:"from"`
	PlannedOn jitsuin.Date             `json:"planned_on"`
	Items     jitsuin.FourItems        `json:"items" doc:"with the address that the person leaves"`
	Standing  Standing                 `json:"standing,omitzero"`
}

// Preview is what a change would do; nothing has been recorded.
type Preview struct {
	Change    jitsuin.Change `json:"change"`
	NoticeDue jitsuin.Date   `json:"notice_due"`
	Late      bool           `json:"late,omitempty"`
	// Effect is what it does to the certificates of the person.
	Effect rules.Revocation `json:"effect"`
	// Lapse is when the card ends by it, if it does; see CardLapse.
	Lapse *CardLapse `json:"lapse,omitempty"`
	// Revision is that of the record the change would be made to; give it to ChangeRequest.
	Revision int64 `json:"revision"`
}

// CardLapse tells from which day on a card (個人番号カード) no longer counts, and by what rule.
type CardLapse struct {
	On jitsuin.Date `json:"on"`
	// Last, where it is a date, is the last day on which something still saves the card: the notice of
	// arrival after a departure, or presenting it after the arrival.
	Last jitsuin.Date `json:"last,omitzero"`
	Rule rules.Rule   `json:"rule"`
}

// TicketRequest asks for a sign-in ticket of a clerk.
type TicketRequest struct {
	Clerk string `json:"clerk" minLength:"1" maxLength:"100" doc:"the clerk's name, which will stand in every record"`
}

// Ticket lets one browser in, once: at the town's origin, EnterPath?ticket=TICKET. A page of the counter
// may be named in the query member next, such as next=/counter/cases/ID.
type Ticket struct {
	Ticket    string    `json:"ticket" doc:"a secret until it is used"`
	ExpiresAt time.Time `json:"expires_at" doc:"wall time"`
}

// EnterPath is where a ticket is used up.
const EnterPath = "/counter/enter"

// Link gives the address, below the town's origin, that signs in and leads to a page of the counter
// (such as /counter/residents/ID; "" for the work of the day).
func (t Ticket) Link(next string) string {
	v := url.Values{"ticket": {t.Ticket}}
	if next != "" {
		v.Set("next", next)
	}
	return EnterPath + "?" + v.Encode()
}

// Desk lists what lies on the desk. With wait it answers as soon as the mark is no longer since, at the
// latest after wait.
func (c Client) Desk(ctx context.Context, since string, wait time.Duration) (Desk, error) {
	return httpapi.Do[Desk](ctx, c.Remote, http.MethodGet, "/desk"+deskQuery(since, wait), "", nil)
}

// DeskOf lists all cases of a person, as Desk does.
func (c Client) DeskOf(ctx context.Context, subject jitsuin.ID, since string, wait time.Duration) (Desk, error) {
	return httpapi.Do[Desk](ctx, c.Remote, http.MethodGet, "/residents/"+string(subject)+"/desk"+deskQuery(since, wait), "", nil)
}

func deskQuery(since string, wait time.Duration) string {
	return "?" + url.Values{"since": {since}, "wait": {wait.String()}}.Encode()
}

// Case gives one case as the clerk sees it.
func (c Client) Case(ctx context.Context, id jitsuin.ID) (Case, error) {
	return httpapi.Do[Case](ctx, c.Remote, http.MethodGet, "/applications/"+string(id)+"/file", "", nil)
}

// Arrival gives the moving-out certificate of a person that has come and is not used; NotFound
// "moving-certificate-missing" where there is none.
func (c Client) Arrival(ctx context.Context, subject jitsuin.ID) (Arrival, error) {
	return httpapi.Do[Arrival](ctx, c.Remote, http.MethodGet, "/arrivals/"+string(subject), "", nil)
}

// Preview tells what a change would do, with the errors that Record would give.
func (c Client) Preview(ctx context.Context, r ChangeRequest) (Preview, error) {
	return httpapi.Do[Preview](ctx, c.Remote, http.MethodPost, "/changes/preview", "", r)
}

// Ticket asks for a sign-in ticket. It is good for two minutes and once.
func (c Client) Ticket(ctx context.Context, clerk string) (Ticket, error) {
	return httpapi.Do[Ticket](ctx, c.Remote, http.MethodPost, "/counter/tickets", newKey(), TicketRequest{clerk})
}
