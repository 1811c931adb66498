package municipality_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/municipality/terminal"
)

// atTheCounter gives a terminal with a certified key of its own.
func (w *world) atTheCounter() *terminal.Terminal {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	identity, err := terminal.Certify(w.t.Context(), w.counter, key)
	w.must(err)
	return &terminal.Terminal{Town: w.counter, Cards: w.cards, Identity: identity, Clerk: clerk}
}

var newPINs = map[jitsuin.CertKind]jitsuin.PIN{jitsuin.SignCert: "SEAL2026", jitsuin.AuthCert: "4649"}

func typed(kind jitsuin.CertKind) (jitsuin.PIN, error) { return newPINs[kind], nil }

// notified brings an application for a new card as far as J-LIS.
func (w *world) notified(r municipality.ImportLine) jlis.Application {
	w.t.Helper()
	a := w.applied(r, bothKinds...)
	a, err := w.counter.Check(w.t.Context(), a.ID, api.Check{Clerk: clerk, Document: licence(r.Items)})
	w.must(err)
	eventually(w.t, "J-LIS is told", func() bool { _, ok := w.application(a.ID); return ok })
	told, _ := w.application(a.ID)
	return told
}

// What the resident takes home: the card opens with the PINs that they typed, and carries what J-LIS issued.
func TestTheTerminalHandsANewCardOver(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	ctx := t.Context()
	told := w.notified(hanako)
	counter := w.atTheCounter()
	d := w.produce(told)
	w.deliver(d) // the terminal waits for it

	// The resident leaves before typing the second PIN; the card is not theirs yet.
	left := errors.New("the resident has left")
	_, err := counter.HandOver(ctx, told.ID, func(kind jitsuin.CertKind) (jitsuin.PIN, error) {
		if kind == jitsuin.AuthCert {
			return "", left
		}
		return "OTHER1", nil
	})
	if !errors.Is(err, left) {
		t.Fatalf("got %v", err)
	}
	// A PIN of the wrong form is refused by its rules.
	_, err = counter.HandOver(ctx, told.ID, func(jitsuin.CertKind) (jitsuin.PIN, error) { return "12", nil })
	wantError(t, err, jitsuin.Invalid, "pin-form")
	w.state(told.ID, api.Ready)
	socket := filepath.Join(w.dir, "cards", string(d.Card)+".sock")
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the card is the holder's before it was handed over: %v", err)
	}

	a, err := counter.HandOver(ctx, told.ID, typed)
	w.must(err)
	if a.State != api.Done {
		t.Fatalf("⑥ %+v", a)
	}
	again, err := counter.HandOver(ctx, told.ID, func(jitsuin.CertKind) (jitsuin.PIN, error) { panic("nobody is asked again") })
	if err != nil || again.State != api.Done {
		t.Errorf("handed over again: %+v %v", again, err)
	}
	ch, err := host.OpenSocket(ctx, socket)
	w.must(err)
	defer ch.Close()
	j, err := reader.SelectJPKI(ctx, ch)
	w.must(err)
	wantError(t, j.Verify(ctx, jitsuin.SignCert, "OTHER1"), jitsuin.Invalid, "pin-wrong")
	for i, kind := range bothKinds {
		w.must(j.Verify(ctx, kind, newPINs[kind]))
		der, err := j.Certificate(ctx, kind)
		w.must(err)
		if string(der) != string(d.Certificates[i].Certificate) {
			t.Errorf("the %s certificate is not the one that was issued", kind)
		}
	}
}

func TestTheTerminalRefusesAChipWithOtherCertificates(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	told := w.notified(hanako)
	d := w.produce(told)
	d.Certificates[0].Certificate = append([]byte{}, d.Certificates[0].Certificate...)
	d.Certificates[0].Certificate[100] ^= 1
	w.deliver(d)
	counter := w.atTheCounter()
	_, err := counter.HandOver(t.Context(), told.ID, typed)
	wantError(t, err, jitsuin.Conflict, "certificate-differs")
	w.state(told.ID, api.Ready)

	// Nor does a chip listen to a terminal that its authority has not certified.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	certificate, err := card.IssueTerminalCertificate(rand.Reader, key, card.RoleCounter, &key.PublicKey)
	w.must(err)
	counter.Identity = reader.Terminal{Certificate: certificate, Key: key}
	_, err = counter.HandOver(t.Context(), told.ID, typed)
	wantError(t, err, jitsuin.Unauthenticated, "terminal-refused")
}

// lossy passes a card on and loses the answer, once.
type lossy struct {
	host.Cards
	lost atomic.Bool
}

func (l *lossy) Transfer(ctx context.Context, h host.Handle, to host.Custodian, token string) (host.Handle, error) {
	next, err := l.Cards.Transfer(ctx, h, to, token)
	if to == host.Holder && err == nil && l.lost.CompareAndSwap(false, true) {
		return "", jitsuin.Errorf(jitsuin.Unavailable, "host-unreachable", "the answer was lost")
	}
	return next, err
}

