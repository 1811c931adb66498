package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/jitsuin/jitsuin"
)

// Limits of an event. A sender refuses what is beyond them, a reader stops at it.
const (
	MaxBody    = 256 << 10 // bytes of a body in RFC 8785 form
	MaxSubject = 200       // bytes
	MaxType    = 100       // bytes
	maxLine    = MaxBody + 4<<10
	maxNumber  = 1<<53 - 1 // numbers stay exact in JSON (RFC 8785 §3.2.2.3)
)

// Hash is a SHA-256 value; in JSON 64 lower-case hex digits.
type Hash [sha256.Size]byte

// String gives the hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero tells whether h is 32 zero bytes: the hash before the very first event.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText gives the hex digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 lower-case hex digits.
func (h *Hash) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	if err != nil || len(raw) != len(h) || hex.EncodeToString(raw) != string(b) {
		return jitsuin.Errorf(jitsuin.Invalid, "feed-hash-form", "a hash has 64 lower-case hex digits")
	}
	copy(h[:], raw)
	return nil
}

// Origin names the event of another feed that caused this one, so that a forwarder's readers can
// tell how far the first sender has come through.
type Origin struct {
	Actor string `json:"actor"` // the instance, such as municipality:91201
	Epoch uint32 `json:"epoch"`
	N     uint64 `json:"n"`
}

// Event is one numbered event of a topic: a line of GET /feeds/TOPIC.
type Event struct {
	Epoch      uint32          `json:"epoch"`
	N          uint64          `json:"n"` // 1, 2, 3 … within the epoch, without gaps
	Prev       Hash            `json:"prev"`
	Hash       Hash            `json:"hash"`
	RecordedAt time.Time       `json:"recorded_at"` // civil time, UTC, whole microseconds
	Origin     *Origin         `json:"origin,omitempty"`
	Type       string          `json:"type"`
	Subject    string          `json:"subject"`
	Version    uint64          `json:"version"` // 1, 2, 3 … of this subject
	Body       json.RawMessage `json:"body,omitempty"`
	// BodyHash stands in for a body that the sender has erased, and only then.
	BodyHash *Hash `json:"body_hash,omitempty"`
}

// Position is the event's place in its topic.
func (e Event) Position() jitsuin.Position { return jitsuin.Position{Epoch: e.Epoch, N: e.N} }

// IsErased tells whether the sender has erased the body.
func (e Event) IsErased() bool { return e.Body == nil }

// Decode reads the body into v. What does not fit is Invalid ("feed-body"), and so is an erased body.
func (e Event) Decode(v any) error {
	if e.IsErased() {
		return jitsuin.Errorf(jitsuin.Invalid, "feed-body", "the body of event %s has been erased", e.Position())
	}
	if err := json.Unmarshal(e.Body, v); err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "feed-body", "the body of event %s (%s): %w", e.Position(), e.Type, err)
	}
	return nil
}

// header is what of an event is hashed besides prev and body.
type header struct {
	Epoch      uint32    `json:"epoch"`
	N          uint64    `json:"n"`
	RecordedAt time.Time `json:"recorded_at"`
	Origin     *Origin   `json:"origin,omitempty"`
	Type       string    `json:"type"`
	Subject    string    `json:"subject"`
	Version    uint64    `json:"version"`
}

// seal computes the hash: SHA-256(prev ‖ SHA-256(RFC 8785 form of all members but prev, hash and
// body) ‖ SHA-256(RFC 8785 form of body)).
func (e Event) seal(bodyHash Hash) (Hash, error) {
	members, err := canonical(header{e.Epoch, e.N, e.RecordedAt, e.Origin, e.Type, e.Subject, e.Version})
	if err != nil {
		return Hash{}, fmt.Errorf("seal event %s: %w", e.Position(), err)
	}
	return chain(e.Prev, members, bodyHash), nil
}

func chain(prev Hash, members []byte, bodyHash Hash) Hash {
	m := sha256.Sum256(members)
	return sha256.Sum256(append(append(append(make([]byte, 0, 96), prev[:]...), m[:]...), bodyHash[:]...))
}

// canonical gives v in RFC 8785 form.
func canonical(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(text)
}

// parseEvent reads one line and checks that its hash fits the line as it was received, members
// unknown here included. Whether the event belongs at this place is for Cursor.next to say.
func parseEvent(line []byte) (e Event, err error) {
	bad := func(cause error) (Event, error) {
		return Event{}, fmt.Errorf("a line of the feed: %w", cause)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return bad(err)
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return bad(err)
	}
	body := members["body"]
	for _, name := range []string{"prev", "hash", "body", "body_hash"} {
		delete(members, name)
	}
	var bodyHash Hash
	switch {
	case body != nil && e.BodyHash == nil:
		form, err := jcs.Transform(body)
		if err != nil {
			return bad(err)
		}
		e.Body, bodyHash = form, sha256.Sum256(form)
	case body == nil && e.BodyHash != nil:
		bodyHash = *e.BodyHash
	default:
		return bad(fmt.Errorf("event %s needs either body or body_hash", e.Position()))
	}
	form, err := canonical(members)
	if err != nil {
		return bad(err)
	}
	if chain(e.Prev, form, bodyHash) != e.Hash {
		return bad(fmt.Errorf("event %s does not have the hash it states", e.Position()))
	}
	return e, nil
}

var topicForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._:-]{0,99}$`)

// checkTopic refuses names that are no topic: lower-case letters, digits and . _ : -, at most 100.
func checkTopic(topic string) error {
	if !topicForm.MatchString(topic) {
		return jitsuin.Errorf(jitsuin.Invalid, "feed-topic", "a topic has 1 to 100 lower-case letters, digits and . _ : -")
	}
	return nil
}
