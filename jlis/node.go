package jlis

import (
	"context"
	"encoding/base64"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/status"
)

// node is the status origin: it follows the status feed in memory and answers verifiers. It never
// answers from a memory that has not caught up, or that has lost its source.
type node struct {
	agency   *Agency
	api      *httpapi.API
	follower *feed.MemoryFollower
	sets     atomic.Pointer[statusSets]
	ocsp     atomic.Pointer[status.Responder]
	lists    listMaker
	caughtUp atomic.Bool
	held     heldBack
	contact  atomic.Int64 // wall time of the last answer of the feed, Unix milliseconds
}

// statusSets are the sets of all CA keys by key identifier.
type statusSets map[string]*status.Set

const (
	pollWait    = 10 * time.Second
	staleAfter  = time.Minute // without an answer of the feed nobody is told that a certificate is good
	retryStatus = 200 * time.Millisecond
)

// newNode gives the Agency its second face.
func (a *Agency) newNode(ctx context.Context) error {
	key, err := actor.ReadKey(a.cfg.Status.Key)
	if err != nil {
		return err
	}
	self := httpapi.Identity{ID: a.cfg.Status.Instance, Key: key}
	log := a.Log.With("face", self.ID)
	n := &node{agency: a, lists: listMaker{agency: a}}
	n.api = httpapi.NewAPI("J-LIS status (有効性確認)", "1", httpapi.NewIssuer(self, httpapi.FromDirectory(a.Directory)), log)
	n.api.Observe(a.Requests.Face(self.ID))
	source := a.Source(a.Self.ID, api.TopicStatus)
	source.HTTP = a.RemoteAs(self, a.Self.ID).HTTPClient()
	n.follower, err = feed.NewMemoryFollower(feed.MemoryConfig{SourceConfig: source, Apply: n.apply, Reset: n.reset, Log: log})
	if err != nil {
		return err
	}
	n.held.done = a.NeedsToCatchUp()
	n.held.released.Store(a.Restored() == nil || a.Restored().CaughtUp)
	a.node = n
	n.reset()
	n.routes()
	a.TraceFor(self.ID, n.api)
	a.AlsoServe(a.cfg.Status.Listen, n.handler())
	a.Go("status", n.run)
	a.At(a.renewResponders())
	return nil
}

// reset begins with empty sets; nobody is answered before the feed is read again.
func (n *node) reset() {
	n.caughtUp.Store(false)
	sets := statusSets{}
	for _, u := range n.agency.all {
		sets[u.keyID()] = status.NewSet(u.kind, n.agency.codecs[u.kind])
	}
	n.sets.Store(&sets)
	if err := n.serveFrom(sets); err != nil {
		n.agency.Log.Error("OCSP cannot be answered", "err", err)
	}
}

// serveFrom makes the responder that answers from these sets.
func (n *node) serveFrom(sets statusSets) error {
	var authorities []status.Authority
	for _, r := range *n.agency.responders.Load() {
		authorities = append(authorities, r.statusAuthority(sets[r.authority.keyID()]))
	}
	if len(authorities) == 0 {
		n.ocsp.Store(nil)
		return nil
	}
	_, window := rules.Cadence(jitsuin.DateOf(n.agency.Clock.Now()))
	r, err := status.NewResponder(authorities, status.ResponderOptions{Cadence: n.agency.cfg.Status.Cadence, Clock: n.agency.Clock.Now,
		Window: window, Prefix: "/ocsp",
		Answered: func(result string) { n.agency.count.ocsp.WithLabelValues(result).Inc() },
		Signed:   func(took time.Duration) { n.agency.count.ocspSigned.Observe(took.Seconds()) }})
	if err == nil {
		n.ocsp.Store(r)
	}
	return err
}

// run reads the feed until ctx ends.
func (n *node) run(ctx context.Context) error {
	for ctx.Err() == nil {
		n.held.look(ctx, n)
		wait := pollWait
		switch {
		case !n.caughtUp.Load():
			wait = 0
		case !n.held.released.Load():
			wait = retryStatus
		}
		taken, err := n.follower.Poll(ctx, wait)
		if _, alarm := errors.AsType[*feed.Alarm](err); alarm {
			n.caughtUp.Store(false)
			return err
		}
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(retryStatus):
			}
			continue
		}
		n.contact.Store(time.Now().UnixMilli())
		if taken < feed.MaxLimit {
			n.caughtUp.Store(true)
		}
	}
	return nil
}

// apply brings one event into the set of its CA key. An event carries the whole state, so the one
// of a revoked certificate says also that it was issued.
func (n *node) apply(_ context.Context, e feed.Event) error {
	var s api.StatusEvent
	if err := e.Decode(&s); err != nil {
		return err
	}
	set := (*n.sets.Load())[s.Issuer]
	serial, err := parseSerial(s.Serial)
	if err != nil || set == nil {
		return errors.Join(err, jitsuin.Errorf(jitsuin.Invalid, "status-event", "an event of a CA key that is not known here"))
	}
	err = set.Apply(status.Event{Serial: serial, Kind: s.Kind, Type: status.Issued, Version: 1, At: s.IssuedAt, NotAfter: s.NotAfter, Municipality: s.Municipality})
	if err != nil {
		return err
	}
	if err := applyHold(set, s, serial, e.Version); err != nil || s.State == api.StateHeld {
		n.published(e, s.State)
		return err
	}
	if s.State != api.StateRevoked {
		return nil
	}
	if s.RevokedAt == nil {
		return jitsuin.Errorf(jitsuin.Invalid, "status-event", "a revocation without its time")
	}
	if e.Version > math.MaxUint16 {
		return jitsuin.Errorf(jitsuin.Unsupported, "status-event", "a certificate cannot change its status %d times", e.Version)
	}
	err = set.Apply(status.Event{Serial: serial, Kind: s.Kind, Type: status.Revoked, Version: uint16(max(e.Version, 2)), At: *s.RevokedAt, Reason: s.Reason})
	if err == nil {
		n.published(e, s.State)
	}
	return err
}

