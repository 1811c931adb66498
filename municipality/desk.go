package municipality

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

type (
	deskIn struct {
		Since string `query:"since" maxLength:"64" doc:"answer as soon as the mark is another"`
		Wait  string `query:"wait" maxLength:"20" doc:"at most this long, such as 25s"`
	}
	deskOfIn struct {
		ID string `path:"id" maxLength:"32"`
		deskIn
	}
	deskOut    struct{ Body api.Desk }
	fileOut    struct{ Body api.Case }
	arrivalOut struct{ Body api.Arrival }
	previewOut struct{ Body api.Preview }
)

// deskRoutes are what a clerk looks at; none of them changes anything.
func (t *Town) deskRoutes(counter httpapi.Policy) {
	op := func(id, method, path, summary string) httpapi.Operation {
		return httpapi.Operation{ID: id, Method: method, Path: path, Summary: summary, Policy: counter}
	}
	httpapi.Register(t.API, op("desk", http.MethodGet, "/desk", "What lies on the desk; with since it waits for a change"),
		func(ctx context.Context, in *deskIn) (*deskOut, error) { return t.watchDesk(ctx, "", in) })
	httpapi.Register(t.API, op("desk-of", http.MethodGet, "/residents/{id}/desk", "A person's cases as the clerk sees them; with since it waits for a change"),
		func(ctx context.Context, in *deskOfIn) (*deskOut, error) {
			return t.watchDesk(ctx, jitsuin.ID(in.ID), &in.deskIn)
		})
	httpapi.Register(t.API, op("case-file", http.MethodGet, "/applications/{id}/file", "A case with its form and how the applicant was checked"),
		func(ctx context.Context, in *idIn) (out *fileOut, err error) {
			out = &fileOut{}
			err = t.DB.View(ctx, func(tx *store.Tx) error {
				c, err := readCase(tx, jitsuin.ID(in.ID))
				if err == nil {
					out.Body, err = fileOf(tx, c)
				}
				return err
			})
			return out, err
		})
	httpapi.Register(t.API, op("arrival", http.MethodGet, "/arrivals/{id}", "The moving-out certificate of a person that has come and is not used"),
		func(ctx context.Context, in *idIn) (out *arrivalOut, err error) {
			out = &arrivalOut{}
			err = t.DB.View(ctx, func(tx *store.Tx) error {
				c, err := readCertificate(tx, jitsuin.ID(in.ID))
				if err == nil && c == nil {
					err = jitsuin.Errorf(jitsuin.NotFound, "moving-certificate-missing", "no moving-out certificate of this person has come").
						WithHint("the town of the last address records the departure to this town first")
				}
				if err == nil {
					out.Body = arrivalOf(*c)
				}
				return err
			})
			return out, err
		})
	httpapi.Register(t.API, op("preview-change", http.MethodPost, "/changes/preview", "What a change would do; it changes nothing"),
		func(ctx context.Context, in *changeIn) (out *previewOut, err error) {
			out = &previewOut{}
			err = t.DB.View(ctx, func(tx *store.Tx) error {
				out.Body, err = t.preview(tx, in.Body)
				return err
			})
			return out, err
		})
}

// listPoll is how soon a list that waits is looked at again without a signal.
const listPoll = 5 * time.Second

