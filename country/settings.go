package country

import (
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/jlis"
	"github.com/jitsuin/jitsuin/jukinet"
	"github.com/jitsuin/jitsuin/minister"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/services/securities"
	"github.com/jitsuin/jitsuin/tsa"
)

// Settings is what an actor's configuration file says, as far as it does not matter what the actor is for.
type Settings struct {
	actor.Config
	Listens    []string // every address at which others reach the actor
	Secrets    []string // files that it needs besides Key
	Schema     fs.FS    // the tables of its own; nil for none
	Signer     string   // folder of the CA's signer, where it has one
	Keys       string   // file of sealed keys, where there is no journal beside it
	Passphrase string   // file with what the keys are sealed with
	Cards      string   // folder of chips, where it has one
	TLS        TLSPort  // where browsers show a card's certificate
}

// TLSPort is a port that ends TLS itself.
type TLSPort struct {
	Listen      string // "" for none
	Host        string // by which browsers reach it
	Certificate string // PEM files, "" where they are of the actor's own making
	Key         string
}

// schemas are the tables of each role that has some of its own.
var schemas = map[string]fs.FS{
	"municipality": municipality.Migrations(),
	"jukinet":      jukinet.Migrations(),
	"jlis":         jlis.Migrations(),
	"minister":     minister.Migrations(),
	"platform":     platform.Migrations(),
	"tsa":          tsa.Migrations(),
	"holder":       site.Migrations(),
	"service":      securities.Migrations(),
}

// Schemas gives the versions of the tables that this program makes: of each role's own under its name,
// and of those that every actor has under theirs (feed, api, …).
func Schemas() (map[string]int64, error) {
	all := map[string]int64{}
	for role, own := range schemas {
		known, err := actor.KnownSchema(own)
		if err != nil {
			return nil, err
		}
		for _, v := range known {
			name := strings.TrimPrefix(v.Table, "schema_")
			if name == "version" {
				name = role
			}
			all[name] = v.Know
		}
	}
	return all, nil
}

// settings tells for each role how its configuration file is read. Roles are those of openActor.
var settings = map[string]func(path string) (Settings, error){
	"municipality": settingsOf(schemas["municipality"], func(s *Settings, c municipality.Config) {
		if c.Counter != nil { // the terminal's own files are made when they are needed
			s.Secrets = append(s.Secrets, c.Counter.Key)
		}
	}),
	"jukinet":  settingsOf[jukinet.Config](schemas["jukinet"], nil),
	"minister": settingsOf[minister.Config](schemas["minister"], nil),
	"platform": settingsOf(schemas["platform"], func(s *Settings, c platform.Config) {
		if l := c.TLSLogin; l.Listen != "" {
			s.TLS = TLSPort{Listen: l.Listen, Host: l.Host(), Certificate: l.Certificate, Key: l.Key}
			s.Secrets = append(s.Secrets, l.Key)
		}
	}),
	"tsa": settingsOf(schemas["tsa"], func(s *Settings, c tsa.Config) {
		s.Keys, s.Passphrase, s.Secrets = c.Keys(), c.PassphraseFile, append(s.Secrets, c.PassphraseFile)
	}),
	"holder":  settingsOf[site.Config](schemas["holder"], nil),
	"service": settingsOf[securities.Config](schemas["service"], nil),
	"country": settingsOf(nil, func(s *Settings, c Config) { s.Listens = append(s.Listens, c.Also...) }),
	"cards": settingsOf(nil, func(s *Settings, c CardsConfig) {
		s.Secrets, s.Cards = append(s.Secrets, c.CreateKey), c.Cards
	}),
	"jlis": settingsOf(schemas["jlis"], func(s *Settings, c jlis.Config) {
		s.Signer, s.Passphrase = c.SignerFolder(), c.PassphraseFile
		s.Secrets = append(s.Secrets, c.PassphraseFile, c.CardHostKeyFile, c.Status.Key)
		s.Listens = append(s.Listens, c.Status.Listen)
	}),
}

// settingsOf reads a file of the type C; more adds what is that type's own.
func settingsOf[C interface{ Shared() actor.Config }](schema fs.FS, more func(*Settings, C)) func(string) (Settings, error) {
	return func(path string) (Settings, error) {
		c, err := read[C](path)
		s := Settings{Config: c.Shared(), Schema: schema, Listens: []string{c.Shared().Listen}}
		if err == nil && more != nil {
			more(&s, c)
		}
		none := func(v string) bool { return v == "" }
		s.Listens, s.Secrets = slices.DeleteFunc(s.Listens, none), slices.DeleteFunc(s.Secrets, none)
		return s, err
	}
}

// ReadSettings reads an actor's configuration file as strictly as the actor does, and opens nothing.
func ReadSettings(path string) (Settings, error) {
	var head actor.Config
	if err := actor.Peek(path, &head); err != nil {
		return Settings{}, err
	}
	of, ok := settings[roleOf(head.Instance)]
	if !ok {
		return Settings{}, jitsuin.Errorf(jitsuin.Invalid, "role-unknown", "%s configures %q, and no actor of that role exists", path, head.Instance)
	}
	return of(path)
}

// Configured lists the instances of a country that have a configuration file.
func Configured(facts Facts) []string {
	all := instances(facts.Sample())
	maps.DeleteFunc(all, func(id string, n int) bool { return n == 0 || id == Status })
	return slices.Sorted(maps.Keys(all))
}
