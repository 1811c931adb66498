// Command release makes what is given out: archives of the program for each system, the OCI image,
// and the list of licences. The same commit makes the same bytes.
//
//	release dist     -version V -out DIR    archives with licences, and SHA256SUMS
//	release image    -version V -out DIR    jitsuin-V-oci.tar
//	release licences                        the notices of what is linked, on standard output
//
// It is run in the folder tools of the sources.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/tools/archive"
	"github.com/jitsuin/jitsuin/tools/image"
	"github.com/jitsuin/jitsuin/tools/licences"
)

// targets are the systems that we support.
var targets = []licences.Target{{OS: "linux", Arch: "amd64"}, {OS: "linux", Arch: "arm64"}, {OS: "darwin", Arch: "arm64"},
	{OS: "darwin", Arch: "amd64"}, {OS: "windows", Arch: "amd64"}}

const (
	root    = ".."
	program = "./cmd/jitsuin"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say what to make: dist, image or licences")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	version := flags.String("version", "", "version of the release")
	out := flags.String("out", filepath.Join(root, "dist"), "folder for what is made")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if args[0] == "licences" {
		all, err := licences.Collect(root, program, targets)
		if err != nil {
			return err
		}
		return licences.Write(os.Stdout, all)
	}
	r, err := newRelease(*version, *out)
	if err != nil {
		return err
	}
	switch args[0] {
	case "dist":
		return r.dist()
	case "image":
		return r.image()
	}
	return fmt.Errorf("there is no %q to make", args[0])
}

// release is one commit on its way out.
type release struct {
	version, revision, out string
	made                   time.Time
	notices                []byte
}

func newRelease(version, out string) (*release, error) {
	if version == "" || strings.ContainsAny(version, "/\\ ") {
		return nil, fmt.Errorf("%q is no version", version)
	}
	r := &release{version: version, out: out}
	commit, err := exec.Command("git", "log", "-1", "--format=%ct %H").Output()
	seconds, revision, _ := strings.Cut(strings.TrimSpace(string(commit)), " ")
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" { // sources without their history
		seconds, err = epoch, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the time of the commit: %w (SOURCE_DATE_EPOCH may say it)", err)
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the time of the commit: %w", err)
	}
	r.revision, r.made = revision, time.Unix(n, 0).UTC()
	all, err := licences.Collect(root, program, targets)
	if err != nil {
		return nil, err
	}
	var notices strings.Builder
	if err := licences.Write(&notices, all); err != nil {
		return nil, err
	}
	r.notices = []byte(notices.String())
	return r, os.MkdirAll(out, 0o755)
}

// build builds the program for a system.
func (r *release) build(t licences.Target) ([]byte, error) {
	dir, err := os.MkdirTemp("", "jitsuin-release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "program")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=auto", "-ldflags", "-s -w -X main.version="+r.version, "-o", file, program)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+t.OS, "GOARCH="+t.Arch, "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build for %s/%s: %w\n%s", t.OS, t.Arch, err, said)
	}
	return os.ReadFile(file)
}

// dist makes an archive for each system, and the sums of all.
func (r *release) dist() error {
	var sums []string
	for _, t := range targets {
		binary, err := r.build(t)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("jitsuin-%s-%s-%s", r.version, t.OS, t.Arch)
		entries, err := r.contents(name, t, binary)
		if err != nil {
			return err
		}
		pack, file := archive.TarGz, name+".tar.gz"
		if t.OS == "windows" {
			pack, file = archive.Zip, name+".zip"
		}
		sum, err := r.write(file, func(w io.Writer) error { return pack(w, r.made, entries) })
		if err != nil {
			return err
		}
		sums = append(sums, sum+"  "+file+"\n")
	}
	slices.Sort(sums)
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(strings.Join(sums, "")), 0o644)
}

// contents are the files of one archive, in a folder of its name.
func (r *release) contents(name string, t licences.Target, binary []byte) ([]archive.Entry, error) {
	exe := "jitsuin"
	if t.OS == "windows" {
		exe = "jitsuin.exe"
	}
	all := []archive.Entry{{Name: name + "/" + exe, Mode: 0o755, Content: binary},
		{Name: name + "/THIRD-PARTY-NOTICES.txt", Mode: 0o644, Content: r.notices}}
	for _, f := range []string{"LICENSE", "README.md", "ARCHITECTURE.md"} {
		e, err := archive.File(name+"/"+f, filepath.Join(root, f), 0o644)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	for _, folder := range []string{"docs", "deploy"} {
		tree, err := archive.Tree(name+"/"+folder, filepath.Join(root, folder))
		if err != nil {
			return nil, err
		}
		tests := func(e archive.Entry) bool {
			return strings.HasSuffix(e.Name, "_test.go") || strings.HasSuffix(e.Name, "_test.yml")
		}
		all = append(all, slices.DeleteFunc(tree, tests)...)
	}
	return all, nil
}

// image makes the OCI archive.
func (r *release) image() error {
	licence, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil {
		return err
	}
	s := image.Source{Version: r.version, Revision: r.revision, Made: r.made, Programs: map[string][]byte{}, Licence: licence, Notices: r.notices}
	for _, t := range targets {
		if t.OS != "linux" {
			continue
		}
		if s.Programs[t.Arch], err = r.build(t); err != nil {
			return err
		}
	}
	_, err = r.write("jitsuin-"+r.version+"-oci.tar", func(w io.Writer) error { return image.Write(w, s) })
	return err
}

// write writes a file of the release and gives its SHA-256.
func (r *release) write(name string, content func(io.Writer) error) (string, error) {
	f, err := os.Create(filepath.Join(r.out, name))
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	err = content(io.MultiWriter(f, sum))
	if err2 := f.Close(); err == nil {
		err = err2
	}
	if err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("%s: %w", name, err)
	}
	fmt.Printf("%x  %s\n", sum.Sum(nil), f.Name())
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}
