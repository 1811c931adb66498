package ui

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
)

// Open opens a file for reading and tells its size, 0 where it has none; "-" is standard input.
func (f *Face) Open(path string) (io.ReadCloser, int64, error) {
	if path == "-" {
		return io.NopCloser(f.In), 0, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = &os.PathError{Op: "read", Path: path, Err: errors.New("is a folder")}
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return file, 0, nil
	}
	return file, info.Size(), nil
}

// ReadFile reads a whole file of at most limit bytes; "-" is standard input. A longer one is
// Unsupported "too-large".
func (f *Face) ReadFile(path string, limit int64) ([]byte, error) {
	r, _, err := f.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return ReadAll(r, path, limit)
}

// ReadAll is ReadFile for a file that is open; path names it in errors.
func ReadAll(r io.Reader, path string, limit int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if n > limit {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "too-large", "%s has more than the %d MiB that are read at once", path, limit>>20)
	}
	return b.Bytes(), nil
}

// WriteFile puts a result in a file, whole or not at all; "-" is standard output.
func (f *Face) WriteFile(path string, b []byte) error {
	if path == "-" {
		_, err := f.Out.Write(b)
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = temp.Write(b)
	if err == nil {
		err = temp.Chmod(0o644)
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