// watchDesk answers at once, or with since and wait as soon as the list is another.
func (t *Town) watchDesk(ctx context.Context, subject jitsuin.ID, in *deskIn) (*deskOut, error) {
	wait, err := readWait(in.Wait)
	if err != nil {
		return nil, err
	}
	signals, stop := t.DB.Watch(caseSignal)
	defer stop()
	timeout := time.NewTimer(min(wait, longestWait))
	defer timeout.Stop()
	poll := listPoll
	if t.DB.Shared() {
		poll = sharedPoll
	}
	for over := wait == 0; ; {
		out, err := t.desk(ctx, subject)
		if err != nil || over || out.Mark != in.Since {
			return &deskOut{out}, err
		}
		select {
		case <-signals:
		case <-time.After(poll):
		case <-timeout.C:
			over = true
		case <-actor.Stopping(ctx):
			over = true
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func readWait(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(text)
	if err != nil || wait < 0 {
		return 0, jitsuin.Errorf(jitsuin.Invalid, "wait-form", "wait is a duration such as 25s").At("wait")
	}
	return wait, nil
}

func (t *Town) desk(ctx context.Context, subject jitsuin.ID) (out api.Desk, err error) {
	err = t.DB.View(ctx, func(tx *store.Tx) error {
		out = api.Desk{Cases: []api.Case{}}
		found, err := listCases(tx, subject, t.today().Start())
		if err != nil {
			return err
		}
		for _, c := range found {
			file, err := fileOf(tx, c)
			if err != nil {
				return err
			}
			out.Cases = append(out.Cases, file)
		}
		if subject == "" {
			out.Arrivals, err = listArrivals(tx)
		}
		return err
	})
	if err != nil {
		return out, err
	}
	raw, err := json.Marshal(out)
	sum := sha256.Sum256(raw)
	out.Mark = hex.EncodeToString(sum[:16])
	return out, err
}

// fileOf is a case as the clerk sees it.
func fileOf(tx *store.Tx, c *caseFile) (api.Case, error) {
	r, err := readRecord(tx, c.Subject)
	if err != nil {
		return api.Case{}, err
	}
	out := api.Case{Application: c.view(), Form: c.Form}
	if r != nil {
		out.Name = r.Items.Name
	}
	if e := c.Evidence; e != nil {
		out.Evidence = &api.Evidence{Method: e.Method, Clerk: e.Clerk, Type: e.Type, Number: e.Number, Expires: e.Expires, Recorded: e.Recorded}
	}
	if c.Letter != nil {
		out.ReplyBy = c.Letter.ReplyBy
	}
	return out, nil
}

// preview decides on a change as recordChange does, and stores nothing.
func (t *Town) preview(tx *store.Tx, r api.ChangeRequest) (api.Preview, error) {
	s, err := t.situate(tx, r)
	if err != nil {
		return api.Preview{}, err
	}
	s.NewSubject, s.NewHousehold = jitsuin.NewID(), jitsuin.NewID()
	after, err := decide(r, s)
	if err != nil {
		return api.Preview{}, err
	}
	before := jitsuin.FourItems{}
	switch {
	case s.Before != nil && r.Cause != jitsuin.CauseMoveIn:
		before = s.Before.Items
	case s.Certificate != nil: // what the registry network has of the person
		before = s.Certificate.Items
	case s.Before != nil:
		before = s.Before.Items
	}
	c := changeOf(r, s, after, "")
	effect, err := rules.Effect(c, before)
	if err != nil {
		return api.Preview{}, err
	}
	due := noticeDue(r)
	p := api.Preview{Change: c, NoticeDue: due, Late: !due.IsZero() && s.Today.After(due), Effect: effect, Lapse: cardLapse(r, after, s.Today)}
	if s.Before != nil {
		p.Revision = s.Before.Revision
	} else {
		p.Change.Subject = r.Subject // the one drawn here means nobody
	}
	return p, nil
}

// cardLapse tells when a change ends the card; nil where it does not.
func cardLapse(r api.ChangeRequest, after record, today jitsuin.Date) *api.CardLapse {
	var h rules.CardHistory
	var last jitsuin.Date
	switch {
	case r.Cause == jitsuin.CauseMoveOut && after.State == jitsuin.Moving:
		h.MoveOutPlanned, last = r.OccurredOn, rules.MoveInDeadline(r.OccurredOn, jitsuin.Date{})
	case r.Cause == jitsuin.CauseMoveOut:
		h.Abroad = r.OccurredOn
		if r.ContinuedUse {
			h.ContinuedAbroad = today
		}
	case r.Cause == jitsuin.CauseMoveIn:
		h.MoveInFiled, last = today, rules.PresentCardDeadline(today)
	case r.Cause == jitsuin.CauseDeath:
		h.Died = r.OccurredOn
	case r.Cause == jitsuin.CauseDeleted:
		h.Deleted = r.OccurredOn
	case r.Cause == jitsuin.CauseCodeRequested, r.Cause == jitsuin.CauseCodeOfficial:
		h.CodeChanged = r.OccurredOn
	}
	on, why, ok := h.Lapse()
	if !ok {
		return nil
	}
	return &api.CardLapse{On: on, Last: last, Rule: why.Rule()}
}
