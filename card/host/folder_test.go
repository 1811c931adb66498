package host_test

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
)

var brief = host.Options{Wait: time.Millisecond}

func TestOneProcessServesAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cards")
	h := newHost(t, dir)
	id, handle := create(t, h)
	held := mustTransfer(t, h, handle, host.Holder, token)
	_, err := host.New(dir, brief)
	wantCode(t, err, jitsuin.Conflict, "cards-served")
	if _, err := host.OpenLocal(t.Context(), dir, id, brief); jitsuin.CodeOf(err) != "cards-served" {
		t.Errorf("a tool beside the host: %v", err)
	}
	channel := mustOpen(t, h, held)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = channel.ATR(t.Context())
	wantCode(t, err, jitsuin.Unavailable, "card-gone")
	_, err = h.Open(t.Context(), held)
	wantCode(t, err, jitsuin.Unavailable, "host-closed")

	again := newHost(t, dir)
	mustOpen(t, again, held).Close() // custody outlives the process
}

func TestOpenLocal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cards")
	h := newHost(t, dir)
	id, handle := create(t, h)
	lentID, lent := create(t, h)
	atTown, _ := create(t, h)
	mustTransfer(t, h, handle, host.Holder, token)
	if _, err := h.Lend(t.Context(), mustTransfer(t, h, lent, host.Holder, token)); err != nil {
		t.Fatal(err)
	}
	h.Close()

	_, err := host.OpenLocal(t.Context(), dir, atTown, brief)
	wantCode(t, err, jitsuin.Denied, "card-not-handed-over")
	_, err = host.OpenLocal(t.Context(), dir, lentID, brief)
	wantCode(t, err, jitsuin.Conflict, "card-lent")
	_, err = host.OpenLocal(t.Context(), dir, jitsuin.NewID(), brief)
	wantCode(t, err, jitsuin.NotFound, "card-missing")

	c, err := host.OpenLocal(t.Context(), dir, id, brief)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.SelectJPKI(t.Context(), c); err != nil {
		t.Error(err)
	}
	_, err = host.OpenLocal(t.Context(), dir, id, brief)
	wantCode(t, err, jitsuin.Conflict, "card-in-use")
	_, err = host.New(dir, brief)
	wantCode(t, err, jitsuin.Conflict, "cards-served")
	c.Close()
	c.Close()
	_, err = c.Transmit(t.Context(), []byte{0, 0xA4, 0, 0})
	wantCode(t, err, jitsuin.Unavailable, "card-gone")
	c, err = host.OpenLocal(t.Context(), dir, id, brief)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestSocketOnlyInTheHoldersHands(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cards")
	h := newHost(t, dir)
	id, handle := create(t, h)
	path := filepath.Join(dir, string(id)+".sock")
	atTown := mustTransfer(t, h, handle, town, token)
	_, err := host.OpenSocket(t.Context(), path)
	wantCode(t, err, jitsuin.NotFound, "card-missing")

	held := mustTransfer(t, h, atTown, host.Holder, other)
	if info, err := os.Stat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("socket %v %v", info, err)
	}
	c, err := host.OpenSocket(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.SelectJPKI(t.Context(), c); err != nil {
		t.Error(err)
	}
	_, err = host.OpenSocket(t.Context(), path)
	wantCode(t, err, jitsuin.Conflict, "card-in-use")
	_, err = h.Open(t.Context(), held)
	wantCode(t, err, jitsuin.Conflict, "card-in-use")

	// While it is lent, the socket gives nothing, and a program that had it is hung up on.
	lent, err := h.Lend(t.Context(), held)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ATR(t.Context())
	wantCode(t, err, jitsuin.Unavailable, "card-gone")
	_, err = host.OpenSocket(t.Context(), path)
	wantCode(t, err, jitsuin.Conflict, "card-in-use")
	mustOpen(t, h, lent).Close()
	if err := h.Retract(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	if c, err = host.OpenSocket(t.Context(), path); err != nil {
		t.Fatal(err)
	}

	// Giving the card back to the town ends the socket.
	mustTransfer(t, h, held, town, "returned-0123456789")
	_, err = c.ATR(t.Context())
	wantCode(t, err, jitsuin.Unavailable, "card-gone")
	_, err = host.OpenSocket(t.Context(), path)
	wantCode(t, err, jitsuin.NotFound, "card-missing")
}

func TestSocketAfterRestartAndCrash(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cards")
	h := newHost(t, dir)
	id, handle := create(t, h)
	path := filepath.Join(dir, string(id)+".sock")
	mustTransfer(t, h, handle, host.Holder, token)
	h.Close()
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is still there after Close")
	}
	// A host that was killed leaves its socket behind.
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	_, err = host.OpenSocket(t.Context(), path)
	wantCode(t, err, jitsuin.Unavailable, "card-gone")
	newHost(t, dir)
	c, err := host.OpenSocket(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// A socket's name is limited to 108 bytes; a data folder's is not.
func TestLongFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30), strings.Repeat("longer", 20))
	h := newHost(t, dir)
	id, handle := create(t, h)
	mustTransfer(t, h, handle, host.Holder, token)
	c, err := host.OpenSocket(t.Context(), filepath.Join(dir, string(id)+".sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := reader.SelectJPKI(t.Context(), c); err != nil {
		t.Error(err)
	}
}

// The power goes while custody is written: the old handle works or the new one, never both and
// never none, and repeating the transfer gives the new one.
func TestTransferPowerCuts(t *testing.T) {
	for _, kept := range []bool{false, true} {
		for _, restart := range []bool{false, true} {
			dir := filepath.Join(t.TempDir(), "cards")
			h := newHost(t, dir)
			_, handle := create(t, h)
			repair := h.CutCustody(kept)
			if _, err := h.Transfer(t.Context(), handle, host.Holder, token); err == nil {
				t.Fatal("a failed write was acknowledged")
			}
			repair()
			if restart {
				h.Close()
				h = newHost(t, dir)
			}
			_, err := h.Info(t.Context(), handle)
			if dead := jitsuin.CodeOf(err) == "stale-handle"; dead != kept {
				t.Errorf("kept %v, restart %v: the old handle: %v", kept, restart, err)
			}
			next := mustTransfer(t, h, handle, host.Holder, token)
			mustOpen(t, h, next).Close()
			_, err = h.Info(t.Context(), handle)
			wantCode(t, err, jitsuin.Denied, "stale-handle")
		}
	}
}

// A creation that was interrupted before its custody was written is begun anew.
func TestCreatePowerCut(t *testing.T) {
	h := newHost(t, t.TempDir())
	o := order(t)
	repair := h.CutCustody(false)
	if _, err := h.Create(t.Context(), o); err == nil {
		t.Fatal("a failed write was acknowledged")
	}
	repair()
	handle, err := h.Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, h, handle).Close()
}

func TestFoldersAreClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cards")
	h := newHost(t, dir)
	id, handle := create(t, h)
	mustTransfer(t, h, handle, host.Holder, token)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, string(id), "custody.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.Close()
	if _, err := host.New(dir, host.Options{}); jitsuin.CodeOf(err) != "custody-damaged" {
		t.Errorf("a damaged custody: %v", err)
	}
}
