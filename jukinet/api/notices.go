package api

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Taken is a notice of a municipality as the network has taken it in. Notice is a Notice without the standing.
type Taken struct {
	Position jitsuin.Position `json:"position" doc:"in the municipality's feed of that time"`
	Notice   Notice           `json:"notice"`
	// Now is the municipality where the person stands by now, where that is another one.
	Now jitsuin.MunicipalityCode `json:"now,omitempty"`
}

// TakenList is what a municipality is answered: the oldest notices after a position.
type TakenList struct {
	Notices []Taken `json:"notices"`
}

// Client calls the network as a municipality.
type Client struct{ *httpapi.Remote }

// TakenAfter gives the caller's own notices after a position of its feed, the oldest first, at most some hundreds
// at a time; none at the end. It is for a municipality whose database was restored from a backup.
func (c Client) TakenAfter(ctx context.Context, after jitsuin.Position) ([]Taken, error) {
	out, err := httpapi.Do[TakenList](ctx, c.Remote, http.MethodGet, "/notices?after="+after.String(), "", nil)
	return out.Notices, err
}

// CardNumberRequest asks for the My Number that stands on the card of an application. Where the text of a card that
// exists is signed anew, Application is J-LIS's identifier of that.
type CardNumberRequest struct {
	Application jitsuin.ID `json:"application"`
	Subject     jitsuin.ID `json:"subject"`
}

// CardNumber is My Number for the production of one card.
type CardNumber struct {
	MyNumber jitsuin.MyNumber `json:"my_number"`
}

// CardNumber asks for the My Number of a card that is being made; it can be repeated. For J-LIS alone:
// Denied for anybody else. NotFound "person-unknown", Conflict "application-of-another".
func (c Client) CardNumber(ctx context.Context, r CardNumberRequest) (jitsuin.MyNumber, error) {
	out, err := httpapi.Do[CardNumber](ctx, c.Remote, http.MethodPost, "/card-numbers", "", r)
	return out.MyNumber, err
}
