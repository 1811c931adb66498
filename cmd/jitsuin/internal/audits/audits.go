// Package audits looks at operation logs (動作記録) for a person: in the databases of a country or of one verifier,
// running or not, in exported files and in packs. It also makes those files.
//
// It opens databases for reading alone, asks the witness over HTTP or in the same folder, and decides nothing itself:
// what is wrong with a log is for package audit to say.
package audits

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/audit/pack"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister"
	ministerapi "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
)

// Place is where a verifier is: a country's folder, or the configuration of one.
type Place struct {
	Data   string
	Config string // in the place of Data
}

// verifier is one platform that is looked at from outside.
type verifier struct {
	config    platform.Config
	self      httpapi.Identity
	directory *httpapi.Directory
	minister  string // configuration of the witness in the same folder; "" where it is asked over HTTP
}

// verifiers gives the platforms of a place that have a database.
func (p Place) verifiers() ([]verifier, error) {
	if p.Config != "" {
		v, err := open(p.Config)
		return []verifier{v}, err
	}
	f := country.Folder(p.Data)
	facts, err := f.Facts()
	if err != nil {
		return nil, err
	}
	var all []verifier
	for _, id := range country.Configured(facts) {
		if role := httpapi.RoleOf(id); role != "platform" && role != "verifier" {
			continue
		}
		v, err := open(f.ConfigPath(id))
		if err != nil {
			return nil, err
		}
		if path := f.ConfigPath(v.witness()); exists(path) {
			v.minister = path
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "no-verifier", "there is no platform in %s", p.Data)
	}
	return all, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func open(path string) (v verifier, err error) {
	if err := actor.Load(path, &v.config); err != nil {
		return v, err
	}
	base, err := filepath.Abs(filepath.Dir(path))
	if err == nil {
		err = v.config.Resolve(base)
	}
	if err != nil {
		return v, err
	}
	v.self, v.directory, err = v.config.Identify()
	return v, err
}

// witness names the instance that witnesses the log.
func (v verifier) witness() string {
	if v.config.Minister != "" {
		return v.config.Minister
	}
	return "minister:1"
}

// Found is what came of one log.
type Found struct {
	audit.Report
	// Unasked is why the witness itself was not asked: then only what the platform keeps of its statements counts.
	Unasked string `json:"witness_not_asked,omitempty"`
	// Pack is the list of a pack; nil of a log.
	Pack *pack.Manifest `json:"pack,omitempty"`
}

// Databases checks the logs in the databases of a place.
func Databases(ctx context.Context, p Place, more []string) ([]Found, error) {
	all, err := p.verifiers()
	if err != nil {
		return nil, err
	}
	var found []Found
	for _, v := range all {
		f, err := v.check(ctx, more)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.self.ID, err)
		}
		found = append(found, f)
	}
	return found, nil
}

// check looks at one database; once more where the platform was started meanwhile.
func (v verifier) check(ctx context.Context, more []string) (Found, error) {
	for again := false; ; again = true {
		f, moved, err := v.look(ctx, more)
		if !moved || again {
			return f, err
		}
	}
}

func (v verifier) look(ctx context.Context, more []string) (f Found, moved bool, err error) {
	// Before the database is looked at: a platform that runs raises the marks after it has committed, and the witness reads
	// what was committed.
	marks, err := feed.PeekMarks(filepath.Join(v.config.State, actor.HighWaterFile))
	if err != nil {
		return f, false, err
	}
	stated, unasked := v.stated(ctx)
	db, err := store.OpenReadOnly(ctx, v.config.Database)
	if err != nil {
		return f, false, err
	}
	defer db.Close()
	e := audit.Expect{Verifier: v.self.ID, Keys: audit.DirectoryKeys(v.directory), Statements: slices.Concat(more, stated, kept(ctx, db))}
	if m, ok := marks[audit.Topic]; ok {
		e.Reached = append(e.Reached, m)
	}
	f.Report, err = audit.CheckDatabase(ctx, db, e)
	f.Unasked = unasked
	return f, db.Moved(), err
}

// kept are the statements that the platform keeps itself; none where its database is older than they are.
func kept(ctx context.Context, db *store.DB) (all []string) {
	err := db.View(ctx, func(tx *store.Tx) (err error) { all, err = platform.Statements(tx); return err })
	if err != nil {
		return nil
	}
	return all
}

// stated asks the witness what it has stated, in its own database where that lies in the same folder. Where it cannot be
// asked, unasked says why.
func (v verifier) stated(ctx context.Context) (all []string, unasked string) {
	var err error
	if v.minister != "" {
		all, err = v.statedInFolder(ctx)
	} else {
		all, err = v.statedOnline(ctx)
	}
	if err != nil {
		return nil, err.Error()
	}
	return all, ""
}

func (v verifier) statedInFolder(ctx context.Context) (all []string, err error) {
	s, err := country.ReadSettings(v.minister)
	if err != nil {
		return nil, err
	}
	db, err := store.OpenReadOnly(ctx, s.Database)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	err = db.View(ctx, func(tx *store.Tx) error { all, err = minister.Statements(tx, v.self.ID); return err })
	return all, err
}

// askTime bounds the whole conversation with the witness.
const askTime = 20 * time.Second

