package client

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Seen remembers deliveries, so that none is taken twice. Each has an id of its own: an event that the platform sends
// again, because it did not hear the answer, comes as another delivery. Processes that serve one address share one.
type Seen interface {
	// First notes a delivery and tells whether it was not noted before. It may be forgotten after until. An error
	// means that it is not known: the delivery is refused for now, and the event comes again.
	First(ctx context.Context, delivery string, until time.Time) (bool, error)
}

// Webhook takes the events that the platform pushes: an http.Handler for the address that SetWebhook names. It answers the
// challenge by which the address proves to be the tenant's, and refuses what is forged, altered, meant for another tenant, older
// than five minutes, or replayed. Handle is called for one event after the other; what it returns decides: nil takes the event,
// an error has it come again. Like the one of Events it stores e.ID (or e.Cursor, for events come in their order) in the
// transaction of the effect, for an event whose answer was lost comes again with the same id.
type Webhook struct {
	c      *Client
	seen   Seen
	handle func(ctx context.Context, e Event) error
	now    func() time.Time

	mu      sync.Mutex // owns the keys
	keys    map[string]*ecdsa.PublicKey
	fetched time.Time
	asked   time.Time
}

// Webhook makes the handler of this tenant's address.
func (c *Client) Webhook(seen Seen, handle func(ctx context.Context, e Event) error) *Webhook {
	return &Webhook{c: c, seen: seen, handle: handle, now: time.Now}
}

// Errors of Open, by their code.
const (
	PushForm      = "push-form"      // Invalid: no pushed event at all
	PushKey       = "push-key"       // Denied: signed with a key that the platform does not publish
	PushSignature = "push-signature" // Denied: forged or altered
	PushIssuer    = "push-issuer"    // Denied: of another platform
	PushAudience  = "push-audience"  // Denied: for another tenant
	PushOld       = "push-old"       // Expired: sent more than five minutes ago
	PushEarly     = "push-early"     // Invalid: from the future
	PushReplayed  = "push-replayed"  // Conflict: this very delivery came before
)

// Open checks the body of a POST to the address, and gives the event in it. Once a body has been opened it is never
// opened again. Errors: those above, and Unavailable where the platform's keys or Seen cannot be asked.
func (w *Webhook) Open(ctx context.Context, body []byte) (Event, error) {
	now := w.now()
	p, err := api.OpenPush(string(body), w.c.remote.Target(), w.c.remote.Self(), func(kid string) (*ecdsa.PublicKey, error) { return w.key(ctx, kid) }, now)
	if err != nil {
		return Event{}, err
	}
	first, err := w.seen.First(ctx, string(p.ID), p.At.Add(api.PushLife+2*api.PushSkew))
	switch {
	case err != nil && jitsuin.KindOf(err) != jitsuin.Internal:
		return Event{}, err
	case err != nil:
		return Event{}, jitsuin.Errorf(jitsuin.Unavailable, "push-seen", "it cannot be told now whether this came before: %w", err)
	case !first:
		return Event{}, jitsuin.Errorf(jitsuin.Conflict, PushReplayed, "this delivery has come before")
	}
	return p.Event, nil
}

// How long published keys are used without asking again, and how often an unknown one makes us ask.
const (
	keysKept  = time.Hour
	keysAgain = 10 * time.Second
)

// key gives a published key of the platform.
func (w *Webhook) key(ctx context.Context, kid string) (*ecdsa.PublicKey, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	key, known := w.keys[kid]
	if known && now.Sub(w.fetched) < keysKept {
		return key, nil
	}
	unknown := jitsuin.Errorf(jitsuin.Denied, PushKey, "the platform publishes no such key")
	if w.keys != nil && now.Sub(w.fetched) < keysKept && now.Sub(w.asked) < keysAgain {
		return nil, unknown // whoever sends rubbish does not make us ask each time
	}
	w.asked = now
	keys, err := w.fetch(ctx)
	if err != nil {
		return nil, err
	}
	w.keys, w.fetched = keys, now
	if key, known = keys[kid]; !known {
		return nil, unknown
	}
	return key, nil
}

func (w *Webhook) fetch(ctx context.Context) (map[string]*ecdsa.PublicKey, error) {
	var set jose.JSONWebKeySet
	if err := w.c.remote.Call(ctx, http.MethodGet, "/.well-known/jwks.json", "", nil, &set); err != nil {
		return nil, err
	}
	keys := map[string]*ecdsa.PublicKey{}
	for _, k := range set.Keys {
		if key, ok := k.Key.(*ecdsa.PublicKey); ok {
			keys[k.KeyID] = key
		}
	}
	return keys, nil
}

// refusals are the codes of RFC 8935 §2.4 for ours.
var refusals = map[string]string{PushKey: "invalid_key", PushSignature: "authentication_failed", PushIssuer: "invalid_issuer", PushAudience: "invalid_audience"}

// ServeHTTP implements http.Handler: 202 for an event that was taken, 400 with a PushRefusal for one that is refused, 503
// for one that is to come again.
func (w *Webhook) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "application/json")
	if r.Method != http.MethodPost {
		rw.Header().Set("Allow", http.MethodPost)
		rw.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, api.MaxPush+1))
	if err != nil {
		refuse(rw, jitsuin.Errorf(jitsuin.Invalid, PushForm, "the body cannot be read"))
		return
	}
	e, err := w.Open(r.Context(), body)
	switch {
	case err != nil:
		refuse(rw, err)
	case e.Type == api.EventChallenge:
		rw.Write(e.Data)
	case w.handle(r.Context(), e) != nil:
		rw.WriteHeader(http.StatusServiceUnavailable)
	default:
		rw.WriteHeader(http.StatusAccepted)
	}
}

func refuse(rw http.ResponseWriter, err error) {
	switch jitsuin.KindOf(err) {
	case jitsuin.Invalid, jitsuin.Denied, jitsuin.Expired, jitsuin.Conflict:
	default:
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	code, known := refusals[jitsuin.CodeOf(err)]
	if !known {
		code = "invalid_request"
	}
	rw.WriteHeader(http.StatusBadRequest)
	json.NewEncoder(rw).Encode(api.PushRefusal{Err: code, Description: jitsuin.CodeOf(err) + ": " + err.Error()})
}

// SeenInMemory is a Seen for one process. After a restart it has forgotten, so whoever kept a delivery of the last
// five minutes could have it taken once more, and e.ID alone prevents a second effect.
type SeenInMemory struct {
	most int

	mu    sync.Mutex
	until map[string]time.Time
}

// NewSeenInMemory makes one that holds at most so many deliveries. Where all of them may still be replayed, a further
// one is refused for now rather than one forgotten.
func NewSeenInMemory(most int) *SeenInMemory {
	return &SeenInMemory{most: most, until: map[string]time.Time{}}
}

// First implements Seen.
func (s *SeenInMemory) First(_ context.Context, delivery string, until time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, seen := s.until[delivery]; seen {
		return false, nil
	}
	if len(s.until) >= s.most {
		now := time.Now()
		for d, t := range s.until {
			if now.After(t) {
				delete(s.until, d)
			}
		}
	}
	if len(s.until) >= s.most {
		return false, jitsuin.Errorf(jitsuin.Unavailable, "push-seen", "more deliveries came in five minutes than can be remembered")
	}
	s.until[delivery] = until
	return true, nil
}
