package municipality_test

import (
	"path/filepath"
	"testing"

	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/municipality"
)

// Paths of a configuration are relative to its file, also the town's own.
func TestPathsAreRelativeToTheConfiguration(t *testing.T) {
	t.Parallel()
	c := municipality.Config{Import: "residents/91201.jsonl", Config: actor.Config{Instance: townID, Listen: "127.0.0.1:0", Database: "db.sqlite",
		State: "state", Key: "key.pem", Directory: "directory.jws", DirectoryKey: "operator.pem", Clock: "wall"}}
	if err := c.Resolve("/data/config"); err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{c.Import: "residents/91201.jsonl", c.Key: "key.pem", c.Directory: "directory.jws"} {
		if got != filepath.Join("/data/config", want) {
			t.Errorf("%s became %s", want, got)
		}
	}
	absolute := c
	if err := absolute.Resolve("/elsewhere"); err != nil || absolute.Import != c.Import {
		t.Errorf("an absolute path became %s: %v", absolute.Import, err)
	}
	none := c
	none.Import = ""
	if err := none.Resolve("/data"); err != nil || none.Import != "" {
		t.Errorf("no import became %q: %v", none.Import, err)
	}
}
