package backup

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/actor"
)

// RestoreOptions of Restore. Either Data or Config is given.
type RestoreOptions struct {
	From       string
	Data       string // folder of a country; made where it is not there
	Only       string // one instance of it; "" for all
	Config     string // configuration file of one actor
	Identities []age.Identity
	// By is the person who restores; it stands in the account of signatures.
	By  string
	Log *slog.Logger
	// Now is wall time; nil takes time.Now.
	Now func() time.Time
}

// Result is what a restore did to one actor.
type Result struct {
	Actor
	Epoch    uint32    // of its feeds from now on; 0 where it has none
	Recovery *Recovery // of J-LIS
	// Lost has, for each feed that the actor sends, the last position that was given out before, as far
	// as the high-water file was still there; what lies between it and Actor.Sent is lost here.
	Lost map[string]jitsuin.Position
}

const (
	restorePrefix = ".restore-"
	asideMark     = ".before-restore-"
)

// restoring is a restore under way.
type restoring struct {
	RestoreOptions
	manifest Manifest
	stage    string
	stamp    string // of what is put aside
	folder   country.Folder
}

// Restore puts an archive back. All of it is checked first; a country or an actor that runs is refused
// (Conflict). What is replaced stays beside as NAME.before-restore-TIME. Chips that are there stay as they
// are. A restore that was cut short leaves actors that do not open; it is done again.
func Restore(ctx context.Context, o RestoreOptions) (m Manifest, results []Result, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &restoring{RestoreOptions: o, folder: country.Folder(o.Data), stamp: asideMark + o.Now().UTC().Format("20060102T150405Z")}
	beside := o.Data
	if o.Config != "" {
		beside = filepath.Dir(o.Config)
	} else {
		existed := exists(o.Data)
		if err := os.MkdirAll(o.Data, 0o700); err != nil {
			return m, nil, wrap("restore", err)
		}
		unlock, lockErr := r.folder.Lock()
		if lockErr != nil {
			return m, nil, lockErr
		}
		defer func() {
			unlock()
			if !existed && err != nil {
				os.Remove(r.folder.Path("lock"))
				os.Remove(o.Data) // only if nothing is in it
			}
		}()
	}
	if r.stage, err = os.MkdirTemp(beside, restorePrefix); err != nil {
		return m, nil, wrap("restore", err)
	}
	defer os.RemoveAll(r.stage)
	if r.manifest, err = unpack(o.From, r.stage, o.Identities); err != nil {
		return r.manifest, nil, err
	}
	results, err = r.run(ctx)
	return r.manifest, results, err
}

// run does what follows once the archive is known to be whole.
func (r *restoring) run(ctx context.Context) ([]Result, error) {
	todo, err := r.chosen()
	if err != nil {
		return nil, err
	}
	whole := r.Config == "" && r.Only == ""
	if whole {
		if !r.manifest.Country {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "archive-of-one", "the backup is of %s alone", r.manifest.Actors[0].Instance).
				WithHint("name it with --only, or its configuration file with --config")
		}
		if err := r.checkFolder(); err != nil {
			return nil, err
		}
	}
	plans, err := r.plan(todo, whole)
	if err != nil {
		return nil, err
	}
	if !whole || exists(r.folder.Path("country.json")) { // nothing runs in a folder that is new
		release, err := holdAddresses(ctx, plans)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	if whole {
		if err := os.WriteFile(r.folder.Restoring(), []byte(r.manifest.ID+"\n"), 0o600); err != nil {
			return nil, err
		}
		if err := r.placeCountry(); err != nil {
			return nil, err
		}
		if plans, err = r.plan(todo, false); err != nil { // where the restored configurations say
			return nil, err
		}
	}
	for _, p := range plans {
		if err := r.place(p); err != nil {
			return nil, wrap("restore "+p.instance, err)
		}
	}
	var results []Result
	for _, p := range plans {
		res, err := r.finish(ctx, p)
		if err != nil {
			return results, wrap("restore "+p.instance, err)
		}
		results = append(results, res)
	}
	if whole {
		return results, os.Remove(r.folder.Restoring())
	}
	return results, nil
}

// chosen gives the actors of the archive that are asked for.
func (r *restoring) chosen() ([]Actor, error) {
	want := r.Only
	if r.Config != "" {
		s, err := describe(r.Config)
		if err != nil {
			return nil, err
		}
		want = s.instance
	}
	if want == "" {
		return r.manifest.Actors, nil
	}
	a, ok := r.manifest.Actor(want)
	if !ok {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "instance-unknown", "the backup has no %s", want)
	}
	return []Actor{a}, nil
}

// checkFolder refuses to restore a country over something that is none.
func (r *restoring) checkFolder() error {
	entries, err := os.ReadDir(r.Data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		n := e.Name()
		if n == "lock" || n == "restoring" || strings.HasPrefix(n, restorePrefix) || strings.HasPrefix(n, stagePrefix) || n == "cards" {
			continue
		}
		if exists(r.folder.Path("country.json")) || exists(r.folder.Path("directory.jws")) {
			return nil
		}
		return jitsuin.Errorf(jitsuin.Conflict, "not-a-country", "%s holds something else than a country", r.Data)
	}
	return nil
}

// plan describes where each actor is put. Before the country's own files are in place the staged
// configurations are read, as if they lay in the folder.
func (r *restoring) plan(todo []Actor, staged bool) ([]source, error) {
	var plans []source
	for _, a := range todo {
		name := strings.ReplaceAll(a.Instance, ":", "-")
		config := r.Config
		if config == "" {
			config = r.folder.ConfigPath(a.Instance)
		}
		if staged {
			config = filepath.Join(r.stage, "country", "config", name+".yaml")
		}
		s, err := describe(config)
		if err != nil {
			return nil, err
		}
		if s.external != (a.Database == "external") {
			return nil, jitsuin.Errorf(jitsuin.Conflict, "database-differs", "the backup of %s has its database %s, its configuration says otherwise", a.Instance, a.Database).
				WithHint("set database in %s to what it was when the backup was taken", config)
		}
		plans = append(plans, s)
	}
	return plans, nil
}

