package freearea_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/freearea"
	"github.com/jitsuin/jitsuin/card/reader"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// body is a provider: a town or a ministry.
type body struct {
	aid          []byte
	key, readers *ecdsa.PrivateKey
}

func newBody(t testing.TB, aid []byte) body { return body{aid, newKey(t), newKey(t)} }

// load writes a record on a card.
func (b body) load(t testing.TB, issued *cardtest.Issued, ch reader.Channel, record []byte) error {
	t.Helper()
	area, err := reader.OpenFreeArea(t.Context(), ch)
	must(t, err)
	ticket, err := card.IssueTicket(rand.Reader, issued.Authority, card.Ticket{Operations: card.OpLoad | card.OpPersonalise, Bytes: 1024, AID: b.aid, Chip: area.Chip,
		Provider: &b.key.PublicKey, Challenge: area.Challenge})
	must(t, err)
	data, err := card.SignTicket(rand.Reader, ticket, b.key, area.Challenge)
	must(t, err)
	must(t, area.Authenticate(t.Context(), data))
	point, err := b.readers.PublicKey.Bytes()
	must(t, err)
	return freearea.Load(t.Context(), area, b.aid, point, func(_ context.Context, public *ecdsa.PublicKey) (_, signature []byte, err error) {
		signature, err = freearea.Sign(b.key, b.aid, public, record)
		return record, signature, err
	})
}

func (b body) reader(t testing.TB) freearea.Reader {
	t.Helper()
	key := newKey(t)
	certificate, err := card.ReaderCertificate(rand.Reader, b.readers, b.aid, &key.PublicKey)
	must(t, err)
	return freearea.Reader{AID: b.aid, Certificate: certificate, Key: key, Provider: &b.key.PublicKey}
}

func code(t *testing.T, what string, err error, want string) {
	t.Helper()
	if jitsuin.CodeOf(err) != want {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

func TestTheSealRegistrationCardAtAKiosk(t *testing.T) {
	issued := cardtest.Issue(t)
	ch := reader.Local(issued.Chip)
	town := newBody(t, freearea.SealAID("91201"))
	kiosk := town.reader(t)
	_, err := kiosk.ReadSeal(t.Context(), ch)
	code(t, "a card without it", err, "card-application")
	want := freearea.Seal{Municipality: "91201", Number: "12345678"}
	record, err := want.Encode()
	must(t, err)
	must(t, town.load(t, issued, ch, record))
	if got, err := kiosk.ReadSeal(t.Context(), ch); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	// The number was given anew: the same application says the new one.
	want.Number = "87654321"
	record, err = want.Encode()
	must(t, err)
	must(t, town.load(t, issued, ch, record))
	if got, err := kiosk.ReadSeal(t.Context(), ch); err != nil || got != want {
		t.Errorf("written anew: %+v, %v", got, err)
	}
	stranger := newBody(t, freearea.SealAID("91201"))
	_, err = stranger.reader(t).ReadSeal(t.Context(), ch)
	code(t, "a kiosk that the town did not certify", err, "terminal-refused")
	fooled := kiosk
	fooled.Provider = &stranger.key.PublicKey
	_, err = fooled.ReadSeal(t.Context(), ch)
	code(t, "a record of somebody else", err, "record-not-signed")
	other := town.reader(t)
	other.AID = freearea.SealAID("91302")
	_, err = other.ReadSeal(t.Context(), ch)
	code(t, "another town's kiosk", err, "card-application")
}

func TestTheStaffCardAtADoor(t *testing.T) {
	issued := cardtest.Issue(t)
	ch := reader.Local(issued.Chip)
	ministry := newBody(t, freearea.StaffAID)
	last := jitsuin.Date{Year: 2027, Month: time.March, Day: 31}
	want := freearea.Staff{Number: "A-0042", Body: "例示省（見本）大臣官房", ValidUntil: last}
	record, err := want.Encode()
	must(t, err)
	must(t, ministry.load(t, issued, ch, record))
	door := ministry.reader(t)
	if got, err := door.Admit(t.Context(), ch, last); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = door.Admit(t.Context(), ch, last.AddDays(1))
	code(t, "the day after", err, "staff-card-over")

	// The record copied onto another card, as its provider's own terminal might by mistake: that card has another key.
	copied := cardtest.Issue(t)
	area, err := reader.OpenFreeArea(t.Context(), reader.Local(copied.Chip))
	must(t, err)
	ticket, err := card.IssueTicket(rand.Reader, copied.Authority, card.Ticket{Operations: card.OpLoad | card.OpPersonalise, Bytes: 1024, AID: ministry.aid, Chip: area.Chip,
		Provider: &ministry.key.PublicKey, Challenge: area.Challenge})
	must(t, err)
	data, err := card.SignTicket(rand.Reader, ticket, ministry.key, area.Challenge)
	must(t, err)
	must(t, area.Authenticate(t.Context(), data))
	point, err := ministry.readers.PublicKey.Bytes()
	must(t, err)
	other := newKey(t)
	must(t, freearea.Load(t.Context(), area, ministry.aid, point, func(context.Context, *ecdsa.PublicKey) (_, signature []byte, err error) {
		signature, err = freearea.Sign(ministry.key, ministry.aid, &other.PublicKey, record)
		return record, signature, err
	}))
	_, err = door.Admit(t.Context(), reader.Local(copied.Chip), last)
	code(t, "a copy", err, "record-not-signed")
}

func TestRecordsThatSayTooLittle(t *testing.T) {
	for _, s := range []freearea.Seal{{Municipality: "91201", Number: "1234567"}, {Municipality: "912", Number: "12345678"}, {Municipality: "91201", Number: "1234567x"}} {
		if _, err := s.Encode(); err == nil {
			t.Errorf("%+v was written", s)
		}
	}
	good := freearea.Staff{Number: "1", Body: "省", ValidUntil: jitsuin.Date{Year: 2027, Month: 1, Day: 1}}
	for _, spoil := range []func(*freearea.Staff){func(s *freearea.Staff) { s.Number = "" }, func(s *freearea.Staff) { s.Body = "" }, func(s *freearea.Staff) { s.ValidUntil = jitsuin.Date{} },
		func(s *freearea.Staff) { s.Body = string(make([]byte, 200)) }} {
		s := good
		spoil(&s)
		if _, err := s.Encode(); err == nil {
			t.Errorf("%+v was written", s)
		}
	}
}
