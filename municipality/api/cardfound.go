package api

import (
	"context"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// FoundCard asks the counter to have the suspension of a resident's certificates lifted: the card was found, and a person was checked.
type FoundCard struct {
	Clerk    string   `json:"clerk" minLength:"1" maxLength:"100"`
	Document Document `json:"document" doc:"that of the person; with representative that of their legal representative"`
	// Representative tells that the legal representative (法定代理人) is at the counter, as they must be for somebody under 15.
	Representative bool `json:"representative,omitempty" doc:"the legal representative acts, who has shown that they are it"`
}

// CardFound is the record of it.
type CardFound struct {
	ID             jitsuin.ID `json:"id"`
	Subject        jitsuin.ID `json:"subject"`
	Clerk          string     `json:"clerk"`
	Document       string     `json:"document" doc:"its type"`
	Representative bool       `json:"representative"`
	At             time.Time  `json:"at" doc:"civil time"`
	Certificates   int        `json:"certificates" doc:"how many are good again, on the card and on a telephone"`
}

// CardFound has a suspension lifted. key is the Idempotency-Key. Errors: Denied "document-expired", "document-differs", "face-differs",
// "representative-needed" and "representative-not-needed", Conflict "not-resident".
func (c Client) CardFound(ctx context.Context, subject jitsuin.ID, f FoundCard, key string) (CardFound, error) {
	return httpapi.Do[CardFound](ctx, c.Remote, http.MethodPost, "/residents/"+string(subject)+"/card-found", key, f)
}
