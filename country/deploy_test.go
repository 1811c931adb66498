//go:build unix

package country_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/country"
)

const units = "../deploy/systemd"

// installUnits copies the units to a folder where systemd-analyze finds them, changed by edit.
func installUnits(t *testing.T, edit func(string) string) string {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(units)); err != nil {
		t.Fatal(err)
	}
	service := filepath.Join(dir, "jitsuin@.service")
	raw, err := os.ReadFile(service)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(service, []byte(edit(strings.ReplaceAll(string(raw), "/usr/local/bin/jitsuin", bin))), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func analyze(dir string, args ...string) (string, error) {
	cmd := exec.Command("systemd-analyze", append(args, "jitsuin@jlis-1.service", "jitsuin@jlis-1.socket")...)
	if args[0] == "security" {
		cmd.Args = cmd.Args[:len(cmd.Args)-1] // a socket has no exposure
	}
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestSystemdAcceptsTheUnits asks systemd whether the units are well-formed and how exposed the
// service is; mistyped and unprotected copies must not pass.
func TestSystemdAcceptsTheUnits(t *testing.T) {
	judge(t, "systemd-analyze")
	verify := []string{"verify", "--man=no", "--recursive-errors=yes"}
	exposure := []string{"security", "--offline=true", "--no-pager", "--threshold=15"} // in tenths
	as := func(s string) string { return s }
	good := installUnits(t, as)
	for _, question := range [][]string{verify, exposure} {
		if out, err := analyze(good, question...); err != nil {
			t.Errorf("%s: %v\n%s", question[0], err, out)
		}
	}
	for name, c := range map[string]struct {
		question []string
		edit     *strings.Replacer
	}{
		"a mistyped key":     {verify, strings.NewReplacer("ProtectSystem=", "ProtectSytem=")},
		"a mistyped value":   {verify, strings.NewReplacer("Type=notify", "Type=notfy")},
		"no such program":    {verify, strings.NewReplacer("ExecStart=/", "ExecStart=/nowhere/")},
		"no such socket":     {verify, strings.NewReplacer("Requires=jitsuin@%i.socket", "Requires=jitsuin-%i.socket")},
		"all capabilities":   {exposure, strings.NewReplacer("CapabilityBoundingSet=\n", "\n")},
		"every system call":  {exposure, strings.NewReplacer("SystemCallFilter", "#")},
		"root, system write": {exposure, strings.NewReplacer("DynamicUser=yes", "", "ProtectSystem=strict", "")},
	} {
		if out, err := analyze(installUnits(t, c.edit.Replace), c.question...); err == nil {
			t.Errorf("%s passes %s:\n%s", name, c.question[0], out)
		}
	}
}

// unitValues gives the values of a key in a unit and its drop-ins; an empty one drops those before.
func unitValues(t *testing.T, key string, files ...string) []string {
	t.Helper()
	var all []string
	for _, file := range files {
		raw, err := os.ReadFile(filepath.Join(units, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^`+key+`=(.*)$`).FindAllStringSubmatch(string(raw), -1) {
			if all = append(all, m[1]); m[1] == "" {
				all = nil
			}
		}
	}
	return all
}

// TestTheExampleDeploymentStarts does what the units say for J-LIS: the credentials, the sockets, the
// command line, and the example configuration. Only the places are others: folders below a temporary
// one, addresses of this test, and SQLite.
func TestTheExampleDeploymentStarts(t *testing.T) {
	f, facts, err := country.Open(country.Options{Data: t.TempDir(), Listen: listen(t)})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("../deploy/etc/jlis-1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	credentials, config := t.TempDir(), string(raw)
	streams := unitValues(t, "ListenStream", "jitsuin@.socket", "jitsuin@jlis-1.socket.d/listen.conf")
	if len(streams) != 2 {
		t.Fatalf("the sockets: %q", streams)
	}
	plan, err := country.NewPlan(facts.Listen)
	if err != nil {
		t.Fatal(err)
	}
	m := &manager{t: t, notify: notifySocket(t)}
	for i, stream := range streams {
		there := plan.Listen(200 + i)
		if !strings.Contains(config, "listen: "+stream+"\n") {
			t.Errorf("the socket unit listens on %s, the configuration does not", stream)
		}
		config = strings.ReplaceAll(config, stream, there)
		held, err := net.Listen("tcp", there)
		if err != nil {
			t.Fatal(err)
		}
		m.hold(held)
	}
	config = regexp.MustCompile(`(?m)^metrics: \S+`).ReplaceAllString(config, "metrics: "+plan.Listen(210))
	config = regexp.MustCompile(`(?m)^database: postgres://.*$`).ReplaceAllString(config, "database: "+t.TempDir()+"/jlis.db")
	config = strings.NewReplacer("/var/lib/jitsuin", t.TempDir(), "/etc/jitsuin", string(f)).Replace(config)
	sources := map[string]string{"/etc/jitsuin/%i.pem": f.KeyPath(country.JLIS), "/etc/jitsuin/status-1.pem": f.KeyPath(country.Status),
		"/etc/jitsuin/jlis-1.passphrase": f.Path("secrets", "passphrase")}
	for _, c := range unitValues(t, "LoadCredential", "jitsuin@.service", "jitsuin@jlis-1.service.d/secrets.conf") {
		name, from, _ := strings.Cut(c, ":")
		content := []byte(config)
		if from != "/etc/jitsuin/%i.yaml" {
			if content, err = os.ReadFile(sources[from]); err != nil {
				t.Fatalf("credential %s: %v", c, err)
			}
		}
		if err := os.WriteFile(filepath.Join(credentials, name), content, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	command := strings.Fields(strings.ReplaceAll(unitValues(t, "ExecStart", "jitsuin@.service")[0], "%d", credentials))
	m.args = command[1:]
	m.start()
	m.stop()
}
