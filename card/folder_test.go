package card_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
)

func newFolder(t testing.TB) (*card.Folder, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "chip")
	m, err := card.NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m, dir
}

func TestFolderStoresAndClosesItselfToOthers(t *testing.T) {
	m, dir := newFolder(t)
	if _, err := m.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty folder: %v", err)
	}
	for _, image := range []string{"one", "", "three"} {
		if err := m.Store([]byte(image)); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Load(); err != nil || string(got) != image {
			t.Errorf("%q %v, want %q", got, err, image)
		}
	}
	for path, want := range map[string]fs.FileMode{dir: 0o700 | fs.ModeDir, filepath.Join(dir, "chip.image"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, want %v (%v)", path, info.Mode(), want, err)
		}
	}
}

// The power goes at every byte of the write and at every step after it.
func TestFolderPowerCuts(t *testing.T) {
	m, dir := newFolder(t)
	before, after := []byte("the image before"), []byte("the image after, longer")
	check := func(step string, n int, wants ...[]byte) {
		t.Helper()
		if err := m.Store(before); err != nil {
			t.Fatal(err)
		}
		repair := m.CutPower(step, n)
		if m.Store(after) == nil {
			t.Fatalf("%s %d: the write was acknowledged", step, n)
		}
		repair()
		again, err := card.NewFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.Load()
		ok := false
		for _, want := range wants {
			ok = ok || bytes.Equal(got, want)
		}
		if err != nil || !ok {
			t.Errorf("%s %d: %q %v", step, n, got, err)
		}
	}
	for n := range len(after) + 60 {
		check("write", n, before)
	}
	check("sync", 0, before)
	check("rename", 0, before)
	check("syncdir", 0, before, after)
}

func TestFolderRefusesDamage(t *testing.T) {
	m, dir := newFolder(t)
	if err := m.Store([]byte("an image")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "chip.image")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		flipped := bytes.Clone(whole)
		flipped[n] ^= 0x40
		for _, damaged := range [][]byte{whole[:n], flipped} {
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Load(); jitsuin.CodeOf(err) != "chip-image-damaged" {
				t.Fatalf("damage at byte %d: %v", n, err)
			}
		}
	}
}

func TestChipLivesInAFolder(t *testing.T) {
	issued := cardtest.Issue(t)
	m, _ := newFolder(t)
	if _, err := card.Open(m); jitsuin.CodeOf(err) != "chip-missing" {
		t.Errorf("opening nothing: %v", err)
	}
	if _, err := card.New(m, issued.Blank()); err != nil {
		t.Fatal(err)
	}
	if _, err := card.New(m, issued.Blank()); jitsuin.CodeOf(err) != "chip-exists" {
		t.Errorf("a second blank over the first: %v", err)
	}
	image, err := issued.Memory.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Store(image); err != nil {
		t.Fatal(err)
	}
	chip, err := card.Open(m)
	if err != nil {
		t.Fatal(err)
	}
	mustSignAs(t, chip, issued.Certificates[jitsuin.AuthCert])
}

func TestBlanksThatAreRefused(t *testing.T) {
	good := cardtest.Issue(t).Blank()
	for _, bad := range []card.Blank{{}, {Serial: good.Serial}, {Serial: "123", TerminalAuthority: good.TerminalAuthority},
		{Serial: "000000000000000A", TerminalAuthority: good.TerminalAuthority}} {
		if _, err := card.New(&cardtest.Memory{}, bad); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	failing := &cardtest.Memory{BadLoad: true}
	if _, err := card.New(failing, good); err == nil || failing.Stores() != 0 {
		t.Errorf("a memory that cannot be read was written: %v", err)
	}
}

// A memory that cannot be read after a failed write answers 6581 until it can.
func TestMemoryThatComesBack(t *testing.T) {
	issued := cardtest.Issue(t)
	transmit(t, issued.Chip, selectJPKI)
	issued.Memory.Plan = func(int) cardtest.Fault { return cardtest.FailsLost }
	issued.Memory.BadLoad = true
	for _, command := range []string{"0020009804" + ascii("1234"), selectJPKI, "0084000008"} {
		if _, sw := transmit(t, issued.Chip, command); sw != "6581" {
			t.Errorf("%s answered %s", command, sw)
		}
	}
	issued.Memory.Plan, issued.Memory.BadLoad = nil, false
	mustSignAs(t, issued.Chip, issued.Certificates[jitsuin.AuthCert])
}
