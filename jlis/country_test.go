package jlis

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
	municipality "github.com/jitsuin/jitsuin/municipality/api"
)

// country is the Agency running among neighbours that are played with real feeds.
type country struct {
	testing.TB
	*world
	agency            *Agency
	stop              func()
	cards             *host.Host
	network, minister *neighbour
	town              *neighbour

	mu   sync.Mutex
	told []feed.Event // what the Agency told the town
	n    uint64       // position of the town's register
}

// neighbour is an actor that only sends and follows.
type neighbour struct {
	t testing.TB
	*actor.Actor
}

func newCountry(t testing.TB, database string) *country {
	t.Helper()
	w := newWorld(t, database)
	c := &country{TB: t, world: w, cards: w.withCards(t)}
	c.network = c.neighbour("jukinet:1", jukinet.TopicToJLIS)
	c.minister = c.neighbour("minister:1", minister.TopicAccreditations, minister.TopicDesignations)
	c.town = c.neighbour("municipality:91201", api.TopicApplications, municipality.TopicOrdinances)
	c.town.Follow("jlis:1", api.TopicToTown(asagiri), func(_ context.Context, _ *store.Tx, e feed.Event) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.told = append(c.told, e)
		return nil
	})
	other := c.neighbour("municipality:91202", api.TopicApplications, municipality.TopicOrdinances)
	c.start()
	for _, n := range []*neighbour{c.network, c.minister, c.town, other} {
		run(t, n)
	}
	return c
}

func (c *country) neighbour(id string, topics ...string) *neighbour {
	c.Helper()
	a, err := actor.New(c.Context(), c.actorConfig(id, storetest.SQLite().Fresh(c)), actor.Spec{Title: id, Version: "1", Log: quiet()})
	must(c, err)
	for _, topic := range topics {
		a.Offer(topic, httpapi.Roles("jlis"))
	}
	return &neighbour{c, a}
}

// start starts the Agency; restart ends it first.
func (c *country) start() {
	c.Helper()
	var err error
	c.agency, err = New(c.Context(), c.config)
	must(c, err)
	c.agency.cardNumber = sampleNumber
	c.stop = run(c, c.agency)
}

func (c *country) restart() {
	c.Helper()
	c.stop()
	c.start()
}

func (n *neighbour) send(topic, subject, kind string, body any) {
	n.t.Helper()
	must(n.t, n.DB.Update(n.t.Context(), func(tx *store.Tx) error {
		_, err := feed.Append(tx, feed.Draft{Topic: topic, Subject: subject, Type: kind, Body: body, RecordedAt: n.Clock.Now()})
		return err
	}))
}

// notice lets the network pass a change on, and then say that it has.
func (c *country) notice(change jitsuin.Change) jitsuin.Position {
	c.Helper()
	c.n++
	at := jitsuin.Position{Epoch: 1, N: c.n}
	c.network.send(jukinet.TopicToJLIS, string(change.Subject), jukinet.TypeChange, change)
	c.highWater(at)
	return at
}

func (c *country) highWater(at jitsuin.Position) {
	c.Helper()
	c.network.send(jukinet.TopicToJLIS, "high-water-91201", jukinet.TypeHighWater, jukinet.HighWater{Municipality: asagiri, Position: at})
}

func (c *country) applyFor(app api.Application) {
	c.Helper()
	c.town.send(api.TopicApplications, string(app.ID), api.TypeApplication, app)
}

// heard waits for an event about an application, or about a person.
func heard[T any](c *country, kind string, which func(T) bool) (found T) {
	c.Helper()
	eventually(c, kind, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, e := range c.told {
			var v T
			if e.Type != kind || e.Decode(&v) != nil || !which(v) {
				continue
			}
			found = v
			return true
		}
		return false
	})
	return found
}

func (c *country) delivered(app jitsuin.ID) api.Delivered {
	c.Helper()
	return heard(c, api.TypeDelivered, func(d api.Delivered) bool { return d.Application == app })
}

func (c *country) revoked(subject jitsuin.ID, kind jitsuin.CertKind) api.Revoked {
	c.Helper()
	return heard(c, api.TypeRevoked, func(r api.Revoked) bool { return r.Subject == subject && r.Kind == kind })
}

// accredit has the minister decide, and waits until the Agency knows.
func (c *country) accredit(verifier, state string) {
	c.Helper()
	day, id := jitsuin.DateOf(c.agency.Clock.Now()), jitsuin.NewID()
	c.minister.send(minister.TopicAccreditations, verifier, minister.TypeAccreditation, minister.Accreditation{ID: id, Verifier: verifier,
		Name: verifier, Ground: "17-1-6", GrantedOn: day, Until: day.AddDays(365), State: state})
	eventually(c, "the accreditation of "+verifier, func() bool {
		var n int
		must(c, c.agency.DB.View(c.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(`SELECT COUNT(*) FROM accreditation WHERE verifier = $1 AND body LIKE $2`, verifier, "%"+string(id)+"%").Scan(&n)
		}))
		return n == 1
	})
}

// ask sends a request to the status origin as an instance, and gives status and body.
func (c *country) ask(as, method, path string, body []byte) (int, []byte) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, "http://callee"+path, bytes.NewReader(body))
	must(c, err)
	req.Header.Set("Content-Type", "application/ocsp-request")
	resp, err := c.as(as, "status:1").HTTPClient().Do(req)
	must(c, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	must(c, err)
	return resp.StatusCode, answer
}
