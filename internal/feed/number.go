package feed

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// draft is a row of the outbox, with the subject's last numbered version.
type draft struct {
	id                   int64
	topic, subject, kind string
	version, numbered    uint64
	recordedAt           time.Time
	origin, body         string
}

// batch is what one numbering transaction has done.
type batch struct {
	heads    map[string]Head
	latest   map[subjectKey]draftPlace
	rows     []any // of feed_events, eventColumns values each
	ids      []any // of feed_outbox
	numbered int
}

type subjectKey struct{ topic, subject string }

type draftPlace struct {
	version uint64
	at      jitsuin.Position
}

const eventColumns = 12

// number gives the oldest events of the outbox their numbers, in the order of insertion.
func (s *Sequencer) number(tx *store.Tx) (*batch, error) {
	b := &batch{heads: map[string]Head{}, latest: map[subjectKey]draftPlace{}}
	drafts, err := readOutbox(tx, s.cfg.Batch)
	if err != nil || len(drafts) == 0 {
		return b, err
	}
	for _, d := range drafts {
		if _, known := b.heads[d.topic]; known {
			continue
		}
		if b.heads[d.topic], err = readHead(tx, d.topic); err != nil {
			return nil, err
		}
	}
	if err := s.compare(tx, b.heads); err != nil {
		return nil, err
	}
	if err := b.take(drafts); err != nil {
		return nil, err
	}
	return b, b.store(tx)
}

// take numbers drafts. Insertion ids rise with a subject's versions on SQLite and PostgreSQL; on a
// database that hands ids out in blocks an event may come before its predecessor, and then waits.
func (b *batch) take(drafts []draft) error {
	for len(drafts) > 0 {
		var early []draft
		for _, d := range drafts {
			key := subjectKey{d.topic, d.subject}
			last := d.numbered
			if place, ok := b.latest[key]; ok {
				last = place.version
			}
			if d.version != last+1 {
				early = append(early, d)
				continue
			}
			if err := b.add(d); err != nil {
				return err
			}
		}
		if len(early) == len(drafts) {
			if b.numbered > 0 {
				return nil
			}
			return jitsuin.Errorf(jitsuin.Internal, "feed-outbox",
				"topic %s: the outbox lacks the event before version %d of a subject", early[0].topic, early[0].version)
		}
		drafts = early
	}
	return nil
}

func (b *batch) add(d draft) error {
	head := b.heads[d.topic]
	if head.N >= maxNumber {
		return jitsuin.Errorf(jitsuin.Internal, "feed-full", "topic %s has used its last number", d.topic)
	}
	e := Event{Epoch: head.Epoch, N: head.N + 1, Prev: head.Hash, RecordedAt: d.recordedAt,
		Type: d.kind, Subject: d.subject, Version: d.version}
	if err := e.setOrigin(d.origin); err != nil {
		return err
	}
	bodyHash := Hash(sha256.Sum256([]byte(d.body)))
	var err error
	if e.Hash, err = e.seal(bodyHash); err != nil {
		return err
	}
	b.rows = append(b.rows, d.topic, e.Epoch, e.N, e.Prev[:], e.Hash[:], store.Micros(e.RecordedAt), d.origin,
		d.kind, d.subject, d.version, d.body, bodyHash[:])
	b.ids = append(b.ids, d.id)
	b.latest[subjectKey{d.topic, d.subject}] = draftPlace{d.version, e.Position()}
	head.N, head.Hash = e.N, e.Hash
	b.heads[d.topic] = head
	b.numbered++
	return nil
}

func (e *Event) setOrigin(text string) error {
	if text == "" {
		return nil
	}
	e.Origin = new(Origin)
	if err := json.Unmarshal([]byte(text), e.Origin); err != nil {
		return fmt.Errorf("the origin of event %s: %w", e.Position(), err)
	}
	return nil
}

