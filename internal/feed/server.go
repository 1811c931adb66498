package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Limits of answers.
const (
	MaxLimit     = 1000             // events in one answer; also the default
	MaxWait      = 60 * time.Second // a longer wait is shortened
	maxAnswer    = 4 << 20          // bytes after which an answer ends early
	writeTimeout = 30 * time.Second // for each stretch of an answer
)

// ServerConfig says what a Server serves and to whom. All but the last two are required.
type ServerConfig struct {
	Sequencer *Sequencer
	Signer    *Signer
	// Allow says whether the caller may read topic; its error is the answer. It also decides which
	// topics there are: one that is allowed and has no events is empty.
	Allow func(r *http.Request, topic string) error
	// Now is wall time, for the issue time of signed heads.
	Now func() time.Time
	// WriteError answers with an error; nil writes a problem of RFC 9457.
	WriteError func(w http.ResponseWriter, r *http.Request, err error)
	// DistrustCursors is for topics that are open to callers outside the system: a cursor ahead of
	// the sender is then refused without stopping the sender for everyone. Without it such a
	// cursor counts as proof that the database was rolled back.
	DistrustCursors bool
	// MaxReaders limits how many requests are answered at a time; 0 means 1024. More are Limited.
	MaxReaders int
}

// Server gives numbered events out over HTTP. Its handlers need the path value "topic":
//
//	GET /feeds/{topic}?after=EPOCH.N&wait=25s&limit=1000   Events
//	GET /feeds/{topic}/head                                Head
//	GET /feeds/{topic}/snapshot                            Snapshot
type Server struct {
	cfg     ServerConfig
	readers atomic.Int64
}

// NewServer makes a Server.
func NewServer(cfg ServerConfig) (*Server, error) {
	if cfg.Sequencer == nil || cfg.Signer == nil || cfg.Allow == nil || cfg.Now == nil {
		return nil, errors.New("a feed server needs a sequencer, a signer, an access rule and a clock")
	}
	if cfg.WriteError == nil {
		cfg.WriteError = writeProblem
	}
	if cfg.MaxReaders == 0 {
		cfg.MaxReaders = 1024
	}
	return &Server{cfg: cfg}, nil
}

// Handler gives the three routes, for a server that has no others.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /feeds/{topic}", s.Events)
	mux.HandleFunc("GET /feeds/{topic}/head", s.Head)
	mux.HandleFunc("GET /feeds/{topic}/snapshot", s.Snapshot)
	return mux
}

// Events answers with the events after a position, one JSON object a line. Where there are none it
// waits for the first, at most the time that the caller names. The header Feed-Head has the
// position of the last event that there is. With past=true it does not wait, and gives what there is of earlier
// epochs too, one after the other: for somebody who watches over the chain and was behind when a new one began.
func (s *Server) Events(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, s.events)
}

// Head answers with the signed last position: a compact JWS, media type application/jose.
func (s *Server) Head(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, s.head)
}

// Snapshot answers with the latest event of every subject, one a line, and a last line
// {"snapshot": JWS} that signs the position and the digest of all lines before it.
func (s *Server) Snapshot(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, s.snapshot)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request, string) error) {
	err := s.admit(r, func(topic string) error {
		w.Header().Set("Cache-Control", "no-store")
		return serve(w, r, topic)
	})
	if err == nil || r.Context().Err() != nil {
		return
	}
	if code := jitsuin.CodeOf(err); code != "" {
		w.Header().Set("Feed-Error", code)
	}
	s.cfg.WriteError(w, r, err)
}

func (s *Server) admit(r *http.Request, serve func(topic string) error) error {
	if s.readers.Add(1) > int64(s.cfg.MaxReaders) {
		s.readers.Add(-1)
		return jitsuin.Errorf(jitsuin.Limited, "feed-readers", "too many readers at a time")
	}
	defer s.readers.Add(-1)
	topic := r.PathValue("topic")
	if err := checkTopic(topic); err != nil {
		return err
	}
	if err := s.cfg.Allow(r, topic); err != nil {
		return err
	}
	return serve(topic)
}

func (s *Server) head(w http.ResponseWriter, r *http.Request, topic string) error {
	head, err := s.cfg.Sequencer.Head(r.Context(), topic)
	if err != nil {
		return err
	}
	compact, err := s.cfg.Signer.sign(s.signed("head", topic, head))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jose")
	w.Write([]byte(compact)) // a reader that has gone away asks again
	return nil
}

func (s *Server) signed(use, topic string, head Head) signedHead {
	return signedHead{Use: use, Topic: topic, Epoch: head.Epoch, N: head.N, Hash: head.Hash,
		IssuedAt: s.cfg.Now().UTC().Truncate(time.Second)}
}

func (s *Server) events(w http.ResponseWriter, r *http.Request, topic string) error {
	after, wait, limit, err := parseQuery(r)
	if err != nil {
		return err
	}
	var head Head
	read := readEvents
	if r.URL.Query().Get("past") == "true" {
		read = readPast
		head, err = s.cfg.Sequencer.Head(r.Context(), topic)
	} else {
		after, head, err = s.await(r, topic, after, wait)
	}
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	if head.Compare(after) > 0 {
		err := s.cfg.Sequencer.cfg.DB.View(r.Context(), func(tx *store.Tx) error {
			lines.Reset()
			return read(tx, &lines, topic, after, head, limit)
		})
		if err != nil {
			return err
		}
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout)) // where the server supports it
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Feed-Head", head.Position.String())
	w.Write(lines.Bytes()) // a reader that has gone away, or got half a line, asks again
	return nil
}

