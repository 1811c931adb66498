package card

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Switches decide what is not known for sure of real cards, or what sources disagree about. The
// zero value is what this package takes to be right. They are laid into a chip when it is made.
// Their names in a configuration file and for ParseSwitches are those of the yaml tags.
type Switches struct {
	// CheckNumberTries is how many tries the check numbers A and B (照合番号) and the date of birth
	// have; 0 means 10, the number in public documents, which nobody has reported from the wire.
	// At most 15, because 63Cx cannot tell more.
	CheckNumberTries int `json:",omitempty" yaml:"check_number_tries,omitempty" check:"range=1..15"`
	// BlockedQuery has VERIFY without data answer 6984 for a blocked PIN, not 63C0. OpenSC does
	// not bind such a card.
	BlockedQuery bool `json:",omitempty" yaml:"blocked_query,omitempty"`
	// VerifiedQuery has VERIFY without data answer 9000 while the PIN is verified, not 63Cx.
	// OpenSC does not bind such a card either.
	VerifiedQuery bool `json:",omitempty" yaml:"verified_query,omitempty"`
	// Blocked6983 has a blocked PIN answer 6983, which JICSAP does not have and some clients expect.
	Blocked6983 bool `json:",omitempty" yaml:"blocked_6983,omitempty"`
	// VisualNeedsCheckNumber has EFs 0003 and 0004 of the 券面事項確認AP need check number A or B;
	// they are free otherwise.
	VisualNeedsCheckNumber bool `json:",omitempty" yaml:"visual_needs_check_number,omitempty"`
	// EmptyAtEnd has READ BINARY exactly at the end of an EF answer 9000 without data, not 6B00.
	EmptyAtEnd bool `json:",omitempty" yaml:"empty_at_end,omitempty"`
	// ReselectClears has selecting the current application again end its security status. JICSAP
	// reads as if it is kept, and pyjpki depends on that.
	ReselectClears bool `json:",omitempty" yaml:"reselect_clears,omitempty"`
	// FreeSignCertificate has the signature certificate be read without its password, as one
	// source says against all others.
	FreeSignCertificate bool `json:",omitempty" yaml:"free_sign_certificate,omitempty"`
}

// Check refuses what no chip can be.
func (s Switches) Check() error {
	if n := s.CheckNumberTries; n < 0 || n > 15 {
		return jitsuin.Errorf(jitsuin.Invalid, "card-switch", "check numbers have 1 to 15 tries").At("check_number_tries")
	}
	return nil
}

// SwitchNames lists the names of all switches, in the order of the struct.
func SwitchNames() []string {
	var names []string
	for f := range reflect.TypeFor[Switches]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		names = append(names, name)
	}
	return names
}

// ParseSwitches reads pairs NAME=VALUE, such as check_number_tries=5 or blocked_query=true; NAME alone is
// NAME=true, and hyphens are as good as underscores. Invalid "card-switch" for a name that does not
// exist or is there twice, and for a value that the switch does not take.
func ParseSwitches(pairs []string) (Switches, error) {
	var s Switches
	names, seen := SwitchNames(), map[string]bool{}
	for _, pair := range pairs {
		name, value, given := strings.Cut(pair, "=")
		name = strings.ReplaceAll(name, "-", "_")
		i := slices.Index(names, name)
		switch {
		case i < 0:
			return Switches{}, errSwitch(name, "there is no such switch").WithHint("the switches are: %s", strings.Join(names, ", "))
		case seen[name]:
			return Switches{}, errSwitch(name, "the switch is there twice")
		}
		seen[name] = true
		if err := s.set(i, value, given); err != nil {
			return Switches{}, err
		}
	}
	return s, s.Check()
}

// set sets the i-th switch; given tells whether there is a value.
func (s *Switches) set(i int, value string, given bool) error {
	field, name := reflect.ValueOf(s).Elem().Field(i), SwitchNames()[i]
	if field.Kind() == reflect.Int {
		n, err := strconv.Atoi(value)
		if err != nil {
			return errSwitch(name, "the switch takes a number")
		}
		field.SetInt(int64(n))
		return nil
	}
	on := true
	if given {
		var err error
		if on, err = strconv.ParseBool(value); err != nil {
			return errSwitch(name, "the switch takes true or false")
		}
	}
	field.SetBool(on)
	return nil
}

func errSwitch(name, why string) *jitsuin.Error {
	return jitsuin.Errorf(jitsuin.Invalid, "card-switch", "%q: %s", name, why).At("switches")
}

// checkNumberTries gives the tries of check numbers.
func (s Switches) checkNumberTries() int {
	if s.CheckNumberTries == 0 {
		return 10
	}
	return s.CheckNumberTries
}

// blocked is the status word of a try at a blocked PIN.
func (s Switches) blocked() SW {
	if s.Blocked6983 {
		return SWBlocked6983
	}
	return SWBlocked
}
