package people

import (
	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
)

// Country is the sample country on one day.
type Country struct {
	Prefectures    []Prefecture
	Municipalities []Municipality
	Residents      []Resident // household by household, its head first
	Households     []Household
}

// Prefecture (都道府県) is an invented prefecture; its code is 91 to 93. Romaji is how certificates
// and CRL distribution points write it.
type Prefecture struct {
	Code   string // "91"
	Name   string // 雲居県
	Kana   string
	Romaji string // "Kumoi-ken"
}

// Municipality (市区町村) is an invented municipality of one of the prefectures.
type Municipality struct {
	Code   jitsuin.MunicipalityCode
	Name   string // 朝霧野市
	Kana   string
	Romaji string // "Asagirino-shi"
	towns  []string
}

// Relation is how a member of a household stands to its head (続柄).
type Relation string

const (
	Head    Relation = "世帯主"
	Husband Relation = "夫"
	Wife    Relation = "妻"
	Child   Relation = "子"
	Mother  Relation = "母"
)

// Household (世帯) is one or more residents at one address.
type Household struct {
	ID           jitsuin.ID
	Municipality jitsuin.MunicipalityCode
	Address      string
	Members      []jitsuin.ID // the head first
}

// Resident is one sample person as the town's register knows them.
type Resident struct {
	ID           jitsuin.ID
	Household    jitsuin.ID
	Relation     Relation
	Municipality jitsuin.MunicipalityCode
	Items        jitsuin.FourItems
	Kana         string // 振り仮名 of the name, joined by U+3000
	Romaji       string // surname in capitals, then given name: "REIKAWA Hanako"
	MyNumber     jitsuin.MyNumber
	ResidentCode jitsuin.ResidentCode

	Nationality string // ISO 3166-1 alpha-2; "JP" for nationals
	Stay        rules.Stay
	StayUntil   jitsuin.Date // the last day of a limited stay
	Alias       string       // 通称 of a foreign resident
	OldSurname  string       // 旧氏
	AdultWard   bool         // 成年被後見人

	Persona Persona // why a test would look for this person; empty for most
}

// Persona marks the residents that stories and tests look for; each is held by exactly one.
type Persona string

const (
	Newborn        Persona = "newborn"        // born 20 days ago
	FirstBirthday  Persona = "first-birthday" // becomes 1 tomorrow
	Turns15        Persona = "turns-15"       // becomes 15 tomorrow
	Is15           Persona = "is-15"          // became 15 today
	Turns18        Persona = "turns-18"       // becomes 18 tomorrow
	Is18           Persona = "is-18"          // became 18 today
	LeapDay        Persona = "leap-day"       // born on 29 February
	Over90         Persona = "over-90"        // 93, lives alone
	Over100        Persona = "over-100"       // 101, with the family of a child
	Ward           Persona = "adult-ward"     // 成年被後見人
	AliasHolder    Persona = "alias"          // foreign resident with 通称, limited stay
	LatinName      Persona = "latin-name"     // foreign resident with a Latin name, permanent
	StayEnding     Persona = "stay-ending"    // foreign resident whose stay ends in 40 days
	OldSurnameUser Persona = "old-surname"    // 旧氏 beside the name
	VariantTaka    Persona = "variant-taka"   // 髙
	VariantSaki    Persona = "variant-saki"   // 﨑
	OutsideJIS     Persona = "outside-jis"    // 𠮷, outside JIS levels 1 and 2 and outside the BMP
	Guide          Persona = "guide"          // 例川　花子, whom the guided tour follows
)

// Personas lists all personas.
func Personas() []Persona {
	return []Persona{Newborn, FirstBirthday, Turns15, Is15, Turns18, Is18, LeapDay, Over90, Over100, Ward, AliasHolder,
		LatinName, StayEnding, OldSurnameUser, VariantTaka, VariantSaki, OutsideJIS, Guide}
}

// Find gives the resident with a persona.
func (c Country) Find(p Persona) (Resident, bool) {
	for _, r := range c.Residents {
		if p != "" && r.Persona == p {
			return r, true
		}
	}
	return Resident{}, false
}

// MunicipalityOf gives a municipality and its prefecture by code.
func (c Country) MunicipalityOf(code jitsuin.MunicipalityCode) (Municipality, Prefecture, bool) {
	for _, m := range c.Municipalities {
		if m.Code != code {
			continue
		}
		for _, p := range c.Prefectures {
			if p.Code == code.Prefecture() {
				return m, p, true
			}
		}
	}
	return Municipality{}, Prefecture{}, false
}
