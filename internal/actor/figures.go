package actor

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/disk"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/metrics"
	"github.com/jitsuin/jitsuin/internal/store"
)

// counters are the figures of every actor that are raised as things happen.
type counters struct {
	unreachable *prometheus.CounterVec
	restarts    *prometheus.CounterVec
	standing    *prometheus.GaugeVec
}

func newCounters(s *metrics.Set) counters {
	return counters{
		unreachable: s.Counter("callee_unreachable_total", "Calls to another instance that did not answer.", "callee"),
		restarts:    s.Counter("task_restarts_total", "How often a task of the actor ended with an error and was started again.", "task"),
		standing:    s.Gauge("task_standing", "1 for a task that stands still until a person has looked.", "task"),
	}
}

// The figures of every actor that are looked up.
var (
	checkOK     = metrics.NewGauge("check_ok", "1 for a check of /readyz that passes, 0 for one that does not.", "check")
	civilOffset = metrics.NewGauge("civil_clock_offset_seconds", "How far civil time, the time of the law, is ahead of wall time here.")

	sentN        = metrics.NewGauge("feed_sent_n", "Number of the last event that may be read, by topic.", "topic")
	sentEpoch    = metrics.NewGauge("feed_sent_epoch", "Epoch of the last event that may be read, by topic.", "topic")
	sendStopped  = metrics.NewGauge("feed_sender_stopped", "1 while nothing is numbered or served, because the database was rolled back.")
	outboxEvents = metrics.NewGauge("feed_outbox_events", "Committed events that have no number yet, by topic.", "topic")
	outboxAge    = metrics.NewGauge("feed_outbox_age_seconds", "Age in civil time of the oldest event that has no number yet, by topic.", "topic")

	readN       = metrics.NewGauge("feed_read_n", "Number up to which a feed was read.", "source", "topic")
	readEpoch   = metrics.NewGauge("feed_read_epoch", "Epoch in which a feed is read.", "source", "topic")
	readLag     = metrics.NewGauge("feed_lag_events", "Events that the sender had at its last answer and that are not applied, parked ones included.", "source", "topic")
	readParked  = metrics.NewGauge("feed_parked_events", "Events that wait because they, or an earlier one of their subject, could not be applied.", "source", "topic")
	parkedTotal = metrics.NewCounter("feed_parked_total", "Events that were parked since the start.", "source", "topic")
	readAlarm   = metrics.NewGauge("feed_alarm", "1 while a reader stands still because reading on would lose or falsify events.", "source", "topic")
	readContact = metrics.NewGauge("feed_last_contact_timestamp_seconds", "When the sender last answered (Unix time), 0 for never.", "source", "topic")

	jobFailures = metrics.NewCounter("job_failures_total", "How often something that was due failed since the start.", "job")
	jobFired    = metrics.NewGauge("job_last_fired_timestamp_seconds", "When the job last did something (Unix time), 0 for never since the start.", "job")
	jobOverdue  = metrics.NewGauge("job_overdue_seconds", "For how long in civil time the job is overdue; negative while it is due later. Absent where nothing is due.", "job")

	dbSize    = metrics.NewGauge("db_size_bytes", "Size of the database.")
	dbWAL     = metrics.NewGauge("db_wal_bytes", "Size of SQLite's write-ahead log; 0 for other databases.")
	dbInUse   = metrics.NewGauge("db_connections_in_use", "Writing connections in use.")
	dbWaited  = metrics.NewCounter("db_connection_wait_seconds_total", "For how long transactions have waited for a writing connection altogether.")
	diskFree  = metrics.NewGauge("disk_free_bytes", "Free space of the file system of the state folder.")
	diskTotal = metrics.NewGauge("disk_total_bytes", "Size of the file system of the state folder.")
)

// readFigures adds what every actor's figures have.
func (a *Actor) readFigures() {
	a.Metrics.Read("checks", a.readChecks)
	a.Metrics.Read("feeds sent", a.readSent)
	a.Metrics.Read("feeds followed", a.readFollowed)
	a.Metrics.Read("jobs", a.readJobs)
	a.Metrics.Read("database", a.readDatabase)
	a.Metrics.Read("disk", a.readDisk)
}