func TestACardThatWasPassedOnWithoutAnAnswerIsPassedOnOnce(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	w.config.Cards = &lossy{Cards: w.cards}
	w.restart()
	told := w.notified(hanako)
	w.deliver(w.produce(told))
	a, err := w.atTheCounter().HandOver(t.Context(), told.ID, typed)
	if err != nil || a.State != api.Done {
		t.Fatalf("%+v %v", a, err)
	}
}

// cut is a reader whose card slips out after some commands.
type cut struct {
	reader.Channel
	left int
}

var errSlipped = errors.New("the card slipped out")

func (c *cut) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	if c.left--; c.left < 0 {
		return nil, errSlipped
	}
	return c.Channel.Transmit(ctx, apdu)
}

// Re-issue after a move: the card slips out after every possible number of commands, and the act is
// begun again each time. In the end one application was made, with one pair, and the card works.
func TestReissueResumesWhereverItWasInterrupted(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	ctx := t.Context()
	hanako.Items.Address = "試験県見本市二丁目"
	w.record(api.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Subject: hanako.Subject, OccurredOn: today(), Address: hanako.Items.Address})
	a := w.reissue(hanako, jitsuin.NewID())
	issued := cardtest.Issue(t)
	counter := w.atTheCounter()
	go w.issueOnce(a.ID)

	slips := 0
	for k := 0; ; k++ {
		ch := &cut{reader.Local(issued.Chip), k}
		done, err := counter.Reissue(ctx, a.ID, ch, typed)
		ch.Channel.Close()
		if err == nil {
			if done.State != api.Done {
				t.Fatalf("%+v", done)
			}
			break
		}
		if slips++; !errors.Is(err, errSlipped) || slips > 200 {
			t.Fatalf("after %d commands: %v", k, err)
		}
	}
	if slips < 15 {
		t.Errorf("only %d interruptions", slips)
	}
	if n := len(w.agency.events()); n != 1 {
		t.Errorf("J-LIS was told %d times", n)
	}
	j, err := reader.SelectJPKI(ctx, reader.Local(issued.Chip))
	w.must(err)
	w.must(j.Verify(ctx, jitsuin.SignCert, newPINs[jitsuin.SignCert]))
	der, err := j.Certificate(ctx, jitsuin.SignCert)
	w.must(err)
	closed, err := w.counter.Application(ctx, a.ID, "", 0)
	w.must(err)
	if string(der) != string(closed.Certificates[0].Certificate) {
		t.Error("the card does not carry the new certificate")
	}
	signer, err := j.Signer(ctx, jitsuin.SignCert, newPINs[jitsuin.SignCert])
	w.must(err)
	_, err = signer.Sign(rand.Reader, make([]byte, 32), crypto.SHA256) // checks the key against the certificate
	w.must(err)
	w.must(j.Verify(ctx, jitsuin.AuthCert, cardtest.AuthPIN)) // untouched
}

// issueOnce is J-LIS: it certifies the public key of a re-issue and delivers.
func (w *world) issueOnce(id jitsuin.ID) {
	var told jlis.Application
	eventually(w.t, "J-LIS is told", func() bool { var ok bool; told, ok = w.application(id); return ok })
	d := jlis.Delivered{Application: id, Subject: told.Subject, Card: told.Card}
	for kind, spki := range told.PublicKeys {
		key, err := cert.ParseSubjectKey(spki)
		w.must(err)
		der, err := w.chips.Certify("Holder of a test card, again", key)
		w.must(err)
		d.Certificates = append(d.Certificates, jlis.Issued{Kind: kind, Certificate: der})
	}
	w.deliver(d)
}

func TestTheTerminalTellsWhyACaseWasRefused(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	counter := w.atTheCounter()
	a := w.applied(hanako, bothKinds...)
	_, err := counter.HandOver(t.Context(), a.ID, typed)
	wantError(t, err, jitsuin.Conflict, "case-state")
	a, err = w.counter.Check(t.Context(), a.ID, api.Check{Clerk: clerk, Document: licence(hanako.Items)})
	w.must(err)
	w.send(w.agency, jlis.TopicToTown(town), string(a.ID), jlis.TypeRefused, jlis.Refused{Application: a.ID, Subject: a.Subject, Code: "certificate-in-force", Reason: "there is one"})
	_, err = counter.HandOver(t.Context(), a.ID, typed)
	wantError(t, err, jitsuin.Denied, "certificate-in-force")
}

// A resident who has died or left does not get the card that waits.
func TestACardIsNotHandedToSomebodyWhoHasLeft(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	told := w.notified(hanako)
	w.deliver(w.produce(told))
	w.state(told.ID, api.Ready)
	w.record(api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Subject: hanako.Subject, OccurredOn: today(), Destination: otherTown})
	_, err := w.atTheCounter().HandOver(t.Context(), told.ID, typed)
	wantError(t, err, jitsuin.Conflict, "not-resident")
	_, err = w.counter.Complete(t.Context(), told.ID, clerk)
	wantError(t, err, jitsuin.Conflict, "not-resident")
}
