// Package doctor looks at a country's data folder, or at one actor by its configuration file, and says
// what is wrong and what to do next.
//
// It owns the list of checks and the words of their findings. It only looks: databases are opened
// read-only, beside whoever runs, and nothing is written, repaired or restarted. What it says names
// files, instances and topics, and never a person, a key or a serial number.
package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
)

// Level is how grave a finding is.
type Level string

const (
	Well  Level = "well"  // ✓
	Note  Level = "note"  // ! worth knowing, or could not be looked at
	Wrong Level = "wrong" // ✕ a person must act
)

// Finding is one line of a report.
type Finding struct {
	Level   Level
	Code    string // of the finding, stable: key-mode, database-broken, …; see texts.go
	Subject string // what was looked at: an instance, a file below the folder, an address
	args    []any
}

// Options say what is looked at: Data, or one actor by Config.
type Options struct {
	Data   string
	Config string
	// Now is wall time; nil is time.Now.
	Now func() time.Time
	// Deep bounds how long all databases together may check themselves; 0 means 30 s. What was not
	// looked through in that time is a Note.
	Deep time.Duration
}

// Report is what was found, in the order in which it was looked at.
type Report []Finding

// Wrong tells whether a person must act.
func (r Report) Wrong() bool {
	return slices.ContainsFunc(r, func(f Finding) bool { return f.Level == Wrong })
}

// patient is who is examined.
type patient struct {
	Options
	folder   country.Folder // "" where only one actor is looked at
	facts    country.Facts
	report   Report
	deadline time.Time // of looking databases through
	running  bool      // somebody answers at an address of ours
	offsets  map[string]time.Duration
}

// Examine looks at everything and gives what it found. An error says that it could not look at all:
// Invalid where both or neither of Data and Config are given, or ctx ended.
func Examine(ctx context.Context, o Options) (Report, error) {
	if (o.Data == "") == (o.Config == "") {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "doctor-options", "either a data folder or a configuration file is looked at")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Deep == 0 {
		o.Deep = 30 * time.Second
	}
	p := &patient{Options: o, folder: country.Folder(o.Data), deadline: time.Now().Add(o.Deep), offsets: map[string]time.Duration{}}
	if o.Config != "" {
		p.folder = ""
		p.actor(ctx, "", o.Config)
	} else {
		p.country(ctx)
	}
	return p.report, ctx.Err()
}

func (p *patient) say(l Level, code, subject string, args ...any) {
	p.report = append(p.report, Finding{l, code, subject, args})
}

func (p *patient) well(code, subject string, args ...any)  { p.say(Well, code, subject, args...) }
func (p *patient) note(code, subject string, args ...any)  { p.say(Note, code, subject, args...) }
func (p *patient) wrong(code, subject string, args ...any) { p.say(Wrong, code, subject, args...) }

// country looks at a whole folder.
func (p *patient) country(ctx context.Context) {
	facts, err := p.folder.Facts()
	switch code := jitsuin.CodeOf(err); {
	case code == "no-country":
		p.wrong("no-country", p.Data, p.Data)
		return
	case code == "folder-newer":
		p.wrong("folder-newer", p.Data, err.Error())
		return
	case err != nil:
		p.wrong("facts-broken", "country.json", plain(err))
		return
	}
	p.facts = facts
	p.well("folder", p.Data, facts.Format)
	p.modes()
	p.wallClock()
	p.space(p.Data, p.Data)
	expected := country.Configured(facts)
	for _, id := range expected {
		path := p.folder.ConfigPath(id)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			p.wrong("config-missing", p.name(path), id)
			continue
		}
		p.actor(ctx, id, path)
	}
	p.strangers(expected)
	p.sameCivilTime()
	p.lock()
}

// strangers notes configuration files of nobody who is in the country.
func (p *patient) strangers(expected []string) {
	found, _ := filepath.Glob(p.folder.Path("config", "*.yaml"))
	for _, path := range found {
		if !slices.ContainsFunc(expected, func(id string) bool { return p.folder.ConfigPath(id) == path }) {
			p.note("config-stranger", p.name(path))
		}
	}
}

// lock tells whether a country runs, where no actor has answered.
func (p *patient) lock() {
	switch {
	case p.running:
		p.well("running", p.Data)
	case p.folder.Locked():
		p.wrong("locked-silent", p.Data)
	default:
		p.well("not-running", p.Data)
	}
}

// name gives a path as a person finds it from where they are.
func (p *patient) name(path string) string {
	if p.folder != "" {
		base, err := filepath.Abs(string(p.folder))
		if err == nil {
			if abs, err := filepath.Abs(path); err == nil {
				if rel, err := filepath.Rel(base, abs); err == nil && !strings.HasPrefix(rel, "..") {
					return rel
				}
			}
		}
	}
	return path
}

// plain gives an error's text on one line.
func plain(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
