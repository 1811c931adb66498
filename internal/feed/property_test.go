package feed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"pgregory.net/rapid"
)

const (
	workers   = 2
	rounds    = 52 // × 100 checks of rapid × workers = 10,400 histories
	maxEvents = 40
)

// Histories of a feed: it is cut, repeated, delayed, reordered and thinned out on its way, re-read
// from earlier cursors, sender and reader crash at any commit, events fail and are mended, the
// sender's database is rolled back. In the end the reader holds what the model holds, each event
// has had its effect once, and every gap was an alarm.
func TestHistories(t *testing.T) {
	n := rounds
	if testing.Short() || raceEnabled {
		n = 2
	}
	for w := range workers {
		t.Run(fmt.Sprint(w), func(t *testing.T) {
			t.Parallel()
			h := newHistory(t)
			for range n {
				rapid.Check(t, h.run)
			}
		})
	}
}

// history is one sender and one reader, used for one history after another.
type history struct {
	send, read *sender2
	marks      *memoryMarks
	s          *sender
	r          *reader
	via        *mangler
	rt         *rapid.T

	model    map[string]string // subject → value, as committed
	values   int
	backup   *backup
	rewound  bool             // the sender went back to a backup at least once
	served   jitsuin.Position // the last position that any answer held
	distrust bool             // an answer was delayed: any alarm may follow
	wantGap  bool
	old      []answer
}

// sender2 is a database whose next commit can be made to fail.
type sender2 struct {
	db    *store.DB
	fault store.Fault
}

func (d *sender2) next() store.Fault {
	f := d.fault
	d.fault = store.NoFault
	return f
}

type answer struct {
	header http.Header
	lines  []string
}

type backup struct {
	tables map[string][][]any
	model  map[string]string
}

var senderTables = map[string]string{
	"feed_epoch": "id, epoch", "feed_versions": "topic, subject, version",
	"feed_outbox": "id, topic, subject, version, type, recorded_at, origin, body",
	"feed_heads":  "topic, epoch, n, hash, start",
	"feed_events": "topic, epoch, n, prev, hash, recorded_at, origin, type, subject, version, body, body_hash",
	"feed_latest": "topic, subject, version, epoch, n",
}

func newHistory(t *testing.T) *history {
	h := &history{send: &sender2{}, read: &sender2{}}
	h.send.db = openDB(t, "sqlite::memory:", store.WithFaults(h.send.next))
	h.read.db = openDB(t, "sqlite::memory:", store.WithFaults(h.read.next))
	h.s = &sender{t: t, db: h.send.db}
	h.via = &mangler{next: h.s}
	h.r = newReader(t, h.read.db, h.via)
	return h
}

