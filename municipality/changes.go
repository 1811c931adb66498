package municipality

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// recordChange records a change (異動) once: the record, the log of the change and the notice to
// the network in one transaction. An impossible act is refused and changes nothing.
func (t *Town) recordChange(ctx context.Context, r api.ChangeRequest) (api.ChangeResult, error) {
	subject, household := jitsuin.NewID(), jitsuin.NewID() // drawn once, whatever reruns
	if err := t.upToDate(); err != nil {
		return api.ChangeResult{}, err
	}
	result, err := httpapi.Once(ctx, t.DB, "record-change", r, func(tx *store.Tx) (api.ChangeResult, error) {
		s, err := t.situate(tx, r)
		if err != nil {
			return api.ChangeResult{}, err
		}
		s.NewSubject, s.NewHousehold = subject, household
		after, err := decide(r, s)
		if err != nil {
			return api.ChangeResult{}, err
		}
		return t.enact(ctx, tx, r, s, after)
	})
	if err == nil {
		t.Log.InfoContext(ctx, "change recorded", "clerk", r.Clerk, "act", r.Cause, "request_id", httpapi.RequestID(ctx), "late", result.Late)
	} else {
		t.Log.InfoContext(ctx, "change refused", "clerk", r.Clerk, "act", r.Cause, "request_id", httpapi.RequestID(ctx), "code", jitsuin.CodeOf(err))
	}
	return result, err
}

// situate reads what the decision needs.
func (t *Town) situate(tx *store.Tx, r api.ChangeRequest) (s situation, err error) {
	s = situation{Town: t.code, Today: t.today(), IsTown: t.isTown}
	if r.Subject != "" {
		if s.Before, err = readRecord(tx, r.Subject); err != nil {
			return s, err
		}
	}
	if r.Cause == jitsuin.CauseMoveIn {
		if s.Certificate, err = readCertificate(tx, r.Subject); err != nil {
			return s, err
		}
	}
	if r.Household != "" {
		if s.HouseholdExists, err = householdExists(tx, r.Household); err != nil {
			return s, err
		}
	}
	if r.Subject == "" && r.Items != nil {
		if s.Twin, err = twinExists(tx, *r.Items); err != nil {
			return s, err
		}
	}
	if takesNumbers(r) {
		s.Numbers, err = nextNumbers(tx)
	}
	return s, err
}

// takesNumbers tells whether the change uses up numbers of the stock.
func takesNumbers(r api.ChangeRequest) bool {
	switch r.Cause {
	case jitsuin.CauseCodeRequested, jitsuin.CauseCodeOfficial, jitsuin.CauseBirth:
		return true
	}
	return r.Cause == jitsuin.CauseEntered && r.Subject == ""
}

func (t *Town) isTown(code jitsuin.MunicipalityCode) bool {
	_, err := t.Directory.Lookup("municipality:" + string(code))
	return err == nil
}

// enact stores what was decided and tells the network.
func (t *Town) enact(ctx context.Context, tx *store.Tx, r api.ChangeRequest, s situation, after record) (api.ChangeResult, error) {
	now := t.Clock.Now()
	c := changeOf(r, s, after, httpapi.RequestID(ctx))
	due := noticeDue(r)
	result := api.ChangeResult{Change: c, RecordedAt: now, NoticeDue: due, Late: !due.IsZero() && s.Today.After(due), Revision: after.Revision + 1}
	if err := saveRecord(tx, after); err != nil {
		return result, err
	}
	if err := logChange(tx, r, c, s.Before, after, store.Micros(now)); err != nil {
		return result, err
	}
	if s.Certificate != nil {
		if err := useCertificate(tx, after.Subject); err != nil {
			return result, err
		}
	}
	if s.Numbers != nil {
		if err := takeNumbers(tx, s.Numbers); err != nil {
			return result, err
		}
	}
	_, err := feed.Append(tx, feed.Draft{Topic: jukinet.TopicResidents, Subject: string(after.Subject), Type: jukinet.TypeNotice,
		Body: after.notice(c), RecordedAt: now})
	return result, err
}
