// Package durable replaces a file as a whole so that a power cut at any moment leaves the old
// content or the new: a second file, fsync, rename, fsync of the folder. It owns that sequence
// and knows nothing of what the files hold.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Writer is the handful of calls that a power cut can come between; tests exchange them.
type Writer struct {
	Write   func(f *os.File, b []byte) error
	Sync    func(f *os.File) error
	Rename  func(from, to string) error
	SyncDir func(dir string) error
}

// New gives a Writer with the operating system's calls.
func New() Writer {
	return Writer{
		Write:   func(f *os.File, b []byte) error { _, err := f.Write(b); return err },
		Sync:    (*os.File).Sync,
		Rename:  os.Rename,
		SyncDir: SyncDir,
	}
}

// Replace makes b the content of path, with mode 0600. After an error the file has its old
// content or the new one. path+".tmp" is used on the way, and overwritten where it was left.
func (w Writer) Replace(path string, b []byte) error {
	temp := path + ".tmp"
	if err := w.writeTemp(temp, b); err != nil {
		return err
	}
	if err := w.Rename(temp, path); err != nil {
		return fmt.Errorf("put the new file in place: %w", err)
	}
	if err := w.SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("sync the folder: %w", err)
	}
	return nil
}

func (w Writer) writeTemp(path string, b []byte) error {
	// The old temporary file goes first, so that the new one has our mode and not another's.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove an unfinished file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("open the new file: %w", err)
	}
	err = w.Write(f, b)
	if err == nil {
		err = w.Sync(f)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write the new file: %w", err)
	}
	return nil
}

// SyncDir makes the names in dir durable. Windows cannot sync a folder; NTFS writes its journal of names
// by itself.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return err
}
