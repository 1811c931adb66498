package doctor_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/doctor"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/store"
)

// live runs the country in dir until the work is done.
func live(t *testing.T, dir string, quick bool, work func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := country.Options{Data: dir, Seed: 1, Quick: quick, Log: slog.New(slog.DiscardHandler), Ready: func(country.Folder) {
		defer cancel()
		work()
	}}
	if _, err := os.Stat(filepath.Join(dir, "country.json")); err != nil {
		port, err := freeport.Find()
		if err != nil {
			t.Fatal(err)
		}
		o.Listen = fmt.Sprintf("127.0.0.1:%d", port)
	}
	if err := country.Up(ctx, o); err != nil {
		t.Fatal(err)
	}
}

// clone copies a folder with its modes.
func clone(t *testing.T, from string) (to string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "data")
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, path)
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), info.Mode().Perm())
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), raw, info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// digest tells whether anything in a folder has changed.
func digest(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		info, _ := d.Info()
		fmt.Fprintln(h, path, info.Mode(), info.ModTime().UnixNano())
		if !d.IsDir() {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			h.Write(raw)
		}
		return nil
	})
	return fmt.Sprintf("%x", h.Sum(nil))
}

func examine(t *testing.T, o doctor.Options) doctor.Report {
	t.Helper()
	o.Deep = time.Hour // a busy machine is no finding
	r, err := doctor.Examine(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unwell gives code and subject of everything that is not well.
func unwell(r doctor.Report) (all []string) {
	for _, f := range r {
		if f.Level != doctor.Well {
			all = append(all, f.Code+" "+f.Subject)
		}
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(content), 0o600))
}

// edit changes a file's content.
func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	raw, err := os.ReadFile(path)
	must(t, err)
	changed := change(bytes.Clone(raw))
	if bytes.Equal(raw, changed) {
		t.Fatalf("%s was not changed", path)
	}
	must(t, os.WriteFile(path, changed, 0o600))
}

// sql changes an actor's database behind its back.
func sql(t *testing.T, path, statement string, args ...any) {
	t.Helper()
	db, err := store.Open(t.Context(), path, nil)
	must(t, err)
	defer db.Close()
	must(t, db.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(statement, args...); return err }))
}

// TestDoctor examines a healthy country, stopped and running, and then one in every kind of trouble.
func TestDoctor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	live(t, dir, true, func() {})
	young := clone(t, dir)
	live(t, dir, false, func() { // with cards: later events, signatures, serial numbers
		r := examine(t, doctor.Options{Data: dir})
		if u := unwell(r); len(u) > 0 {
			t.Errorf("a running country is not well: %q", u)
		}
		for _, code := range []string{"ready jlis:1", "metrics platform:1", "ready cards:1", "running " + dir} {
			if !slices.ContainsFunc(r, func(f doctor.Finding) bool { return f.Code+" "+f.Subject == code }) {
				t.Errorf("nothing was found about %s", code)
			}
		}
	})
	before := digest(t, dir)
	if u := unwell(examine(t, doctor.Options{Data: dir})); len(u) > 0 {
		t.Fatalf("a healthy country is not well: %q", u)
	}
	if u := unwell(examine(t, doctor.Options{Config: country.Folder(dir).ConfigPath(country.JLIS)})); len(u) > 0 {
		t.Fatalf("a healthy actor is not well: %q", u)
	}
	if digest(t, dir) != before {
		t.Error("the doctor has changed something")
	}
	for _, c := range troubles(young) { // one after the other: their countries have the same addresses
		t.Run(c.name, func(t *testing.T) {
			data := clone(t, dir)
			o := doctor.Options{Data: data}
			if c.options != nil {
				c.options(&o)
			}
			c.bring(t, data)
			r := examine(t, o)
			want := strings.Replace(c.want, "DATA", data, 1)
			if got := unwell(r); !slices.Equal(got, []string{want}) {
				t.Errorf("found %q, want %q", got, want)
			}
			if c.says != "" && !strings.Contains(r.Summary("en")+text(r), c.says) {
				t.Errorf("does not say %q:\n%s", c.says, text(r))
			}
			if r.Wrong() == c.note {
				t.Errorf("wrong is %v", r.Wrong())
			}
		})
	}
}

