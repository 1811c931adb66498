package municipality

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/municipality/api"
)

type (
	casesIn struct {
		After string `query:"after" maxLength:"32" doc:"the last id of the page before"`
		Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}
	casesOut   struct{ Body api.Applications }
	changesOut struct{ Body api.RecordedChanges }
)

// listApplications gives cases in the order of their ids, a page at a time.
func (t *Town) listApplications(ctx context.Context, in *casesIn) (*casesOut, error) {
	return t.cases(ctx, `SELECT body FROM counter_case WHERE id > $1 ORDER BY id LIMIT $2`, in.After, in.Limit)
}

// listApplicationsOf gives all cases of a person; nothing for somebody unknown.
func (t *Town) listApplicationsOf(ctx context.Context, in *idIn) (*casesOut, error) {
	return t.cases(ctx, `SELECT body FROM counter_case WHERE subject = $1 ORDER BY id`, in.ID)
}

func (t *Town) cases(ctx context.Context, query string, args ...any) (*casesOut, error) {
	out := &casesOut{}
	err := t.DB.View(ctx, func(tx *store.Tx) error {
		found, err := store.Collect(scanCase)(tx.Query(query, args...))
		out.Body.Applications = make([]api.Application, 0, len(found))
		for _, c := range found {
			out.Body.Applications = append(out.Body.Applications, c.view())
		}
		return err
	})
	return out, err
}

// listChanges gives what was recorded of a person here, the oldest first; nothing for somebody unknown.
func (t *Town) listChanges(ctx context.Context, in *idIn) (*changesOut, error) {
	out := &changesOut{api.RecordedChanges{Changes: []api.RecordedChange{}}}
	err := t.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.Collect(scanChange)(tx.Query(`SELECT revision, cause, occurred_on, notice_due, clerk, request_id, before, recorded_at
			FROM change_log WHERE subject = $1 ORDER BY revision`, in.ID))
		out.Body.Changes = append([]api.RecordedChange{}, all...)
		return err
	})
	return out, err
}

func scanChange(s store.Scanner) (c api.RecordedChange, err error) {
	var on, due, before string
	var at int64
	if err := s.Scan(&c.Revision, &c.Cause, &on, &due, &c.Clerk, &c.RequestID, &before, &at); err != nil {
		return c, err
	}
	c.RecordedAt = store.Time(at)
	if err := errors.Join(c.OccurredOn.UnmarshalText([]byte(on)), c.NoticeDue.UnmarshalText([]byte(due))); err != nil {
		return c, err
	}
	if before != "" {
		c.Before = &jitsuin.FourItems{}
		err = json.Unmarshal([]byte(before), c.Before)
	}
	return c, err
}
