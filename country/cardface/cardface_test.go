package cardface_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country/cardface"
	"github.com/jitsuin/jitsuin/country/people"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

const (
	subject jitsuin.ID = "00112233445566778899aabbccddeeff"
	card    jitsuin.ID = "ffeeddccbbaa99887766554433221100"
	city               = jitsuin.MunicipalityCode("91201")
	port               = jitsuin.MunicipalityCode("92301")
)

var sample = people.Country{Prefectures: []people.Prefecture{{Code: "91"}, {Code: "92"}},
	Municipalities: []people.Municipality{{Code: city, Name: "例示市"}, {Code: port, Name: "見本町"}},
	Residents:      []people.Resident{{ID: subject, Alias: "例山　真理亜", OldSurname: "旧川"}}}

func at(n int) time.Time {
	return time.Date(2026, 11, 1, 9, 0, 0, 0, jitsuin.JST).AddDate(0, 0, n)
}

// certificate is one that begins on day n and ends n years later.
func certificate(t *testing.T, kind jitsuin.CertKind, n int) town.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: at(n), NotAfter: at(n).AddDate(5, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return town.Certificate{Kind: kind, Certificate: der}
}

func items(name, address string) *jitsuin.FourItems {
	return &jitsuin.FourItems{Name: name, Address: address, BirthDate: jitsuin.Date{Year: 1980, Month: 2, Day: 17}, Sex: jitsuin.Female}
}

func change(n int, cause jitsuin.Cause, before *jitsuin.FourItems) town.RecordedChange {
	return town.RecordedChange{Cause: cause, RecordedAt: at(n), Before: before}
}

// A card is made in one town; its holder marries, moves to another town, and within it.
func story(t *testing.T) map[jitsuin.MunicipalityCode]cardface.Known {
	first := town.Application{Type: town.NewCard, State: town.Done, Card: card, CardExpires: jitsuin.Date{Year: 2037, Month: 2, Day: 17}, CardNumber: "400000012719843", SecurityCode: "2285", UpdatedAt: at(2),
		Certificates: []town.Certificate{certificate(t, jitsuin.SignCert, 1), certificate(t, jitsuin.AuthCert, 1)}}
	again := town.Application{Type: town.Reissue, State: town.Done, Card: card, UpdatedAt: at(41), Certificates: []town.Certificate{certificate(t, jitsuin.SignCert, 41)}}
	return map[jitsuin.MunicipalityCode]cardface.Known{
		city: {Record: &town.Resident{Items: *items("夫川　花子", "例示市１"), State: jitsuin.Moving}, Cases: []town.Application{first}, Changes: []town.RecordedChange{
			change(0, jitsuin.CauseMoveWithin, items("例川　花子", "例示市０")),
			change(10, jitsuin.CauseAmended, items("例川　花子", "例示市１")),
			change(15, jitsuin.CauseMinorCorrection, items("夫川　花子", "例示市１")),
			change(20, jitsuin.CauseMoveOut, items("夫川　花子", "例示市一"))}},
		port: {Record: &town.Resident{Items: *items("夫川　花子", "見本町３"), State: jitsuin.Present}, Cases: []town.Application{again}, Changes: []town.RecordedChange{
			change(21, jitsuin.CauseMoveIn, nil),
			change(30, jitsuin.CauseMoveWithin, items("夫川　花子", "見本町２"))}},
	}
}

func TestAFaceHasWhatWasPrintedAndWhatCameAfter(t *testing.T) {
	p, err := cardface.Of(sample, subject, story(t))
	if err != nil {
		t.Fatal(err)
	}
	if p.Items != *items("例川　花子", "例示市１") || p.Head != "例示市長" || p.ID != card || p.Issuer != city || p.Alias == "" || p.OldSurname == "" {
		t.Errorf("printed %+v", p)
	}
	if p.Number != "400000012719843" || p.SecurityCode != "2285" {
		t.Errorf("number %s, security code %s", p.Number, p.SecurityCode)
	}
	got := ""
	for _, n := range p.Notes {
		got += fmt.Sprintf("%s %s %s\n", n.On, n.Text, n.By)
	}
	want := "2026-11-11 氏名　夫川　花子 例示市長\n2026-11-22 住所　見本町２ 見本町長\n2026-12-01 住所　見本町３ 見本町長\n"
	if got != want {
		t.Errorf("notes\n%s", got)
	}
	if p.SignUntil != jitsuin.DateOf(at(41).AddDate(5, 0, 0)) || p.AuthUntil != jitsuin.DateOf(at(1).AddDate(5, 0, 0)) || p.PhotoOn != jitsuin.DateOf(at(1)) {
		t.Errorf("until %v and %v, photo %v", p.SignUntil, p.AuthUntil, p.PhotoOn)
	}
	if _, err := p.Front(); err != nil {
		t.Error(err)
	}
}

// A new card begins anew; without one there is nothing to draw.
func TestANewCardHasNoOldNotes(t *testing.T) {
	known := story(t)
	k := known[port]
	k.Cases = append(k.Cases, town.Application{Type: town.NewCard, State: town.Done, Card: "aa", UpdatedAt: at(52), Certificates: []town.Certificate{certificate(t, jitsuin.AuthCert, 51)}})
	known[port] = k
	p, err := cardface.Of(sample, subject, known)
	if err != nil || len(p.Notes) != 0 || p.Items.Address != "見本町３" || p.Head != "見本町長" || !p.SignUntil.IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
	for code, k := range known {
		k.Cases = nil
		known[code] = k
	}
	if p, err := cardface.Of(sample, subject, known); p != nil || err != nil {
		t.Errorf("without a card: %+v, %v", p, err)
	}
}
