package cert

import "github.com/jitsuin/jitsuin"

func keyError(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "weak-key", format, args...)
}
