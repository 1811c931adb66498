//go:build unix

package country

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hearing is a testing.TB that listens to what is found instead of failing.
type hearing struct {
	testing.TB
	said []string
}

func (h *hearing) Errorf(format string, args ...any) {
	h.said = append(h.said, fmt.Sprintf(format, args...))
}

// TestInvariantsNameTheOffender spoils the books of a good country in one place at a time: each time
// the comparison must say what is wrong.
func TestInvariantsNameTheOffender(t *testing.T) {
	l := newLab(t)
	p, _ := l.resident()
	if err := l.story(p); err != nil {
		t.Fatal(err)
	}
	view := Settle(t, l.folder)
	l.stop()
	CheckInvariants(t, l.folder, view)
	home := Town(p.Municipality)
	const aSign = `(SELECT serial FROM certificate WHERE profile = 'sign' AND state = 'issued' LIMIT 1)`
	for _, s := range []struct{ id, sql, want string }{
		{home, `UPDATE feed_events SET body = replace(body, 'move-within', 'move-withim') WHERE topic = 'residents'`, "has the hash"},
		{home, `DELETE FROM feed_events WHERE topic = 'residents' AND n = 2`, "does not follow on 1.1"},
		{home, `UPDATE feed_events SET version = 7 WHERE topic = 'applications' AND n = 1`, "is version 7"},
		{home, `DELETE FROM feed_cursors WHERE topic LIKE 'town-%' AND source = 'jlis:1'`, "has read nothing of jlis:1"},
		{Jukinet, `UPDATE feed_cursors SET n = n - 1 WHERE source = '` + home + `'`, "stands at"},
		{Jukinet, `UPDATE feed_applied SET hash = zeroblob(32) WHERE subject = '` + string(p.ID) + `'`, "has not applied the last event"},
		{Jukinet, `INSERT INTO notice_log (subject, municipality, epoch, n, cause, occurred_on, body, recorded_at, keep_until)
			SELECT subject, municipality, epoch, n, cause, occurred_on, body, recorded_at, keep_until FROM notice_log WHERE cause = 'move-within'`, "taken in 2 times"},
		{Jukinet, `UPDATE person SET address = 'x' WHERE subject = '` + string(p.ID) + `'`, "at the network"},
		{JLIS, `UPDATE feed_events SET topic = 'jlis2' WHERE topic = 'status'`, "has 0 status events"},
		{JLIS, `UPDATE certificate SET digest = randomblob(32) WHERE serial = ` + aSign, "no entry in the journal"},
		{JLIS, `UPDATE certificate SET counter = 1 + (SELECT MAX(counter) FROM signature) WHERE serial = ` + aSign, "no entry in the journal"},
		{JLIS, `UPDATE certificate SET state = 'intended' WHERE serial = ` + aSign, "neither issued nor abandoned"},
		{JLIS, `UPDATE certificate SET der = (SELECT der FROM certificate WHERE profile = 'auth' AND der IS NOT NULL LIMIT 1) WHERE serial = ` + aSign, "in it"},
		{JLIS, `DELETE FROM revocation`, "both in force"},
		{JLIS, `UPDATE certificate SET profile = 'phone-sign' WHERE state = 'issued' AND profile = 'sign'`, "on a telephone is better off"},
		{JLIS, `INSERT INTO suspension (kind, serial, held_at, cause, rule, report, released_at, released_by, keep_until) VALUES ('sign', ` + aSign + `, 1, '', '', '', 0, '', '')`, "status events, not"},
		{JLIS, `UPDATE revocation SET effective_at = effective_at + 1000000`, "OCSP says"},
		{JLIS, `UPDATE revocation SET reason = 'keyCompromise'`, "the revocation list has"},
		{JLIS, `UPDATE serial_head SET next = next + 1 WHERE kind = 'sign'`, "serial numbers were given"},
		{JLIS, `DELETE FROM signature WHERE counter = 1; INSERT INTO signature (counter, epoch, digest, note) VALUES (1, 1, zeroblob(32), '')`, "J-LIS counts signature 1"},
		{JLIS, `UPDATE application SET state = 'refused'`, "was told"},
		{JLIS, `DELETE FROM application`, "J-LIS has 0"},
		{home, `UPDATE counter_case SET body = replace(body, '"done"', '"ready"') WHERE type = 'new-card'`, "its case is done: false"},
		{home, `UPDATE counter_case SET body = replace(body, '"done"', '"checked"') WHERE type = 'reissue'`, "is checked with 1 certificates"},
		{home, `INSERT INTO open_case (subject, kind, id) SELECT subject, 'sign', id FROM counter_case LIMIT 1`, "still claims"},
		{home, `INSERT INTO feed_outbox (topic, subject, version, type, recorded_at, origin, body) VALUES ('residents', 'x', 1, 'x', 0, '', '{}')`, "have no number"},
		{home, `INSERT INTO feed_parked (source, topic, epoch, n, authority, subject, event, code, message, tries, parked_at, tried_at) VALUES ('jlis:1', 'x', 1, 1, 1, 's', '', 'c', 'm', 1, 0, 0)`, "has parked event"},
		{home, `DELETE FROM change_log`, "recorded"},
	} {
		t.Run(s.want, func(t *testing.T) {
			defer l.spoilt(t, s.id, s.sql)()
			h := &hearing{TB: t}
			CheckInvariants(h, l.folder, view)
			if said := strings.Join(h.said, "\n"); !strings.Contains(said, s.want) {
				t.Errorf("%s: %s\nnobody has noticed; said was: %q", s.id, s.sql, said)
			}
		})
	}
	t.Run("a card that somebody else still opens", func(t *testing.T) {
		paths, _ := filepath.Glob(l.folder.Path("cards", "*", "custody.json"))
		raw, err := os.ReadFile(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(paths[0], raw, 0o600)
		os.WriteFile(paths[0], []byte(strings.Replace(string(raw), `"custodian":"holder"`, `"custodian":"jlis"`, 1)), 0o600)
		h := &hearing{TB: t}
		CheckInvariants(h, l.folder, view)
		if !strings.Contains(strings.Join(h.said, "\n"), `is with "jlis"`) {
			t.Errorf("said was %q", h.said)
		}
	})
	CheckInvariants(t, l.folder, view) // all is as it was
}

// spoilt changes an actor's database; the function that it gives puts it back.
func (l *lab) spoilt(t *testing.T, id, change string) func() {
	t.Helper()
	path := l.folder.Path("actors", fileName(id), "db.sqlite")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_foreign_keys=0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(change); err != nil {
		t.Fatalf("%s: %v", change, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		for _, more := range []string{"-wal", "-shm"} {
			os.Remove(path + more)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
