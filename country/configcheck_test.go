//go:build unix

package country_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
)

// TestWrongConfigurations: each message names file, line and member and says what to do, and nothing was made
// or changed. what is the text at whose line the mistake is.
func TestWrongConfigurations(t *testing.T) {
	f := country.Folder(t.TempDir())
	if _, _, err := country.Open(country.Options{Data: string(f), Listen: "127.0.0.1:21600"}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(f.Path("actors")); err != nil { // so that whatever is made there is seen
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(f.Path("secrets", "no.pem"), []byte("no key\n"), 0o600))
	must(os.WriteFile(f.Path("secrets", "secret.pem"), []byte("x"), 0o600))
	for _, c := range []struct {
		name, id, from, to string
		at, member, says   string // at: text of the line; says: part of message or hint
	}{
		{"unknown member", country.JLIS, "listen:", "lisen:", "lisen:", "lisen", `did you mean "listen"`},
		{"unknown member inside another", country.JLIS, "  cadence:", "  cadense:", "cadense", "status.cadense", `did you mean "cadence"`},
		{"unknown member that is like none", country.Jukinet, "clock:", "watch_tower_height: 3\nclock:", "watch_tower", "watch_tower_height", "the members are: instance, listen"},
		{"doubled member", country.JLIS, "clock:", "state: elsewhere\nclock:", "state: elsewhere", "state", "a second time"},
		{"a word for a number", country.JLIS, "places:", "ca_years: many\nplaces:", "ca_years", "ca_years", "a whole number"},
		{"a list for a text", country.JLIS, "clock: country:1", "clock: [a, b]", "clock:", "clock", "text"},
		{"a text for members", country.JLIS, "places:", "status_: 1\nplaces:", "status_", "status_", `did you mean "status"`},
		{"a word for true or false", country.JLIS, "places:", "client_auth: perhaps\nplaces:", "client_auth", "client_auth", "true or false"},
		{"no duration", country.Platform, "clock:", "challenge_life: soon\nclock:", "challenge_life", "challenge_life", "a duration such as 30s"},
		{"a duration below zero", country.Platform, "clock:", "challenge_life: -5m\nclock:", "challenge_life", "challenge_life", "above zero"},
		{"missing member", country.JLIS, "listen: 127.0.84.21:21600\n", "", "instance:", "listen", "missing"},
		{"missing member inside another", country.JLIS, "    municipality: Asagirino-shi\n", "", "91201", "places.91201.municipality", "missing"},
		{"empty member", country.Jukinet, "listen: 127.0.84.20:21600", "listen: \"\"", "listen:", "listen", "missing"},
		{"no port", country.Jukinet, "127.0.84.20:21600", "127.0.84.20", "listen:", "listen", "HOST:PORT"},
		{"a port too high", country.Jukinet, "127.0.84.20:21600", "127.0.84.20:99999", "listen:", "listen", "from 1 to 65535"},
		{"a database of an unknown kind", country.Jukinet, "database: ../actors/jukinet-1/db.sqlite", "database: mysql://here/db", "database:", "database", "postgres://"},
		{"a database in a file", country.Jukinet, "database: ../actors/jukinet-1/db.sqlite", "database: ../country.json/db.sqlite", "database:", "database", "is no folder"},
		{"a key that is not there", country.Jukinet, "keys/jukinet-1.pem", "keys/nobody.pem", "key:", "key", "paths are relative to the folder"},
		{"a key that is none", country.Jukinet, "../secrets/keys/jukinet-1.pem", "../secrets/no.pem", "key:", "key", "PEM"},
		{"a public key in the place of a private one", country.Jukinet, "../secrets/keys/jukinet-1.pem", "../operator.pub.pem", "key:", "key", "openssl genpkey"},
		{"a directory of somebody else", country.Jukinet, "directory: ../directory.jws", "directory: ../country.json", "directory:", "directory", "signed by the operator"},
		{"an instance that is not in the directory", country.Jukinet, "instance: jukinet:1", "instance: jukinet:9", "instance:", "instance", "it has: jukinet:1"},
		{"a neighbour that is not in the directory", country.JLIS, "card_host: cards:1", "card_host: cards:7", "card_host:", "card_host", "it has: cards:1"},
		{"a neighbour of another role", country.JLIS, "card_host: cards:1", "card_host: jukinet:1", "card_host:", "card_host", "the place of a cards"},
		{"an instance without a name", country.Jukinet, "instance: jukinet:1", "instance: jukinet", "instance:", "instance", "ROLE:NAME"},
		{"a role that is none", country.Jukinet, "instance: jukinet:1", "instance: mayor:1", "instance:", "instance", "the roles are"},
		{"a word that may not be", country.JLIS, "cadence: immediate", "cadence: sometimes", "cadence:", "status.cadence", "immediate, official"},
		{"a switch that is none", country.Cards, "cards:1\n", "cards:1\nswitches:\n  blocked_qery: true\n", "blocked_qery", "switches.blocked_qery", `did you mean "blocked_query"`},
		{"a switch out of range", country.Cards, "cards:1\n", "cards:1\nswitches:\n  check_number_tries: 16\n", "check_number_tries", "switches.check_number_tries", "from 1 to 15"},
		{"a key for faults that is not there", country.Cards, "../secrets/cards-fault-key", "../secrets/gone", "fault_key:", "fault_key", "cannot be read"},
		{"a number out of range", country.JLIS, "places:", "ca_years: 90\nplaces:", "ca_years", "ca_years", "from 7 to 50"},
		{"no origin", country.Securities, "clock:", "origin: localhost/login\nclock:", "origin:", "origin", "https://HOST"},
		{"no YAML", country.Jukinet, "clock:", "clock: [\nx:", "", "", "no YAML"},
		{"a tab", country.Jukinet, "clock:", "\tclock:", "clock:", "", "no YAML"},
		{"a second document", country.Jukinet, "clock:", "---\nclock:", "clock:", "", "second document"},
		{"a file that is not there", country.JLIS, "passphrase_file: ../secrets/passphrase", "passphrase_file: ../secrets/gone", "passphrase_file:", "passphrase_file", "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := os.ReadFile(f.ConfigPath(c.id))
			must(err)
			wrong := strings.Replace(string(raw), c.from, c.to, 1)
			if wrong == string(raw) {
				t.Fatalf("%s has no %q:\n%s", f.ConfigPath(c.id), c.from, raw)
			}
			path := f.Path("config", "wrong.yaml")
			must(os.WriteFile(path, []byte(wrong), 0o600))
			defer os.Remove(path)
			before := tree(t, f)
			_, err = country.CheckConfig(path, "")
			serveErr := country.Serve(t.Context(), "", path, slog.New(slog.DiscardHandler), nil)
			sameTree(t, before, tree(t, f))
			if _, err := os.Stat(f.Path("actors")); err == nil {
				t.Error("a folder was made")
			}
			e, ok := errors.AsType[*jitsuin.Error](err)
			if !ok || e.Kind != jitsuin.Invalid || e.Code != "config" {
				t.Fatalf("got %v", err)
			}
			if serveErr == nil || serveErr.Error() != err.Error() {
				t.Errorf("serve says %v, the check %v", serveErr, err)
			}
			if want := fmt.Sprintf("%s:%d:", path, lineOf(wrong, c.at)); c.at != "" && !strings.HasPrefix(e.Message, want) {
				t.Errorf("does not begin with %s: %s", want, e.Message)
			}
			if c.member != "" && (!strings.Contains(e.Message, ": "+c.member+": ") || e.Field != c.member) {
				t.Errorf("does not name %s: %s", c.member, e.Message)
			}
			if e.Hint == "" || !strings.Contains(e.Message+" "+e.Hint, c.says) {
				t.Errorf("does not say %q: %s (%s)", c.says, e.Message, e.Hint)
			}
		})
	}
	for _, path := range glob(t, f.Path("config", "*.yaml")) {
		if _, err := country.CheckConfig(path, ""); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	_, err := country.CheckConfig(f.ConfigPath(country.JLIS), "jukinet")
	if jitsuin.CodeOf(err) != "config-role" || !strings.Contains(err.Error(), "jlis-1.yaml:3:") {
		t.Errorf("another role: %v", err)
	}
}

// Several mistakes in one file are named at once.
func TestAllMistakesAreNamed(t *testing.T) {
	f := country.Folder(t.TempDir())
	if _, _, err := country.Open(country.Options{Data: string(f), Listen: "127.0.0.1:21600"}); err != nil {
		t.Fatal(err)
	}
	path := f.ConfigPath(country.JLIS)
	edit(t, path, "listen: 127.0.84.21:21600", "listen: nowhere")
	edit(t, path, "cadence: immediate", "cadence: never")
	_, err := country.CheckConfig(path, "")
	for _, want := range []string{"2 things", ": listen: ", ": status.cadence: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("lacks %q: %v", want, err)
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(pattern)
	if err != nil || len(all) < 8 {
		t.Fatalf("%v, %v", all, err)
	}
	return all
}

func lineOf(text, part string) int {
	for i, line := range strings.Split(text, "\n") {
		if strings.Contains(line, part) && !strings.HasPrefix(line, "#") {
			return i + 1
		}
	}
	return 0
}
