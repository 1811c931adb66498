package minister

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister/api"
)

const (
	// witnessEvery is how often a log that grows is stated, wall time.
	witnessEvery = time.Minute
	// witnessPause is how long the office waits after a failure, at first and at most.
	witnessPause    = 250 * time.Millisecond
	witnessMaxPause = 30 * time.Second
	// witnessWait is how long a log may hold a question while nothing happens.
	witnessWait = 25 * time.Second
	// lookForVerifiers is how often accreditations are looked through where no signal came.
	lookForVerifiers = time.Minute

	decidedSignal = "minister.decided"
)

// witness follows the operation logs of all verifiers that were ever accredited and can be reached.
type witness struct {
	m *Minister

	mu   sync.Mutex
	logs map[string]*witnessed // by verifier
}

// witnessed is one log under the office's eyes. seen and number belong to its goroutine.
type witnessed struct {
	verifier string
	tail     *feed.Tail

	number  uint64       // of the last statement
	stated  *audit.Place // of the last statement
	finding string       // of the last statement
	statedW time.Time    // wall
	seen    feed.Mark    // up to where the log was read and is good

	mu      sync.Mutex       // owns what follows
	read    jitsuin.Position // seen, for others
	heardAt time.Time
	trouble string
}

func (m *Minister) openWitness() {
	m.witness = &witness{m: m, logs: map[string]*witnessed{}}
	m.Go("witness", m.witness.run)
}