// published counts how long it took until a certificate's end could be seen; what is read at the start is old news.
func (n *node) published(e feed.Event, state string) {
	if state != api.StateGood && n.caughtUp.Load() {
		n.agency.count.published.Observe(max(0, n.agency.Clock.Now().Sub(e.RecordedAt)).Seconds())
	}
}

// applyHold brings the last suspension into a set. An event carries the whole state, so one that says that a suspension was lifted, or
// ended for good, may be the first that is read of it: then the suspension has the version before.
func applyHold(set *status.Set, s api.StatusEvent, serial cert.Serial, version uint64) error {
	if s.HeldAt == nil {
		return nil
	}
	if version < 2 || version > math.MaxUint16 {
		return jitsuin.Errorf(jitsuin.Unsupported, "status-event", "a certificate cannot change its status %d times", version)
	}
	v := uint16(version)
	held := status.Event{Serial: serial, Kind: s.Kind, Type: status.Held, Version: v, At: *s.HeldAt}
	if s.State == api.StateHeld {
		return set.Apply(held)
	}
	if s.State == api.StateRevoked && s.ReleasedAt != nil {
		return nil // lifted long before it ended
	}
	if held.Version--; held.Version >= 2 {
		if err := set.Apply(held); err != nil {
			return err
		}
	}
	if s.ReleasedAt == nil {
		return nil
	}
	return set.Apply(status.Event{Serial: serial, Kind: s.Kind, Type: status.Released, Version: v, At: *s.ReleasedAt})
}

// ready says why verifiers are not answered now.
func (n *node) ready() error {
	if err := n.held.err(); err != nil {
		return err
	}
	late := time.Since(time.UnixMilli(n.contact.Load())) > staleAfter
	if !n.caughtUp.Load() || late {
		return jitsuin.Errorf(jitsuin.Unavailable, "status-behind", "the status origin has not caught up with the record of revocations").WithHint("try again in a moment")
	}
	return nil
}

func (n *node) routes() {
	n.api.Raw("POST /ocsp", n.agency.verifiers(), http.HandlerFunc(n.serveOCSP))
	n.api.Raw("GET /crl/{kind}", n.agency.verifiers(), http.HandlerFunc(n.serveCRL))
	n.api.Raw("GET /crl/{kind}/{town}", n.agency.verifiers(), http.HandlerFunc(n.serveCRL))
	n.api.Ready("status", func(context.Context) error { return n.ready() })
	n.agency.API.Ready("status origin", func(context.Context) error { return n.ready() })
}

// handler turns OCSP by GET into POST before the routes see it: the base64 in the path may contain
// "//", which a ServeMux would redirect (RFC 6960 appendix A.1). What GET is for, caches on the way,
// has no place where only verifiers may ask.
func (n *node) handler() http.Handler {
	routes := n.api.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := strings.CutPrefix(r.URL.EscapedPath(), "/ocsp/")
		if r.Method != http.MethodGet || !ok || len(text) > 8<<10 {
			routes.ServeHTTP(w, r)
			return
		}
		var der []byte
		if plain, err := url.PathUnescape(text); err == nil {
			der, _ = base64.StdEncoding.DecodeString(plain) // nothing is malformed, and answered so
		}
		post, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "/ocsp", strings.NewReader(string(der)))
		if err != nil {
			httpapi.WriteError(w, r, n.agency.Log, err)
			return
		}
		post.Header = r.Header.Clone()
		post.Header.Set("Content-Type", "application/ocsp-request")
		post.Host, post.RemoteAddr, post.RequestURI = r.Host, r.RemoteAddr, "/ocsp"
		routes.ServeHTTP(w, post)
	})
}

func (n *node) serveOCSP(w http.ResponseWriter, r *http.Request) {
	responder := n.ocsp.Load()
	if n.ready() != nil || responder == nil {
		w.Header().Set("Content-Type", "application/ocsp-response")
		n.agency.count.ocsp.WithLabelValues(status.AnsweredTryLater).Inc()
		w.Write(cert.OCSPTryLater.Response())
		return
	}
	responder.ServeHTTP(w, r)
}

// serveCRL gives the complete list of a CA, or the one of a municipality. The CA key that issues now
// is meant, unless issuer names another by its key identifier.
func (n *node) serveCRL(w http.ResponseWriter, r *http.Request) {
	der, err := n.revocationList(r.Context(), jitsuin.CertKind(r.PathValue("kind")), jitsuin.MunicipalityCode(r.PathValue("town")), r.URL.Query().Get("issuer"))
	if err != nil {
		httpapi.WriteError(w, r, n.agency.Log, err)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(der)
}

func (n *node) revocationList(ctx context.Context, kind jitsuin.CertKind, town jitsuin.MunicipalityCode, issuer string) ([]byte, error) {
	u := n.agency.authority[kind]
	for _, other := range n.agency.all {
		if other.kind == kind && other.keyID() == issuer {
			u = other
		}
	}
	_, known := n.agency.cfg.Places[town]
	if u == nil || issuer != "" && u.keyID() != issuer || town != "" && !known {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "crl-unknown", "there is no such revocation list")
	}
	if err := n.ready(); err != nil {
		return nil, err
	}
	return n.lists.get(ctx, u, (*n.sets.Load())[u.keyID()], town)
}