func parseQuery(r *http.Request) (after jitsuin.Position, wait time.Duration, limit int, err error) {
	q := r.URL.Query()
	if after, err = jitsuin.ParsePosition(q.Get("after")); err != nil {
		return after, 0, 0, err
	}
	if text := q.Get("wait"); text != "" {
		if wait, err = time.ParseDuration(text); err != nil || wait < 0 {
			return after, 0, 0, jitsuin.Errorf(jitsuin.Invalid, "feed-wait", "wait is a duration such as 25s").At("wait")
		}
	}
	limit = MaxLimit
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
			return after, 0, 0, jitsuin.Errorf(jitsuin.Invalid, "feed-limit", "limit is a number from 1 to %d", MaxLimit).At("limit")
		}
	}
	return after, min(wait, MaxWait), min(limit, MaxLimit), nil
}

// await gives the head once it is beyond after, or when wait is over. A cursor of 0.0 stands
// before the first event; that is the start of the first epoch only. In a later one a reader that stands there
// may have applied a part of a snapshot that the sender has lost since, so it begins with the snapshot too.
func (s *Server) await(r *http.Request, topic string, after jitsuin.Position, wait time.Duration) (jitsuin.Position, Head, error) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for fresh, over := false, wait == 0; ; {
		head, changed, err := s.cfg.Sequencer.look(r.Context(), topic)
		if err != nil {
			return after, head, err
		}
		start := after
		if after == (jitsuin.Position{}) && head.Epoch <= 1 {
			start.Epoch = head.Epoch
		}
		switch {
		case start.Epoch < head.Epoch:
			return after, head, jitsuin.Errorf(jitsuin.Conflict, CodeEpochChanged,
				"topic %s is in epoch %d, the cursor %s is of an earlier one", topic, head.Epoch, after).
				WithHint("start from /feeds/%s/snapshot", topic)
		case start.Compare(head.Position) > 0 && !fresh:
			fresh = true // another process may have numbered it
			if err := s.cfg.Sequencer.Refresh(r.Context()); err != nil {
				return after, head, err
			}
			continue
		case start.Compare(head.Position) > 0:
			return after, head, s.behind(topic, head, after)
		case start.Compare(head.Position) < 0 || over:
			return start, head, nil
		}
		select {
		case <-changed:
		case <-timeout.C:
			over = true
		case <-r.Context().Done():
			return after, head, r.Context().Err()
		}
	}
}

func (s *Server) behind(topic string, head Head, after jitsuin.Position) error {
	if !s.cfg.DistrustCursors && uint64(after.Epoch) <= uint64(max(head.Epoch, EpochAt(s.cfg.Now())))+maxClaim && after.N <= maxNumber {
		if err := s.cfg.Sequencer.claim(topic, head, after); err != nil {
			return err
		}
	}
	return jitsuin.Errorf(jitsuin.Conflict, CodeBehind, "topic %s stands at %s, the cursor at %s", topic, head.Position, after)
}

// readEvents writes the events after a position up to head as lines.
func readEvents(tx *store.Tx, lines *bytes.Buffer, topic string, after jitsuin.Position, head Head, limit int) error {
	rows, err := tx.Query(`SELECT `+eventRow+` FROM feed_events e
		WHERE topic = $1 AND epoch = $2 AND n > $3 AND n <= $4 ORDER BY n LIMIT $5`,
		topic, after.Epoch, after.N, head.N, limit)
	if err != nil {
		return err
	}
	defer rows.Close()
	next := after.N + 1
	for ; rows.Next() && lines.Len() < maxAnswer; next++ {
		e, err := scanEvent(rows)
		if err != nil {
			return err
		}
		if e.N != next {
			break
		}
		if err := writeLine(lines, e); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if next == after.N+1 { // the head was given out, and the event is not there
		return rolledBack(topic, jitsuin.Position{Epoch: after.Epoch, N: after.N}, head.Position)
	}
	return nil
}

// readPast writes the events after a position through all epochs up to head as lines.
func readPast(tx *store.Tx, lines *bytes.Buffer, topic string, after jitsuin.Position, head Head, limit int) error {
	rows, err := tx.Query(`SELECT `+eventRow+` FROM feed_events e
		WHERE topic = $1 AND (epoch > $2 OR (epoch = $2 AND n > $3)) AND (epoch < $4 OR (epoch = $4 AND n <= $5)) ORDER BY epoch, n LIMIT $6`,
		topic, after.Epoch, after.N, head.Epoch, head.N, limit)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() && lines.Len() < maxAnswer {
		e, err := scanEvent(rows)
		if err != nil {
			return err
		}
		if err := writeLine(lines, e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// writeLine writes v as JSON in one line. Bodies stay in the form in which they were stored.
func writeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

const eventRow = `e.epoch, e.n, e.prev, e.hash, e.recorded_at, e.origin, e.type, e.subject, e.version, e.body, e.body_hash`

func scanEvent(s store.Scanner) (e Event, err error) {
	var prev, hash, bodyHash []byte
	var micros int64
	var origin string
	var body *string
	if err := s.Scan(&e.Epoch, &e.N, &prev, &hash, &micros, &origin, &e.Type, &e.Subject, &e.Version, &body, &bodyHash); err != nil {
		return Event{}, err
	}
	copy(e.Prev[:], prev)
	copy(e.Hash[:], hash)
	e.RecordedAt = store.Time(micros)
	if body != nil {
		e.Body = json.RawMessage(*body)
	} else {
		e.BodyHash = new(Hash)
		copy(e.BodyHash[:], bodyHash)
	}
	return e, e.setOrigin(origin)
}