// run begins to follow a log as soon as its verifier is accredited.
func (w *witness) run(ctx context.Context) error {
	decided, stop := w.m.DB.Watch(decidedSignal)
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	following := map[string]bool{}
	for {
		accredited, err := list(ctx, w.m.DB)
		if err != nil && ctx.Err() == nil {
			return err
		}
		for _, a := range accredited {
			if there, err := w.m.Directory.Lookup(a.Verifier); following[a.Verifier] || err != nil || there.Origin == "" {
				continue
			}
			l, err := w.open(ctx, a.Verifier)
			if err != nil {
				return err
			}
			following[a.Verifier] = true
			all.Go(func() { w.follow(ctx, l) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-decided:
		case <-time.After(lookForVerifiers):
		}
	}
}

// open takes a log up where the last statement on it left it.
func (w *witness) open(ctx context.Context, verifier string) (*witnessed, error) {
	tail, err := feed.NewTail(w.m.Source(verifier, audit.Topic))
	if err != nil {
		return nil, err
	}
	l := &witnessed{verifier: verifier, tail: tail}
	err = w.m.DB.View(ctx, func(tx *store.Tx) error {
		var p audit.Place
		var hash []byte
		var wall int64
		err := tx.QueryRow(`SELECT number, epoch, n, hash, finding, wall FROM witness_statement WHERE verifier = $1
			ORDER BY number DESC LIMIT 1`, verifier).Scan(&l.number, &p.Epoch, &p.N, &hash, &l.finding, &wall)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		copy(p.Hash[:], hash)
		l.stated, l.seen, l.statedW = &p, p.Mark(), store.Time(wall)
		return err
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logs[verifier] = l
	return l, err
}

// follow reads a log until ctx ends.
func (w *witness) follow(ctx context.Context, l *witnessed) {
	defer w.lastWord(context.WithoutCancel(ctx), l)
	pause := witnessPause
	for {
		err := w.look(ctx, l)
		if ctx.Err() != nil {
			return
		}
		l.note(err)
		if err == nil {
			pause = witnessPause
			continue
		}
		if pause == witnessPause {
			w.m.Log.WarnContext(ctx, "a verifier's operation log cannot be read", "verifier", l.verifier, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, witnessMaxPause)
	}
}

// lastWordTime bounds the last statement of an office that ends.
const lastWordTime = 20 * time.Second

// lastWord states what was read and not yet stated, so that an office which is stopped forgets nothing.
func (w *witness) lastWord(ctx context.Context, l *witnessed) {
	if !l.pending() || isAlarm(l.finding) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastWordTime)
	defer cancel()
	if err := w.state(ctx, l, audit.Statement{}); err != nil {
		w.m.Log.WarnContext(ctx, "what was read last of an operation log is not stated", "verifier", l.verifier, "err", err)
	}
}

func (l *witnessed) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read = l.seen.Position
	if l.trouble = jitsuin.CodeOf(err); err == nil {
		l.heardAt = time.Now()
	} else if l.trouble == "" {
		l.trouble = "failed"
	}
}

// look asks the log once for what is new, and states what was seen when it is time.
func (w *witness) look(ctx context.Context, l *witnessed) error {
	wait, pending := witnessWait, l.pending()
	if pending {
		wait = min(wait, max(0, time.Until(l.statedW.Add(w.m.witnessEvery))))
	}
	events, err := l.tail.Next(ctx, l.seen, wait)
	if n := len(events); n > 0 {
		l.seen = feed.Mark{Position: events[n-1].Position(), Hash: events[n-1].Hash}
	}
	switch {
	case feed.IsNewEpoch(err):
		return w.newEpoch(ctx, l)
	case feed.IsBroken(err):
		return w.alarm(ctx, l, err)
	case err != nil:
		return err
	}
	if l.pending() && time.Since(l.statedW) >= w.m.witnessEvery {
		return w.state(ctx, l, audit.Statement{})
	}
	return nil
}

// pending tells whether something was seen that was not stated, or the last statement was an alarm that is over.
func (l *witnessed) pending() bool {
	if l.stated == nil {
		return l.seen.N > 0
	}
	return l.seen != l.stated.Mark() || isAlarm(l.finding) && l.trouble == ""
}

func isAlarm(finding string) bool {
	return finding == audit.FindingRewritten || finding == audit.FindingRolledBack
}

// newEpoch goes over to an epoch that the log has begun: it states whether it continues what was witnessed.
func (w *witness) newEpoch(ctx context.Context, l *witnessed) error {
	head, _, err := l.tail.Head(ctx)
	if err != nil {
		return err
	}
	if l.stated != nil {
		if err := w.rest(ctx, l, head.Epoch); err != nil {
			return err
		}
		if l.seen != l.stated.Mark() { // what was seen of the old epoch is stated first
			if err := w.state(ctx, l, audit.Statement{}); err != nil {
				return err
			}
		}
	}
	begin := feed.Mark{Position: jitsuin.Position{Epoch: head.Epoch}, Hash: head.Hash}
	if head.N > 0 {
		first, err := l.tail.Next(ctx, feed.Mark{Position: begin.Position}, 0)
		if err != nil || len(first) == 0 {
			return errors.Join(err, ctx.Err())
		}
		begin.Hash = first[0].Prev
	}
	s := audit.Statement{Finding: audit.FindingLost, Start: &begin.Hash}
	switch {
	case l.stated == nil:
		s = audit.Statement{}
	case begin.Hash == l.seen.Hash:
		s.Finding = audit.FindingNewEpoch
	default:
		s.Note = "the new epoch does not continue " + l.seen.Position.String() + ": lines after its start were witnessed and are gone"
	}
	before := l.seen
	if l.seen = begin; l.stated == nil {
		return nil // it was never seen before; the first statement comes with its first line
	}
	if err := w.state(ctx, l, s); err != nil {
		l.seen = before
		return err
	}
	if s.Finding == audit.FindingLost {
		w.m.Log.ErrorContext(ctx, "a verifier's operation log has lost lines", "verifier", l.verifier, "witnessed", before.Position.String())
	}
	return nil
}

// rest reads what the log still has of the epochs before the present one. An office that was behind when the copy was made has lost nothing.
func (w *witness) rest(ctx context.Context, l *witnessed, present uint32) error {
	for {
		events, err := l.tail.Past(ctx, l.seen, present)
		if n := len(events); n > 0 {
			l.seen = feed.Mark{Position: events[n-1].Position(), Hash: events[n-1].Hash}
		}
		if len(events) == 0 || err != nil {
			return err
		}
	}
}

// alarm states, once, that a log no longer continues what was witnessed.
func (w *witness) alarm(ctx context.Context, l *witnessed, cause error) error {
	finding := audit.FindingRewritten
	if jitsuin.CodeOf(cause) == feed.CodeBehind {
		finding = audit.FindingRolledBack
	}
	if l.finding != finding {
		w.m.Log.ErrorContext(ctx, "a verifier's operation log was tampered with, or its database was rolled back", "verifier", l.verifier, "finding", finding, "err", cause)
		if err := w.state(ctx, l, audit.Statement{Finding: finding, Note: cause.Error()}); err != nil {
			return err
		}
	}
	return cause
}

// state signs a statement on what was seen, stores it and publishes it.
func (w *witness) state(ctx context.Context, l *witnessed, s audit.Statement) error {
	now, seen := time.Now().UTC().Truncate(time.Microsecond), audit.PlaceOf(l.seen)
	s.Witness, s.Verifier, s.Topic, s.Number = w.m.Self.ID, l.verifier, audit.Topic, l.number+1
	s.Seen, s.Before, s.Civil, s.Wall = seen, l.stated, w.m.Clock.Now(), now
	signed, err := s.Sign(w.m.Self.Key)
	if err != nil {
		return err
	}
	err = w.m.DB.Update(ctx, func(tx *store.Tx) error {
		r, err := tx.Exec(`INSERT INTO witness_statement (verifier, number, epoch, n, hash, finding, wall, statement)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (verifier, number) DO NOTHING`,
			l.verifier, s.Number, seen.Epoch, seen.N, seen.Hash[:], s.Finding, store.Micros(now), signed)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); n == 0 || err != nil { // another process of the office, or a commit whose answer was lost
			return errors.Join(err, errStatedBefore)
		}
		_, err = feed.Append(tx, feed.Draft{Topic: api.TopicWitness, Subject: l.verifier, Type: api.TypeStatement, RecordedAt: s.Civil,
			Body: api.StatementEvent{Statement: signed, Number: s.Number, Epoch: seen.Epoch, N: seen.N}})
		return err
	})
	if errors.Is(err, errStatedBefore) {
		return w.reopen(ctx, l)
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number, l.stated, l.finding, l.statedW = s.Number, &seen, s.Finding, now
	return nil
}

var errStatedBefore = errors.New("that number was stated before")

// reopen takes the log up anew where the last stored statement left it.
func (w *witness) reopen(ctx context.Context, l *witnessed) error {
	again, err := w.open(ctx, l.verifier)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.logs[l.verifier] = l
	w.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number, l.stated, l.finding, l.statedW, l.seen = again.number, again.stated, again.finding, again.statedW, again.seen
	return nil
}
