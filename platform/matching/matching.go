package matching

import (
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Result of a comparison, the better one first.
type Result string

const (
	Same      Result = "same"
	Variant   Result = "variant-kanji"  // alike but for characters that are variants of each other; there may be other notation too
	Notation  Result = "other-notation" // alike but for the way in which it is written
	Different Result = "different"
)

// worse orders results; a variant character is a stronger reason to look than a notation.
var worse = map[Result]int{Same: 0, Notation: 1, Variant: 2, Different: 3}

// Finding tells one thing that was found, for programs and for people.
type Finding struct {
	Code string `json:"code"`
	JA   string `json:"ja"`
	EN   string `json:"en"`
}

// CustomerRecord is what the relying party has on file. An empty member is not compared.
type CustomerRecord struct {
	Name      string `json:"name,omitempty" maxLength:"100" doc:"surname and given name, as on file"`
	Address   string `json:"address,omitempty" maxLength:"200"`
	BirthDate string `json:"birth_date,omitempty" maxLength:"40" doc:"1989-03-31, 1989/3/31, 19890331, 平成元年3月31日 or H1.3.31"`
	Sex       string `json:"sex,omitempty" maxLength:"10" doc:"1, 2, 9, 0 (JIS X 0303), 男, 女, male, female, M or F"`
}

// Empty tells whether there is nothing to compare.
func (r CustomerRecord) Empty() bool { return r == CustomerRecord{} }

// Check refuses a record that cannot be read; Field is the member at fault.
func (r CustomerRecord) Check() error {
	if _, err := readDate(r.BirthDate); r.BirthDate != "" && err != nil {
		return err
	}
	if _, ok := readSex(r.Sex); r.Sex != "" && !ok {
		return jitsuin.Errorf(jitsuin.Invalid, "record-sex", "the sex on file is none of 0, 1, 2, 9, 男, 女, male, female, M, F").At("sex")
	}
	if len([]rune(r.Name)) > 100 || len([]rune(r.Address)) > 200 {
		return jitsuin.Errorf(jitsuin.Invalid, "record-long", "a name has at most 100 characters, an address at most 200")
	}
	return nil
}

// ComparedItem is the comparison of one item: name, address, birth_date or sex.
type ComparedItem struct {
	Item    string    `json:"item" enum:"name,address,birth_date,sex"`
	Result  Result    `json:"result" enum:"same,variant-kanji,other-notation,different"`
	Reasons []Finding `json:"reasons,omitempty"`
}

// Comparison is the whole: the worst result, and the items that were on file in the order of the card.
type Comparison struct {
	Result Result         `json:"result" enum:"same,variant-kanji,other-notation,different"`
	Items  []ComparedItem `json:"items"`
}

// Compare compares what a certificate says with what is on file. It fails where the record cannot be read, or
// is empty.
func Compare(verified jitsuin.FourItems, file CustomerRecord) (Comparison, error) {
	if err := file.Check(); err != nil {
		return Comparison{}, err
	}
	if file.Empty() {
		return Comparison{}, jitsuin.Errorf(jitsuin.Invalid, "record-empty", "the customer record has nothing to compare")
	}
	c := Comparison{Result: Same}
	add := func(name, onFile string, compare func() (Result, []Finding)) {
		if strings.TrimSpace(onFile) == "" {
			return
		}
		r, why := compare()
		c.Items = append(c.Items, ComparedItem{name, r, why})
		if worse[r] > worse[c.Result] {
			c.Result = r
		}
	}
	add("name", file.Name, func() (Result, []Finding) { return names(verified.Name, file.Name) })
	add("address", file.Address, func() (Result, []Finding) { return addresses(verified.Address, file.Address) })
	add("birth_date", file.BirthDate, func() (Result, []Finding) { return dates(verified.BirthDate, file.BirthDate) })
	add("sex", file.Sex, func() (Result, []Finding) { return sexes(verified.Sex, file.Sex) })
	return c, nil
}

// fold is one rule that makes texts alike: what it does to a text, what its being needed means, and how that is told.
type fold struct {
	Finding
	means Result
	apply func(string) string
}

// alike compares two texts by folds. Of texts that are equal only after folding, the reasons are the folds
// without which they would not be.
func alike(a, b string, folds []fold) (Result, []Finding, bool) {
	if a == b {
		return Same, nil, true
	}
	if through(a, folds, -1) != through(b, folds, -1) {
		return Different, nil, false
	}
	result, why := Notation, []Finding(nil)
	for i, f := range folds {
		if through(a, folds, i) == through(b, folds, i) {
			continue
		}
		why = append(why, f.Finding)
		if worse[f.means] > worse[result] {
			result = f.means
		}
	}
	if len(why) == 0 { // two folds explain the same thing; the first that does something is told
		why = append(why, firstNeeded(a, b, folds))
	}
	return result, why, true
}

func firstNeeded(a, b string, folds []fold) Finding {
	for i := range folds {
		if through(a, folds[:i+1], -1) == through(b, folds[:i+1], -1) {
			return folds[i].Finding
		}
	}
	return folds[len(folds)-1].Finding
}

// through sends a text through all folds but one.
func through(s string, folds []fold, without int) string {
	for i, f := range folds {
		if i != without {
			s = f.apply(s)
		}
	}
	return s
}
