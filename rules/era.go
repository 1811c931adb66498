package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Era is an era (元号) of the Japanese calendar (和暦).
type Era struct {
	Name   string // 令和
	Romaji string // Reiwa
	Letter string // R, as forms abbreviate it
	Rule          // InForce.From is the first day of the era
}

func eraOf(name, romaji, letter string, f InForce, note string) Era {
	return Era{name, romaji, letter, Rule{ID: "era-" + strings.ToLower(romaji), InForce: f,
		Text:   Text{name + "は" + f.From.String() + "から。", romaji + " begins on " + f.From.String() + "."},
		Source: cite(actEra, "", "", Unverified, note)}}
}

// Eras lists the eras since Meiji, oldest first. The last day of one is the day before the next;
// the days 1912-07-30 and 1926-12-25 belonged to both, and are written in the new one here.
func Eras() []Era {
	return []Era{
		eraOf("明治", "Meiji", "M", between(day(1868, 1, 25), day(1912, 7, 29)), "Days before 1873-01-01 are lunisolar and are not converted."),
		eraOf("大正", "Taisho", "T", between(day(1912, 7, 30), day(1926, 12, 24)), ""),
		eraOf("昭和", "Showa", "S", between(day(1926, 12, 25), day(1989, 1, 7)), ""),
		eraOf("平成", "Heisei", "H", between(day(1989, 1, 8), day(2019, 4, 30)), ""),
		eraOf("令和", "Reiwa", "R", since(2019, 5, 1), ""),
	}
}

var gregorian = series{{
	ID: "gregorian", InForce: since(1873, 1, 1),
	Text:   Text{"太陽暦は明治6年（1873年）1月1日から。それ以前の日付は換算しない。", "The solar calendar began on 1 January 1873 (Meiji 6); earlier days are not converted."},
	Source: cite(actCalendar, "", "", Unverified),
}}

// EraDate is a day in the Japanese calendar.
type EraDate struct {
	Era   Era
	Year  int // 1 is written 元
	Month int
	Day   int
}

// InEra gives a day in the Japanese calendar. It fails with kind Unsupported before 1873-01-01,
// when the calendar was another one.
func InEra(d jitsuin.Date) (EraDate, error) {
	if d.Before(gregorian[0].InForce.From) {
		return EraDate{}, jitsuin.Errorf(jitsuin.Unsupported, "lunisolar", "days before %v are lunisolar and are not converted", gregorian[0].InForce.From)
	}
	for _, e := range Eras() {
		if e.InForce.Covers(d) {
			return EraDate{e, d.Year - e.InForce.From.Year + 1, int(d.Month), d.Day}, nil
		}
	}
	return EraDate{}, jitsuin.Errorf(jitsuin.Internal, "era", "no era holds %v", d)
}

// String writes 令和元年5月1日.
func (e EraDate) String() string {
	year := "元"
	if e.Year != 1 {
		year = strconv.Itoa(e.Year)
	}
	return fmt.Sprintf("%s%s年%d月%d日", e.Era.Name, year, e.Month, e.Day)
}

// YYMMDD writes the six digits that begin check number B (照合番号B): year of the era, month, day.
func (e EraDate) YYMMDD() string { return fmt.Sprintf("%02d%02d%02d", e.Year%100, e.Month, e.Day) }

// ParseEra reads 令和元年5月1日 or 令和1年5月1日, also with full-width digits. It refuses days that
// do not exist and days outside the era, except that the day on which an era ended and the next
// began may be written in either (昭和元年12月25日 is 大正15年12月25日).
func ParseEra(s string) (jitsuin.Date, error) {
	bad := jitsuin.Errorf(jitsuin.Invalid, "era-form", "a date in the Japanese calendar is written like 令和元年5月1日 and must exist")
	if len(s) > 64 {
		return jitsuin.Date{}, bad
	}
	s = halfWidthDigits.Replace(s)
	for _, e := range Eras() {
		rest, ok := strings.CutPrefix(s, e.Name)
		if !ok {
			continue
		}
		year, rest, ok1 := strings.Cut(rest, "年")
		month, rest, ok2 := strings.Cut(rest, "月")
		dayOfMonth, rest, ok3 := strings.Cut(rest, "日")
		if year == "元" {
			year = "1"
		}
		y, err1 := strconv.ParseUint(year, 10, 7)
		m, err2 := strconv.ParseUint(month, 10, 7)
		n, err3 := strconv.ParseUint(dayOfMonth, 10, 7)
		if !ok1 || !ok2 || !ok3 || rest != "" || err1 != nil || err2 != nil || err3 != nil || y == 0 {
			return jitsuin.Date{}, bad
		}
		d, err := jitsuin.ParseDate(fmt.Sprintf("%04d-%02d-%02d", e.InForce.From.Year+int(y)-1, m, n))
		if err != nil {
			return jitsuin.Date{}, bad
		}
		if err := inside(e, d); err != nil {
			return jitsuin.Date{}, err
		}
		return d, nil
	}
	return jitsuin.Date{}, bad
}

func inside(e Era, d jitsuin.Date) error {
	last := e.InForce.Until
	if e.Name == "明治" || e.Name == "大正" { // their last day is the next era's first
		last = last.AddDays(1)
	}
	switch {
	case d.Before(gregorian[0].InForce.From):
		return jitsuin.Errorf(jitsuin.Unsupported, "lunisolar", "days before %v are lunisolar and are not converted", gregorian[0].InForce.From)
	case d.Before(e.InForce.From), !last.IsZero() && d.After(last):
		return jitsuin.Errorf(jitsuin.Invalid, "era-range", "the day lies outside the era %s", e.Name)
	}
	return nil
}

var halfWidthDigits = strings.NewReplacer("０", "0", "１", "1", "２", "2", "３", "3", "４", "4", "５", "5", "６", "6", "７", "7", "８", "8", "９", "9")
