package feed

import (
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin"
)

// Codes of alarms.
const (
	CodeGap       = "feed-gap"              // a number is missing
	CodeChanged   = "feed-hash-changed"     // what was read before is no longer what the sender has
	CodeMalformed = "feed-malformed"        // a line is no event, or its hash does not fit
	CodeSnapshot  = "feed-snapshot-invalid" // a snapshot's signature, digest or position is wrong
	CodeForget    = "feed-forget"           // a subject that the sender has lost could not be forgotten
	CodeApply     = "feed-apply"            // a MemoryFollower's state refused an event
)

// Alarm stops a reader: going on would lose or falsify events, so a person must look. Reading on
// from the stored cursor afterwards is safe. Its jitsuin.Error has the kind Conflict and one of
// the codes above or CodeBehind.
type Alarm struct {
	Source, Topic string
	At            jitsuin.Position // up to where all is well
	Err           *jitsuin.Error
}

// Error says what is wrong and where.
func (a *Alarm) Error() string {
	return fmt.Sprintf("feed %s of %s after %s: %s", a.Topic, a.Source, a.At, a.Err.Error())
}

// Unwrap gives the jitsuin.Error.
func (a *Alarm) Unwrap() error { return a.Err }

// errNewEpoch says that the sender is in a later epoch: the reader starts from the snapshot.
var errNewEpoch = errors.New("the sender has started a new epoch")

// cursor is up to where a feed has been read, and the hash there. The zero cursor is before the
// first event.
type cursor struct {
	jitsuin.Position
	Hash Hash
}

// next checks that e comes directly after c and gives the cursor after e. repeated says that e was
// read before and is to be ignored.
func (c cursor) next(e Event) (after cursor, repeated bool, err error) {
	after = cursor{e.Position(), e.Hash}
	fresh := c.Position == jitsuin.Position{}
	switch {
	case e.Epoch == 0 || e.N == 0:
		return c, false, jitsuin.Errorf(jitsuin.Conflict, CodeMalformed, "an event has the position %s", e.Position())
	case e.Epoch > c.Epoch && !fresh:
		return c, false, errNewEpoch
	case after.Position == c.Position && e.Hash != c.Hash:
		return c, false, jitsuin.Errorf(jitsuin.Conflict, CodeChanged, "event %s is another one than before", e.Position())
	case after.Position.Compare(c.Position) <= 0:
		return c, true, nil
	case e.N != c.N+1:
		return c, false, jitsuin.Errorf(jitsuin.Conflict, CodeGap, "after %s comes %s", c.Position, e.Position())
	case e.Prev != c.Hash:
		return c, false, jitsuin.Errorf(jitsuin.Conflict, CodeChanged, "event %s does not continue what was read before", e.Position())
	}
	return after, false, nil
}