func (a *Actor) readChecks(ctx context.Context, w *metrics.Writer) error {
	w.Set(civilOffset, a.Clock.Offset().Seconds())
	for name, err := range a.API.Checks(ctx) {
		w.Bool(checkOK, err == nil, name)
	}
	return nil
}

func (a *Actor) readSent(ctx context.Context, w *metrics.Writer) error {
	w.Bool(sendStopped, a.sender.sequencer.Health() != nil)
	for topic, head := range a.sender.sequencer.Heads() {
		w.Set(sentN, float64(head.N), topic)
		w.Set(sentEpoch, float64(head.Epoch), topic)
	}
	var waiting []feed.Waiting
	err := a.DB.View(ctx, func(tx *store.Tx) (err error) {
		waiting, err = feed.Backlog(tx)
		return err
	})
	if err != nil {
		return err
	}
	backlog := map[string]feed.Waiting{}
	for topic := range a.sender.readers {
		backlog[topic] = feed.Waiting{}
	}
	for _, b := range waiting {
		backlog[b.Topic] = b
	}
	for topic, b := range backlog {
		age := time.Duration(0)
		if b.Events > 0 {
			age = max(0, a.Clock.Now().Sub(b.Oldest))
		}
		w.Set(outboxEvents, float64(b.Events), topic)
		w.Set(outboxAge, age.Seconds(), topic)
	}
	return nil
}

func (a *Actor) readFollowed(_ context.Context, w *metrics.Writer) error {
	for _, f := range a.followed {
		h, labels := f.Health(), []string{f.config.Source, f.config.Topic}
		w.Set(readN, float64(h.Cursor.N), labels...)
		w.Set(readEpoch, float64(h.Cursor.Epoch), labels...)
		w.Set(readLag, Lag(h.Head, h.Applied), labels...)
		w.Set(readParked, float64(h.Parked), labels...)
		w.Set(parkedTotal, float64(h.ParkedTotal), labels...)
		w.Bool(readAlarm, h.Alarm != nil, labels...)
		w.Time(readContact, h.LastContact, labels...)
	}
	return nil
}

// ReadMemory gives the figures of a feed that an actor follows in memory, as those of other feeds.
func (a *Actor) ReadMemory(w *metrics.Writer, f *feed.MemoryFollower, source, topic string, contact time.Time) {
	at, labels := f.Position(), []string{source, topic}
	w.Set(readN, float64(at.N), labels...)
	w.Set(readEpoch, float64(at.Epoch), labels...)
	w.Set(readLag, Lag(f.Head(), at), labels...)
	w.Bool(readAlarm, stopped(f.Health()), labels...)
	w.Time(readContact, contact, labels...)
}

// Lag is how many events lie between two positions. In another epoch everything of it is missing.
func Lag(head, applied jitsuin.Position) float64 {
	switch {
	case head.Compare(applied) <= 0:
		return 0
	case head.Epoch != applied.Epoch:
		return float64(head.N)
	}
	return float64(head.N - applied.N)
}

func (a *Actor) readJobs(_ context.Context, w *metrics.Writer) error {
	if a.schedule == nil {
		return nil // it does not run yet
	}
	for _, j := range a.schedule.Jobs() {
		w.Set(jobFailures, float64(j.Failures), j.Name)
		w.Time(jobFired, j.LastFired, j.Name)
		if !j.Due.IsZero() {
			w.Set(jobOverdue, a.Clock.Now().Sub(j.Due).Seconds(), j.Name)
		}
	}
	return nil
}

func (a *Actor) readDatabase(ctx context.Context, w *metrics.Writer) error {
	size, err := a.DB.Size(ctx)
	if err != nil {
		return err
	}
	w.Set(dbSize, float64(size.Main))
	w.Set(dbWAL, float64(size.WAL))
	s := a.DB.Connections()
	w.Set(dbInUse, float64(s.InUse))
	w.Set(dbWaited, s.WaitDuration.Seconds())
	return nil
}

func (a *Actor) readDisk(_ context.Context, w *metrics.Writer) error {
	space, err := disk.Of(a.Config.State)
	if err != nil {
		return err
	}
	w.Set(diskFree, float64(space.Free))
	w.Set(diskTotal, float64(space.Total))
	return nil
}
