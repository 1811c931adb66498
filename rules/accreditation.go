package rules

import "github.com/jitsuin/jitsuin"

var accreditationTerm = series{{
	ID: "accreditation-term", N: 1, Unit: Years, InForce: since(2016, 1, 1),
	Text: Text{"署名検証者となる認定は、1年ごとに更新を受けなければ、その期間の経過によって効力を失う。",
		"The accreditation that makes a verifier loses its effect with the end of its year unless it is renewed."},
	Source: cite(ordJPKI, "10条", "art. 10", OurReading,
		"Read for art. 17(1)(v) of the Act in the text of 2013; that item (vi), in force since the card of 2016, has the same term is unsure."),
}}

// AccreditationTerm gives the term of a verifier's accreditation (署名検証者の認定, JPKI Act art. 17(1)(vi)).
// after is the day that the term follows and that is not counted itself: the day of the decision
// or, for a renewal, the last day of the term before. It fails with kind Invalid on a day before
// there were such verifiers.
func AccreditationTerm(after jitsuin.Date) (Term, error) {
	rule, err := accreditationTerm.on(after)
	if err != nil {
		return Term{}, err
	}
	return Term{after, yearsFrom(after.AddDays(1), rule.N), rule}, nil
}
