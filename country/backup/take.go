package backup

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
)

// Options of Take. Either Data or Config is given.
type Options struct {
	Data   string // folder of a country
	Only   string // one instance of it; "" for all
	Config string // configuration file of one actor
	Out    string // the archive; an older one is replaced once the new one is whole
	// Recipients are who can open the archive: it holds private keys and the register.
	Recipients []age.Recipient
	Version    string
}

// taking is a backup under way.
type taking struct {
	manifest Manifest
	stage    string            // plain copies, mode 0700, removed at the end
	files    map[string]string // by path in the archive
}

const stagePrefix = ".backup-"

// Take copies what is there, running or not, into one encrypted file, and gives what the file holds.
func Take(ctx context.Context, o Options) (m Manifest, err error) {
	if len(o.Recipients) == 0 {
		return m, jitsuin.Errorf(jitsuin.Invalid, "recipient-missing", "a backup holds private keys and is never written in the clear").
			WithHint("give --passphrase-file, or --recipient with an age recipient")
	}
	all, beside, err := o.sources()
	if err != nil {
		return m, err
	}
	t := &taking{files: map[string]string{}, manifest: Manifest{Format: Format, ID: jitsuin.NewID(), Version: o.Version, TakenAt: time.Now().UTC(), Country: o.Data != "" && o.Only == ""}}
	forget(beside)
	if t.stage, err = os.MkdirTemp(beside, stagePrefix); err != nil {
		return m, wrap("backup", err)
	}
	defer os.RemoveAll(t.stage)
	if err := t.databases(ctx, all); err != nil {
		return m, err
	}
	for _, s := range all { // never before its database
		if err := t.state(s); err != nil {
			return m, err
		}
	}
	if err := t.rest(o, all); err != nil {
		return m, err
	}
	return t.manifest, t.write(ctx, o)
}

// sources gives the actors, and the folder beside which plain copies may lie for a moment.
func (o Options) sources() (all []source, beside string, err error) {
	switch {
	case o.Config != "":
		s, err := describe(o.Config)
		beside = s.state
		if beside == "" {
			beside = filepath.Dir(s.config)
		}
		return []source{s}, beside, err
	default:
		all, err = sources(country.Folder(o.Data), o.Only)
		return all, o.Data, err
	}
}

// forget removes what a backup that was killed has left.
func forget(dir string) {
	old, _ := filepath.Glob(filepath.Join(dir, stagePrefix+"*"))
	for _, d := range old {
		if info, err := os.Stat(d); err == nil && time.Since(info.ModTime()) > time.Hour {
			os.RemoveAll(d)
		}
	}
}

func (t *taking) databases(ctx context.Context, all []source) error {
	var paths []string
	for _, s := range all {
		if s.database != "" {
			paths = append(paths, s.database)
		}
	}
	c, err := takeCut(ctx, paths)
	if err != nil {
		return err
	}
	defer c.close()
	t.manifest.Pause = c.pause
	for _, s := range all {
		a := Actor{Instance: s.instance, Role: s.role, Database: "none"}
		switch {
		case s.external:
			a.Database = "external"
		case s.database != "":
			a.Database = "sqlite"
			to := filepath.Join(t.stage, s.name()+".sqlite")
			if err := c.copy(ctx, s.database, to); err != nil {
				return err
			}
			if err := readBooks(ctx, to, &a); err != nil {
				return wrap("look at the copy of "+s.instance, err)
			}
			t.files[path.Join("actors", s.name(), "database.sqlite")] = to
		}
		t.manifest.Actors = append(t.manifest.Actors, a)
	}
	return nil
}

// state copies a state folder. A file that is replaced meanwhile is whole either way; one that is
// appended to may end in a piece of a line, which its reader drops.
func (t *taking) state(s source) error {
	if s.state == "" {
		return nil
	}
	to := filepath.Join(t.stage, s.name()+".state")
	if err := t.tree(s.state, path.Join("actors", s.name(), "state"), to, func(rel string) bool {
		return rel == "restored.json" || strings.HasPrefix(rel, stagePrefix) || strings.HasSuffix(rel, ".new") || strings.Contains(rel, asideMark)
	}); err != nil {
		return err
	}
	return readJournal(to, &t.manifest.Actors[t.index(s.instance)])
}

func (t *taking) index(instance string) int {
	for i, a := range t.manifest.Actors {
		if a.Instance == instance {
			return i
		}
	}
	return -1
}

// rest copies the country's own files and the chips, or what a configuration alone names.
func (t *taking) rest(o Options, all []source) error {
	if !t.manifest.Country {
		s := all[0]
		t.files[path.Join("actors", s.name(), "config.yaml")] = s.config
		for member, file := range s.files {
			t.files[path.Join("actors", s.name(), "files", member)] = file
		}
		if s.cards != "" {
			return t.tree(s.cards, "cards", filepath.Join(t.stage, "cards"), noChip)
		}
		return nil
	}
	err := t.tree(o.Data, "country", filepath.Join(t.stage, "country"), func(rel string) bool {
		first, _, _ := strings.Cut(rel, string(filepath.Separator))
		return first == "actors" || first == "cards" || rel == "lock" || rel == "restoring" || strings.HasPrefix(first, stagePrefix) || strings.HasPrefix(first, restorePrefix) || strings.Contains(rel, asideMark)
	})
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.cards != "" {
			if err := t.tree(s.cards, "cards", filepath.Join(t.stage, "cards"), noChip); err != nil {
				return err
			}
		}
	}
	return nil
}

func noChip(rel string) bool { return rel == "lock" || strings.HasSuffix(rel, ".sock") }

// tree copies the regular files below from, those left out that skip names, and notes them as below name.
func (t *taking) tree(from, name, to string, skip func(rel string) bool) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // gone meanwhile
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		if skip(rel) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".") && strings.Contains(d.Name(), "-") {
			return nil // folders, sockets, files that are just being written
		}
		into := filepath.Join(to, rel)
		if err := copyFile(p, into); os.IsNotExist(err) {
			return nil
		} else if err != nil {
			return wrap("copy "+p, err)
		}
		t.files[path.Join(name, filepath.ToSlash(rel))] = into
		return nil
	})
}

// copyFile copies a file with its mode, durably.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err = io.Copy(out, in); err == nil {
		err = out.Sync()
	}
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	return err
}
