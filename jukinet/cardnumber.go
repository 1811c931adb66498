package jukinet

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jukinet/api"
)

type (
	cardNumberIn  struct{ Body api.CardNumberRequest }
	cardNumberOut struct{ Body api.CardNumber }
)

// offerCardNumbers tells J-LIS the My Number that stands on a card and in its chip, for the production of that
// card and for signing its text anew after a change, and nothing else (個人番号カードの作成, My Number Act art. 17). That
// it was told is recorded first, once an application or change. The answer is in no log and no trace.
func (n *Network) offerCardNumbers() {
	httpapi.Register(n.API, httpapi.Operation{ID: "card-number", Method: http.MethodPost, Path: "/card-numbers",
		Summary: "The My Number for a card that is being made",
		Policy:  only(agencyInstance)}, func(ctx context.Context, in *cardNumberIn) (*cardNumberOut, error) {
		for _, id := range []jitsuin.ID{in.Body.Application, in.Body.Subject} {
			if _, err := jitsuin.ParseID(string(id)); err != nil {
				return nil, err
			}
		}
		out := &cardNumberOut{}
		err := n.DB.Update(ctx, func(tx *store.Tx) error {
			p, err := readPerson(tx, in.Body.Subject)
			if err != nil {
				return err
			}
			if p == nil {
				return jitsuin.Errorf(jitsuin.NotFound, "person-unknown", "the network knows nobody by this id")
			}
			out.Body.MyNumber = p.MyNumber
			_, err = tx.Exec(`INSERT INTO number_told (caller, application, subject, told_at) VALUES ($1, $2, $3, $4) ON CONFLICT (caller, application) DO NOTHING`,
				httpapi.CallerOf(ctx).ID, string(in.Body.Application), string(in.Body.Subject), store.Micros(n.Clock.Now()))
			if err != nil {
				return err
			}
			var first string
			if err := tx.QueryRow(`SELECT subject FROM number_told WHERE caller = $1 AND application = $2`, httpapi.CallerOf(ctx).ID, string(in.Body.Application)).Scan(&first); err != nil {
				return err
			}
			if first != string(in.Body.Subject) {
				return jitsuin.Errorf(jitsuin.Conflict, "application-of-another", "this application is another person's")
			}
			return nil
		})
		return out, err
	})
}
