package card

import (
	"errors"
	"os"
	"path/filepath"
)

var errCut = errors.New("power cut")

// CutPower makes a Folder behave as if the power went at a step of Store: "write" after n
// bytes, or before "sync", "rename" or "syncdir". It gives back how to repair it.
func (m *Folder) CutPower(step string, n int) (repair func()) {
	old := m.writer
	switch step {
	case "write":
		m.writer.Write = func(f *os.File, b []byte) error {
			if _, err := f.Write(b[:min(n, len(b))]); err != nil {
				return err
			}
			return errCut
		}
	case "sync":
		m.writer.Sync = func(*os.File) error { return errCut }
	case "rename":
		m.writer.Rename = func(string, string) error { return errCut }
	case "syncdir":
		m.writer.SyncDir = func(string) error { return errCut }
	}
	return func() { m.writer = old }
}

// EveryCounter gives the retry counters of a chip, by application and file.
func (c *Chip) EveryCounter(visit func(aid string, id uint16, tries, most int)) {
	for _, app := range c.image.Applications {
		for _, f := range app.Files {
			if f.PIN != nil {
				visit(string(app.AID), f.ID, f.PIN.Tries, f.PIN.Max)
			}
		}
	}
}

// PrivateKeys gives all private keys in a chip, PKCS #8.
func (c *Chip) PrivateKeys() (all [][]byte) {
	for _, app := range c.image.Applications {
		pairs := []*keyPair{app.Session}
		for _, f := range app.Files {
			if f.Key != nil {
				pairs = append(pairs, f.Key.Active, f.Key.Pending)
			}
		}
		for _, p := range pairs {
			if p != nil && p.PKCS8 != nil {
				all = append(all, p.PKCS8)
			}
		}
	}
	return all
}

// Status gives a chip's selection and security status.
func (c *Chip) Status() (aid string, ef uint16, verified map[uint16]bool, terminal Role) {
	if c.session.ef != nil {
		ef = c.session.ef.ID
	}
	return string(c.session.app.AID), ef, c.session.verified, c.session.terminal
}

// TakeKeysFrom has a chip take its new keys from a function: making RSA keys takes too long for a fuzzer.
func (c *Chip) TakeKeysFrom(newKey func(Algorithm) ([]byte, error)) { c.newKey = newKey }

// CutPowerAfter makes a Folder behave as if the power went after some of the calls that a Store makes (write, sync,
// rename, syncdir, and again for the next Store), counted from now: none of those that follow has any effect, except that
// of a write some bytes may come through. Done tells how many calls came before the cut.
// It gives back how to repair it. forgetful has the disk lose what was not synced: a rename whose folder was not.
func (m *Folder) CutPowerAfter(calls, bytes int, forgetful bool) (repair func(), done func() int) {
	old := m.writer
	made := 0
	var before []byte // of the image whose rename is not durable yet
	alive := func() bool {
		made++
		return made <= calls
	}
	lose := func(err error) error {
		if forgetful && before != nil {
			_ = os.WriteFile(filepath.Join(m.dir, imageName), before, 0o600)
			before = nil
		}
		return err
	}
	m.writer.Write = func(f *os.File, b []byte) error {
		if !alive() {
			_, _ = f.Write(b[:min(bytes, len(b))])
			return lose(errCut)
		}
		return old.Write(f, b)
	}
	m.writer.Sync = func(f *os.File) error {
		if !alive() {
			return lose(errCut)
		}
		return old.Sync(f)
	}
	m.writer.Rename = func(from, to string) error {
		if !alive() {
			return lose(errCut)
		}
		before, _ = os.ReadFile(to)
		return old.Rename(from, to)
	}
	m.writer.SyncDir = func(dir string) error {
		if !alive() {
			return lose(errCut)
		}
		before = nil
		return old.SyncDir(dir)
	}
	return func() { m.writer = old }, func() int { return min(made, calls) }
}
