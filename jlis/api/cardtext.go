package api

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// CardTextRequest asks for the text of a card after a move or a change of name (券面記載事項の変更). Number is what the
// card on the reader says (製造番号); Items are what the municipality's register says.
type CardTextRequest struct {
	Subject jitsuin.ID        `json:"subject"`
	Number  string            `json:"number" minLength:"15" maxLength:"15" doc:"製造番号"`
	Items   jitsuin.FourItems `json:"items"`
}

// CardText are the files of the text application, signed: EF 0002, 0003 and 0004. Authentic has a hash of My Number,
// which can be guessed from it: it goes into the card and nowhere else.
type CardText struct {
	Items     []byte `json:"items"`
	Authentic []byte `json:"authentic"`
	CVC       []byte `json:"cvc"`
}

// CardText asks for a card's text. NotFound "card-unknown" where J-LIS made no such card for this person; Denied
// "not-for-this-caller" where the person is not the municipality's; Unavailable "register-behind" while J-LIS has
// not heard of the items yet. Repeated, the answer is the same.
func (c Client) CardText(ctx context.Context, r CardTextRequest) (CardText, error) {
	return httpapi.Do[CardText](ctx, c.Remote, http.MethodPost, "/card-texts", "", r)
}
