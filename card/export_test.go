package card

import (
	"errors"
	"os"
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
