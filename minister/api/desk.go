package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// TicketRequest asks for a sign-in ticket of an official.
type TicketRequest struct {
	Official string `json:"official" minLength:"1" maxLength:"100" doc:"the official's name, which will stand in every record"`
}

// Ticket lets one browser in at the desk, once: at the office's origin, EnterPath?ticket=TICKET. A page of the desk may be named
// in the query member next, such as next=/desk/audits.
type Ticket struct {
	Ticket    string    `json:"ticket" doc:"a secret until it is used"`
	ExpiresAt time.Time `json:"expires_at" doc:"wall time"`
}

// EnterPath is where a ticket is used up.
const EnterPath = "/desk/enter"

// Link gives the address, below the office's origin, that signs in and leads to a page of the desk ("" for the work of the day).
func (t Ticket) Link(next string) string {
	v := url.Values{"ticket": {t.Ticket}}
	if next != "" {
		v.Set("next", next)
	}
	return EnterPath + "?" + v.Encode()
}

// Ticket asks for a sign-in ticket. It is good for two minutes and once.
func (c Client) Ticket(ctx context.Context, official string) (Ticket, error) {
	return httpapi.Do[Ticket](ctx, c.Remote, http.MethodPost, "/desk/tickets", string(jitsuin.NewID()), TicketRequest{official})
}
