package rules

import (
	"fmt"
	"io"
)

// Register lists every rule of the package, topic by topic; a rule that changed stands once for
// each time it was in force, oldest first. The list is the caller's own.
func Register() []Rule {
	var all []Rule
	topics := [][]series{validityRules(), effectRules(), lapseRules(), holderRules(), checkDigitRules(),
		cadenceRules(), legalRules(), recordRules(), freeAreaRules(), {timeStampDeviation}, accreditationRules(), consentRules(), phoneRules(), {gregorian}}
	for _, topic := range topics {
		for _, s := range topic {
			all = append(all, s...)
		}
	}
	for _, e := range CardEvents() {
		all = append(all, e.Rule)
	}
	for _, n := range Notices() {
		all = append(all, n.Rule)
	}
	for _, p := range PINRules() {
		all = append(all, p.Rule)
	}
	for _, k := range Keepings() {
		all = append(all, k.Rule)
	}
	for _, m := range RecordMembers() {
		all = append(all, m.Rule)
	}
	for _, l := range Letters() {
		all = append(all, l.Rule)
	}
	for _, p := range Papers() {
		all = append(all, p.Rule)
	}
	for _, e := range Eras() {
		all = append(all, e.Rule)
	}
	for _, c := range ConsentItems() {
		all = append(all, c.Rule)
	}
	return append(all, Fees()...)
}

// WriteRegister prints the register as text, one paragraph a rule: its ID, number, time and
// confidence, the sentence in both languages, the source.
func WriteRegister(w io.Writer) error {
	for _, r := range Register() {
		value := r.Value()
		if value != "" {
			value = "  " + value
		}
		c := r.Source.Citation()
		_, err := fmt.Fprintf(w, "%s%s  %s  [%s]\n  %s\n  %s\n  %s / %s\n", r.ID, value, r.InForce, r.Source.Confidence, r.Text.JA, r.Text.EN, c.JA, c.EN)
		if err == nil && r.Source.Note != "" {
			_, err = fmt.Fprintf(w, "  (%s)\n", r.Source.Note)
		}
		if err != nil {
			return fmt.Errorf("print the register: %w", err)
		}
	}
	return nil
}

// String writes FROM – UNTIL, or "always" for a time without ends.
func (f InForce) String() string {
	switch {
	case f == InForce{}:
		return "always"
	case f.Until.IsZero():
		return "from " + f.From.String()
	case f.From.IsZero():
		return "until " + f.Until.String()
	}
	return f.From.String() + " – " + f.Until.String()
}
