package municipality_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/freearea"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// ticket signs as J-LIS does for an ordinance of 1024 bytes.
func (w *world) ticket(r jlis.TicketRequest) ([]byte, error) {
	aid, err := card.ParseProviderAID(r.AID)
	if err != nil {
		return nil, err
	}
	public, err := x509.ParsePKIXPublicKey(r.PublicKey)
	if err != nil {
		return nil, err
	}
	return card.IssueTicket(rand.Reader, w.chips.Authority, card.Ticket{Operations: card.OpLoad | card.OpPersonalise, Bytes: 1024, AID: aid, Chip: r.Chip,
		Provider: public.(*ecdsa.PublicKey), Challenge: r.Challenge})
}

// sealOrdinance is what the town enacts.
func (w *world) sealOrdinance() api.OrdinanceRequest {
	return api.OrdinanceRequest{Number: "令和8年条例第12号", Title: "見本市印鑑条例", Name: "印鑑登録証", NameEN: "Seal registration card", AID: fmt.Sprintf("%X", freearea.SealAID(town)),
		Purpose: "印鑑登録証明書の交付", Bytes: 1024, From: jitsuin.DateOf(w.town.Clock.Now())}
}

// withCard records that the person holds a card of ours.
func (w *world) withCard(subject jitsuin.ID) {
	w.t.Helper()
	w.must(w.town.DB.Update(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE resident SET card = $2 WHERE subject = $1`, string(subject), string(jitsuin.NewID()))
		return err
	}))
}

func TestOrdinancesAreEnteredAndRepealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite().Fresh(t))
	ctx := t.Context()
	r := w.sealOrdinance()
	for code, spoil := range map[string]func(*api.OrdinanceRequest){
		"aid-reserved": func(r *api.OrdinanceRequest) { r.AID = fmt.Sprintf("%X", freearea.SealAID("91302")) }, "aid-form": func(r *api.OrdinanceRequest) { r.AID = "A00000015100" },
		"name-missing": func(r *api.OrdinanceRequest) { r.Title = " " }, "purpose-missing": func(r *api.OrdinanceRequest) { r.Purpose = " " },
		"date-missing": func(r *api.OrdinanceRequest) { r.From = jitsuin.Date{} }, "date-order": func(r *api.OrdinanceRequest) { r.Until = r.From.AddDays(-1) },
	} {
		bad := r
		spoil(&bad)
		if _, err := w.counter.Enact(ctx, bad, "bad-"+code); jitsuin.CodeOf(err) != code {
			t.Errorf("want %s: %v", code, err)
		}
	}
	o, err := w.counter.Enact(ctx, r, "enact-0001")
	w.must(err)
	if again, err := w.counter.Enact(ctx, r, "enact-0001"); err != nil || again != o {
		t.Errorf("the same request again: %+v, %v", again, err)
	}
	_, err = w.counter.Enact(ctx, r, "enact-0002")
	wantError(t, err, jitsuin.Conflict, "aid-taken")
	gone, err := w.counter.Repeal(ctx, o.ID, "改正", "repeal-0001")
	if err != nil || gone.State != api.Repealed || gone.InForceOn(r.From) {
		t.Errorf("repealed: %+v, %v", gone, err)
	}
	_, err = w.counter.Repeal(ctx, o.ID, "改正", "repeal-0002")
	wantError(t, err, jitsuin.Conflict, "already-repealed")
	anew, err := w.counter.Enact(ctx, r, "enact-0003")
	w.must(err)
	if all, err := w.counter.Ordinances(ctx); err != nil || len(all) != 2 || all[1] != anew {
		t.Errorf("the register: %+v, %v", all, err)
	}
}

// What the counter lays on a card is what a kiosk of the town reads, until it is taken off.
func TestTheTerminalLaysTheSealRegistrationCard(t *testing.T) {
	t.Parallel()
	storetest.Each(t, layAndTakeOff)
}

func layAndTakeOff(t *testing.T, database string) {
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, database, hanako)
	ctx := t.Context()
	counter, ch := w.atTheCounter(), reader.Local(w.chips.Chip)
	_, err := counter.LoadSeal(ctx, hanako.Subject, ch)
	wantError(t, err, jitsuin.Conflict, "no-ordinance")
	o, err := w.counter.Enact(ctx, w.sealOrdinance(), "enact-0001")
	w.must(err)
	_, err = counter.LoadSeal(ctx, hanako.Subject, ch)
	wantError(t, err, jitsuin.Conflict, "no-card")
	_, err = counter.LoadSeal(ctx, jitsuin.NewID(), ch)
	wantError(t, err, jitsuin.NotFound, "resident-unknown")
	w.withCard(hanako.Subject)
	loaded, err := counter.LoadSeal(ctx, hanako.Subject, ch)
	w.must(err)
	if loaded.State != api.SealLoaded || loaded.Clerk != clerk || loaded.Chip == "" {
		t.Errorf("loaded: %+v", loaded)
	}
	kiosk := w.kiosk()
	if got, err := kiosk.ReadSeal(ctx, ch); err != nil || got != (freearea.Seal{Municipality: town, Number: loaded.Number}) {
		t.Errorf("the kiosk reads %+v, %v", got, err)
	}
	again, err := counter.LoadSeal(ctx, hanako.Subject, ch)
	if err != nil || again.Number != loaded.Number || again.ID == loaded.ID {
		t.Errorf("laid again: %+v, %v", again, err)
	}
	w.restart() // the town's keys are the same afterwards
	if got, err := w.kiosk().ReadSeal(ctx, ch); err != nil || got.Number != loaded.Number {
		t.Errorf("after a restart the kiosk reads %+v, %v", got, err)
	}
	_, err = w.counter.SealRecord(ctx, loaded.ID, []byte("no key"))
	wantError(t, err, jitsuin.Invalid, "terminal-key")
	public, err := x509.MarshalPKIXPublicKey(&w.keys[townID].PublicKey)
	w.must(err)
	_, err = w.counter.SealRecord(ctx, loaded.ID, public)
	wantError(t, err, jitsuin.Conflict, "seal-card-done")

	_, err = w.counter.Repeal(ctx, o.ID, "廃止", "repeal-0001")
	w.must(err)
	_, err = counter.LoadSeal(ctx, hanako.Subject, ch)
	wantError(t, err, jitsuin.Conflict, "no-ordinance")
	w.must(counter.DeleteSeal(ctx, hanako.Subject, ch)) // taking it off stays possible
	w.must(counter.DeleteSeal(ctx, hanako.Subject, ch))
	_, err = kiosk.ReadSeal(ctx, ch)
	wantError(t, err, jitsuin.NotFound, "card-application")
	all, err := w.counter.SealCards(ctx, hanako.Subject)
	if err != nil || len(all) != 2 || all[0].State != api.SealDeleted || all[1].State != api.SealDeleted {
		t.Errorf("the record: %+v, %v", all, err)
	}
	_, err = w.counter.SealLoaded(ctx, loaded.ID, clerk)
	wantError(t, err, jitsuin.Conflict, "seal-card-deleted")
}

// kiosk makes a kiosk that the town has certified.
func (w *world) kiosk() freearea.Reader {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	w.must(err)
	certified, err := w.counter.CertifySealReader(w.t.Context(), der)
	w.must(err)
	provider, err := x509.ParsePKIXPublicKey(certified.Provider)
	w.must(err)
	return freearea.Reader{AID: freearea.SealAID(town), Certificate: certified.Certificate, Key: key, Provider: provider.(*ecdsa.PublicKey)}
}

// The terminal fails after any command to the card, and the same call begins again.
func TestTheSealRegistrationCardAfterAFailure(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	w.withCard(hanako.Subject)
	_, err := w.counter.Enact(t.Context(), w.sealOrdinance(), "enact-0001")
	w.must(err)
	counter := w.atTheCounter()
	number, finished := "", false
	for n := 1; !finished; n++ {
		memory := w.chips.Memory.Copy()
		chip, err := card.Open(memory)
		w.must(err)
		ch := reader.Local(chip)
		_, err = counter.LoadSeal(t.Context(), hanako.Subject, &cut{ch, n})
		finished = err == nil
		ch.Reset(t.Context())
		done, err := counter.LoadSeal(t.Context(), hanako.Subject, ch)
		if err != nil {
			t.Fatalf("after a failure at command %d: %v", n, err)
		}
		if got, err := w.kiosk().ReadSeal(t.Context(), ch); err != nil || got.Number != done.Number {
			t.Errorf("after a failure at command %d the kiosk reads %+v, %v", n, got, err)
		}
		if number == "" {
			number = done.Number
		}
		if done.Number != number {
			t.Errorf("the number became another at %d", n)
		}
	}
}

// A new card does not carry what lay on the one before: the record says so, and the number stays the person's.
func TestTheSealRegistrationCardIsLostWithTheCard(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	ctx := t.Context()
	_, err := w.counter.Enact(ctx, w.sealOrdinance(), "enact-0001")
	w.must(err)
	counter := w.atTheCounter()
	next := func() {
		told := w.notified(hanako)
		w.deliver(w.produce(told))
		_, err := counter.HandOver(ctx, told.ID, typed)
		w.must(err)
	}
	next()
	loaded, err := counter.LoadSeal(ctx, hanako.Subject, reader.Local(w.chips.Chip))
	w.must(err)
	if all, err := w.counter.SealCards(ctx, hanako.Subject); err != nil || len(all) != 1 || all[0].State != api.SealLoaded {
		t.Fatalf("%+v, %v", all, err)
	}
	w.must(w.town.DB.Update(ctx, func(tx *store.Tx) error { // the card has ended
		_, err := tx.Exec(`UPDATE resident SET card = '' WHERE subject = $1`, string(hanako.Subject))
		return err
	}))
	next()
	if all, err := w.counter.SealCards(ctx, hanako.Subject); err != nil || len(all) != 1 || all[0].State != api.SealLost {
		t.Errorf("after the new card: %+v, %v", all, err)
	}
	again, err := counter.LoadSeal(ctx, hanako.Subject, reader.Local(cardtest.Issue(t).Chip))
	if err != nil || again.Number != loaded.Number {
		t.Errorf("put on anew: %+v, %v", again, err)
	}
}
