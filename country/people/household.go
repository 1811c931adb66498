package people

import (
	"strings"

	"github.com/jitsuin/jitsuin"
)

// member is a person before they have a household, an address and numbers.
type member struct {
	relation Relation
	sex      jitsuin.Sex
	age      int
	born     jitsuin.Date // instead of age
	surname  name
	given    name   // drawn where empty
	latin    string // instead of surname and given name: "SAMPLETON MARIA"
	persona  Persona
	tell     func(*Resident) // what else there is to say
}

// settle makes a household of the members, the head first, in the municipality.
func (g *generator) settle(m Municipality, members ...member) {
	h := Household{ID: g.id(), Municipality: m.Code, Address: g.address(m)}
	used := map[string]bool{}
	for _, p := range members {
		r := g.resident(p, h, used)
		h.Members = append(h.Members, r.ID)
		g.country.Residents = append(g.country.Residents, r)
	}
	g.country.Households = append(g.country.Households, h)
}

// resident makes one member; used holds the given names of the household, which do not repeat.
func (g *generator) resident(p member, h Household, used map[string]bool) Resident {
	r := Resident{ID: g.id(), Household: h.ID, Relation: p.relation, Municipality: h.Municipality, Nationality: "JP",
		MyNumber: g.myNumber(), ResidentCode: g.residentCode(), Persona: p.persona}
	r.Items = jitsuin.FourItems{Address: h.Address, Sex: p.sex, BirthDate: p.born}
	if r.Items.BirthDate.IsZero() {
		r.Items.BirthDate = g.birthday(p.age)
	}
	if p.latin != "" {
		r.Items.Name, r.Romaji = fullWidth(p.latin), p.latin
	} else {
		given := p.given
		for given.text == "" || p.given.text == "" && used[given.text] {
			given = pick(g, givenNames(p.sex))
		}
		used[given.text] = true
		r.Items.Name = p.surname.text + "　" + given.text
		r.Kana = p.surname.kana + "　" + given.kana
		r.Romaji = strings.ToUpper(p.surname.romaji) + " " + given.romaji
	}
	if p.tell != nil {
		p.tell(&r)
	}
	return r
}

func givenNames(s jitsuin.Sex) []name {
	if s == jitsuin.Female {
		return femaleNames
	}
	return maleNames
}

func (g *generator) anySex() jitsuin.Sex {
	if g.rng.IntN(2) == 0 {
		return jitsuin.Female
	}
	return jitsuin.Male
}

// between draws an age, both ends included.
func (g *generator) between(low, high int) int { return low + g.rng.IntN(high-low+1) }

// ordinary settles a household without a persona: somebody single, a couple, a family, the old.
func (g *generator) ordinary(m Municipality) {
	surname := pick(g, surnames)
	switch kind := g.rng.IntN(10); {
	case kind < 3:
		g.settle(m, member{relation: Head, sex: g.anySex(), age: g.between(18, 64), surname: surname})
	case kind < 4:
		g.settle(m, member{relation: Head, sex: g.anySex(), age: g.between(65, 95), surname: surname})
	case kind < 6:
		g.settle(m, g.couple(surname, g.between(25, 85))...)
	case kind < 7:
		g.settle(m, g.parentAlone(surname)...)
	default:
		g.settle(m, g.family(surname)...)
	}
}

// couple is a head and a spouse of about the same age; either can be the head.
func (g *generator) couple(surname name, age int) []member {
	head, spouse := member{relation: Head, sex: jitsuin.Male, age: age, surname: surname}, member{relation: Wife, sex: jitsuin.Female, age: max(18, age+g.between(-4, 4)), surname: surname}
	if g.rng.IntN(4) == 0 {
		head.sex, spouse.sex, spouse.relation = jitsuin.Female, jitsuin.Male, Husband
	}
	return []member{head, spouse}
}

// family is a couple with children, sometimes with the mother of the head.
func (g *generator) family(surname name) []member {
	age := g.between(28, 55)
	all := append(g.couple(surname, age), g.children(surname, age)...)
	if g.rng.IntN(6) == 0 {
		all = append(all, member{relation: Mother, sex: jitsuin.Female, age: age + g.between(20, 35), surname: surname})
	}
	return all
}

func (g *generator) parentAlone(surname name) []member {
	age := g.between(25, 50)
	head := member{relation: Head, sex: g.anySex(), age: age, surname: surname}
	return append([]member{head}, g.children(surname, age)...)
}

// children are one to three, born when the head was 20 to 40 and none older than 22.
func (g *generator) children(surname name, headAge int) []member {
	var all []member
	for range g.between(1, 3) {
		age := min(22, g.between(max(0, headAge-40), headAge-20))
		all = append(all, member{relation: Child, sex: g.anySex(), age: age, surname: surname})
	}
	return all
}
