package platform

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// toldSignal is notified with every event; with ":" and the tenant's id for those of one tenant.
const toldSignal = "platform.told"

// eventsKept is how long an event can be asked for, wall time.
const eventsKept = 90 * 24 * time.Hour

// tell stores an event for a tenant in the transaction of its cause. data is one of the types of platform/api;
// it names things by ids and says nothing about a person, for events are pushed to addresses and lie in logs.
// The event's number is the tenant's next one, and its id follows from all that it says: it differs from the id
// of whatever had this number in a database that was put back to an earlier day.
func (p *Platform) tell(tx *store.Tx, tenant, kind string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode the event: %w", err)
	}
	if _, err := tx.Exec(`INSERT INTO tenant_outboxes (tenant, last_n, read_n) VALUES ($1, 1, 0)
		ON CONFLICT (tenant) DO UPDATE SET last_n = tenant_outboxes.last_n + 1`, tenant); err != nil {
		return err
	}
	var n int64
	if err := tx.QueryRow(`SELECT last_n FROM tenant_outboxes WHERE tenant = $1`, tenant).Scan(&n); err != nil {
		return err
	}
	told := p.Clock.Now()
	_, err = tx.Exec(`INSERT INTO tenant_events (tenant, n, id, type, data, told_at, stored_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		tenant, n, eventID(tenant, n, kind, told, body), kind, string(body), store.Micros(told), store.Micros(time.Now()))
	tx.Notify(toldSignal)
	tx.Notify(toldSignal + ":" + tenant)
	return err
}

func eventID(tenant string, n int64, kind string, told time.Time, body []byte) jitsuin.ID {
	h := sha256.New()
	fmt.Fprintf(h, "jitsuin-event\x00%s\x00%d\x00%s\x00%d\x00", tenant, n, kind, store.Micros(told))
	h.Write(body)
	return jitsuin.ID(hex.EncodeToString(h.Sum(nil)[:16]))
}

// cursor is a place in a tenant's events: the number of the last that was read, and the beginning of its id.
type cursor struct {
	n    int64
	mark string
}

const cursorMark = 8 // digits of an id

func (c cursor) String() string {
	if c.n == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%s", c.n, c.mark)
}

func cursorOf(e api.Event) cursor { return cursor{e.N, string(e.ID[:cursorMark])} }

// parseCursor reads what String wrote; "" is the beginning.
func parseCursor(text string) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	number, mark, ok := strings.Cut(text, ".")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 1 || len(mark) != cursorMark || strings.Trim(mark, "0123456789abcdef") != "" {
		return cursor{}, jitsuin.Errorf(jitsuin.Invalid, "cursor-form", "a cursor is given back as it was given out; to begin, it is left out").At("after")
	}
	return cursor{n, mark}, nil
}

// checkCursor tells whether a cursor still names what it named.
func checkCursor(tx *store.Tx, tenant string, c cursor) error {
	if c.n == 0 {
		return nil
	}
	var id string
	err := tx.QueryRow(`SELECT id FROM tenant_events WHERE tenant = $1 AND n = $2`, tenant, c.n).Scan(&id)
	switch {
	case err == nil && strings.HasPrefix(id, c.mark):
		return nil
	case err == nil:
		return errCursorForeign()
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	var first, last int64
	if err := tx.QueryRow(`SELECT COALESCE(MIN(n), 0) FROM tenant_events WHERE tenant = $1`, tenant).Scan(&first); err != nil {
		return err
	}
	if err := tx.QueryRow(`SELECT COALESCE(MAX(last_n), 0) FROM tenant_outboxes WHERE tenant = $1`, tenant).Scan(&last); err != nil {
		return err
	}
	switch {
	case c.n > last:
		return errCursorForeign()
	case c.n == last || c.n+1 == first: // the event itself is forgotten; none after it is
		return nil
	}
	return jitsuin.Errorf(jitsuin.Expired, "events-gone", "events after this cursor are no longer kept").At("after").
		WithHint("events are kept for %d days; compare what you asked for with its results, then begin without a cursor", int(eventsKept.Hours()/24))
}

func errCursorForeign() error {
	return jitsuin.Errorf(jitsuin.Conflict, "cursor-foreign", "no event of yours has this cursor: the platform's database was put back to an earlier day, or the cursor is somebody else's").At("after").
		WithHint("begin without a cursor; events that you have had have the same id again")
}

const eventColumns = `n, id, type, data, told_at`

func scanEvent(s store.Scanner) (e api.Event, err error) {
	var data string
	var told int64
	err = s.Scan(&e.N, &e.ID, &e.Type, &data, &told)
	e.Data, e.At = json.RawMessage(data), store.Time(told)
	if err == nil {
		e.Cursor = cursorOf(e).String()
	}
	return e, err
}

// eventsAfter gives a tenant's events after a number, in their order.
func eventsAfter(tx *store.Tx, tenant string, n int64, most int) ([]api.Event, error) {
	return store.Collect(scanEvent)(tx.Query(`SELECT `+eventColumns+` FROM tenant_events WHERE tenant = $1 AND n > $2 ORDER BY n LIMIT $3`, tenant, n, most))
}

// events answers a tenant's question for what it was told after a cursor, and waits for a while where that is
// nothing. The cursor acknowledges: what lies before it is not pushed any more.
func (p *Platform) events(ctx context.Context, tenant, after string, most int, wait time.Duration) (api.Events, error) {
	c, err := parseCursor(after)
	if err != nil {
		return api.Events{}, err
	}
	told, stop := p.DB.Watch(toldSignal + ":" + tenant)
	defer stop()
	over := time.NewTimer(min(max(wait, 0), api.MaxEventWait))
	defer over.Stop()
	for waiting := wait > 0; ; {
		page, err := p.eventPage(ctx, tenant, c, most)
		if err != nil || len(page.Events) > 0 || !waiting {
			return page, err
		}
		select {
		case <-ctx.Done():
			return page, ctx.Err()
		case <-told:
		case <-over.C:
			waiting = false
		case <-actor.Stopping(ctx):
			return page, nil
		}
	}
}

func (p *Platform) eventPage(ctx context.Context, tenant string, c cursor, most int) (page api.Events, err error) {
	var read int64
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) {
		if err := checkCursor(tx, tenant, c); err != nil {
			return err
		}
		if err := tx.QueryRow(`SELECT COALESCE(MAX(read_n), 0) FROM tenant_outboxes WHERE tenant = $1`, tenant).Scan(&read); err != nil {
			return err
		}
		page.Events, err = eventsAfter(tx, tenant, c.n, most)
		return err
	})
	if err != nil {
		return api.Events{}, err
	}
	page.Cursor = c.String()
	if n := len(page.Events); n > 0 {
		page.Cursor = page.Events[n-1].Cursor
	}
	if page.Events == nil {
		page.Events = []api.Event{}
	}
	if c.n <= read {
		return page, nil
	}
	return page, p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE tenant_outboxes SET read_n = $1 WHERE tenant = $2 AND read_n < $1`, c.n, tenant)
		return err
	})
}

// forgetEvents drops events that were stored before a time.
func (p *Platform) forgetEvents(ctx context.Context, before time.Time) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`/* every tenant: events are kept for so long */ DELETE FROM tenant_events WHERE tenant <> '' AND stored_at < $1`, store.Micros(before))
		return err
	})
}
