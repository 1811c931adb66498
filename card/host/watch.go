package host

import (
	"context"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/explain"
)

// Watcher sees how the cards of a host are used. It must be quick and safe for concurrent use. PINs,
// passwords and My Number are taken out before it sees anything.
type Watcher interface {
	// Asked is told of each HTTP call whose handle opens a card; ctx is the request's.
	Asked(ctx context.Context, a Access)
	// Opened is told of each channel, each of every command on it, and closed when it ends. ctx is the
	// request's, or none of a request's where the channel is a socket.
	Opened(ctx context.Context, a Access) (each func(Exchange), closed func())
}

// Access says who reaches which card.
type Access struct {
	Card      jitsuin.ID
	Custodian Custodian // who has the card
	Lent      bool      // it is reached with the lent handle
	Socket    bool      // it is reached through the holder's socket
}

// Exchange is one command to a chip and its response, as it may be shown.
type Exchange struct {
	At   time.Time
	Took time.Duration
	explain.Exchange
}

// seen tells the watcher who asks, if the handle opens something.
func (h *Host) seen(r *http.Request) {
	if h.options.Watch == nil {
		return
	}
	s, loan, err := h.byHandle(bearer(r))
	if err != nil {
		return
	}
	a := Access{Card: s.id, Custodian: s.custody.Custodian, Lent: loan}
	s.mu.Unlock()
	h.options.Watch.Asked(r.Context(), a)
}

// watched tells the watcher before each call who makes it.
func (h *Host) watched(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.seen(r)
		serve(w, r)
	}
}

// watch tells the watcher about a lease. The caller holds s.mu.
func (s *slot) watch(ctx context.Context, l *lease, handle Handle, socket bool) {
	if s.host.options.Watch == nil {
		return
	}
	l.each, l.closed = s.host.options.Watch.Opened(ctx, Access{Card: s.id, Custodian: s.custody.Custodian, Lent: s.custody.Loan.equal(handle), Socket: socket})
}
