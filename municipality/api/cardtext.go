package api

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// CardTextRequest asks the town for the text of the card of a resident which is on the counter's reader.
type CardTextRequest struct {
	Clerk  string `json:"clerk" minLength:"1" maxLength:"100"`
	Number string `json:"number" minLength:"15" maxLength:"15" doc:"製造番号, as the card says it"`
}

// CardText are the files of the text application, signed by J-LIS: EF 0002, 0003 and 0004. They go into the card and
// nowhere else.
type CardText struct {
	Items     []byte `json:"items"`
	Authentic []byte `json:"authentic"`
	CVC       []byte `json:"cvc"`
}

// CardText asks for what the counter writes into a card after a move or a change of name, signed by J-LIS. Errors:
// Conflict "not-resident"; NotFound "card-unknown" where the card is not this person's; Unavailable
// "register-behind" while J-LIS has not heard of the change.
func (c Client) CardText(ctx context.Context, subject jitsuin.ID, r CardTextRequest) (CardText, error) {
	return httpapi.Do[CardText](ctx, c.Remote, http.MethodPost, "/residents/"+string(subject)+"/card-text", newKey(), r)
}
