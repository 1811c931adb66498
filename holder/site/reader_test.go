package site_test

import (
	"crypto/x509"
	"path/filepath"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/pcscdtest"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/signature"
)

// A person logs in with a card that lies in a reader of the machine, where that is offered.
func TestALoginWithACardInAReader(t *testing.T) {
	p := pcscdtest.Start(t)
	t.Setenv("PCSCLITE_CSOCK_NAME", p.Socket())
	w := newWorld(t, plan{site: func(c *site.Config) { c.Readers = true }})
	data := t.TempDir()
	plastic := w.cards.Card(t, data, holdertest.Order{})
	channel, err := host.OpenLocal(t.Context(), filepath.Join(data, "cards"), plastic.ID, host.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer channel.Close()
	defer p.Insert(0, channel)()
	pcscdtest.AwaitCard(t)

	visitor := w.person()
	m := w.request("login", nil)
	visitor.open(m.Open)
	visitor.on("ログインの依頼", "カードリーダー「Virtual PCD 00 00」のカード")
	visitor.send(visitor.flow(""), "card", "pcsc:Virtual PCD 00 01") // there is no card in it
	visitor.on("ログインの依頼")
	visitor.send("", "card", "pcsc:Virtual PCD 00 00")
	visitor.on("4桁の暗証番号の入力", "あと3回入力できます")
	visitor.send("", "pin", holdertest.AuthPIN)
	visitor.on("本人であることを示しました")
	a := w.only()
	claims := w.claims(m)
	leaf, err := x509.ParseCertificate(a.Certificate)
	if err != nil || !leaf.Equal(plastic.Certificates[jitsuin.AuthCert]) {
		t.Fatalf("another card's certificate, %v", err)
	}
	if _, err := claims.Challenge.ToSign().Verify(t.Context(), signature.Answer{Certificate: leaf, Signature: a.Signature, DigestAlg: a.DigestAlg}, time.Now(),
		signature.Policy{Anchors: []*x509.Certificate{w.cards.CAs[jitsuin.AuthCert].Cert}, At: time.Now(), Revocation: inForce{}}); err != nil {
		t.Error(err)
	}
	visitor.open("http://" + w.Address("holder:1") + "/")
	visitor.on("マイカード", "pcsc:Virtual PCD 00 00")
}

// Where readers are not offered, a card in one cannot be chosen by its name either.
func TestReadersAreNotOfferedUnasked(t *testing.T) {
	p := pcscdtest.Start(t)
	t.Setenv("PCSCLITE_CSOCK_NAME", p.Socket())
	w := newWorld(t, plan{})
	data := t.TempDir()
	channel, err := host.OpenLocal(t.Context(), filepath.Join(data, "cards"), w.cards.Card(t, data, holdertest.Order{Without: jitsuin.SignCert}).ID, host.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer channel.Close()
	defer p.Insert(0, channel)()
	pcscdtest.AwaitCard(t)
	visitor := w.person()
	visitor.open(w.request("login", nil).Open)
	visitor.on("ログインの依頼")
	visitor.send(visitor.flow(""), "card", "pcsc:Virtual PCD 00 00")
	visitor.on("ログインの依頼")
}
