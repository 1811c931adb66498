// Package reference says what can stand in a configuration file: every member of every role, with its type, its
// meaning and its rules.
//
// It owns the page members.txt, which its test makes from the doc comments of the configuration structs and holds
// to them. It reads no configuration.
package reference

import (
	_ "embed"
	"strings"

	"github.com/jitsuin/jitsuin"
)

//go:embed members.txt
var members string

// header begins a role's part.
const header = "# role "

// Roles lists the roles in the order of the page.
func Roles() (all []string) {
	for line := range strings.Lines(members) {
		if role, ok := strings.CutPrefix(line, header); ok {
			all = append(all, strings.TrimSpace(role))
		}
	}
	return all
}

// Of gives the part of a role as text: YAML in which every member is explained and commented out.
func Of(role string) (string, error) {
	_, rest, ok := strings.Cut(members, header+role+"\n")
	if !ok {
		return "", jitsuin.Errorf(jitsuin.NotFound, "role-unknown", "no actor has the role %q", role).
			WithHint("the roles are: %s", strings.Join(Roles(), ", "))
	}
	part, _, _ := strings.Cut(rest, header)
	return part, nil
}