func (h *history) exec(db *store.DB, queries ...string) {
	err := db.Update(context.Background(), func(tx *store.Tx) error {
		for _, q := range queries {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.rt.Fatal(err)
	}
}

func (h *history) reset(rt *rapid.T) {
	h.rt = rt
	h.send.fault, h.read.fault = store.NoFault, store.NoFault
	for table := range senderTables {
		h.exec(h.send.db, `DELETE FROM `+table)
	}
	h.exec(h.send.db, `INSERT INTO feed_epoch (id, epoch) VALUES (1, 1)`)
	h.exec(h.read.db, `DELETE FROM feed_cursors`, `DELETE FROM feed_applied`, `DELETE FROM feed_parked`,
		`DELETE FROM state`, `DELETE FROM effects`, `DELETE FROM passed_on`)
	h.marks = newMarks()
	h.s.marks = h.marks
	h.s.restart()
	clear(h.r.fail)
	h.model, h.values, h.backup, h.rewound, h.old = map[string]string{}, 0, nil, false, nil
	h.served = jitsuin.Position{}
	h.calm()
}

// calm ends all disturbance of the way.
func (h *history) calm() { h.via.change, h.distrust, h.wantGap = nil, false, false }

func (h *history) run(rt *rapid.T) {
	h.reset(rt)
	acts := []func(){h.appendSome, h.appendSome, h.appendSome, h.step, h.step, h.poll, h.poll, h.poll, h.crash,
		h.fail, h.retry, h.rewind, h.newEpoch, h.save, h.restore}
	for range 4 + h.pick("acts", 18) {
		acts[h.pick("act", len(acts))]()
	}
	h.settle()
	h.check()
}

// pick draws from 0 to n-1 evenly; rapid's own ranges prefer small numbers, and so few acts.
func (h *history) pick(name string, n int) int {
	v := 0
	for range 8 {
		v <<= 1
		if rapid.Bool().Draw(h.rt, name) {
			v++
		}
	}
	return v % n
}

func (h *history) drawFault(name string) store.Fault {
	return []store.Fault{store.NoFault, store.NoFault, store.NoFault, store.CommitLost, store.CommitPersisted}[rapid.IntRange(0, 4).Draw(h.rt, name)]
}

func (h *history) appendSome() {
	for range 1 + h.pick("appends", 4) {
		h.append()
	}
}

// append is an act of the sender. The model learns an unknown result by reading, as a caller does.
func (h *history) append() {
	if h.values >= maxEvents {
		return
	}
	subject := string(rune('a' + h.pick("subject", 4)))
	h.values++
	value := fmt.Sprint(h.values)
	h.send.fault = h.drawFault("append fault")
	persisted := h.send.fault != store.CommitLost
	if err := h.s.append(subject, value); (err == nil) != (persisted && !isUnknown(err)) {
		h.rt.Fatal(err)
	}
	if persisted {
		h.model[subject] = value
	}
}

func isUnknown(err error) bool { return jitsuin.CodeOf(err) == store.CodeUnknown }

func (h *history) step() {
	h.s.seq.cfg.Batch = 1 + h.pick("batch", 4)
	h.send.fault, h.marks.fault = h.drawFault("step fault"), h.drawFault("mark fault")
	_, err := h.s.seq.Step(context.Background())
	h.send.fault, h.marks.fault = store.NoFault, store.NoFault
	if err != nil && h.pick("dies", 2) == 0 {
		h.s.restart()
	}
}

func (h *history) crash() {
	h.s.restart()
	h.r = newReader(h.r.t, h.read.db, h.via).keep(h.r)
}

func (h *history) fail() {
	subject := string(rune('a' + h.pick("subject", 4)))
	switch h.pick("failure", 4) {
	case 0:
		h.r.fail[subject] = errors.New("a defect")
	case 1:
		h.r.fail[subject] = jitsuin.Errorf(jitsuin.Unavailable, "elsewhere", "not now")
	default:
		delete(h.r.fail, subject)
	}
}

func (h *history) retry() {
	h.read.fault = h.drawFault("retry fault")
	h.r.f.RetryParked(context.Background())
	h.read.fault = store.NoFault
}

// rewind sets the cursor back to where the reader has been before in this epoch.
func (h *history) rewind() {
	db := h.read.db
	var c cursor
	err := db.View(context.Background(), func(tx *store.Tx) (err error) {
		c, err = readCursor(tx, "town:91201", topic)
		return err
	})
	if err != nil {
		h.rt.Fatal(err)
	}
	if c.N < 2 || h.s.seq.Health() != nil {
		return
	}
	n := 1 + uint64(h.pick("rewind to", int(c.N-1)))
	var hash []byte
	err = h.send.db.View(context.Background(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT hash FROM feed_events WHERE topic = $1 AND epoch = $2 AND n = $3`, topic, c.Epoch, n).Scan(&hash)
	})
	if err != nil {
		return // of an epoch that the sender has lost
	}
	err = db.Update(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE feed_cursors SET n = $1, hash = $2`, n, hash)
		return err
	})
	if err != nil {
		h.rt.Fatal(err)
	}
}

func (h *history) newEpoch() {
	if h.pick("new epoch", 2) > 0 {
		return
	}
	h.send.fault, h.marks.fault = h.drawFault("epoch fault"), h.drawFault("mark fault")
	_, err := h.s.seq.NewEpoch(context.Background(), 0)
	h.send.fault, h.marks.fault = store.NoFault, store.NoFault
	if err != nil {
		h.s.restart()
	}
}

func (h *history) save() {
	b := &backup{tables: map[string][][]any{}, model: map[string]string{}}
	for k, v := range h.model {
		b.model[k] = v
	}
	for table, columns := range senderTables {
		b.tables[table] = h.dump(table, columns)
	}
	h.backup = b
}

func (h *history) dump(table, columns string) (all [][]any) {
	n := strings.Count(columns, ",") + 1
	err := h.send.db.View(context.Background(), func(tx *store.Tx) (err error) {
		all, err = store.Collect(func(s store.Scanner) ([]any, error) {
			row, into := make([]any, n), make([]any, n)
			for i := range row {
				into[i] = &row[i]
			}
			return row, s.Scan(into...)
		})(tx.Query(`SELECT ` + columns + ` FROM ` + table))
		return err
	})
	if err != nil {
		h.rt.Fatal(err)
	}
	return all
}

// restore puts the backup in place of the database. If anything was given out since, the sender
// must refuse; it does until the operator starts a new epoch, sooner or later.
func (h *history) restore() {
	if h.backup == nil {
		return
	}
	err := h.send.db.Update(context.Background(), func(tx *store.Tx) error {
		for table, rows := range h.backup.tables {
			if _, err := tx.Exec(`DELETE FROM ` + table); err != nil {
				return err
			}
			for _, row := range rows {
				marks := make([]string, len(row))
				for i := range row {
					marks[i] = fmt.Sprintf("$%d", i+1)
				}
				if _, err := tx.Exec(`INSERT INTO `+table+` (`+senderTables[table]+`) VALUES (`+strings.Join(marks, ",")+`)`, row...); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		h.rt.Fatal(err)
	}
	h.model = map[string]string{}
	for k, v := range h.backup.model {
		h.model[k] = v
	}
	h.rewound = true
	h.old = nil
	if h.pick("while it runs", 3) == 0 { // a standby that was behind takes over; nobody restarts
		return
	}
	h.s.restart()
	head := h.headInDatabase()
	if ahead := h.marks.marks[topic].Compare(head) > 0; ahead != (jitsuin.CodeOf(h.s.seq.Health()) == CodeRolledBack) {
		h.rt.Fatalf("given out %s, the database has %s: %v", h.marks.marks[topic], head, h.s.seq.Health())
	}
	if h.served.Compare(head) > 0 && h.s.seq.Health() == nil {
		h.rt.Fatalf("served %s, the database has %s, and nobody has noticed", h.served, head)
	}
}

func (h *history) headInDatabase() (p jitsuin.Position) {
	err := h.send.db.View(context.Background(), func(tx *store.Tx) error {
		head, err := readHead(tx, topic)
		p = head.Position
		return err
	})
	if err != nil {
		h.rt.Fatal(err)
	}
	return p
}
