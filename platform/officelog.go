package platform

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
)

const (
	logPageSize = 50
	logBatch    = 500
	logBatches  = 20 // how far one request looks back; the page then offers to go on
)

// logLine is a line as it is shown.
type logLine struct {
	audit.Line
	At       time.Time // civil
	Position jitsuin.Position
	Own      bool // of the person who looks
}

// logQuery is what an auditor looks for; what is empty says nothing.
type logQuery struct {
	Who, Tenant, Act string
	From, Until      jitsuin.Date
	Before           jitsuin.Position // from the line before this one back; zero from the newest
}

func (q logQuery) fits(l audit.Line) bool {
	return strings.Contains(l.Who, q.Who) && (q.Tenant == "" || l.Tenant == q.Tenant || l.Subject == q.Tenant) && strings.HasPrefix(l.Act, q.Act)
}

// values gives the query as it stands in an address.
func (q logQuery) values() url.Values {
	v := url.Values{}
	for k, s := range map[string]string{"who": q.Who, "tenant": q.Tenant, "act": q.Act} {
		if s != "" {
			v.Set(k, s)
		}
	}
	for k, d := range map[string]jitsuin.Date{"from": q.From, "until": q.Until} {
		if !d.IsZero() {
			v.Set(k, d.String())
		}
	}
	return v
}

func logForm(values url.Values) *web.Form {
	return web.NewForm(values,
		web.Field{Name: "who", Label: "office.log.who", Help: "office.log.who.help", Kind: web.TextField, Max: 100, Width: "medium"},
		web.Field{Name: "tenant", Label: "office.log.tenant", Kind: web.TextField, Max: 64, Width: "medium"},
		web.Field{Name: "act", Label: "office.log.act", Help: "office.log.act.help", Kind: web.TextField, Max: 64, Width: "medium"},
		web.Field{Name: "from", Label: "office.log.from", Kind: web.DateField, Width: "narrow"},
		web.Field{Name: "until", Label: "office.log.until", Kind: web.DateField, Width: "narrow"})
}

// logPage lets an auditor look through the operation log, the newest first.
func (p *Platform) logPage(w http.ResponseWriter, r *http.Request) error {
	f := logForm(r.URL.Query())
	if !f.Check() {
		return p.showOffice(w, r, http.StatusUnprocessableEntity, "office-log", map[string]any{"Form": f})
	}
	q := logQuery{Who: f.Get("who"), Tenant: f.Get("tenant"), Act: f.Get("act"), From: f.Date("from"), Until: f.Date("until")}
	if text := r.URL.Query().Get("before"); text != "" {
		var err error
		if q.Before, err = jitsuin.ParsePosition(text); err != nil {
			return err
		}
	}
	found, next, err := p.searchLog(r, q)
	if err != nil {
		return err
	}
	more := ""
	if next != (jitsuin.Position{}) {
		v := q.values()
		v.Set("before", next.String())
		more = "/office/log?" + v.Encode()
	}
	return p.showOffice(w, r, http.StatusOK, "office-log", map[string]any{"Form": f, "Lines": found, "More": more, "Back": r.URL.Query().Get("before") != ""})
}

// searchLog gives a page of lines and where to go on, zero where everything was looked at.
func (p *Platform) searchLog(r *http.Request, q logQuery) (found []logLine, next jitsuin.Position, err error) {
	s, _ := sessionOf(r.Context())
	from, until := int64(0), int64(1)<<62
	if !q.From.IsZero() {
		from = store.Micros(q.From.Start())
	}
	if !q.Until.IsZero() {
		until = store.Micros(q.Until.AddDays(1).Start())
	}
	err = p.DB.View(r.Context(), func(tx *store.Tx) error {
		found, next = nil, jitsuin.Position{}
		at := q.Before
		if at == (jitsuin.Position{}) {
			at = jitsuin.Position{Epoch: 1<<32 - 1, N: 1<<63 - 1}
		}
		for range logBatches {
			batch, err := store.Collect(scanLogLine)(tx.Query(`SELECT epoch, n, recorded_at, body FROM feed_events
				WHERE topic = $1 AND (epoch < $2 OR epoch = $2 AND n < $3) AND recorded_at >= $4 AND recorded_at < $5
				ORDER BY epoch DESC, n DESC LIMIT $6`, audit.Topic, int64(at.Epoch), int64(at.N), from, until, logBatch))
			if err != nil {
				return err
			}
			for _, l := range batch {
				at = l.Position
				if !q.fits(l.Line) {
					continue
				}
				l.Own = strings.HasSuffix(l.Who, ownMark(s.Person.Signed()))
				if found = append(found, l); len(found) == logPageSize {
					next = at
					return nil
				}
			}
			if len(batch) < logBatch {
				return nil
			}
		}
		next = at
		return nil
	})
	return found, next, err
}

// ownMark is the part of a signed name that stays where a person is called otherwise later.
func ownMark(signed string) string {
	return signed[strings.LastIndex(signed, " ")+1:]
}

func scanLogLine(s store.Scanner) (l logLine, err error) {
	var epoch, n, at int64
	var body sql.Null[[]byte]
	if err := s.Scan(&epoch, &n, &at, &body); err != nil {
		return l, err
	}
	l.Position, l.At = jitsuin.Position{Epoch: uint32(epoch), N: uint64(n)}, store.Time(at)
	if !body.Valid {
		l.Act = "erased"
		return l, nil
	}
	return l, json.Unmarshal(body.V, &l.Line)
}
