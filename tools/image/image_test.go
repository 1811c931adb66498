package image

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// source is an image of the real program for this machine, and of a stand-in for the other one.
func source(t *testing.T) Source {
	t.Helper()
	out := filepath.Join(t.TempDir(), "jitsuin")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version=v0-test", "-o", out, "./cmd/jitsuin")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	program, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return Source{Version: "v0-test", Revision: "0123456", Made: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC),
		Programs: map[string][]byte{"amd64": program, "arm64": []byte("stands in for the program")}, Licence: []byte("licence"), Notices: []byte("notices")}
}

// judge finds a program that we did not write; under CI a missing one is a failure.
func judge(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("JUDGE MISSING: %s", name)
	}
	t.Skipf("######## JUDGE MISSING: %s — install it with: make judges ########", name)
}

func skopeo(args ...string) (string, error) {
	out, err := exec.Command("skopeo", args...).Output()
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		return string(out) + string(e.Stderr), err
	}
	return string(out), err
}

// TestSkopeoReadsTheImage asks skopeo what the image is, has it copied with every digest checked, and
// runs the program from the unpacked root.
func TestSkopeoReadsTheImage(t *testing.T) {
	judge(t, "skopeo")
	s := source(t)
	var first, second bytes.Buffer
	if err := errors.Join(Write(&first, s), Write(&second, s)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same sources made two images")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "image.tar")
	if err := os.WriteFile(file, first.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ref := "oci-archive:" + file + ":v0-test"
	for _, arch := range []string{"amd64", "arm64"} {
		checkInspected(t, ref, arch)
	}
	unpacked := filepath.Join(dir, "copy")
	if said, err := skopeo("copy", "--override-os", "linux", "--override-arch", "amd64", ref, "dir:"+unpacked); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	runUnpacked(t, unpacked)
}

func checkInspected(t *testing.T, ref, arch string) {
	t.Helper()
	said, err := skopeo("--override-os", "linux", "--override-arch", arch, "inspect", ref)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var seen struct {
		Architecture, Os string
		Labels           map[string]string
		Env, Layers      []string
	}
	if err := json.Unmarshal([]byte(said), &seen); err != nil {
		t.Fatal(err)
	}
	if seen.Architecture != arch || seen.Os != "linux" || len(seen.Layers) != 2 || seen.Labels["org.opencontainers.image.version"] != "v0-test" ||
		!slices.Contains(seen.Env, "JITSUIN_DATA=/data") {
		t.Errorf("%s: %+v", arch, seen)
	}
	said, err = skopeo("--override-os", "linux", "--override-arch", arch, "inspect", "--config", ref)
	var config struct {
		Config struct {
			User                  string
			Entrypoint            []string
			ExposedPorts, Volumes map[string]any
		} `json:"config"`
	}
	if err != nil || json.Unmarshal([]byte(said), &config) != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	c := config.Config
	_, port := c.ExposedPorts["8400/tcp"]
	_, volume := c.Volumes["/data"]
	if c.User != "65532:65532" || !slices.Equal(c.Entrypoint, []string{"/usr/local/bin/jitsuin"}) || !port || !volume {
		t.Errorf("%s is started as %+v", arch, c)
	}
}

// runUnpacked unpacks the layers with tar and runs the program with them as its root.
func runUnpacked(t *testing.T, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Log("######## SKIPPED: only root can take another root folder ########")
		return
	}
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Layers []struct{ Digest string }
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "root")
	os.Mkdir(root, 0o755)
	for _, l := range manifest.Layers {
		if said, err := exec.Command("tar", "-xzpf", filepath.Join(dir, strings.TrimPrefix(l.Digest, "sha256:")), "-C", root).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
	}
	inside := func(args ...string) *exec.Cmd {
		cmd := exec.Command("chroot", append([]string{"--userspec=65532:65532", root, "/usr/local/bin/jitsuin"}, args...)...)
		cmd.Env = []string{"HOME=/data", "JITSUIN_DATA=/data"}
		return cmd
	}
	if said, err := inside("version").CombinedOutput(); err != nil || !strings.Contains(string(said), "v0-test") {
		t.Errorf("%v\n%s", err, said)
	}
	for _, name := range []string{"etc", "usr/local/bin"} {
		if info, err := os.Stat(filepath.Join(root, name)); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("/%s: %v, %v", name, info, err)
		}
	}
	if info, err := os.Stat(filepath.Join(root, "tmp")); err != nil || info.Mode() != 0o777|os.ModeDir|os.ModeSticky {
		t.Errorf("/tmp: %v, %v", info, err)
	}
	runCountry(t, inside("up", "--listen", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))))
}

// runCountry has the program make a whole country in its volume, and ends it.
func runCountry(t *testing.T, up *exec.Cmd) {
	t.Helper()
	out, err := up.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var trouble bytes.Buffer
	up.Stderr = &trouble
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(time.Minute, func() { up.Process.Kill() })
	defer stuck.Stop()
	var said strings.Builder
	for in := bufio.NewScanner(out); in.Scan(); {
		said.WriteString(in.Text() + "\n")
		if strings.Contains(in.Text(), "the country is ready") {
			up.Process.Signal(os.Interrupt)
		}
	}
	if err := up.Wait(); err != nil || !strings.Contains(said.String(), "the country is ready") {
		t.Errorf("up: %v\n%s\n%s", err, &said, &trouble)
	}
}

// Near copies: a layer with one other byte, and one that is cut short, are refused.
func TestSkopeoRefusesACorruptedLayer(t *testing.T) {
	judge(t, "skopeo")
	s := source(t)
	s.Programs = map[string][]byte{"amd64": bytes.Repeat([]byte("a program "), 1000)}
	var out bytes.Buffer
	if err := Write(&out, s); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"as it is":       func(b []byte) []byte { return b },
		"one other byte": func(b []byte) []byte { b[len(b)-10]++; return b },
		"cut short":      func(b []byte) []byte { return b[:len(b)-1] },
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "image.tar"), out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		place := filepath.Join(dir, "layout")
		os.Mkdir(place, 0o755)
		if said, err := exec.Command("tar", "-xf", filepath.Join(dir, "image.tar"), "-C", place).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		layer := largestBlob(t, place)
		content, err := os.ReadFile(layer)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(layer, spoil(content), 0o600); err != nil {
			t.Fatal(err)
		}
		said, err := skopeo("copy", "oci:"+place+":v0-test", "dir:"+filepath.Join(dir, "copy"))
		if (err == nil) != (name == "as it is") {
			t.Errorf("a layer %s: %v\n%s", name, err, said)
		}
	}
	if err := Write(io.Discard, Source{Version: "v0"}); err == nil {
		t.Error("an image without a program was made")
	}
}

// largestBlob finds the layer with the licences' and the program's bytes.
func largestBlob(t *testing.T, place string) string {
	t.Helper()
	blobs, err := filepath.Glob(filepath.Join(place, "blobs", "sha256", "*"))
	if err != nil || len(blobs) == 0 {
		t.Fatal("no blobs", err)
	}
	return slices.MaxFunc(blobs, func(a, b string) int {
		x, _ := os.Stat(a)
		y, _ := os.Stat(b)
		xz, yz := isGzip(a), isGzip(b)
		if xz != yz {
			if xz {
				return 1
			}
			return -1
		}
		return int(x.Size() - y.Size())
	})
}

func isGzip(file string) bool {
	b, err := os.ReadFile(file)
	return err == nil && len(b) > 2 && b[0] == 0x1f && b[1] == 0x8b
}
