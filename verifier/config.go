package verifier

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/config"
	"github.com/jitsuin/jitsuin/verifier/fetch"
)

// Config is what the stand-alone verifier is told by its configuration file (YAML). Relative paths are relative
// to the file's folder.
type Config struct {
	// Anchors is the folder with the certificates of the authorities that are trusted: files .pem, .crt, .cer or
	// .der. They are read at the start.
	Anchors string `yaml:"anchors" check:"required,folder"`
	// Status is the folder of revocation lists: files .crl, .der or .pem, put there by people or fetched. It is
	// looked at while the verifier runs.
	Status string `yaml:"status" check:"required,folder"`
	// Intermediates is a folder with further authorities' certificates, which are not trusted by being there.
	Intermediates string `yaml:"intermediates,omitempty" check:"folder"`
	// TimeAnchors is the folder with the authorities that are trusted for time-stamps, and for nothing else. Without one it
	// is the folder time in that of anchors; where there is none either, those of anchors are trusted for time, too.
	TimeAnchors string `yaml:"time_anchors,omitempty" check:"folder"`
	// Listen is HOST:PORT of page and API; without it 127.0.0.1:8455, which this machine alone reaches. Elsewhere a
	// proxy brings TLS and decides who may come.
	Listen string `yaml:"listen,omitempty" check:"hostport"`
	// Hosts are the names under which the proxy asks (values of the Host header), beside the address of listen and
	// localhost. Requests under other names are refused.
	Hosts []string `yaml:"hosts,omitempty"`
	// OutsideJPKI also accepts certificates that are none of the public personal authentication system's, if
	// they lead to an anchor.
	OutsideJPKI bool `yaml:"outside_jpki,omitempty"`
	// Grace is how long after its end a revocation list may still answer, such as 24h. What passes by it is marked
	// in every report: a revocation since then is not known. Without it nothing passes by a list that has ended.
	Grace time.Duration `yaml:"grace,omitempty" check:"not-negative"`
	// History is how long a list stays in use after it has ended, beside the newest, for questions about the past;
	// without it 168h. Fetched files are removed after that, other files never.
	History time.Duration `yaml:"history,omitempty" check:"not-negative"`
	// Poll is how often the folder of lists is looked at; without it every 5s.
	Poll time.Duration `yaml:"poll,omitempty" check:"positive"`
	// Sources are the places where lists are fetched from, by a name of your choice.
	Sources map[string]Source `yaml:"sources,omitempty"`
	// Limits bound what one request, and all together, may take.
	Limits Limits `yaml:"limits,omitempty"`
}

// Source is one place with revocation lists.
type Source struct {
	// URL is http://…, https://…, or ldap://HOST/DN?certificateRevocationList;binary?SCOPE?FILTER (also ldaps, RFC 4516),
	// where SCOPE is base, one or sub. A search may find many lists.
	URL string `yaml:"url" check:"required"`
	// Every is how often it is asked; without it 6h. After a failure it is asked again within ten minutes.
	Every time.Duration `yaml:"every,omitempty" check:"positive"`
	// Timeout is how long one fetch may take; without it 2m.
	Timeout time.Duration `yaml:"timeout,omitempty" check:"positive"`
}

// Limits of requests and lists. What is left out, or 0, has its default.
type Limits struct {
	// FileMiB is the largest signed file, and the most that all documents beside it may have; 64.
	FileMiB int `yaml:"file_mib,omitempty" check:"range=1..1024"`
	// Documents is how many documents may come beside a signature; 16.
	Documents int `yaml:"documents,omitempty" check:"range=1..256"`
	// MemoryMiB is what all requests together may hold; more are told to come again; 1024.
	MemoryMiB int `yaml:"memory_mib,omitempty" check:"range=16..65536"`
	// AtOnce is how many verifications run at the same time, others wait; twice the processors.
	AtOnce int `yaml:"at_once,omitempty" check:"range=1..1024"`
	// Time is how long one verification may take, with its waiting; 30s.
	Time time.Duration `yaml:"time,omitempty" check:"positive"`
	// ListMiB is the largest revocation list; 256.
	ListMiB int `yaml:"list_mib,omitempty" check:"range=1..2047"`
	// ListsMiB is what all lists together may take in memory; 1024.
	ListsMiB int `yaml:"lists_mib,omitempty" check:"range=1..65536"`
}

// timeFolder is where "jitsuin verify" looks for them, too.
const timeFolder = "time"

// sourceName is what names of sources may look like: they stand in logs and in the page.
var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// Load reads a configuration file strictly. What is wrong is said with file, line, column and member; nothing is
// made. Paths come back absolute, and defaults are filled in.
func Load(path string) (*Config, error) {
	var c Config
	f, err := config.Read(path, &c)
	if err != nil {
		return nil, err
	}
	if err := f.Check(&c); err != nil {
		return nil, err
	}
	for name, s := range c.Sources {
		if !sourceName.MatchString(name) {
			return nil, f.Wrong("sources", "a source is called "+name, "use small letters, digits and hyphens")
		}
		if _, err := fetch.ParseURL(s.URL); err != nil {
			return nil, f.Wrong("sources."+name+".url", err.Error(), "write http://…, https://… or ldap://HOST/DN?certificateRevocationList;binary")
		}
	}
	for _, h := range c.Hosts {
		if u, err := url.Parse("http://" + h); err != nil || u.Host != h || h == "" {
			return nil, f.Wrong("hosts", "\""+h+"\" is no name of a host", "write NAME or NAME:PORT, without http:// and without a path")
		}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	actor.ResolvePaths(filepath.Dir(abs), &c.Anchors, &c.Status, &c.Intermediates, &c.TimeAnchors)
	if info, err := os.Stat(filepath.Join(c.Anchors, timeFolder)); c.TimeAnchors == "" && err == nil && info.IsDir() {
		c.TimeAnchors = filepath.Join(c.Anchors, timeFolder)
	}
	c.fill()
	return &c, nil
}

// fill puts the defaults in.
func (c *Config) fill() {
	orString(&c.Listen, "127.0.0.1:8455")
	or(&c.History, 168*time.Hour)
	or(&c.Poll, 5*time.Second)
	for name, s := range c.Sources {
		or(&s.Every, 6*time.Hour)
		or(&s.Timeout, 2*time.Minute)
		c.Sources[name] = s
	}
	l := &c.Limits
	or(&l.FileMiB, 64)
	or(&l.Documents, 16)
	or(&l.MemoryMiB, 1024)
	or(&l.AtOnce, 2*processors())
	or(&l.Time, 30*time.Second)
	or(&l.ListMiB, 256)
	or(&l.ListsMiB, 1024)
}

func or[T int | time.Duration](v *T, otherwise T) {
	if *v == 0 {
		*v = otherwise
	}
}

func orString(v *string, otherwise string) {
	if *v == "" {
		*v = otherwise
	}
}

// sources gives what package fetch is told, in the order of names.
func (c *Config) sources() (all []fetch.Source) {
	for name, s := range c.Sources {
		all = append(all, fetch.Source{Name: name, URL: s.URL, Every: s.Every, Timeout: s.Timeout})
	}
	slices.SortFunc(all, func(a, b fetch.Source) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}
