//go:build unix

package country_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/freearea"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/actor"
	minister "github.com/jitsuin/jitsuin/minister/api"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// holderOf finds a resident of the town who holds a card, and lays the card on a reader.
func (l *living) holderOf(t *testing.T, office town.Client) (jitsuin.ID, reader.Card) {
	t.Helper()
	all, err := office.Search(t.Context(), town.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Card == "" {
			continue
		}
		ch, err := host.OpenSocket(t.Context(), l.CardSocket(r.Card))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ch.Close() })
		return r.Subject, ch
	}
	t.Fatal("nobody has a card")
	return "", nil
}

// until repeats what waits for a feed: it must come to the code, "" for success.
func until(t *testing.T, what, code string, act func() error) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := act()
		if jitsuin.CodeOf(err) == code {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v, want %q", what, err, code)
		}
	}
}

// A town's application and a ministry's on one card of the sandbox, each by its ground: loaded, used by kiosk and door,
// refused when the ground has gone, and taken off all the same.
func TestTheFreeAreaOfASandboxCard(t *testing.T) {
	t.Parallel()
	l := live(t, country.Options{Data: filepath.Join(t.TempDir(), "data"), Listen: listen(t)})
	ctx := t.Context()
	counter, err := l.Terminal(ctx, country.SealTown, "窓口　試験")
	if err != nil {
		t.Fatal(err)
	}
	defer counter.Town.Close()
	subject, ch := l.holderOf(t, counter.Town)
	var loaded town.SealCard
	until(t, "the seal-registration card", "", func() (err error) { loaded, err = counter.LoadSeal(ctx, subject, ch); return err })
	if got, err := kioskOf(t, counter.Town).ReadSeal(ctx, ch); err != nil || got != (freearea.Seal{Municipality: country.SealTown, Number: loaded.Number}) {
		t.Errorf("the kiosk reads %+v, %v", got, err)
	}

	now, err := country.CivilNow(ctx, l.Folder)
	if err != nil {
		t.Fatal(err)
	}
	today := jitsuin.DateOf(now.Now)
	staff := freearea.Staff{Number: "A-0042", Body: "例示省（見本）", ValidUntil: today.AddDays(30)}
	until(t, "the staff card", "", func() error { return l.LoadStaff(ctx, ch, staff) })
	door, err := l.Door()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := door.Admit(ctx, ch, today); err != nil || got != staff {
		t.Errorf("the door: %+v, %v", got, err)
	}
	grounds, err := l.Grounds(ctx, today)
	if err != nil || len(grounds) != 3 {
		t.Errorf("%+v, %v", grounds, err)
	}
	for _, g := range grounds {
		if !g.InForce || g.Over || g.Law == "" || g.Body == "" {
			t.Errorf("%+v", g)
		}
	}
	l.groundsGo(t, counter.Town, func() error { _, err := counter.LoadSeal(ctx, subject, ch); return err }, func() error { return l.LoadStaff(ctx, ch, staff) })
	if err := l.DeleteStaff(ctx, ch); err != nil {
		t.Errorf("deleting without a designation: %v", err)
	}
	if err := counter.DeleteSeal(ctx, subject, ch); err != nil {
		t.Errorf("deleting without an ordinance: %v", err)
	}
	if _, err := door.Admit(ctx, ch, today); jitsuin.CodeOf(err) != "card-application" {
		t.Errorf("the door afterwards: %v", err)
	}
	view := country.Settle(t, l.Folder)
	l.stop()
	country.CheckInvariants(t, l.Folder, view)
	country.SpoilFreeArea(t, l.Folder, view)
}

// groundsGo withdraws the designation and repeals the ordinance: then neither loads.
func (l *living) groundsGo(t *testing.T, office town.Client, seal, staff func() error) {
	t.Helper()
	ctx := t.Context()
	remote, err := l.Remote(country.Official, country.Minister)
	if err != nil {
		t.Fatal(err)
	}
	defer remote.Close()
	m := minister.Client{Remote: remote}
	all, err := m.Designations(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Provider == country.Ministry {
			if _, err := m.Withdraw(ctx, d.ID, "組織の廃止", string(jitsuin.NewID())); err != nil {
				t.Fatal(err)
			}
		}
	}
	ordinances, err := office.Ordinances(ctx)
	if err != nil || len(ordinances) != 1 {
		t.Fatalf("%+v, %v", ordinances, err)
	}
	if _, err := office.Repeal(ctx, ordinances[0].ID, "廃止", string(jitsuin.NewID())); err != nil {
		t.Fatal(err)
	}
	until(t, "after the withdrawal", "no-ground", staff)
	until(t, "after the repeal", "no-ordinance", seal)
}

// kioskOf makes a kiosk that the town has certified.
func kioskOf(t *testing.T, office town.Client) freearea.Reader {
	t.Helper()
	key, err := actor.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	certified, err := office.CertifySealReader(t.Context(), der)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := x509.ParsePKIXPublicKey(certified.Provider)
	if err != nil {
		t.Fatal(err)
	}
	known, ok := provider.(*ecdsa.PublicKey)
	if !ok {
		t.Fatal(fmt.Errorf("the town's key is %T", provider))
	}
	return freearea.Reader{AID: freearea.SealAID(office.Code()), Certificate: certified.Certificate, Key: key, Provider: known}
}
