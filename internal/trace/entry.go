package trace

import (
	"encoding/json"
	"time"
)

// Entry is one exchange: a request that an actor was sent and the answer that it gave, or, at the
// card host, one use of a card.
type Entry struct {
	Seq       uint64    `json:"seq"`            // 1, 2, 3 … as long as the actor runs
	Actor     string    `json:"actor"`          // who was asked, such as jlis:1
	Caller    string    `json:"from,omitempty"` // the instance that asked, as its token proved it; "" for somebody unknown
	Browser   bool      `json:"browser,omitempty"`
	At        time.Time `json:"at"`    // wall time of the beginning
	Civil     time.Time `json:"civil"` // civil time of the beginning
	Took      int64     `json:"took_us"`
	Method    string    `json:"method"` // of HTTP; SOCKET for a card that was opened through its socket
	Route     string    `json:"route,omitempty"`
	Path      string    `json:"path"`
	Query     string    `json:"query,omitempty"`
	Status    int       `json:"status"`
	RequestID string    `json:"request_id,omitempty"`
	Events    []Event   `json:"events,omitempty"` // of a feed, that this answer carried
	Card      *Card     `json:"card,omitempty"`

	// What follows is left out of lists.
	Headers map[string]string `json:"headers,omitempty"`
	Request *Body             `json:"request,omitempty"`
	Answer  *Body             `json:"answer,omitempty"`
}

// Event is one event of a feed that came to its reader.
type Event struct {
	Topic    string          `json:"topic"`
	Position string          `json:"position"` // EPOCH.N
	Type     string          `json:"type"`
	Subject  string          `json:"subject"`
	Body     json.RawMessage `json:"body,omitempty"` // redacted; left out of lists, and where the exchange is too large
}

// Card is what the card host tells of one exchange.
type Card struct {
	ID string `json:"id"`
	// Custodian has the card: an actor's instance, or "holder". Lent tells that it was reached with a lent handle.
	Custodian string `json:"custodian"`
	Lent      bool   `json:"lent,omitempty"`
	Count     int    `json:"count"`              // of commands
	Commands  []APDU `json:"commands,omitempty"` // left out of lists
}

// APDU is one command to a chip and its response.
type APDU struct {
	At       time.Time `json:"at"`
	Command  string    `json:"command"` // hex; of a command that carries a PIN the header alone
	Response string    `json:"response"`
	Masked   bool      `json:"masked,omitempty"`
	Took     int64     `json:"took_us"`
}

// Body is what was sent or answered.
type Body struct {
	Type string `json:"type"` // media type
	Size int64  `json:"size"` // in bytes, as it was on the wire
	// JSON holds JSON and forms, redacted, Text other text, Bytes the rest. All are empty where the body is
	// too large to be kept.
	JSON  json.RawMessage `json:"json,omitempty"`
	Text  string          `json:"text,omitempty"`
	Bytes []byte          `json:"bytes,omitempty"`
	Cut   bool            `json:"cut,omitempty"` // something was left out
}

// brief is the entry as lists have it.
func (e Entry) brief() Entry {
	e.Headers, e.Request, e.Answer = nil, nil, nil
	if len(e.Events) > 0 {
		events := make([]Event, len(e.Events))
		for i, v := range e.Events {
			v.Body = nil
			events[i] = v
		}
		e.Events = events
	}
	if e.Card != nil {
		c := *e.Card
		c.Commands = nil
		e.Card = &c
	}
	return e
}

// size estimates what the entry takes in memory.
func (e Entry) size() int {
	n := 400 + len(e.Path) + len(e.Query) + e.Request.size() + e.Answer.size()
	for _, v := range e.Events {
		n += 120 + len(v.Subject) + len(v.Body)
	}
	if e.Card != nil {
		for _, c := range e.Card.Commands {
			n += 100 + len(c.Command) + len(c.Response)
		}
	}
	return n
}

func (b *Body) size() int {
	if b == nil {
		return 0
	}
	return 80 + len(b.JSON) + len(b.Text) + len(b.Bytes)
}
