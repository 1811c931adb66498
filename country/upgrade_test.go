//go:build unix

package country_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/signature"

	town "github.com/jitsuin/jitsuin/municipality/api"
)

// olderFolder unpacks the data folder of an earlier release.
func olderFolder(t *testing.T) country.Folder {
	t.Helper()
	file, err := os.Open("testdata/folder-format-1.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return country.Folder(to)
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(to, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o700)
		} else {
			var content []byte
			if content, err = io.ReadAll(in); err == nil {
				err = os.WriteFile(path, content, fs.FileMode(h.Mode))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// tree gives every file of a folder with its digest and time of change.
func tree(t *testing.T, f country.Folder, leaveOut ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(string(f), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		for _, l := range leaveOut {
			if strings.HasPrefix(path, f.Path(l)) {
				return nil
			}
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, string(f)+"/")] = fmt.Sprintf("%x %v", sha256.Sum256(raw), info.ModTime())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameTree(t *testing.T, before, after map[string]string) {
	t.Helper()
	for path, was := range before {
		if after[path] != was {
			t.Errorf("%s was touched: %q, then %q", path, was, after[path])
		}
	}
	for path := range after {
		if before[path] == "" {
			t.Errorf("%s was made", path)
		}
	}
}

func actorDB(t *testing.T, f country.Folder, id string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+f.Path("actors", strings.ReplaceAll(id, ":", "-"), "db.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// firstApplicant finds somebody whose card was asked for when the country was made.
func firstApplicant(t *testing.T, f country.Folder, code jitsuin.MunicipalityCode) jitsuin.ID {
	t.Helper()
	db := actorDB(t, f, country.Town(code))
	defer db.Close()
	// Results of requests are kept for a week; the fixture is older than that.
	if _, err := db.Exec(`UPDATE api_request SET done_at = $1`, time.Now().UnixMicro()); err != nil {
		t.Fatal(err)
	}
	var key string
	if err := db.QueryRow(`SELECT key FROM api_request WHERE key LIKE 'first-card-%' ORDER BY key`).Scan(&key); err != nil {
		t.Fatal(err)
	}
	return jitsuin.ID(strings.TrimPrefix(key, "first-card-"))
}

const oneTown = jitsuin.MunicipalityCode("91201")

// TestAnOlderFolder opens the data folder of the release before and goes on in it.
func TestAnOlderFolder(t *testing.T) {
	f := olderFolder(t)
	applicant := firstApplicant(t, f, oneTown)
	l := live(t, country.Options{Data: string(f), Listen: listen(t)})
	facts, err := f.Facts()
	if err != nil || facts.Format != 2 || facts.Seed != 1 {
		t.Fatalf("after the update: %+v, %v", facts, err)
	}
	t.Run("a request of then is answered as then", func(t *testing.T) {
		counter, err := f.Terminal(t.Context(), oneTown, "窓口 例子")
		if err != nil {
			t.Fatal(err)
		}
		defer counter.Town.Close()
		r, err := counter.Town.Resident(t.Context(), applicant)
		if err != nil || r.Card == "" {
			t.Fatalf("the applicant has no card: %+v, %v", r.Card, err)
		}
		ask := town.NewApplication{Type: town.NewCard, Subject: applicant, Items: r.Items, Kinds: jitsuin.CertKinds[:], Clerk: "窓口 例子"}
		// It is the application of then, long done, and no second one.
		if app, err := counter.Town.Apply(t.Context(), ask, "first-card-"+string(applicant)); err != nil || app.State != town.Done {
			t.Errorf("repeated: %v, %v", app.State, err)
		}
		ask.Clerk = "窓口 他人"
		if _, err := counter.Town.Apply(t.Context(), ask, "first-card-"+string(applicant)); jitsuin.CodeOf(err) != "idempotency-key-reused" {
			t.Errorf("another request with the key of then: %v", err)
		}
		country.Settle(t, f)
		if v := l.sign(t, string(r.Card)); v.Report.Verdict != signature.Passed {
			t.Errorf("a signature with a card of then: %v %v", v.Report.Verdict, v.Report.Reasons)
		}
		if in, err := l.login(t, string(r.Card)); err != nil || in.User == nil {
			t.Errorf("a login with a card of then: %v, %v", in.Report.Reasons, err)
		}
	})
	all, err := holder.CardsIn(string(f)).List(t.Context())
	if err != nil || len(all) != country.FirstCards+1 {
		t.Errorf("%d cards, %v", len(all), err)
	}
	tourOf(t.Context(), t, string(f)) // new acts, to the end
	view := country.Settle(t, f)
	l.stop()
	country.CheckInvariants(t, f, view)
	for _, id := range []string{country.JLIS, country.Jukinet, country.Town(oneTown)} {
		var epoch int
		if err := actorDB(t, f, id).QueryRow(`SELECT MAX(epoch) FROM feed_heads`).Scan(&epoch); err != nil || epoch != 1 {
			t.Errorf("%s: epoch %d, %v; an update begins none", id, epoch, err)
		}
	}
	t.Run("opened again, nothing is written", func(t *testing.T) {
		before := tree(t, f, "lock")
		if _, _, err := country.Open(country.Options{Data: string(f)}); err != nil {
			t.Fatal(err)
		}
		sameTree(t, before, tree(t, f, "lock"))
		again := live(t, country.Options{Data: string(f)})
		again.stop()
		sameTree(t, withoutActors(before), tree(t, f, "lock", "actors", "cards"))
	})
}

// withoutActors leaves out what running actors write.
func withoutActors(all map[string]string) map[string]string {
	all = maps.Clone(all)
	maps.DeleteFunc(all, func(path, _ string) bool {
		return strings.HasPrefix(path, "actors/") || strings.HasPrefix(path, "cards/")
	})
	return all
}

func TestANewerFolderIsRefusedUntouched(t *testing.T) {
	f := olderFolder(t)
	edit(t, f.Path("country.json"), `"format": 1`, `"format": 99`)
	unlock, err := f.Lock() // makes the file lock
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	before := tree(t, f)
	err = country.Up(t.Context(), country.Options{Data: string(f), Listen: listen(t)})
	if jitsuin.CodeOf(err) != "folder-newer" || !strings.Contains(err.Error(), "99") {
		t.Fatalf("a newer folder: %v", err)
	}
	sameTree(t, before, tree(t, f))
}

// edit changes a file by hand.
func edit(t *testing.T, path, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(raw, []byte(from), []byte(to), 1)
	if bytes.Equal(raw, changed) {
		t.Fatalf("%s has no %q", path, from)
	}
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAnUpdateCutShortIsDoneAgain puts back some files as they were before an update, as a crash
// in its middle leaves them.
func TestAnUpdateCutShortIsDoneAgain(t *testing.T) {
	f := olderFolder(t)
	names := []string{"country.json", "directory.jws", "config/cards-1.yaml", "config/jlis-1.yaml", "config/platform-1.yaml"}
	old := map[string][]byte{}
	for _, n := range names {
		raw, err := os.ReadFile(f.Path(n))
		if err != nil {
			t.Fatal(err)
		}
		old[n] = raw
	}
	open := func() map[string]string {
		if _, _, err := country.Open(country.Options{Data: string(f)}); err != nil {
			t.Fatal(err)
		}
		all := tree(t, f)
		for path, says := range all { // without the times, and without what is signed anew
			all[path], _, _ = strings.Cut(says, " ")
		}
		delete(all, "directory.jws")
		return all
	}
	whole := open()
	for cut := range names {
		for _, n := range names[:cut+1] {
			if err := os.WriteFile(f.Path(n), old[n], 0o600); err != nil {
				t.Fatal(err)
			}
			if n != "country.json" && n != "directory.jws" {
				os.Remove(f.Path("config", ".generated", filepath.Base(n)))
			}
		}
		if got := open(); !maps.Equal(got, whole) {
			t.Errorf("cut before %s: the folder differs", names[cut])
			sameTree(t, whole, got)
		}
	}
}

// TestWhatWasChangedByHandStays: a generated configuration file that somebody has edited is never
// simply overwritten, in an update from the first format or later.
func TestWhatWasChangedByHandStays(t *testing.T) {
	f := olderFolder(t)
	jukinet, jlis := f.ConfigPath(country.Jukinet), f.ConfigPath(country.JLIS)
	edit(t, jukinet, "../actors/jukinet-1/db.sqlite", "postgres://db/network # ours")
	edit(t, jlis, "places:", "ca_years: 30\nplaces:")
	edit(t, jlis, "Kumoi-ken", "Kumo")
	var said bytes.Buffer
	if _, _, err := country.Open(country.Options{Data: string(f), Out: &said}); err != nil {
		t.Fatal(err)
	}
	for path, wants := range map[string][]string{
		jukinet: {"database: postgres://db/network", "listen: 127.0.84.20:21200"},
		jlis:    {"ca_years: 30", "prefecture: Kumo\n", "prefecture: Kumoi-ken"},
	} {
		has(t, path, wants...)
	}
	for _, want := range []string{jukinet + " was changed by hand (database)", jlis + " was changed by hand (ca_years, places.91201.prefecture)"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("nothing says %q:\n%s", want, said.String())
		}
	}
	aside, _ := filepath.Glob(jukinet + ".before-*")
	if len(aside) != 1 {
		t.Fatalf("the edited file is kept as %v", aside)
	}
	has(t, aside[0], "# ours")

	edit(t, jlis, "cadence: immediate", "cadence: official")
	if _, _, err := country.Open(country.Options{Data: string(f), Listen: "127.0.0.1:21300"}); err != nil {
		t.Fatal(err)
	}
	has(t, jlis, "ca_years: 30", "cadence: official", "127.0.84.22:21300", "listen: 127.0.84.21:21300")
	has(t, jukinet, "database: postgres://db/network", "listen: 127.0.84.20:21300")

	before := tree(t, f)
	edit(t, jlis, "cadence: official", "cadence: [")
	_, _, err := country.Open(country.Options{Data: string(f), Listen: "127.0.0.1:21400"})
	if jitsuin.CodeOf(err) != "config" || !strings.Contains(err.Error(), jlis) {
		t.Errorf("a file that is no YAML: %v", err)
	}
	edit(t, jlis, "cadence: [", "cadence: official")
	after := tree(t, f)
	before["config/jlis-1.yaml"] = after["config/jlis-1.yaml"] // edited twice by us
	sameTree(t, before, after)
}

func has(t *testing.T, path string, wants ...string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range wants {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s lacks %q:\n%s", path, want, raw)
		}
	}
}

// A country that was just made bears the layout that the next start works out.
func TestANewFolderIsUpToDate(t *testing.T) {
	f := country.Folder(t.TempDir())
	if _, _, err := country.Open(country.Options{Data: string(f), Listen: "127.0.0.1:21500"}); err != nil {
		t.Fatal(err)
	}
	var facts country.Facts
	raw, err := os.ReadFile(f.Path("country.json"))
	if err != nil || json.Unmarshal(raw, &facts) != nil || facts.Layout == "" {
		t.Fatalf("%s, %v", raw, err)
	}
	before := tree(t, f)
	if _, _, err := country.Open(country.Options{Data: string(f)}); err != nil {
		t.Fatal(err)
	}
	sameTree(t, before, tree(t, f))
}
