// Package licences lists the modules that a program is linked from, with their licences. It owns
// which licences the program may carry; it never touches the sources.
package licences

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licenseclassifier/v2/assets"
)

// Allowed are the licences (SPDX) of code that may be linked: they ask for a notice, and for no
// source of ours. Public-domain texts are among them.
var Allowed = []string{"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "BSD-2-Clause-Views", "ISC", "Zlib", "Unlicense", "CC0-1.0", "blessing", "0BSD", "OFL-1.1", "mplus"}

// Module is a module that is linked, with everything that its authors want to go with it.
type Module struct {
	Path, Version string
	// Licences are what the texts were recognised as, sorted.
	Licences []string
	Texts    []Text
}

// Text is a licence or notice file; Name is relative to the module.
type Text struct {
	Name    string
	Content []byte
}

// Target is a system that a program is built for.
type Target struct{ OS, Arch string }

// module and its place, as go list tells them.
type listed struct {
	Path, Version, Dir string
	Main               bool
}

// Collect gives the modules that pkg, a package below the folder dir, is linked from on any of the
// targets, and Go itself. A module without a licence text, with one that nobody recognises, or with
// one that is not Allowed is an error.
func Collect(dir, pkg string, targets []Target) ([]Module, error) {
	found := map[string]listed{}
	folders := map[string]map[string]bool{} // of the linked packages, by module
	for _, t := range targets {
		if err := list(dir, pkg, t, found, folders); err != nil {
			return nil, err
		}
	}
	root, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	env := strings.Fields(string(root))
	found["Go standard library"] = listed{Path: "Go standard library", Version: env[1], Dir: env[0]}
	reader, err := NewReader()
	if err != nil {
		return nil, err
	}
	var all []Module
	var wrong []error
	for path, m := range found {
		one, err := reader.Read(m.Path, m.Version, m.Dir, folders[path])
		if err != nil {
			wrong = append(wrong, err)
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Module) int { return cmp.Compare(a.Path, b.Path) })
	return all, joined(wrong)
}

// list asks go list what is linked on one target.
func list(dir, pkg string, t Target, found map[string]listed, folders map[string]map[string]bool) error {
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module,Standard", pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS="+t.OS, "GOARCH="+t.Arch, "CGO_ENABLED=0")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go list for %s/%s: %w\n%s", t.OS, t.Arch, err, &said)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir      string
			Standard bool
			Module   *listed
		}
		if err := d.Decode(&p); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("go list: %w", err)
		}
		if p.Standard || p.Module == nil || p.Module.Main {
			continue
		}
		found[p.Module.Path] = *p.Module
		if folders[p.Module.Path] == nil {
			folders[p.Module.Path] = map[string]bool{}
		}
		folders[p.Module.Path][p.Dir] = true
	}
}

// isText tells which files belong to a program that carries the code beside them.
var isText = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents|unlicense)([-_.].*)?$`)

// isOther are texts about things that are not linked, such as a project's logo.
var isOther = regexp.MustCompile(`(?i)logo|\.go$`)

// isNotice are texts that go with a licence and are none.
var isNotice = regexp.MustCompile(`(?i)^(notice|patents)`)

// reviewed are texts that a person has read because no program recognises them, by their SHA-256.
var reviewed = map[string][]string{
	"8438c9c89b849131ead81d5435cb97fcf052df5b0b286dda8a2d4c29e6cb3fd0": {"blessing"}, // SQLite: public domain
	// Two fonts: M+ FONTS ("unlimited permission is granted to use, copy, and distribute"), and one under the OFL 1.1.
	"3011aca2e5544e95559fcf1f2231daaa040caa218802936b4c371a5ebd144844": {"mplus", "OFL-1.1"},
}

// isSurvey are lists of what lies near a module, whether it is linked or not. They go with the program
// and decide nothing: what is linked of them is a module of its own here.
var isSurvey = regexp.MustCompile(`(?i)3rd|third`)

// Reader recognises licences.
type Reader struct{ match func([]byte) []string }

// NewReader loads the known licences.
func NewReader() (*Reader, error) {
	c, err := assets.DefaultClassifier()
	if err != nil {
		return nil, fmt.Errorf("the known licences: %w", err)
	}
	return &Reader{func(b []byte) []string {
		var names []string
		for _, m := range c.Match(c.Normalize(b)).Matches {
			if (m.MatchType == "License" || m.MatchType == "Header") && !slices.Contains(names, m.Name) {
				names = append(names, m.Name)
			}
		}
		return names
	}}, nil
}

// Read reads the texts at a module's root and in the folders of its linked packages.
func (r *Reader) Read(path, version, root string, folders map[string]bool) (Module, error) {
	m := Module{Path: path, Version: version}
	places := []string{root}
	for f := range folders {
		if f != root {
			places = append(places, f)
		}
	}
	slices.Sort(places)
	for _, place := range places {
		if err := r.readFolder(&m, root, place); err != nil {
			return m, fmt.Errorf("%s: %w", path, err)
		}
	}
	slices.Sort(m.Licences)
	if len(m.Licences) == 0 {
		return m, fmt.Errorf("%s %s: no licence was found or recognised", path, version)
	}
	for _, l := range m.Licences {
		if !slices.Contains(Allowed, l) {
			return m, fmt.Errorf("%s %s: the licence %s must not be linked", path, version, l)
		}
	}
	return m, nil
}

func (r *Reader) readFolder(m *Module, root, place string) error {
	entries, err := os.ReadDir(place)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() || !isText.MatchString(e.Name()) || isOther.MatchString(e.Name()) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(place, e.Name()))
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, filepath.Join(place, e.Name()))
		if err != nil {
			return err
		}
		m.Texts = append(m.Texts, Text{filepath.ToSlash(name), content})
		if isSurvey.MatchString(e.Name()) || isNotice.MatchString(e.Name()) {
			continue
		}
		recognised := r.match(content)
		recognised = append(recognised, reviewed[fmt.Sprintf("%x", sha256.Sum256(content))]...)
		if len(recognised) == 0 {
			return fmt.Errorf("nobody recognises %s (%x)", name, sha256.Sum256(content))
		}
		for _, l := range recognised {
			if !slices.Contains(m.Licences, l) {
				m.Licences = append(m.Licences, l)
			}
		}
	}
	return nil
}

func joined(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	lines := make([]string, len(errs))
	for i, e := range errs {
		lines[i] = e.Error()
	}
	slices.Sort(lines)
	return fmt.Errorf("%d modules may not be linked:\n%s", len(lines), strings.Join(lines, "\n"))
}

// Write writes the notices of all modules as one text.
func Write(w io.Writer, all []Module) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Third-party software in this program, with its licences.\n\n")
	for _, m := range all {
		fmt.Fprintf(&b, "%s %s: %s\n", m.Path, m.Version, strings.Join(m.Licences, ", "))
	}
	for _, m := range all {
		for _, t := range m.Texts {
			fmt.Fprintf(&b, "\n%s\n%s %s: %s\n%s\n\n%s\n", strings.Repeat("=", 80), m.Path, m.Version, t.Name, strings.Repeat("-", 80), bytes.TrimSpace(t.Content))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
