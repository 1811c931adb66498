package platform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	minister "github.com/jitsuin/jitsuin/minister/api"
)

const (
	// presenceRetry is how long the log waits where it could not say that the platform runs.
	presenceRetry = 2 * time.Second
	// lastWordTime bounds the writing of the line that says that the platform ends.
	lastWordTime = 5 * time.Second
)

// openLog makes the feed operations an operation log: it is offered to its witness, says every hour that the platform
// runs, and keeps what the witness states.
func (p *Platform) openLog() {
	p.Offer(audit.Topic, httpapi.Roles("minister"))
	p.refusals = newRefusals()
	p.API.OnRefused(p.refusals.note)
	p.Follow(p.cfg.Minister, minister.TopicWitness, p.applyStatement).
		OnForget(func(context.Context, *store.Tx, string) error { return nil }) // what was stated stays stated
	p.Go("operation log", p.keepLog)
}

// keepLog says that the platform runs, once an hour by the machine's clock, and writes down who was refused.
func (p *Platform) keepLog(ctx context.Context) error {
	run := string(jitsuin.NewID())
	due, act := time.Now(), audit.ActStarted
	for {
		wait := time.Until(due)
		if n := p.refusals.wait(); n > 0 {
			wait = min(wait, n)
		}
		select {
		case <-ctx.Done():
			return p.lastWord(context.WithoutCancel(ctx), run, act != audit.ActStarted)
		case <-time.After(wait):
		case <-p.refusals.first:
			continue
		}
		if err := p.writeRefusals(ctx, false); err != nil && ctx.Err() == nil {
			p.Log.WarnContext(ctx, "who was refused could not be written into the operation log yet", "err", err)
		}
		if time.Now().Before(due) {
			continue
		}
		if err := p.present(ctx, act, run); err != nil {
			if due = time.Now().Add(presenceRetry); ctx.Err() == nil {
				p.Log.WarnContext(ctx, "the operation log cannot say that the platform runs", "err", err)
			}
			continue
		}
		due, act = time.Now().Add(audit.PresenceEvery), audit.ActHour
	}
}

// lastWord says that the platform ends as it should, if it ever said that it runs.
func (p *Platform) lastWord(ctx context.Context, run string, started bool) error {
	ctx, cancel := context.WithTimeout(ctx, lastWordTime)
	defer cancel()
	if err := p.writeRefusals(ctx, true); err != nil {
		p.Log.WarnContext(ctx, "who was refused last is not in the operation log", "err", err)
	}
	if !started {
		return nil
	}
	if err := p.present(ctx, audit.ActStopped, run); err != nil {
		p.Log.WarnContext(ctx, "the operation log does not say that the platform ended", "err", err)
	}
	return nil
}

// present writes a line that says that the platform runs. It bears the signed head of the log before it, so what
// comes before cannot be made anew without our key.
func (p *Platform) present(ctx context.Context, act, run string) error {
	head, err := p.SignedHead(ctx, audit.Topic)
	if err != nil {
		return err
	}
	offset := p.Clock.Offset()
	now := p.Clock.Now()
	if moved := p.Clock.Offset(); moved != offset {
		offset, now = moved, p.Clock.Now()
	}
	line := audit.Present(act, p.Self.ID, run, offset, head)
	return p.DB.Update(ctx, func(tx *store.Tx) error { return audit.Record(ctx, tx, now, line) })
}

// applyStatement keeps what the witness states on our own log.
func (p *Platform) applyStatement(_ context.Context, tx *store.Tx, e feed.Event) error {
	if e.Subject != p.Self.ID || e.IsErased() {
		return nil
	}
	var s minister.StatementEvent
	if err := e.Decode(&s); err != nil {
		return err
	}
	if _, err := audit.ReadStatement(s.Statement, audit.DirectoryKeys(p.Directory)); err != nil {
		return err
	}
	id := sha256.Sum256([]byte(s.Statement))
	_, err := tx.Exec(`INSERT INTO witness_statements (id, number, epoch, n, statement) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`,
		hex.EncodeToString(id[:]), s.Number, s.Epoch, s.N, s.Statement)
	return err
}

// own is a line about something that the platform did by itself.
func (p *Platform) own(act, subject string, detail map[string]string) audit.Line {
	return audit.Line{Who: p.Self.ID, Act: act, Subject: subject, Detail: detail}
}
