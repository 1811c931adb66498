package matching

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
	"golang.org/x/text/unicode/norm"
)

// names compares a name as the register writes it (surname U+3000 given name) with the one on file.
func names(verified, file string) (Result, []Finding) {
	file = strings.TrimSpace(file)
	if r, why, ok := alike(verified, file, nameFolds); ok {
		return r, why
	}
	why := []Finding{{"name-differs", "氏名が違います。", "The names differ."}}
	if a, b := through(verified, lookalikeFolds, -1), through(file, lookalikeFolds, -1); a == b {
		return Different, append(why, Finding{"lookalike", "取り違えやすい別の漢字（例: 斎と斉）が使われています。", "Kanji that are easily mixed up, and are not variants of each other, are used (such as 斎 and 斉)."})
	}
	vs, vg, ok1 := halves(verified)
	fs, fg, ok2 := halves(file)
	if !ok1 || !ok2 {
		return Different, why
	}
	_, _, surname := alike(vs, fs, nameFolds)
	_, _, given := alike(vg, fg, nameFolds)
	switch {
	case given && !surname:
		why = append(why, Finding{"surname-only", "名は同じで、氏だけが違います（婚姻などの可能性があります）。", "The given name is the same, only the surname differs (marriage, for example)."})
	case surname && !given:
		why = append(why, Finding{"given-name-only", "氏は同じで、名だけが違います。", "The surname is the same, only the given name differs."})
	}
	return Different, why
}

// lookalikeFolds are those of names, with characters that are no variants of each other taken for one.
var lookalikeFolds = append(nameFolds[:len(nameFolds):len(nameFolds)], fold{apply: strings.NewReplacer(pairs(lookalikes)...).Replace})

// halves gives surname and given name where exactly one space parts them.
func halves(s string) (surname, given string, ok bool) {
	f := strings.Fields(s)
	if len(f) != 2 {
		return "", "", false
	}
	return f[0], f[1], true
}

// prefecture is the first word of a whole address. Towns whose name ends like one are told apart by what
// follows: the rest must be an address of its own.
var prefecture = regexp.MustCompile(`^.{2,3}?[都道府県]`)

// addresses compares an address as the register writes it with the one on file.
func addresses(verified, file string) (Result, []Finding) {
	file = strings.TrimSpace(file)
	if r, why, ok := alike(verified, file, addressFolds); ok {
		return r, why
	}
	short := Finding{"prefecture-left-out", "都道府県名の有無の違いがあります。", "The prefecture is written or left out."}
	for _, c := range [][2]string{{prefecture.ReplaceAllString(verified, ""), file}, {verified, prefecture.ReplaceAllString(file, "")}} {
		if c[0] == verified && c[1] == file {
			continue
		}
		if r, why, ok := alike(c[0], c[1], addressFolds); ok {
			if r == Same {
				r = Notation
			}
			return r, append([]Finding{short}, why...)
		}
	}
	return Different, []Finding{addressDifference(through(verified, addressFolds, -1), through(file, addressFolds, -1))}
}

var digits = regexp.MustCompile(`[0-9-]+`)

// addressDifference says how two folded addresses differ. What is missing makes an address another one: a
// house has many flats.
func addressDifference(v, f string) Finding {
	switch {
	case strings.HasPrefix(v, f):
		return Finding{"file-shorter", "登録の住所には、証明書の住所の末尾（建物名・部屋番号など）がありません。", "The address on file lacks the end of the certificate's (a building or a room number, for example)."}
	case strings.HasPrefix(f, v):
		return Finding{"file-longer", "登録の住所には、証明書の住所にない末尾（建物名・部屋番号など）があります。", "The address on file has an end that the certificate's lacks (a building or a room number, for example)."}
	case digits.ReplaceAllString(v, "0") == digits.ReplaceAllString(f, "0"):
		return Finding{"numbers-differ", "町名などは同じで、番号だけが違います。", "The names of places are the same, only numbers differ."}
	}
	return Finding{"address-differs", "住所が違います。転居した可能性があります。", "The addresses differ; the person may have moved."}
}

