package country

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// townCase is what is stored of a case of the counter.
type townCase struct {
	ID           jitsuin.ID            `json:"id"`
	Type         town.ApplicationType  `json:"type"`
	State        town.ApplicationState `json:"state"`
	Subject      jitsuin.ID            `json:"subject"`
	Card         jitsuin.ID            `json:"card"`
	Certificates []town.Certificate    `json:"certificates"`
	Completing   string                `json:"completing"`
	Code         string                `json:"code"`
}

func (a *audit) readCases(t string) (all []townCase) {
	a.each(t, func(scan func(...any)) {
		var body []byte
		var c townCase
		scan(&body)
		if err := json.Unmarshal(body, &c); err != nil {
			a.t.Fatal(err)
		}
		all = append(all, c)
	}, `SELECT body FROM counter_case ORDER BY id`)
	return all
}

// cases: the counter's cases stand where J-LIS's applications stand, and closed ones claim nothing.
func (a *audit) cases() {
	state := a.pairs(JLIS, `SELECT id, state FROM application`)
	for _, t := range a.towns() {
		claims := a.pairs(t, `SELECT subject || kind, id FROM open_case`)
		closed := map[string]bool{}
		for _, c := range a.readCases(t) {
			told := state[string(c.ID)]
			delivered := slices.Contains([]town.ApplicationState{town.Delivered, town.Ready, town.Done}, c.State)
			if delivered && told == "refused" && c.Code != "" {
				continue // granted once, and refused by a J-LIS that was restored
			}
			if delivered != (told == "delivered") || c.State == town.Notified || delivered != (len(c.Certificates) > 0) {
				a.wrong("case %s is %s with %d certificates at %s and %q at J-LIS", c.ID, c.State, len(c.Certificates), t, told)
			}
			closed[string(c.ID)] = c.State == town.Done || c.State == town.Refused
		}
		for what, id := range claims {
			if closed[id] {
				a.wrong("the closed case %s at %s still claims %s", id, t, what)
			}
		}
		if n := a.count(t, "counter_case WHERE due = 1"); n > 0 {
			a.wrong("%d cases at %s wait for the town itself", n, t)
		}
	}
}

// custody: a card is with the holder exactly if its case is done; then it carries what was
// delivered last, and no handle of an earlier custodian opens it.
func (a *audit) custody() {
	h, err := host.New(a.f.Path("cards"), host.Options{})
	if err != nil {
		a.t.Fatal(err)
	}
	defer h.Close()
	latest := map[jitsuin.ID]map[jitsuin.CertKind][]byte{}
	done := map[jitsuin.ID]bool{}
	for _, t := range a.towns() {
		for _, c := range a.readCases(t) {
			if c.Type == town.NewCard && c.Card != "" {
				done[c.Card] = c.State == town.Done
			}
		}
	}
	old := map[jitsuin.ID][]string{}
	a.each(JLIS, func(scan func(...any)) {
		var id, handle, passed string
		scan(&id, &handle, &passed)
		old[jitsuin.ID(id)] = []string{handle, passed}
	}, `SELECT id, handle, passed_handle FROM card WHERE state <> 'scrapped'`)
	for _, t := range a.towns() {
		for card, handle := range a.pairs(t, `SELECT card, handle FROM chip`) {
			old[jitsuin.ID(card)] = append(old[jitsuin.ID(card)], handle)
		}
	}
	a.inCards(latest)
	for card, isDone := range done {
		a.oneCard(h, card, isDone, old[card], latest[card])
	}
}

// inCards finds the newest certificates whose case is done: they are in the card.
func (a *audit) inCards(latest map[jitsuin.ID]map[jitsuin.CertKind][]byte) {
	cases := map[jitsuin.ID]townCase{}
	for _, t := range a.towns() {
		for _, c := range a.readCases(t) {
			cases[c.ID] = c
		}
	}
	a.each(JLIS, func(scan func(...any)) {
		var id jitsuin.ID
		var kind jitsuin.CertKind
		var der []byte
		scan(&id, &kind, &der)
		c := cases[id]
		if c.State != town.Done {
			return
		}
		if latest[c.Card] == nil {
			latest[c.Card] = map[jitsuin.CertKind][]byte{}
		}
		latest[c.Card][kind] = der
	}, `SELECT made_for, kind, der FROM certificate WHERE state = 'issued' AND profile IN ('sign', 'auth') ORDER BY counter`)
}

func (a *audit) oneCard(h *host.Host, card jitsuin.ID, isDone bool, old []string, want map[jitsuin.CertKind][]byte) {
	ctx := a.t.Context()
	raw, err := os.ReadFile(a.f.Path("cards", string(card), "custody.json"))
	var now struct{ Custodian, Handle, From string }
	if err == nil {
		err = json.Unmarshal(raw, &now)
	}
	if err != nil {
		a.wrong("custody of card %s: %v", card, err)
		return
	}
	if (now.Custodian == string(host.Holder)) != isDone {
		a.wrong("card %s is with %q, and its case is done: %v", card, now.Custodian, isDone)
	}
	if !isDone {
		return
	}
	for _, handle := range append(old, now.From) {
		if _, err := h.Info(ctx, host.Handle(handle)); handle != "" && jitsuin.CodeOf(err) != "stale-handle" {
			a.wrong("card %s, which is with its holder, still opens for somebody else: %v", card, err)
		}
	}
	ch, err := h.Open(ctx, host.Handle(now.Handle))
	if err != nil {
		a.wrong("card %s does not open: %v", card, err)
		return
	}
	defer ch.Close()
	if err := compareChip(ctx, ch, want); err != nil {
		a.wrong("card %s: %v", card, err)
	}
}

// compareChip reads a chip's certificates with the sample residents' password.
func compareChip(ctx context.Context, ch reader.Channel, want map[jitsuin.CertKind][]byte) error {
	j, err := reader.SelectJPKI(ctx, ch)
	if err != nil {
		return err
	}
	for kind, der := range want {
		if kind == jitsuin.SignCert {
			if err := j.Verify(ctx, kind, SignPassword); err != nil {
				return err
			}
		}
		if got, err := j.Certificate(ctx, kind); err != nil || !bytes.Equal(got, der) {
			return fmt.Errorf("the %s certificate in the chip is not the one that was delivered last: %w", kind, err)
		}
	}
	return nil
}
