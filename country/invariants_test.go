package country

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
	municipality "github.com/jitsuin/jitsuin/municipality/api"
)

// audit reads the books of all actors side by side. No actor may do that; a test must, because
// what may never happen (a certificate without a journal entry, a notice applied twice) is visible
// only there.
type audit struct {
	t      testing.TB
	f      Folder
	ids    []string           // actors with a database
	db     map[string]*sql.DB // by instance
	sent   map[string]map[string][]sentEvent
	heads  map[string]map[string]sentHead
	wrongs int
}

// sentHead is a row of feed_heads: the last event, or the beginning of an epoch that has none yet.
type sentHead struct {
	epoch, n uint64
	hash     string
}

func (h sentHead) at() string { return fmt.Sprintf("%d.%d", h.epoch, h.n) }

// sentEvent is a row of feed_events.
type sentEvent struct {
	epoch, n, version uint64
	prev, hash        []byte
	recordedAt        int64
	origin            string
	kind, subject     string
	body, bodyHash    []byte
}

func (e sentEvent) at() string { return fmt.Sprintf("%d.%d", e.epoch, e.n) }

// CheckInvariants compares the books of all actors of a stopped country with each other, with the
// chips and with what the status origin said before the stop. It names each offender.
//
// lost leaves out comparisons for a municipality that was restored from a backup: "feeds" of what was sent then and
// what was heard of it.
func CheckInvariants(t testing.TB, f Folder, view StatusView, lost ...string) {
	t.Helper()
	a := openAudit(t, f)
	defer a.close()
	for _, id := range a.ids {
		a.feedsSent(id)
		a.feedsRead(id)
	}
	a.everybodyFollows()
	if !slices.Contains(lost, "feeds") {
		a.notices()
		defer func(certs []issuedCert) { a.applications(certs) }(a.readCertificates())
	}
	a.registers()
	a.changeLogs()
	certs := a.certificates()
	a.signatures(certs)
	a.statuses(certs, view)
	a.cases()
	a.custody()
	a.tickets()
	if a.wrongs > maxWrongs {
		t.Errorf("and %d more", a.wrongs-maxWrongs)
	}
}

