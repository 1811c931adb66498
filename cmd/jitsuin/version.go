package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country"
)

type versionCmd struct {
	JSON bool `help:"Print a JSON object, for programs."`
}

func (versionCmd) Help() string {
	return `What does not come from a commit (go run, sources without their history) has no commit and says so.

Example:  jitsuin version --json`
}

// facts are what this program was built from, and what it can read.
type facts struct {
	Version  string            `json:"version"`
	Commit   string            `json:"commit,omitempty"`   // of the sources
	Time     string            `json:"time,omitempty"`     // of the commit, RFC 3339
	Modified bool              `json:"modified,omitempty"` // the sources were not those of the commit
	Go       string            `json:"go"`
	Platform string            `json:"platform"`
	CGO      bool              `json:"cgo"`
	Folder   int               `json:"folder_format"`   // of data folders
	Schemas  map[string]int64  `json:"schema_versions"` // of the tables of each actor, and of what all have
	Modules  map[string]string `json:"modules"`         // those that decide how data and secrets are handled
}

// telling are the modules whose version a report of trouble needs.
var telling = []string{"modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", "github.com/danielgtaylor/huma/v2",
	"github.com/go-jose/go-jose/v4", "filippo.io/age", "golang.org/x/crypto"}

// programVersion is what the linker was told, else what Go knows of the module (go install), else dev.
func programVersion() string {
	if version != "dev" {
		return version
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		return b.Main.Version
	}
	return version
}

func readFacts() (facts, error) {
	schemas, err := country.Schemas()
	f := facts{Version: programVersion(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Folder: country.FolderFormat, Schemas: schemas, Modules: map[string]string{}}
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return f, err
	}
	for _, s := range b.Settings {
		switch s.Key {
		case "vcs.revision":
			f.Commit = s.Value
		case "vcs.time":
			f.Time = s.Value
		case "vcs.modified":
			f.Modified = s.Value == "true"
		case "CGO_ENABLED":
			f.CGO = s.Value == "1"
		}
	}
	for _, m := range b.Deps {
		if slices.Contains(telling, m.Path) {
			for m.Replace != nil {
				m = m.Replace
			}
			f.Modules[m.Path] = m.Version
		}
	}
	return f, err
}

func (c *versionCmd) Run(face *ui.Face) error {
	f, err := readFacts()
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(face.Out)
		e.SetIndent("", "  ")
		return e.Encode(f)
	}
	commit := "unknown: not built from a commit"
	if f.Commit != "" {
		commit = f.Commit + " of " + f.Time
		if f.Modified {
			commit += ", modified"
		}
	}
	cgo := "off"
	if f.CGO {
		cgo = "on"
	}
	w := tabwriter.NewWriter(face.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "jitsuin %s\ncommit\t%s\ngo\t%s\nplatform\t%s\ncgo\t%s\nfolder\tformat %d\nschemas\t%s\nmodules\t%s\n",
		f.Version, commit, f.Go, f.Platform, cgo, f.Folder, listed(f.Schemas), listed(f.Modules))
	return w.Flush()
}

func listed[V any](m map[string]V) string {
	var all []string
	for k, v := range m {
		all = append(all, fmt.Sprint(k, " ", v))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