func (b *batch) store(tx *store.Tx) error {
	err := inChunks(b.rows, eventColumns, func(values string, args []any) error {
		_, err := tx.Exec(`INSERT INTO feed_events (topic, epoch, n, prev, hash, recorded_at, origin,
			type, subject, version, body, body_hash) VALUES `+values, args...)
		return err
	})
	if err != nil {
		return err
	}
	var latest []any
	for key, place := range b.latest {
		latest = append(latest, key.topic, key.subject, place.version, place.at.Epoch, place.at.N)
	}
	err = inChunks(latest, 5, func(values string, args []any) error {
		_, err := tx.Exec(`INSERT INTO feed_latest (topic, subject, version, epoch, n) VALUES `+values+`
			ON CONFLICT (topic, subject) DO UPDATE SET version = excluded.version, epoch = excluded.epoch, n = excluded.n`, args...)
		return err
	})
	if err != nil {
		return err
	}
	for topic, head := range b.heads {
		if err := writeHead(tx, topic, head); err != nil {
			return err
		}
	}
	return inChunks(b.ids, 1, func(values string, args []any) error {
		_, err := tx.Exec(`DELETE FROM feed_outbox WHERE id IN `+values, args...)
		return err
	})
}

// inChunks calls do with 64, 8 or 1 rows at a time, so that only three texts of a statement exist.
// With one column the values are one list, ($1,$2,…); else one list per row.
func inChunks(args []any, columns int, do func(values string, args []any) error) error {
	for len(args) > 0 {
		rows := 1
		for _, n := range []int{64, 8} {
			if len(args) >= n*columns {
				rows = n
				break
			}
		}
		var text strings.Builder
		for i := range rows * columns {
			switch {
			case i == 0:
				text.WriteString("($")
			case i%columns == 0 && columns > 1:
				text.WriteString("),($")
			default:
				text.WriteString(",$")
			}
			text.WriteString(strconv.Itoa(i + 1))
		}
		text.WriteString(")")
		if err := do(text.String(), args[:rows*columns]); err != nil {
			return err
		}
		args = args[rows*columns:]
	}
	return nil
}

func readOutbox(tx *store.Tx, limit int) ([]draft, error) {
	return store.Collect(func(s store.Scanner) (d draft, err error) {
		var micros int64
		err = s.Scan(&d.id, &d.topic, &d.subject, &d.version, &d.kind, &micros, &d.origin, &d.body, &d.numbered)
		d.recordedAt = store.Time(micros)
		return d, err
	})(tx.Query(`SELECT o.id, o.topic, o.subject, o.version, o.type, o.recorded_at, o.origin, o.body, COALESCE(l.version, 0)
		FROM feed_outbox o LEFT JOIN feed_latest l ON l.topic = o.topic AND l.subject = o.subject
		ORDER BY o.id LIMIT $1`, limit))
}

func readEpoch(tx *store.Tx) (epoch uint32, err error) {
	err = tx.QueryRow(`SELECT epoch FROM feed_epoch WHERE id = 1`).Scan(&epoch)
	return epoch, err
}

// readHead gives the head of topic; one without events stands at the start of the present epoch.
func readHead(tx *store.Tx, topic string) (Head, error) {
	h, err := scanHead(tx.QueryRow(`SELECT epoch, n, hash, start FROM feed_heads WHERE topic = $1`, topic))
	if errors.Is(err, sql.ErrNoRows) {
		h.Epoch, err = readEpoch(tx)
	}
	return h, err
}

func readHeads(tx *store.Tx) (map[string]Head, error) {
	rows, err := tx.Query(`SELECT epoch, n, hash, start, topic FROM feed_heads`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	heads := map[string]Head{}
	for rows.Next() {
		var topic string
		h, err := scanHead(rows, &topic)
		if err != nil {
			return nil, err
		}
		heads[topic] = h
	}
	return heads, rows.Err()
}

func scanHead(s store.Scanner, more ...any) (h Head, err error) {
	var hash, start []byte
	if err := s.Scan(append([]any{&h.Epoch, &h.N, &hash, &start}, more...)...); err != nil {
		return Head{}, err
	}
	copy(h.Hash[:], hash)
	copy(h.Start[:], start)
	return h, nil
}

func writeHead(tx *store.Tx, topic string, h Head) error {
	_, err := tx.Exec(`INSERT INTO feed_heads (topic, epoch, n, hash, start) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (topic) DO UPDATE SET epoch = excluded.epoch, n = excluded.n, hash = excluded.hash, start = excluded.start`,
		topic, h.Epoch, h.N, h.Hash[:], h.Start[:])
	return err
}
