package card

// FailNthWrite makes a Folder behave as if the power went at a step of Store: "write" after n
// bytes, or before "sync", "rename" or "syncdir". It gives back how to repair it.
import (
	"errors"
	"os"
)

var errCut = errors.New("power cut")

func (m *Folder) CutPower(step string, n int) (repair func()) {
	old := m.fs
	switch step {
	case "write":
		m.fs.write = func(f *os.File, b []byte) error {
			if _, err := f.Write(b[:min(n, len(b))]); err != nil {
				return err
			}
			return errCut
		}
	case "sync":
		m.fs.sync = func(*os.File) error { return errCut }
	case "rename":
		m.fs.rename = func(string, string) error { return errCut }
	case "syncdir":
		m.fs.syncDir = func(string) error { return errCut }
	}
	return func() { m.fs = old }
}
