// Package audit is the operation log (動作記録) of an actor: who did what to what, from which terminal
// and why. A line is stored in the transaction of the act that it tells of, so there is no act without
// its line and no line without its act; the sequencer of the actor's feeds numbers and chains it, and that
// chain is the only one: there is no second mechanism beside the feed.
//
// An outside witness follows the feed and signs how far it has come (Statement). Check reads a log, from a
// database, an exported file or a pack, and names the first bad entry.
//
// It owns the form of a line, of a statement and of an exported log, and what makes them good. A line must never hold the four items, My Number, a PIN, a serial number
// of a certificate or a document: it names things by their ids.
package audit

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Topic is the feed in which an actor's lines stand; TypeLine their type.
const (
	Topic    = "operations"
	TypeLine = "audit.line"
)

// Line is one line of the log.
type Line struct {
	// Who is an instance or client as its access token proved it, or a person as the office knows them.
	Who string `json:"who"`
	// Terminal is where they sat: an address, or the name of a terminal. Empty for a task of the actor's own.
	Terminal string `json:"terminal,omitempty"`
	// Act is what was done, a word such as verify, tenant-registered, record-amended.
	Act string `json:"act"`
	// Subject is the id of what it was done to.
	Subject string `json:"subject"`
	// Tenant is on whose behalf, empty where on nobody's.
	Tenant string `json:"tenant,omitempty"`
	// Reason is why, in the words of who did it; acts that need one are refused without.
	Reason  string `json:"reason,omitempty"`
	Request string `json:"request,omitempty" doc:"the request's id, as in the actor's log"`
	// Detail are further facts of the act, such as its outcome.
	Detail map[string]string `json:"detail,omitempty"`
}

type ctxKey struct{}

// Person is somebody of the office at a terminal.
type Person struct{ Name, Terminal, Reason string }

// With says that a person acts in ctx. Name is an id of the office, never somebody's four items.
func With(ctx context.Context, p Person) context.Context { return context.WithValue(ctx, ctxKey{}, p) }

// Record stores a line in the transaction of its act; at is civil time. What l leaves out of who, terminal,
// reason and request is taken from ctx.
func Record(ctx context.Context, tx *store.Tx, at time.Time, l Line) error {
	p, _ := ctx.Value(ctxKey{}).(Person)
	for _, f := range []struct {
		at   *string
		from string
	}{{&l.Who, p.Name}, {&l.Who, httpapi.CallerOf(ctx).ID},
		{&l.Terminal, p.Terminal}, {&l.Terminal, httpapi.TerminalOf(ctx)}, {&l.Reason, p.Reason}, {&l.Request, httpapi.RequestID(ctx)}} {
		if *f.at == "" {
			*f.at = f.from
		}
	}
	if l.Who == "" || l.Act == "" || l.Subject == "" {
		return jitsuin.Errorf(jitsuin.Internal, "audit-line", "a line of the operation log says who did what to what")
	}
	_, err := feed.Append(tx, feed.Draft{Topic: Topic, Subject: l.Subject, Type: TypeLine, Body: l, RecordedAt: at, Patient: true})
	return err
}