// dates compares a date of birth with one written in any usual form.
func dates(verified jitsuin.Date, file string) (Result, []Finding) {
	d, err := readDate(file)
	if err != nil { // Check refuses these before
		return Different, []Finding{{"date-unreadable", "登録の生年月日を読み取れません。", "The date on file cannot be read."}}
	}
	switch {
	case d == verified && file == d.String():
		return Same, nil
	case d == verified:
		return Notation, []Finding{{"date-notation", "日付の書き方の違いがあります。", "The date is written in another way."}}
	}
	var ja, en []string
	for _, p := range []struct {
		same   bool
		ja, en string
	}{{d.Year == verified.Year, "年", "year"}, {d.Month == verified.Month, "月", "month"}, {d.Day == verified.Day, "日", "day"}} {
		if !p.same {
			ja, en = append(ja, p.ja), append(en, p.en)
		}
	}
	why := []Finding{{"date-differs", "生年月日の" + strings.Join(ja, "・") + "が違います。", "The dates of birth differ in " + strings.Join(en, ", ") + "."}}
	if d.Year == verified.Year && int(d.Month) == verified.Day && d.Day == int(verified.Month) {
		why = append(why, Finding{"day-and-month-swapped", "月と日が入れ替わっています。", "Day and month are swapped."})
	}
	return Different, why
}

var (
	isoLike   = regexp.MustCompile(`^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?$`)
	compact   = regexp.MustCompile(`^([0-9]{4})([0-9]{2})([0-9]{2})$`)
	eraLetter = regexp.MustCompile(`^([MTSHR])([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})$`)
)

// readDate reads a date in the forms that CustomerRecord names. Field is birth_date.
func readDate(s string) (jitsuin.Date, error) {
	s = strings.TrimSpace(norm.NFKC.String(s))
	bad := jitsuin.Errorf(jitsuin.Invalid, "record-date", "the date of birth on file cannot be read, or does not exist").
		WithHint("write it like 1989-03-31").At("birth_date")
	for _, form := range []*regexp.Regexp{isoLike, compact} {
		if m := form.FindStringSubmatch(s); m != nil {
			d, err := jitsuin.ParseDate(fmt.Sprintf("%s-%02s-%02s", m[1], m[2], m[3]))
			if err != nil {
				return d, bad
			}
			return d, nil
		}
	}
	if m := eraLetter.FindStringSubmatch(strings.ToUpper(s)); m != nil {
		for _, e := range rules.Eras() {
			if e.Letter == m[1] {
				s = e.Name + m[2] + "年" + m[3] + "月" + m[4] + "日"
			}
		}
	}
	d, err := rules.ParseEra(s)
	if err != nil {
		return d, bad
	}
	return d, nil
}

var sexWords = map[string]jitsuin.Sex{"0": jitsuin.SexUnknown, "1": jitsuin.Male, "2": jitsuin.Female, "9": jitsuin.SexNotApplicable, "男": jitsuin.Male, "男性": jitsuin.Male,
	"女": jitsuin.Female, "女性": jitsuin.Female, "male": jitsuin.Male, "female": jitsuin.Female, "m": jitsuin.Male, "f": jitsuin.Female}

func readSex(s string) (jitsuin.Sex, bool) {
	x, ok := sexWords[strings.ToLower(strings.TrimSpace(norm.NFKC.String(s)))]
	return x, ok
}

func sexes(verified jitsuin.Sex, file string) (Result, []Finding) {
	x, _ := readSex(file)
	switch {
	case string(verified) == file:
		return Same, nil
	case x == verified:
		return Notation, []Finding{{"sex-notation", "性別の書き方の違いがあります。", "The sex is written in another way."}}
	}
	return Different, []Finding{{"sex-differs", "性別が違います。", "The sexes differ."}}
}

// kanjiNumber writes a kanji numeral in digits: 二十三 and 二三 are both 23.
func kanjiNumber(s string) string {
	if !strings.ContainsAny(s, "十百千") {
		return strings.Map(func(r rune) rune { return '0' + rune(digitOf(r)) }, s)
	}
	total, current := 0, 0
	for _, r := range s {
		switch unit := map[rune]int{'十': 10, '百': 100, '千': 1000}[r]; unit {
		case 0:
			current = current*10 + digitOf(r)
		default:
			total += max(current, 1) * unit
			current = 0
		}
	}
	return fmt.Sprint(total + current)
}

func digitOf(r rune) int {
	return strings.Index("〇一二三四五六七八九", string(r)) / len("一")
}
