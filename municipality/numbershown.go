package municipality

import (
	"context"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/municipality/api"
)

type (
	numberIn struct {
		ID   string `path:"id" maxLength:"32"`
		Body api.NumberRequest
	}
	numberOut struct{ Body api.NumberAnswer }
	shownOut  struct {
		Body struct {
			Shown []api.NumberShown `json:"shown"`
		}
	}
)

func (t *Town) numberRoutes(counter httpapi.Policy) {
	httpapi.Register(t.API, httpapi.Operation{ID: "show-number", Method: http.MethodPost, Path: "/residents/{id}/number", Policy: counter,
		Summary: "Show My Number for a lawful purpose, which is recorded"}, t.showNumber)
	httpapi.Register(t.API, httpapi.Operation{ID: "numbers-shown", Method: http.MethodGet, Path: "/residents/{id}/number/shown", Policy: counter,
		Summary: "Who had a person's My Number shown, and what for"}, t.listNumbersShown)
}

// showNumber records who asks and what for, and only then gives the number: it is the one answer of the counter's
// interface that has it. What is kept for a repetition of the request is the record, without the number.
func (t *Town) showNumber(ctx context.Context, in *numberIn) (*numberOut, error) {
	id, now, caller := jitsuin.NewID(), t.Clock.Now(), httpapi.CallerOf(ctx).ID
	record, err := httpapi.Once(ctx, t.DB, "show-number", []any{in.ID, in.Body}, func(tx *store.Tx) (shown api.NumberShown, err error) {
		r, err := residentHere(tx, jitsuin.ID(in.ID))
		if err != nil {
			return shown, err
		}
		if _, err := face.Disclose(r.MyNumber, caller, in.Body.Purpose); err != nil {
			return shown, err
		}
		shown = api.NumberShown{ID: id, Subject: r.Subject, Purpose: in.Body.Purpose, Clerk: in.Body.Clerk, ShownAt: now}
		_, err = tx.Exec(`INSERT INTO number_shown (id, subject, purpose, clerk, caller, request_id, shown_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			string(id), string(shown.Subject), string(shown.Purpose), shown.Clerk, caller, httpapi.RequestID(ctx), store.Micros(now))
		return shown, err
	})
	t.Log.InfoContext(ctx, "My Number shown", "clerk", in.Body.Clerk, "subject", in.ID, "purpose", in.Body.Purpose, "record", record.ID,
		"request_id", httpapi.RequestID(ctx), "refused", jitsuin.CodeOf(err), "at", now.Format(time.RFC3339))
	if err != nil {
		return nil, err
	}
	out := &numberOut{api.NumberAnswer{Record: record}}
	err = t.DB.View(ctx, func(tx *store.Tx) error {
		r, err := residentHere(tx, jitsuin.ID(in.ID))
		if err == nil {
			out.Body.MyNumber = r.MyNumber
		}
		return err
	})
	return out, err
}

// residentHere gives the record of somebody who is on the register now.
func residentHere(tx *store.Tx, subject jitsuin.ID) (*record, error) {
	r, err := readRecord(tx, subject)
	switch {
	case err != nil:
		return nil, err
	case r == nil:
		return nil, errUnknownResident()
	case r.State != jitsuin.Present:
		return nil, jitsuin.Errorf(jitsuin.Conflict, "not-resident", "the person is not on the register any more")
	}
	return r, nil
}

func (t *Town) listNumbersShown(ctx context.Context, in *idIn) (*shownOut, error) {
	out := &shownOut{}
	out.Body.Shown = []api.NumberShown{}
	err := t.DB.View(ctx, func(tx *store.Tx) (err error) {
		found, err := store.Collect(func(s store.Scanner) (n api.NumberShown, err error) {
			var id, subject, purpose string
			var at int64
			err = s.Scan(&id, &subject, &purpose, &n.Clerk, &at)
			n.ID, n.Subject, n.Purpose, n.ShownAt = jitsuin.ID(id), jitsuin.ID(subject), face.Purpose(purpose), store.Time(at)
			return n, err
		})(tx.Query(`SELECT id, subject, purpose, clerk, shown_at FROM number_shown WHERE subject = $1 ORDER BY shown_at DESC, id`, in.ID))
		if err == nil {
			out.Body.Shown = append(out.Body.Shown, found...)
		}
		return err
	})
	return out, err
}
