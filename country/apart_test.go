//go:build unix

package country_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/internal/trace"
)

// TestActorsApart runs every actor as a process of its own, from the same configuration files that
// `up` uses, and plays the whole story over them: on SQLite and on PostgreSQL.
func TestActorsApart(t *testing.T) {
	for _, backend := range storetest.Backends(t) {
		t.Run(backend.Name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			folder, facts, err := country.Open(country.Options{Data: data, Listen: listen(t), Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			configs, err := filepath.Glob(folder.Path("config", "*.yaml"))
			if err != nil || len(configs) < 8 {
				t.Fatalf("%d configurations, %v", len(configs), err)
			}
			for _, c := range configs {
				if backend.Name == "postgres" {
					useDatabase(t, c, backend.Fresh(t))
				}
				role, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(c), ".yaml"), "-")
				start(t, "serve", role, "--config", c)
			}
			awaitAll(t, folder)
			if err := country.FirstActs(t.Context(), folder, facts, country.Options{Quick: true}); err != nil {
				t.Fatal(err)
			}
			untilAccredited(t, folder)
			tourOf(t.Context(), t, data)
			tracedApart(t, folder)
		})
	}
}

var databaseLine = regexp.MustCompile(`(?m)^database: .*$`)

func useDatabase(t *testing.T, config, url string) {
	t.Helper()
	raw, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(config, "cards-") { // the card host has no database
		return
	}
	changed := databaseLine.ReplaceAll(raw, []byte("database: \""+url+"\""))
	if string(changed) == string(raw) {
		t.Fatalf("%s names no database", config)
	}
	if err := os.WriteFile(config, changed, 0o600); err != nil {
		t.Fatal(err)
	}
}

// awaitAll waits until every origin answers that it is alive.
func awaitAll(t *testing.T, folder country.Folder) {
	t.Helper()
	d, err := folder.Directory()
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for _, role := range []string{"country", "municipality", "jukinet", "jlis", "status", "minister", "platform", "tsa", "holder", "cards", "service"} {
		for _, i := range d.Role(role) {
			for {
				resp, err := http.Get(i.Origin + "/healthz")
				if err == nil {
					resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						break
					}
				}
				if time.Now().After(deadline) {
					t.Fatalf("%s does not answer at %s", i.ID, i.Origin)
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
	}
}

// tracedApart looks whether the console, a process of its own, can tell what every other process was asked.
func tracedApart(t *testing.T, folder country.Folder) {
	t.Helper()
	directory, err := folder.Directory()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range directory.All() {
		if i.Origin == "" || i.ID == country.Cards || i.ID == country.Holder { // one has a key of its own for this, and nobody asked the other
			continue
		}
		remote, err := folder.Remote(country.Country, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		var l trace.List
		err = remote.Call(t.Context(), http.MethodGet, "/trace", "", nil, &l)
		remote.Close()
		if err != nil || l.Actor != i.ID || i.ID != country.Country && len(l.Entries) == 0 {
			t.Errorf("%s remembers %d messages: %v", i.ID, len(l.Entries), err)
		}
	}
	page, err := http.Get(origin(t, directory, country.Country) + "/?lang=en")
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	html, err := io.ReadAll(page.Body)
	if err != nil || page.StatusCode != http.StatusOK || !strings.Contains(string(html), "A signed document is to be checked") {
		t.Errorf("the map of processes apart: %s %v", page.Status, err)
	}
}

func origin(t *testing.T, d *httpapi.Directory, id string) string {
	t.Helper()
	i, err := d.Lookup(id)
	if err != nil {
		t.Fatal(err)
	}
	return i.Origin
}
