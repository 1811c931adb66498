// Package archive packs files so that the same files make the same bytes: in one order, with one
// time, owned by nobody in particular.
package archive

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Entry is a file, or a folder where Name ends in a slash. Names have forward slashes and no slash
// in front.
type Entry struct {
	Name    string
	Mode    fs.FileMode // permissions; with fs.ModeSticky for a folder like /tmp
	Content []byte
	UID     int // of the owner and its group, in tar
}

// File reads a file from disk as an entry of that name.
func File(name, from string, mode fs.FileMode) (Entry, error) {
	content, err := os.ReadFile(from)
	return Entry{Name: name, Mode: mode, Content: content}, err
}

// Tree reads all files below a folder as entries below name, with mode 0644.
func Tree(name, from string) ([]Entry, error) {
	var all []Entry
	err := filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		e, err := File(path.Join(name, filepath.ToSlash(rel)), p, 0o644)
		all = append(all, e)
		return err
	})
	return all, err
}

// sorted puts folders before what is in them, and refuses two entries of one name.
func sorted(entries []Entry) ([]Entry, error) {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(entries); i++ {
		if entries[i].Name == entries[i-1].Name {
			return nil, fmt.Errorf("two entries are called %s", entries[i].Name)
		}
	}
	return entries, nil
}

// Tar writes entries as a tar.
func Tar(w io.Writer, at time.Time, entries []Entry) error {
	entries, err := sorted(entries)
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	for _, e := range entries {
		h := &tar.Header{Name: e.Name, Mode: int64(e.Mode.Perm()), Size: int64(len(e.Content)), ModTime: at.UTC().Truncate(time.Second),
			Typeflag: tar.TypeReg, Uid: e.UID, Gid: e.UID, Format: tar.FormatUSTAR}
		if e.Mode&fs.ModeSticky != 0 {
			h.Mode |= 0o1000
		}
		if strings.HasSuffix(e.Name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := t.WriteHeader(h); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		if _, err := t.Write(e.Content); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return t.Close()
}

// TarGz writes entries as a tar.gz.
func TarGz(w io.Writer, at time.Time, entries []Entry) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := Tar(z, at, entries); err != nil {
		return err
	}
	return z.Close()
}

// Zip writes entries as a zip.
func Zip(w io.Writer, at time.Time, entries []Entry) error {
	entries, err := sorted(entries)
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.Name, Method: zip.Deflate, Modified: at.UTC().Truncate(2 * time.Second)}
		h.SetMode(e.Mode)
		f, err := z.CreateHeader(h)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		if _, err := f.Write(e.Content); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return z.Close()
}
