package feed

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin/internal/store"
)

// snapshot streams from one View, so its size is not limited by memory. What is streamed counts
// for nothing until the signed last line, which is written after the high-water file has caught up.
func (s *Server) snapshot(w http.ResponseWriter, r *http.Request, topic string) error {
	if _, err := s.cfg.Sequencer.Head(r.Context(), topic); err != nil { // refuses while the sender is rolled back
		return err
	}
	to := &timedWriter{w: w, rc: http.NewResponseController(w)}
	out := bufio.NewWriterSize(to, 64<<10)
	w.Header().Set("Content-Type", "application/x-ndjson")
	err := s.writeSnapshot(r.Context(), out, topic)
	if err == nil {
		err = out.Flush()
	}
	if err != nil && to.begun {
		return nil // the reader sees that the last line is missing
	}
	return err
}

func (s *Server) writeSnapshot(ctx context.Context, out io.Writer, topic string) error {
	digest := sha256.New()
	var head Head
	var count uint64
	begun := false
	err := s.cfg.Sequencer.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		if begun {
			return errors.New("the snapshot cannot be read twice")
		}
		begun = true
		if head, err = readHead(tx, topic); err != nil {
			return err
		}
		count, err = writeLatest(tx, io.MultiWriter(out, digest), topic)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.cfg.Sequencer.observe(topic, head); err != nil {
		return err
	}
	payload := s.signed("snapshot", topic, head)
	payload.Count, payload.Digest = count, (*Hash)(digest.Sum(nil))
	compact, err := s.cfg.Signer.sign(payload)
	if err != nil {
		return err
	}
	return writeLine(out, trailer{compact})
}

func writeLatest(tx *store.Tx, out io.Writer, topic string) (count uint64, err error) {
	rows, err := tx.Query(`SELECT `+eventRow+` FROM feed_latest l
		JOIN feed_events e ON e.topic = l.topic AND e.epoch = l.epoch AND e.n = l.n
		WHERE l.topic = $1 ORDER BY l.subject`, topic)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanEvent(rows)
		if err != nil {
			return count, err
		}
		if err := writeLine(out, e); err != nil {
			return count, err
		}
		count++
	}
	return count, rows.Err()
}

// observe takes a head that was read elsewhere: it is not served before the high-water file has it.
func (s *Sequencer) observe(topic string, head Head) error {
	s.work.Lock()
	defer s.work.Unlock()
	if err := s.Health(); err != nil {
		return err
	}
	if head.Compare(s.marks[topic].Position) <= 0 {
		return nil
	}
	return s.publish(map[string]Head{topic: head})
}

// timedWriter gives a slow reader a time limit for each piece instead of one for the whole.
type timedWriter struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	begun bool
}

// Write writes b.
func (t *timedWriter) Write(b []byte) (int, error) {
	t.begun = true
	t.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // where the server supports it
	return t.w.Write(b)
}
