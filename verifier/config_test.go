package verifier_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/verifier"
)

func TestConfigurationIsStrict(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"anchors", "status"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "verifier.yaml")
	load := func(text string) (*verifier.Config, error) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return verifier.Load(path)
	}
	const well = "anchors: anchors\nstatus: status\n"
	c, err := load(well + "grace: 36h\nsources:\n  j-lis:\n    url: ldap://d.example/O=JPKI,C=JP\n    every: 24h\nlimits:\n  file_mib: 8\n")
	if err != nil {
		t.Fatal(err)
	}
	if c.Anchors != filepath.Join(dir, "anchors") || c.Listen != "127.0.0.1:8455" || c.Grace != 36*time.Hour || c.Sources["j-lis"].Timeout != 2*time.Minute || c.Limits.FileMiB != 8 || c.Limits.Documents != 16 {
		t.Errorf("%+v", c)
	}
	if err := os.Mkdir(filepath.Join(dir, "anchors", "time"), 0o700); err != nil {
		t.Fatal(err)
	}
	if c, err := load(well); err != nil || c.TimeAnchors != filepath.Join(dir, "anchors", "time") {
		t.Errorf("%+v %v", c, err)
	}
	for text, words := range map[string]string{
		"":                              "anchors",
		"anchors: anchors\n":            "status",
		well + "anchor: x\n":            ":3:1: anchor: there is no such member",
		well + "status: status\n":       "second time",
		"anchors: none\nstatus: status": ":1:10: anchors: the folder cannot be read",
		"anchors: anchors\nstatus: verifier.yaml\n":                      ":2:9: status: this is a file",
		well + "grace: -1h\n":                                            "grace",
		well + "grace: tomorrow\n":                                       ":3:8: grace: this must be a duration",
		well + "listen: nowhere\n":                                       ":3:9: listen",
		well + "hosts: ['http://v.example/']\n":                          "hosts",
		well + "sources:\n  a:\n    url: ftp://x/y\n":                    ":5:10: sources.a.url: there is no kind of source",
		well + "sources:\n  a:\n    every: 1h\n":                         "sources.a.url",
		well + "sources:\n  A B:\n    url: http://x/y\n":                 "a source is called A B",
		well + "sources:\n  a:\n    url: http://x/y\n    password: x\n":  "no such member",
		well + "sources:\n  a:\n    url: http://x/y\n    timeout: -1s\n": "timeout",
		well + "limits:\n  file_mib: 100000\n":                           "from 1 to 1024",
		well + "limits:\n  files: 3\n":                                   "no such member",
	} {
		_, err := load(text)
		if jitsuin.KindOf(err) != jitsuin.Invalid || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v, want %q", text, err, words)
		}
	}
}

func TestInitTouchesNothingThatIsThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "v")
	if err := verifier.Init(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Load(filepath.Join(dir, "verifier.yaml")); err != nil {
		t.Errorf("what init writes: %v", err)
	}
	if err := verifier.Init(dir); jitsuin.KindOf(err) != jitsuin.Conflict {
		t.Errorf("a second time: %v", err)
	}
}

func TestFoldersOfCertificates(t *testing.T) {
	open := func(o *office) error {
		c, err := verifier.Load(filepath.Join(o.folder, "verifier.yaml"))
		if err == nil {
			_, err = verifier.Open(c, verifier.Options{Clock: o.clock})
		}
		return err
	}
	o := newOffice(t)
	o.write("anchors/README", []byte("certificates go here"))
	if err := open(o); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		content []byte
		words   string
	}{
		"resident.pem": {o.certificate(o.ca, 1).Raw, "no certificate of an authority"},
		"half.der":     {o.ca.Cert.Raw[:200], "half.der"},
		"key.pem":      {[]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "no certificate in it"},
	} {
		o := newOffice(t)
		o.write("anchors/"+name, c.content)
		if err := open(o); jitsuin.KindOf(err) != jitsuin.Invalid || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Remove(filepath.Join(o.folder, "anchors", "sign.pem")); err != nil {
		t.Fatal(err)
	}
	if err := open(o); jitsuin.CodeOf(err) != "certificates" {
		t.Errorf("nobody is trusted: %v", err)
	}
}
