package rules

import (
	"time"

	"github.com/jitsuin/jitsuin"
)

var leapBirthday = series{{
	ID: "leap-birthday", InForce: always(),
	Text:   Text{"2月29日生まれの者の誕生日は、うるう年以外の年では2月28日とする。", "In a common year the birthday of a person born on 29 February is 28 February."},
	Source: cite(ourDecision, "", "", OurReading, "The card ordinance was not read; other licences (Road Traffic Act art. 92-2) say the same."),
}}

var ageReached = series{{
	ID: "age-reached", InForce: always(),
	Text: Text{"年齢は出生の日から起算し、誕生日の前日の終了時に加わる。2月29日生まれの者は平年では2月28日の終了時、すなわち3月1日から加わる。",
		"Age counts from the day of birth and rises as the day before the birthday ends; for a person born on 29 February it rises in a common year as 28 February ends, so from 1 March."},
	Source: cite(actAge, "・民法143条", "with Civil Code art. 143", Unverified, "The day before the birthday still counts as under age here; acts at a counter never fall on its last instant."),
}}

var periodOfTime = series{{
	ID: "period", InForce: always(),
	Text: Text{"日で定めた期間は初日を算入しない。年で定めた期間は起算日に応当する日の前日に満了し、応当する日がないときはその月の末日に満了する。",
		"A period in days leaves out its first day. A period in years ends on the day before the day that corresponds to its first, or on the last day of the month where there is none."},
	Source: cite(actCivil, "140条・143条", "arts. 140 and 143", Unverified),
}}

// BirthdayAfter gives the n-th birthday after the day of issue. The words of the ordinance are
// 発行の日後の, so a birthday on the day of issue does not count: whoever gets a certificate on the
// birthday has the full n years. A person born on 29 February has the birthday on 28 February in
// common years (rule leap-birthday). The result is no date where n is below 1, a date is missing,
// or issue lies before birth.
func BirthdayAfter(birth, issue jitsuin.Date, n int) jitsuin.Date {
	if n < 1 || birth.IsZero() || issue.IsZero() || issue.Before(birth) {
		return jitsuin.Date{}
	}
	year := issue.Year
	if !birthdayIn(birth, year).After(issue) {
		year++
	}
	return birthdayIn(birth, year+n-1)
}

func birthdayIn(birth jitsuin.Date, year int) jitsuin.Date {
	return lastOfMonthAtMost(year, birth.Month, birth.Day)
}

// Age gives the completed years of life on a day, -1 before birth. It follows rule age-reached:
// a person born on 29 February grows older on 1 March in common years.
func Age(birth, on jitsuin.Date) int {
	if on.Before(birth) {
		return -1
	}
	years := on.Year - birth.Year
	if on.Month < birth.Month || on.Month == birth.Month && on.Day < birth.Day {
		years--
	}
	return years
}

// lastOfMonthAtMost is the day of the month, or its last day where the month is shorter.
func lastOfMonthAtMost(year int, month time.Month, dayOfMonth int) jitsuin.Date {
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return jitsuin.Date{Year: year, Month: month, Day: min(dayOfMonth, last)}
}

// addMonths moves by whole months; a day that does not exist becomes the last of its month.
func addMonths(d jitsuin.Date, n int) jitsuin.Date {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	return lastOfMonthAtMost(first.Year(), first.Month(), d.Day)
}

// yearsFrom gives the last day of a period of whole years whose first counted day is first.
func yearsFrom(first jitsuin.Date, years int) jitsuin.Date {
	match := addMonths(first, 12*years)
	if match.Day != first.Day {
		return match
	}
	return match.AddDays(-1)
}
