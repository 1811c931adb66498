package feed

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Draft is an event that has no number yet.
type Draft struct {
	Topic   string // lower-case letters, digits and . _ : -, at most 100
	Subject string // whose state the event carries; at most 200 bytes
	Type    string // at most 100 bytes
	// Body is the whole state of the subject afterwards, anything that encoding/json can write;
	// at most 256 KiB. Numbers beyond 2^53 must be strings (RFC 8785).
	Body any
	// RecordedAt is the civil time at which the act was recorded; required.
	RecordedAt time.Time
	Origin     *Origin // the event of another feed that caused this one, or nil
	// Patient says that nobody waits for the event: it is numbered together with what comes within patience.
	Patient bool
}

// outboxSignal is given when a committed transaction has left events to number, patientSignal when all of them are patient.
const (
	outboxSignal  = "feed.outbox"
	patientSignal = "feed.outbox.patient"
)

// patience is how long a patient event waits for others. To number is a commit and a write to the high-water file: done at once after
// each act it would stand in the way of the act's next commit.
const patience = 50 * time.Millisecond

// Append stores d in the transaction of the act that it tells of, and gives its version: 1 for
// the subject's first event in the topic, then 2, 3 …. The Sequencer of the database numbers it
// once the transaction is committed. Two transactions that append for one subject conflict, so a
// subject's events keep the order of their acts.
func Append(tx *store.Tx, d Draft) (version uint64, err error) {
	body, err := d.check()
	if err != nil {
		return 0, err
	}
	origin := ""
	if d.Origin != nil {
		text, err := json.Marshal(d.Origin)
		if err != nil {
			return 0, err
		}
		origin = string(text)
	}
	err = tx.QueryRow(`INSERT INTO feed_versions (topic, subject, version) VALUES ($1, $2, 1)
		ON CONFLICT (topic, subject) DO UPDATE SET version = feed_versions.version + 1 RETURNING version`,
		d.Topic, d.Subject).Scan(&version)
	if err != nil {
		return 0, err
	}
	// The insertion id is drawn after the version's row is held, so it rises with the version.
	_, err = tx.Exec(`INSERT INTO feed_outbox (topic, subject, version, type, recorded_at, origin, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		d.Topic, d.Subject, version, d.Type, store.Micros(d.RecordedAt), origin, string(body))
	if err != nil {
		return 0, err
	}
	if d.Patient {
		tx.Notify(patientSignal)
	} else {
		tx.Notify(outboxSignal)
	}
	return version, nil
}

func (d Draft) check() (body []byte, err error) {
	if err := checkTopic(d.Topic); err != nil {
		return nil, err
	}
	if d.Subject == "" || len(d.Subject) > MaxSubject || !utf8.ValidString(d.Subject) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "feed-subject", "a subject has 1 to %d bytes of UTF-8", MaxSubject)
	}
	if d.Type == "" || len(d.Type) > MaxType || !utf8.ValidString(d.Type) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "feed-type", "an event type has 1 to %d bytes of UTF-8", MaxType)
	}
	if d.RecordedAt.IsZero() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "feed-recorded-at", "the time of recording is missing")
	}
	var text bytes.Buffer
	if err := writeLine(&text, d.Body); err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "feed-body", "the body cannot be written as JSON: %w", err)
	}
	if text.Len() > 4*MaxBody {
		return nil, tooLarge(text.Len())
	}
	body, err = jcs.Transform(text.Bytes())
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "feed-body", "the body has no RFC 8785 form: %w", err)
	}
	if len(body) > MaxBody {
		return nil, tooLarge(len(body))
	}
	return body, nil
}

func tooLarge(n int) error {
	return jitsuin.Errorf(jitsuin.Invalid, "feed-body", "the body has %d bytes, at most %d are carried", n, MaxBody)
}

// Erase removes the bodies of the subject's numbered events up to version. Hashes stay, so the
// chain can still be verified; readers that come later learn that there was an event, not what it
// said. It gives the number of bodies erased.
func Erase(tx *store.Tx, topic, subject string, version uint64) (erased int64, err error) {
	r, err := tx.Exec(`UPDATE feed_events SET body = NULL
		WHERE topic = $1 AND subject = $2 AND version <= $3 AND body IS NOT NULL`, topic, subject, version)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}
