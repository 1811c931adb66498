package municipality

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// listCases lists what is open, and what was closed since; or all of one person. What changed longest
// ago comes first.
func listCases(tx *store.Tx, subject jitsuin.ID, closedSince time.Time) ([]*caseFile, error) {
	if subject != "" {
		return store.Collect(scanCase)(tx.Query(`SELECT body FROM counter_case WHERE subject = $1 ORDER BY updated_at, id`, string(subject)))
	}
	return store.Collect(scanCase)(tx.Query(`SELECT body FROM counter_case
		WHERE state IN ($1, $2, $3, $4, $5, $6) OR (state IN ($7, $8) AND updated_at >= $9) ORDER BY updated_at, id`,
		string(api.Received), string(api.InquirySent), string(api.Checked), string(api.Notified), string(api.Delivered), string(api.Ready),
		string(api.Done), string(api.Refused), store.Micros(closedSince)))
}

func arrivalOf(c jukinet.Transfer) api.Arrival {
	return api.Arrival{Subject: c.Subject, From: c.From, PlannedOn: c.PlannedOn, Items: c.Items, Standing: api.Standing(c.Standing)}
}

// listArrivals lists the moving-out certificates that nobody has used.
func listArrivals(tx *store.Tx) ([]api.Arrival, error) {
	return store.Collect(func(s store.Scanner) (a api.Arrival, err error) {
		var body string
		if err := s.Scan(&body); err != nil {
			return a, err
		}
		var c jukinet.Transfer
		err = json.Unmarshal([]byte(body), &c)
		return arrivalOf(c), err
	})(tx.Query(`SELECT body FROM moving_certificate WHERE used = 0 ORDER BY subject`))
}

// searchRecords searches by the beginning of a name, blanks aside, a date of birth and a household.
func searchRecords(tx *store.Tx, q api.Query) ([]record, error) {
	return store.Collect(scanRecord)(tx.Query(`SELECT `+recordColumns+` FROM resident
		WHERE (state = $1 OR $5 = 1 AND arrived_at = '') AND ($2 = '' OR substr(replace(name, '　', ''), 1, length($2)) = $2) AND ($3 = '' OR birth_date = $3)
		AND ($6 = '' OR household = $6)
		ORDER BY name, birth_date, subject LIMIT $4`, string(jitsuin.Present), strings.Join(strings.Fields(q.Name), ""), q.BirthDate, q.Limit, number(q.Left), string(q.Household)))
}
