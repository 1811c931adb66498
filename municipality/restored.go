package municipality

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// A municipality whose database was restored from a backup gets back what others have of it. The changes of
// the lost time come from the registry network, which has each notice: the register and the log of changes are
// brought up to it before anything new is recorded, and the notices are sent again in the new epoch, where the
// network knows them. What J-LIS delivered to cases that are lost makes the cases anew. Nobody has the rest: who
// recorded the changes, inquiries, applications that had not come to J-LIS. Those residents apply once more.

// recoverLater has the register recovered once the actor runs.
func (t *Town) recoverLater() {
	if t.Restored() == nil || t.Restored().CaughtUp {
		return
	}
	t.recovering.Store(true)
	done := t.NeedsToCatchUp()
	t.Go("recover the register", func(ctx context.Context) error {
		if t.recovering.Load() {
			if err := t.recoverRegister(ctx); err != nil {
				return err // the task is started again
			}
			t.recovering.Store(false)
			done()
		}
		<-ctx.Done()
		return nil
	})
}

// upToDate refuses acts while the register may be older than what the network knows.
func (t *Town) upToDate() error {
	if !t.recovering.Load() {
		return nil
	}
	return jitsuin.Errorf(jitsuin.Unavailable, "register-restored", "the register was restored and is being brought up to the registry network").
		WithHint("try again in a moment; it needs the registry network to answer")
}

// clerkOfRecovery stands in the log of changes in the place of a clerk whom nobody remembers.
const clerkOfRecovery = "住基ネットから復元"

