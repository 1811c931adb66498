package jlis

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/jitsuin/jitsuin"
	chip "github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/jlis/signer"
	minister "github.com/jitsuin/jitsuin/minister/api"
	municipality "github.com/jitsuin/jitsuin/municipality/api"
)

const staffAID = "F04A49545355020101"

// designate has the minister designate somebody, and waits until the Agency knows.
func (c *country) designate(d minister.Designation) {
	c.Helper()
	c.minister.send(minister.TopicDesignations, d.AID, minister.TypeDesignation, d)
	c.knows(d.ID, d.State == minister.InForce)
}

func (c *country) knows(id jitsuin.ID, inForce bool) {
	c.Helper()
	eventually(c, "the ground", func() bool {
		var raw string
		err := c.agency.DB.View(c.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(`SELECT body FROM ground WHERE id = $1`, string(id)).Scan(&raw)
		})
		if errors.Is(err, sql.ErrNoRows) {
			return false
		}
		must(c, err)
		var g ground
		must(c, json.Unmarshal([]byte(raw), &g))
		return g.InForce == inForce
	})
}

// asked makes a request for a ticket as a provider with a key of its own sends it.
func asked(t testing.TB, aid string, operations ...string) api.TicketRequest {
	t.Helper()
	key, err := actor.NewKey()
	must(t, err)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	must(t, err)
	challenge := make([]byte, 32)
	rand.Read(challenge)
	return api.TicketRequest{AID: aid, Chip: "0000000000000007", Challenge: challenge, PublicKey: public, Operations: operations}
}

func (c *country) ticket(as string, r api.TicketRequest) (api.Ticket, error) {
	c.Helper()
	return api.Client{Remote: c.as(as, "jlis:1")}.Ticket(c.Context(), r)
}

func wantCode(t testing.TB, what string, err error, code string) {
	t.Helper()
	if jitsuin.CodeOf(err) != code {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}

func TestATicketNeedsAGroundOfToday(t *testing.T) {
	t.Parallel()
	storetest.Each(t, ticketNeedsGround)
}

func ticketNeedsGround(t *testing.T, database string) {
	c := newCountry(t, database)
	today := jitsuin.DateOf(c.agency.Clock.Now())
	load := asked(t, staffAID, api.OperationPersonalise, api.OperationLoad)
	_, err := c.ticket("provider:ministry-1", load)
	wantCode(t, "nobody is designated", err, "no-ground")
	d := minister.Designation{ID: jitsuin.NewID(), Provider: "provider:ministry-1", Body: "例示省", Name: "身分証", AID: staffAID, Ground: minister.GroundPublicBody, Purpose: "職員の身分の証明",
		Bytes: 2048, From: today.AddDays(1), State: minister.InForce}
	c.designate(d)
	_, err = c.ticket("provider:ministry-1", load)
	wantCode(t, "from tomorrow on", err, "no-ground")

	d.ID, d.From, d.Until = jitsuin.NewID(), today.AddDays(-365), today.AddDays(-1)
	c.designate(d)
	_, err = c.ticket("provider:ministry-1", load)
	wantCode(t, "until yesterday", err, "no-ground")

	d.ID, d.From, d.Until = jitsuin.NewID(), today, today
	c.designate(d)
	before := c.agency.signer.Last().Counter
	got, err := c.ticket("provider:ministry-1", load)
	must(t, err)
	if got.Ground != d.ID || got.Bytes != 2048 || got.Until != today || len(got.Ticket) != 167 {
		t.Errorf("the ticket: %+v", got)
	}
	again, err := c.ticket("provider:ministry-1", load)
	if err != nil || !bytes.Equal(again.Ticket, got.Ticket) {
		t.Errorf("asked again: %v", err)
	}
	receipts, err := c.agency.signer.Since(before)
	if err != nil || len(receipts) != 1 || receipts[0].Purpose != signer.Ticket || receipts[0].Key != terminalKey {
		t.Errorf("the journal has %+v, %v", receipts, err)
	}
	_, err = c.ticket("provider:railway-1", load)
	wantCode(t, "another provider", err, "no-ground")
	if _, err = c.ticket("service:x", load); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("a service got a ticket: %v", err)
	}
	c.withdrawn(d)
}

// withdrawn: nothing is loaded or written any more; what lies on cards may be taken off.
func (c *country) withdrawn(d minister.Designation) {
	c.Helper()
	d.State, d.Reason = minister.Withdrawn, "組織の廃止"
	c.designate(d)
	for _, ops := range [][]string{{api.OperationLoad}, {api.OperationPersonalise}, {api.OperationDelete, api.OperationLoad}} {
		_, err := c.ticket("provider:ministry-1", asked(c, staffAID, ops...))
		wantCode(c, fmt.Sprint("withdrawn, ", ops), err, "no-ground")
	}
	if got, err := c.ticket("provider:ministry-1", asked(c, staffAID, api.OperationDelete)); err != nil || got.Bytes != 0 {
		c.Errorf("deleting after the withdrawal: %+v, %v", got, err)
	}
	c.accredit("platform:1", minister.InForce) // a later event, so that the account below is whole
	if _, stopped := c.agency.journal.get(); stopped != nil {
		c.Error(stopped)
	}
}

