package site

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Personas are the named people of a sandbox, as its country leaves them for the holder (Config.Personas): who automated tests
// act as. They are the same in every country of the same seed; their cards are found by the label, which is the name.
type Personas struct {
	SignPassword string    `json:"sign_password"` // of all their cards
	PIN          string    `json:"pin"`           // of four digits, for every use of one
	Personas     []Persona `json:"personas"`
}

// Persona is one of them.
type Persona struct {
	ID    string `json:"id" doc:"by which tests name the person"`
	Name  string `json:"name"`
	Ended bool   `json:"ended,omitempty" doc:"the certificates are revoked"`
}

// ReadPersonas reads what a country has left. NotFound "persona-unknown" where there is nothing.
func ReadPersonas(path string) (p Personas, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return p, jitsuin.Errorf(jitsuin.NotFound, "persona-unknown", "this sandbox has no named people yet").WithHint("its country makes them when it starts the first time")
	}
	return p, json.Unmarshal(raw, &p)
}

// Find gives a persona by id or by name. NotFound "persona-unknown", with those that there are as a hint.
func (p Personas) Find(name string) (Persona, error) {
	i := slices.IndexFunc(p.Personas, func(one Persona) bool { return one.ID == name || one.Name == name })
	if i >= 0 {
		return p.Personas[i], nil
	}
	var ids []string
	for _, one := range p.Personas {
		ids = append(ids, one.ID)
	}
	return Persona{}, jitsuin.Errorf(jitsuin.NotFound, "persona-unknown", "there is nobody of the name %q here", name).WithHint("there are: %s", strings.Join(ids, ", ")).At("persona")
}

// cardOf finds a persona's card by its label.
func (s *Site) cardOf(ctx context.Context, p Persona) (string, error) {
	cards, err := s.choices(ctx)
	if err != nil {
		return "", err
	}
	for _, c := range cards {
		if c.label == p.Name {
			return c.card, nil
		}
	}
	return "", jitsuin.Errorf(jitsuin.NotFound, "card-missing", "%s has no card in hand", p.ID).At("persona")
}
