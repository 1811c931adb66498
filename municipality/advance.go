package municipality

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// advance does what the town has to do by itself in one case. Every step can be repeated.
func (t *Town) advance(ctx context.Context, id jitsuin.ID) error {
	var c *caseFile
	err := t.DB.View(ctx, func(tx *store.Tx) (err error) {
		c, err = readCase(tx, id)
		return err
	})
	if err != nil || !c.due() {
		return err
	}
	ctx = httpapi.WithRequestID(ctx, c.RequestID)
	switch c.State {
	case api.Checked:
		return t.notifyAgency(ctx, id)
	case api.Delivered:
		return t.fetchChip(ctx, c)
	default:
		return t.passOn(ctx, c)
	}
}

// notifyAgency is step ③: it appends the application to the feed with the position of the
// residents feed that J-LIS must have applied before it issues.
//
// Why no certificate is made from an older record than the position covers. The applicant was
// checked against revision R of the record, and the event of R was committed with R, before the
// check. The position is taken after the check was committed and covers all that was committed
// when it is asked for, so it covers R. The transaction below appends only if the record still has
// revision R; a change that was committed in between, which the position may not cover, is seen
// there: then the register is compared with the form again and the position taken anew.
// Transactions are serializable and both touch the record, so a change that this transaction does
// not see comes after it in every order that counts: its notice reaches J-LIS as a later event of
// the person, before the issue (J-LIS compares the items once more) or after it (it revokes).
func (t *Town) notifyAgency(ctx context.Context, id jitsuin.ID) error {
	for {
		position, err := t.Position(ctx, jukinet.TopicResidents)
		if err != nil {
			return err
		}
		again := false
		err = t.DB.Update(ctx, func(tx *store.Tx) (err error) {
			again, err = t.notify(tx, id, position)
			return err
		})
		if err != nil || !again {
			return err
		}
	}
}

// notify appends the application of a case, or says that the record has changed since the check.
func (t *Town) notify(tx *store.Tx, id jitsuin.ID, position jitsuin.Position) (again bool, err error) {
	c, err := readCase(tx, id)
	if err != nil || c.State != api.Checked || !c.due() {
		return false, err
	}
	r, err := readRecord(tx, c.Subject)
	if err != nil {
		return false, err
	}
	if r == nil || r.Revision != c.Revision {
		if c.agrees(r, t.today()) {
			c.Revision, again = r.Revision, true
		}
		return again, t.saveCase(tx, c)
	}
	c.State, c.Position = api.Notified, position.String()
	_, err = feed.Append(tx, feed.Draft{Topic: jlis.TopicApplications, Subject: string(c.ID), Type: jlis.TypeApplication, RecordedAt: t.Clock.Now(),
		Body: jlis.Application{ID: c.ID, Type: jlis.ApplicationType(c.Type), Subject: c.Subject, Municipality: t.code, Items: r.Items,
			Holder:   jlis.Holder{Stay: r.Standing.Stay, StayUntil: r.Standing.StayUntil, AdultWard: r.Standing.AdultWard},
			Position: position, Kinds: c.Kinds, Card: c.Card, PublicKeys: c.PublicKeys, RequestID: c.RequestID}})
	if err != nil {
		return false, err
	}
	return false, t.saveCase(tx, c)
}

// fetchChip is step ⑤: J-LIS passes the chip on to this town, which passes it on to itself so that
// nobody else knows the handle that opens it, and records that handle. Both calls give the same
// when they are repeated, so a crash in between is no loss.
func (t *Town) fetchChip(ctx context.Context, c *caseFile) error {
	got, err := t.agency.Receive(ctx, c.Card)
	if t.passedOnMeanwhile(err) {
		return t.closeCase(ctx, c.ID)
	}
	if err != nil {
		return err
	}
	own, err := t.cards.Transfer(ctx, host.Handle(got.Handle), host.Custodian(t.Self.ID), string(c.ID)+"-receive")
	if t.passedOnMeanwhile(err) {
		return t.closeCase(ctx, c.ID)
	}
	if err != nil {
		return err
	}
	info, err := t.cards.Info(ctx, own)
	if t.passedOnMeanwhile(err) { // what came back is the answer of then
		return t.closeCase(ctx, c.ID)
	}
	if err != nil {
		return err
	}
	if info.ID != c.Card {
		return jitsuin.Errorf(jitsuin.Conflict, "chip-differs", "J-LIS has handed over another card than it delivered")
	}
	return t.DB.Update(ctx, func(tx *store.Tx) error {
		c, err := readCase(tx, c.ID)
		if err != nil || c.State != api.Delivered {
			return err
		}
		c.State = api.Ready
		if err := saveChip(tx, c.Card, own.Reveal()); err != nil {
			return err
		}
		return t.saveCase(tx, c)
	})
}

// passOn gives the card to the resident's holder at the card host and closes the case. The case's
// own id is the token that makes the transfer one, however often it is asked for.
func (t *Town) passOn(ctx context.Context, c *caseFile) error {
	var handle string
	err := t.DB.View(ctx, func(tx *store.Tx) (err error) {
		now, err := readCase(tx, c.ID)
		if err != nil || now.State != api.Ready { // somebody else has passed it on meanwhile
			return err
		}
		handle, err = readChip(tx, c.Card)
		return err
	})
	if err != nil || handle == "" {
		return err
	}
	_, err = t.cards.Transfer(ctx, host.Handle(handle), host.Holder, string(c.ID)+"-handover")
	if t.passedOnMeanwhile(err) {
		return t.closeCase(ctx, c.ID)
	}
	if err != nil {
		return err
	}
	return t.DB.Update(ctx, func(tx *store.Tx) error {
		c, err := readCase(tx, c.ID)
		if err != nil || c.State != api.Ready {
			return err
		}
		if err := dropChip(tx, c.Card); err != nil {
			return err
		}
		return t.finish(tx, c)
	})
}

// finish closes a case whose card is with the resident.
func (t *Town) finish(tx *store.Tx, c *caseFile) error {
	c.State, c.Completing = api.Done, ""
	if err := setCard(tx, c.Subject, c.Card); err != nil {
		return err
	}
	if c.Type == api.NewCard {
		if err := loseSeal(tx, c.Subject); err != nil {
			return err
		}
	}
	return t.saveCase(tx, c)
}

// caseRetry is how soon a case whose step failed is tried again. Cases are looked at as often
// without a signal too: none is given where a commit took effect and its answer was lost, or where
// another process on the same database made it.
const caseRetry = time.Second

// advanceCases does what falls to the town, when a case has changed and again after a failure. It
// also resumes what a crash interrupted.
func (t *Town) advanceCases(ctx context.Context) error {
	signals, stop := t.DB.Watch(caseSignal)
	defer stop()
	if err := t.findCards(ctx); err != nil && ctx.Err() == nil {
		return err // the task is started again
	}
	for ctx.Err() == nil {
		if err := t.advanceAll(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-signals:
		case <-time.After(caseRetry):
		}
	}
	return nil
}

func (t *Town) advanceAll(ctx context.Context) error {
	var due []jitsuin.ID
	err := t.DB.View(ctx, func(tx *store.Tx) (err error) {
		due, err = dueCases(tx)
		return err
	})
	for _, id := range due {
		if err := t.advance(ctx, id); err != nil && ctx.Err() == nil {
			t.Log.WarnContext(ctx, "a case waits", "application", id, "err", err)
		}
	}
	return err
}
