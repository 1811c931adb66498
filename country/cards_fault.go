package country

import (
	"os"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
)

// cardsFaultKey is the name of the secret that lets testers put faults on the chips of cards:1.
const cardsFaultKey = "cards-fault-key"

// Faults gives the way to put faults on the cards of a running country. NotFound "faults-off" where the
// folder has no key for it: then cards:1 does not let them be set.
func (f Folder) Faults(options host.ClientOptions) (*host.Faults, error) {
	if _, err := f.Facts(); err != nil {
		return nil, err
	}
	d, err := f.Directory()
	if err != nil {
		return nil, err
	}
	i, err := d.Lookup(Cards)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(f.Path("secrets", cardsFaultKey))
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "faults-off", "%s has no key for faults on cards", string(f)).
			WithHint("a sandbox has one: start it once with this release")
	}
	return host.FaultsAt(i.Origin, strings.TrimSpace(string(key)), options)
}