func openAudit(t testing.TB, f Folder) *audit {
	t.Helper()
	a := &audit{t: t, f: f, db: map[string]*sql.DB{}, sent: map[string]map[string][]sentEvent{}, heads: map[string]map[string]sentHead{}}
	d, err := f.Directory()
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"country", "municipality", "jukinet", "jlis", "minister", "platform", "tsa", "service"} {
		for _, i := range d.Role(role) {
			path, err := filepath.Abs(f.Path("actors", fileName(i.ID), "db.sqlite"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(path); err != nil {
				t.Fatalf("%s has no database: %v", i.ID, err)
			}
			db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_busy_timeout=10000")
			if err != nil {
				t.Fatal(err)
			}
			a.ids, a.db[i.ID] = append(a.ids, i.ID), db
		}
	}
	return a
}

func (a *audit) close() {
	for _, db := range a.db {
		db.Close()
	}
}

const maxWrongs = 40

// wrong reports an offender.
func (a *audit) wrong(format string, args ...any) {
	a.t.Helper()
	if a.wrongs++; a.wrongs <= maxWrongs {
		a.t.Errorf(format, args...)
	}
}

// each runs a query on an actor's database and calls scan for every row.
func (a *audit) each(id string, scan func(scan func(...any)), query string) {
	a.t.Helper()
	rows, err := a.db[id].QueryContext(a.t.Context(), query)
	if err != nil {
		a.t.Fatalf("%s: %v", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		scan(func(to ...any) {
			if err := rows.Scan(to...); err != nil {
				a.t.Fatalf("%s: %s: %v", id, query, err)
			}
		})
	}
	if err := rows.Err(); err != nil {
		a.t.Fatalf("%s: %v", id, err)
	}
}

// count gives the number of rows that a query finds.
func (a *audit) count(id, query string) (n int) {
	a.t.Helper()
	a.each(id, func(scan func(...any)) { scan(&n) }, "SELECT COUNT(*) FROM "+query)
	return n
}

// pairs reads two columns.
func (a *audit) pairs(id, query string) map[string]string {
	out := map[string]string{}
	a.each(id, func(scan func(...any)) {
		var k, v string
		scan(&k, &v)
		if old, twice := out[k]; twice {
			a.wrong("%s: %s is there twice: %s and %s", id, k, old, v)
		}
		out[k] = v
	}, query)
	return out
}

func (a *audit) towns() (ids []string) {
	for _, id := range a.ids {
		if roleOf(id) == "municipality" {
			ids = append(ids, id)
		}
	}
	return ids
}

func codeOf(town string) jitsuin.MunicipalityCode {
	return jitsuin.MunicipalityCode(strings.TrimPrefix(town, "municipality:"))
}

// feedsSent: every feed is one chain without gaps, numbered as far as anything was committed.
func (a *audit) feedsSent(id string) {
	topics := map[string][]sentEvent{}
	a.sent[id] = topics
	a.each(id, func(scan func(...any)) {
		var e sentEvent
		var topic string
		scan(&topic, &e.epoch, &e.n, &e.prev, &e.hash, &e.recordedAt, &e.origin, &e.kind, &e.subject, &e.version, &e.body, &e.bodyHash)
		topics[topic] = append(topics[topic], e)
	}, `SELECT topic, epoch, n, prev, hash, recorded_at, origin, type, subject, version, body, body_hash FROM feed_events ORDER BY topic, epoch, n`)
	heads := map[string]sentHead{}
	a.heads[id] = heads
	a.each(id, func(scan func(...any)) {
		var topic string
		var hash []byte
		var h sentHead
		scan(&topic, &h.epoch, &h.n, &hash)
		h.hash = string(hash)
		heads[topic] = h
	}, `SELECT topic, epoch, n, hash FROM feed_heads`)
	if n := a.count(id, "feed_outbox"); n > 0 {
		a.wrong("%s: %d events have no number", id, n)
	}
	marks, err := feed.HighWaterFile(a.f.Path("actors", fileName(id), "state", "feeds.high-water")).Marks()
	if err != nil {
		a.wrong("%s: %v", id, err)
	}
	for topic, events := range topics {
		prev, versions := make([]byte, 32), map[string]uint64{}
		var before sentEvent
		for _, e := range events {
			follows := e.epoch == before.epoch && e.n == before.n+1 || e.epoch > before.epoch && e.n == 1
			if !follows || string(e.prev) != string(prev) {
				a.wrong("%s %s: event %s does not follow on %s", id, topic, e.at(), before.at())
			}
			before = e
			if versions[e.subject]++; versions[e.subject] != e.version {
				a.wrong("%s %s: event %s is version %d of %s, not %d", id, topic, e.at(), e.version, e.subject, versions[e.subject])
			}
			if got := e.seal(a.t); string(got) != string(e.hash) {
				a.wrong("%s %s: event %s has the hash %x, not %x", id, topic, e.at(), e.hash, got)
			}
			prev = e.hash
		}
		head := heads[topic]
		if m := marks[topic]; m.Position.String() != head.at() || string(m.Hash[:]) != head.hash || string(prev) != head.hash {
			a.wrong("%s %s: the high-water file stands at %s, the feed at %s", id, topic, m.Position, head.at())
		}
	}
}

// seal computes an event's hash as formats of the feed say, with nothing of package feed.
func (e sentEvent) seal(t testing.TB) []byte {
	header := map[string]any{"epoch": e.epoch, "n": e.n, "recorded_at": store.Time(e.recordedAt).Format(time.RFC3339Nano),
		"type": e.kind, "subject": e.subject, "version": e.version}
	if e.origin != "" {
		header["origin"] = json.RawMessage(e.origin)
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	form, err := jcs.Transform(text)
	if err != nil {
		t.Fatal(err)
	}
	h, b := sha256.Sum256(form), sha256.Sum256(e.body)
	if string(b[:]) != string(e.bodyHash) {
		return nil
	}
	sum := sha256.Sum256(slices.Concat(e.prev, h[:], b[:]))
	return sum[:]
}

// feedsRead: whatever an actor follows it has read to the end, of the sender's own chain, and the
// last event of each subject is the last that was applied.
func (a *audit) feedsRead(id string) {
	a.each(id, func(scan func(...any)) {
		var source, topic, subject, code, message string
		var n uint64
		scan(&source, &topic, &n, &subject, &code, &message)
		a.wrong("%s has parked event %d of %s %s (%s): %s %s", id, n, source, topic, subject, code, message)
	}, `SELECT source, topic, n, subject, code, message FROM feed_parked`)
	type key struct{ source, topic, subject string }
	applied := map[key][]byte{}
	a.each(id, func(scan func(...any)) {
		var k key
		var hash []byte
		scan(&k.source, &k.topic, &k.subject, &hash)
		applied[k] = hash
	}, `SELECT source, topic, subject, hash FROM feed_applied`)
	a.each(id, func(scan func(...any)) {
		var source, topic string
		var epoch, n uint64
		var hash []byte
		scan(&source, &topic, &epoch, &n, &hash)
		if topic == minister.TopicWitness {
			return // the office states what it read last while it ends, when nobody reads any more
		}
		events := a.events(source, topic)
		if head, known := a.heads[source][topic]; known && (head.at() != fmt.Sprintf("%d.%d", epoch, n) || head.hash != string(hash)) {
			a.wrong("%s stands at %d.%d %x of %s %s, whose feed stands at %s", id, epoch, n, hash, source, topic, head.at())
		}
		last := map[string][]byte{}
		for _, e := range events {
			last[e.subject] = e.hash
		}
		for subject, hash := range last {
			if string(applied[key{source, topic, subject}]) != string(hash) {
				a.wrong("%s has not applied the last event of %s in %s %s", id, subject, source, topic)
			}
		}
	}, `SELECT source, topic, epoch, n, hash FROM feed_cursors`)
}

// events reads the sender's feed, which may not have been looked at yet.
func (a *audit) events(source, topic string) []sentEvent {
	if a.sent[source] == nil && a.db[source] != nil {
		a.feedsSent(source)
	}
	return a.sent[source][topic]
}

// everybodyFollows: no feed that somebody must follow is without its reader.
func (a *audit) everybodyFollows() {
	must := map[[3]string]bool{{JLIS, Jukinet, jukinet.TopicToJLIS}: true, {JLIS, Minister, minister.TopicAccreditations}: true,
		{JLIS, Minister, minister.TopicDesignations}: true}
	for _, town := range a.towns() {
		must[[3]string{Jukinet, town, jukinet.TopicResidents}] = true
		must[[3]string{JLIS, town, jlis.TopicApplications}] = true
		must[[3]string{JLIS, town, municipality.TopicOrdinances}] = true
		must[[3]string{town, Jukinet, jukinet.TopicToTown(codeOf(town))}] = true
		must[[3]string{town, JLIS, jlis.TopicToTown(codeOf(town))}] = true
	}
	for _, id := range a.ids {
		if id != Country {
			must[[3]string{id, Country, actor.TopicClock}] = true
		}
		a.each(id, func(scan func(...any)) {
			var source, topic string
			scan(&source, &topic)
			delete(must, [3]string{id, source, topic})
		}, `SELECT source, topic FROM feed_cursors`)
	}
	for m := range must {
		if n := len(a.events(m[1], m[2])); n > 0 {
			a.wrong("%s has read nothing of %s %s, which has %d events", m[0], m[1], m[2], n)
		}
	}
}

func decode[T any](a *audit, e sentEvent) (v T) {
	if err := json.Unmarshal(e.body, &v); err != nil {
		a.wrong("event %s of %s: %v", e.at(), e.subject, err)
	}
	return v
}

// notices: every notice of a town was taken in by the network once, and passed on to J-LIS once.
func (a *audit) notices() {
	taken, passed := map[string]int{}, map[string]int{}
	a.each(Jukinet, func(scan func(...any)) {
		var town, subject, cause, at string
		scan(&town, &at, &subject, &cause)
		taken[town+" "+at+" "+subject+" "+cause]++
	}, `SELECT municipality, epoch || '.' || n, subject, cause FROM notice_log`)
	for _, e := range a.events(Jukinet, jukinet.TopicToJLIS) {
		if e.kind != jukinet.TypeChange {
			continue
		}
		var from feed.Origin
		if err := json.Unmarshal([]byte(e.origin), &from); err != nil {
			a.wrong("change %s to J-LIS has no origin: %v", e.at(), err)
		}
		c := decode[jitsuin.Change](a, e)
		passed[fmt.Sprintf("%s %d.%d %s %s", codeOf(from.Actor), from.Epoch, from.N, e.subject, c.Cause)]++
	}
	sent := 0
	for _, town := range a.towns() {
		for _, e := range a.events(town, jukinet.TopicResidents) {
			sent++
			key := fmt.Sprintf("%s %s %s %s", codeOf(town), e.at(), e.subject, decode[jukinet.Notice](a, e).Cause)
			if taken[key] != 1 || passed[key] != 1 {
				a.wrong("the notice %s was taken in %d times and passed on %d times", key, taken[key], passed[key])
			}
		}
	}
	if len(taken) != sent || len(passed) != sent {
		a.wrong("%d notices were sent, the network knows %d and has passed on %d", sent, len(taken), len(passed))
	}
}

// changeLogs: every change that a town has recorded has its notice, and one request brought it.
func (a *audit) changeLogs() {
	for _, town := range a.towns() {
		recorded := 0 // the older register that was read at the first start included
		a.each(town, func(scan func(...any)) { scan(&recorded) }, `SELECT (SELECT COUNT(*) FROM change_log) + (SELECT lines FROM register_import)`)
		if n := len(a.events(town, jukinet.TopicResidents)); n != recorded {
			a.wrong("%s has recorded %d changes and sent %d notices", town, recorded, n)
		}
		marks := a.pairs(Jukinet, `SELECT municipality, epoch || '.' || n FROM passed_on`)
		atJLIS := a.pairs(JLIS, `SELECT municipality, epoch || '.' || n FROM town_mark`)
		a.events(town, jukinet.TopicResidents)
		if want := a.heads[town][jukinet.TopicResidents].at(); marks[string(codeOf(town))] != want || atJLIS[string(codeOf(town))] != want {
			a.wrong("%s stands at %s; the network says %s, J-LIS %s", town, want, marks[string(codeOf(town))], atJLIS[string(codeOf(town))])
		}
	}
}

const itemColumns = `name || '|' || address || '|' || birth_date || '|' || sex`

// registers: towns, network and J-LIS say the same of everybody.
func (a *audit) registers() {
	network := a.pairs(Jukinet, `SELECT subject, municipality || '|' || state || '|' || `+itemColumns+` FROM person`)
	agency := a.pairs(JLIS, `SELECT subject, municipality || '|' || state || '|' || `+itemColumns+` FROM person`)
	if len(network) != len(agency) {
		a.wrong("the network knows %d persons, J-LIS %d", len(network), len(agency))
	}
	for subject, says := range network {
		if agency[subject] != says {
			a.wrong("%s is %q at the network and %q at J-LIS", subject, says, agency[subject])
		}
	}
	for _, town := range a.towns() {
		for subject, says := range a.pairs(town, `SELECT subject, '`+string(codeOf(town))+`|' || state || '|' || `+itemColumns+` FROM resident WHERE NOT (state = 'moving' AND arrived_at <> '')`) {
			if network[subject] != says {
				a.wrong("%s is %q at %s and %q at the network", subject, says, town, network[subject])
			}
		}
	}
}