// recoverRegister enters the changes that the network has taken in after the backup.
func (t *Town) recoverRegister(ctx context.Context) error {
	network := jukinet.Client{Remote: t.Remote(networkInstance)}
	var after jitsuin.Position
	err := t.DB.View(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(`SELECT epoch, n FROM feed_events WHERE topic = $1 AND epoch < (SELECT epoch FROM feed_epoch WHERE id = 1)
			ORDER BY epoch DESC, n DESC LIMIT 1`, jukinet.TopicResidents).Scan(&after.Epoch, &after.N)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	for entered := 0; ; {
		lost, err := network.TakenAfter(ctx, after)
		if err != nil {
			return fmt.Errorf("ask the network for lost notices: %w", err)
		}
		for _, l := range lost {
			household := jitsuin.NewID()
			var done bool
			err := t.DB.Update(ctx, func(tx *store.Tx) (err error) {
				done, err = t.reenact(tx, l, household)
				return err
			})
			if err != nil {
				return fmt.Errorf("enter a lost change (%s) again: %w", l.Notice.Cause, err)
			}
			if done {
				entered++
			}
			after = l.Position
		}
		if len(lost) == 0 {
			t.Log.WarnContext(ctx, "the register has the changes of the lost time back", "changes", entered)
			return nil
		}
	}
}

// reenact records a change that the network knows, unless it is on the register. household is for somebody
// who is new.
func (t *Town) reenact(tx *store.Tx, l jukinet.Taken, household jitsuin.ID) (bool, error) {
	n := l.Notice
	var have int
	err := tx.QueryRow(`SELECT COUNT(*) FROM change_log WHERE subject = $1 AND request_id = $2 AND cause = $3`,
		string(n.Subject), n.RequestID, string(n.Cause)).Scan(&have)
	if err != nil || have > 0 || n.RequestID == "" {
		return false, err
	}
	before, err := readRecord(tx, n.Subject)
	if err != nil {
		return false, err
	}
	after := record{Subject: n.Subject, Household: household}
	if before != nil {
		after = *before
	}
	after.Items, after.State, after.MyNumber, after.ResidentCode, after.ContinuedUse = n.Items, n.State, n.MyNumber, n.ResidentCode, n.ContinuedUse
	after.Destination, after.ArrivedAt = n.Destination, ""
	if n.State == jitsuin.Moving {
		after.ArrivedAt = l.Now
	}
	switch n.Cause {
	case jitsuin.CauseMoveOut:
		after.DepartsOn = n.OccurredOn
	case jitsuin.CauseMoveIn:
		after.DepartsOn, after.Household = jitsuin.Date{}, household
		if err := fillStanding(tx, before, &after); err != nil {
			return false, err
		}
	}
	now := t.Clock.Now()
	if err := saveRecord(tx, after); err != nil {
		return false, err
	}
	r := api.ChangeRequest{Cause: n.Cause, OccurredOn: n.OccurredOn, Clerk: clerkOfRecovery}
	if err := logChange(tx, r, n.Change, before, after, store.Micros(now)); err != nil {
		return false, err
	}
	if _, err := tx.Exec(`UPDATE number_stock SET used = 1 WHERE resident_code = $1`, n.ResidentCode.Reveal()); err != nil {
		return false, err
	}
	_, err = feed.Append(tx, feed.Draft{Topic: jukinet.TopicResidents, Subject: string(n.Subject), Type: jukinet.TypeNotice,
		Body: after.notice(n.Change), RecordedAt: now})
	return true, err
}

// fillStanding takes the standing of somebody who moved in from the moving-out certificate, which comes by the
// network's feed, maybe a moment later.
func fillStanding(tx *store.Tx, before, after *record) error {
	c, err := readCertificate(tx, after.Subject)
	if err != nil {
		return err
	}
	if c == nil {
		if before != nil && before.State == jitsuin.Abroad {
			return nil
		}
		return jitsuin.Errorf(jitsuin.Unavailable, "moving-certificate-missing", "the moving-out certificate has not come again yet")
	}
	after.Standing = c.Standing
	return useCertificate(tx, after.Subject)
}

func knowsCase(tx *store.Tx, id jitsuin.ID) (bool, error) {
	var n int
	err := tx.QueryRow(`SELECT COUNT(*) FROM counter_case WHERE id = $1`, string(id)).Scan(&n)
	return n > 0, err
}

// adopt makes a case anew that a restored database has lost and J-LIS has brought to its end.
func (t *Town) adopt(tx *store.Tx, d jlis.Delivered) error {
	known, err := knowsCase(tx, d.Application)
	if err != nil || known || t.Restored() == nil {
		return err
	}
	r, err := readRecord(tx, d.Subject)
	if err != nil {
		return err
	}
	if r == nil || t.recovering.Load() {
		return jitsuin.Errorf(jitsuin.Unavailable, "register-restored", "the register has not been brought up to the network yet")
	}
	c := &caseFile{ID: d.Application, Type: api.NewCard, State: api.Notified, Subject: d.Subject, Form: r.Items, Revision: r.Revision, RequestID: string(d.Application)}
	if d.Type == jlis.Reissue || d.Type == "" && r.Card == d.Card {
		c.Type, c.Card = api.Reissue, d.Card
	}
	for _, i := range d.Certificates {
		c.Kinds = append(c.Kinds, i.Kind)
	}
	return t.saveCase(tx, c)
}

// staleHandle is how the card host says that a card is not here any more.
const staleHandle = "stale-handle"

// passedOnMeanwhile tells, where the town's database was restored, whether an error says that the card has gone
// on after the backup: a chip does not go back in time. It is with the resident then.
func (t *Town) passedOnMeanwhile(err error) bool {
	return t.Restored() != nil && jitsuin.CodeOf(err) == staleHandle
}

// closeCase closes a case whose card turned out to be with the resident.
func (t *Town) closeCase(ctx context.Context, id jitsuin.ID) error {
	t.Log.WarnContext(ctx, "a card was handed over after the backup; its case is closed", "application", id)
	return t.DB.Update(ctx, func(tx *store.Tx) error {
		c, err := readCase(tx, id)
		if err != nil || !c.open() {
			return err
		}
		if err := dropChip(tx, c.Card); err != nil {
			return err
		}
		return t.finish(tx, c)
	})
}

// findCards looks, once after a restore, which of the chips that were here then are here still.
func (t *Town) findCards(ctx context.Context) error {
	if t.Restored() == nil || t.Restored().CaughtUp {
		return nil
	}
	handles := map[jitsuin.ID]string{}
	err := t.DB.View(ctx, func(tx *store.Tx) error {
		ready, err := store.Collect(scanCase)(tx.Query(`SELECT body FROM counter_case WHERE state = $1`, string(api.Ready)))
		for _, c := range ready {
			if handles[c.ID], err = readChip(tx, c.Card); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for id, handle := range handles {
		_, err := t.cards.Info(ctx, host.Handle(handle))
		if t.passedOnMeanwhile(err) {
			err = t.closeCase(ctx, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
