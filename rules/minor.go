package rules

import "github.com/jitsuin/jitsuin"

// MinorCase is one of the seven cases of a minor correction (軽微な修正). Such a correction changes
// letters and no fact, so it never revokes a certificate.
type MinorCase struct {
	Rule
	Name    bool // the correction may touch the name
	Address bool // the correction may touch the address
}

func minorCase(n int, name bool, ja, en string) MinorCase {
	return MinorCase{Name: name, Address: true, Rule: Rule{
		ID: "minor-correction-" + string(rune('0'+n)), N: n, Unit: Case, InForce: always(), Text: Text{ja, en},
		Source: cite(regResident, "21条の2", "art. 21-2", Ancestor, "Which of the items a case may touch is our reading of its words."),
	}}
}

// MinorCases gives the seven cases in their order; the case N is at index N-1.
func MinorCases() []MinorCase {
	return []MinorCase{
		minorCase(1, true, "氏名・住所の文字を常用平易な文字に置き換える。", "Letters of a name or address are replaced by plain ones in common use."),
		minorCase(2, true, "氏名・住所の文字を同定する。", "Letters of a name or address are identified with a standard letter."),
		minorCase(3, false, "行政区画、郡、区、町・字又はその名称が変わる。", "An administrative district, county, ward, town or section, or its name, changes."),
		minorCase(4, false, "地番が変わる。", "The lot number changes."),
		minorCase(5, false, "住居表示が実施され、又は変わる。", "Residence indication is introduced or changes."),
		minorCase(6, false, "共同住宅・病院等の名称や賃貸人が変わる。", "A building's name, or its lessor in an address, changes."),
		minorCase(7, true, "その他、主務大臣が軽微と認める。", "The minister finds the correction minor for another reason."),
	}
}

// checkMinor refuses a minor correction that names no case or changes what its case cannot touch.
func checkMinor(number int, differ []string) (MinorCase, error) {
	cases := MinorCases()
	if number < 1 || number > len(cases) {
		return MinorCase{}, jitsuin.Errorf(jitsuin.Invalid, "minor-rule", "a minor correction names one of the cases 1 to %d of art. 21-2", len(cases)).At("minor_rule")
	}
	c := cases[number-1]
	for _, item := range differ {
		if item == "name" && c.Name || item == "address" && c.Address {
			continue
		}
		return MinorCase{}, jitsuin.Errorf(jitsuin.Invalid, "minor-correction-items", "a minor correction of case %d cannot change the %s", number, item).
			WithHint("record it as an official amendment (職権修正等)").At(item)
	}
	return c, nil
}
