package platform

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// QueueConfig says how checks are made that were not asked for at once: those of batches, and of what residents
// submit. All durations are wall time.
type QueueConfig struct {
	// Workers is how many checks are made at a time: two.
	Workers int `yaml:"workers,omitempty" check:"not-negative"`
	// MostItems and MostBytes are how much may wait of one tenant: 1000 checks, 256 MiB.
	MostItems int   `yaml:"most_items,omitempty" check:"not-negative"`
	MostBytes int64 `yaml:"most_bytes,omitempty" check:"not-negative"`
	// Pause is how long the first pause after a check that could not be made lasts, two seconds; each is twice the one
	// before it, up to LongestPause, five minutes.
	Pause        time.Duration `yaml:"pause,omitempty" check:"not-negative"`
	LongestPause time.Duration `yaml:"longest_pause,omitempty" check:"not-negative"`
	// Undecided is how often a check whose certificate's status could not be had is made again, before its report is told
	// as it is: 15 times, which with these pauses takes about half an hour.
	Undecided int `yaml:"undecided,omitempty" check:"not-negative"`
	// Longest is how long a check waits at all, an accreditation that is suspended included, before its tenant is told that
	// it was not made: seven days.
	Longest time.Duration `yaml:"longest,omitempty" check:"not-negative"`
	// Claim is after how long a check is taken up again whose process has ended: one minute.
	Claim time.Duration `yaml:"claim,omitempty" check:"not-negative"`
}

func (c *QueueConfig) fill() {
	for _, d := range []struct {
		p *time.Duration
		v time.Duration
	}{{&c.Pause, 2 * time.Second}, {&c.LongestPause, 5 * time.Minute}, {&c.Longest, 7 * 24 * time.Hour}, {&c.Claim, time.Minute}} {
		if *d.p == 0 {
			*d.p = d.v
		}
	}
	for _, n := range []struct {
		p *int
		v int
	}{{&c.Workers, 2}, {&c.MostItems, 1000}, {&c.Undecided, 15}} {
		if *n.p == 0 {
			*n.p = n.v
		}
	}
	if c.MostBytes == 0 {
		c.MostBytes = 256 << 20
	}
}

func (c QueueConfig) pause(tries int) time.Duration {
	d := c.Pause
	for i := 1; i < tries && d < c.LongestPause; i++ {
		d *= 2
	}
	return min(d, c.LongestPause)
}

// queueSignal is notified when something is put into the queue.
const queueSignal = "platform.queue"

// queued is a check that is made later. Its key is the request key under which the check is made; after an answer
// that decided nothing, it gets a number, so that the next try is another request.
type queued struct {
	id         jitsuin.ID
	tenant     string
	batch      jitsuin.ID // "" for none
	submission jitsuin.ID // "" for none
	i          int
	key        string
	sealed     []byte
	size       int
	queuedAt   time.Time // wall
	tries      int
}

// newQueued seals a request; it goes into the queue with putQueued.
func (p *Platform) newQueued(tenant, key string, in api.VerificationRequest) (queued, error) {
	q := queued{id: jitsuin.NewID(), tenant: tenant, key: key, size: sizeOf(in), queuedAt: time.Now()}
	plain, err := json.Marshal(in)
	if err != nil {
		return q, fmt.Errorf("encode the request: %w", err)
	}
	q.sealed = p.copies.seal(tenant, q.id, plain)
	return q, nil
}

// splitKey gives the key of an act and how often it was answered without a decision.
func splitKey(key string) (act string, undecided int) {
	act, n, _ := strings.Cut(key, "~")
	undecided, _ = strconv.Atoi(n) // none is 0
	return act, undecided
}

// roomInQueue refuses with Limited "queue-full" what is too much for a tenant's share of the queue.
func (p *Platform) roomInQueue(tx *store.Tx, tenant string, more []queued) error {
	n, size := 0, int64(0)
	err := tx.QueryRow(`SELECT COUNT(*), COALESCE(SUM(size), 0) FROM queued_checks WHERE tenant = $1 AND state = $2`, tenant, api.StateWaiting).Scan(&n, &size)
	if err != nil {
		return err
	}
	for _, q := range more {
		n, size = n+1, size+int64(q.size)
	}
	if n > p.cfg.Queue.MostItems || size > p.cfg.Queue.MostBytes {
		return jitsuin.Errorf(jitsuin.Limited, "queue-full", "too many checks of yours are waiting: at most %d, of %d bytes together", p.cfg.Queue.MostItems, p.cfg.Queue.MostBytes).
			WithHint("send more when results have come")
	}
	return nil
}

func putQueued(tx *store.Tx, q queued) error {
	tx.Notify(queueSignal)
	_, err := tx.Exec(`INSERT INTO queued_checks (id, tenant, batch, submission, i, key, sealed, size, queued_at, tries, next_try, state, verification, verdict, sub_indication, problem)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, '', '', '', '')`,
		q.id, q.tenant, q.batch, q.submission, q.i, q.key, q.sealed, q.size, store.Micros(q.queuedAt), api.StateWaiting)
	return err
}

// nextTenant gives the tenant whose turn it is after another: each in turn, one check at a time, so who has put a
// thousand into the queue delays nobody else's by more than the checks that are under way. "" where nothing is due.
func nextTenant(tx *store.Tx, after string, now time.Time) (tenant string, err error) {
	for _, from := range []string{after, ""} {
		err = tx.QueryRow(`/* every tenant: each has its turn */ SELECT tenant FROM queued_checks WHERE state = $1 AND tenant > $2 AND next_try <= $3 ORDER BY tenant LIMIT 1`,
			api.StateWaiting, from, store.Micros(now)).Scan(&tenant)
		if !errors.Is(err, sql.ErrNoRows) {
			return tenant, err
		}
	}
	return "", nil
}

// claimQueued takes the first due check of the tenant whose turn it is, that of a resident who waits at a page before others; ok is false where none is due.
func claimQueued(tx *store.Tx, after string, now time.Time, claim time.Duration) (q queued, ok bool, err error) {
	q.tenant, err = nextTenant(tx, after, now)
	if err != nil || q.tenant == "" {
		return q, false, err
	}
	var at int64
	err = tx.QueryRow(`SELECT id, batch, submission, i, key, size, queued_at, tries FROM queued_checks
		WHERE tenant = $1 AND state = $2 AND next_try <= $3 ORDER BY CASE WHEN submission <> '' THEN 0 ELSE 1 END, queued_at, i LIMIT 1`, q.tenant, api.StateWaiting, store.Micros(now)).
		Scan(&q.id, &q.batch, &q.submission, &q.i, &q.key, &q.size, &at, &q.tries)
	if err != nil {
		return q, false, err
	}
	q.queuedAt = store.Time(at)
	return q, true, claimUntil(tx, q, now.Add(claim))
}

// claimUntil keeps a check from being taken up before a time.
func claimUntil(tx *store.Tx, q queued, until time.Time) error {
	_, err := tx.Exec(`UPDATE queued_checks SET next_try = $1 WHERE id = $2 AND tenant = $3`, store.Micros(until), q.id, q.tenant)
	return err
}

// soonest gives how long until a check is due.
func soonest(tx *store.Tx, now time.Time) (time.Duration, error) {
	var first int64
	err := tx.QueryRow(`/* every tenant: when anything is due */ SELECT COALESCE(MIN(next_try), -1) FROM queued_checks WHERE state = $1`, api.StateWaiting).Scan(&first)
	if err != nil || first < 0 {
		return lookAgain, err
	}
	return min(lookAgain, max(store.Time(first).Sub(now), 0)+time.Millisecond), nil
}
