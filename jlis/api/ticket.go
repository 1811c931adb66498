package api

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Operations that a ticket may allow.
const (
	OperationLoad        = "load"
	OperationPersonalise = "personalise"
	OperationDelete      = "delete"
)

// TicketRequest asks for a ticket: the provider of an application of the free area (空き領域) wants to act on one
// chip, which has just drawn the challenge. See card.Ticket.
type TicketRequest struct {
	AID        string   `json:"aid" minLength:"10" maxLength:"32" doc:"hex"`
	Chip       string   `json:"chip" minLength:"16" maxLength:"16" doc:"the chip's serial number"`
	Challenge  []byte   `json:"challenge" doc:"32 bytes, as the chip gave them"`
	PublicKey  []byte   `json:"public_key" doc:"the provider's P-256 key, DER SubjectPublicKeyInfo"`
	Operations []string `json:"operations" minItems:"1" maxItems:"3" doc:"load, personalise, delete"`
}

// Ticket is the answer: what the chip takes, and the ground that it stands on.
type Ticket struct {
	Ticket []byte       `json:"ticket"`
	Ground jitsuin.ID   `json:"ground" doc:"id of the designation or ordinance"`
	Bytes  int          `json:"bytes" doc:"room on the chip"`
	Until  jitsuin.Date `json:"until,omitzero" doc:"last day of the ground"`
}

// Ticket asks for a ticket. The same request gets the same ticket. Denied "no-ground" where the caller has no
// designation or ordinance for the name, or none in force today; deleting needs one that was ever in force.
func (c Client) Ticket(ctx context.Context, r TicketRequest) (Ticket, error) {
	return httpapi.Do[Ticket](ctx, c.Remote, http.MethodPost, "/chip-tickets", "", r)
}
