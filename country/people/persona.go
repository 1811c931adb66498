package people

import (
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
)

// personas settles the households that stories and tests look for, the guide's first.
func (g *generator) personas() {
	city, town, port, village := g.country.Municipalities[0], g.country.Municipalities[1], g.country.Municipalities[2], g.country.Municipalities[3]
	g.settle(city,
		member{relation: Head, sex: jitsuin.Male, age: 38, surname: surnames[0], given: maleNames[0]},
		member{relation: Wife, sex: jitsuin.Female, age: 36, surname: surnames[0], given: femaleNames[0], persona: Guide},
		member{relation: Child, sex: g.anySex(), born: g.becomes(15, 1), surname: surnames[0], persona: Turns15},
		member{relation: Child, sex: g.anySex(), born: g.now.AddDays(-20), surname: surnames[0], persona: Newborn})
	g.settle(city, append(g.couple(surnames[6], 45),
		member{relation: Child, sex: g.anySex(), born: g.becomes(18, 0), surname: surnames[6], persona: Is18},
		member{relation: Child, sex: g.anySex(), born: g.becomes(15, 0), surname: surnames[6], persona: Is15})...)
	g.settle(port, append(g.couple(surnames[11], 44),
		member{relation: Child, sex: g.anySex(), born: g.becomes(18, 1), surname: surnames[11], persona: Turns18},
		member{relation: Child, sex: g.anySex(), born: g.becomes(1, 1), surname: surnames[11], persona: FirstBirthday})...)
	g.settle(village,
		member{relation: Head, sex: jitsuin.Male, age: 70, surname: surnames[15]},
		member{relation: Mother, sex: jitsuin.Female, age: 101, surname: surnames[15], persona: Over100})
	g.settle(village, member{relation: Head, sex: jitsuin.Female, age: 93, surname: surnames[16], persona: Over90})
	g.settle(town, member{relation: Head, sex: g.anySex(), born: leapDay(g.now.Year - 27), surname: surnames[7], persona: LeapDay})
	g.settle(town, member{relation: Head, sex: jitsuin.Male, age: 78, surname: surnames[19], persona: Ward, tell: func(r *Resident) { r.AdultWard = true }})
	g.variants(city, port, village)
	g.foreigners(city, port)
}

// variants settles the names that are hard to write.
func (g *generator) variants(city, port, village Municipality) {
	g.settle(city, member{relation: Head, sex: jitsuin.Male, age: 52, surname: variantTaka, persona: VariantTaka})
	g.settle(port, member{relation: Head, sex: jitsuin.Female, age: 41, surname: variantSaki, persona: VariantSaki})
	g.settle(village, member{relation: Head, sex: jitsuin.Male, age: 63, surname: outsideJIS, persona: OutsideJIS})
	g.settle(port, member{relation: Head, sex: jitsuin.Male, age: 34, surname: surnames[12]},
		member{relation: Wife, sex: jitsuin.Female, age: 33, surname: surnames[12], persona: OldSurnameUser, tell: func(r *Resident) { r.OldSurname = surnames[20].text }})
}

// foreigners settles the foreign residents: with an alias, with a Latin name only, with a stay about to end.
func (g *generator) foreigners(city, port Municipality) {
	stays := func(nationality string, s rules.Stay, days int, alias string) func(*Resident) {
		return func(r *Resident) {
			r.Nationality, r.Stay, r.Alias = nationality, s, alias
			if limited, _ := s.Limited(); limited {
				r.StayUntil = g.now.AddDays(days)
			}
		}
	}
	g.settle(city, member{relation: Head, sex: jitsuin.Female, age: 29, latin: "SAMPLETON MARIA", persona: AliasHolder,
		tell: stays("PH", rules.MidToLongTerm, 700, surnames[1].text+"　マリア")})
	g.settle(port, member{relation: Head, sex: jitsuin.Male, age: 47, latin: "SAMPLESSON ERIK", persona: LatinName, tell: stays("SE", rules.Permanent, 0, "")})
	g.settle(port, member{relation: Head, sex: jitsuin.Male, age: 24, latin: "SAMPLEVAN MINH", persona: StayEnding, tell: stays("VN", rules.MidToLongTerm, 40, "")})
}

// becomes gives the date of birth of somebody who becomes age in so many days. Where nobody can
// (the day is a 29 February on which no such birthday falls), it is the day after.
func (g *generator) becomes(age, days int) jitsuin.Date {
	on := g.now.AddDays(days)
	born := jitsuin.Date{Year: on.Year - age, Month: on.Month, Day: on.Day}
	return born.AddDays(0)
}

// leapDay gives the last 29 February up to the year.
func leapDay(year int) jitsuin.Date {
	d := jitsuin.Date{Year: year, Month: time.February, Day: 29}
	for !exists(d) {
		d.Year--
	}
	return d
}