func text(r doctor.Report) string {
	var b strings.Builder
	for _, l := range r.Lines("en", false) {
		fmt.Fprintln(&b, l.Text)
	}
	return b.String()
}

// port gives the platform's port for logins by card a certificate for a host, "" for the right one, that begins and ends so many days from now.
func port(t *testing.T, d, host string, from, until int) {
	t.Helper()
	s, err := country.ReadSettings(country.Folder(d).ConfigPath("platform:1"))
	must(t, err)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().AddDate(0, 0, from), NotAfter: time.Now().AddDate(0, 0, until), DNSNames: []string{host}}
	if host == "" {
		tmpl.DNSNames, tmpl.IPAddresses = nil, []net.IP{net.ParseIP(s.TLS.Host)}
	}
	key, err := actor.NewKey()
	must(t, err)
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	must(t, err)
	files := filepath.Join(d, "actors", "platform-1")
	write(t, filepath.Join(files, "port.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	must(t, actor.WriteKey(filepath.Join(files, "port.key"), key))
	edit(t, country.Folder(d).ConfigPath("platform:1"), func(b []byte) []byte {
		out := regexp.MustCompile(`(?m)^tls_login:\n( +)listen: .*$`).ReplaceAll(b, []byte("$0\n${1}certificate: ../actors/platform-1/port.pem\n${1}key: ../actors/platform-1/port.key"))
		if bytes.Equal(out, b) {
			t.Fatal("the configuration has no tls_login")
		}
		return out
	})
}

type trouble struct {
	name    string
	bring   func(t *testing.T, data string)
	want    string // code and subject
	says    string
	note    bool // and no person must act
	options func(*doctor.Options)
}

// troubles are ways to break a country; young is a copy of it from before it had cards.
func troubles(young string) []trouble {
	in := func(data string, names ...string) string { return filepath.Join(append([]string{data}, names...)...) }
	town, agency := []string{"actors", "municipality-91201"}, []string{"actors", "jlis-1"}
	at := func(data string, parts []string, more ...string) string {
		return in(data, append(slices.Clone(parts), more...)...)
	}
	back := func(t *testing.T, data string, parts []string, name string) {
		raw, err := os.ReadFile(at(young, parts, name))
		must(t, err)
		must(t, os.WriteFile(at(data, parts, name), raw, 0o600))
	}
	return []trouble{
		{name: "a key that others can read", want: "open-to-others secrets/keys/jlis-1.pem", says: "chmod 0600",
			bring: func(t *testing.T, d string) { must(t, os.Chmod(in(d, "secrets/keys/jlis-1.pem"), 0o644)) }},
		{name: "a folder that others can enter", want: "open-to-others residents", says: "chmod 0700",
			bring: func(t *testing.T, d string) { must(t, os.Chmod(in(d, "residents"), 0o755)) }},
		{name: "an edited directory", want: "directory-signature directory.jws",
			bring: func(t *testing.T, d string) {
				edit(t, in(d, "directory.jws"), func(b []byte) []byte {
					parts := strings.Split(string(b), ".")
					parts[1] = parts[1][:40] + strings.Map(func(r rune) rune { return r ^ 1 }, parts[1][40:41]) + parts[1][41:]
					return []byte(strings.Join(parts, "."))
				})
			}},
		{name: "a wrong pinned key", want: "pin-differs operator.pub.pem",
			bring: func(t *testing.T, d string) {
				key, err := actor.NewKey()
				must(t, err)
				must(t, actor.WritePublicKey(in(d, "operator.pub.pem"), &key.PublicKey))
			}},
		{name: "a missing key", want: "key-missing secrets/keys/platform-1.pem",
			bring: func(t *testing.T, d string) { must(t, os.Remove(in(d, "secrets/keys/platform-1.pem"))) }},
		{name: "another key", want: "key-differs secrets/keys/platform-1.pem",
			bring: func(t *testing.T, d string) {
				key, err := actor.NewKey()
				must(t, err)
				must(t, actor.WriteKey(in(d, "secrets/keys/platform-1.pem"), key))
			}},
		{name: "half a key", want: "key-broken secrets/keys/platform-1.pem",
			bring: func(t *testing.T, d string) {
				edit(t, in(d, "secrets/keys/platform-1.pem"), func(b []byte) []byte { return b[:len(b)/2] })
			}},
		{name: "a typing error in a configuration", want: "config-broken config/minister-1.yaml", says: "minister-1.yaml:4:1: lissten: there is no such member",
			bring: func(t *testing.T, d string) {
				edit(t, in(d, "config/minister-1.yaml"), func(b []byte) []byte { return bytes.Replace(b, []byte("\nlisten:"), []byte("\nlissten:"), 1) })
			}},
		{name: "a missing configuration", want: "config-missing config/minister-1.yaml",
			bring: func(t *testing.T, d string) { must(t, os.Remove(in(d, "config/minister-1.yaml"))) }},
		{name: "a configuration in the wrong place", want: "config-of-another config/minister-1.yaml",
			bring: func(t *testing.T, d string) {
				raw, err := os.ReadFile(in(d, "config/jukinet-1.yaml"))
				must(t, err)
				write(t, in(d, "config/minister-1.yaml"), string(raw))
			}},
		{name: "a configuration of nobody", want: "config-stranger config/old.yaml", note: true,
			bring: func(t *testing.T, d string) { write(t, in(d, "config/old.yaml"), "instance: minister:1\n") }},
		{name: "an address of another machine", want: "address-unusable minister:1", says: "192.0.2.1:9",
			bring: func(t *testing.T, d string) {
				edit(t, in(d, "config/minister-1.yaml"), func(b []byte) []byte {
					return regexp.MustCompile(`(?m)^metrics: .*$`).ReplaceAll(b, []byte("metrics: 192.0.2.1:9"))
				})
			}},
		{name: "an address that somebody else has", want: "address-taken minister:1", says: "ss -ltnp",
			bring: func(t *testing.T, d string) {
				s, err := country.ReadSettings(country.Folder(d).ConfigPath(country.Minister))
				must(t, err)
				l, err := net.Listen("tcp", s.Metrics)
				must(t, err)
				t.Cleanup(func() { l.Close() })
			}},
		{name: "a port for logins by card whose certificate is over", want: "tls-over platform:1", says: "without a restart",
			bring: func(t *testing.T, d string) { port(t, d, "", -100, -1) }},
		{name: "one that begins tomorrow", want: "tls-over platform:1",
			bring: func(t *testing.T, d string) { port(t, d, "", 1, 100) }},
		{name: "one that ends soon", want: "tls-soon platform:1", note: true,
			bring: func(t *testing.T, d string) { port(t, d, "", -100, 13) }},
		{name: "one of another host", want: "tls-name platform:1",
			bring: func(t *testing.T, d string) { port(t, d, "login.example", -1, 100) }},
		{name: "a certificate and a key that do not belong together", want: "tls-broken actors/platform-1/port.pem",
			bring: func(t *testing.T, d string) {
				port(t, d, "", -1, 100)
				key, err := actor.NewKey()
				must(t, err)
				must(t, actor.WriteKey(in(d, "actors/platform-1/port.key"), key))
			}},
		{name: "a port for logins by card that somebody else has", want: "address-taken platform:1",
			bring: func(t *testing.T, d string) {
				s, err := country.ReadSettings(country.Folder(d).ConfigPath("platform:1"))
				must(t, err)
				l, err := net.Listen("tcp", s.TLS.Listen)
				must(t, err)
				t.Cleanup(func() { l.Close() })
			}},
		{name: "a configuration without figures", want: "metrics-none minister:1", note: true,
			bring: func(t *testing.T, d string) {
				edit(t, in(d, "config/minister-1.yaml"), func(b []byte) []byte { return bytes.Replace(b, []byte("\nmetrics:"), []byte("\n# metrics:"), 1) })
			}},
		{name: "a database that was put back", want: "rolled-back municipality:91201",
			bring: func(t *testing.T, d string) { back(t, d, town, "db.sqlite") }},
		{name: "a broken page", want: "database-broken municipality:91201",
			bring: func(t *testing.T, d string) {
				edit(t, at(d, town, "db.sqlite"), func(b []byte) []byte {
					for i := 4096; i < 4*4096; i++ {
						b[i] ^= 0x5a
					}
					return b
				})
			}},
		{name: "a missing database", want: "database-missing municipality:91201",
			bring: func(t *testing.T, d string) { must(t, os.Remove(at(d, town, "db.sqlite"))) }},
		{name: "a database of a newer release", want: "schema-newer municipality:91201", says: "99",
			bring: func(t *testing.T, d string) {
				sql(t, at(d, town, "db.sqlite"), `INSERT INTO schema_version (version_id, is_applied) VALUES (99, 1)`)
			}},
		{name: "a missing high-water file", want: "high-water-missing municipality:91201",
			bring: func(t *testing.T, d string) { must(t, os.Remove(at(d, town, "state", "feeds.high-water"))) }},
		{name: "an edited high-water file", want: "high-water-broken municipality:91201",
			bring: func(t *testing.T, d string) {
				edit(t, at(d, town, "state", "feeds.high-water"), func(b []byte) []byte { return append([]byte("residents one\n"), b...) })
			}},
		{name: "a parked event", want: "parked jukinet:1", says: "1 events of municipality:91201 (residents)",
			bring: func(t *testing.T, d string) {
				sql(t, in(d, "actors/jukinet-1/db.sqlite"), `INSERT INTO feed_parked (source, topic, epoch, n, authority, subject, event, code, message, tries, parked_at, tried_at)
					VALUES ('municipality:91201', 'residents', 1, 1, 1, 'somebody', '{}', 'x', 'x', 1, 1, 1)`)
			}},
		{name: "a missing passphrase", want: "secret-missing secrets/passphrase",
			bring: func(t *testing.T, d string) { must(t, os.Remove(in(d, "secrets/passphrase"))) }},
		{name: "another passphrase", want: "signer-passphrase jlis:1",
			bring: func(t *testing.T, d string) { write(t, in(d, "secrets/passphrase"), "not this one\n") }},
		{name: "another passphrase of the time-stamping authority", want: "signer-passphrase tsa:1",
			bring: func(t *testing.T, d string) { write(t, in(d, "secrets/tsa-passphrase"), "not this one\n") }},
		{name: "a time-stamping authority without keys", want: "signer-missing tsa:1",
			bring: func(t *testing.T, d string) {
				must(t, os.Remove(in(d, "actors/tsa-1/state/authority/keys.pem.age")))
			}},
		{name: "a journal that lost its end", want: "journal-behind jlis:1",
			bring: func(t *testing.T, d string) {
				edit(t, at(d, agency, "state", "signer", "signatures.jsonl"), func(b []byte) []byte { return b[:bytes.LastIndexByte(b[:len(b)-1], '\n')+1] })
			}},
		{name: "an edited journal", want: "journal-broken jlis:1", says: "line 1 ",
			bring: func(t *testing.T, d string) {
				edit(t, at(d, agency, "state", "signer", "signatures.jsonl"), func(b []byte) []byte { return bytes.Replace(b, []byte(`"counter":1,`), []byte(`"counter":7,`), 1) })
			}},
		{name: "a CA database that was put back with its high-water file", want: "journal-ahead jlis:1",
			bring: func(t *testing.T, d string) {
				back(t, d, agency, "db.sqlite")
				raw, err := os.ReadFile(at(young, agency, "state", "feeds.high-water"))
				if err == nil {
					err = os.WriteFile(at(d, agency, "state", "feeds.high-water"), raw, 0o600)
				} else {
					err = os.Remove(at(d, agency, "state", "feeds.high-water"))
				}
				must(t, err)
			}},
		{name: "signer's keys that are gone", want: "signer-missing jlis:1",
			bring: func(t *testing.T, d string) { must(t, os.Remove(at(d, agency, "state", "signer", "keys.pem.age"))) }},
		{name: "a restore that was cut short", want: "restore-unfinished jukinet:1",
			bring: func(t *testing.T, d string) {
				must(t, actor.WriteRestored(in(d, "actors/jukinet-1/state"), actor.Restored{RestoredAt: time.Now()}))
			}},
		{name: "a restore that has not caught up", want: "restore-catching-up jukinet:1", note: true,
			bring: func(t *testing.T, d string) {
				must(t, actor.WriteRestored(in(d, "actors/jukinet-1/state"), actor.Restored{RestoredAt: time.Now(), Done: true}))
			}},
		{name: "a folder of a newer release", want: "folder-newer DATA",
			bring: func(t *testing.T, d string) {
				edit(t, in(d, "country.json"), func(b []byte) []byte {
					var facts map[string]any
					must(t, json.Unmarshal(b, &facts))
					facts["format"] = 99
					raw, err := json.Marshal(facts)
					must(t, err)
					return raw
				})
			}},
		{name: "half a country.json", want: "facts-broken country.json",
			bring: func(t *testing.T, d string) {
				edit(t, in(d, "country.json"), func(b []byte) []byte { return b[:len(b)/2] })
			}},
		{name: "no country", want: "no-country DATA",
			bring: func(t *testing.T, d string) { must(t, os.Remove(in(d, "country.json"))) }},
		{name: "a process that has the country and answers nobody", want: "locked-silent DATA",
			bring: func(t *testing.T, d string) {
				unlock, err := country.Folder(d).Lock()
				must(t, err)
				t.Cleanup(unlock)
			}},
		{name: "a clock that was set back", want: "wall-clock-behind country.json", bring: func(*testing.T, string) {},
			options: func(o *doctor.Options) { o.Now = func() time.Time { return time.Now().Add(-24 * time.Hour) } }},
		{name: "an actor that has not heard of the time", want: "civil-time-differs minister:1", note: true,
			bring: func(t *testing.T, d string) {
				for _, id := range []string{"country-1", "municipality-91201", "municipality-91302", "municipality-92201", "municipality-93301", "jukinet-1", "jlis-1", "platform-1", "tsa-1", "holder-1", "service-securities-1"} {
					sql(t, in(d, "actors", id, "db.sqlite"), `INSERT INTO civil_clock (one, offset_micros) VALUES (1, 86400000000)`)
				}
			}},
	}
}

// A stranger at an address of ours is told from an actor, and a second country from ours.
func TestDoctorTellsWhoAnswers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	live(t, dir, true, func() {
		other := clone(t, dir) // the same addresses, other keys
		for _, id := range []string{country.Minister, country.Jukinet} {
			key, err := actor.NewKey()
			must(t, err)
			must(t, actor.WriteKey(country.Folder(other).KeyPath(id), key))
		}
		got := unwell(examine(t, doctor.Options{Config: country.Folder(other).ConfigPath(country.Minister)}))
		if !slices.Contains(got, "address-foreign minister:1") {
			t.Errorf("another country's minister was taken for ours: %q", got)
		}
	})
	s, err := country.ReadSettings(country.Folder(dir).ConfigPath(country.Minister))
	must(t, err)
	l, err := net.Listen("tcp", s.Listen)
	must(t, err)
	server := &http.Server{Handler: http.NotFoundHandler()}
	go server.Serve(l)
	defer server.Close()
	if got := unwell(examine(t, doctor.Options{Data: dir})); !slices.Equal(got, []string{"address-foreign minister:1"}) {
		t.Errorf("found %q", got)
	}
}
