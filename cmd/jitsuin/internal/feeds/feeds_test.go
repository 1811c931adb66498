package feeds

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

// anActor lays out the files of an actor that has run once, and gives its configuration file.
func anActor(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	key, err := actor.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	who := httpapi.Identity{ID: "jlis:1", Key: key}
	directory, err := httpapi.SignDirectory(key, []httpapi.Instance{who.Public("http://127.0.0.1:1")})
	if err != nil {
		t.Fatal(err)
	}
	config := "instance: jlis:1\nlisten: " + freeAddress(t) + `
database: db.sqlite
state: state
key: key.pem
directory: directory.jws
directory_key: operator.pem
epochs: a member that only the actor knows
`
	path := filepath.Join(dir, "jlis.yaml")
	for _, err := range []error{actor.WriteKey(filepath.Join(dir, "key.pem"), key), actor.WritePublicKey(filepath.Join(dir, "operator.pem"), &key.PublicKey),
		os.WriteFile(filepath.Join(dir, "directory.jws"), directory, 0o600), os.WriteFile(path, []byte(config), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(t.Context(), filepath.Join(dir, "db.sqlite"), nil, feed.Tables())
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		for n := 1; n <= 2; n++ {
			event := fmt.Sprintf(`{"epoch":1,"n":%d,"type":"juki.change","subject":"0123","body":{"name":"secret"}}`, n)
			if _, err := tx.Exec(`INSERT INTO feed_parked (source, topic, epoch, n, authority, subject, event, code, message, tries, parked_at, tried_at)
				VALUES ('jukinet:1', 'jlis', 1, $1, 0, '0123', $2, 'unknown-person', 'nobody of that name', 3, 0, 0)`, n, event); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func TestParkedEventsAreListedWithoutTheirBodies(t *testing.T) {
	var out bytes.Buffer
	n, err := Parked(t.Context(), anActor(t), &out)
	if err != nil || n != 2 {
		t.Fatalf("%d, %v", n, err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[1], "jukinet:1  jlis  1.2  juki.change  0123  3 tries  unknown-person: nobody") {
		t.Errorf("%s", &out)
	}
	if strings.Contains(out.String(), "secret") {
		t.Error("it shows what is in an event")
	}
}

func TestANewEpochIsAlwaysANewOne(t *testing.T) {
	config, log := anActor(t), slog.New(slog.NewTextHandler(io.Discard, nil))
	first, err := NewEpoch(t.Context(), config, 0, log)
	if err != nil {
		t.Fatal(err)
	}
	second, err := NewEpoch(t.Context(), config, 0, log)
	if err != nil || second != first+1 {
		t.Errorf("%d after %d, %v", second, first, err)
	}
	far, err := NewEpoch(t.Context(), config, 50, log)
	if err != nil || far != 50 {
		t.Errorf("%d, %v", far, err)
	}
}

func TestNoNewEpochUnderARunningActor(t *testing.T) {
	path := anActor(t)
	c, err := configuration(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := NewEpoch(t.Context(), path, 0, slog.Default()); jitsuin.CodeOf(err) != "actor-running" {
		t.Errorf("%v", err)
	}
}

func TestNoDatabaseIsMadeByLooking(t *testing.T) {
	path := anActor(t)
	db := filepath.Join(filepath.Dir(path), "db.sqlite")
	if err := os.Remove(db); err != nil {
		t.Fatal(err)
	}
	if _, err := Parked(t.Context(), path, io.Discard); jitsuin.CodeOf(err) != "no-database" {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(db); err == nil {
		t.Error("the database was made")
	}
}
