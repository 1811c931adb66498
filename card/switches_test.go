package card_test

import (
	"reflect"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

func TestParseSwitches(t *testing.T) {
	got, err := card.ParseSwitches([]string{"check_number_tries=5", "blocked-query", "verified_query=true", "empty_at_end=false"})
	if want := (card.Switches{CheckNumberTries: 5, BlockedQuery: true, VerifiedQuery: true}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for _, pairs := range [][]string{
		{"check_number_tries=16"}, {"check_number_tries=-1"}, {"check_number_tries"}, {"check_number_tries=many"},
		{"blocked_query=perhaps"}, {"blocked_query="}, {"unknown=1"}, {""}, {"blocked_query", "blocked-query=false"},
	} {
		if got, err := card.ParseSwitches(pairs); jitsuin.CodeOf(err) != "card-switch" || jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%q gave %+v, %v", pairs, got, err)
		}
	}
}

// Each switch can be set by its name, and by nothing else.
func TestEverySwitchHasItsName(t *testing.T) {
	names := card.SwitchNames()
	for i, name := range names {
		pair := name + "=true"
		if name == "check_number_tries" {
			pair = name + "=7"
		}
		got, err := card.ParseSwitches([]string{pair})
		if err != nil {
			t.Errorf("%s: %v", pair, err)
		}
		for j := range names {
			if set := !reflect.ValueOf(got).Field(j).IsZero(); set != (i == j) {
				t.Errorf("%s: switch %s set: %v", pair, names[j], set)
			}
		}
	}
}
