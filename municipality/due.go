package municipality

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// replyDeadlines lists until when replies to inquiry letters are taken: the moment after the last day.
func (t *Town) replyDeadlines(ctx context.Context, now time.Time) ([]clock.Due, error) {
	var cases []caseFile
	err := t.DB.View(ctx, func(tx *store.Tx) (err error) {
		cases, err = store.Collect(func(s store.Scanner) (c caseFile, err error) {
			var body []byte
			if err = s.Scan(&body); err == nil {
				err = json.Unmarshal(body, &c)
			}
			return c, err
		})(tx.Query(`SELECT body FROM counter_case WHERE state = $1 LIMIT 10000`, string(api.InquirySent)))
		return err
	})
	if err != nil {
		return nil, err
	}
	count := map[jitsuin.Date]int{}
	for _, c := range cases {
		if c.Letter != nil && !jitsuin.DateOf(now).After(c.Letter.ReplyBy) {
			count[c.Letter.ReplyBy]++
		}
	}
	var all []clock.Due
	for day, n := range count {
		all = append(all, clock.Due{At: day.AddDays(1).Start(), Count: n})
	}
	slices.SortFunc(all, func(x, y clock.Due) int { return x.At.Compare(y.At) })
	return all, nil
}
