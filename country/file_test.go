package country

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Several programs may need a key at the same moment, and the power may go at any: there is one
// key, and nobody ever reads half of it.
func TestKeysAndSecretsAreDrawnOnce(t *testing.T) {
	for range 20 {
		f := Folder(t.TempDir())
		if err := os.MkdirAll(f.Path("secrets"), 0o700); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		keys, secrets := make([]string, 8), make([]string, 8)
		for i := range keys {
			all.Go(func() {
				id, err := f.keyOf("terminal:91201")
				if err == nil {
					raw, err := id.Key.Bytes()
					if err != nil {
						t.Error(err)
					}
					keys[i] = hex.EncodeToString(raw)
				} else {
					t.Error(err)
				}
				if err := f.makeSecret("passphrase"); err != nil {
					t.Error(err)
				}
				raw, err := os.ReadFile(f.Path("secrets", "passphrase"))
				if err != nil {
					t.Error(err)
				}
				secrets[i] = string(raw)
			})
		}
		all.Wait()
		for i := range keys {
			if keys[i] != keys[0] || secrets[i] != secrets[0] || len(secrets[i]) < 30 {
				t.Fatalf("one is %q %q, another %q %q", keys[0], secrets[0], keys[i], secrets[i])
			}
		}
		left, err := filepath.Glob(f.Path("secrets", "keys", ".*"))
		if err != nil || len(left) > 0 {
			t.Fatal(left, err)
		}
	}
}

func TestReplaceLeavesWhatWasThereWhereItFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := replace(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keep(path, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if raw, _ := os.ReadFile(path); string(raw) != "one" {
		t.Errorf("kept %q", raw)
	}
	if err := replace(path, []byte("three"), 0o640); err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(path); err != nil || i.Size() != 5 || i.Mode().Perm() != 0o640 {
		t.Errorf("%v %v", i, err)
	}
	if err := replace(filepath.Join(dir, "none", "a"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("left behind: %v", list)
	}
}
