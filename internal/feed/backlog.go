package feed

import (
	"time"

	"github.com/jitsuin/jitsuin/internal/store"
)

// Waiting is a topic with committed events that have no number yet.
type Waiting struct {
	Topic  string
	Events int64
	Oldest time.Time // when the oldest was recorded, in the time of whoever recorded it
}

// Backlog lists the topics in which events wait for their number.
func Backlog(tx *store.Tx) ([]Waiting, error) {
	return store.Collect(func(s store.Scanner) (w Waiting, err error) {
		var oldest int64
		err = s.Scan(&w.Topic, &w.Events, &oldest)
		w.Oldest = store.Time(oldest)
		return w, err
	})(tx.Query(`SELECT topic, COUNT(*), MIN(recorded_at) FROM feed_outbox GROUP BY topic ORDER BY topic`))
}
