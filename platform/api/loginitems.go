package api

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	strictjson "github.com/go-jose/go-jose/v4/json" // knows a member that comes twice

	"github.com/jitsuin/jitsuin"
)

// Bounds of an item in an answer, in bytes: a name or an address has at most 200 characters.
const maxItem = 800

// CheckItems tells whether an answer's items are exactly those that were asked for, each in its form: whoever takes the answer
// of a login in calls it before anything is done with them. Invalid "answer-items", naming the item.
//
// That they are well formed does not make them true for a third person: the holder has read them from the card and checked
// the issuer's signature, and the relying party has the holder's word for it. They are good for filling in a form, and for
// nothing that the law wants verified: an identity-verification record needs the signature certificate over the transaction.
func (a HolderAnswer) CheckItems(asked []string) error {
	for name := range a.Items {
		if !slices.Contains(asked, name) {
			return badItem(name, "nobody has asked for it")
		}
	}
	for _, name := range asked {
		value, ok := a.Items[name]
		if !ok {
			return badItem(name, "it is missing")
		}
		if err := checkItem(name, value); err != nil {
			return err
		}
	}
	return nil
}

func badItem(name, why string) error {
	return jitsuin.Errorf(jitsuin.Invalid, "answer-items", "the item %q of the answer is not accepted: %s", name, why).At("items")
}

func checkItem(name, value string) error {
	good := false
	switch name {
	case "name", "address":
		good = Printing(value) && len(value) <= maxItem
	case "birth_date":
		var d jitsuin.Date
		good = d.UnmarshalText([]byte(value)) == nil && d.String() == value
	case "sex":
		good = jitsuin.Sex(value).Valid()
	default:
		good = value == "true" || value == "false"
	}
	if !good {
		return badItem(name, "it is not in its form")
	}
	return nil
}

// AgeOver gives N of an item age_over_N; 0 for every other item.
func AgeOver(name string) int {
	if !ageItem.MatchString(name) {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(name, "age_over_")) // digits, by the pattern
	return n
}

// UnmarshalJSON reads an answer, and refuses one that has a member twice, at whatever depth: RFC 8259 §4 leaves open which of the two
// counts, and an item of a person must not be one thing to who checks it and another to who stores it.
func (a *HolderAnswer) UnmarshalJSON(raw []byte) error {
	var once any
	if err := strictjson.Unmarshal(raw, &once); err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "answer-form", "the answer has a member twice, or is no JSON")
	}
	type plain HolderAnswer
	return json.Unmarshal(raw, (*plain)(a))
}