func (v verifier) statedOnline(ctx context.Context) (all []string, err error) {
	there, err := v.directory.Lookup(v.witness())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	for after := uint64(0); ; {
		list, err := statements(ctx, there.Origin+ministerapi.StatementsPath(v.self.ID, after))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.witness(), err)
		}
		if all = append(all, list.Statements...); len(list.Statements) == 0 || list.Last <= after {
			return all, nil
		}
		after = list.Last
	}
}

func statements(ctx context.Context, address string) (list ministerapi.StatementList, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return list, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return list, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return list, httpapi.DecodeProblem(resp)
	}
	return list, json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(&list)
}

// ReadStatements reads a file of statements: the answers of the witness as they came, or one statement a line.
func ReadStatements(content []byte) (all []string, err error) {
	if text := strings.TrimSpace(string(content)); !strings.HasPrefix(text, "{") {
		return strings.Fields(text), nil
	}
	dec := json.NewDecoder(strings.NewReader(string(content)))
	for {
		var list ministerapi.StatementList
		err := dec.Decode(&list)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "statements-form", "the statements cannot be read: %w", err)
		}
		all = append(all, list.Statements...)
	}
}

// File checks an exported log or a pack. key is the directory's operator's; directory is the signed list of instances, needed
// for a log alone: a pack brings it.
func File(path string, key *ecdsa.PublicKey, directory string, more []string) (Found, error) {
	in, err := os.Open(path)
	if err != nil {
		return Found{}, jitsuin.Errorf(jitsuin.NotFound, "file-missing", "%w", err)
	}
	defer in.Close()
	begin := make([]byte, 2)
	if n, err := in.ReadAt(begin, 0); err != nil && err != io.EOF {
		return Found{}, err
	} else if string(begin[:n]) == "PK" {
		return packOf(in, key, more)
	}
	if directory == "" {
		return Found{}, jitsuin.Errorf(jitsuin.Invalid, "directory-missing", "an exported log is checked with the signed list of instances").
			WithHint("name it with --directory")
	}
	d, err := httpapi.OpenDirectory(directory, key)
	if err != nil {
		return Found{}, err
	}
	id, err := whose(in, d)
	if err != nil {
		return Found{}, err
	}
	r, err := audit.CheckExport(in, audit.Expect{Verifier: id, Keys: audit.DirectoryKeys(d), Statements: more})
	return Found{Report: r}, err
}

func packOf(in *os.File, key *ecdsa.PublicKey, more []string) (Found, error) {
	info, err := in.Stat()
	if err != nil {
		return Found{}, err
	}
	r, err := pack.Verify(in, info.Size(), pack.Options{Key: key, Statements: more})
	return Found{Report: r.Log, Pack: &r.Manifest}, err
}

// whose finds out whose log a file is: that of the one platform or verifier of the directory, or of the one whom its first
// lines name.
func whose(in io.ReadSeeker, d *httpapi.Directory) (string, error) {
	var ids []string
	for _, i := range append(d.Role("platform"), d.Role("verifier")...) {
		ids = append(ids, i.ID)
	}
	raw, err := io.ReadAll(io.LimitReader(in, 1<<20))
	if err != nil {
		return "", err
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	for _, id := range ids {
		if strings.Contains(string(raw), `"act":"`+audit.ActStarted+`"`) && strings.Contains(string(raw), `"who":"`+id+`"`) {
			return id, nil
		}
	}
	if len(ids) == 0 {
		return "", jitsuin.Errorf(jitsuin.NotFound, "no-verifier", "there is no verifier in the directory")
	}
	return ids[0], nil
}

// Export writes the log of the one platform of a place into a file that can be checked off line.
func Export(ctx context.Context, p Place, w io.Writer) (lines int, err error) {
	v, db, err := p.only(ctx)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	stated, _ := v.stated(ctx)
	if len(stated) == 0 {
		stated = kept(ctx, db)
	}
	signer, err := feed.NewSigner(v.self.Key, v.self.ID)
	if err != nil {
		return 0, err
	}
	written := false
	err = db.View(ctx, func(tx *store.Tx) error {
		if written {
			return errors.New("the database was busy; try again")
		}
		written = true
		lines, err = audit.Export(tx, w, stated, func(m feed.Mark) (string, error) { return signer.SignHead(audit.Topic, m, time.Now()) })
		return err
	})
	return lines, err
}

// Pack writes the audit pack of a period of the one platform of a place.
func Pack(ctx context.Context, p Place, period audit.Span, w io.Writer) (pack.Manifest, error) {
	v, db, err := p.only(ctx)
	if err != nil {
		return pack.Manifest{}, err
	}
	defer db.Close()
	return platform.WritePack(ctx, w, platform.PackOptions{Config: v.config, DB: db, Period: period, Wall: time.Now().UTC()})
}

// only gives the one platform of a place with its database.
func (p Place) only(ctx context.Context) (verifier, *store.DB, error) {
	all, err := p.verifiers()
	if err != nil {
		return verifier{}, nil, err
	}
	if len(all) != 1 {
		return verifier{}, nil, jitsuin.Errorf(jitsuin.Invalid, "which-verifier", "there are %d verifiers here", len(all)).WithHint("name the configuration of one with --config")
	}
	db, err := store.OpenReadOnly(ctx, all[0].config.Database)
	return all[0], db, err
}
