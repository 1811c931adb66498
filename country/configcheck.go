package country

import (
	"maps"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/config"
	"github.com/jitsuin/jitsuin/jlis"
	"github.com/jitsuin/jitsuin/jukinet"
	"github.com/jitsuin/jitsuin/minister"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/services/securities"
	"github.com/jitsuin/jitsuin/tsa"
	"github.com/jitsuin/jitsuin/verifier"
)

// configTypes makes an empty configuration of each role.
var configTypes = map[string]func() any{
	"municipality": func() any { return new(municipality.Config) },
	"jukinet":      func() any { return new(jukinet.Config) },
	"jlis":         func() any { return new(jlis.Config) },
	"minister":     func() any { return new(minister.Config) },
	"platform":     func() any { return new(platform.Config) },
	"tsa":          func() any { return new(tsa.Config) },
	"service":      func() any { return new(securities.Config) },
	"holder":       func() any { return new(site.Config) },
	"cards":        func() any { return new(CardsConfig) },
	"country":      func() any { return new(Config) },
}

// ConfigRoles lists the roles that have a configuration file.
func ConfigRoles() []string { return slices.Sorted(maps.Keys(configTypes)) }

// CheckConfig reads a configuration file as its actor would and gives the instance that it configures. What
// is wrong is said with its place. role, where it is not "", must be the instance's. Nothing is opened or made.
func CheckConfig(path, role string) (instance string, err error) {
	var head struct {
		Instance string `yaml:"instance" check:"required,instance"`
		Anchors  string `yaml:"anchors"`
	}
	f, err := config.ReadSome(path, &head)
	if err == nil && head.Instance == "" && head.Anchors != "" && role == "" {
		_, err := verifier.Load(path) // the one configuration without an instance
		return "the stand-alone verifier", err
	}
	if err == nil {
		err = f.Check(&head)
	}
	if err != nil {
		return "", err
	}
	got := roleOf(head.Instance)
	empty, known := configTypes[got]
	switch {
	case !known:
		return head.Instance, f.Wrong("instance", "no actor has the role "+got, "the roles are: "+strings.Join(ConfigRoles(), ", "))
	case role != "" && role != got:
		return head.Instance, f.WrongAs("config-role", "instance", "this configures "+head.Instance+", which is no "+role, "jitsuin serve "+got+" --config "+path)
	}
	return head.Instance, actor.LoadChecked(path, empty())
}
