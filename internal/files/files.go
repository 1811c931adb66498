// Package files puts whole files in place: durable, and never seen half written. It knows nothing of
// what is in them.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace puts a whole file in place or leaves what was there, whatever happens meanwhile.
func Replace(path string, content []byte, mode fs.FileMode) error {
	tmp, err := beside(path, content, mode)
	if err == nil {
		if err = os.Rename(tmp, path); err != nil {
			os.Remove(tmp)
		}
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Keep puts a whole file in place unless there is one already, which then stays: what is drawn at
// random is drawn once, by whoever comes first.
func Keep(path string, content []byte, mode fs.FileMode) error {
	tmp, err := beside(path, content, mode)
	if err == nil {
		err = errors.Join(os.Link(tmp, path), os.Remove(tmp))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// beside writes a file for path under a name of its own, and makes its content durable.
func beside(path string, content []byte, mode fs.FileMode) (tmp string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
	}
	return f.Name(), err
}
