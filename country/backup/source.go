package backup

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// source is an actor as its configuration file describes it, with absolute paths.
type source struct {
	instance, role string
	config         string
	listen         string
	database       string // an SQLite file; "" for none
	external       bool   // the database is somewhere else
	state          string
	cards          string            // folder of the chips, of the card host
	files          map[string]string // other files that the configuration names, by member
}

func (s source) name() string { return strings.ReplaceAll(s.instance, ":", "-") }

// describe reads a configuration file.
func describe(config string) (source, error) {
	config, err := filepath.Abs(config)
	if err != nil {
		return source{}, err
	}
	var c actor.Config
	if err := actor.Peek(config, &c); err != nil {
		return source{}, err
	}
	base := filepath.Dir(config)
	s := source{instance: c.Instance, role: httpapi.RoleOf(c.Instance), config: config, listen: c.Listen, files: map[string]string{}}
	if s.instance == "" {
		return s, jitsuin.Errorf(jitsuin.Invalid, "config", "%s names no instance", config).At("instance")
	}
	actor.ResolvePaths(base, &c.State)
	s.state = c.State
	switch {
	case strings.Contains(c.Database, "://"):
		s.external = true
	case c.Database != "":
		s.database = strings.TrimPrefix(c.Database, "sqlite:")
		actor.ResolvePaths(base, &s.database)
	}
	raw, err := os.ReadFile(config)
	if err != nil {
		return s, err
	}
	var members map[string]any
	if err := yaml.Unmarshal(raw, &members); err != nil {
		return s, jitsuin.Errorf(jitsuin.Invalid, "config", "%s: %s", config, yaml.FormatError(err, false, true))
	}
	if s.role == "cards" {
		s.cards, _ = members["cards"].(string)
		actor.ResolvePaths(base, &s.cards)
	}
	s.named("", members, base)
	return s, nil
}

// named finds every file that a configuration names, whatever the member is called.
func (s *source) named(prefix string, members map[string]any, base string) {
	for name, v := range members {
		switch v := v.(type) {
		case map[string]any:
			s.named(prefix+name+".", v, base)
		case string:
			if v == "" || prefix+name == "database" || strings.Contains(v, "://") || strings.ContainsRune(v, '\n') {
				continue
			}
			if !filepath.IsAbs(v) {
				v = filepath.Join(base, v)
			}
			if info, err := os.Stat(v); err == nil && info.Mode().IsRegular() {
				s.files[prefix+name] = v
			}
		}
	}
}

// sources lists the actors of a country by their configuration files, or the one named only.
func sources(f country.Folder, only string) ([]source, error) {
	if _, err := f.Facts(); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(f.Path("config", "*.yaml"))
	if err != nil {
		return nil, err
	}
	sort.Strings(paths)
	var all []source
	for _, p := range paths {
		s, err := describe(p)
		if err != nil {
			return nil, err
		}
		if only == "" || s.instance == only {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "instance-unknown", "no configuration in %s is of %s", f.Path("config"), only).
			WithHint("jitsuin backup takes the instances that have a file there, such as jlis:1")
	}
	return all, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
