package jlis

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
)

// desk drives an Agency that does not run: events are applied by hand, in the transactions that
// followers would make.
type desk struct {
	testing.TB
	*Agency
	n uint64 // position of the towns' feeds
}

func newDesk(t testing.TB, w *world) *desk {
	a := w.open(t)
	a.cardNumber = sampleNumber
	return &desk{t, a, 0}
}

// sampleNumber stands for the network: everybody has the same invented number.
func sampleNumber(context.Context, jukinet.CardNumberRequest) (jitsuin.MyNumber, error) {
	return "123456789018", nil
}

var (
	hanako = jitsuin.FourItems{Name: "霧島　花子", Address: "霞県朝霧市見本町１丁目２番３号", BirthDate: jitsuin.Date{Year: 1980, Month: time.February, Day: 17}, Sex: jitsuin.Female}
	moved  = jitsuin.FourItems{Name: hanako.Name, Address: "霞県朝霧市新町９番地", BirthDate: hanako.BirthDate, Sex: hanako.Sex}
)

// child is somebody under 15 today.
func child() jitsuin.FourItems {
	c := hanako
	c.Name, c.BirthDate = "霧島　幼子", jitsuin.DateOf(time.Now().AddDate(-9, 0, 0))
	return c
}

func entered(subject jitsuin.ID, items jitsuin.FourItems) jitsuin.Change {
	return jitsuin.Change{Subject: subject, Cause: jitsuin.CauseEntered, OccurredOn: jitsuin.DateOf(time.Now()), Municipality: asagiri,
		State: jitsuin.Present, Items: items}
}

// change applies a change and the high-water mark after it, and gives the town's position.
func (d *desk) change(c jitsuin.Change) jitsuin.Position {
	d.Helper()
	must(d, d.tryChange(c))
	return d.position()
}

func (d *desk) tryChange(c jitsuin.Change) error {
	d.n++
	return d.DB.Update(d.Context(), func(tx *store.Tx) error {
		if err := d.applyChange(tx, c, feed.Event{}); err != nil {
			return err
		}
		return applyHighWater(tx, jukinet.HighWater{Municipality: c.Municipality, Position: d.position()})
	})
}

func (d *desk) position() jitsuin.Position { return jitsuin.Position{Epoch: 1, N: d.n} }

// resident enters somebody.
func (d *desk) resident(items jitsuin.FourItems) jitsuin.ID {
	subject := jitsuin.NewID()
	d.change(entered(subject, items))
	return subject
}

func (d *desk) newCard(subject jitsuin.ID, items jitsuin.FourItems, kinds ...jitsuin.CertKind) api.Application {
	return api.Application{ID: jitsuin.NewID(), Type: api.NewCard, Subject: subject, Municipality: asagiri, Items: items,
		Position: d.position(), Kinds: kinds}
}

func (d *desk) reissue(subject jitsuin.ID, items jitsuin.FourItems, card jitsuin.ID, keys map[jitsuin.CertKind]int) api.Application {
	d.Helper()
	app := d.newCard(subject, items)
	app.Type, app.Card, app.PublicKeys = api.Reissue, card, map[jitsuin.CertKind][]byte{}
	for _, kind := range jitsuin.CertKinds {
		if n, ok := keys[kind]; ok {
			app.Kinds, app.PublicKeys[kind] = append(app.Kinds, kind), spki(d, n)
		}
	}
	return app
}

// apply takes an application in and brings it as far as it goes; it gives where it stands.
func (d *desk) apply(app api.Application) application {
	d.Helper()
	must(d, d.DB.Update(d.Context(), func(tx *store.Tx) error { return takeIn(tx, app, d.Clock.Now()) }))
	if err := d.issue(d.Context(), app.ID); err != nil && err != errNotReached {
		d.Fatal(err)
	}
	return d.state(app.ID)
}

func (d *desk) state(id jitsuin.ID) (app application) {
	d.Helper()
	d.view(func(tx *store.Tx) (err error) { app, err = findApplication(tx, id); return err })
	return app
}

func (d *desk) view(f func(tx *store.Tx) error) { d.Helper(); must(d, d.DB.View(d.Context(), f)) }

// held gives somebody a card by decree, so that re-issues need no chip.
func (d *desk) held(subject jitsuin.ID) jitsuin.ID {
	d.Helper()
	id := jitsuin.NewID()
	must(d, d.DB.Update(d.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO card (id, application, subject, municipality, state, order_token, move_token, handle, passed_handle, valid_until)
			VALUES ($1, $1, $2, '91201', 'received', '', '', '', '', '2036-02-17')`, string(id), string(subject))
		return err
	}))
	return id
}

// sent lists the bodies of one type that were sent in a topic, numbered or not.
func sent[T any](d *desk, topic, kind string) (all []T) {
	d.Helper()
	d.view(func(tx *store.Tx) error {
		all = nil
		bodies, err := store.Collect(func(s store.Scanner) (b string, err error) { return b, s.Scan(&b) })(
			tx.Query(`SELECT body FROM feed_outbox WHERE topic = $1 AND type = $2 ORDER BY id`, topic, kind))
		for _, b := range bodies {
			var v T
			if err := json.Unmarshal([]byte(b), &v); err != nil {
				return err
			}
			all = append(all, v)
		}
		return err
	})
	return all
}

func (d *desk) refused() []api.Refused {
	return sent[api.Refused](d, api.TopicToTown(asagiri), api.TypeRefused)
}
func (d *desk) delivered() []api.Delivered {
	return sent[api.Delivered](d, api.TopicToTown(asagiri), api.TypeDelivered)
}
func (d *desk) statusEvents() []api.StatusEvent {
	return sent[api.StatusEvent](d, api.TopicStatus, api.TypeStatus)
}

// living gives the certificates of somebody that are in force, by kind.
func (d *desk) living(subject jitsuin.ID) map[jitsuin.CertKind]record {
	d.Helper()
	out := map[jitsuin.CertKind]record{}
	d.view(func(tx *store.Tx) error {
		for _, kind := range jitsuin.CertKinds {
			have, err := inForce(tx, subject, kind, d.Clock.Now())
			if err != nil {
				return err
			}
			if len(have) > 1 {
				return fmt.Errorf("%d certificates of the kind %s are in force", len(have), kind)
			}
			if len(have) == 1 {
				out[kind] = have[0]
			}
		}
		return nil
	})
	return out
}

func (d *desk) count(query string, args ...any) (n int) {
	d.Helper()
	d.view(func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	return n
}

func parse(t testing.TB, der []byte) (items jitsuin.FourItems) {
	t.Helper()
	c, err := cert.Parse(der)
	must(t, err)
	i, err := cert.ItemsOf(c)
	must(t, err)
	return i.FourItems
}

// eventOf makes the numbered event of a body.
func eventOf(t testing.TB, body any, version uint64) feed.Event {
	t.Helper()
	raw, err := json.Marshal(body)
	must(t, err)
	return feed.Event{Epoch: 1, N: version, Version: version, Body: raw}
}

func anchors(d *desk) (all []*x509.Certificate) {
	for _, u := range d.all {
		all = append(all, u.cert)
	}
	return all
}