// holdAddresses takes the actors' addresses, which a running one has, until release.
func holdAddresses(ctx context.Context, plans []source) (release func(), err error) {
	var held []net.Listener
	release = func() {
		for _, l := range held {
			l.Close()
		}
	}
	for _, p := range plans {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.listen)
		var addr *net.AddrError
		if errors.As(err, &addr) || err != nil && strings.Contains(err.Error(), "assign requested address") {
			continue // not an address of this machine, so nothing of this machine runs there
		}
		if err != nil {
			release()
			return nil, jitsuin.Errorf(jitsuin.Conflict, "actor-running", "%s runs, or its address is taken: %w", p.instance, err).
				WithHint("stop it, restore, and start it again")
		}
		held = append(held, l)
	}
	return release, nil
}

// placeCountry puts the country's own files in place, and chips where there are none.
func (r *restoring) placeCountry() error {
	if err := r.placeTree("country", r.Data, nil); err != nil {
		return err
	}
	return r.placeChips(r.folder.Path("cards"))
}

// placeChips puts chips in place where none is: a chip is a thing in somebody's hand and does not go back in time.
func (r *restoring) placeChips(to string) error {
	if to == "" {
		return nil
	}
	there := map[string]bool{}
	entries, err := os.ReadDir(to)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, e := range entries {
		there[e.Name()] = true
	}
	return r.placeTree("cards", to, func(rel string) bool {
		id, _, _ := strings.Cut(rel, "/")
		return there[id]
	})
}

// placeTree puts the staged files below name in place below to, those left out that skip names.
func (r *restoring) placeTree(name, to string, skip func(rel string) bool) error {
	for _, f := range r.manifest.Files {
		rel, ok := strings.CutPrefix(f.Path, name+"/")
		if !ok || skip != nil && skip(rel) {
			continue
		}
		if err := r.placeFile(f.Path, filepath.Join(to, filepath.FromSlash(rel))); err != nil {
			return err
		}
	}
	return nil
}

// placeFile puts one staged file in place; another one that is there is kept beside.
func (r *restoring) placeFile(staged, to string) error {
	from := filepath.Join(r.stage, filepath.FromSlash(staged))
	if same, err := sameFile(from, to); err != nil || same {
		return err
	}
	if exists(to) {
		if err := copyFile(to, to+r.stamp); err != nil {
			return err
		}
	}
	tmp := to + ".new"
	if err := copyFile(from, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// place puts one actor's state and database in place. The mark comes first: from then on nothing opens the
// actor until the restore is finished.
func (r *restoring) place(p source) error {
	if p.cards != "" && r.Config+r.Only != "" {
		return r.placeChips(p.cards)
	}
	if p.state == "" {
		return nil
	}
	if err := os.MkdirAll(p.state, 0o700); err != nil {
		return err
	}
	if exists(p.state) {
		if err := r.keepState(p); err != nil {
			return err
		}
	}
	if err := actor.WriteRestored(p.state, r.mark(false)); err != nil {
		return err
	}
	if err := r.placeState(p); err != nil {
		return err
	}
	if err := r.placeNamed(p); err != nil || p.database == "" {
		return err
	}
	return r.placeDatabase(p)
}

func (r *restoring) mark(done bool) actor.Restored {
	return actor.Restored{Archive: string(r.manifest.ID), TakenAt: r.manifest.TakenAt, RestoredAt: r.Now().UTC(), Done: done}
}

// keepState copies the state folder as it is beside it, once.
func (r *restoring) keepState(p source) error {
	had, err := actor.ReadRestored(p.state)
	if err == nil && had != nil && !had.Done {
		return nil // this restore was cut short: what was there before lies aside already
	}
	entries, err := os.ReadDir(p.state)
	if err != nil || len(entries) == 0 {
		return err
	}
	return copyTree(p.state, p.state+r.stamp)
}

// placeNamed puts the files of an actor alone in place where they are missing: keys, passphrases.
func (r *restoring) placeNamed(p source) error {
	base := path.Join("actors", p.name(), "files")
	for _, f := range r.manifest.Files {
		member, ok := strings.CutPrefix(f.Path, base+"/")
		if !ok {
			continue
		}
		to := memberPath(p.config, member)
		if to == "" || exists(to) {
			continue
		}
		if err := r.placeFile(f.Path, to); err != nil {
			return err
		}
	}
	return nil
}

// placeDatabase exchanges the database file; the old one stays beside with its log.
func (r *restoring) placeDatabase(p source) error {
	staged := filepath.Join(r.stage, "actors", p.name(), "database.sqlite")
	if !exists(staged) {
		return damaged("the backup has no database of %s", p.instance)
	}
	if err := os.MkdirAll(filepath.Dir(p.database), 0o700); err != nil {
		return err
	}
	fresh := p.database + ".new"
	if err := copyFile(staged, fresh); err != nil {
		return err
	}
	for _, suffix := range []string{"-shm", "-wal", ""} { // the database itself last: without it nothing else counts
		if old := p.database + suffix; exists(old) {
			if err := os.Rename(old, p.database+r.stamp+suffix); err != nil {
				return err
			}
		}
	}
	if err := os.Rename(fresh, p.database); err != nil {
		return err
	}
	return syncDir(filepath.Dir(p.database))
}
