package jlis

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	chip "github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/jlis/signer"
	minister "github.com/jitsuin/jitsuin/minister/api"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// The free area (空き領域) of the card: who may use it is decided by the minister (designations) and by each town
// (ordinances); both tell us by their feeds. We sign a ticket for each act on a chip, and keep who acted on which.

// ground is what lets a provider keep an application on cards.
type ground struct {
	ID       jitsuin.ID   `json:"id"`
	Provider string       `json:"provider"`
	AID      string       `json:"aid"`
	Bytes    int          `json:"bytes"`
	From     jitsuin.Date `json:"from"`
	Until    jitsuin.Date `json:"until,omitzero"`
	InForce  bool         `json:"in_force"` // not withdrawn and not repealed
}

func (g ground) inForceOn(day jitsuin.Date) bool {
	return g.InForce && !day.Before(g.From) && (g.Until.IsZero() || !day.After(g.Until))
}

func saveGround(tx *store.Tx, g ground) error {
	body, err := json.Marshal(g)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO ground (id, provider, aid, body) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET body = excluded.body`,
		string(g.ID), g.Provider, g.AID, string(body))
	return err
}

// applyDesignation notes the minister's decision on who may use the free area.
func (a *Agency) applyDesignation(_ context.Context, tx *store.Tx, e feed.Event) error {
	var d minister.Designation
	if e.Type != minister.TypeDesignation {
		return jitsuin.Errorf(jitsuin.Invalid, "event-unknown", "the minister sent an event of the type %q", e.Type)
	}
	if err := e.Decode(&d); err != nil {
		return err
	}
	return saveGround(tx, ground{ID: d.ID, Provider: d.Provider, AID: strings.ToUpper(d.AID), Bytes: d.Bytes, From: d.From, Until: d.Until, InForce: d.State == minister.InForce})
}

// applyOrdinance notes a town's ordinance; the provider is the town that sent it, whatever the event says.
func (a *Agency) applyOrdinance(from string) func(context.Context, *store.Tx, feed.Event) error {
	return func(_ context.Context, tx *store.Tx, e feed.Event) error {
		var o town.Ordinance
		if e.Type != town.TypeOrdinance {
			return jitsuin.Errorf(jitsuin.Invalid, "event-unknown", "%s sent an event of the type %q", from, e.Type)
		}
		if err := e.Decode(&o); err != nil {
			return err
		}
		return saveGround(tx, ground{ID: o.ID, Provider: from, AID: strings.ToUpper(o.AID), Bytes: o.Bytes, From: o.From, Until: o.Until, InForce: o.State == town.InForce})
	}
}

type (
	ticketIn  struct{ Body api.TicketRequest }
	ticketOut struct{ Body api.Ticket }
)

func (a *Agency) ticketRoutes() {
	httpapi.Register(a.API, httpapi.Operation{ID: "chip-ticket", Method: "POST", Path: "/chip-tickets",
		Summary: "Let a provider of the free area (空き領域) act on one chip",
		Description: "Signed with the terminal authority that chips trust, bound to the challenge of one chip. Loading and personalising need a designation " +
			"or ordinance in force on the civil day, deleting one that ever was. The same request gets the same ticket.",
		Policy: httpapi.Roles("municipality", "provider")}, a.issueTicket)
}

// issueTicket checks the ground on this very day and signs; intent, signature and result follow issue.go.
func (a *Agency) issueTicket(ctx context.Context, in *ticketIn) (*ticketOut, error) {
	t, ops, err := askedTicket(in.Body)
	if err != nil {
		return nil, err
	}
	provider := httpapi.CallerOf(ctx).ID
	g, err := a.groundFor(ctx, provider, t.AID, ops)
	if err != nil {
		a.Log.InfoContext(ctx, "ticket refused", "provider", provider, "aid", in.Body.AID, "operations", in.Body.Operations, "refused", jitsuin.CodeOf(err))
		return nil, err
	}
	if t.Bytes = g.Bytes; t.Operations == chip.OpDelete {
		t.Bytes = 0
	}
	tbs, err := chip.TicketTBS(t)
	if err != nil {
		return nil, err
	}
	ticket, err := a.signTicket(ctx, tbs, provider, t, g, strings.Join(ops, " "))
	if err != nil {
		return nil, err
	}
	a.Log.InfoContext(ctx, "ticket issued", "provider", provider, "aid", g.AID, "operations", ops, "ground", g.ID)
	return &ticketOut{api.Ticket{Ticket: ticket, Ground: g.ID, Bytes: t.Bytes, Until: g.Until}}, nil
}

// askedTicket reads what is asked for; the operations are sorted and each named once.
func askedTicket(r api.TicketRequest) (t chip.Ticket, ops []string, err error) {
	named := map[string]chip.Operations{api.OperationLoad: chip.OpLoad, api.OperationPersonalise: chip.OpPersonalise, api.OperationDelete: chip.OpDelete}
	for _, o := range r.Operations {
		if named[o] == 0 {
			return t, nil, jitsuin.Errorf(jitsuin.Invalid, "ticket-operations", "there is no operation %q", o).At("operations")
		}
		t.Operations |= named[o]
	}
	ops = slices.Compact(slices.Sorted(slices.Values(r.Operations)))
	if t.AID, err = chip.ParseProviderAID(r.AID); err != nil {
		return t, nil, err
	}
	t.Chip, t.Challenge = r.Chip, r.Challenge
	t.Provider, err = terminalPublicKey(r.PublicKey)
	return t, ops, err
}

// groundFor finds what lets the provider do the operations with its application today.
func (a *Agency) groundFor(ctx context.Context, provider string, aid []byte, ops []string) (ground, error) {
	if !mayHaveName(provider, aid) {
		return ground{}, jitsuin.Errorf(jitsuin.Denied, "no-ground", "%s cannot have an application with the name %X", provider, aid)
	}
	today := jitsuin.DateOf(a.Clock.Now())
	var all []ground
	err := a.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.Collect(func(s store.Scanner) (g ground, err error) {
			var body string
			if err := s.Scan(&body); err != nil {
				return g, err
			}
			err = json.Unmarshal([]byte(body), &g)
			return g, err
		})(tx.Query(`SELECT body FROM ground WHERE aid = $1 AND provider = $2 ORDER BY id`, fmt.Sprintf("%X", aid), provider))
		return err
	})
	if err != nil {
		return ground{}, err
	}
	for _, g := range all {
		if g.inForceOn(today) {
			return g, nil
		}
	}
	// What lies on cards may be taken off them after its ground has gone.
	if len(all) > 0 && len(ops) == 1 && ops[0] == api.OperationDelete {
		return all[0], nil
	}
	return ground{}, jitsuin.Errorf(jitsuin.Denied, "no-ground", "%s has no designation or ordinance in force on %v for the application %X", provider, today, aid).
		WithHint("the minister designates bodies and operators, a municipality enacts an ordinance (My Number Act art. 18)")
}

// mayHaveName keeps the towns' names on the chip apart from each other and from everybody else's.
func mayHaveName(provider string, aid []byte) bool {
	code, isTown := strings.CutPrefix(provider, "municipality:")
	if !isTown {
		return !chip.InTownSpace(aid)
	}
	prefix := chip.TownAID(jitsuin.MunicipalityCode(code), 0)
	return len(aid) == len(prefix) && string(aid[:len(aid)-1]) == string(prefix[:len(prefix)-1])
}

// signTicket records the intent, has the terminal authority sign, and keeps the ticket.
func (a *Agency) signTicket(ctx context.Context, tbs []byte, provider string, t chip.Ticket, g ground, ops string) (ticket []byte, err error) {
	digest := sha256.Sum256(tbs)
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		ticket = nil
		_, err := tx.Exec(`INSERT INTO ticket (digest, tbs, provider, aid, chip, ground, operations, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (digest) DO NOTHING`, digest[:], tbs, provider, g.AID, t.Chip, string(g.ID), ops, store.Micros(a.Clock.Now()))
		if err != nil {
			return err
		}
		return tx.QueryRow(`SELECT ticket FROM ticket WHERE digest = $1`, digest[:]).Scan(&ticket)
	})
	if err != nil || ticket != nil {
		return ticket, err
	}
	sig, receipt, err := a.sign(ctx, terminalKey, signer.Ticket, tbs)
	if err != nil {
		return nil, err
	}
	made, err := chip.AssembleTicket(tbs, sig)
	if err != nil {
		return nil, err
	}
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		if err := noteSignature(tx, receipt, "ticket"); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE ticket SET ticket = $2, counter = $3 WHERE digest = $1 AND ticket IS NULL`, digest[:], made, receipt.Counter); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT ticket FROM ticket WHERE digest = $1`, digest[:]).Scan(&ticket)
	})
	return ticket, err
}
