package people

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
)

// ordinaryHouseholds is how many households without a persona each municipality has, in the
// order of the municipalities; with the others this makes some 250 to 350 residents.
var ordinaryHouseholds = [...]int{50, 20, 35, 15}

// numberPrefix begins every My Number and resident code of the sandbox.
const numberPrefix = "0000"

// Generate makes the sample country as it stands on the day now. The result depends on seed and
// now alone. now must be a day between 1950 and 9000, else the result is empty.
func Generate(seed uint64, now jitsuin.Date) Country {
	if now.Year < 1950 || now.Year > 9000 {
		return Country{}
	}
	g := &generator{
		rng: newRand(seed), now: now, taken: map[string]bool{},
		country: Country{Prefectures: prefectures(), Municipalities: municipalities()},
	}
	g.personas()
	for i, m := range g.country.Municipalities {
		for range ordinaryHouseholds[i] {
			g.ordinary(m)
		}
	}
	return g.country
}

// newRand gives a ChaCha8 stream that depends on the seed alone.
func newRand(seed uint64) *rand.Rand {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], seed)
	return rand.New(rand.NewChaCha8(sha256.Sum256(append([]byte("jitsuin sample people v1\x00"), b[:]...))))
}

// generator draws one country. taken holds what must be unique: identifiers, numbers, addresses
// and the texts of four items.
type generator struct {
	rng     *rand.Rand
	now     jitsuin.Date
	taken   map[string]bool
	country Country
}

// fresh draws until it gets something that was not drawn before.
func (g *generator) fresh(draw func() string) string {
	for {
		if s := draw(); !g.taken[s] {
			g.taken[s] = true
			return s
		}
	}
}

func (g *generator) id() jitsuin.ID {
	return jitsuin.ID(g.fresh(func() string {
		var b [16]byte
		binary.BigEndian.PutUint64(b[:8], g.rng.Uint64())
		binary.BigEndian.PutUint64(b[8:], g.rng.Uint64())
		return hex.EncodeToString(b[:])
	}))
}

func (g *generator) myNumber() jitsuin.MyNumber {
	return jitsuin.MyNumber(g.fresh(func() string {
		for {
			body := fmt.Sprintf("%s%07d", numberPrefix, g.rng.IntN(1e7))
			if check, err := rules.MyNumberCheckDigit(body); err == nil {
				return body + string(check)
			}
		}
	}))
}

// residentCode leaves out the bodies whose check digit is not published.
func (g *generator) residentCode() jitsuin.ResidentCode {
	return jitsuin.ResidentCode(g.fresh(func() string {
		for {
			body := fmt.Sprintf("%s%06d", numberPrefix, g.rng.IntN(1e6))
			if check, err := rules.ResidentCodeCheckDigit(body); err == nil {
				return body + string(check)
			}
		}
	}))
}

func pick[T any](g *generator, from []T) T { return from[g.rng.IntN(len(from))] }

// address draws an address of the municipality that no other household has.
func (g *generator) address(m Municipality) string {
	_, p, _ := g.country.MunicipalityOf(m.Code)
	return g.fresh(func() string {
		a := fmt.Sprintf("%s%s%s%d丁目%d番%d号", p.Name, m.Name, pick(g, m.towns), 1+g.rng.IntN(5), 1+g.rng.IntN(40), 1+g.rng.IntN(20))
		if g.rng.IntN(4) == 0 {
			a += fmt.Sprintf("　見本ハイツ%d", 100*(1+g.rng.IntN(9))+1+g.rng.IntN(12))
		}
		return fullWidth(a)
	})
}

// birthday draws a date of birth of somebody who is age years old on the day now.
func (g *generator) birthday(age int) jitsuin.Date {
	latest := g.now.AddDays(-g.rng.IntN(365))
	born := jitsuin.Date{Year: latest.Year - age, Month: latest.Month, Day: latest.Day}
	if !exists(born) {
		return born.AddDays(-1)
	}
	return born
}

// exists tells whether the day is in the calendar; 29 February of a common year is not.
func exists(d jitsuin.Date) bool { return d.AddDays(0) == d }

// fullWidth writes ASCII letters, digits and blanks as the register does.
func fullWidth(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		switch {
		case r == ' ':
			r = '　'
		case r > ' ' && r < 0x7F:
			r += 0xFEE0
		}
		out = append(out, r)
	}
	return string(out)
}
