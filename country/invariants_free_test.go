//go:build unix

package country

import (
	"encoding/json"
	"strings"
	"testing"

	minister "github.com/jitsuin/jitsuin/minister/api"
	municipality "github.com/jitsuin/jitsuin/municipality/api"
)

// tickets: J-LIS knows each ground as who gave it has it, signed tickets for grounds alone, and no application came onto a
// card of a town's without one.
func (a *audit) tickets() {
	given := map[string]string{} // ground to provider and name
	a.each(Minister, func(scan func(...any)) {
		var raw string
		var d minister.Designation
		scan(&raw)
		a.read(raw, &d)
		given[string(d.ID)] = d.Provider + " " + d.AID
	}, `SELECT body FROM designation`)
	for _, town := range a.towns() {
		a.each(town, func(scan func(...any)) {
			var raw string
			var o municipality.Ordinance
			scan(&raw)
			a.read(raw, &o)
			given[string(o.ID)] = town + " " + o.AID
		}, `SELECT body FROM ordinance`)
	}
	a.each(JLIS, func(scan func(...any)) {
		var id, provider, aid string
		scan(&id, &provider, &aid)
		if given[id] != provider+" "+aid {
			a.wrong("J-LIS has the ground %s of %s for %s, and nobody gave it", id, provider, aid)
		}
	}, `SELECT id, provider, aid FROM ground`)
	tickets := map[string]bool{} // provider and chip
	a.each(JLIS, func(scan func(...any)) {
		var ground, provider, aid, chip string
		var signed bool
		scan(&ground, &provider, &aid, &chip, &signed)
		if given[ground] != provider+" "+aid {
			a.wrong("a ticket of %s for %s stands on the ground %s, which is none of it", provider, aid, ground)
		}
		tickets[provider+" "+chip] = tickets[provider+" "+chip] || signed
	}, `SELECT ground, provider, aid, chip, ticket IS NOT NULL FROM ticket`)
	for _, town := range a.towns() {
		a.each(town, func(scan func(...any)) {
			var id, chip string
			scan(&id, &chip)
			if !tickets[town+" "+chip] {
				a.wrong("the seal registration card %s came onto a card of %s without a ticket", id, town)
			}
		}, `SELECT id, chip FROM seal_card WHERE state <> 'begun'`)
	}
}

func (a *audit) read(raw string, into any) {
	if err := json.Unmarshal([]byte(raw), into); err != nil {
		a.t.Fatal(err)
	}
}

// SpoilFreeArea spoils the books about the free area in one place at a time, of a stopped country that has used it: each time
// the comparison must say what is wrong.
func SpoilFreeArea(t *testing.T, f Folder, view StatusView) {
	t.Helper()
	home := Town(SealTown)
	l := &lab{folder: f}
	for _, s := range []struct{ id, sql, want string }{
		{JLIS, `UPDATE ground SET provider = 'provider:railway-1' WHERE provider = 'provider:ministry-1'`, "and nobody gave it"},
		{JLIS, `UPDATE ticket SET ground = 'x' WHERE provider = '` + home + `'`, "which is none of it"},
		{JLIS, `DELETE FROM ticket`, "is of nothing that J-LIS knows of"},
		{home, `UPDATE seal_card SET chip = '9999999999999999'`, "without a ticket"},
		{home, `DELETE FROM ordinance`, "and nobody gave it"},
	} {
		t.Run(s.want, func(t *testing.T) {
			defer l.spoilt(t, s.id, s.sql)()
			h := &hearing{TB: t}
			CheckInvariants(h, f, view)
			if said := strings.Join(h.said, "\n"); !strings.Contains(said, s.want) {
				t.Errorf("%s: %s\nnobody has noticed; said was: %q", s.id, s.sql, said)
			}
		})
	}
}
