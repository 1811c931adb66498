package feed

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Mark is the head as a place with its hash.
func (h Head) Mark() Mark { return h.mark() }

// ParseLine reads one line of a feed, without its line end, and checks that its hash fits what it says.
// exact tells whether the line is to the octet what a sender writes: another way of writing the same
// event is never made by one.
func ParseLine(line []byte) (e Event, exact bool, err error) {
	e, err = parseEvent(line)
	if err != nil {
		return e, false, err
	}
	var again bytes.Buffer
	if err := writeLine(&again, e); err != nil {
		return e, false, err
	}
	return e, bytes.Equal(again.Bytes(), append(bytes.Clone(line), '\n')), nil
}

// ReadLog gives the numbered events of a topic beyond after, those of all epochs in their order, as the
// lines that a sender gives out, without line ends. The line is only good until do returns. Nothing is
// checked: what the database holds is given as it stands. Words that are no more what was recorded are given beside the
// digest of what was, and ParseLine refuses that.
func ReadLog(tx *store.Tx, topic string, after jitsuin.Position, do func(line []byte) error) error {
	rows, err := tx.Query(`SELECT `+eventRow+` FROM feed_events e
		WHERE topic = $1 AND (epoch > $2 OR (epoch = $2 AND n > $3)) ORDER BY epoch, n`, topic, after.Epoch, after.N)
	if err != nil {
		return err
	}
	defer rows.Close()
	var line bytes.Buffer
	for rows.Next() {
		e, err := scanStored(rows)
		if err != nil {
			return fmt.Errorf("an event of topic %s cannot be read: %w", topic, err)
		}
		line.Reset()
		if err := writeLine(&line, e); err != nil {
			return fmt.Errorf("event %s of topic %s: %w", e.Position(), topic, err)
		}
		if err := do(bytes.TrimSuffix(line.Bytes(), []byte("\n"))); err != nil {
			return err
		}
	}
	return rows.Err()
}

// digestOf takes the last column of a row of events while scanEvent reads it.
type digestOf struct {
	store.Scanner
	digest []byte
}

// Scan reads the row and keeps the digest.
func (d *digestOf) Scan(to ...any) error {
	err := d.Scanner.Scan(to...)
	if digest, ok := to[len(to)-1].(*[]byte); ok {
		d.digest = *digest
	}
	return err
}

// scanStored is scanEvent, and gives both the body and the digest of what was recorded where they do not fit.
func scanStored(s store.Scanner) (Event, error) {
	d := &digestOf{Scanner: s}
	e, err := scanEvent(d)
	if sum := sha256.Sum256(e.Body); err == nil && e.Body != nil && !bytes.Equal(sum[:], d.digest) {
		e.BodyHash = new(Hash)
		copy(e.BodyHash[:], d.digest)
	}
	return e, err
}

// LastOf gives the head of a topic as the database has it, and how many events of it have no number yet.
func LastOf(tx *store.Tx, topic string) (head Head, waiting int, err error) {
	if head, err = readHead(tx, topic); err != nil {
		return head, 0, err
	}
	err = tx.QueryRow(`SELECT COUNT(*) FROM feed_outbox WHERE topic = $1`, topic).Scan(&waiting)
	return head, waiting, err
}

// SignHead gives the signed head of a topic, as GET /feeds/TOPIC/head answers it; at is wall time.
func (s *Signer) SignHead(topic string, at Mark, issued time.Time) (string, error) {
	return s.sign(signedHead{Use: "head", Topic: topic, Epoch: at.Epoch, N: at.N, Hash: at.Hash, IssuedAt: issued.UTC().Truncate(time.Second)})
}

// VerifyHead checks a signed head of a topic and gives its place and when it was signed, wall time.
func VerifyHead(compact, topic string, keys Keys) (at Mark, issued time.Time, err error) {
	h, err := verifyHead(compact, "head", topic, keys)
	if err == nil {
		err = writtenOnce(compact)
	}
	if err != nil {
		return Mark{}, time.Time{}, jitsuin.Errorf(jitsuin.Conflict, "feed-head", "%w", err)
	}
	return Mark{jitsuin.Position{Epoch: h.Epoch, N: h.N}, h.Hash}, h.IssuedAt, nil
}

// writtenOnce refuses other ways of writing the same signature: base64 has some.
func writtenOnce(compact string) error {
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return err
	}
	if again, err := jws.CompactSerialize(); err != nil || again != compact {
		return errors.New("a signed head is written otherwise than a signer writes it")
	}
	return nil
}
