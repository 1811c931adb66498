package api

import (
	"context"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// NumberRequest asks the town, as the body that is entitled to it, for the My Number of a resident.
type NumberRequest struct {
	Clerk   string       `json:"clerk" minLength:"1" maxLength:"100"`
	Purpose face.Purpose `json:"purpose" maxLength:"30" doc:"social-security, tax, disaster or ordinance; nothing else is lawful"`
}

// NumberShown is the record of one showing. It lacks the number.
type NumberShown struct {
	ID      jitsuin.ID   `json:"id"`
	Subject jitsuin.ID   `json:"subject"`
	Purpose face.Purpose `json:"purpose"`
	Clerk   string       `json:"clerk"`
	ShownAt time.Time    `json:"shown_at" doc:"civil time"`
}

// NumberAnswer is My Number with the record of its showing. MyNumber prints as *** and is plain on the wire alone.
type NumberAnswer struct {
	Record   NumberShown      `json:"record"`
	MyNumber jitsuin.MyNumber `json:"my_number"`
}

// ShowNumber has My Number shown for a lawful purpose, which the town records first. Errors: Denied
// "number-purpose" for any other purpose, Conflict "not-resident" where the person is not on the register.
func (c Client) ShowNumber(ctx context.Context, subject jitsuin.ID, r NumberRequest) (NumberAnswer, error) {
	return httpapi.Do[NumberAnswer](ctx, c.Remote, http.MethodPost, "/residents/"+string(subject)+"/number", newKey(), r)
}

// NumbersShown lists the showings of a person's number here, the newest first.
func (c Client) NumbersShown(ctx context.Context, subject jitsuin.ID) ([]NumberShown, error) {
	out, err := httpapi.Do[struct {
		Shown []NumberShown `json:"shown"`
	}](ctx, c.Remote, http.MethodGet, "/residents/"+string(subject)+"/number/shown", "", nil)
	return out.Shown, err
}