func TestATownStandsOnItsOwnOrdinance(t *testing.T) {
	t.Parallel()
	c := newCountry(t, storetest.SQLite().Fresh(t))
	today := jitsuin.DateOf(c.agency.Clock.Now())
	o := municipality.Ordinance{ID: jitsuin.NewID(), Number: "令和8年条例第12号", Title: "印鑑条例", Name: "印鑑登録証", AID: fmt.Sprintf("%X", chip.TownAID(asagiri, 1)), Purpose: "印鑑登録証明書の交付",
		Bytes: 1024, From: today, State: municipality.InForce}
	c.town.send(municipality.TopicOrdinances, o.AID, municipality.TypeOrdinance, o)
	c.knows(o.ID, true)
	load := asked(t, o.AID, api.OperationLoad, api.OperationPersonalise)
	got, err := c.ticket("municipality:91201", load)
	if err != nil || got.Ground != o.ID || got.Bytes != 1024 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, other := range []string{"municipality:91202", "provider:railway-1"} {
		_, err = c.ticket(other, load)
		wantCode(t, other, err, "no-ground")
	}
	// What a town says of another town's names counts for nothing.
	stranger := o
	stranger.ID, stranger.AID = jitsuin.NewID(), fmt.Sprintf("%X", chip.TownAID(yugiri, 1))
	c.town.send(municipality.TopicOrdinances, stranger.AID, municipality.TypeOrdinance, stranger)
	c.knows(stranger.ID, true)
	for _, who := range []string{"municipality:91201", "municipality:91202"} {
		_, err = c.ticket(who, asked(t, stranger.AID, api.OperationLoad))
		wantCode(t, who+" with another's name", err, "no-ground")
	}
	o.State, o.Reason = municipality.Repealed, "改正"
	c.town.send(municipality.TopicOrdinances, o.AID, municipality.TypeOrdinance, o)
	c.knows(o.ID, false)
	_, err = c.ticket("municipality:91201", asked(t, o.AID, api.OperationLoad))
	wantCode(t, "repealed", err, "no-ground")
}

func TestRequestsForTicketsThatSayTooLittle(t *testing.T) {
	t.Parallel()
	c := newCountry(t, storetest.SQLite().Fresh(t))
	c.designate(minister.Designation{ID: jitsuin.NewID(), Provider: "provider:ministry-1", AID: staffAID, Bytes: 1, From: jitsuin.DateOf(c.agency.Clock.Now()), State: minister.InForce})
	for code, spoil := range map[string]func(*api.TicketRequest){
		"ticket-operations": func(r *api.TicketRequest) { r.Operations = []string{"read"} },
		"ticket-challenge":  func(r *api.TicketRequest) { r.Challenge = r.Challenge[:31] },
		"chip-serial":       func(r *api.TicketRequest) { r.Chip = "00000000000000AB" },
		"terminal-key":      func(r *api.TicketRequest) { r.PublicKey = []byte("key") },
		"aid-reserved":      func(r *api.TicketRequest) { r.AID = "D392F00026" },
		"aid-form":          func(r *api.TicketRequest) { r.AID = "A00000030800001000" },
	} {
		r := asked(t, staffAID, api.OperationLoad)
		spoil(&r)
		_, err := c.ticket("provider:ministry-1", r)
		wantCode(t, code, err, code)
	}
}

// The answer of the signer was lost with the power: the signature is accounted for and the same request is answered.
func TestATicketWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	c := newCountry(t, storetest.SQLite().Fresh(t))
	d := minister.Designation{ID: jitsuin.NewID(), Provider: "provider:ministry-1", AID: staffAID, Bytes: 64, From: jitsuin.DateOf(c.agency.Clock.Now()), State: minister.InForce}
	c.designate(d)
	r := asked(t, staffAID, api.OperationLoad)
	parsed, err := x509.ParsePKIXPublicKey(r.PublicKey)
	must(t, err)
	aid, err := chip.ParseProviderAID(staffAID)
	must(t, err)
	tbs, err := chip.TicketTBS(chip.Ticket{Operations: chip.OpLoad, Bytes: 64, AID: aid, Chip: r.Chip, Provider: parsed.(*ecdsa.PublicKey), Challenge: r.Challenge})
	must(t, err)
	digest := sha256.Sum256(tbs)
	must(t, c.agency.DB.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO ticket (digest, tbs, provider, aid, chip, ground, operations, made_at) VALUES ($1, $2, 'provider:ministry-1', $3, $4, $5, 'load', 0)`,
			digest[:], tbs, staffAID, r.Chip, string(d.ID))
		return err
	}))
	_, lost, err := c.agency.signer.Sign(t.Context(), terminalKey, signer.Ticket, tbs)
	must(t, err)
	c.restart()
	if _, stopped := c.agency.journal.get(); stopped != nil {
		t.Fatal(stopped)
	}
	if _, err := c.ticket("provider:ministry-1", r); err != nil {
		t.Fatal(err)
	}
	if last := c.agency.signer.Last(); last.Counter != lost.Counter+1 || last.Digest != digest {
		t.Errorf("signed again: %+v after %+v", last, lost)
	}
}
